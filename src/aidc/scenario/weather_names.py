"""Which columns of a table are weather, by their names, and what unit they are in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray
from aidc.scenario.table import Table
from aidc.scenario.unitnames import Unit, weather_unit

__all__ = ["IRRADIANCE", "QUANTITY_NAMES", "column_in_unit", "quantities_of"]

IRRADIANCE: Final = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
# quantity: what columns call it (without the unit), lowest and highest credible in the quantity's unit
QUANTITY_NAMES: Final[Mapping[str, tuple[tuple[str, ...], float, float]]] = {
    "dry_bulb_c": (
        ("dry_bulb", "drybulb", "temp_air", "air_temp", "air_temperature", "temperature_2m", "temperature", "temp",
         "dry_bulb_temperature", "t2m", "ambient_temperature", "temp_dry_bulb"),
        -90.0, 70.0,
    ),
    "wet_bulb_c": (
        ("temp_wet_bulb", "wet_bulb", "wetbulb", "wet_bulb_temperature", "wet_bulb_temperature_2m"), -90.0, 60.0,
    ),
    "dew_point_c": (
        ("dew_point", "dewpoint", "temp_dew", "dew_point_2m", "dewpoint_2m", "dew_point_temperature"), -90.0, 60.0,
    ),
    "relative_humidity_percent": (
        ("relative_humidity", "rh", "humidity", "relative_humidity_2m", "relativehumidity_2m"), 0.0, 110.0,
    ),
    "wind_m_s": (("wind_speed_10m", "windspeed_10m", "wind_speed", "windspeed", "wind", "ws10m"), 0.0, 120.0),
    "pressure_pa": (("surface_pressure", "station_pressure", "pressure", "sp"), 30_000.0, 120_000.0),
    "ghi_w_m2": (("ghi", "shortwave_radiation", "global_horizontal_irradiance"), 0.0, 2000.0),
    "dni_w_m2": (("dni", "direct_normal_irradiance"), 0.0, 2000.0),
    "dhi_w_m2": (("dhi", "diffuse_radiation", "diffuse_horizontal_irradiance"), 0.0, 2000.0),
    "cloud_cover_percent": (("cloud_cover", "cloudcover"), 0.0, 100.0),
}  # fmt: skip


def quantities_of(table: Table) -> dict[str, str]:
    """The columns of a table that are quantities of the weather by their names."""
    found: dict[str, str] = {}
    for quantity, (names, _, _) in QUANTITY_NAMES.items():
        for name in names:
            column = next((one for one in table.columns if _is(one, quantity, name)), None)
            if column is not None:
                found[quantity] = column
                break
    return found


def _is(column: str, quantity: str, name: str) -> bool:
    """Whether a column is called so: the name alone, or with a unit that the quantity has."""
    plain = re.sub(r"[^a-z0-9%²]+", "_", column.lower().replace("°", "deg")).strip("_")
    if plain == name:
        return True
    return (
        plain.startswith(f"{name}_")
        and weather_unit(quantity, plain[len(name) + 1 :]) is not None
        and (_only_unit(quantity, plain[len(name) + 1 :]))
    )


def _only_unit(quantity: str, tail: str) -> bool:
    """`f` and `deg_f` are nothing but a unit; `min_f` says more."""
    words = tail.split("_")
    return (
        all(weather_unit(quantity, "_".join(words[at:])) is not None for at in range(len(words) - 1))
        or len(words) == 1
    )


def column_in_unit(
    table: Table, quantity: str, column: str, notes: list[str], stated: str | None = None
) -> tuple[FloatArray, Unit]:
    """A column in the unit of its quantity (NaN where a cell is empty), and the unit that it was written in.

    `notes` takes up what was noticed; `stated` is the unit that the user gives, where he gives one.

    Raises
    ------
    InputError
        Cells that are no credible numbers, or figures that can only be of another unit.
    """
    low, high = QUANTITY_NAMES[quantity][1:]
    unit = weather_unit(quantity, stated) if stated is not None else weather_unit(quantity, column)
    if stated is not None and unit is None:
        raise InputError(
            Problem("is not a known unit of it", "Write C, F, K, m/s, km/h, mph, kn, Pa, hPa, % or the like.",
                    key=f"units.{quantity}", value=stated)
        )  # fmt: skip
    known = unit is not None
    unit = unit or Unit("", 1.0)
    bounds = ((low - unit.offset) / unit.factor, (high - unit.offset) / unit.factor)
    try:
        raw = table.numbers(column, *bounds, empty=True)
    except InputError as error:
        if known or quantity in IRRADIANCE:
            raise
        hint = f'Correct the values, or state the unit: units = {{ {quantity} = "…" }}.'
        raise InputError([replace(one, remedy=hint) for one in error.problems]) from error
    values = raw * unit.factor + unit.offset
    if not known:
        _doubt(table, quantity, column, values)
    if (unit.factor, unit.offset) != (1.0, 0.0):
        notes.append(f"column {column} is in {unit.label}")
    return values, unit


def _doubt(table: Table, quantity: str, column: str, values: FloatArray) -> None:
    """Figures without a stated unit that can only be of another."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return
    median, highest = float(np.median(known)), float(known.max())
    other = ""
    if quantity in ("dry_bulb_c", "wet_bulb_c", "dew_point_c") and median > 45.0:
        other, what = "F", f"has a median of {median:g}, hotter than any place in °C"
    elif quantity in ("relative_humidity_percent", "cloud_cover_percent") and 0 < highest <= 1.0:
        other, what = "frac", f"never exceeds {highest:g}, as a share and no percentage would"
    elif quantity == "wind_m_s" and median > 20.0:
        other, what = "km/h", f"has a median of {median:g}, stormier than any place in m/s"
    elif quantity in IRRADIANCE and 0 < highest <= 1.6:
        other, what = "kW/m2", f"never exceeds {highest:g}, as kW/m² would"
    else:
        return
    remedy = f'State the unit: units = {{ {quantity} = "{other}" }}.'
    raise InputError(Problem(what, remedy, table.path, f"column {column}"))
