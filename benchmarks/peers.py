"""Other open simulators on a like task, side by side: one site at 1 s, far simpler than the campus.

They do not simulate the same physics: Vessim balances a microgrid of signals and a battery, OpenG2G
coordinates data centres and a grid. Each gets the easiest site that it can be asked for, so that its
figure is the cost of its loop, and the campus (8 pods, 13 chain stages and loops each) is the harder one.
Neither is needed by aidc; `make bench-peers` installs both into an environment of their own.
"""

from __future__ import annotations

import math
from fractions import Fraction

from benchmarks.measure import Case, timed

_STEPS = 86_400
_HOURS = 25


def vessim(*, log: bool) -> dict[str, float]:
    """Vessim: a load, PV, a battery, the grid and carbon intensity; with or without a log in memory."""
    import pandas as pd
    import vessim as vs

    hours = pd.to_timedelta(range(_HOURS), unit="h")
    sun = [3e7 * max(math.sin(math.pi * (hour - 6) / 12), 0.0) for hour in range(_HOURS)]
    load = [6e7 + 2e7 * math.sin(math.pi * hour / 12) for hour in range(_HOURS)]
    carbon = [350.0 + 5.0 * hour for hour in range(_HOURS)]
    site = vs.Environment(sim_start="2025-07-07", step_size=1)
    site.add_microgrid(
        actors=[
            vs.Consumer("load", vs.Trace(pd.Series(load, index=hours))),
            vs.Producer("pv", vs.Trace(pd.Series(sun, index=hours))),
        ],
        dispatchables=[
            vs.SimpleBattery("battery", capacity=8e7, initial_soc=0.5, min_soc=0.1, c_rate=0.5),
            vs.GridConnection(),
        ],
        grid_signals={"carbon": vs.Trace(pd.Series(carbon, index=hours))},
    )
    if log:
        site.add_controller(vs.Recorder(metrics=False))
    return timed(_STEPS, lambda: site.run(until=_STEPS))


def openg2g() -> dict[str, float]:
    """OpenG2G: its coordinator with one data centre of recorded power, a grid of one bus, no control."""
    import numpy as np
    from openg2g.common import ThreePhase
    from openg2g.controller.noop import NoopController
    from openg2g.coordinator import Coordinator
    from openg2g.datacenter.base import DatacenterBackend, DatacenterState
    from openg2g.grid.base import BusVoltages, GridBackend, GridState, PhaseVoltages

    power_w = 2e7 + 5e6 * np.sin(np.arange(3600) * (2 * np.pi / 3600))

    class Recorded(DatacenterBackend[DatacenterState]):
        dt_s = Fraction(1)  # type: ignore[assignment]

        def step(self, clock, events):  # noqa: ARG002
            phase = float(power_w[clock.step % 3600])
            return DatacenterState(clock.time_s, ThreePhase(phase, phase, phase))

        def apply_control(self, command, events) -> None: ...
        def reset(self) -> None: ...

    class OneBus(GridBackend[GridState]):
        dt_s = Fraction(1)  # type: ignore[assignment]
        v_index = (("bus", 0),)  # type: ignore[assignment]

        def step(self, clock, power_samples_w, events):  # noqa: ARG002
            drawn = sum(sample.a for samples in power_samples_w.values() for sample in samples)
            sag = 1.0 - 1e-9 * drawn
            return GridState(clock.time_s, BusVoltages({"bus": PhaseVoltages(sag, sag, sag)}))

        def apply_control(self, command, events) -> None: ...
        def reset(self) -> None: ...
        def voltages_vector(self):
            return np.ones(1)

        def estimate_sensitivity(self, perturbation_kw=100.0, dc=None):  # noqa: ARG002
            return np.zeros((1, 1)), np.ones(1)

    site = Coordinator(
        datacenters=[Recorded(name="site")],
        grid=OneBus(),
        controllers=[NoopController(Fraction(60))],
        total_duration_s=_STEPS,
    )
    return timed(_STEPS, site.run)


CASES: dict[str, Case] = {
    "energy-vessim": lambda: vessim(log=False),
    "energy-vessim-logged": lambda: vessim(log=True),
    "energy-openg2g": openg2g,
}
NEEDS = {"energy-vessim": "vessim", "energy-vessim-logged": "vessim", "energy-openg2g": "openg2g"}
