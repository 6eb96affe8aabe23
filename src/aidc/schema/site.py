"""A site: what is built, what runs on it, what happens to it, and who decides.

These are the shapes after every `use` has been resolved, so a site carries its equipment with it and
nothing downstream opens the catalogue. `aidc.site.load` makes them from a TOML file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AwareDatetime, Field, field_validator

from aidc.schema.accelerator import Accelerator
from aidc.schema.base import Name, NonNegative, Positive, Shape
from aidc.schema.built import PodBuilt
from aidc.schema.chain import Chain
from aidc.schema.cooling import ColdPlate, CoolingPlant
from aidc.schema.demand import DemandSpec
from aidc.schema.device import Devices
from aidc.schema.event import GridEvent
from aidc.schema.front_end import PowerSmoothing
from aidc.schema.grid_service import GridService
from aidc.schema.job import JobShape
from aidc.schema.llm import Llm
from aidc.schema.market import CarbonSpec, PriceSpec, Tariff
from aidc.schema.rack import Rack
from aidc.schema.renewables import Genset, Renewable
from aidc.schema.storage import Storage
from aidc.schema.weather import WeatherSpec

__all__ = [
    "Assumption",
    "Control",
    "GeneratorMode",
    "Grid",
    "Job",
    "Location",
    "MainTransformer",
    "Pod",
    "Replay",
    "Scenario",
    "Service",
    "ServiceLevel",
    "Site",
    "SiteFacts",
    "UsedEntry",
]

FlexTier = Literal[0, 1, 2, 3]
_GridMw = Annotated[float, Field(ge=0, le=100_000)]  # the largest grids carry a few times this


class Location(Shape):
    """Where the site stands; the time zone is that of its tariff and of its users' days."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    timezone: str = "UTC"
    elevation_m: Annotated[float, Field(ge=-430, le=5000)] = 0.0

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in known_zones():
            raise ValueError("is not a known time zone. Use an IANA name such as America/New_York")
        return zone


@cache
def known_zones() -> frozenset[str]:
    """IANA names that every library here knows.

    `localtime`, `Factory` and `posix/…` are files of the C library alone: columns cannot be moved into them.
    """
    return frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}


class SiteFacts(Shape):
    """Name and place, and what the buildings draw beside IT and cooling (light, security, offices)."""

    name: Name
    location: Location
    auxiliary_mw: _GridMw = 0.0
    auxiliary_frac: Annotated[float, Field(ge=0, le=0.2)] = 0.005


class MainTransformer(Shape):
    """The transformer at the point of interconnection: losses per unit of its rating.

    Defaults: 0.04 % no-load and 0.30 % load loss and 12 % reactance at rating, usual for 100 MVA class units
    (engineering knowledge without a checked source). `winding` is its group, grid side first.
    Without `rating_mva` it is rated at the import limit; a site that may import nothing has one for a quarter more
    than its pods' rated power. `built_mva` holds what was found.
    """

    rating_mva: Annotated[float, Field(gt=0, le=100_000)] | None = None
    built_mva: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    no_load_frac: Annotated[float, Field(ge=0, le=0.05)] = 0.0004
    load_frac: Annotated[float, Field(ge=0, le=0.05)] = 0.003
    reactance_frac: Annotated[float, Field(ge=0, le=0.5)] = 0.12
    winding: Literal["Dy", "Yd", "Yy", "Dd"] = "Dy"


class GeneratorMode(Shape):
    """A torsional or inter-area mode of a named generator that the site must not excite."""

    name: Name
    frequency_hz: Annotated[float, Field(gt=0, lt=200)]


class Grid(Shape):
    """The grid connection. What follows the export limit is used by the transient engine alone.

    `short_circuit_mva` is the normal level; `short_circuit_max_mva`, `short_circuit_min_mva` and
    `short_circuit_n1_mva` (largest infeed out) are judged too where they are given. `code` names the rule
    set that the site must meet. `system_mva` is the rating that flicker limits are shared over,
    `demand_mw` the demand current that distortion limits refer to (default: the import limit). `service` is a
    frequency response that the site offers.
    """

    import_limit_mw: _GridMw
    export_limit_mw: _GridMw = 0.0
    voltage_kv: Positive = 138.0
    frequency_hz: Literal[50, 60] = 60
    short_circuit_mva: Positive | None = None
    short_circuit_max_mva: Positive | None = None
    short_circuit_min_mva: Positive | None = None
    short_circuit_n1_mva: Positive | None = None
    x_over_r: Positive = 10.0
    transformer: MainTransformer = MainTransformer()
    code: Name | None = None
    system_mva: Positive | None = None
    demand_mw: Positive | None = None
    modes: tuple[GeneratorMode, ...] = ()
    service: GridService | None = None


class Pod(Shape):
    """Racks of one kind on one lineup of a chain and one cooling plant, with one workload.

    `air_cooling` is the plant whose air handlers take the heat that does not go into cold plates
    (default: the pod's own). Lower `priority` numbers are shed last. `power_cap_frac` limits the accelerators permanently.

    After a thermal trip a pod is off for `restart_s`. A pod that was shed comes back `restart_s` and `return_s`
    later at the earliest, once the sources have room for what it last wanted, and `return_margin_frac` more.
    """

    rack: Rack
    rack_name: str = ""
    accelerator: Accelerator
    accelerator_name: str = ""
    cold_plate_curve: ColdPlate | None = None
    racks: Annotated[int, Field(ge=1, le=1_000_000)]
    chain: Name
    cooling: Name
    air_cooling: Name | None = None
    priority: Annotated[int, Field(ge=0, le=1000)] = 1
    power_cap_frac: Annotated[float, Field(gt=0, le=1)] = 1.0
    restart_s: NonNegative = 300.0
    return_s: NonNegative = 60.0
    return_margin_frac: Annotated[float, Field(ge=0, le=1)] = 0.05
    ramp_up_mw_per_s: Positive | None = None
    power_smoothing: PowerSmoothing | None = None
    built: PodBuilt | None = None

    @property
    def air_plant(self) -> str:
        """The plant that takes the air share."""
        return self.air_cooling or self.cooling

    @property
    def accelerators(self) -> int:
        return self.racks * self.rack.accelerators


class ServiceLevel(Shape):
    """What a request is promised; a request that misses either is delivered but not useful."""

    ttft_p99_s: Positive = 2.0
    itl_p99_ms: Positive = 100.0


class Service(Shape):
    """A model served to users from one or more pods."""

    model: Llm
    model_name: str = ""
    pods: Annotated[tuple[Name, ...], Field(min_length=1)]
    precision: Literal["bf16", "fp8", "fp4"] | None = None
    accelerators_per_replica: Annotated[int, Field(ge=1, le=4096)] | None = None
    batch_limit: Annotated[int, Field(ge=1, le=100_000)] = 256
    queue_limit_s: Positive = 60.0
    flex_tier: FlexTier = 0
    slo: ServiceLevel = ServiceLevel()
    demand: DemandSpec


class Job(JobShape):
    """A training job with the model that `use` names."""

    model: Llm


class Replay(Shape):
    """Measured power of pods, replayed at the rack inlet's accelerator side: no tokens are counted."""

    pods: Annotated[tuple[Name, ...], Field(min_length=1)]
    demand: DemandSpec


class Control(Shape):
    """Who decides: a shipped controller, or your own as `file.py:Class` or `package.module:Class`."""

    use: str = "none"
    period_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    options: Mapping[str, Any] = {}


class Scenario(Shape):
    """What happens: window, step, weather, prices, carbon, and announced grid events."""

    start: AwareDatetime
    days: Annotated[float, Field(gt=0, le=3660)] = 7.0
    step_s: Annotated[float, Field(ge=0.001, le=3600)] = 1.0
    output_step_s: Annotated[float, Field(ge=0.001, le=86_400)] = 60.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    weather: WeatherSpec
    tariff: Tariff | None = None
    prices: PriceSpec | None = None
    carbon: CarbonSpec | None = None
    events: tuple[GridEvent, ...] = ()

    @field_validator("start")
    @classmethod
    def _plausible_year(cls, start: datetime) -> datetime:
        if not 1950 <= start.year <= 2150:
            raise ValueError("lies outside 1950 to 2150. Check the year")
        return start


class Assumption(Shape):
    """A catalogue figure that this site rests on, with its source and confidence mark.

    `borrowed` says of a figure that belongs to another device whose it is; it then bears the mark "borrowed", whatever
    its own entry says of it.
    """

    where: str
    entry: str
    key: str
    value: Any
    source: str
    url: str | None = None
    confidence: str
    overridden: bool = False
    borrowed: str = ""


class UsedEntry(Shape):
    """A catalogue entry that this site rests on: `own` tells one of the user's from a shipped one."""

    where: str
    kind: Name
    name: Name
    own: bool
    values: Mapping[str, Any]
    raw: bytes


class Site(Shape):
    """The whole of it. Names are the table names of the TOML file.

    The last fields stand in no file: `devices` is what the catalogue has for the accelerator of each pod, `defaults` is what the site got that its file does not name, `written` the site
    without the settings laid over it (None where they are the same), `changed` the keys that those set, `resized`
    what was sized anew because of them.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    site: SiteFacts
    grid: Grid
    chains: Annotated[Mapping[Name, Chain], Field(min_length=1)]
    cooling: Annotated[Mapping[Name, CoolingPlant], Field(min_length=1)]
    pods: Annotated[Mapping[Name, Pod], Field(min_length=1, max_length=500)]
    storage: Mapping[Name, Storage] = {}
    renewables: Mapping[Name, Renewable] = {}
    gensets: Mapping[Name, Genset] = {}
    services: Mapping[Name, Service] = {}
    jobs: Mapping[Name, Job] = {}
    replays: Mapping[Name, Replay] = {}
    scenario: Scenario
    control: Control = Control()
    folder: Annotated[Path, Field(exclude=True)] = Path()
    file: Annotated[Path | None, Field(exclude=True)] = None
    assumptions: Annotated[tuple[Assumption, ...], Field(exclude=True)] = ()
    entries: Annotated[tuple[UsedEntry, ...], Field(exclude=True)] = ()
    devices: Annotated[Mapping[str, Devices], Field(exclude=True)] = {}
    defaults: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    resized: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    changed: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    written: Annotated[Site | None, Field(exclude=True)] = None
