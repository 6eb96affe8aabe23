"""Cycles and ageing of every storage, counted in every step and in bounded memory while a run goes on.

A record's rows know the state of charge at their ends only: what a storage does within a minute would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from aidc.plant.ageing import MODELS, calendar_stress, cycle_stress
from aidc.plant.cycle_count import CycleCount
from aidc.plant.rainflow import Cycles
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import FloatArray
from aidc.simulate.energy.fields import Cells
from aidc.units import DAY_S

__all__ = ["StorageUse"]

_SOC: Final = np.linspace(0.0, 1.0, 4001)  # the calendar's stress is read by interpolation: 1e-6 of it


class _Store:
    """One storage: what its cycles and its days have added so far."""

    def __init__(self, first_soc_frac: float, step_s: float, temp_k: float, models: tuple[str, ...]) -> None:
        self._count = CycleCount(first_soc_frac, step_s)
        self._step_d, self._temp_k = step_s / DAY_S, temp_k
        self._stress = {model: calendar_stress(_SOC, temp_k, model) for model in models}
        self.full_cycles = 0.0
        self.days = dict.fromkeys(models, 0.0)
        self.use = dict.fromkeys(models, 0.0)

    def feed(self, soc_frac: FloatArray) -> None:
        rests = bool((soc_frac == soc_frac[0]).all())
        self._add(self._count.feed(soc_frac[:1] if rests else soc_frac))
        seen, many = (soc_frac[:1], len(soc_frac)) if rests else (soc_frac, 1)
        for model, stress in self._stress.items():
            self.days[model] += float(np.interp(seen, _SOC, stress).sum()) * many * self._step_d

    def finish(self) -> None:
        self._add(self._count.finish())

    def _add(self, found: Cycles) -> None:
        self.full_cycles += float(found.weight @ found.depth_frac)
        for model in self.use:
            self.use[model] += cycle_stress(found, self._temp_k, model)


class StorageUse:
    """Follows the state of charge of all storages from block to block."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        facts: Mapping[str, Any] = compiled.meta.get("storage", {})
        first = compiled.start.soc_frac
        step_s = float(compiled.clock.step_s)
        self._stores = [
            _Store(
                float(first[place]),
                step_s,
                float(facts.get(label, {}).get("temp_k") or 298.15),
                tuple(model for model in facts.get(label, {}).get("ageing", ()) if model in MODELS),
            )
            for place, label in enumerate(compiled.labels.stores)
        ]

    def feed(self, soc_frac: FloatArray) -> None:
        """State of charge at the end of each step, shape (n_step, n_storage)."""
        for place, store in enumerate(self._stores):
            store.feed(soc_frac[:, place])

    def told(self) -> dict[str, dict[str, Any]]:
        """By name: equivalent full cycles and losses [%]; those of several lineups are weighed by capacity."""
        for store in self._stores:
            store.finish()
        labels = self._compiled.labels.stores
        capacity = self._compiled.params.storage[Cells.CAPACITY_J] if labels else np.zeros(0)
        found: dict[str, dict[str, Any]] = {}
        for name in dict.fromkeys(labels):
            mine = [place for place, label in enumerate(labels) if label == name]
            share = capacity[mine] / capacity[mine].sum()
            stores = [self._stores[place] for place in mine]
            found[name] = {
                "equivalent_full_cycles": float(share @ [one.full_cycles for one in stores]),
                "ageing": {
                    model: {
                        "soh_loss_calendar_pct": float(
                            share @ [_pct(one.days, model, "calendar") for one in stores]
                        ),
                        "soh_loss_cycle_pct": float(
                            share @ [_pct(one.use, model, "cycle") for one in stores]
                        ),
                    }
                    for model in stores[0].days
                },
            }
        return found


def _pct(sums: Mapping[str, float], model: str, kind: str) -> float:
    law = MODELS[model]
    return 100.0 * sums[model] ** (law.calendar_exponent if kind == "calendar" else law.cycle_exponent)
