"""`build.toml`: how a site is put together from modules, in which order, by whom, and when the grid comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from aidc.schema.base import Frac, Name, NonNegative, Positive, Shape
from aidc.schema.module import Module, StepName, Work
from aidc.schema.renewables import Genset
from aidc.schema.storage import Storage
from aidc.schema.weather import WeatherSpec

__all__ = [
    "Actual",
    "Bridge",
    "BuildFile",
    "Calendar",
    "Closure",
    "Milestone",
    "ModuleUse",
    "Policy",
    "ProgressFile",
    "Promise",
    "Task",
    "Value",
    "WeatherYear",
]

Policy = Literal["latest-finish", "latest-start", "listed"]
_Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_Date = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2150, 1, 1))]
_Count = Annotated[int, Field(ge=1, le=10_000)]


class Closure(Shape):
    """Days on which nobody works, both ends included."""

    first: _Date
    """First day off."""
    last: _Date
    """Last day off."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last lies before first; swap them")
        return self


class Calendar(Shape):
    """Days on which a place works: days of the week, without holidays and closures.

    `observes` adds the eleven federal holidays of the United States (5 U.S.C. 6103).
    """

    week: tuple[_Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    """Days of the week on which work goes on."""
    observes: Literal["us-federal"] | None = None
    """A country's public holidays."""
    holidays: tuple[_Date, ...] = ()
    """Further single days off."""
    closures: tuple[Closure, ...] = ()
    """Further stretches off."""

    @field_validator("week")
    @classmethod
    def _works_at_all(cls, week: tuple[str, ...]) -> tuple[str, ...]:
        if not week:
            raise ValueError("names no working day. Write the days on which it works, such as mon")
        return week


class Milestone(Shape):
    """What others deliver: one date, or earliest, likely and latest; of the grid, with the import it allows."""

    dates: tuple[_Date, _Date, _Date]
    """One date, or earliest, likely and latest."""
    import_limit_mw: Positive | None = None
    """Import that it allows, where it is one of the grid."""
    after: tuple[str, ...] = ()
    """What must be done before it."""
    factor: Name | None = None
    """Tasks of one factor share luck, as [correlation] says."""

    @field_validator("dates", mode="before")
    @classmethod
    def _one_date(cls, dates: Any) -> Any:
        return (dates,) * 3 if isinstance(dates, (date, str)) else dates

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.dates[0] <= self.dates[1] <= self.dates[2]:
            raise ValueError("dates do not rise; write [earliest, likely, latest]")
        return self


class WeatherYear(Shape):
    """A year of weather for wind windows; a typical year stands for any."""

    year: Annotated[int, Field(ge=1950, le=2150)]
    """Year that it is called by."""
    source: WeatherSpec
    """Weather of that year."""


class Task(Work):
    """Work of one's own beside the steps of modules: civil works, permits, `renewables` that are there once it is done."""

    calendar: Name = "site"
    """Calendar that its days are counted in."""
    renewables: tuple[Name, ...] = ()
    """Names of renewables that are there once it is done."""
    after: tuple[str, ...] = ()
    """What must be done before it."""
    not_before: _Date | None = None
    """Earliest start."""


class ModuleUse(Shape):
    """Modules of one kind: `repeat` lots of `units` each, what of the site they are, and where they connect.

    A lot is built, moved and tested as one. Off site its units are worked on side by side, on site one after the other.
    `connect` names for each interface that the module takes the modules that
    give it (`grid` for the connection itself); `after` adds predecessors to a step.
    """

    module: Module
    use: str = ""
    """Entry of the catalogue (`aidc catalogue module`)."""
    units: _Count = 1
    """Units of a lot, built, moved and tested as one."""
    repeat: Annotated[int, Field(ge=1, le=200)] = 1
    """Number of lots."""
    pods: tuple[Name, ...] = ()
    """Pods of the site that they are."""
    chains: tuple[Name, ...] = ()
    """Chains of the site that they are."""
    plants: tuple[Name, ...] = ()
    """Cooling plants of the site that they are."""
    storage: tuple[Name, ...] = ()
    """Storages of the site that they are."""
    gensets: tuple[Name, ...] = ()
    """Gensets of the site that they are."""
    connect: Mapping[Name, tuple[Name, ...]] = {}
    """Interface that the module takes to the modules that give it (`grid`: the connection itself)."""
    after: Mapping[StepName, tuple[str, ...]] = {}
    """Step to what must be done before it, beside the steps before."""


class Promise(Shape):
    """IT power promised by a date, and what each day of delay costs."""

    online_mw: Positive
    """IT power that is promised."""
    date: _Date
    """By when."""
    usd_per_day: NonNegative = 0.0
    """Cost of each day of delay."""


class Actual(Shape):
    """When a task started and finished; one without `finished` is under way. A milestone has `finished` alone."""

    started: _Date | None = None
    """Day on which it started."""
    finished: _Date | None = None
    """Day on which it was finished."""

    @model_validator(mode="after")
    def _happened(self) -> Self:
        if self.started is None and self.finished is None:
            raise ValueError("says nothing; give started or finished, or take it out")
        if self.started and self.finished and self.finished < self.started:
            raise ValueError("finished before it started; swap the dates")
        return self


class ProgressFile(Shape):
    """What has happened by the end of the day `status`."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    """Version of this format."""
    status: _Date
    """Last day that the file knows of."""
    tasks: Mapping[str, Actual] = {}
    """What has happened, by the name of the task."""


class Bridge(Shape):
    """Something that lets more run until the grid comes: engines, storage, or a larger flexible import limit.

    It is there from `available` on and is given back when the next grid milestone comes. It is feasible up to the IT power
    that the energy model runs with at least `availability_frac` of the energy supplied.
    """

    available: _Date
    """From when on it is there."""
    genset: Genset | None = None
    """Generator sets."""
    storage: Storage | None = None
    """A storage at the site."""
    import_limit_mw: Positive | None = None
    """A larger, flexible import limit."""
    availability_frac: Annotated[float, Field(gt=0.5, le=1)] = 0.999
    """Least share of the energy that must be supplied."""
    cost_usd_million: NonNegative = 0.0
    """Cost to begin with."""
    usd_per_day: NonNegative = 0.0
    """Cost of each day."""

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if self.genset is None and self.storage is None and self.import_limit_mw is None:
            raise ValueError("is nothing; give genset, storage or import_limit_mw")
        if self.storage is not None and self.storage.node != "site":
            raise ValueError("a storage that bridges stands at the site; set node")
        return self


class Value(Shape):
    """What a build earns and costs. Without it, only dates and powers are worked out.

    `usd_per_million_tokens` of each service (useful tokens) and job (trained tokens). `payments` are shares of a module's
    cost, due when a step of its lot is done; the rest is due when it is online, and so is `racks_usd_million_per_mw`.
    Interest during construction runs from a payment until its lot is online. Nothing is counted beyond the horizon.
    """

    usd_per_million_tokens: Mapping[Name, NonNegative]
    """Price of useful tokens of each service and of trained tokens of each job, by name."""
    discount_frac_per_year: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Discount rate."""
    interest_frac_per_year: Annotated[float, Field(ge=0, le=1)] = 0.07
    """Interest during construction."""
    horizon_years: Annotated[float, Field(gt=0, le=19)] = 10.0
    """Nothing is counted beyond this from the start."""
    payments: Mapping[StepName, Frac] = {"design": 0.3, "fat": 0.4}
    """Step to the share of a module's cost that is due when it is done; the rest is due when it is online."""
    racks_usd_million_per_mw: NonNegative = 0.0
    """Cost of racks, due when their hall is online."""

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        if sum(self.payments.values()) > 1.0 + 1e-9:
            raise ValueError("payments add up to more than 1; the rest is due when the lot is online")
        return self


class BuildFile(Shape):
    """The whole of it. `network` names a CSV whose tasks take the place of all that would be made of the modules."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    """Version of this format."""
    start: _Date
    """First day of the plan."""
    policy: Policy = "latest-finish"
    """Which task gets a crew first."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Of the draws."""
    network: str | None = None
    """A CSV file whose tasks take the place of all that would be made of the modules."""
    calendars: Mapping[Name, Calendar] = {}
    """Working days by place: office, factory, road, site, or names of your own."""
    crews: Mapping[Name, _Count] = {}
    """Crews by name, and how many there are."""
    correlation: Mapping[Name, Frac] = {}
    """Factor to the correlation of the luck of its tasks."""
    milestones: Annotated[Mapping[Name, Milestone], Field(min_length=1)]
    """What others deliver, by name."""
    modules: Annotated[Mapping[Name, ModuleUse], Field(min_length=1, max_length=200)]
    """Modules by name."""
    tasks: Mapping[Name, Task] = {}
    """Work beside the steps of modules, by name."""
    weather: Annotated[tuple[WeatherYear, ...], Field(max_length=100)] = ()
    """Years of weather for steps that wait for the wind."""
    promises: tuple[Promise, ...] = ()
    """What has been promised."""
    value: Value | None = None
    """What the build earns and costs. Default: dates and powers alone."""
    bridges: Annotated[Mapping[Name, Bridge], Field(max_length=12)] = {}
    """What could let more run until the grid comes, by name."""
