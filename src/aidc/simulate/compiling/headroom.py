"""How much of a service its pods can carry within the service level, read from their operating tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from aidc.scenario.series import FloatArray
from aidc.simulate.compiling.operating import CAPS, LOADS
from aidc.simulate.compiling.workloads import Workload
from aidc.simulate.energy.fields import Point

__all__ = ["capacity_within_level"]

_KEPT: Final = 0.99  # a service level is promised at p99: this share of the tokens meets it


def capacity_within_level(pods: Mapping[str, Workload], caps: Mapping[str, float]) -> dict[str, float]:
    """Largest rate of each pod at which the service as a whole keeps its level, without a queue [tokens/s].

    Pods share the demand in proportion to their largest rates, so that all stand at the same load; the service keeps
    its level while 99 % of its tokens do. Between the loads of a table the engine interpolates linearly, and so does
    this.

    Parameters
    ----------
    pods
        The pods of one service.
    caps
        The power cap of each, as a share of the accelerators' rated power.
    """
    loads = np.linspace(0.0, 1.0, LOADS)
    rows = {name: _row(work, caps[name]) for name, work in pods.items()}
    kept = np.sum(
        [work.share_frac * rows[name][:, Point.MEETS_SLO_FRAC] for name, work in pods.items()], axis=0
    )
    able = min(
        float(rows[name][:, Point.RATE_PER_S].max()) / max(work.rate_max_per_s, 1e-12)
        for name, work in pods.items()
    )
    load = min(_last_above(loads, kept), able, 1.0)
    return {name: load * work.rate_max_per_s for name, work in pods.items()}


def _row(work: Workload, cap_frac: float) -> FloatArray:
    """The operating table at one power cap [load, Point], between its rows."""
    place = (cap_frac - work.cap_min_frac) / max(1.0 - work.cap_min_frac, 1e-12) * (CAPS - 1)
    place = min(max(place, 0.0), CAPS - 1.0)
    low = min(int(place), CAPS - 2)
    return work.table[low] + (place - low) * (work.table[low + 1] - work.table[low])


def _last_above(loads: FloatArray, kept: FloatArray) -> float:
    """The largest load at which the share that is kept still suffices; 0 where there is none."""
    above = np.flatnonzero(kept >= _KEPT - 1e-12)
    if above.size == 0:
        return 0.0
    last = int(above[-1])
    if last == loads.size - 1:
        return 1.0
    share = (kept[last] - _KEPT) / (kept[last] - kept[last + 1])
    return float(loads[last] + max(share, 0.0) * (loads[last + 1] - loads[last]))
