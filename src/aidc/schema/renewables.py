"""Sources on site: photovoltaic fields, wind turbines, and generator sets."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, NonNegative, Positive, Shape
from aidc.schema.chain import Redundancy

__all__ = ["Genset", "Pv", "Renewable", "Wind"]

_SourceMw = Annotated[float, Field(gt=0, le=100_000)]
_Loss = Annotated[float, Field(ge=0, lt=1)]
_Curve = Annotated[tuple[NonNegative, ...], Field(min_length=2, max_length=200)]


class Pv(Shape):
    """A photovoltaic field by the PVWatts chain; `tracker` turns it about a north-south axis.

    `azimuth_deg` is where the modules face, clockwise from north; left out it is the equator's side: 180
    (south) in the northern hemisphere and 0 (north) in the southern.
    """

    kind: Literal["pv"] = "pv"
    dc_power_mw: _SourceMw
    """Rated power of the modules."""
    ac_power_mw: _SourceMw | None = None
    """Rated power of the inverters. Default: `dc_power_mw` over `dc_ac_ratio`."""
    dc_ac_ratio: Annotated[float, Field(gt=0.1, lt=10)] = 1.2
    """Rated DC over rated AC power."""
    tracker: bool = False
    """Whether modules turn about a north-south axis."""
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 20.0
    """From the horizontal, of a fixed field."""
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    """Where modules face, clockwise from north. Default: towards the equator."""
    tracker_limit_deg: Annotated[float, Field(gt=0, le=90)] = 60.0
    """Greatest turn of a tracker."""
    ground_coverage_frac: Annotated[float, Field(gt=0, le=1)] = 0.35
    """Area of modules over area of ground, for the backtracking of trackers."""
    losses_frac: _Loss
    """Soiling, mismatch, wiring and the like, together."""
    temp_coefficient_per_k: Annotated[float, Field(gt=-0.02, le=0)]
    """Change of power per K above 25 °C."""
    inverter_efficiency_frac: Annotated[float, Field(gt=0.5, le=1)]
    """Nominal efficiency of the inverters."""
    albedo_frac: Frac = 0.2
    """Reflectance of the ground."""

    @property
    def ac_power_w(self) -> float:
        """AC rating of the inverters, from the DC to AC ratio unless stated [W]."""
        return 1e6 * (self.dc_power_mw / self.dc_ac_ratio if self.ac_power_mw is None else self.ac_power_mw)

    def facing_deg(self, latitude_deg: float) -> float:
        """Where the modules face at a latitude: as stated, else towards the equator [° from north]."""
        return (180.0 if latitude_deg >= 0 else 0.0) if self.azimuth_deg is None else self.azimuth_deg


class Wind(Shape):
    """Turbines by a power curve at standard air density, and a power law for the hub height."""

    kind: Literal["wind"] = "wind"
    power_mw: _SourceMw
    """Rated power of all turbines."""
    curve_speed_m_s: _Curve
    """Points of the power curve: wind speed at hub height, rising."""
    curve_power_frac: _Curve
    """Points of the power curve: power over rated power."""
    hub_height_m: Annotated[float, Field(gt=1, lt=400)]
    """Height of the hubs."""
    measured_height_m: Annotated[float, Field(gt=1, lt=400)] = 10.0
    """Height that the weather's wind speed was measured at."""
    shear_exponent: Annotated[float, Field(ge=0, le=1)]
    """Of the power law that brings the wind to hub height."""
    losses_frac: _Loss
    """Wake, electrical and availability losses, together."""

    @property
    def ac_power_w(self) -> float:
        """Rating of the turbines at the grid [W]."""
        return 1e6 * self.power_mw

    @model_validator(mode="after")
    def _a_curve(self) -> Self:
        if len(self.curve_speed_m_s) != len(self.curve_power_frac):
            raise ValueError("curve_speed_m_s and curve_power_frac differ in length")
        if any(
            later <= earlier
            for earlier, later in zip(self.curve_speed_m_s, self.curve_speed_m_s[1:], strict=False)
        ):
            raise ValueError("curve_speed_m_s does not rise; sort it and drop repeated speeds")
        if max(self.curve_power_frac) > 1.05:
            raise ValueError("curve_power_frac exceeds 1; give shares of rated power")
        return self


class Genset(Shape):
    """Generator sets: electrical efficiency over load (lower heating value), start time, fuel, carbon.

    `power_mw` is what the sets that are needed give together; `units` of them share it, and `redundancy` adds
    one spare or as many again. All that are whole run and share the load. They are called once photovoltaics,
    wind and the grid have lacked anything for `call_s`, take `start_time_s` and `synchronise_s` until they
    carry, follow `ramp_frac_per_s` of their rating, and stop after the others have sufficed for `stop_s`.
    `fuel_mwh` is what the tank holds (lower heating value; default: without end), at `fuel_price_usd_per_mwh`.
    """

    kind: Literal["genset"] = "genset"
    fuel: str
    """What it burns, as a name."""
    power_mw: _SourceMw
    """What the sets that are needed give together."""
    units: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many sets share `power_mw`."""
    redundancy: Redundancy = "N"
    """Spare sets beside them."""
    load_frac: _Curve
    """Points of the efficiency curve: load over rating."""
    efficiency_frac: Annotated[tuple[Frac, ...], Field(min_length=2, max_length=50)]
    """Points of the efficiency curve: electrical efficiency on the lower heating value."""
    minimum_load_frac: Frac
    """Least load of running sets; a load bank takes what is missing."""
    call_s: NonNegative = 3.0
    """How long anything must have been lacking before they are called."""
    start_time_s: NonNegative
    """From the call until they are at speed."""
    synchronise_s: NonNegative = 2.0
    """From being at speed until they carry load."""
    stop_s: NonNegative = 300.0
    """How long the other sources must have sufficed before they stop."""
    ramp_frac_per_s: Positive
    """Fastest rise of power, of the rating."""
    fuel_mwh: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """What the tank holds (lower heating value). Default: without end."""
    fuel_price_usd_per_mwh: NonNegative = 0.0
    """Price of the fuel (lower heating value)."""
    fuel_carbon_kg_per_mwh: NonNegative
    """Emissions of the fuel (CO₂, lower heating value)."""

    @model_validator(mode="after")
    def _a_curve(self) -> Self:
        if len(self.load_frac) != len(self.efficiency_frac):
            raise ValueError("load_frac and efficiency_frac differ in length")
        if min(self.load_frac) <= 0 or max(self.load_frac) > 1.2 or min(self.efficiency_frac) <= 0:
            raise ValueError("load_frac must lie in 0 to 1.2 and efficiency_frac above 0, without zeros")
        return self


Renewable = Annotated[Pv | Wind, Field(discriminator="kind")]
