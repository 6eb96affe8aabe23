"""What units that give heat to the weather have in common: their number, their conductance, their tables.

A kind of heat rejection is an object with the three methods of `Physics`. Those that stand outdoors by themselves are an
`OutdoorUnits` with the physics of one unit: its conductance, its sink, and what it writes into the head of a column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.cooling.column import (
    FLOW_LOW,
    FLOWS,
    SHARES,
    SPAN_LOW_K,
    SPAN_STEP_K,
    SPANS,
    WET_LOW_K,
    WET_STEP_K,
    WETS,
    Figure,
    FloatArray,
    most_index,
    speed_index,
)
from aidc.schema.cooling import AdiabaticCooler, CoolingTower, DryCooler
from aidc.units import KELVIN_AT_0C, kelvin

__all__ = ["Bare", "Design", "Outdoor", "OutdoorUnits", "Physics", "Placed", "liquid_w_k", "units_for"]

Outdoor = DryCooler | AdiabaticCooler | CoolingTower

# conductance of one unit [W/K] from its fractions of liquid and air, the wet bulb [K] and the return above it [K]
Bare = Callable[[float, float, float, float], float]

_SPEEDS: Final = np.linspace(0.0, 1.0, 41)
_MOST_UNITS: Final = 100_000
_LEAST_SPAN_K: Final = 0.5


class Placed(NamedTuple):
    """A plant as it stands: units, heat capacity flow of its loop at full flow [W/K], set point [K], air density."""

    units: int
    loop_w_k: float
    supply_k: float
    air_density_frac: float


class Design(NamedTuple):
    """What a plant is sized for: heat [W], loop [W/K], set point [K], weather [K] (None: the equipment's), air density."""

    heat_w: float
    loop_w_k: float
    supply_k: float
    dry_bulb_k: float | None
    wet_bulb_k: float | None
    air_density_frac: float


class Physics(Protocol):
    """What a kind of heat rejection must be able to tell before a run; its kernels are named in `rejection.py`."""

    def figures(self, column: FloatArray, rejection: Any, at: Placed) -> None:
        """Write all that its kernels read into the column of a plant."""

    def units(self, rejection: Any, design: Design) -> int:
        """How many units carry a design heat, spares not counted."""
        ...

    def outdoor_units(self, rejection: Any, units: int) -> int:
        """How many units stand outdoors in a plant of `units`."""
        ...


class OutdoorUnits(NamedTuple):
    """A kind that stands outdoors by itself.

    `bare` gives the conductance of one unit without its plate exchanger; `head` writes the kind's figures into a
    column, from a unit, their number and the density of the air; `sink_k` the temperature that the supply cannot go below,
    from a unit and the weather [K] (None: that of its rating); `sink` names it.
    """

    bare: Callable[[Any], Bare]
    head: Callable[[FloatArray, Any, int, float], None]
    sink_k: Callable[[Any, float | None, float | None], float]
    sink: str

    def figures(self, column: FloatArray, rejection: Any, at: Placed) -> None:
        """Write head and tables of units that take the loop's flow."""
        unit: Outdoor = rejection
        column[Figure.FAN_W] = at.units * unit.fan_kw * 1e3 * at.air_density_frac
        column[Figure.DESIGN_SPAN_K] = kelvin(unit.coolant_in_c) - self.sink_k(unit, None, None)
        self.head(column, unit, at.units, at.air_density_frac)
        _tables(column, self._of_all(unit, at), kelvin(unit.coolant_in_c))

    def units(self, rejection: Any, design: Design) -> int:
        """The least number that carries the design heat; refused where the supply lies below what the weather allows."""
        unit: Outdoor = rejection
        sink_k = self.sink_k(unit, design.dry_bulb_k, design.wet_bulb_k)
        if design.supply_k - sink_k < _LEAST_SPAN_K:
            raise self._too_cold(unit, design.supply_k, sink_k)
        low, high = 0, 1
        while not self._suffices(unit, high, design, sink_k):
            low, high = high, 2 * high
            if high > _MOST_UNITS:
                raise self._too_cold(unit, design.supply_k, sink_k)
        while high - low > 1:
            middle = (low + high) // 2
            if self._suffices(unit, middle, design, sink_k):
                high = middle
            else:
                low = middle
        return high

    def outdoor_units(self, rejection: Any, units: int) -> int:
        """All of them."""
        del rejection
        return units

    def conductance_w_k(
        self, unit: Any, liquid_frac: float, air_frac: float, wet_bulb_k: float, span_k: float
    ) -> float:
        """Conductance of one unit between coolant supply and its sink [W/K], its plate exchanger included.

        `liquid_frac` and `air_frac` are flows over those of the design, `wet_bulb_k` is that of the outdoor air and
        `span_k` the coolant's cooling [K].
        """
        return _behind_plates(unit, self.bare(unit)(liquid_frac, air_frac, wet_bulb_k, span_k))

    def _suffices(self, unit: Outdoor, units: int, design: Design, sink_k: float) -> bool:
        span_k = design.heat_w / design.loop_w_k + design.supply_k - sink_k
        liquid_frac = design.loop_w_k / (units * liquid_w_k(unit))
        each = self.conductance_w_k(unit, liquid_frac, design.air_density_frac, sink_k, span_k)
        return units * each * (design.supply_k - sink_k) >= design.heat_w

    def _of_all(self, unit: Outdoor, at: Placed) -> Bare:
        """Conductance of all units from the loop's flow fraction, the fans' speed, wet bulb and span."""
        flow_at_full = at.loop_w_k / (at.units * liquid_w_k(unit))
        bare = self.bare(unit)

        def conductance(flow: float, air: float, wet_k: float, span_k: float) -> float:
            each = bare(flow * flow_at_full, air * at.air_density_frac, wet_k, span_k)
            return at.units * _behind_plates(unit, each)

        return conductance

    def _too_cold(self, unit: Outdoor, supply_k: float, sink_k: float) -> InputError:
        return InputError(
            Problem(
                f"cannot be reached by a {unit.kind} at a design {self.sink} of {sink_k - KELVIN_AT_0C:.1f} °C",
                "Raise supply_temp_c, set design_dry_bulb_c and design_wet_bulb_c to the site's, or use a chiller.",
                key="supply_temp_c",
                value=round(supply_k - KELVIN_AT_0C, 2),
            )
        )


def liquid_w_k(unit: Outdoor) -> float:
    """Heat capacity flow of one unit's liquid at its rating [W/K]."""
    return unit.rated_heat_mw * 1e6 / (unit.coolant_in_c - unit.coolant_out_c)


def _behind_plates(unit: Outdoor, bare_w_k: float) -> float:
    if unit.exchanger_approach_k <= 0 or bare_w_k <= 0:
        return bare_w_k
    return 1.0 / (1.0 / bare_w_k + unit.exchanger_approach_k / (unit.rated_heat_mw * 1e6))


def units_for(heat_w: float, each_w: float) -> int:
    """The least number of machines of a stated capacity [W] for a heat [W]."""
    return max(1, math.ceil(heat_w / each_w - 1e-9))


def _tables(column: FloatArray, conductance: Bare, return_k: float) -> None:
    """Write the most conductance, and the fan speeds while the water returns at its design temperature."""
    shares = np.linspace(0.0, 1.0, SHARES)
    for i, flow in enumerate(np.linspace(FLOW_LOW, 1.0, FLOWS)):
        for j in range(WETS):
            wet_k = WET_LOW_K + j * WET_STEP_K
            span_k = max(return_k - wet_k, SPAN_LOW_K)
            for k in range(SPANS):
                column[most_index(i, j, k)] = conductance(flow, 1.0, wet_k, SPAN_LOW_K + k * SPAN_STEP_K)
            curve = np.array([conductance(flow, speed, wet_k, span_k) for speed in _SPEEDS])
            curve = curve / curve[-1]
            still = curve <= curve[0] * (1 + 1e-9)  # free convection alone
            start = int(np.argmin(still)) - 1 if still[0] and not still.all() else 0
            first = speed_index(i, j, 0)
            column[first : first + SHARES] = np.interp(shares, curve[start:], _SPEEDS[start:], left=0.0)
