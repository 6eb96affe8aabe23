"""`look`: what a file is taken for, column by column, before anything is run with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.measure.grid.grid_faults import found_faults
from aidc.record.doubts import LEVELS_PU, level_of, remarks
from aidc.record.mapping import channel_of, near_usual, phase_voltages
from aidc.record.recording import open_recording
from aidc.record.waveform import CHANNELS, Waveform
from aidc.scenario.epochs import is_number
from aidc.scenario.formats import format_of, reader_of
from aidc.scenario.layouts import Role, column_for, read_layout
from aidc.scenario.layouts_years import year_of
from aidc.scenario.regular import regular
from aidc.scenario.table import Table, numbers, read_text
from aidc.scenario.timeparse import clock_times, counted_times, from_micro
from aidc.scenario.typical import HOURS
from aidc.scenario.unitnames import carbon_unit, power_unit, price_unit, weather_unit
from aidc.scenario.weather_names import IRRADIANCE, quantities_of

__all__ = ["Column", "Look", "look"]

FloatArray = NDArray[np.float64]

_RECORDED: Final = (".toml", ".cfg", ".dat", ".cff")
_LARGEST: Final = 1e18
_DRAWN: Final = 4000
_UNITS: Final = {
    "_w": "W", "_c": "°C", "_k": "K", "_pa": "Pa", "_hz": "Hz", "_pu": "pu", "_var": "var", "_percent": "%",
    "_w_m2": "W/m²", "_m_s": "m/s",
}  # fmt: skip
_MEANT: Final = {
    "holds": "holds until the next",
    "mean-after": "mean of the period that begins",
    "mean-before": "mean of the period that ends",
    "instant": "instant",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is taken for, its unit, what a row stands for, its range and its empty cells."""

    name: str
    quantity: str
    unit: str
    meaning: str
    low: float | None
    mean: float | None
    high: float | None
    missing: int


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is taken for. `times_s` and `drawn` are what a picture needs, thinned.

    `disturbances` are those of the grid that a recording shows: beginning and end [s], and what it is.
    """

    file: str
    taken_for: str
    rows: int
    start: str | None
    end: str | None
    spacing_s: float | None
    zone: str
    station: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    use: str
    times_s: FloatArray
    drawn: Mapping[str, FloatArray]
    disturbances: tuple[tuple[float, float, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """All but the picture, for JSON."""
        return {
            **{
                key: getattr(self, key)
                for key in ("file", "taken_for", "rows", "start", "end", "spacing_s", "zone", "station")
            },
            "columns": [asdict(one) for one in self.columns],
            "notes": list(self.notes),
            "disturbances": [
                {"start_s": begin, "end_s": end, "what": what} for begin, end, what in self.disturbances
            ],
            "use": self.use,
        }


def look(path: Path, *, point: str | None = None) -> Look:
    """Say what a file is taken for: weather, prices, carbon, power, requests, or a recording.

    Raises
    ------
    InputError
        It cannot be read as any of them; the reason is that of its own layout.
    """
    if path.suffix.lower() in _RECORDED:
        return _recording(path)
    text = read_text(path)
    year = year_of(path)
    if year is not None:
        hours = len(next(iter(year.columns.values())))
        step: FloatArray = np.arange(hours, dtype=np.float64) * 3600.0
        place = f"{year.station}, {year.latitude_deg:g} N, {year.longitude_deg:g} E, {year.elevation_m:g} m"
        sun = "mean-before" if year.irradiance_h is None else "instant"
        named = {
            name: (values, name, _unit_of(name), sun if name in IRRADIANCE else "instant")
            for name, values in year.columns.items()
            if not np.isnan(values).all()
        }
        leap = " with its own 29 February" if hours > HOURS else ""
        kind = "epw" if text.upper().startswith("LOCATION") else "csv"
        use = f'scenario.weather = {{ use = "{kind}", file = "{path.name}" }}'
        zone = f"local standard time, UTC{year.utc_offset_h:+g} h"
        return _made(path, f"typical year{leap}", step, named, zone, place, year.notes, use, dated=False)
    try:
        name = format_of(path)
    except InputError:
        table = read_layout(path, point=point)
        return _recording(path) if table.layout == "table" and _is_recording(table) else _table(path, table)
    return _trace(path, name)


def _trace(path: Path, name: str) -> Look:
    found = reader_of(name)(path)
    since = found.time_s - found.time_s.min()
    order = np.argsort(since, kind="stable")
    named = {
        "input_tokens": (found.input_tokens[order], "tokens of the prompt", "tokens", "instant"),
        "output_tokens": (found.output_tokens[order], "tokens of the answer", "tokens", "instant"),
    }
    use = f'demand = {{ use = "trace", format = "{name}", file = "{path.name}" }}'
    seen = _made(
        path, f"requests ({name})", since[order], named, "from its first request", "", found.repairs, use
    )
    return replace(seen, spacing_s=None, start=None, end=None)


def _recording(path: Path) -> Look:
    """A record as `check` would take it: channels, rate, level, nominal, what is doubtful, and the grid's faults."""
    read = open_recording(path, guess=True)
    w = read.waveform
    step = float(w.step_s)
    named = {
        name: (values, CHANNELS.get(name, name), _unit_of(name), "instant")
        for name, values in w.channels.items()
    }
    times: FloatArray = np.arange(len(w), dtype=np.float64) * step + w.first_tick * step
    notes = [mark.label for mark in w.marks if mark.kind == "repair"]
    notes += [
        *_levels(w, read.nominal_kv, guessed=read.guessed),
        *(one.what for one in read.doubts),
        *remarks(w),
    ]
    use = f"aidc check SITE --recording {path.name}"
    seen = _made(
        path, f"recording at {w.location}", times, named, "from its start", "", tuple(notes), use, dated=False
    )
    found = tuple((mark.start_s, mark.end_s, mark.label) for mark in found_faults(w))
    return replace(seen, disturbances=found)


def _levels(w: Waveform, nominal_kv: float | None, *, guessed: bool) -> list[str]:
    """Rate, nominal values and the level that the voltage stands at."""
    told = "" if "frequency_hz" in w else " assumed"
    notes = [f"{float(1 / w.step_s):.6g} samples a second, nominal {w.frequency_hz:g} Hz{told}"]
    level = level_of(w)
    if level is not None:
        against = f" of {nominal_kv:.5g} kV" if nominal_kv else ""
        source = (
            ", the usual nominal voltage next to what was measured (the site's will count)" if guessed else ""
        )
        notes.append(f"the voltage stands at {level:.4g} pu{against}{source}")
        phase_kv = (
            near_usual(nominal_kv * 3**0.5)
            if guessed and nominal_kv and near_usual(nominal_kv) is None
            else None
        )
        if phase_kv is not None:
            notes.append(f"{nominal_kv:.5g} kV is {phase_kv:g} kV over √3: a voltage from phase to neutral?")
        if not LEVELS_PU[0] <= level <= LEVELS_PU[1]:
            notes.append("a check would refuse this level: the nominal voltage or a unit is wrong")
    return notes


def _is_recording(table: Table) -> bool:
    """Whether a table holds what only a record of a grid connection does: a voltage, a frequency, a connection."""
    return phase_voltages(list(table.columns)) >= 2 or any(_of_grid(name) for name in table.columns)


def _of_grid(name: str) -> bool:
    found = channel_of(name)
    return found is not None and (
        found[0].startswith(("v", "angle", "connected")) or found[0] == "frequency_hz"
    )


def _table(path: Path, table: Table) -> Look:
    """A table of a known layout or none: times on a grid, each column by its name."""
    time = column_for(table, Role.TIME, "time_utc", "time_column")
    notes = list(table.notes)
    zone = table.zone
    if is_number(table.text(time)[0]):
        micro, count = counted_times(table, time)
        dated = count.unix
        zone = zone or count.words
    else:
        naive = _no_zone(table, time)
        micro, dated = clock_times(table, time, naive_is_utc=True), True
        if naive:
            notes.append('times state no zone; a site needs `timezone = "UTC"` or another beside the file')
        zone = zone or ("none stated" if naive else "as stated in each row, made UTC")
    weather = {column: quantity for quantity, column in quantities_of(table).items()}
    raw: dict[str, FloatArray] = {}
    known: dict[str, tuple[str, str, str]] = {}
    for name, cells in table.columns.items():
        if name == time or not any(is_number(cell) for cell in cells):
            continue
        raw[name] = _lenient(table, name, cells)
        known[name] = _taken(table, name, weather)
    if not raw:
        raise InputError(_nothing(table))
    grid = None
    try:
        grid = regular(path, micro, {name: raw[name] for name in list(raw)[:1]}, 1e12)
        notes += [one for one in grid.repairs if "missing values" not in one]
    except InputError as error:
        notes.append(f"as a series it would be refused: {error.problems[0].what}")
    order = np.argsort(micro, kind="stable")
    named = {name: (raw[name][order], *known[name]) for name in raw}
    place = table.station
    told = (
        f"{place.name + ', ' if place.name else ''}{place.latitude_deg:g} N, {place.longitude_deg:g} E"
        if place
        else ""
    )
    what = table.layout if table.layout != "table" else _kind(known)
    use = f"aidc check SITE --recording {path.name}" if what == "recording" else _use(path, known)
    seen = _made(path, what, micro[order] / 1e6, named, zone, told, tuple(notes), use, dated=dated)
    spacing = float(grid.period_s) if grid is not None else seen.spacing_s
    return replace(seen, spacing_s=spacing)


def _taken(table: Table, name: str, weather: Mapping[str, str]) -> tuple[str, str, str]:
    """Quantity, unit and meaning of a column."""
    if name in weather:
        unit = weather_unit(weather[name], name)
        label = unit.label if unit else f"{_unit_of(weather[name])}, not stated"
        usual = "told from the sun's place" if weather[name] in IRRADIANCE else "instant"
        return weather[name], label, _MEANT.get(table.meanings.get(weather[name], ""), usual)
    price, carbon = price_unit(name), carbon_unit(name)
    held = _MEANT[table.meanings.get(name, "holds")]
    if carbon is not None and (price is None or not price.currency):
        return "emission factor", carbon.label, held
    if price is not None:
        return "price", price.label, held
    channel = channel_of(name)
    if channel is not None:
        label = power_unit(name)
        return (
            f"channel {channel[0]}",
            label.label if label else channel[2] or _unit_of(channel[0]),
            "instant",
        )
    power = power_unit(name)
    if power is not None:
        return "power", power.label, held
    return "not known by its name", "", ""


def _kind(known: Mapping[str, tuple[str, str, str]]) -> str:
    found = {quantity for quantity, _, _ in known.values()}
    if "dry_bulb_c" in found or "wet_bulb_c" in found:
        return "table of weather"
    for quantity in ("price", "emission factor", "power"):
        if quantity in found:
            return f"table with {quantity}"
    return "recording" if any(one.startswith("channel ") for one in found) else "table"


def _use(path: Path, known: Mapping[str, tuple[str, str, str]]) -> str:
    """The line of a site file that would use it."""
    by = {quantity: name for name, (quantity, _, _) in known.items()}
    file = f'file = "{path.name}"'
    if "dry_bulb_c" in by or "wet_bulb_c" in by:
        return f'scenario.weather = {{ use = "csv", {file} }}'
    if "price" in by:
        return f'scenario.prices = {{ {file}, price_column = "{by["price"]}" }}'
    if "emission factor" in by:
        return f'scenario.carbon = {{ {file}, average_column = "{by["emission factor"]}" }}'
    powers = [name for name, (quantity, _, _) in known.items() if quantity in ("power", "channel p_w")]
    if powers:
        listed = ", ".join(f'"{name}"' for name in powers[:3]) + (", …" if len(powers) > 3 else "")
        return f'demand = {{ use = "power-replay", {file}, columns = [{listed}] }}'
    if any(one.startswith("channel ") for one in by):
        return f"aidc check SITE --recording {path.name}"
    return ""


def _lenient(table: Table, name: str, cells: Sequence[str]) -> FloatArray:
    try:
        return numbers(cells, table.lines, table.path, name, -_LARGEST, _LARGEST, empty=True)
    except InputError:
        return np.array([float(cell) if is_number(cell) else np.nan for cell in cells], dtype=np.float64)


def _no_zone(table: Table, time: str) -> bool:
    cell = table.text(time)[0]
    return not (cell.endswith(("Z", "UTC")) or "+" in cell or cell.count("-") > 2)


def _nothing(table: Table) -> Problem:
    return Problem(
        "has no column of numbers", "Is this the right file?", table.path, "header", list(table.columns)
    )


def _unit_of(name: str) -> str:
    ends = sorted((end for end in _UNITS if name.endswith(end)), key=len)
    return _UNITS[ends[-1]] if ends else ""


def _made(
    path: Path,
    taken_for: str,
    times_s: FloatArray,
    named: Mapping[str, tuple[FloatArray, str, str, str]],
    zone: str,
    station: str,
    notes: tuple[str, ...],
    use: str,
    *,
    dated: bool = False,
) -> Look:
    columns = tuple(
        _column(name, values, quantity, unit, _MEANT.get(meaning, meaning))
        for name, (values, quantity, unit, meaning) in named.items()
    )
    steps = np.diff(times_s)
    spacing = float(np.median(steps)) if steps.size else None
    every = max(1, times_s.size // _DRAWN)
    start = end = None
    if dated:
        start, end = (
            f"{from_micro(round(float(one) * 1e6)):%Y-%m-%d %H:%M:%SZ}" for one in (times_s[0], times_s[-1])
        )
    return Look(
        str(path),
        taken_for,
        times_s.size,
        start,
        end,
        None if spacing is None else float(Fraction(spacing).limit_denominator(10**6)),
        zone,
        station,
        columns,
        notes,
        use,
        times_s[::every],
        {name: values[::every] for name, (values, *_) in named.items()},
    )


def _column(name: str, values: FloatArray, quantity: str, unit: str, meaning: str) -> Column:
    known = values[np.isfinite(values)]
    low, mean, high = (
        (float(known.min()), float(known.mean()), float(known.max())) if known.size else (None, None, None)
    )
    return Column(name, quantity, unit, meaning, low, mean, high, int(values.size - known.size))
