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
    charge_below_mw: NonNegative | None = None

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
    at: tuple[Name, ...] = ()
    power_mw: Annotated[float, Field(gt=0, le=100_000)] | None = None
    energy_mwh: Annotated[float, Field(gt=0, le=10_000_000)] | None = None
    power_w_per_accelerator: Annotated[float, Field(gt=0, le=1e6)] | None = None
    energy_j_per_accelerator: Annotated[float, Field(gt=0, le=1e10)] | None = None
    soc_min_frac: Frac = 0.0
    soc_max_frac: Frac = 1.0
    soc_initial_frac: Frac = 0.5
    reserve_frac: Frac = 0.0
    charge_from_gensets: bool = False
    charge_loss: LossCurve
    discharge_loss: LossCurve
    cell_charge_efficiency_frac: _Efficiency
    cell_discharge_efficiency_frac: _Efficiency
    auxiliary_base_frac: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    auxiliary_share_frac: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    cell_temp_c: TempC = 25.0
    heat_to: Literal["ambient", "air"] = "ambient"
    ageing: tuple[AgeingModelName, ...] = ()
    converter: Converter = Converter()
    rule: Rule = PeakShaving()

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
