"""Performance maps of chillers, as their makers and simulation programmes state them: data, not code."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Shape, TempC

__all__ = ["MAP_POINTS", "ChillerCurves", "ChillerMap", "ChillerTable", "Entering"]

MAP_POINTS: Final = 8  # most points of an axis of a table
Entering = Literal["condenser-water", "outdoor-air"]

_Number = Annotated[float, Field(ge=-1e3, le=1e3)]
_Six = tuple[_Number, _Number, _Number, _Number, _Number, _Number]
_Cop = Annotated[float, Field(ge=0.5, le=50)]
_Axis = Annotated[tuple[TempC, ...], Field(min_length=2, max_length=MAP_POINTS)]
_OFF: Final = 0.1  # how far the fit of a published curve may miss 1 at full load; EnergyPlus warns beyond it


class ChillerCurves(Shape):
    """Capacity and electricity as biquadratic curves of temperature [°C], and a polynomial of part load.

    The form of DOE-2.1 and of EnergyPlus's `Chiller:Electric:EIR`, coefficients in the order of its
    `Curve:Biquadratic`: 1, x, x², y, y², xy, with x the leaving chilled water and y what enters the condenser.
    `capacity` is over `rated_heat_mw`, `eir` is electricity per cooling over 1 / `reference_cop`, both about 1 at
    `reference_leaving_c` and `reference_entering_c`. `part_load` (1, z, z² and maybe z³, about 1 at full load) is power
    over that at full load, z the cooling over what the machine can give at these temperatures.

    `entering` tells what y is: the water that enters the condenser, or the air of an air-cooled machine, whose fans
    are then not in `reference_cop`, as the outdoor units' are counted apart.
    """

    form: Literal["curves"] = "curves"
    """Curves, in place of a table."""
    entering: Entering = "condenser-water"
    """What enters the condenser: water, or the air of an air-cooled machine."""
    reference_cop: _Cop
    """Cooling per electricity at the reference point, full load."""
    reference_leaving_c: TempC
    """Chilled water that leaves at the reference point."""
    reference_entering_c: TempC
    """What enters the condenser at the reference point."""
    capacity: _Six
    """Coefficients of capacity over rated heat: 1, x, x², y, y², xy."""
    eir: _Six
    """Coefficients of electricity per cooling over that of the reference point: 1, x, x², y, y², xy."""
    part_load: Annotated[tuple[_Number, ...], Field(min_length=3, max_length=4)]
    """Coefficients of power over that at full load: 1, z, z² and maybe z³."""
    leaving_min_c: TempC
    """Coldest leaving water that the curves cover."""
    leaving_max_c: TempC
    """Warmest leaving water that the curves cover."""
    entering_min_c: TempC
    """Coldest water or air into the condenser that the curves cover."""
    entering_max_c: TempC
    """Warmest water or air into the condenser that the curves cover."""

    @model_validator(mode="after")
    def _is_a_map(self) -> Self:
        _rises("leaving_max_c", self.leaving_range_c)
        _rises("entering_max_c", self.entering_range_c)
        if abs(sum(self.part_load) - 1.0) > _OFF:
            raise ValueError(
                f"part_load gives {sum(self.part_load):.3g} at full load. About 1 belongs there: its coefficients, of 1, z,"
                " z² and maybe z³, add up to it"
            )
        return self

    @property
    def leaving_range_c(self) -> tuple[float, float]:
        """Leaving water that the map covers [°C]."""
        return self.leaving_min_c, self.leaving_max_c

    @property
    def entering_range_c(self) -> tuple[float, float]:
        """Water or air into the condenser that the map covers [°C]."""
        return self.entering_min_c, self.entering_max_c

    @property
    def rated_cop(self) -> float:
        """Cooling per electricity at the reference point."""
        return self.reference_cop


class ChillerTable(Shape):
    """Capacity and COP in a table of temperatures [°C] and part load, read linearly between its points.

    `capacity_frac[i][j]` is over `rated_heat_mw`, at `leaving_c[i]` (chilled water) and `entering_c[j]` (what enters
    the condenser); `cop[i][j][k]` is cooling per electricity at the share `load_frac[k]` of that capacity. Between
    points electricity per cooling (1 / COP) is linear. `load_frac` ends at 1. At most eight points an axis.
    `entering` as in the curves.
    """

    form: Literal["table"] = "table"
    """A table, in place of curves."""
    entering: Entering = "condenser-water"
    """What enters the condenser: water, or the air of an air-cooled machine."""
    leaving_c: _Axis
    """Chilled water that leaves, rising."""
    entering_c: _Axis
    """What enters the condenser, rising."""
    load_frac: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=2, max_length=MAP_POINTS)
    ]
    """Share of the capacity at these temperatures, rising to 1."""
    capacity_frac: tuple[tuple[Annotated[float, Field(ge=0.05, le=5)], ...], ...]
    """Most cooling over rated heat, a row for each leaving water, a figure for each entering temperature."""
    cop: tuple[tuple[tuple[_Cop, ...], ...], ...]
    """Cooling per electricity: by leaving water, entering temperature, and load."""

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        for name, axis in (
            ("leaving_c", self.leaving_c),
            ("entering_c", self.entering_c),
            ("load_frac", self.load_frac),
        ):
            if any(high <= low for low, high in pairwise(axis)):
                raise ValueError(f"{name} must rise from point to point")
        if self.load_frac[-1] != 1.0:
            raise ValueError("load_frac must end at 1, full load")
        rows, columns, loads = len(self.leaving_c), len(self.entering_c), len(self.load_frac)
        if len(self.capacity_frac) != rows or any(len(row) != columns for row in self.capacity_frac):
            raise ValueError(f"capacity_frac must have {rows} rows (leaving_c) of {columns} (entering_c)")
        if len(self.cop) != rows or any(
            len(row) != columns or any(len(cell) != loads for cell in row) for row in self.cop
        ):
            raise ValueError(
                f"cop must have {rows} rows (leaving_c) of {columns} (entering_c), each of {loads} (load_frac)"
            )
        return self

    @property
    def leaving_range_c(self) -> tuple[float, float]:
        """Leaving water that the map covers [°C]."""
        return self.leaving_c[0], self.leaving_c[-1]

    @property
    def entering_range_c(self) -> tuple[float, float]:
        """Water or air into the condenser that the map covers [°C]."""
        return self.entering_c[0], self.entering_c[-1]

    @property
    def rated_cop(self) -> float:
        """Cooling per electricity at full load, where the table is worst: for the size of the outdoor units."""
        return min(cell[-1] for row in self.cop for cell in row)


ChillerMap = Annotated[ChillerCurves | ChillerTable, Field(discriminator="form")]


def _rises(name: str, ends: tuple[float, float]) -> None:
    if ends[1] <= ends[0]:
        raise ValueError(f"{name} ({ends[1]:g} °C) must lie above {ends[0]:g} °C, where the map begins")
