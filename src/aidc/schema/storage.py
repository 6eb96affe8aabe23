"""Storage at the site, at the UPS or in the rack, and the rule by which it acts on its own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, Name, NonNegative, Positive, Shape, TempC
from aidc.schema.chain import LossCurve
from aidc.schema.converter import Converter
from aidc.units import MINUTE_S

__all__ = [
    "AgeingModelName",
    "PeakShaving",
    "Reserve",
    "Rule",
    "SelfConsumption",
    "Smoothing",
    "Storage",
]

AgeingModelName = Literal["naumann", "blast"]
_Efficiency = Annotated[float, Field(gt=0.5, le=1)]


class _Rule(Shape):
    """What both engines ask of every rule: whether it keeps the storage full, and its time constant of smoothing [s]."""

    stays_full: ClassVar[bool] = False

    @property
    def smoothing_s(self) -> float:
        """Time constant of its running mean [s]; 0 for a rule that smooths nothing."""
        return 0.0


class SelfConsumption(_Rule):
    """Charge from what would be exported, discharge into what would be imported."""

    use: Literal["self-consumption"] = "self-consumption"


class PeakShaving(_Rule):
    """Hold import below `target_mw` (default: the import limit), recharge below `charge_below_mw`.

    Without `charge_below_mw` the storage recharges below 85 % of the target.
    """

    use: Literal["peak-shaving"] = "peak-shaving"
    target_mw: Positive | None = None
    """Import is held below this. Default: the import limit."""
    charge_below_mw: NonNegative | None = None
    """Recharges while import is below this. Default: 85 % of the target."""

    @model_validator(mode="after")
    def _charges_below_the_target(self) -> Self:
        if self.target_mw and self.charge_below_mw and self.charge_below_mw > self.target_mw:
            raise ValueError("charge_below_mw is above target_mw; it would charge while it should discharge")
        return self


class Reserve(_Rule):
    """Stay full; discharge only what the grid connection cannot carry."""

    stays_full: ClassVar[bool] = True

    use: Literal["reserve"] = "reserve"


class Smoothing(_Rule):
    """Take up the difference between net load and its running mean (time constant `window_min`)."""

    use: Literal["smoothing"] = "smoothing"
    window_min: Annotated[float, Field(gt=0, le=1440)] = 15.0
    """Time constant of the running mean of the net load."""

    @property
    def smoothing_s(self) -> float:
        """Time constant of its running mean [s]."""
        return self.window_min * MINUTE_S


Rule = Annotated[SelfConsumption | PeakShaving | Reserve | Smoothing, Field(discriminator="use")]


class Storage(Shape):
    """A storage and its converter. Power is on the AC side, energy and state of charge in the cells.

    Give `power_mw` and `energy_mwh`, or both per accelerator for storage that comes with the rack.
    The loss curves are over AC power in both directions; `auxiliary_base_frac` is of rated power,
    `auxiliary_share_frac` of the present AC power. `at` names the chains (node "ups") or pods
    (node "rack") that have it; empty means all. `reserve_frac` of the capacity above `soc_min_frac` is kept for
    outages, against rules, set points and import limits; `charge_from_gensets` lets running gensets fill it.
    """

    node: Literal["site", "ups", "rack"]
    """Where it stands: at the site, at the UPS of lineups, or in racks."""
    at: tuple[Name, ...] = ()
    """Names of the chains (node "ups") or pods (node "rack") that have it; empty: all."""
    power_mw: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Rated power on the AC side."""
    energy_mwh: Annotated[float, Field(gt=0, le=10_000_000)] | None = None
    """Capacity of the cells."""
    power_w_per_accelerator: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Rated power of storage that comes with the rack, in place of `power_mw`."""
    energy_j_per_accelerator: Annotated[float, Field(gt=0, le=1e10)] | None = None
    """Capacity of storage that comes with the rack, in place of `energy_mwh`."""
    soc_min_frac: Frac = 0.0
    """Lowest state of charge that is used."""
    soc_max_frac: Frac = 1.0
    """Highest state of charge that is used."""
    soc_initial_frac: Frac = 0.5
    """State of charge at the start of the run."""
    reserve_frac: Frac = 0.0
    """Share of the capacity above `soc_min_frac` that is kept for outages."""
    charge_from_gensets: bool = False
    """Whether running gensets may fill it."""
    charge_loss: LossCurve
    """Converter loss over AC power while charging."""
    discharge_loss: LossCurve
    """Converter loss over AC power while discharging."""
    cell_charge_efficiency_frac: _Efficiency
    """Share of the power into the cells that is stored."""
    cell_discharge_efficiency_frac: _Efficiency
    """Share of the power out of store that leaves the cells."""
    auxiliary_base_frac: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Constant auxiliary draw over rated power."""
    auxiliary_share_frac: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Auxiliary draw over the present AC power."""
    cell_temp_c: TempC = 25.0
    """Temperature that ageing is reckoned at."""
    heat_to: Literal["ambient", "air"] = "ambient"
    """Where its losses go."""
    ageing: tuple[AgeingModelName, ...] = ()
    """Models by which its ageing is told."""
    converter: Converter = Converter()
    """How it meets the grid in milliseconds."""
    rule: Rule = PeakShaving()
    """By which rule it acts on its own."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.soc_min_frac >= self.soc_max_frac:
            raise ValueError("soc_min_frac is not below soc_max_frac; leave a usable range")
        if not self.soc_min_frac <= self.soc_initial_frac <= self.soc_max_frac:
            raise ValueError("soc_initial_frac lies outside soc_min_frac to soc_max_frac")
        if self.reserve_frac > self.soc_max_frac - self.soc_min_frac:
            raise ValueError(
                "reserve_frac is more than the range from soc_min_frac to soc_max_frac; lower it"
            )
        if self.power_mw is None and self.power_w_per_accelerator is None:
            raise ValueError("has no power; give power_mw")
        if self.energy_mwh is None and self.energy_j_per_accelerator is None:
            raise ValueError("has no energy; give energy_mwh")
        if self.at and self.node == "site":
            raise ValueError("a storage at the site is shared by all; leave `at` out, or set the node")
        return self
