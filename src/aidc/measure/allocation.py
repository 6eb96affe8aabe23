"""Who caused what: site energy, cost, carbon and water shared among the workloads, step by step.

In each output step the network's energy is shared by server energy, everything between the rack
inlet and the meter by the IT energy that results, and where nothing runs by the pods' rating (equally
where a rating is unknown). Cost, carbon, water and on-site renewables follow the same share; a demand
charge is shared in the interval that set it. Pods of a service belong to it when idle, too; pods
without a workload (and measured power that is replayed) are `unallocated`. So services + jobs +
unallocated = site, for every quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from aidc.measure.boundaries import renewable_w, site_power_w
from aidc.measure.carbon import AVERAGE, MARGINAL, carbon_kg, carbon_known
from aidc.measure.cost import Bill
from aidc.measure.frames import Frames, collect
from aidc.measure.water import water_kg

__all__ = ["QUANTITIES", "TOKENS", "Allocation", "Part", "allocate"]

TOKENS = (
    "tokens_arrived",
    "tokens_output",
    "tokens_useful",
    "tokens_dropped",
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
    names = collect(frames.pods.select(pl.col("pod").cast(pl.String).unique().sort())).to_series().to_list()
    weights = pl.DataFrame({"pod": names, "weight": _weights(names, frames.facts.rated_w)})
    shared = (
        frames.pods.select(
            "time",
            pl.col("pod").cast(pl.String),
            *(frames.pod_flow(name).alias(name) for name in ("accelerator_w", "server_w", *TOKENS)),
        )
        .join(_steps(frames, bill).lazy(), on="time", how="left")
        .join(weights.lazy(), on="pod", how="left")
        .with_columns(
            (pl.col("server_w") + _share("server_w", "site_server_w") * pl.col("site_network_w")).alias(
                "it_w"
            )
        )
        .with_columns(_share("it_w", "site_it_w").alias("share"))
        .group_by("pod")
        .agg(
            (pl.col("accelerator_w") * pl.col("dt_s")).sum().alias("accelerator_j"),
            (pl.col("server_w") * pl.col("dt_s")).sum().alias("server_j"),
            (pl.col("it_w") * pl.col("dt_s")).sum().alias("it_j"),
            ((pl.col("it_w") + pl.col("share") * pl.col("overhead_w")) * pl.col("dt_s"))
            .sum()
            .alias("site_j"),
            *((pl.col(name) * pl.col("share")).sum().alias(name) for name in _SHARED),
            *(pl.col(name).sum() for name in TOKENS),
        )
        .sort("pod")
    )
    rows = collect(shared).to_dicts()
    return Allocation({row["pod"]: {key: float(row[key] or 0.0) for key in QUANTITIES} for row in rows})


def _share(part: str, whole: str) -> pl.Expr:
    """A pod's share of a flow in a step; by rating where nothing flows."""
    return pl.when(pl.col(whole) > 0.0).then(pl.col(part) / pl.col(whole)).otherwise(pl.col("weight"))


def _weights(names: list[str], rated_w: Mapping[str, float]) -> list[float]:
    rated = [rated_w.get(name, 0.0) for name in names]
    known = bool(rated) and min(rated) > 0
    return [value / sum(rated) for value in rated] if known else [1 / len(names)] * len(names)


def _steps(frames: Frames, bill: Bill) -> pl.DataFrame:
    """What is to be shared in each output step."""
    marginal = carbon_kg(frames, MARGINAL) if carbon_known(frames, MARGINAL) else pl.lit(0.0)
    average = carbon_kg(frames) if carbon_known(frames, AVERAGE) else pl.lit(0.0)
    steps = collect(
        frames.series.select(
            "time",
            frames.dt_s.alias("dt_s"),
            frames.flow("server_w").alias("site_server_w"),
            frames.flow("it_w").alias("site_it_w"),
            (frames.flow("it_w") - frames.flow("server_w")).alias("site_network_w"),
            (site_power_w(frames) - frames.flow("it_w")).alias("overhead_w"),
            (renewable_w(frames) * frames.dt_s).alias("renewable_j"),
            average.alias("carbon_kg"),
            marginal.alias("carbon_marginal_kg"),
            water_kg(frames).alias("water_kg"),
        )
    )
    return steps.join(bill.steps, on="time", how="left")
