"""A twin of a measured cluster whose jobs are known by their cap sweeps alone: one pod for each job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aidc.schema.site import Site
from aidc.site import site_of
from aidc.validation.cluster_files import SweepRow

__all__ = ["LEAD_S", "ClusterJob", "cluster_site"]

SERVER: Final = 8  # accelerators of a server, in whose multiples jobs grow and shrink
TDP_W: Final = 400.0  # of the accelerators that were measured
LEAD_S: Final = 1800.0
"""A checkpoint period before the record, in which the jobs begin one after the other: not all save at once."""
_UNHELD_W: Final = 1e-3  # a record of jobs does not hold accelerators that no job has
_BATCH: Final = "infer"  # batch inference holds no state that a stop would have to save
_BATCH_START_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ClusterJob:
    """A job of the cluster: its sweep, and the most accelerators that it ever holds."""

    name: str
    sweep: SweepRow
    accelerators: int
    tier: int = 2


def cluster_site(
    jobs: Sequence[ClusterJob],
    start_s: float,
    duration_s: float,
    *,
    events: Sequence[Mapping[str, Any]] = (),
    control: Mapping[str, Any] | None = None,
) -> Site:
    """The cluster as a site of `hgx-a100` servers under constant weather.

    Parameters
    ----------
    jobs
        What runs; job and pod bear the name `job-N` in this order.
    start_s, duration_s
        First instant of the record [s since 1970] and its length [s]; the run begins `LEAD_S` before it.
    events, control
        As in a site file.

    The width that a job may have and the phases of a change are the defaults of `[jobs.NAME.width]`; batch inference
    has no state to save and starts within a minute.
    """
    rack = {
        "use": "hgx-a100",
        "accelerators": SERVER,
        "servers": 1,
        "rated_power_kw": 6.5,
        "accelerator_idle_w": _UNHELD_W,
        "leakage_per_k": 0.0,  # the sweep has it inside
        "chain": "ac",
        "cooling": "hall",
    }
    begin = datetime.fromtimestamp(start_s - LEAD_S, UTC)
    return site_of(
        {
            "schema": 1,
            "site": {"name": "cluster", "location": {"latitude_deg": 33.4, "longitude_deg": -112.0}},
            "grid": {"import_limit_mw": 1.0},
            "chains": {"ac": {"use": "415vac-double-conversion", "redundancy": "N+1"}},
            "cooling": {"hall": {"use": "chiller-economiser", "supply_temp_c": 20}},
            "pods": {
                f"job-{number}": {**rack, "racks": -(-job.accelerators // SERVER)}
                for number, job in enumerate(jobs)
            },
            "jobs": {
                f"job-{number}": _job(number, job, begin + timedelta(seconds=LEAD_S * number / len(jobs)))
                for number, job in enumerate(jobs)
            },
            "scenario": {
                "start": begin.isoformat(),
                "days": (LEAD_S + duration_s) / 86_400,
                "step_s": 1,
                "output_step_s": 60,
                "weather": {"use": "constant", "dry_bulb_c": 25},
                "events": list(events),
            },
            "control": dict(control or {}),
        },
        Path("cluster.toml"),
    )


def _job(number: int, job: ClusterJob, begin: datetime) -> dict[str, Any]:
    shape = job.sweep.shape
    made: dict[str, Any] = {
        "pods": [f"job-{number}"],
        "start": begin.isoformat(),
        "sweep": shape.model_dump(mode="json"),
        "tokens_per_s": float(
            job.accelerators
        ),  # one for each accelerator at full speed: only shares are read
        "flex_tier": job.tier,
        "width": {"min": 0, "step": SERVER},
    }
    if job.name.startswith(_BATCH):
        made["checkpoint"] = {"duration_s": 0.0}
        made["width"] |= {"restart_s": 0.0, "loading_s": _BATCH_START_S}
    return made
