"""From a shape of heat rejection to its column of figures and tables, and to the number of units, by `rejection.KINDS`."""

from __future__ import annotations

import numpy as np

from aidc.errors import InputError, Problem, SimulationError
from aidc.plant.cooling.column import COLUMN, Figure, FloatArray
from aidc.plant.cooling.outdoor import Design, Outdoor, OutdoorUnits, Physics, Placed
from aidc.plant.cooling.rejection import KINDS, Kind, rejection_limit, rejection_power
from aidc.schema.cooling import HeatRejection

__all__ = [
    "hold_column",
    "kind_of",
    "outdoor_units",
    "rejection_column",
    "rejection_units",
    "unit_conductance_w_k",
]


def kind_of(rejection: HeatRejection) -> tuple[Kind, Physics]:
    """The number and the physics of a kind.

    Raises
    ------
    InputError
        The table of kinds does not have it.
    """
    known = {kind.name.lower().replace("_", "-"): kind for kind in KINDS}
    if rejection.kind not in known:
        raise InputError(
            Problem(
                "is a kind of heat rejection without a row in the table of kinds",
                f"Known are {', '.join(known)}. A new kind needs a number and a row of KINDS in plant/cooling/rejection.py.",
                key="kind",
                value=rejection.kind,
            )
        )
    kind = known[rejection.kind]
    return kind, KINDS[kind]


def rejection_column(
    rejection: HeatRejection,
    units: int,
    loop_w_k: float,
    supply_k: float = 293.15,
    air_density_frac: float = 1.0,
) -> FloatArray:
    """The column of a plant of `units` units on a loop of this heat capacity flow at full flow [W/K].

    `supply_k` is the loop's set point; a chiller's conductance counts against 10 K below it. Fans move volume: at
    `air_density_frac` of the density at sea level their mass of air and their power fall with it at equal speed
    (fan laws, ASHRAE Handbook HVAC Systems and Equipment 2020, chapter 21).

    `rejection` is the unit, `loop_w_k` that heat capacity flow.
    """
    kind, physics = kind_of(rejection)
    column = np.zeros(COLUMN)
    column[Figure.KIND] = kind
    column[Figure.FLOW_W_K] = loop_w_k
    physics.figures(column, rejection, Placed(units, loop_w_k, supply_k, air_density_frac))
    return column


def hold_column(kind: str, column: FloatArray) -> None:
    """Refuse a column whose kind the kernels do not know: they answer with no number.

    Raises
    ------
    SimulationError
        A branch of a kernel is missing.
    """
    weather, loop_k = (300.0, 290.0), (310.0, 320.0)
    limit = rejection_limit(*weather, *loop_k, column)
    power = rejection_power(0.5 * limit[0], limit[0], *loop_k, *weather, column)
    if not np.isfinite((*limit, *power)).all():
        raise SimulationError(
            f'heat rejection of kind "{kind}" has no branch in rejection_limit or in rejection_power'
            " (plant/cooling/rejection.py). Add both"
        )


def outdoor_units(rejection: HeatRejection, units: int) -> int:
    """Units outdoors of a plant of `units` units: those of chillers are counted apart."""
    return kind_of(rejection)[1].outdoor_units(rejection, units)


def rejection_units(
    rejection: HeatRejection,
    heat_w: float,
    loop_w_k: float,
    supply_k: float,
    dry_bulb_k: float | None = None,
    wet_bulb_k: float | None = None,
    air_density_frac: float = 1.0,
) -> int:
    """How many units reject a design heat at a supply set point and design weather, spares not counted.

    Parameters
    ----------
    rejection
        The equipment.
    heat_w
        Design heat, with whatever margin is wanted [W].
    loop_w_k
        Heat capacity flow of the facility loop at full flow [W/K].
    supply_k
        Set point of the supply [K].
    dry_bulb_k, wet_bulb_k
        Design weather [K]; by default that of the equipment's rating.
    air_density_frac
        Density of the air over that at sea level.

    Raises
    ------
    InputError
        The supply lies below what the design weather allows.
    """
    physics = kind_of(rejection)[1]
    return physics.units(
        rejection, Design(heat_w, loop_w_k, supply_k, dry_bulb_k, wet_bulb_k, air_density_frac)
    )


def unit_conductance_w_k(
    unit: Outdoor, liquid_frac: float, air_frac: float, wet_bulb_k: float = 298.15, span_k: float = 10.0
) -> float:
    """Conductance of one unit between coolant supply and its sink [W/K], its plate exchanger included.

    `liquid_frac` and `air_frac` are flows over those of the design, `wet_bulb_k` is that of the outdoor air and
    `span_k` the coolant's cooling [K].
    """
    physics = kind_of(unit)[1]
    if not isinstance(physics, OutdoorUnits):
        raise TypeError(unit.kind)
    return physics.conductance_w_k(unit, liquid_frac, air_frac, wet_bulb_k, span_k)
