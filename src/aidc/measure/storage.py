"""Storage: throughput, equivalent full cycles, ageing by the models that hold for its cells, final charge.

Cycles and ageing are counted in every step while the run goes on (`storage_use` of its meta data).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.measure.frames import Frames
from aidc.measure.meta import StorageFacts, mapping
from aidc.plant.ageing import summarise_all
from aidc.units import J_PER_MWH

__all__ = ["DEFAULT_MODEL", "storage"]

DEFAULT_MODEL = "naumann"


def storage(frames: Frames) -> dict[str, dict[str, Any]]:
    """Every storage of the site.

    Equivalent full cycles are the charge and discharge of the cells, halved, over the capacity.
    Ageing is that of a fresh storage over this window; its laws are concave, so a week of a new
    battery must not be multiplied up to ten years. A storage whose entry names no model (a capacitor) has no figures
    of ageing.
    """
    return {store.name: _one(frames, store) for store in frames.facts.storage}


def _one(frames: Frames, store: StorageFacts) -> dict[str, Any]:
    prefix = f"storage.{store.name}"
    frame = frames.columns([f"{prefix}.soc_frac"])
    soc_frac = frame[f"{prefix}.soc_frac"].to_numpy()
    known = f"{prefix}.soc_frac" in frames.series_columns and soc_frac.size > 0
    found: dict[str, Any] = {
        "capacity_mwh": store.capacity_j / J_PER_MWH,
        "power_mw": None if store.power_w is None else store.power_w / 1e6,
        **{
            f"{what}_mwh": frames.amount(f"{prefix}.{what}_w") / J_PER_MWH
            for what in ("charge", "discharge", "loss")
        },
        "final_soc": float(soc_frac[-1]) if known else None,
    }
    if not known:
        return {**found, "equivalent_full_cycles": None, **_losses(None, None)}
    first_soc = float(soc_frac[0]) if store.first_soc_frac is None else store.first_soc_frac
    kept_j = store.capacity_j * (float(soc_frac[-1]) - first_soc)
    counted = mapping(mapping(frames.facts.raw.get("storage_use")).get(store.name))
    used = counted or _from_rows(np.concatenate([[first_soc], soc_frac]), frames.row_s, store)
    listed = {name: one for name, one in mapping(used.get("ageing")).items() if name in store.ageing}
    model = DEFAULT_MODEL if DEFAULT_MODEL in listed else next(iter(listed), None)
    return {
        **found,
        "equivalent_full_cycles": used["equivalent_full_cycles"],
        "round_trip_frac": _round_trip(frames, prefix, kept_j),
        **(listed[model] if model else _losses(None, None)),
        "ageing_model": model,
        "ageing": listed,
    }


def _from_rows(path: NDArray[np.float64], row_s: float, store: StorageFacts) -> dict[str, Any]:
    """Cycles and ageing of a record that was not counted step by step: what happened within its rows is not in it."""
    ageing = summarise_all(path, row_s, store.capacity_j, store.temp_k)
    return {
        "equivalent_full_cycles": ageing[DEFAULT_MODEL].equivalent_full_cycles,
        "ageing": {name: _losses(one.calendar_pct, one.cycle_pct) for name, one in ageing.items()},
    }


def _losses(calendar_pct: float | None, cycle_pct: float | None) -> dict[str, float | None]:
    return {"soh_loss_calendar_pct": calendar_pct, "soh_loss_cycle_pct": cycle_pct}


def _round_trip(frames: Frames, prefix: str, kept_j: float) -> float | None:
    """AC energy out over AC energy in, with what the cells kept taken as still to come out.

    None where most of what moved is a change of charge: that says little about a round trip.
    """
    charged = frames.amount(f"{prefix}.charge_w")
    given = frames.amount(f"{prefix}.discharge_w") + kept_j
    return given / charged if charged > 0 and abs(kept_j) < 0.5 * charged else None
