"""A prefabricated module: what it carries, how it travels, the steps until it is online, and what it connects to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from aidc.schema.base import Name, NonNegative, Positive, Shape

__all__ = ["PLACES", "STEPS", "Interface", "Medium", "Module", "Place", "Role", "Step", "StepName", "Work"]

Role = Literal["hall", "power", "cdu", "heat-rejection", "storage", "substation", "generator", "control"]
Medium = Literal[
    "hv-ac", "mv-ac", "ac-415v", "dc-800v", "facility-water", "rack-coolant", "chilled-water", "control"
]
Place = Literal["office", "factory", "road", "site"]
StepName = Literal[
    "design", "order", "build", "fat", "transport", "set", "connect", "startup", "functional", "integrated"
]
PLACES: Final[tuple[str, ...]] = get_args(Place)
STEPS: Final[tuple[StepName, ...]] = get_args(StepName)

_MOST_DAYS = 7300.0
_Days = Annotated[float, Field(ge=0, le=_MOST_DAYS)]


class Work(Shape):
    """How long something takes, in working days of its calendar, and whom it needs.

    `days` is one number, or least, likely and most: a Beta-PERT with mean (a + 4m + b)/6 and variance
    (μ - a)(b - μ)/7. `samples` in its place are durations that were observed. `crews` are needed from start to finish,
    one of each that is named. Tasks of one `factor` share luck, as `[correlation]` says. A test fails with
    `fail_frac`; each failure costs `rework_days` and the test again.
    """

    days: tuple[_Days, _Days, _Days] | None = None
    """Working days: one number, or least, likely and most."""
    samples: Annotated[tuple[_Days, ...], Field(min_length=2, max_length=10_000)] | None = None
    """Durations that were observed, in place of `days`."""
    crews: tuple[Name, ...] = ()
    """Crews that it needs, one of each."""
    factor: Name | None = None
    """Tasks of one factor share luck, as [correlation] says."""
    fail_frac: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Chance that a test fails."""
    rework_days: _Days = 0.0
    """Cost of each failure, beside the test again."""
    wind_limit_m_s: Annotated[float, Field(gt=0, le=50)] | None = None
    """Wind speed above which work stops. Default: none."""

    @field_validator("days", mode="before")
    @classmethod
    def _one_number(cls, days: Any) -> Any:
        return (days,) * 3 if isinstance(days, (int, float)) and not isinstance(days, bool) else days

    @model_validator(mode="after")
    def _a_duration(self) -> Self:
        if (self.days is None) == (self.samples is None):
            raise ValueError("needs either days or samples; write days = [least, likely, most]")
        if self.days is not None and not self.days[0] <= self.days[1] <= self.days[2]:
            raise ValueError("days do not rise; write [least, likely, most]")
        return self


class Step(Work):
    """A step of a module; `place` names the calendar. `learns` is shortened by repetition (Wright's law)."""

    place: Place
    """Where it is done: names the calendar."""
    learns: bool = False
    """Whether repetition shortens it."""


class Interface(Shape):
    """One connection: what flows through it, and how much at rating [MW] (None: signals)."""

    medium: Medium
    """What flows."""
    power_mw: Positive | None = None
    """How much at rating; none for signals."""

    @model_validator(mode="after")
    def _carries_something(self) -> Self:
        if (self.power_mw is None) != (self.medium == "control"):
            raise ValueError(
                "power_mw belongs to every interface but those of control; give it, or take it out"
            )
        return self


class Module(Shape):
    """A module as its catalogue entry has it.

    `power_mw` is what one unit carries: rack power of a hall, output of a power skid, heat of cooling, import of a
    substation, AC power of storage and generators. `takes` must each find a partner that `gives` the same medium.
    Each doubling of the number built multiplies the days of steps that learn by `learning_frac`.
    """

    role: Role
    """What the module is."""
    power_mw: Positive
    """What one unit carries."""
    energy_mwh: Positive | None = None
    """Capacity of a storage."""
    footprint_m2: Positive
    """Ground that it covers."""
    mass_t: Positive
    """Shipping mass."""
    transport: Literal["road", "oversize", "heavy-haul"]
    """How it travels."""
    cost_usd_million: NonNegative
    """Cost of one unit."""
    learning_frac: Annotated[float, Field(ge=0.5, le=1)] = 1.0
    """Days of steps that learn, after each doubling of the number built, over those before."""
    takes: Mapping[Name, Interface] = {}
    """Interfaces that need a partner, by name."""
    gives: Mapping[Name, Interface] = {}
    """Interfaces that it offers, by name."""
    steps: Annotated[Mapping[StepName, Step], Field(min_length=1)]
    """From design until it is online, by name."""

    @model_validator(mode="after")
    def _has_what_dates_rest_on(self) -> Self:
        missing = [step for step in ("set", "connect", "startup") if step not in self.steps]
        if missing:
            raise ValueError(f"has no step {missing[0]}; dates of others rest on it, give it days")
        if not self.takes and not self.gives:
            raise ValueError("connects to nothing; give it takes or gives")
        return self
