"""The converter of a site storage in milliseconds: grid-following or grid-forming, and its fast law."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aidc.schema.base import NonNegative, Positive, Shape
from aidc.schema.fault_behaviour import FaultBehaviour
from aidc.schema.relay import Relay

__all__ = ["Converter", "FastLaw", "FrequencyDroop", "LoadSmoothing", "NoLaw", "RampLimit"]


class NoLaw(Shape):
    """The converter holds the power that the supervisory rule asked for."""

    use: Literal["none"] = "none"


class LoadSmoothing(Shape):
    """Take what the site draws beyond its running mean (first-order, `time_constant_s`).

    `soc_gain_per_h` steers the state of charge back to its middle: at 1 per hour a tenth too much is
    given back at a tenth of the capacity per hour.
    """

    use: Literal["smoothing"]
    time_constant_s: Positive = 60.0
    """Of the running mean of the site's draw."""
    soc_gain_per_h: NonNegative = 0.5
    """How hard the state of charge is steered back to its middle."""


class RampLimit(Shape):
    """Let the site's draw change by at most `limit_mw_per_min`; the storage takes the rest."""

    use: Literal["ramp-limit"]
    limit_mw_per_min: Positive
    """Fastest change of the site's draw."""
    soc_gain_per_h: NonNegative = 0.5
    """How hard the state of charge is steered back to its middle."""


class FrequencyDroop(Shape):
    """Give rated power at `full_hz` of deviation, nothing within `deadband_hz`."""

    use: Literal["frequency-droop"]
    deadband_hz: NonNegative = 0.015
    """Deviation without any response."""
    full_hz: Positive = 0.5
    """Deviation at which the whole response is given."""
    share_frac: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the rated power that is given then."""


FastLaw = Annotated[NoLaw | LoadSmoothing | RampLimit | FrequencyDroop, Field(discriminator="use")]


class Converter(FaultBehaviour):
    """How the storage meets the grid.

    A grid-following converter injects current by a PLL (`lag_s` from set point to current, `pll_s` from
    the grid's frequency to the measured one) and is trusted above a short-circuit ratio of
    `scr_min`; in deep faults it does what the keys of `FaultBehaviour` state, or ceases below `cease_below_pu`
    (0: it never does; left out: not known).
    A grid-forming one is a voltage behind `reactance_frac` and `resistance_frac` (of its rating)
    with droop `droop_frac` and inertia `inertia_s` (0: droop alone), damping `damping_frac` against the
    grid's frequency, and a current limit that raises the virtual impedance. `power_lag_s` filters its
    power measurement. `relay` are the protection settings that take either off the grid; left out they are not
    known, and nothing takes it off.

    Ranges: WECC REGFM_A1 and REGFM_B1 model specifications (reactance 0.04 to 0.40 pu). Defaults are
    engineering knowledge without a checked source.
    """

    control: Literal["grid-following", "grid-forming"] = "grid-following"
    """Whether it follows the grid's voltage by a PLL, or forms a voltage of its own."""
    lag_s: NonNegative = 0.02
    """From set point to current (grid-following)."""
    pll_s: NonNegative = 0.05
    """From the grid's frequency to the measured one (grid-following)."""
    scr_min: NonNegative = 3.0
    """Lowest short-circuit ratio at which a grid-following converter is trusted."""
    current_limit_frac: Annotated[float, Field(ge=1, le=5)] = 1.2
    """Greatest current over rated current."""
    cease_below_pu: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Below this voltage it gives no current; 0: it always does. Left out: not known."""
    relay: Relay | None = None
    """Protection that takes it off the grid. Left out: not known, and nothing does."""
    droop_frac: Annotated[float, Field(gt=0, le=0.2)] = 0.02
    """Change of frequency from no to rated power (grid-forming)."""
    inertia_s: Annotated[float, Field(ge=0, le=20)] = 0.5
    """Inertia of the virtual machine; 0: droop alone (grid-forming)."""
    damping_frac: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Damping against the grid's frequency (grid-forming)."""
    reactance_frac: Annotated[float, Field(ge=0.02, le=1)] = 0.15
    """Virtual reactance on its rating (grid-forming; WECC REGFM_A1, B1: 0.04 to 0.40)."""
    resistance_frac: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    """Virtual resistance on its rating (grid-forming)."""
    power_lag_s: NonNegative = 0.02
    """Filter of its power measurement (grid-forming)."""
    volt_var_frac: NonNegative = 0.0
    """Reactive power per unit of voltage deviation, over its rating."""
    law: FastLaw = NoLaw()
    """What it does on its own within milliseconds."""
