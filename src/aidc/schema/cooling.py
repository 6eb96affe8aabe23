"""Liquid cooling and heat rejection: the shapes of the equipment, and a site's cooling plant.

Heat rejection is a union told apart by `kind`. A shape says by its properties what the rest of the house asks of every
kind: what stands outdoors (`unit`), whether compressors work (`compressors`), the weather of its rating. How a kind
is added stands in `docs/architecture.md`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, Name, NonNegative, Positive, Shape, TempC
from aidc.schema.built import PlantBuilt
from aidc.schema.chain import Redundancy
from aidc.schema.chiller_map import ChillerMap
from aidc.schema.front_end import Drives

__all__ = [
    "AdiabaticCooler",
    "Cdu",
    "ChillerEconomiser",
    "ColdPlate",
    "CoolantName",
    "CoolingPlant",
    "CoolingTower",
    "Crah",
    "DryCooler",
    "HeatRejection",
    "OutdoorUnit",
]

CoolantName = Literal["water", "pg20", "pg25"]

_Exponent = Annotated[float, Field(ge=0, le=1)]
_Span = Annotated[float, Field(gt=0, le=100)]
_Approach = Annotated[float, Field(ge=0, le=50)]
_UnitMw = Annotated[float, Field(gt=0, le=10_000)]
_Litres = Annotated[float, Field(gt=0, le=1000)]
_Curve = Annotated[tuple[Annotated[float, Field(ge=-100, le=100)], ...], Field(min_length=1, max_length=4)]


_OF_CARNOT: Final = (
    "carnot_frac",
    "part_load",
    "evaporator_pinch_k",
    "condenser_pinch_k",
    "supply_min_c",
    "supply_max_c",
)
_WORK_OF_CARNOT: Final = 0.2  # a COP of 5


def _moves_more_than_it_draws(name: str, power_kw: float, heat_kw: float) -> None:
    """Refuse a fan or pump that draws as much as the heat it moves: a slip of units, as a rule."""
    if power_kw >= heat_kw:
        raise ValueError(
            f"{name} ({power_kw:g} kW) is not below the rated heat ({heat_kw:g} kW). Check the units"
        )


class ColdPlate(Shape):
    """Resistance from case to coolant inlet, `a + b·V^-exponent` [K/W] with V in l/min per plate.

    The curve holds from `flow_min_l_min` to `flow_max_l_min`; it includes the coolant's own rise.
    `heat_capacity_j_per_k` is what warms up with the case when the flow stops.
    """

    coolant: CoolantName
    """Coolant that the curve was measured with."""
    a_k_per_w: Positive
    """Constant of the resistance."""
    b_k_per_w: NonNegative
    """Factor of the part that falls with flow (flow in l/min)."""
    exponent: Annotated[float, Field(gt=0, le=2)]
    """Exponent of that part."""
    flow_min_l_min: Positive
    """Least flow per plate at which the curve holds."""
    flow_max_l_min: Positive
    """Greatest flow per plate at which the curve holds."""
    heat_capacity_j_per_k: Annotated[float, Field(gt=0, le=1e6)] = 300.0
    """What warms up with the case when the flow stops."""

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Self:
        if self.flow_max_l_min <= self.flow_min_l_min:
            raise ValueError("flow_max_l_min must lie above flow_min_l_min")
        return self


class Cdu(Shape):
    """A coolant distribution unit at its design point: a counterflow exchanger and its pumps.

    At `rated_heat_kw` and both rated flows the rack loop is supplied `approach_k` above the facility
    water at `facility_in_c`. `secondary_cp_kj_per_kg_k` is the heat capacity behind the rated figures;
    without it that of the coolant at the rack supply temperature is used. `pump_kw` is drawn at rated
    flow, of which `pump_static_frac` serves a fixed pressure difference. `inventory_l_per_kw` is the
    coolant of the rack loop per kW of rated heat. Exchanger films follow `flow^film_exponent`.
    """

    rated_heat_kw: Positive
    """Heat at the design point."""
    approach_k: _Span
    """Rack supply above facility supply at the design point."""
    facility_in_c: TempC
    """Facility water into the unit at the design point."""
    secondary_coolant: CoolantName
    """Coolant of the rack loop."""
    secondary_flow_kg_s: Positive
    """Rack loop's flow at the design point."""
    primary_flow_kg_s: Positive
    """Facility water's flow at the design point."""
    secondary_cp_kj_per_kg_k: Annotated[float, Field(gt=1, lt=5)] | None = None
    """Heat capacity behind the rated figures. Default: the coolant's at the rack supply temperature."""
    film_exponent: _Exponent = 0.8
    """Exponent of the exchanger's films over flow."""
    pump_kw: Positive
    """Draw of the pumps at rated flow."""
    nameplate_kw: Positive | None = None
    """Electrical nameplate."""
    pump_static_frac: Frac = 0.3
    """Share of the pumps' power that serves a fixed pressure difference."""
    flow_min_frac: Annotated[float, Field(gt=0.02, le=1)] = 0.3
    """Least flow over rated flow."""
    inventory_l_per_kw: _Litres = 1.0
    """Coolant of the rack loop per kW of rated heat."""

    @model_validator(mode="after")
    def _pumps_fit(self) -> Self:
        _moves_more_than_it_draws("pump_kw", self.pump_kw, self.rated_heat_kw)
        return self


class Crah(Shape):
    """A computer-room air handler at its design point: a coil and fans; fan power follows flow cubed.

    `thermal_mass_kj_per_k_per_kw` is what warms up with the hall's air (air, coil water, sheet metal)
    per kW of rated heat.
    """

    rated_heat_kw: Positive
    """Heat at the design point."""
    air_return_c: TempC
    """Air into the unit at the design point."""
    air_supply_c: TempC
    """Air out of the unit at the design point."""
    water_in_c: TempC
    """Water into the unit at the design point."""
    water_out_c: TempC
    """Water out of the unit at the design point."""
    fan_kw: Positive
    """Draw of the fans at full speed."""
    film_exponent: _Exponent = 0.8
    """Exponent of the coil's films over flow."""
    flow_min_frac: Annotated[float, Field(gt=0.02, le=1)] = 0.3
    """Least flow over rated flow."""
    thermal_mass_kj_per_k_per_kw: Annotated[float, Field(gt=0, le=10_000)] = 12.0
    """What warms up with the hall's air, per kW of rated heat."""

    @model_validator(mode="after")
    def _temperatures_cross_nowhere(self) -> Self:
        if not self.water_in_c < self.air_supply_c < self.air_return_c:
            raise ValueError("water_in_c, air_supply_c and air_return_c must rise in this order")
        if not self.water_in_c < self.water_out_c < self.air_return_c:
            raise ValueError("water_out_c must lie between water_in_c and air_return_c")
        _moves_more_than_it_draws("fan_kw", self.fan_kw, self.rated_heat_kw)
        return self


class _Outdoor(Shape):
    """What every unit that gives heat to the weather has: its design point and its fans.

    `fan_kw` is drawn at full speed and falls with speed cubed. `exchanger_approach_k` is for a plate
    exchanger between the unit's own circuit and the facility loop, at rated heat; 0 without one.
    `response_s` is the lag of fan control.
    """

    # whether machines work, which can be out of service and unload at once; and their electricity over cooling, which
    # what stands outdoors carries as well
    compressors: ClassVar[bool] = False
    work_frac: ClassVar[float] = 0.0

    rated_heat_mw: _UnitMw
    """Heat at the design point."""
    fan_kw: Positive
    """Draw of the fans at full speed."""
    coolant_in_c: TempC
    """Liquid into the unit at the design point."""
    coolant_out_c: TempC
    """Liquid out of the unit at the design point."""
    exchanger_approach_k: _Approach = 0.0
    """Approach of a plate exchanger to the facility loop at rated heat; 0: there is none."""
    response_s: Positive = 60.0
    """Lag of fan control."""

    @model_validator(mode="after")
    def _cools(self) -> Self:
        if self.coolant_in_c <= self.coolant_out_c:
            raise ValueError("coolant_in_c must lie above coolant_out_c")
        _moves_more_than_it_draws("fan_kw", self.fan_kw, 1e3 * self.rated_heat_mw)
        return self

    @property
    def unit(self) -> Self:
        """What gives the heat to the weather."""
        return self

    @property
    def rated_dry_bulb_c(self) -> float | None:
        """Dry bulb of the rating [°C]; None where only the wet bulb is stated."""
        return None

    @property
    def rated_wet_bulb_c(self) -> float | None:
        """Wet bulb of the rating [°C]; None where only the dry bulb is stated."""
        return None


class _Coils(_Outdoor):
    """Finned coils and fans: heat to air at dry bulb.

    Films follow flow to `liquid_exponent` and `air_exponent`; `air_over_liquid_film` is the ratio of
    the air's film conductance to the liquid's at design, `air_over_liquid_capacity` that of the heat
    capacity flows.
    """

    air_in_c: TempC
    """Dry bulb at the design point."""
    air_over_liquid_capacity: Positive = 1.0
    """Heat-capacity flow of the air over that of the liquid at the design point."""
    air_over_liquid_film: Positive = 0.5
    """Film conductance of the air over that of the liquid at the design point."""
    liquid_exponent: _Exponent = 0.85
    """Exponent of the liquid's film over its flow."""
    air_exponent: _Exponent = 0.8
    """Exponent of the air's film over its flow."""

    @model_validator(mode="after")
    def _above_air(self) -> Self:
        if self.air_in_c >= self.coolant_out_c:
            raise ValueError("coolant_out_c must lie above air_in_c")
        return self

    @property
    def rated_dry_bulb_c(self) -> float | None:
        """Dry bulb of the rating [°C]."""
        return self.air_in_c


class DryCooler(_Coils):
    """A dry cooler: no water, and no supply below dry bulb."""

    kind: Literal["dry-cooler"] = "dry-cooler"


class AdiabaticCooler(_Coils):
    """A dry cooler whose air is first cooled over wetted pads when dry operation no longer suffices.

    The rated point is dry. Pads bring the air `pad_effectiveness` of the way to wet bulb. They come on as
    the heat to reject exceeds `wet_at_load_frac` of what the unit can do dry. A plant is sized for wet
    operation at `wet_bulb_c`.
    """

    kind: Literal["adiabatic-cooler"] = "adiabatic-cooler"
    wet_bulb_c: TempC
    """Wet bulb at which a plant is sized for wet operation."""
    pad_effectiveness: Annotated[float, Field(gt=0, lt=1)]
    """How far the pads bring the air towards wet bulb."""
    wet_at_load_frac: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Pads come on above this share of the heat that the unit rejects dry."""
    cycles_of_concentration: Annotated[float, Field(gt=1, le=20)]
    """Of the pads' water: evaporation over blowdown, plus 1."""

    @property
    def rated_wet_bulb_c(self) -> float | None:
        """Wet bulb of the rating [°C]."""
        return self.wet_bulb_c


class CoolingTower(_Outdoor):
    """An evaporative tower by Merkel's theory; its sink is the wet bulb.

    `water_over_air` is the ratio of mass flows at design. `air_curve`, `water_curve` and
    `wet_bulb_curve` are polynomials that correct UA for the fractions of air and water flow and for
    the difference of design and present wet bulb [K]. `free_convection_frac` is the share of
    conductance without fans, `drift_frac` the share of the circulating water that is blown out.
    """

    kind: Literal["cooling-tower"] = "cooling-tower"
    wet_bulb_c: TempC
    """Wet bulb at the design point."""
    water_over_air: Positive
    """Water over air by mass at the design point."""
    air_curve: _Curve = (0.0, 1.3, -0.3)
    """Polynomial that corrects UA for the fraction of air flow, from the constant up."""
    water_curve: _Curve = (0.1082, 1.667, -0.7713)
    """Polynomial that corrects UA for the fraction of water flow, from the constant up."""
    wet_bulb_curve: _Curve = (1.0, 0.0081)
    """Polynomial that corrects UA for design less present wet bulb [K], from the constant up."""
    free_convection_frac: Annotated[float, Field(ge=0, lt=0.5)] = 0.125
    """Share of the conductance that is left without fans."""
    cycles_of_concentration: Annotated[float, Field(gt=1, le=20)]
    """Evaporation over blowdown, plus 1."""
    drift_frac: Annotated[float, Field(ge=0, le=0.01)] = 0.00008
    """Share of the circulating water that is blown out."""

    @model_validator(mode="after")
    def _above_wet_bulb(self) -> Self:
        if self.wet_bulb_c >= self.coolant_out_c - self.exchanger_approach_k:
            raise ValueError("coolant_out_c must lie above wet_bulb_c")
        return self

    @model_validator(mode="after")
    def _curves_hold_at_design(self) -> Self:
        for name, value in (
            ("air_curve", sum(self.air_curve)),
            ("water_curve", sum(self.water_curve)),
            ("wet_bulb_curve", self.wet_bulb_curve[0]),
        ):
            if not 0.5 <= value <= 2.0:
                raise ValueError(
                    f"{name} gives {value:g} at the design point. Correct it: about 1 belongs there"
                )
        return self

    @property
    def rated_wet_bulb_c(self) -> float | None:
        """Wet bulb of the rating [°C]."""
        return self.wet_bulb_c


OutdoorUnit = Annotated[DryCooler | CoolingTower, Field(discriminator="kind")]


class ChillerEconomiser(Shape):
    """Chillers behind an economiser that shares their outdoor units.

    The loop's return water is first cooled by the outdoor unit's own water or coil (`economiser_approach_k`
    above it at rated heat); chillers lift the rest. Their electricity follows a maker's map (`performance`), or else
    a fraction of Carnot: COP is `carnot_frac` of Carnot's between evaporation (`evaporator_pinch_k` below supply) and
    condensation (`condenser_pinch_k` above the water from outdoors), at a lift of at least `lift_min_k`, and
    `part_load` (a + b·x + c·x²) is power over full power at load x. One machine of a bank never runs below
    `part_load_min_frac`. From `supply_min_c` to `supply_max_c` (in a map: its leaving water) it holds; beyond
    a run says so.
    """

    compressors: ClassVar[bool] = True

    kind: Literal["chiller-economiser"] = "chiller-economiser"
    rated_heat_mw: _UnitMw
    """Heat at the design point."""
    outdoor: OutdoorUnit
    """The outdoor units that chillers and economiser share."""
    performance: ChillerMap | None = None
    """A maker's performance map, in place of the fraction of Carnot."""
    carnot_frac: Annotated[float, Field(gt=0.05, le=0.9)] | None = None
    """COP over that of Carnot's cycle."""
    part_load: tuple[float, float, float] | None = None
    """Power over full power at load x: a + b·x + c·x²."""
    part_load_min_frac: Annotated[float, Field(gt=0.05, le=1)] = 0.25
    """Least load of one machine."""
    evaporator_pinch_k: _Approach | None = None
    """Evaporation below supply."""
    condenser_pinch_k: _Approach | None = None
    """Condensation above the water from outdoors."""
    economiser_approach_k: _Approach
    """Loop above the outdoor unit's own water or coil at rated heat."""
    lift_min_k: _Span = 10.0
    """Least lift that the COP is reckoned with."""
    condenser_pump_kw: NonNegative = 0.0
    """Draw of the condenser pumps at rated heat."""
    supply_min_c: TempC | None = None
    """Lowest supply at which the curve holds."""
    supply_max_c: TempC | None = None
    """Highest supply at which the curve holds."""

    @model_validator(mode="after")
    def _one_curve(self) -> Self:
        values = {name: getattr(self, name) for name in _OF_CARNOT}
        missing = [name for name, value in values.items() if value is None]
        if self.performance is None and missing:
            raise ValueError(
                f"needs {', '.join(missing)}; or a maker's map as a table [performance] instead of these"
            )
        if self.performance is not None and len(missing) < len(_OF_CARNOT):
            stated = ", ".join(name for name in _OF_CARNOT if name not in missing)
            raise ValueError(f"has both a map (performance) and {stated}. Leave out one of the two")
        return self

    @model_validator(mode="after")
    def _curve_is_a_curve(self) -> Self:
        if (
            self.part_load is not None and abs(sum(self.part_load) - 1.0) > 0.02
        ):  # a published curve may miss 1 slightly
            raise ValueError("part_load must give 1 at full load: a + b + c = 1")
        low, high = self.supply_range_c
        if high <= low:
            raise ValueError("supply_max_c must lie above supply_min_c")
        _moves_more_than_it_draws("condenser_pump_kw", self.condenser_pump_kw, 1e3 * self.rated_heat_mw)
        return self

    @model_validator(mode="after")
    def _map_of_air_has_coils(self) -> Self:
        by_air = self.performance is not None and self.performance.entering == "outdoor-air"
        if by_air and self.outdoor.rated_dry_bulb_c is None:
            raise ValueError(
                'performance.entering is "outdoor-air", but the outdoor unit is a tower, which gives water to the'
                ' condenser. Set entering = "condenser-water", or make outdoor a dry-cooler'
            )
        return self

    @property
    def unit(self) -> DryCooler | CoolingTower:
        """What gives the heat to the weather."""
        return self.outdoor

    @property
    def rated_dry_bulb_c(self) -> float | None:
        """Dry bulb of the outdoor units' rating [°C]."""
        return self.outdoor.rated_dry_bulb_c

    @property
    def rated_wet_bulb_c(self) -> float | None:
        """Wet bulb of the outdoor units' rating [°C]."""
        return self.outdoor.rated_wet_bulb_c

    @property
    def response_s(self) -> float:
        """Lag of the machines' control [s]."""
        return self.outdoor.response_s

    @property
    def supply_range_c(self) -> tuple[float, float]:
        """Chilled water for which the performance holds [°C]."""
        if self.performance is not None:
            return self.performance.leaving_range_c
        return self.supply_min_c or 0.0, self.supply_max_c or 0.0

    @property
    def work_frac(self) -> float:
        """Compressors' electricity over cooling, for the heat that the outdoor units carry as well."""
        return _WORK_OF_CARNOT if self.performance is None else 1.0 / self.performance.rated_cop


HeatRejection = Annotated[
    DryCooler | AdiabaticCooler | CoolingTower | ChillerEconomiser, Field(discriminator="kind")
]


class CoolingPlant(Shape):
    """A cooling plant of a site: heat rejection, facility loop, and what hangs on it.

    `supply_temp_c` is the set point of the facility loop. Without `units` the plant is sized to the
    design heat of its pods times 1 + `margin_frac`, at `design_dry_bulb_c` and `design_wet_bulb_c`
    (default: those of the equipment), and `redundancy` adds to that; spare units run and share the load.

    `return_rise_k` is the rise of the facility water at design heat (default: that of the CDU, or the
    CRAH). Pumps work against `pump_head_kpa` with `pump_efficiency_frac`; `pump_static_frac` of it is a
    fixed pressure difference, and `pump_units` share the flow. `loop_inventory_l_per_kw` is facility water per
    kW of design heat.

    Heat is reused while the return is at least `heat_reuse_min_c`: `heat_reuse_frac` of it, at most
    `heat_reuse_limit_mw`. `built` holds what the sizing has found, once it has.
    """

    rejection: HeatRejection
    rejection_name: str = ""
    cdu: Name | None = None
    """CDU of the catalogue, or a table with `use` and figures of your own."""
    cdu_entry: Cdu | None = None
    crah: Name | None = None
    """Air handler of the catalogue, or a table with `use` and figures of your own.
    Default: crah-chilled-water.
    """
    crah_entry: Crah | None = None
    supply_temp_c: Annotated[TempC, Field(ge=2, le=60)]
    """Set point of the facility loop."""
    units: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Number of units. Default: sized to the design heat of the pods."""
    redundancy: Redundancy = "N+1"
    """Spare units beside them; they run and share the load."""
    margin_frac: Annotated[float, Field(ge=0, le=2)] = 0.1
    """Margin of the design heat in sizing."""
    design_dry_bulb_c: TempC | None = None
    """Dry bulb of sizing. Default: that of the equipment."""
    design_wet_bulb_c: TempC | None = None
    """Wet bulb of sizing. Default: that of the equipment."""
    return_rise_k: _Span | None = None
    """Rise of the facility water at design heat. Default: that of the CDU, or the CRAH."""
    loop_inventory_l_per_kw: _Litres = 4.0
    """Facility water per kW of design heat."""
    loop_coolant: CoolantName = "water"
    """Coolant of the facility loop."""
    flow_min_frac: Annotated[float, Field(gt=0.02, le=1)] = 0.3
    """Least flow over full flow."""
    pump_head_kpa: Annotated[float, Field(gt=0, le=10_000)] = 250.0
    """Pressure difference at full flow."""
    pump_efficiency_frac: Annotated[float, Field(gt=0.1, le=0.95)] = 0.65
    """Efficiency of pump, motor and drive together."""
    pump_static_frac: Frac = 0.3
    """Share of the head that is a fixed pressure difference."""
    pump_units: Annotated[int, Field(ge=1, le=1000)] = 2
    """Pumps that share the flow."""
    control_s: Positive = 60.0
    """Time constant with which the loop is brought back to its set point."""
    heat_reuse_frac: Frac = 1.0
    """Share of the heat that is offered for reuse."""
    heat_reuse_limit_mw: NonNegative = 0.0
    """Most heat that is reused; 0: none."""
    heat_reuse_min_c: TempC = 40.0
    """Lowest return at which heat is reused."""
    drives: Drives = Drives()
    """Motors of the plant in milliseconds, and whether they hang on the UPS."""
    built: PlantBuilt | None = None
    """Sizes that have been worked out once; written by `aidc equipment --write`."""

    @model_validator(mode="after")
    def _has_something_to_cool_with(self) -> Self:
        if self.cdu_entry is None and self.crah_entry is None:
            raise ValueError(
                'has neither a CDU nor a CRAH. Add cdu = "deschutes-2mw" or crah = "crah-chilled-water"'
            )
        return self
