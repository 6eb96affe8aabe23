"""Where a run's weather takes chillers out of the range of their performance maps."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from aidc.clock import Clock
from aidc.plant.cooling.chiller_plant import condenser_inlet_k
from aidc.scenario.weather import Weather
from aidc.schema.cooling import ChillerEconomiser
from aidc.schema.site import Site
from aidc.simulate.compiling.cooling import Cooling
from aidc.simulate.energy.fields import Plant
from aidc.units import HOUR_S, celsius

__all__ = ["map_notes"]


def map_notes(site: Site, cooling: Cooling, weather: Weather, clock: Clock) -> tuple[str, ...]:
    """One remark for each plant whose condensers see what its map does not cover, looked at every hour at design heat."""
    times = [
        clock.start + timedelta(hours=hour) for hour in range(max(1, round(float(clock.duration_s) / HOUR_S)))
    ]
    dry_k, wet_k = weather.dry_bulb_k.at(times), weather.wet_bulb_k.at(times)
    notes: list[str] = []
    for number, (name, plant) in enumerate(site.cooling.items()):
        rejection = plant.rejection
        if not isinstance(rejection, ChillerEconomiser) or rejection.performance is None:
            continue
        heat_w, set_k = 1.0 / cooling.plant[Plant.PER_HEAT_RATED, number], cooling.plant[Plant.SET_K, number]
        inlet_c = np.array(
            [
                celsius(condenser_inlet_k(cooling.rejection[number], heat_w, set_k, dry, wet))
                for dry, wet in zip(dry_k, wet_k, strict=True)
            ]
        )
        low, high = rejection.performance.entering_range_c
        for beyond, end, edge_c, extreme_c in (
            (inlet_c > high, "above", high, np.nanmax(inlet_c, initial=-np.inf)),
            (inlet_c < low, "below", low, np.nanmin(inlet_c, initial=np.inf)),
        ):
            if beyond.any():
                notes.append(
                    f"cooling.{name}: at design heat, what enters the condensers lies {end} the {edge_c:g} °C of their map"
                    f" in {int(beyond.sum())} of {len(times)} hours (up to {extreme_c:.1f} °C): it is read at its edge"
                )
    return tuple(note.replace("up to", "down to") if " below " in note else note for note in notes)
