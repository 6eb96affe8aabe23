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
from aidc.schema.flexibility import Flexible
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

_GridMw = Annotated[float, Field(ge=0, le=100_000)]  # the largest grids carry a few times this


class Location(Shape):
    """Where the site stands; the time zone is that of its tariff and of its users' days."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    """North positive."""
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    """East positive."""
    timezone: str = "UTC"
    """IANA name (America/New_York): the clock of the tariff and of the users' days."""
    elevation_m: Annotated[float, Field(ge=-430, le=5000)] = 0.0
    """Above sea level; thin air derates fans and coils."""

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
    """What the site and the folders of its runs are called."""
    location: Location
    """Where it stands."""
    auxiliary_mw: _GridMw = 0.0
    """Constant draw beside IT and cooling (light, security, offices)."""
    auxiliary_frac: Annotated[float, Field(ge=0, le=0.2)] = 0.005
    """Further such draw, as a share of the power that the lineups take at the moment."""


class MainTransformer(Shape):
    """The transformer at the point of interconnection: losses per unit of its rating.

    Defaults: 0.04 % no-load and 0.30 % load loss and 12 % reactance at rating, usual for 100 MVA class units
    (engineering knowledge without a checked source). `winding` is its group, grid side first.
    Without `rating_mva` it is rated at the import limit; a site that may import nothing has one for a quarter more
    than its pods' rated power. `built_mva` holds what was found.
    """

    rating_mva: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Nameplate. Default: the import limit."""
    built_mva: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    """What sizing has found; written by `aidc equipment --write`."""
    no_load_frac: Annotated[float, Field(ge=0, le=0.05)] = 0.0004
    """Loss at no load over the rating (usual for 100 MVA class units; no checked source)."""
    load_frac: Annotated[float, Field(ge=0, le=0.05)] = 0.003
    """Loss at rated load over the rating, beside the no-load loss (no checked source)."""
    reactance_frac: Annotated[float, Field(ge=0, le=0.5)] = 0.12
    """Short-circuit reactance on its own rating (no checked source)."""
    winding: Literal["Dy", "Yd", "Yy", "Dd"] = "Dy"
    """Vector group, grid side first."""


class GeneratorMode(Shape):
    """A torsional or inter-area mode of a named generator that the site must not excite."""

    name: Name
    """What the mode is called in verdicts."""
    frequency_hz: Annotated[float, Field(gt=0, lt=200)]
    """Natural frequency of the mode."""


class Grid(Shape):
    """The grid connection. What follows the export limit is used by the transient engine alone.

    `short_circuit_mva` is the normal level; `short_circuit_max_mva`, `short_circuit_min_mva` and
    `short_circuit_n1_mva` (largest infeed out) are judged too where they are given. `code` names the rule
    set that the site must meet. `system_mva` is the rating that flicker limits are shared over,
    `demand_mw` the demand current that distortion limits refer to (default: the import limit). `service` is a
    frequency response that the site offers.
    """

    import_limit_mw: _GridMw
    """The most that the connection carries into the site."""
    export_limit_mw: _GridMw = 0.0
    """The most that the connection carries out of the site; 0: no export, the surplus is curtailed."""
    voltage_kv: Positive = 138.0
    """Nominal line-to-line voltage at the point of interconnection."""
    frequency_hz: Literal[50, 60] = 60
    """Nominal frequency of the grid."""
    short_circuit_mva: Positive | None = None
    """Normal short-circuit level, from the network operator; `aidc check` and `aidc transient` need it."""
    short_circuit_max_mva: Positive | None = None
    """Highest short-circuit level; judged too where it is given."""
    short_circuit_min_mva: Positive | None = None
    """Lowest short-circuit level; judged too where it is given."""
    short_circuit_n1_mva: Positive | None = None
    """Short-circuit level with the largest infeed out; judged too where it is given."""
    x_over_r: Positive = 10.0
    """Ratio of reactance to resistance of the source impedance."""
    transformer: MainTransformer = MainTransformer()
    """The transformer at the point of interconnection."""
    code: Name | None = None
    """Rule set that the site must meet (`aidc codes`)."""
    system_mva: Positive | None = None
    """Rating of the system that flicker limits are shared over."""
    demand_mw: Positive | None = None
    """Maximum demand that distortion limits refer to. Default: the import limit."""
    modes: tuple[GeneratorMode, ...] = ()
    """Torsional and inter-area modes of generators nearby that the site must not excite."""
    service: GridService | None = None
    """Frequency response that the site offers."""


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
    """How many racks the pod has."""
    chain: Name
    """Name of the power chain in [chains] that feeds it."""
    cooling: Name
    """Name of the plant in [cooling] that takes its liquid heat (and its air heat, if it can)."""
    air_cooling: Name | None = None
    """Name of the plant whose air handlers take the heat that does not go into cold plates. Default: the
    pod's own plant, else one that can.
    """
    priority: Annotated[int, Field(ge=0, le=1000)] = 1
    """Order of shedding: higher numbers are shed first."""
    power_cap_frac: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Permanent limit of the accelerators over their rated power."""
    restart_s: NonNegative = 300.0
    """Time off after a thermal trip or a loss of supply."""
    return_s: NonNegative = 60.0
    """A shed pod comes back this much later than `restart_s` at the earliest."""
    return_margin_frac: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of what it last wanted that sources must have left before it comes back, beside that itself."""
    ramp_up_mw_per_s: Positive | None = None
    """Fastest rise of the pod's power. Default: no limit."""
    power_smoothing: PowerSmoothing | None = None
    """Power smoothing of the accelerators (firmware)."""
    built: PodBuilt | None = None
    """Sizes that have been worked out once; written by `aidc equipment --write`."""

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
    """Promised time to the first token, 99th percentile."""
    itl_p99_ms: Positive = 100.0
    """Promised time between tokens, 99th percentile."""


class Service(Flexible):
    """A model served to users from one or more pods."""

    model: Llm
    model_name: str = ""
    pods: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names of the pods that serve the model."""
    precision: Literal["bf16", "fp8", "fp4"] | None = None
    """Precision of the weights. Default: the model's own."""
    accelerators_per_replica: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Accelerators of one copy of the model. Default: the smallest power of two that holds the model and a
    quarter of the batch limit.
    """
    batch_limit: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Most sequences at once in one replica."""
    queue_limit_s: Positive = 60.0
    """Requests that would wait longer than this are refused."""
    slo: ServiceLevel = ServiceLevel()
    """What a request is promised."""
    demand: DemandSpec
    """What the users ask for."""


class Job(JobShape):
    """A training job with the model that `use` names; one known by a sweep has none."""

    model: Llm | None = None

    @property
    def trained_model(self) -> Llm:
        """The model of a job that has one."""
        if self.model is None:
            raise ValueError("this job is known by a measured sweep and has no model")
        return self.model


class Replay(Shape):
    """Measured power of pods, replayed at the rack inlet's accelerator side: no tokens are counted."""

    pods: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names of the pods whose power is replayed."""
    demand: DemandSpec
    """The measured power."""


class Control(Shape):
    """Who decides: a shipped controller, or your own as `file.py:Class` or `package.module:Class`."""

    use: str = "none"
    """`none`, a shipped controller, or your own as `file.py:Class` or `package.module:Class`."""
    period_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    """How often the controller decides."""
    options: Mapping[str, Any] = {}
    """Passed to the controller as they are; names that look like secrets are masked in the run folder."""


class Scenario(Shape):
    """What happens: window, step, weather, prices, carbon, and announced grid events."""

    start: AwareDatetime
    """First instant, with its zone (2025-07-07T04:00:00Z)."""
    days: Annotated[float, Field(gt=0, le=3660)] = 7.0
    """Length of the run."""
    step_s: Annotated[float, Field(ge=0.001, le=3600)] = 1.0
    """Step of the energy model."""
    output_step_s: Annotated[float, Field(ge=0.001, le=86_400)] = 60.0
    """Spacing of the recorded series; each row is a mean over it."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Of all that is drawn at random."""
    weather: WeatherSpec
    """Weather at the site."""
    tariff: Tariff | None = None
    """What the energy costs by contract."""
    prices: PriceSpec | None = None
    """Market prices that replace the tariff's energy prices."""
    carbon: CarbonSpec | None = None
    """Emission factors of the grid."""
    events: tuple[GridEvent, ...] = ()
    """Announced and unannounced events."""

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
    """Version of this format."""
    site: SiteFacts
    """Name and place."""
    grid: Grid
    """The connection to the grid."""
    chains: Annotated[Mapping[Name, Chain], Field(min_length=1)]
    """Power chains by name."""
    cooling: Annotated[Mapping[Name, CoolingPlant], Field(min_length=1)]
    """Cooling plants by name."""
    pods: Annotated[Mapping[Name, Pod], Field(min_length=1, max_length=500)]
    """Groups of racks by name."""
    storage: Mapping[Name, Storage] = {}
    """Storages by name."""
    renewables: Mapping[Name, Renewable] = {}
    """Photovoltaics and wind by name."""
    gensets: Mapping[Name, Genset] = {}
    """Generator sets by name."""
    services: Mapping[Name, Service] = {}
    """Models served to users, by name."""
    jobs: Mapping[Name, Job] = {}
    """Training jobs by name."""
    replays: Mapping[Name, Replay] = {}
    """Measured power, replayed, by name."""
    scenario: Scenario
    """What happens, or the name of a file beside the site that says so."""
    control: Control = Control()
    """Who decides."""
    folder: Annotated[Path, Field(exclude=True)] = Path()
    file: Annotated[Path | None, Field(exclude=True)] = None
    assumptions: Annotated[tuple[Assumption, ...], Field(exclude=True)] = ()
    entries: Annotated[tuple[UsedEntry, ...], Field(exclude=True)] = ()
    devices: Annotated[Mapping[str, Devices], Field(exclude=True)] = {}
    defaults: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    resized: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    changed: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    written: Annotated[Site | None, Field(exclude=True)] = None
