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
    location: Location = "poi"
    status: Status = "reference"
    confidence: str = "estimated"
    source: str = ""
    note: str = ""
    applies_to: Literal["load", "storage", "equipment"] = "load"


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
    quantity_defined: bool = False
    accumulate: Literal["contiguous", "window"] = "contiguous"
    window_s: Positive = 10.0
    renew_s: NonNegative = 0.0
    inclusive: bool = False
    below_pu: _Levels = ()
    below_s: _Times = ()
    above_pu: _Levels = ()
    above_s: _Times = ()

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
    window_s: Positive = 600.0
    renew_s: NonNegative = 0.0
    inclusive: bool = False
    below_hz: _Levels = ()
    below_s: _Times = ()
    above_hz: _Levels = ()
    above_s: _Times = ()
    rocof_hz_per_s: Positive | None = None
    rocof_window_s: Positive = 0.5
    phase_jump_deg: Positive | None = None

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
    from_pu: Annotated[float, Field(gt=0, le=1.2)] = 0.9
    least_frac: Frac = 0.9
    most_frac: Positive | None = None
    within_s: Positive
    hold_s: Positive = 10.0


class Oscillation(ClauseBase):
    """Greatest minus least of band-passed power in every rolling window, at most `limit_mw`.

    `limit_frac` is of the site's power; with both, the smaller counts. `filter_defined` is true where
    the rule itself defines its filter (Butterworth of `order`); else the spread over orders is reported.
    """

    swings: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["oscillation"]
    low_hz: NonNegative
    high_hz: Positive
    window_s: Positive = 5.0
    limit_mw: Positive | None = None
    limit_frac: Frac | None = None
    filter_defined: bool = False
    order: Annotated[int, Field(ge=1, le=8)] = 2

    @model_validator(mode="after")
    def _a_band_and_a_limit(self) -> Self:
        if self.low_hz >= self.high_hz:
            raise ValueError("low_hz is not below high_hz; swap or mend them")
        if self.limit_mw is None and self.limit_frac is None:
            raise ValueError("has no limit; give limit_mw or limit_frac")
        return self


class BandEnergy(ClauseBase):
    """Share of the power's variance (without the mean and what drifts) between two frequencies, at most `limit_frac`."""

    dynamic: ClassVar[bool] = True

    rule: Literal["band-energy"]
    low_hz: NonNegative
    high_hz: Positive
    limit_frac: Frac


class Ramp(ClauseBase):
    """Change of power within every rolling window.

    `form` "rate": the mean rate over `window_s` is at most `limit_mw_per_min`; "change": greatest minus
    least within `window_s` is at most `limit_mw`. `direction` says which way counts.
    """

    swings: ClassVar[bool] = True

    rule: Literal["ramp"]
    form: Literal["rate", "change"]
    window_s: Positive
    limit_mw_per_min: Positive | None = None
    limit_mw: Positive | None = None
    limit_frac: Frac | None = None
    direction: Literal["both", "up", "down"] = "both"

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
    window_s: Positive = 1.0


class PowerFactor(ClauseBase):
    """Least power factor at the point of interconnection, and the greatest share of reactive power."""

    rule: Literal["power-factor"]
    least_pf: Annotated[float, Field(gt=0, le=1)] | None = None
    most_q_frac: Positive | None = None
    above_load_frac: Frac = 0.1
    window_s: Positive = 60.0


class Flicker(ClauseBase):
    """Planning levels that the site's emission limit is shared from: E = (L^3 · S_site / S_system)^(1/3).

    `pst_floor` and `plt_floor` are the least that any installation is granted, however small its share.
    """

    rule: Literal["flicker"]
    pst_planning: Positive | None = None
    plt_planning: Positive | None = None
    pst_floor: NonNegative = 0.0
    plt_floor: NonNegative = 0.0
    min_kv: NonNegative = 0.0
    max_kv: Positive = 2000.0


class Harmonics(ClauseBase):
    """Screening limits: total demand distortion by Isc/IL, voltage distortion; percentiles are not assessed.

    `isc_over_il` are the upper ends of the classes (the last class is open), `tdd_percent` their limits.
    """

    rule: Literal["harmonics"]
    isc_over_il: _Levels = ()
    tdd_percent: _Levels = ()
    thd_v_percent: Positive | None = None
    percentile: Annotated[float, Field(gt=0, le=100)] | None = None
    min_kv: NonNegative = 0.0
    max_kv: Positive = 2000.0


class LoadLoss(ClauseBase):
    """Largest simultaneous loss of load, and the overvoltage that it may cause.

    `overvoltage_pu` limits the voltage after the loss, over nominal (1.1, not 0.1).
    """

    by_faults: ClassVar[bool] = True
    dynamic: ClassVar[bool] = True

    rule: Literal["load-loss"]
    limit_mw: Positive | None = None
    overvoltage_pu: Positive | None = None


class FrequencyService(ClauseBase):
    """A frequency response product: share of the contracted power over the deviation, speed, duration.

    `deviation_hz` and `response_frac` are a curve over the absolute deviation; `full_s` by when all of the
    response must be there, `start_s` the allowed delay, `duration_s` how long it must last (None where
    that was not captured). Below the first point of the curve nothing is due: one point is a step.
    """

    rule: Literal["frequency-service"]
    direction: Literal["both", "low", "high"] = "both"
    deviation_hz: tuple[NonNegative, ...]
    response_frac: tuple[Frac, ...]
    start_s: NonNegative = 0.0
    full_s: Positive
    least_at_full_frac: Frac = 1.0
    duration_s: Positive | None = None
    nominal_hz: Literal[50, 60] = 50

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


Clause = Annotated[
    VoltageRideThrough
    | FrequencyRideThrough
    | Recovery
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
    authority: str
    version: str
    effective: date | None = None
    status: Status
    confidence: str
    frequency_hz: Literal[50, 60] | None = None
    min_mw: NonNegative = 0.0
    max_mw: Positive = 1e6
    note: str = ""
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1, max_length=200)]


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
