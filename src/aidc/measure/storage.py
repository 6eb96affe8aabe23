"""Storage: throughput, equivalent full cycles, ageing by the models that hold for its cells, final charge."""

from __future__ import annotations

from typing import Any

import numpy as np

from aidc.measure.frames import Frames
from aidc.measure.meta import StorageFacts
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
    start = [] if store.first_soc_frac is None else [store.first_soc_frac]
    path = np.concatenate([start, soc_frac])
    ageing = summarise_all(path, frames.facts.output_step_s, store.capacity_j, store.temp_k)
    listed = {name: one for name, one in ageing.items() if name in store.ageing}
    model = DEFAULT_MODEL if DEFAULT_MODEL in listed else next(iter(listed), None)
    main = ageing[model or DEFAULT_MODEL]
    return {
        **found,
        "equivalent_full_cycles": main.equivalent_full_cycles,
        "round_trip_frac": _round_trip(frames, prefix, store.capacity_j * float(path[-1] - path[0])),
        **(_losses(main.calendar_pct, main.cycle_pct) if model else _losses(None, None)),
        "ageing_model": model,
        "ageing": {name: _losses(one.calendar_pct, one.cycle_pct) for name, one in listed.items()},
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
