"""A rule set: what a grid operator asks of a large load, as versioned data.

A set is a list of clauses; `rule` says what a clause judges and which evaluator reads it. Nothing about
any rule is written in code: users write their own sets as `catalogue/code/NAME.toml` beside the site.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, NonNegative, Positive, Shape

__all__ = [
    "BandEnergy",
    "Clause",
    "ClauseBase",
    "Code",
    "FaultCurrent",
    "FaultSequence",
    "Flicker",
    "FrequencyRideThrough",
    "FrequencyService",
    "Harmonics",
    "LoadLoss",
    "Oscillation",
    "PowerFactor",
    "Ramp",
    "Recovery",
    "Uncaptured",
    "VoltageRideThrough",
    "VoltageStep",
]

Location = Literal["poi", "ups-input", "psu-terminals"]
Quantity = Literal["v1", "v_pn_min", "v_pp_min"]
Status = Literal["in-force", "approved", "proposed", "draft", "guideline", "reference"]
_LONGEST_SEQUENCE_S = 600.0
_Levels = tuple[Positive, ...]
_Times = tuple[NonNegative, ...]


class ClauseBase(Shape):
    """What every clause states.

    `clause` is its name in the rule. `confidence` is the catalogue's mark of the figures, `source` the
    title of where they were read. `applies_to` limits a clause to storage or to equipment.

    A kind says of itself: `by_faults`, that disturbances judge it and no meter of normal operation; `swings`, that it is
    about the load's own swings; `dynamic`, that what it judges is decided within the reach of a converter's controls.
    """

    by_faults: ClassVar[bool] = False
    swings: ClassVar[bool] = False
    dynamic: ClassVar[bool] = False

    clause: str
    """Name of the clause in the rule."""
    location: Location = "poi"
    """Where the quantities are judged."""
    status: Status = "reference"
    """Standing of the clause."""
    confidence: str = "estimated"
    """Mark of the figures (measured, published, derived, secondary or estimated)."""
    source: str = ""
    """Title of where the figures were read."""
    note: str = ""
    """What a reader of the verdict must know."""
    applies_to: Literal["load", "storage", "equipment"] = "load"
    """What the clause is limited to."""


class VoltageRideThrough(ClauseBase):
    """Stay connected while, for every k, the time below `below_pu[k]` is at most `below_s[k]` (above alike).

    `quantity` is which voltage counts (`quantity_defined`: the rule says so; else the reading by positive
    sequence is tried too, and a verdict that depends on it is not given), `accumulate` whether separate dips add up within `window_s`,
    `inclusive` whether a voltage equal to the threshold counts as beyond it. Once a time is exceeded the site may
    leave until voltage and frequency have been back in the continuous band for `renew_s`; then every duty begins
    anew (0, unless the rule states a time).
    """

    by_faults: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["voltage-ride-through"]
    quantity: Quantity = "v_pn_min"
    """Which voltage counts: positive sequence, lowest phase to neutral, lowest phase to phase."""
    quantity_defined: bool = False
    """Whether the rule itself says which; else a verdict that depends on it is not given."""
    accumulate: Literal["contiguous", "window"] = "contiguous"
    """Whether separate dips count alone or add up within `window_s`."""
    window_s: Positive = 10.0
    """Window within which dips add up."""
    renew_s: NonNegative = 0.0
    """Time within the continuous band after which every duty begins anew."""
    inclusive: bool = False
    """Whether a voltage equal to the threshold counts as beyond it."""
    below_pu: _Levels = ()
    """Thresholds of low voltage."""
    below_s: _Times = ()
    """Longest time below each of them."""
    above_pu: _Levels = ()
    """Thresholds of high voltage."""
    above_s: _Times = ()
    """Longest time above each of them."""

    @model_validator(mode="after")
    def _whole_curve(self) -> Self:
        _same_length("below_pu", self.below_pu, "below_s", self.below_s)
        _same_length("above_pu", self.above_pu, "above_s", self.above_s)
        if not self.below_pu and not self.above_pu:
            raise ValueError("has no curve; give below_pu with below_s, or above_pu with above_s")
        _milder_is_longer("below_pu", self.below_pu, "below_s", self.below_s, 1)
        _milder_is_longer("above_pu", self.above_pu, "above_s", self.above_s, -1)
        return self


class FrequencyRideThrough(ClauseBase):
    """Stay connected while the time beyond each frequency is at most its own; and through RoCoF and jumps.

    `accumulate`, `window_s` and `renew_s` are as in voltage ride-through: 299 s in any ten minutes is a window of
    600 s.
    """

    by_faults: ClassVar[bool] = True

    rule: Literal["frequency-ride-through"]
    accumulate: Literal["contiguous", "window"] = "contiguous"
    """Whether separate excursions count alone or add up within `window_s`."""
    window_s: Positive = 600.0
    """Window within which excursions add up."""
    renew_s: NonNegative = 0.0
    """Time within the continuous band after which every duty begins anew."""
    inclusive: bool = False
    """Whether a frequency equal to the threshold counts as beyond it."""
    below_hz: _Levels = ()
    """Thresholds of low frequency."""
    below_s: _Times = ()
    """Longest time below each of them."""
    above_hz: _Levels = ()
    """Thresholds of high frequency."""
    above_s: _Times = ()
    """Longest time above each of them."""
    rocof_hz_per_s: Positive | None = None
    """Rate of change of frequency that must be ridden through."""
    rocof_window_s: Positive = 0.5
    """Window over which that rate is measured."""
    phase_jump_deg: Positive | None = None
    """Jump of the voltage's angle that must be ridden through."""

    @model_validator(mode="after")
    def _whole_curve(self) -> Self:
        _same_length("below_hz", self.below_hz, "below_s", self.below_s)
        _same_length("above_hz", self.above_hz, "above_s", self.above_s)
        if not (self.below_hz or self.above_hz or self.rocof_hz_per_s or self.phase_jump_deg):
            raise ValueError("asks nothing; give below_hz, above_hz, rocof_hz_per_s or phase_jump_deg")
        _milder_is_longer("below_hz", self.below_hz, "below_s", self.below_s, 1)
        _milder_is_longer("above_hz", self.above_hz, "above_s", self.above_s, -1)
        return self


class Recovery(ClauseBase):
    """After the voltage's last upward crossing of `from_pu`, power is back within `within_s` and stays.

    Back means a one-cycle mean of at least `least_frac` (and at most `most_frac`, where given) of the
    power without the fault, for the rest of a window of at least `hold_s`.
    """

    by_faults: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["recovery"]
    quantity: Quantity = "v_pn_min"
    """Which voltage counts: positive sequence, lowest phase to neutral, lowest phase to phase."""
    from_pu: Annotated[float, Field(gt=0, le=1.2)] = 0.9
    """Voltage whose last upward crossing starts the clock."""
    least_frac: Frac = 0.9
    """Least power over that without the fault."""
    most_frac: Positive | None = None
    """Greatest power over that without the fault. Default: not asked."""
    within_s: Positive
    """By when power is back."""
    hold_s: Positive = 10.0
    """Least length of the window in which it stays."""


class FaultCurrent(ClauseBase):
    """Converters keep giving or taking current in a fault: no cessation at `from_pu` or above.

    Below it they may cease, once the voltage has been there for `cease_after_s`; where `back_within_s` is given they work
    again that long after the voltage is back at `from_pu`. The voltages from `from_pu` to `to_pu`, where the continuous
    band begins, must be tried for a verdict.
    """

    by_faults: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["fault-current"]
    """Current is kept up in a fault."""
    quantity: Quantity = "v_pn_min"
    """The voltage that the rule means."""
    from_pu: Annotated[float, Field(gt=0, lt=1.2)]
    """Voltage from which on current must not cease."""
    to_pu: Annotated[float, Field(gt=0, le=1.2)] = 0.9
    """Where the continuous band begins."""
    cease_after_s: NonNegative = 0.0
    """Least time below `from_pu` before current may cease."""
    back_within_s: NonNegative | None = None
    """Longest time from the voltage's return until current is back. Default: not asked."""

    @model_validator(mode="after")
    def _a_band(self) -> Self:
        if self.from_pu >= self.to_pu:
            raise ValueError("from_pu is not below to_pu; swap them or correct one")
        return self


class FaultSequence(ClauseBase):
    """Faults that follow each other, each ridden through; what they wear down is carried from one to the next.

    Fault k begins `start_s[k]` after the first, leaves `residual_pu[k]` and lasts `duration_s[k]`: reclosing onto a fault
    is two of them, a dead time apart. `faults` are the kinds tried, each in a sequence of its own.
    """

    by_faults: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["fault-sequence"]
    """Faults one after another, each ridden through."""
    start_s: Annotated[tuple[NonNegative, ...], Field(min_length=2, max_length=50)]
    """When each begins, from the first on."""
    residual_pu: Annotated[tuple[Frac, ...], Field(min_length=2, max_length=50)]
    """Voltage that each leaves."""
    duration_s: Annotated[tuple[Positive, ...], Field(min_length=2, max_length=50)]
    """How long each lasts."""
    faults: Annotated[tuple[Literal["3ph", "lg", "ll", "llg"], ...], Field(min_length=1, max_length=4)] = (
        "3ph",
        "lg",
        "ll",
        "llg",
    )
    """Kinds of fault, each in a sequence of its own."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _same_length("start_s", self.start_s, "residual_pu", self.residual_pu)
        _same_length("start_s", self.start_s, "duration_s", self.duration_s)
        if self.start_s[0] > 0:
            raise ValueError(
                f"start_s begins at {self.start_s[0]:g}; times count from the first fault, write 0"
            )
        for (begin, lasts), following in zip(
            zip(self.start_s, self.duration_s, strict=True), self.start_s[1:], strict=False
        ):
            if following <= begin + lasts:
                raise ValueError(f"the fault at {following:g} s begins before the one at {begin:g} s is over")
        if self.start_s[-1] + self.duration_s[-1] > _LONGEST_SEQUENCE_S:
            raise ValueError(f"the sequence lasts more than {_LONGEST_SEQUENCE_S:g} s")
        return self


class Oscillation(ClauseBase):
    """Greatest minus least of band-passed power in every rolling window, at most `limit_mw`.

    `limit_frac` is of the site's power; with both, the smaller counts. `filter_defined` is true where
    the rule itself defines its filter (Butterworth of `order`); else the spread over orders is reported.
    """

    swings: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["oscillation"]
    low_hz: NonNegative
    """Lower edge of the band."""
    high_hz: Positive
    """Upper edge of the band."""
    window_s: Positive = 5.0
    """Length of the rolling window."""
    limit_mw: Positive | None = None
    """Greatest swing."""
    limit_frac: Frac | None = None
    """Greatest swing over the site's power; with both limits the smaller counts."""
    filter_defined: bool = False
    """Whether the rule itself defines its filter; else the spread over orders is told."""
    order: Annotated[int, Field(ge=1, le=8)] = 2
    """Order of the Butterworth filter."""

    @model_validator(mode="after")
    def _a_band_and_a_limit(self) -> Self:
        if self.low_hz >= self.high_hz:
            raise ValueError("low_hz is not below high_hz; swap them or correct one")
        if self.limit_mw is None and self.limit_frac is None:
            raise ValueError("has no limit; give limit_mw or limit_frac")
        return self


class BandEnergy(ClauseBase):
    """Share of the power's variance (without the mean and what drifts) between two frequencies, at most `limit_frac`."""

    dynamic: ClassVar[bool] = True

    rule: Literal["band-energy"]
    low_hz: NonNegative
    """Lower edge of the band."""
    high_hz: Positive
    """Upper edge of the band."""
    limit_frac: Frac
    """Greatest share of the power's variance."""


class Ramp(ClauseBase):
    """Change of power within every rolling window.

    `form` "rate": the mean rate over `window_s` is at most `limit_mw_per_min`; "change": greatest minus
    least within `window_s` is at most `limit_mw`. `direction` says which way counts.
    """

    swings: ClassVar[bool] = True

    rule: Literal["ramp"]
    form: Literal["rate", "change"]
    """Mean rate over the window, or change within it."""
    window_s: Positive
    """Length of the rolling window."""
    limit_mw_per_min: Positive | None = None
    """Greatest mean rate (form "rate")."""
    limit_mw: Positive | None = None
    """Greatest change (form "change")."""
    limit_frac: Frac | None = None
    """Greatest change over the site's power (form "change")."""
    direction: Literal["both", "up", "down"] = "both"
    """Which way counts."""

    @model_validator(mode="after")
    def _a_limit(self) -> Self:
        if self.form == "rate" and self.limit_mw_per_min is None:
            raise ValueError("has no limit; give limit_mw_per_min")
        if self.form == "change" and self.limit_mw is None and self.limit_frac is None:
            raise ValueError("has no limit; give limit_mw or limit_frac")
        return self


class VoltageStep(ClauseBase):
    """Greatest change of voltage at the point of interconnection that the site's own steps cause."""

    rule: Literal["voltage-step"]
    limit_frac: Frac
    """Greatest change over nominal voltage."""
    window_s: Positive = 1.0
    """Within which a change counts as one step."""


class PowerFactor(ClauseBase):
    """Least power factor at the point of interconnection, and the greatest share of reactive power."""

    rule: Literal["power-factor"]
    least_pf: Annotated[float, Field(gt=0, le=1)] | None = None
    """Least power factor. Default: not asked."""
    most_q_frac: Positive | None = None
    """Greatest reactive over active power. Default: not asked."""
    above_load_frac: Frac = 0.1
    """Judged only above this share of the site's power."""
    window_s: Positive = 60.0
    """Length of the rolling mean."""


class Flicker(ClauseBase):
    """Planning levels that the site's emission limit is shared from: E = (L^3 · S_site / S_system)^(1/3).

    `pst_floor` and `plt_floor` are the least that any installation is granted, however small its share.
    """

    rule: Literal["flicker"]
    pst_planning: Positive | None = None
    """Planning level of short-term flicker."""
    plt_planning: Positive | None = None
    """Planning level of long-term flicker."""
    pst_floor: NonNegative = 0.0
    """Least short-term level that any installation is granted."""
    plt_floor: NonNegative = 0.0
    """Least long-term level that any installation is granted."""
    min_kv: NonNegative = 0.0
    """Holds for nominal voltages above this."""
    max_kv: Positive = 2000.0
    """Holds for nominal voltages up to this."""


class Harmonics(ClauseBase):
    """Screening limits: total demand distortion by Isc/IL, voltage distortion; percentiles are not assessed.

    `isc_over_il` are the upper ends of the classes (the last class is open), `tdd_percent` their limits.
    """

    rule: Literal["harmonics"]
    isc_over_il: _Levels = ()
    """Upper ends of the classes of short-circuit over demand current; the last class is open."""
    tdd_percent: _Levels = ()
    """Limit of total demand distortion in each class."""
    thd_v_percent: Positive | None = None
    """Limit of voltage distortion."""
    percentile: Annotated[float, Field(gt=0, le=100)] | None = None
    """Percentile that the rule judges; told, not assessed."""
    min_kv: NonNegative = 0.0
    """Holds for nominal voltages above this."""
    max_kv: Positive = 2000.0
    """Holds for nominal voltages up to this."""


class LoadLoss(ClauseBase):
    """Largest simultaneous loss of load, and the overvoltage that it may cause.

    `overvoltage_pu` limits the voltage after the loss, over nominal (1.1, not 0.1).
    """

    by_faults: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["load-loss"]
    limit_mw: Positive | None = None
    """Largest load that may be lost at once."""
    overvoltage_pu: Positive | None = None
    """Highest voltage after the loss, over nominal."""


class FrequencyService(ClauseBase):
    """A frequency response product: share of the contracted power over the deviation, speed, duration.

    `deviation_hz` and `response_frac` are a curve over the absolute deviation; `full_s` by when all of the
    response must be there, `start_s` the allowed delay, `duration_s` how long it must last (None where
    that was not captured). Below the first point of the curve nothing is due: one point is a step.
    """

    rule: Literal["frequency-service"]
    direction: Literal["both", "low", "high"] = "both"
    """Which deviations are answered."""
    deviation_hz: tuple[NonNegative, ...]
    """Points of the curve: absolute deviation, rising."""
    response_frac: tuple[Frac, ...]
    """Points of the curve: share of the contracted power."""
    start_s: NonNegative = 0.0
    """Allowed delay."""
    full_s: Positive
    """By when the whole response must be there."""
    least_at_full_frac: Frac = 1.0
    """Least share of the response at `full_s`."""
    duration_s: Positive | None = None
    """How long the response must last. Default: not captured."""
    nominal_hz: Literal[50, 60] = 50
    """Nominal frequency of the grid."""

    @model_validator(mode="after")
    def _whole_curve(self) -> Self:
        _same_length("deviation_hz", self.deviation_hz, "response_frac", self.response_frac)
        if len(self.deviation_hz) < 1 or list(self.deviation_hz) != sorted(set(self.deviation_hz)):
            raise ValueError("deviation_hz does not rise; sort it and drop repeated values")
        return self


class Uncaptured(ClauseBase):
    """A clause that exists but whose figures have not been captured: the set never passes as a whole."""

    rule: Literal["uncaptured"]
    judges: str = ""
    """What the clause is about."""


Clause = Annotated[
    VoltageRideThrough
    | FrequencyRideThrough
    | Recovery
    | FaultCurrent
    | FaultSequence
    | Oscillation
    | BandEnergy
    | Ramp
    | VoltageStep
    | PowerFactor
    | Flicker
    | Harmonics
    | LoadLoss
    | FrequencyService
    | Uncaptured,
    Field(discriminator="rule"),
]


class Code(Shape):
    """A rule set. `min_mw` and `max_mw` say which sites it concerns."""

    title: str
    """Title of the rule set."""
    authority: str
    """Who made it."""
    version: str
    """Version or date of the text that was read."""
    effective: date | None = None
    """Since when it holds."""
    status: Status
    """Standing of the set."""
    confidence: str
    """Mark of the set as a whole."""
    frequency_hz: Literal[50, 60] | None = None
    """Nominal frequency that it is written for. Default: any."""
    min_mw: NonNegative = 0.0
    """Smallest site that it concerns."""
    max_mw: Positive = 1e6
    """Largest site that it concerns."""
    note: str = ""
    """What a reader of the verdict must know."""
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1, max_length=200)]
    """What it asks."""


def _same_length(a: str, first: tuple[float, ...], b: str, second: tuple[float, ...]) -> None:
    if len(first) != len(second):
        raise ValueError(f"{a} and {b} differ in length ({len(first)} and {len(second)}); a point is missing")


def _milder_is_longer(
    a: str, levels: tuple[float, ...], b: str, times: tuple[float, ...], toward: int
) -> None:
    """A deeper excursion may never have to be ridden through for longer than a milder one."""
    points = sorted(zip(levels, times, strict=True), key=lambda point: toward * point[0])
    if len(set(levels)) < len(levels):
        raise ValueError(f"{a} names a level twice; keep one")
    if any(deep[1] > mild[1] for deep, mild in pairwise(points)):
        raise ValueError(f"{b} grows with the depth of {a}; check the order of the points")
