"""The files that people write, and what loading makes of them: which table names an entry, which keys it fills in.

`site/load.py` and `design/construction/plan.py` do what is told here; the tests hold every shipped file against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from aidc.schema.accelerator import Accelerator
from aidc.schema.chain import Chain
from aidc.schema.code import Code
from aidc.schema.construction import BuildFile, ModuleUse, ProgressFile
from aidc.schema.cooling import Cdu, ColdPlate, CoolingPlant, Crah, HeatRejection
from aidc.schema.demand import Constant, DemandSpec, Diurnal, PowerReplay, RateSeries, Trace
from aidc.schema.device import RippleShape, TrainingShape
from aidc.schema.disturbance import EventFile
from aidc.schema.front_end import FrontEnd
from aidc.schema.llm import Llm
from aidc.schema.market import CarbonSeries, CarbonSpec, ConstantCarbon, Tariff
from aidc.schema.module import Module
from aidc.schema.powercap import PowerCapShape
from aidc.schema.rack import Rack
from aidc.schema.recording import MarksFile, RecordingFile
from aidc.schema.renewables import Genset, Pv, Renewable, Wind
from aidc.schema.site import Job, Pod, Service, Site
from aidc.schema.storage import Storage
from aidc.schema.weather import ConstantWeather, CsvWeather, EpwWeather, TmyWeather, WeatherSpec

__all__ = ["ENTRIES", "EXTRA", "FILES", "FORMS", "FileKind", "Form"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: what its paths begin with here, its shape, and how it is told to a reader."""

    prefix: str
    shape: type[BaseModel]
    title: str
    told: str


FILES: Final = (
    FileKind("", Site, "Site file", "The site: `aidc run site.toml` and every other command."),
    FileKind(
        "build", BuildFile, "Build file", "How it is built: `build.toml` beside the site, `aidc build`."
    ),
    FileKind("progress", ProgressFile, "Progress file", "What has happened so far: `aidc build --progress`."),
    FileKind(
        "events",
        EventFile,
        "Event file",
        "A window in milliseconds: `aidc transient --event`, `aidc check --event`.",
    ),
    FileKind(
        "recording",
        RecordingFile,
        "Recording's sidecar",
        "A measured file: `aidc check --recording`, `aidc look`.",
    ),
    FileKind("marks", MarksFile, "Marks file", "Disturbances in a record: `aidc check --marks`."),
)

# Every kind of the catalogue that a user's own `catalogue/KIND/NAME.toml` can hold, with its shape.
ENTRIES: Final[Mapping[str, Any]] = {
    "accelerator": Accelerator, "carbon": CarbonSpec, "cdu": Cdu, "chain": Chain, "code": Code,
    "cold-plate": ColdPlate, "crah": Crah, "demand": DemandSpec, "front-end": FrontEnd, "genset": Genset,
    "heat-rejection": HeatRejection, "llm": Llm, "module": Module, "powercap": PowerCapShape, "rack": Rack,
    "renewable": Renewable, "ripple": RippleShape, "storage": Storage, "tariff": Tariff, "training": TrainingShape,
    "weather": WeatherSpec,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What loading does with a table of this shape.

    `kind` is the kind of the entry that `use` names. With `apart` the entry lies in a slot of its own and its figures
    may be written beside `use`; else the table is the entry with the site's keys over it. `hidden` are keys that only
    loading fills in, `named` keys that name an entry of a kind or are a table of it.
    """

    kind: str
    apart: bool = False
    hidden: tuple[str, ...] = ()
    named: Mapping[str, str] | None = None


_FILLED: Final = ("rack", "rack_name", "accelerator", "accelerator_name", "cold_plate_curve")
_PLANT_FILLED: Final = ("rejection", "rejection_name", "cdu_entry", "crah_entry")

FORMS: Final[Mapping[type[BaseModel], Form]] = {
    Pod: Form("rack", apart=True, hidden=_FILLED),
    Service: Form("llm", apart=True, hidden=("model", "model_name")),
    Job: Form("llm", apart=True, hidden=("model",)),
    CoolingPlant: Form(
        "heat-rejection", apart=True, hidden=_PLANT_FILLED, named={"cdu": "cdu", "crah": "crah"}
    ),
    ModuleUse: Form("module", apart=True, hidden=("module",)),
    Chain: Form("chain", hidden=("front_entry",), named={"front": "front-end"}),
    Storage: Form("storage"),
    Genset: Form("genset"),
    **dict.fromkeys((Pv, Wind), Form("renewable")),
    **dict.fromkeys((Diurnal, Constant, Trace, RateSeries, PowerReplay), Form("demand")),
    **dict.fromkeys((TmyWeather, EpwWeather, CsvWeather, ConstantWeather), Form("weather")),
    **dict.fromkeys((ConstantCarbon, CarbonSeries), Form("carbon")),
    Tariff: Form("tariff"),
}

# Keys that reading takes out before a shape sees the table: what may stand there, and what it means.
EXTRA: Final[Mapping[type[BaseModel], Mapping[str, tuple[str, str]]]] = {
    BuildFile: {
        "base": ("text", "Build file beside this one that it is laid over; that one stands on its own.")
    },
    Code: {"include": ("list of names", "Rule sets whose clauses this one takes over.")},
}
