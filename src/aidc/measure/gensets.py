"""Generator sets: what they gave and burnt, how long they ran, what is left in the tank, carbon and cost of fuel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.measure.frames import Frames
from aidc.measure.meta import mapping, number
from aidc.units import HOUR_S, J_PER_MWH

__all__ = ["CARBON", "PRICE", "fuel_rates", "gensets", "per_fuel"]

CARBON = "fuel_carbon_kg_per_mwh"
PRICE = "fuel_price_usd_per_mwh"

_WHOLE = 1.0 - 1e-9


def fuel_rates(frames: Frames, key: str) -> dict[str, float]:
    """What a megawatt-hour of fuel (lower heating value) carries of `CARBON` or `PRICE`, by fuel column."""
    told = mapping(frames.facts.raw.get("gensets"))
    return {
        column: rate
        for name, column in frames.between("genset.", ".fuel_w").items()
        if (rate := number(mapping(told.get(name)).get(key))) is not None
    }


def per_fuel(frames: Frames, key: str) -> pl.Expr:
    """`CARBON` or `PRICE` of the fuel that all gensets burn, per second [kg/s or USD/s]."""
    terms = (frames.flow(column) * (rate / J_PER_MWH) for column, rate in fuel_rates(frames, key).items())
    return sum(terms, pl.lit(0.0))


def gensets(frames: Frames) -> dict[str, dict[str, float | int | None]]:
    """Every entry of gensets.

    `fuel_left_mwh` is None for a tank without end. `autonomy_h` is what is left over the mean burn while they
    ran; None where they did not. `starts` counts the rows of the books in which they began to run: sets that ran
    from the first step on did not start.
    """
    told = mapping(frames.facts.raw.get("gensets"))
    return {
        name: _one(frames, name, mapping(told.get(name))) for name in frames.between("genset.", ".power_w")
    }


def _one(frames: Frames, name: str, told: Mapping[str, Any]) -> dict[str, float | int | None]:
    prefix = f"genset.{name}"
    energy_mwh = frames.amount(f"{prefix}.power_w") / J_PER_MWH
    fuel_mwh = frames.amount(f"{prefix}.fuel_w") / J_PER_MWH
    rows = frames.columns([f"{prefix}.running_frac"])
    running = rows[f"{prefix}.running_frac"].to_numpy()
    running_h = float((running * rows["dt_s"].to_numpy()).sum()) / HOUR_S
    tank_j = number(told.get("fuel_j"))
    left_mwh = None if tank_j is None else max(tank_j / J_PER_MWH - fuel_mwh, 0.0)
    burning = left_mwh is not None and fuel_mwh > 0
    return {
        "energy_mwh": energy_mwh,
        "fuel_mwh": fuel_mwh,
        "fuel_left_mwh": left_mwh,
        "running_h": running_h,
        "starts": _starts(running),
        "mean_efficiency_frac": energy_mwh / fuel_mwh if fuel_mwh > 0 else None,
        "autonomy_h": left_mwh * running_h / fuel_mwh if burning and left_mwh is not None else None,
        "carbon_kg": _times(fuel_mwh, number(told.get(CARBON))),
        "fuel_cost_usd": _times(fuel_mwh, number(told.get(PRICE))),
    }


def _starts(running: NDArray[np.float64]) -> int:
    """How often they began to run; a first step in which they ran throughout is no start."""
    on = running > 0
    before = np.concatenate([[bool(running.size) and bool(running[0] >= _WHOLE)], on[:-1]])
    return int((on & ~before).sum())


def _times(amount: float, rate: float | None) -> float | None:
    return None if rate is None else amount * rate
