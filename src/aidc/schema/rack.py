"""The shape of a rack entry: what stands in one rack, and what each part of it draws.

Powers of a server are per server (a tray of a rack-scale system counts as a server), so a rack of
air-cooled servers and a rack-scale system have the same keys.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, Name, NonNegative, Shape, TempC

__all__ = ["AIR_ALLOWABLE_C", "Rack"]

_Watts = Annotated[float, Field(ge=0, le=100_000)]  # of one server or accelerator
AIR_ALLOWABLE_C: Final = {"A1": 32.0, "A2": 35.0, "A3": 40.0, "A4": 45.0, "H1": 25.0}

_Count = Annotated[int, Field(gt=0, le=100_000)]


class Rack(Shape):
    """One rack: accelerators, servers, cooling, share of the network.

    `rated_power_kw` is the nameplate at the rack inlet. `power_floor_w` is the lowest limit that an
    accelerator enforces, `accelerator_idle_w` what it draws without work. `host_base_w` (processors,
    memory, NICs, scale-up switches), fans and supplies are per server; `dynamic_frac` is what
    follows the accelerators, over their power. The loss of the supplies is `psu_fixed_w + psu_frac ·
    DC power`; a chain with a supply stage of its own replaces it. `network_w` is switches and optics
    outside the servers, per accelerator.

    `liquid_frac` is the share of the rack's heat that goes into the cold plates; `cold_plate` names
    their curve and `cold_plates` counts them. `heat_sink_k_per_w` is the rise of the case over the
    air at the inlet of an air-cooled rack. Throttling begins at `case_limit_c`, shutdown follows at
    `case_trip_c`. `capacitor_j` is the storage in the power shelf, per accelerator.

    The air at the inlet may be as warm as its ASHRAE class allows (`air_class`; ASHRAE TC 9.9, Thermal Guidelines
    for Data Processing Environments, 5th ed. 2021, allowable maximum), or its maker (`air_limit_c`); the coolant
    `coolant_limit_c`. Above a limit the rack throttles, from nothing at the limit to its floor `inlet_band_k` above
    it, where it shuts down (the band is engineering knowledge without a checked source).

    Power was measured at some inlet temperature: `air_reference_c` and `coolant_reference_c`. Above or below it
    the accelerators draw `leakage_per_k` of their power more or less per K; above `air_reference_c` the fans speed
    up by `fan_speed_per_k` of their speed per K, up to `fan_speed_most` times (power by its cube).
    """

    accelerator: Name
    """Accelerator of the catalogue."""
    accelerators: _Count
    """Accelerators of one rack."""
    servers: _Count
    """Servers (or trays) of one rack."""
    rated_power_kw: Annotated[float, Field(gt=0, le=10_000)]
    """Nameplate at the rack inlet."""
    cooling: Literal["air", "liquid"]
    """Whether cold plates take part of the heat."""

    accelerator_idle_w: _Watts
    """Draw of one accelerator without work."""
    power_floor_w: Annotated[_Watts, Field(gt=0)]
    """Lowest limit that an accelerator enforces."""

    host_base_w: _Watts
    """Processors, memory, NICs and scale-up switches of one server."""
    dynamic_frac: Annotated[Frac, Field(lt=1)]
    """Host power that follows the accelerators, over their power."""
    fan_idle_w: _Watts
    """Fans of one server without work."""
    fan_rated_w: _Watts
    """Fans of one server at rated power."""
    psu_fixed_w: _Watts
    """Constant loss of the supplies of one server."""
    psu_frac: Annotated[float, Field(gt=-0.02, lt=0.3)]
    """Loss of the supplies over DC power."""
    network_w: _Watts
    """Switches and optics outside the servers, per accelerator."""

    liquid_frac: Frac = 0.0
    """Share of the rack's heat that goes into cold plates."""
    coolant_l_min_per_kw: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Design flow of the rack loop per kW of liquid heat."""
    cold_plate: Name | None = None
    """Cold plate of the catalogue."""
    cold_plates: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Cold plates of one rack."""
    heat_sink_k_per_w: NonNegative = 0.0
    """Case over inlet air, per W of an accelerator (air-cooled racks)."""
    case_limit_c: TempC
    """Case temperature at which throttling begins."""
    case_trip_c: TempC
    """Case temperature at which the rack shuts down."""

    air_class: Literal["A1", "A2", "A3", "A4", "H1"] = "A2"
    """ASHRAE class, which gives the warmest inlet air (TC 9.9, 5th ed. 2021, allowable)."""
    air_limit_c: TempC | None = None
    """Warmest inlet air of the maker, in place of the class."""
    coolant_limit_c: TempC = 45.0
    """Warmest coolant at the inlet."""
    inlet_band_k: Annotated[float, Field(gt=0, le=50)] = 10.0
    """From the limit to shutdown (no checked source)."""
    air_reference_c: TempC = 25.0
    """Inlet air at which the powers were measured."""
    coolant_reference_c: TempC = 30.0
    """Coolant at which the powers were measured."""
    leakage_per_k: Annotated[float, Field(ge=0, le=0.02)] = 0.0
    """Change of the accelerators' power per K from the reference."""
    fan_speed_per_k: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Rise of fan speed per K above `air_reference_c`."""
    fan_speed_most: Annotated[float, Field(ge=1, le=3)] = 1.5
    """Highest fan speed over that at the reference."""

    capacitor_j: Annotated[float, Field(ge=0, le=1e8)] = 0.0
    """Storage of the power shelf, per accelerator."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.accelerators % self.servers:
            raise ValueError("accelerators is no multiple of servers; give every server as many")
        if self.fan_idle_w > self.fan_rated_w:
            raise ValueError("fan_idle_w exceeds fan_rated_w; swap or mend them")
        if self.case_trip_c <= self.case_limit_c:
            raise ValueError("case_trip_c must lie above case_limit_c")
        return self

    @model_validator(mode="after")
    def _cooled(self) -> Self:
        if self.cooling == "liquid" and not (
            self.cold_plate and self.cold_plates and self.coolant_l_min_per_kw and self.liquid_frac
        ):
            raise ValueError(
                "a liquid-cooled rack needs liquid_frac, coolant_l_min_per_kw, cold_plate and cold_plates"
            )
        if self.cooling == "air" and (self.liquid_frac > 0 or self.heat_sink_k_per_w <= 0):
            raise ValueError("an air-cooled rack needs heat_sink_k_per_w, and no liquid_frac")
        return self

    @property
    def air_most_c(self) -> float:
        """The warmest air that the rack takes without throttling [°C]."""
        return AIR_ALLOWABLE_C[self.air_class] if self.air_limit_c is None else self.air_limit_c

    @property
    def accelerators_per_server(self) -> int:
        """How many accelerators share a host."""
        return self.accelerators // self.servers
