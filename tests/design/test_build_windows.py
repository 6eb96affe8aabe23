"""Weather windows: days by the wind of the site's own weather, one year for a draw."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from aidc.design.construction.draws import draw, prepared
from aidc.design.construction.plan import load_plan
from aidc.errors import InputError
from aidc.site import load
from toml_tree import toml

EXAMPLE = Path(__file__).parents[2] / "examples" / "modular-campus"


def windy(tmp_path, limit=6.0, weather=None, extra=""):
    tables = tomllib.loads((EXAMPLE / "build.toml").read_text())
    tables["tasks"]["lift"] = {"days": 30, "wind_limit_m_s": limit, "calendar": "site"}
    if weather:
        tables["weather"] = weather
    path = tmp_path / "build.toml"
    path.write_bytes(toml(tables).encode())
    return load_plan(load(EXAMPLE / "site.toml", [extra] if extra else []), path)


def wind_csv(path, year, calm_month) -> None:
    """A year of hours with 3 m/s in one month and 12 m/s in all others."""
    rows = ["time,dry_bulb_c,relative_humidity_percent,wind_m_s"]
    hour = timedelta(hours=1)
    moment = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=1)
    while moment < datetime(year + 1, 1, 3, tzinfo=UTC):
        wind = 3 if moment.month == calm_month else 12
        rows.append(f"{moment:%Y-%m-%dT%H:%M:%SZ},15,60,{wind}")
        moment += hour
    path.write_text("\n".join(rows) + "\n")


def test_a_lift_ends_with_the_calm_days_of_its_year(tmp_path):
    """A day is calm by eleven hours from 7 to 18 o'clock at the site: counted here from the file itself."""
    import pvlib

    plan = windy(tmp_path)
    lift = draw(
        prepared(plan.tasks, plan.tables, plan.file.crews, {}, weather_rows=plan.weather_rows), 100, 1
    )
    place = [task.name for task in plan.tasks].index("lift")
    assert np.ptp(lift.finish[:, place]) == 0.0
    folder = Path(pvlib.__file__).parent / "data"
    data, _ = pvlib.iotools.read_tmy3(folder / "723170TYA.CSV", coerce_year=2026, map_variables=True)
    wind = data["wind_speed"].tz_convert("America/New_York")
    calm, day, left = [], date(2026, 1, 5), 30
    off = {date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25)}  # federal holidays until summer
    while left:
        hours = wind[wind.index.date == day].between_time("07:00", "18:00")
        if day.weekday() < 6 and day not in off and hours.max() < 6.0:
            left -= 1
            calm.append(day)
        day += timedelta(days=1)
    assert plan.file.start + timedelta(days=float(lift.finish[0, place]) - 1) == calm[-1]


def test_weather_years_are_drawn(tmp_path):
    for year, month in ((2021, 3), (2022, 7)):
        wind_csv(tmp_path / f"{year}.csv", year, month)
    source = {str(year): {"use": "csv", "file": str(tmp_path / f"{year}.csv")} for year in (2021, 2022)}
    plan = windy(tmp_path, weather=[{"year": int(year), "source": one} for year, one in source.items()])
    drawn = draw(
        prepared(plan.tasks, plan.tables, plan.file.crews, {}, weather_rows=plan.weather_rows), 400, 1
    )
    place = [task.name for task in plan.tasks].index("lift")
    months = [(plan.file.start + timedelta(days=float(one) - 1)) for one in drawn.finish[:, place]]
    ends = {(one.year, one.month) for one in months}
    assert ends == {
        (2027, 3),
        (2027, 7),
    }  # 26 days of the month's six-day weeks in 2026, the rest a year later
    assert 0.4 < np.mean([one.month == 3 for one in months]) < 0.6


def test_weather_without_wind_is_refused(tmp_path):
    path = tmp_path / "calm.csv"
    wind_csv(path, 2022, 5)
    rows = [",".join(line.split(",")[:3]) for line in path.read_text().splitlines()]
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(InputError, match="has no wind, and tasks wait for it"):
        windy(tmp_path, weather=[{"year": 2022, "source": {"use": "csv", "file": str(path)}}])
    constant = {"use": "constant", "dry_bulb_c": 20.0, "relative_humidity_percent": 50.0}
    with pytest.raises(InputError, match="the same in every hour"):
        windy(tmp_path, weather=[{"year": 2022, "source": constant}])
