"""Who caused what: site energy, cost, carbon and water shared among the workloads, step by step.

In each row of the books the network's energy is shared by server energy, everything between the rack
inlet and the meter by the IT energy that results, and where nothing runs by the pods' rating (equally
where a rating is unknown). Cost, carbon, water and on-site renewables follow the same share; a demand
charge is shared in the interval that set it. Pods of a service belong to it when idle, too; pods
without a workload (and measured power that is replayed) are `unallocated`. So services + jobs +
unallocated = site, for every quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from aidc.measure.boundaries import renewable_w, site_power_w
from aidc.measure.carbon import AVERAGE, MARGINAL, carbon_kg, carbon_known
from aidc.measure.cost import Bill
from aidc.measure.frames import Frames
from aidc.measure.water import water_kg

__all__ = ["QUANTITIES", "TOKENS", "Allocation", "Part", "allocate"]

TOKENS = (
    "tokens_arrived",
    "tokens_output",
    "tokens_useful",
    "tokens_dropped",
    "tokens_queued",
    "tokens_input",
    "requests",
    "training_tokens",
)
QUANTITIES = (
    "accelerator_j",
    "server_j",
    "it_j",
    "site_j",
    "renewable_j",
    "energy_usd",
    "demand_usd",
    "fixed_usd",
    "fuel_usd",
    "prorated_usd",
    "carbon_kg",
    "carbon_marginal_kg",
    "water_kg",
    *TOKENS,
)
_SHARED = (
    "renewable_j",
    "energy_usd",
    "demand_usd",
    "fixed_usd",
    "fuel_usd",
    "prorated_usd",
    "carbon_kg",
    "carbon_marginal_kg",
    "water_kg",
)

Part = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Each pod's part of the site's `QUANTITIES` over the window."""

    pods: Mapping[str, Part]

    def of(self, pods: Iterable[str]) -> dict[str, float]:
        """The sum over some pods; pods that the record lacks count as nothing."""
        found = [self.pods[name] for name in pods if name in self.pods]
        return {key: sum(part[key] for part in found) for key in QUANTITIES}

    def site(self) -> dict[str, float]:
        return self.of(self.pods)


def allocate(frames: Frames, bill: Bill) -> Allocation:
    """Share the site among its pods."""
    if "pod" not in frames.pods_columns:
        return Allocation({})
    names = sorted(
        {name for part in frames.pods.select({"pod": pl.col("pod")}) for name in part["pod"].unique()}
    )
    steps = _Steps(frames, bill)
    rated = _weights(names, frames.facts.rated_w)
    weights = pl.DataFrame({"pod": names, "place": range(len(names)), "weight": rated})
    found = np.zeros((len(QUANTITIES), len(names)))
    kept = ("accelerator_w", "server_w", *TOKENS)
    pods = {"time": pl.col("time"), "pod": pl.col("pod"), **{name: frames.pod_flow(name) for name in kept}}
    pods["tokens_queued"] = frames.pod_flow("queue_tokens") * (pl.col("time") == frames.last_time)
    for part in frames.pods.select(pods):
        near = steps.around(part["time"])
        rows = part.join(near, on="time", how="left", maintain_order="left")
        shared = _shared(rows.join(weights, on="pod", how="left", maintain_order="left"))
        place = shared["place"].to_numpy()
        for row, key in enumerate(QUANTITIES):
            found[row] += np.bincount(place, shared[key].fill_null(0.0).to_numpy(), len(names))
    columns = found.T.tolist()
    return Allocation(
        {
            name: dict(zip(QUANTITIES, column, strict=True))
            for name, column in zip(names, columns, strict=True)
        }
    )


def _shared(rows: pl.DataFrame) -> pl.DataFrame:
    """`QUANTITIES` of each row, from the rows of pods beside what their steps have to share."""
    network = _share("server_w", "site_server_w") * pl.col("site_network_w")
    site = pl.col("it_w") + pl.col("share") * pl.col("overhead_w")
    dt_s = pl.col("dt_s")
    return (
        rows.with_columns((pl.col("server_w") + network).alias("it_w"))
        .with_columns(_share("it_w", "site_it_w").alias("share"))
        .with_columns(
            *((pl.col(f"{name}_w") * dt_s).alias(f"{name}_j") for name in ("accelerator", "server", "it")),
            (site * dt_s).alias("site_j"),
            *(pl.col(name) * pl.col("share") for name in _SHARED),
        )
    )


def _share(part: str, whole: str) -> pl.Expr:
    """A pod's share of a flow in a step; by rating where nothing flows."""
    return pl.when(pl.col(whole) > 0.0).then(pl.col(part) / pl.col(whole)).otherwise(pl.col("weight"))


def _weights(names: list[str], rated_w: Mapping[str, float]) -> list[float]:
    rated = [rated_w.get(name, 0.0) for name in names]
    known = bool(rated) and min(rated) > 0
    return [value / sum(rated) for value in rated] if known else [1 / len(names)] * len(names)


class _Steps:
    """What is to be shared in each row of the books, read as slices of the record's pods come by.

    Both tables are in order of time, so that only the slices that a part of the pods can meet are held: joining
    the whole year to each part would be slow, and holding it would take as much memory as the run itself.
    """

    def __init__(self, frames: Frames, bill: Bill) -> None:
        self._slices = frames.in_time(_to_share(frames))
        self._bill = bill.steps.drop("time")  # in order of time, too
        self._read = 0
        self._held: list[pl.DataFrame] = []

    def around(self, time: pl.Series) -> pl.DataFrame:
        """The steps from the first to the last of some times, which never go back behind those before."""
        first, last = time.min(), time.max()
        while not self._held or self._held[-1]["time"][-1] < last:
            part = next(self._slices, None)
            if part is None:
                break
            charges = self._bill[self._read : self._read + part.height]
            self._read += part.height
            if part.height:
                self._held.append(part.hstack(charges.get_columns()))
        self._held = [part for part in self._held if part["time"][-1] >= first]
        near = pl.concat(self._held)
        return near.filter(pl.col("time").is_between(first, last))


def _to_share(frames: Frames) -> dict[str, pl.Expr]:
    marginal = carbon_kg(frames, MARGINAL) if carbon_known(frames, MARGINAL) else pl.lit(0.0)
    average = carbon_kg(frames) if carbon_known(frames, AVERAGE) else pl.lit(0.0)
    it_w, server_w = frames.flow("it_w"), frames.flow("server_w")
    return {
        "time": pl.col("time"),
        "dt_s": frames.dt_s,
        "site_server_w": server_w,
        "site_it_w": it_w,
        "site_network_w": it_w - server_w,
        "overhead_w": site_power_w(frames) - it_w,
        "renewable_j": renewable_w(frames) * frames.dt_s,
        "carbon_kg": average,
        "carbon_marginal_kg": marginal,
        "water_kg": water_kg(frames),
    }
