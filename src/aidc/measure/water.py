"""Water drawn by the site's heat rejection: evaporation, drift and blow-down, as the plants record it."""

from __future__ import annotations

import polars as pl

from aidc.measure.frames import Frames

__all__ = ["KG_PER_M3", "plants_m3", "water_kg", "water_m3"]

KG_PER_M3 = 1000.0  # the meter's convention, 1 kg = 1 l; at 20 °C the difference is 0.2 %


def water_kg(frames: Frames) -> pl.Expr:
    """Water of each row of the books [kg]."""
    return frames.flow("water_kg_s") * frames.dt_s


def water_m3(frames: Frames) -> float:
    """Water over the window [m³]."""
    return frames.amount("water_kg_s") / KG_PER_M3


def plants_m3(frames: Frames) -> dict[str, float]:
    """Water of each cooling plant over the window [m³]."""
    columns = frames.between("cooling.", ".water_kg_s")
    return {name: frames.amount(column) / KG_PER_M3 for name, column in columns.items()}
