"""Generator sets: fuel over electrical output, and carbon.

Efficiency points of the data sheet become the loss curve of `conversion`, with fuel (lower heating
value) as the input: near a straight line of fuel over output, as engines have (Willans).
"""

from __future__ import annotations

from aidc.plant.conversion import StageLoss
from aidc.plant.fit_conversion import fit_loss_curve
from aidc.schema.renewables import Genset
from aidc.units import J_PER_MWH, MEGA

__all__ = ["fuel_carbon_kg_per_j", "fuel_loss"]


def fuel_loss(genset: Genset) -> StageLoss:
    """Fuel over output: `conversion.input_power_w(power_w, *fuel_loss(genset)[:3])` is fuel power [W]."""
    fit = fit_loss_curve(list(zip(genset.load_frac, genset.efficiency_frac, strict=True)))
    rated_w = genset.power_mw * MEGA
    return StageLoss(fit.a * rated_w, fit.b, fit.c / rated_w, rated_w)


def fuel_carbon_kg_per_j(genset: Genset) -> float:
    """Carbon dioxide from a joule of fuel [kg/J]."""
    return genset.fuel_carbon_kg_per_mwh / J_PER_MWH
