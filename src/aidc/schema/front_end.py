"""The AC side of a chain in milliseconds: what the grid sees of a UPS, a rectifier, an SST, or bare supplies."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, NonNegative, Positive, Shape
from aidc.schema.fault_behaviour import FaultBehaviour

__all__ = ["Drives", "FrontEnd", "HarmonicCurrents", "PowerSmoothing", "SagCounter"]

_Voltages = Annotated[tuple[Positive, ...], Field(max_length=4)]
_Times = Annotated[tuple[NonNegative, ...], Field(max_length=4)]


class HarmonicCurrents(Shape):
    """Harmonic currents of a front end in percent of its rated current, at one stated load.

    From the maker's type test: the spectrum holds at that load alone. None ship with the catalogue.
    """

    orders: Annotated[tuple[Annotated[int, Field(ge=2, le=100)], ...], Field(min_length=1, max_length=100)]
    """Orders of the harmonics."""
    percent: Annotated[tuple[Annotated[float, Field(ge=0, le=100)], ...], Field(min_length=1, max_length=100)]
    """Current of each, of rated current."""
    load_frac: Annotated[float, Field(gt=0, le=1.5)] = 1.0
    """Load that the spectrum was measured at, of rated power."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.orders) != len(self.percent):
            raise ValueError(
                f"orders and percent differ in length ({len(self.orders)} and {len(self.percent)}); "
                "a harmonic is missing"
            )
        return self


class SagCounter(Shape):
    """`count` departures within `window_s` lock the lineup out until somebody resets it by hand."""

    count: Annotated[int, Field(ge=1, le=8)] = 3
    """Departures that lock the lineup out."""
    window_s: Positive = 60.0
    """Within which they count."""


class FrontEnd(FaultBehaviour):
    """When a lineup leaves the grid, how it comes back, and what carries the load meanwhile.

    It leaves once the voltage has been below `leave_below_pu[k]` for `leave_below_s[k]` without a break,
    for any k (above alike), or frequency `leave_drop_hz` below or `leave_rise_hz` above nominal for `leave_hz_s`.
    Protection sees the lowest (highest) phase behind the transformer; the converter sees the positive
    sequence, and draws at most `current_limit_frac` of its rated current, so that its power falls with the
    voltage; what it does in deep faults and after them is stated by the keys of `FaultBehaviour`. It returns once the voltage has stayed above `return_above_pu` for `return_s`, and walks in
    over `walk_in_s`.

    The buffer on the DC side is `hold_up_s` of rated power in capacitors, and a battery of `battery_frac` of
    rated power for `battery_s`, which takes over `battery_start_s` after the input falls short; its cells hold
    that energy over `battery_discharge_efficiency_frac`, and are charged by at most `recharge_frac` of rated power
    (the efficiencies are engineering knowledge without a checked source, as for the UPS string). With
    `supplements` the battery also fills what a current-limited input lacks; else the lineup leaves the
    grid when its capacitors sink to `leave_dc_frac`. `transfer_s` is the gap when an eco mode falls back. `winding` and
    `transformer_reactance_frac` are those of the transformer in front of the lineup.
    """

    leave_below_pu: _Voltages = ()
    """Thresholds of low voltage at which the lineup leaves the grid."""
    leave_below_s: _Times = ()
    """How long the voltage must have been below each, without a break."""
    leave_above_pu: _Voltages = ()
    """Thresholds of high voltage at which the lineup leaves the grid."""
    leave_above_s: _Times = ()
    """How long the voltage must have been above each, without a break."""
    leave_drop_hz: Positive = 20.0
    """Fall of frequency below nominal at which it leaves."""
    leave_rise_hz: Positive = 20.0
    """Rise of frequency above nominal at which it leaves."""
    leave_hz_s: NonNegative = 0.1
    """How long frequency must have been beyond these."""
    current_limit_frac: Annotated[float, Field(gt=0.5, le=5)] = 1.1
    """Greatest current over rated current."""
    power_factor: Annotated[float, Field(gt=0.5, le=1)] = 0.99
    """Displacement factor at the input."""
    return_above_pu: Annotated[float, Field(gt=0, le=1.2)] = 0.9
    """Voltage above which it may return."""
    return_s: NonNegative = 10.0
    """How long the voltage must have stayed there."""
    walk_in_s: NonNegative = 10.0
    """Linear return of the input's power."""
    transfer_s: NonNegative = 0.0
    """Gap while an eco mode falls back."""
    hold_up_s: Annotated[float, Field(gt=0, le=60)] = 0.02
    """Rated power for this long in the DC capacitors."""
    leave_dc_frac: Frac = 0.5
    """Energy of the capacitors at which a lineup whose input falls short leaves the grid."""
    battery_frac: NonNegative = 0.0
    """Power of the battery over rated power; 0: none."""
    battery_s: NonNegative = 0.0
    """How long the battery holds that power."""
    battery_start_s: NonNegative = 0.0
    """Until the battery carries after the input has fallen short."""
    battery_charge_efficiency_frac: Annotated[float, Field(gt=0.5, le=1)] = 0.975
    """Of the battery's cells (no checked source)."""
    battery_discharge_efficiency_frac: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    """Of the battery's cells (no checked source)."""
    recharge_frac: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Most that the battery is charged with, over rated power."""
    supplements: bool = False
    """Whether the battery fills what a current-limited input lacks."""
    winding: Literal["Dy", "Yd", "Yy", "Dd", "none"] = "Dy"
    """Vector group of the transformer in front of the lineup, grid side first."""
    transformer_reactance_frac: Annotated[float, Field(ge=0, le=0.3)] = 0.06
    """Its reactance."""
    sag_counter: SagCounter | None = None
    """Lock-out after repeated departures. Default: none."""
    harmonics: HarmonicCurrents | None = None
    """Harmonic currents from the maker's type test. Default: not known."""

    @model_validator(mode="after")
    def _whole_curves(self) -> Self:
        for side, levels, times in (
            ("below", self.leave_below_pu, self.leave_below_s),
            ("above", self.leave_above_pu, self.leave_above_s),
        ):
            if len(levels) != len(times):
                raise ValueError(
                    f"leave_{side}_pu and leave_{side}_s differ in length "
                    f"({len(levels)} and {len(times)}); a point is missing"
                )
        if self.battery_frac > 0 and self.battery_s <= 0:
            raise ValueError("has a battery without energy; give battery_s")
        return self


class Drives(Shape):
    """Motors of a cooling plant: they stop below a voltage, and start again one after another.

    Defaults: contactors and drives drop out at 70 % after 50 ms and restart after 5 s over 10 s
    (engineering knowledge without a checked source; SEMI F47 asks equipment for 50 % during 200 ms). Compressors
    wait for `compressor_restart_s` (their protection against short cycles, three minutes as a rule; no checked
    source). With `on_ups` the pumps and fans hang on the UPS of the lineups that the plant cools, by rating;
    compressors never do.
    """

    drop_below_pu: Annotated[float, Field(ge=0, lt=1)] = 0.7
    """Voltage below which motors stop (no checked source; SEMI F47 asks for 50 % during 200 ms)."""
    drop_after_s: NonNegative = 0.05
    """After how long below it (no checked source)."""
    restart_s: NonNegative = 5.0
    """From the voltage's return until the first starts (no checked source)."""
    ramp_s: NonNegative = 10.0
    """Over which they start one after another (no checked source)."""
    compressor_restart_s: NonNegative = 180.0
    """Least time off of compressors (no checked source)."""
    power_factor: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    """Displacement factor of the drives."""
    on_ups: bool = False
    """Whether pumps and fans hang on the UPS of the lineups that the plant cools; compressors never do."""


class PowerSmoothing(Shape):
    """Power smoothing of the accelerators, with the parameters that NVML names.

    NVIDIA NVML, nvmlDevicePowerSmoothing profiles: percent of TMP floor, ramp-up and ramp-down rate,
    ramp-down hysteresis. A floor burns power while a job is running; it ends `hysteresis_s` after the load
    has fallen below it.
    """

    floor_frac: Frac = 0.0
    """Power that is burnt at least while a job runs, of rated power."""
    ramp_up_frac_per_s: Positive = 1e6
    """Fastest rise, of rated power."""
    ramp_down_frac_per_s: Positive = 1e6
    """Fastest fall, of rated power."""
    hysteresis_s: NonNegative = 0.0
    """How long the floor holds after the load has fallen below it."""
