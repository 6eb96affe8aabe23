"""What measures need to know of a run beside its columns: the keys of `Run.meta`, and how they are read.

The `…Meta` shapes are what a run is expected to carry; every key may be absent, and a measure that
needs an absent one is left out or says None. Nothing here looks at the site's own tables.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypedDict

from aidc.errors import InputError, Problem

__all__ = [
    "UNALLOCATED",
    "Facts",
    "GensetMeta",
    "JobMeta",
    "PerformanceMeta",
    "PodMeta",
    "RunMeta",
    "StorageFacts",
    "StorageMeta",
    "Workload",
    "WorkloadMeta",
    "facts_of",
    "mapping",
]

UNALLOCATED = "unallocated"


class SloMeta(TypedDict, total=False):
    """What a request is promised."""

    ttft_p99_s: float
    itl_p99_s: float


class WorkloadMeta(TypedDict, total=False):
    """A service, a job or a replay, and the conditions under which its figures hold."""

    kind: Literal["service", "job", "replay"]
    pods: list[str]
    model: str
    precision: str
    engine: str
    accelerator: str
    flex_tier: int
    slo: SloMeta  # services
    replicas: dict[str, int]  # services, by pod
    batch_limit: dict[str, float]
    capacity_tokens_per_s: dict[str, float]  # within the service level, by pod


class JobMeta(TypedDict, total=False):
    """What the schedule of a job says; `finished` None where it has no end inside the window."""

    finished: bool | None
    target_tokens: float | None
    lost_s: float
    deferral: dict[str, Any]  # of a job with a deadline, see simulate/deferral


class PodMeta(TypedDict, total=False):
    """`rated_w` is the IT rating: the key by which overhead is shared where no IT energy flows."""

    rated_w: float
    rack: str
    racks: int
    accelerator: str
    accelerators: int
    workload: str | None
    chain: str
    cooling: str
    case_limit_c: float


class StorageMeta(TypedDict, total=False):
    """A storage that has `storage.NAME.*` columns."""

    capacity_j: float
    power_w: float
    temp_k: float
    first_soc_frac: float
    ageing: list[str]  # models that hold for its cells; none: no figures of ageing


class GensetMeta(TypedDict, total=False):
    """An entry of gensets that has `genset.NAME.*` columns; `fuel_j` None for a tank without end."""

    power_w: float
    units: int
    fuel: str
    fuel_j: float | None
    fuel_price_usd_per_mwh: float
    fuel_carbon_kg_per_mwh: float


class PerformanceMeta(TypedDict, total=False):
    """How fast the run was made."""

    wall_s: float
    steps_per_s: float
    peak_rss_mb: float


class RunMeta(TypedDict, total=False):
    """The keys of `Run.meta` that measures read. Times are ISO 8601 in UTC."""

    name: str
    version: str
    start: str
    end: str
    step_s: float
    steps: int
    output_step_s: float
    books_step_s: float  # of the rows that measures read
    storage_use: dict[str, Any]  # by storage: cycles and ageing, counted step by step
    timezone: str
    workloads: dict[str, WorkloadMeta]
    jobs: dict[str, JobMeta]
    pods: dict[str, PodMeta]
    storage: dict[str, StorageMeta]
    tariff: dict[str, Any]  # the fields of `aidc.schema.market.Tariff`
    import_limit_w: float
    gensets: dict[str, GensetMeta]
    genset_kg_per_mwh: float  # of their output: records from before fuel was counted
    stored_first_j: float  # electric storage, all together, before the first and after the last step
    stored_last_j: float
    thermal_first_j: float  # heat in loops, halls and tanks
    thermal_last_j: float
    queue_first_tokens: float
    has_prices: bool  # False: the price columns are placeholders
    has_carbon: bool
    performance: PerformanceMeta


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload as measures see it."""

    name: str
    kind: str
    pods: tuple[str, ...]
    model: str = ""
    precision: str = ""
    engine: str = ""
    accelerator: str = ""
    ttft_p99_s: float | None = None
    itl_p99_s: float | None = None

    @property
    def conditions(self) -> dict[str, Any]:
        """What a figure of this workload holds for; the window is added by the summary."""
        return {
            "model": self.model,
            "precision": self.precision,
            "engine": self.engine,
            "accelerator": self.accelerator,
            "slo": {"ttft_p99_s": self.ttft_p99_s, "itl_p99_s": self.itl_p99_s},
        }


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """Capacity of the cells [J], AC rating [W], cell temperature [K], charge before the first step, ageing models."""

    name: str
    capacity_j: float
    power_w: float | None
    temp_k: float
    first_soc_frac: float | None
    ageing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """`Run.meta`, read once."""

    start: datetime
    end: datetime
    step_s: float
    steps: int
    output_step_s: float
    books_step_s: float
    timezone: str
    workloads: tuple[Workload, ...]
    rated_w: Mapping[str, float]
    storage: tuple[StorageFacts, ...]
    raw: Mapping[str, Any]

    @property
    def duration_s(self) -> float:
        return (self.end - self.start).total_seconds()

    def of_kind(self, kind: str) -> list[Workload]:
        return [load for load in self.workloads if load.kind == kind]

    def number(self, key: str) -> float | None:
        """A number of the meta data, or None where it is absent."""
        return number(self.raw.get(key))


def facts_of(meta: Mapping[str, Any]) -> Facts:
    """Read the meta data of a run; `end` follows from `start`, `step_s` and `steps` where it is absent.

    Raises
    ------
    InputError
        The window is missing or none: the folder of the run is damaged.
    """
    start = moment(meta.get("start"))
    step_s = number(meta.get("step_s")) or 1.0
    told = meta.get("end")
    steps = int(number(meta.get("steps")) or 0)
    try:
        end = moment(told) if told is not None else start + timedelta(seconds=steps * step_s)
    except OverflowError as error:
        what = "the run's window leaves the calendar"
        raise InputError(Problem(what, "Run the site again.", "run.json", value=steps)) from error
    pods = mapping(meta.get("pods"))
    return Facts(
        start=start,
        end=end,
        step_s=step_s,
        steps=steps or round((end - start).total_seconds() / step_s),
        output_step_s=number(meta.get("output_step_s")) or 60.0,
        books_step_s=number(meta.get("books_step_s")) or number(meta.get("output_step_s")) or 60.0,
        timezone=str(meta.get("timezone") or "UTC"),
        workloads=tuple(_workload(name, mapping(told)) for name, told in _named(meta.get("workloads"))),
        rated_w={
            name: rated for name, told in pods.items() if (rated := number(mapping(told).get("rated_w")))
        },
        storage=tuple(
            found
            for name, told in mapping(meta.get("storage")).items()
            if (found := _storage(str(name), mapping(told)))
        ),
        raw=meta,
    )


def moment(value: Any) -> datetime:
    """An ISO text or a datetime as an instant in UTC.

    Raises
    ------
    InputError
        It is neither.
    """
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        what = "a time of the run's window is none"
        raise InputError(Problem(what, "Run the site again.", "run.json", value=value)) from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping, else nothing."""
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> float | None:
    """The value where it is a finite number (a truth value is none)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # a whole number beyond any float
        return None
    return found if math.isfinite(found) else None


def _named(told: Any) -> list[tuple[str, Any]]:
    """Tables by name, or a list of tables with a `name` each."""
    if isinstance(told, Mapping):
        return [(str(name), value) for name, value in told.items()]
    listed = told if isinstance(told, list | tuple) else ()
    return [(str(item["name"]), item) for item in listed if isinstance(item, Mapping) and "name" in item]


def _workload(name: str, told: Mapping[str, Any]) -> Workload:
    slo = mapping(told.get("slo"))
    itl_ms = number(slo.get("itl_p99_ms"))
    return Workload(
        name=name,
        kind=str(told.get("kind") or "service"),
        pods=tuple(str(pod) for pod in pods) if isinstance(pods := told.get("pods"), list | tuple) else (),
        model=str(told.get("model") or ""),
        precision=str(told.get("precision") or ""),
        engine=str(told.get("engine") or ""),
        accelerator=str(told.get("accelerator") or ""),
        ttft_p99_s=number(slo.get("ttft_p99_s")),
        itl_p99_s=itl_ms / 1e3 if itl_ms is not None else number(slo.get("itl_p99_s")),
    )


def _storage(name: str, told: Mapping[str, Any]) -> StorageFacts | None:
    capacity_j = number(told.get("capacity_j"))
    if not capacity_j:
        return None
    temp_k = number(told.get("temp_k")) or 298.15
    first_soc_frac, models = number(told.get("first_soc_frac")), told.get("ageing") or ()
    ageing = tuple(str(model) for model in models)
    return StorageFacts(name, capacity_j, number(told.get("power_w")), temp_k, first_soc_frac, ageing)
