"""The channels of a waveform as the report names them, and their extremes with their times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from aidc.record.waveform import FloatArray, Waveform
from aidc.units import J_PER_MWH

__all__ = ["SHOWN", "Extreme", "Shown", "extremes_of", "shown", "unserved_mwh"]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a channel reads: its name, the factor to its human unit, and that unit."""

    label: str
    factor: float
    unit: str


SHOWN: Final[Mapping[str, Shown]] = {
    "v1_pu": Shown("voltage, positive sequence", 1.0, "pu"),
    "v2_pu": Shown("voltage, negative sequence", 1.0, "pu"),
    "v0_pu": Shown("voltage, zero sequence", 1.0, "pu"),
    "v_pn_min_pu": Shown("voltage, least phase-neutral", 1.0, "pu"),
    "v_pn_max_pu": Shown("voltage, greatest phase-neutral", 1.0, "pu"),
    "v_pp_min_pu": Shown("voltage, least phase-phase", 1.0, "pu"),
    "v_pp_max_pu": Shown("voltage, greatest phase-phase", 1.0, "pu"),
    "v_bus_pu": Shown("voltage, site bus", 1.0, "pu"),
    "v_wave_pu": Shown("voltage, instantaneous", 1.0, "pu"),
    "frequency_hz": Shown("frequency", 1.0, "Hz"),
    "p_w": Shown("active power", 1e-6, "MW"),
    "q_var": Shown("reactive power", 1e-6, "Mvar"),
    "connected_frac": Shown("load connected", 100.0, "%"),
    "in_operation_frac": Shown("load in operation", 100.0, "%"),
    "storage_connected_frac": Shown("storage connected", 100.0, "%"),
    "storage_in_operation_frac": Shown("storage in operation", 100.0, "%"),
    "it_demand_w": Shown("IT demand", 1e-6, "MW"),
    "it_served_w": Shown("IT served", 1e-6, "MW"),
    "dc_bus_pu": Shown("DC bus, lowest", 1.0, "pu"),
    "storage_w": Shown("storage (charging +)", 1e-6, "MW"),
    "battery_w": Shown("UPS batteries (charging +)", 1e-6, "MW"),
    "genset_w": Shown("generator sets", 1e-6, "MW"),
    "soc_frac": Shown("state of charge", 100.0, "%"),
    "cooling_w": Shown("cooling", 1e-6, "MW"),
}


@dataclass(frozen=True, slots=True)
class Extreme:
    """Least, greatest and mean of a channel in its human unit, and when they were [s]."""

    channel: str
    shown: Shown
    least: float
    least_s: float
    mean: float
    greatest: float
    greatest_s: float


def shown(waveform: Waveform, channel: str) -> FloatArray | None:
    """A channel in its human unit; None where the waveform lacks it or holds nothing finite in it."""
    if channel not in waveform:
        return None
    values = np.asarray(waveform[channel], dtype=np.float64) * SHOWN[channel].factor
    return values if np.isfinite(values).any() else None


def extremes_of(waveform: Waveform) -> list[Extreme]:
    """Every known channel that the waveform holds."""
    found: list[Extreme] = []
    for name, how in SHOWN.items():
        values = shown(waveform, name)
        if values is None:
            continue
        low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
        at = [(waveform.first_tick + place) * float(waveform.step_s) for place in (low, high)]
        found.append(
            Extreme(
                name, how, float(values[low]), at[0], float(np.nanmean(values)), float(values[high]), at[1]
            )
        )
    return found


def unserved_mwh(waveform: Waveform) -> float | None:
    """Energy that the racks asked for and did not get [MWh]."""
    if "it_demand_w" not in waveform or "it_served_w" not in waveform:
        return None
    lacking = np.maximum(waveform["it_demand_w"] - waveform["it_served_w"], 0.0)
    return float(np.nansum(lacking)) * float(waveform.step_s) / J_PER_MWH
