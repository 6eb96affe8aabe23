"""A chiller's performance map: capacity and electricity over leaving water, condenser inlet and part load.

As curves (DOE-2.1; EnergyPlus `Chiller:Electric:EIR`), with temperatures in °C, x the leaving chilled water and y what
enters the condenser (water from the outdoor units, or outdoor air):

    Q_avail = Q_ref · CapFT(x, y),   PLR = Q / Q_avail,   P = Q_avail / COP_ref · EIRFT(x, y) · EIRFPLR(PLR)
    CapFT, EIRFT = a + b x + c x² + d y + e y² + f x y

As a table: capacity over x and y, electricity per cooling over x, y and PLR, both interpolated linearly. Below the least
load a machine cycles, so that P falls with Q (EnergyPlus's cycling ratio; no hot-gas bypass).

Source: EnergyPlus Engineering Reference, Electric Chiller Model Based on Condenser Entering Temperature, of U.S.
Department of Energy; Modelica Buildings, Fluid.Chillers.ElectricEIR. Outside of its range of temperatures a map is
read at its edge (`simulate/compiling/map_range.py` tells a run of it).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import product
from typing import Final

import numpy as np

from aidc.errors import InputError, Problem
from aidc.jit import scalar
from aidc.plant.cooling.column import OWN, Figure, FloatArray
from aidc.schema.chiller_map import MAP_POINTS, ChillerCurves, ChillerMap
from aidc.units import KELVIN_AT_0C

__all__ = ["Form", "biquadratic", "fill_map", "map_capacity_frac", "map_power_frac"]


class Form(IntEnum):
    """How the performance of a plant's chillers is given."""

    CARNOT = 0
    CURVES = 1
    TABLE = 2


# places of the map in a column
_LEAVING_C: Final = OWN  # range: least, most
_ENTERING_C: Final = OWN + 2
_EIR: Final = OWN + 4  # electricity per cooling at the reference point
_BY_TEMPERATURE: Final = OWN + 5  # curves: capacity, electricity, part load
_EIR_BY_TEMPERATURE: Final = OWN + 11
_BY_LOAD: Final = OWN + 17
_COUNTS: Final = OWN + 5  # table: points of each axis, the axes, capacity, electricity
_AXES: Final = OWN + 8
_CAPACITY: Final = _AXES + 3 * MAP_POINTS
_TABLE_EIR: Final = _CAPACITY + MAP_POINTS * MAP_POINTS
_LEAST_FRAC: Final = 1e-3
_OFF: Final = 0.1  # how far published curves miss 1 at their reference point; EnergyPlus warns beyond it
_FALLEN: Final = 0.05  # a curve that falls below it within its range was not fitted there
_TRIED: Final = 9  # points of a range at which curves are tried


@scalar
def biquadratic(x: float, y: float, a: float, b: float, c: float, d: float, e: float, f: float) -> float:
    """`a + b x + c x² + d y + e y² + f x y`: EnergyPlus's `Curve:Biquadratic`, x and y in °C."""
    return a + x * (b + c * x) + y * (d + e * y) + f * x * y


@scalar
def _curve(p: FloatArray, first: int, x: float, y: float) -> float:
    return biquadratic(x, y, p[first], p[first + 1], p[first + 2], p[first + 3], p[first + 4], p[first + 5])


@scalar
def _place(p: FloatArray, axis: int, value: float) -> tuple[int, float]:
    """Cell of an axis of the table, and how far into it; at the ends of the axis its ends."""
    first = _AXES + axis * MAP_POINTS
    many = int(p[_COUNTS + axis])
    cell = 0
    while cell < many - 2 and value >= p[first + cell + 1]:
        cell += 1
    low, high = p[first + cell], p[first + cell + 1]
    return cell, min(max((value - low) / (high - low), 0.0), 1.0)


@scalar
def map_capacity_frac(p: FloatArray, leaving_k: float, entering_k: float) -> float:
    """Most cooling over the rated cooling, from the leaving water and what enters the condenser [K].

    `p` is a column whose figure `MAP` is not 0.
    """
    x = min(max(leaving_k - KELVIN_AT_0C, p[_LEAVING_C]), p[_LEAVING_C + 1])
    y = min(max(entering_k - KELVIN_AT_0C, p[_ENTERING_C]), p[_ENTERING_C + 1])
    if int(p[Figure.MAP]) == Form.CURVES:
        return max(_curve(p, _BY_TEMPERATURE, x, y), _LEAST_FRAC)
    i, u = _place(p, 0, x)
    j, v = _place(p, 1, y)
    at = _CAPACITY + i * MAP_POINTS + j
    up = at + MAP_POINTS
    near = p[at] * (1.0 - v) + p[at + 1] * v
    return near * (1.0 - u) + (p[up] * (1.0 - v) + p[up + 1] * v) * u


@scalar
def _table_eir(p: FloatArray, x: float, y: float, load_frac: float) -> float:
    """Electricity per cooling from the table: trilinear."""
    i, u = _place(p, 0, x)
    j, v = _place(p, 1, y)
    k, w = _place(p, 2, load_frac)
    found = 0.0
    for a in range(2):
        for b in range(2):
            at = _TABLE_EIR + ((i + a) * MAP_POINTS + j + b) * MAP_POINTS + k
            share = (u if a else 1.0 - u) * (v if b else 1.0 - v)
            found += share * (p[at] * (1.0 - w) + p[at + 1] * w)
    return found


@scalar
def map_power_frac(p: FloatArray, leaving_k: float, entering_k: float, load_frac: float) -> float:
    """Electricity over the most cooling at these temperatures [K], at a load that is cooling over that most.

    Machines are staged, so that none of a bank runs below its least load; the last one cycles. Beyond full load (a bank
    that is asked for more than it can, for the moment of a step) it rises with the load.

    `p` is a column whose figure `MAP` is not 0, `leaving_k` the chilled water that leaves and `entering_k` what
    enters the condenser [K]; `load_frac` is that load.
    """
    x = min(max(leaving_k - KELVIN_AT_0C, p[_LEAVING_C]), p[_LEAVING_C + 1])
    y = min(max(entering_k - KELVIN_AT_0C, p[_ENTERING_C]), p[_ENTERING_C + 1])
    least = p[Figure.MAP_LEAST_FRAC]
    run = min(max(load_frac, least), 1.0)
    if int(p[Figure.MAP]) == Form.CURVES:
        by_load = p[_BY_LOAD] + run * (p[_BY_LOAD + 1] + run * (p[_BY_LOAD + 2] + run * p[_BY_LOAD + 3]))
        power = p[_EIR] * max(_curve(p, _EIR_BY_TEMPERATURE, x, y), _LEAST_FRAC) * by_load
    else:
        power = run * _table_eir(p, x, y, run)
    return power * min(load_frac / least, 1.0) * max(load_frac, 1.0)


def fill_map(column: FloatArray, performance: ChillerMap, least_frac: float) -> None:
    """Write a chiller's map into the column of its plant.

    Parameters
    ----------
    column
        Filled in place.
    performance
        The map.
    least_frac
        Load below which a machine cycles.

    Raises
    ------
    InputError
        A curve misses 1 at its reference point by more than a tenth, or falls to nothing within its range.
    """
    column[Figure.MAP_LEAST_FRAC] = least_frac
    column[Figure.MAP_BY_WATER] = float(performance.entering == "condenser-water")
    column[_LEAVING_C : _LEAVING_C + 2] = performance.leaving_range_c
    column[_ENTERING_C : _ENTERING_C + 2] = performance.entering_range_c
    if isinstance(performance, ChillerCurves):
        _hold(performance, least_frac)
        column[Figure.MAP] = Form.CURVES
        column[_EIR] = 1.0 / performance.reference_cop
        column[_BY_TEMPERATURE : _BY_TEMPERATURE + 6] = performance.capacity
        column[_EIR_BY_TEMPERATURE : _EIR_BY_TEMPERATURE + 6] = performance.eir
        column[_BY_LOAD : _BY_LOAD + len(performance.part_load)] = performance.part_load
        return
    column[Figure.MAP] = Form.TABLE
    loads = performance.load_frac
    for axis, points in enumerate((performance.leaving_c, performance.entering_c, loads)):
        column[_COUNTS + axis] = len(points)
        first = _AXES + axis * MAP_POINTS
        column[first : first + len(points)] = points
    many = (len(performance.leaving_c), len(performance.entering_c), len(loads))
    _padded(column, _CAPACITY, performance.capacity_frac, many[:2])
    _padded(column, _TABLE_EIR, 1.0 / np.array(performance.cop), many)


def _padded(
    column: FloatArray, first: int, values: Sequence[Sequence[float]] | FloatArray, many: tuple[int, ...]
) -> None:
    """Lay a table out at `first`, each axis over `MAP_POINTS` places."""
    whole = np.zeros((MAP_POINTS,) * len(many))
    whole[tuple(slice(count) for count in many)] = values
    column[first : first + whole.size] = whole.ravel()


def _hold(performance: ChillerCurves, least_frac: float) -> None:
    """Refuse curves that cannot be those of a chiller."""
    at = (performance.reference_leaving_c, performance.reference_entering_c)
    for name, curve in (("capacity", performance.capacity), ("eir", performance.eir)):
        found = biquadratic(*at, *curve)
        if abs(found - 1.0) > _OFF:
            raise InputError(
                Problem(
                    f"gives {found:.3g} at its reference point ({at[0]:g} °C leaving, {at[1]:g} °C entering), where about 1"
                    " belongs",
                    "Give six coefficients in the order 1, x, x², y, y², xy, with x the leaving water and y what enters"
                    " the condenser, in °C.",
                    key=f"performance.{name}",
                    value=curve,
                )
            )
        spreads = (performance.leaving_range_c, performance.entering_range_c)
        tried = product(*(np.linspace(*ends, _TRIED).tolist() for ends in spreads))
        low, x, y = min((biquadratic(x, y, *curve), x, y) for x, y in tried)
        if low < _FALLEN:
            raise InputError(
                Problem(
                    f"falls to {low:.3g} at {x:g} °C leaving and {y:g} °C entering",
                    "Narrow leaving_min_c … entering_max_c to the range in which the curve was fitted.",
                    key=f"performance.{name}",
                    value=curve,
                )
            )
    loads = np.linspace(least_frac, 1.0, _TRIED)
    if np.polynomial.polynomial.polyval(loads, performance.part_load).min() <= 0.0:
        raise InputError(
            Problem(
                f"gives no power at a load of {least_frac:g} to 1",
                "Raise part_load_min_frac to the load down to which the curve was fitted.",
                key="performance.part_load",
                value=performance.part_load,
            )
        )
