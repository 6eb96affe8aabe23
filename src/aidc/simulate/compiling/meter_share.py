"""What a watt of accelerators draws at the meter, before cooling answers: servers, lineup, transformer."""

from __future__ import annotations

import numpy as np

from aidc.simulate.energy import fields as f
from aidc.simulate.energy.arrays import FloatArray, Params

__all__ = ["USUAL_FRAC", "meter_per_w"]

USUAL_FRAC = 0.7  # of the accelerators' rating: where the slope is taken


def meter_per_w(params: Params, transformer_load_w: float) -> FloatArray:
    """Slope of the power at the meter over that of each pod's accelerators, (pod,), cooling left out.

    Taken at 70 % of the accelerators' rating: losses that grow with the square make it a few thousandths more or
    less elsewhere. `transformer_load_w` is what passes the main transformer then [W].
    """
    pod, site = params.pod, params.site
    draw_w = USUAL_FRAC * pod[f.Pod.RATED_W]
    bend = pod[f.Pod.OVERHEAD_2_PER_W] * draw_w
    slope = 1.0 + pod[f.Pod.OVERHEAD_1] + 2.0 * bend
    power_w = draw_w + pod[f.Pod.OVERHEAD_0_W] + (pod[f.Pod.OVERHEAD_1] + bend) * draw_w
    for stage in range(len(params.stage_b)):
        if stage == params.server_stages:
            power_w = power_w + pod[f.Pod.NETWORK_W]
        linear, bent = params.stage_b[stage], params.stage_c_per_w[stage] * power_w
        slope = slope * (1.0 + linear + 2.0 * bent)
        power_w = power_w + params.stage_a_w[stage] + (linear + bent) * power_w
    auxiliary = 1.0 + float(site[f.Site.AUXILIARY_FRAC, 0])
    transformer = 1.0 + 2.0 * float(site[f.Site.TRANSFORMER_2_PER_W, 0]) * transformer_load_w
    return np.asarray(slope * auxiliary * transformer)
