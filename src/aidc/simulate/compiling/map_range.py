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
    mapped = {
        number: rejection.performance
        for number, plant in enumerate(site.cooling.values())
        if isinstance(rejection := plant.rejection, ChillerEconomiser) and rejection.performance is not None
    }
    if not mapped:
        return ()
    hours = max(1, round(float(clock.duration_s) / HOUR_S))
    times = [clock.start + timedelta(hours=hour) for hour in range(hours)]
    weather_k = list(zip(weather.dry_bulb_k.at(times), weather.wet_bulb_k.at(times), strict=True))
    names, notes = list(site.cooling), list[str]()
    for number, performance in mapped.items():
        heat_w, set_k = 1.0 / cooling.plant[Plant.PER_HEAT_RATED, number], cooling.plant[Plant.SET_K, number]
        column = cooling.rejection[number]
        inlet_c = np.array([celsius(condenser_inlet_k(column, heat_w, set_k, *bulbs)) for bulbs in weather_k])
        low, high = performance.entering_range_c
        for beyond, words in (
            (
                inlet_c > high,
                f"above the {high:g} °C of their map in {{}} of {hours} hours (up to {{:.1f}} °C)",
            ),
            (
                inlet_c < low,
                f"below the {low:g} °C of their map in {{}} of {hours} hours (down to {{:.1f}} °C)",
            ),
        ):
            if beyond.any():
                furthest = max(inlet_c[beyond], key=lambda one: abs(one - low))
                told = words.format(int(beyond.sum()), furthest)
                notes.append(
                    f"cooling.{names[number]}: at design heat, what enters the condensers lies {told}: it is read at its edge"
                )
    return tuple(notes)
