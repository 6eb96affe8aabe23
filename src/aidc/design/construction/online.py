"""Power over time: what is commissioned, what the grid allows by then, and so what is online.

IT power of a lot is the nameplate of its share of the pods it houses. The grid allows IT power by the import limit of the moment
over the import per IT power of the whole site at nameplate in the design weather of its cooling plants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.lots import GRID, Lot
from aidc.plant.capacity import design_weather
from aidc.plant.design_check import design_peak_w
from aidc.plant.lineup import nameplate_w
from aidc.schema.site import Site
from aidc.units import MEGA

__all__ = ["LEVELS", "Curve", "Finishes", "Power", "import_per_it", "it_mw_of", "online_curve", "pod_shares"]

FloatArray = NDArray[np.float64]
Finishes = Mapping[str, NDArray[np.floating[Any]]]  # of lots and milestones, one number a draw
LEVELS: Final = (0.1, 0.5, 0.9)
_ENOUGH: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """Quantiles 0.1, 0.5 and 0.9 over the draws, (3, n_day), on days from the start.

    `commissioned_mw` is IT power of the lots that have passed their last test, `online_mw` what of it the grid lets
    run, `import_mw` the limit of the connection.
    """

    day: NDArray[np.int64]
    commissioned_mw: FloatArray
    online_mw: FloatArray
    import_mw: FloatArray
    mean_online_mw: FloatArray


def pod_shares(lots: Sequence[Lot]) -> dict[str, dict[str, float]]:
    """For each pod the hall lots that house it, with the share of its racks in each; shares add up to 1."""
    found: dict[str, dict[str, float]] = {}
    for lot in lots:
        if lot.module.role == "hall":
            for pod in lot.use.pods:
                found.setdefault(pod, {})[lot.name] = lot.power_mw
    return {pod: {name: mw / sum(each.values()) for name, mw in each.items()} for pod, each in found.items()}


def it_mw_of(site: Site, lots: Sequence[Lot]) -> dict[str, float]:
    """IT power of each hall lot [MW]."""
    found = {lot.name: 0.0 for lot in lots if lot.module.role == "hall"}
    for pod, shares in pod_shares(lots).items():
        for name, share in shares.items():
            found[name] += share * nameplate_w(site.pods[pod]) / MEGA
    return found


def import_per_it(site: Site) -> float:
    """Import over IT power with every pod at nameplate, cooling in its design weather; `site` is frozen."""
    plants = {name: design_weather(plant) for name, plant in site.cooling.items()}
    racks_w = sum(nameplate_w(pod) for pod in site.pods.values())
    return design_peak_w(site, plants=plants) / racks_w


class Power:
    """What is commissioned, allowed and online at any time.

    Parameters
    ----------
    site
        Frozen.
    milestones
        Import limit of each grid milestone [MW].
    """

    def __init__(self, site: Site, lots: Sequence[Lot], milestones: Mapping[str, float]) -> None:
        self.it_mw = it_mw_of(site, lots)
        self.ratio = import_per_it(site)
        self.milestones = milestones
        self.stations = {
            lot.name: lot.power_mw for lot in lots if any(link.giver == GRID for link in lot.links)
        }
        grid_mw = max(milestones.values())
        if self.stations:
            grid_mw = min(grid_mw, sum(self.stations.values()))
        self.final_mw = min(sum(self.it_mw.values()), grid_mw / self.ratio)

    @property
    def last_milestone(self) -> str:
        """The grid milestone of the least limit that lets all run that ever will."""
        enough = [
            name for name, mw in self.milestones.items() if mw >= self.final_mw * self.ratio * (1.0 - _ENOUGH)
        ]
        return min(enough, key=lambda name: self.milestones[name])

    def import_mw(self, finish: Finishes, time: FloatArray | float) -> FloatArray:
        """What may be imported in each draw [MW]: the best milestone so far, within the substations so far."""
        grid = np.zeros(_draws(finish))
        for name, limit in self.milestones.items():
            grid = np.where(finish[name] <= time, np.maximum(grid, limit), grid)
        return np.minimum(grid, _done(finish, self.stations, time)) if self.stations else grid

    def commissioned_mw(self, finish: Finishes, time: FloatArray | float) -> FloatArray:
        """IT power of lots that have passed their last test, in each draw [MW]."""
        return _done(finish, self.it_mw, time)

    def online_mw(self, finish: Finishes, time: FloatArray | float) -> FloatArray:
        """IT power that is commissioned and that the connection carries, in each draw [MW]."""
        return self.carried_mw(self.commissioned_mw(finish, time), self.import_mw(finish, time))

    def carried_mw(self, commissioned_mw: FloatArray, import_mw: FloatArray) -> FloatArray:
        """What of commissioned IT power an import limit carries at nameplate [MW]."""
        return np.minimum(commissioned_mw, import_mw / self.ratio)

    def steps(self, finish: Finishes) -> tuple[FloatArray, FloatArray]:
        """Times at which power may rise, in order, and IT power online from each on, (n_draw, n_event) [days, MW]."""
        names = (*self.it_mw, *self.stations, *self.milestones)
        times = np.sort(np.column_stack([finish[name] for name in names]).astype(np.float64), axis=1)
        levels = [self.online_mw(finish, times[:, place]) for place in range(times.shape[1])]
        return times, np.column_stack(levels)

    def reached(self, finish: Finishes, level_mw: float) -> FloatArray:
        """When IT power online reaches a level in each draw [days]; infinite where it never does.

        Power never falls, and rises when a lot or a milestone is done: the first of those times that suffices.
        """
        found = np.full(_draws(finish), np.inf)
        for name in (*self.it_mw, *self.stations, *self.milestones):
            time = finish[name].astype(np.float64)
            enough = self.online_mw(finish, time) >= level_mw * (1.0 - _ENOUGH)
            found = np.where(enough, np.minimum(found, time), found)
        return found


def _draws(finish: Finishes) -> int:
    return next(iter(finish.values())).size


def _done(finish: Finishes, mw: Mapping[str, float], time: FloatArray | float) -> FloatArray:
    total = np.zeros(_draws(finish))
    for name, each in mw.items():
        total += np.where(finish[name] <= time, each, 0.0)
    return total


def online_curve(power: Power, finish: Finishes, days: NDArray[np.int64]) -> Curve:
    """Power over time.

    Parameters
    ----------
    finish : name to (n_draw,)
        When each lot and each grid milestone is done [days].
    days : (n_day,)
        Days to look at.
    """
    rows: list[list[FloatArray]] = [[], [], []]
    mean: list[float] = []
    for day in days.tolist():
        done_mw, limit_mw = power.commissioned_mw(finish, day), power.import_mw(finish, day)
        online_mw = power.carried_mw(done_mw, limit_mw)
        for row, values in zip(rows, (done_mw, online_mw, limit_mw), strict=True):
            row.append(np.quantile(values, LEVELS, method="inverted_cdf"))
        mean.append(float(online_mw.mean()))
    done, online, limit = (np.array(row).T for row in rows)
    return Curve(days, done, online, limit, np.array(mean))
