"""`aidc look`: what it says of a file is what stands in it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from aidc.cli.app import main

WEATHER = "time_utc,temp_f,rh_percent,ghi_w_m2\n" + "".join(
    f"2025-07-07T{h:02d}:00:00Z,{50 + h},{40},{'' if h == 3 else 10 * h}\n" for h in range(24)
)
PRICES = "time,price_eur_per_kwh\n" + "".join(f"{1751846400 + 3600 * k},0.{k}\n" for k in range(5))
RECORDING = "timestamp,p_mw,frequency_hz\n" + "".join(
    f"{1751846400000 + 10 * k},{50 + k},60\n" for k in range(50)
)


def looked(capsys, path, *more) -> dict:
    with pytest.raises(SystemExit) as left:
        main(["look", str(path), "--json", *map(str, more)])
    assert left.value.code == 0
    return json.loads(capsys.readouterr().out)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_weather_with_its_units_and_gaps(tmp_path, capsys) -> None:
    found = looked(capsys, written(tmp_path, "w.csv", WEATHER))
    columns = {one["name"]: one for one in found["columns"]}
    assert found["taken_for"] == "table of weather"
    assert (found["rows"], found["spacing_s"], found["start"]) == (24, 3600.0, "2025-07-07 00:00:00Z")
    assert (columns["temp_f"]["quantity"], columns["temp_f"]["unit"]) == ("dry_bulb_c", "°F")
    assert columns["ghi_w_m2"]["missing"] == 1
    assert (columns["temp_f"]["low"], columns["temp_f"]["high"]) == (50.0, 73.0)
    assert found["use"] == 'scenario.weather = { use = "csv", file = "w.csv" }'


def test_prices_with_unix_time(tmp_path, capsys) -> None:
    found = looked(capsys, written(tmp_path, "p.csv", PRICES))
    assert found["start"] == "2025-07-07 00:00:00Z"
    assert "Unix time" in found["zone"]
    (price,) = found["columns"]
    assert (price["quantity"], price["unit"], price["meaning"]) == (
        "price",
        "EUR/kWh",
        "holds until the next",
    )


def test_a_recording(tmp_path, capsys) -> None:
    found = looked(capsys, written(tmp_path, "r.csv", RECORDING))
    assert [one["quantity"] for one in found["columns"]] == ["channel p_w", "channel frequency_hz"]
    assert found["spacing_s"] == 0.01
    sidecar = written(
        tmp_path,
        "recording.toml",
        'file = "r.csv"\ntime = "timestamp"\n[channels.p_w]\ncolumn = "p_mw"\nscale = 1e6\n',
    )
    assert looked(capsys, sidecar)["columns"][0]["high"] == 99e6


def test_requests_are_known_by_their_header(tmp_path, capsys) -> None:
    text = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,X,472,18,490,L\n45,X,1087,230,1317,L\n"
    found = looked(capsys, written(tmp_path, "b.csv", text))
    assert found["taken_for"] == "requests (burstgpt)"
    assert {one["name"]: one["high"] for one in found["columns"]} == {
        "input_tokens": 1087,
        "output_tokens": 230,
    }


def test_the_picture_has_a_panel_for_each_column_and_breaks_at_the_gap(tmp_path, capsys) -> None:
    picture = tmp_path / "w.svg"
    looked(capsys, written(tmp_path, "w.csv", WEATHER), "--plot", picture)
    lines = [one for one in ET.parse(picture).iter() if one.tag.endswith("polyline")]  # noqa: S314  our own file
    assert len(lines) == 4  # temperature, humidity, and irradiance on both sides of its gap
    assert [len(one.get("points").split()) for one in lines] == [24, 24, 3, 20]


def test_the_screen_says_it_in_words(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["look", str(written(tmp_path, "w.csv", WEATHER))])
    told = capsys.readouterr().out
    assert "table of weather, 24 rows, every 3600 s" in told
    assert "dry_bulb_c" in told


@pytest.mark.parametrize("text", ["", "a,b\nx,y\n", "{}", "\0\1", "time,x\n1,\n"])
def test_what_is_nothing_is_refused_with_exit_2(tmp_path, capsys, text) -> None:
    with pytest.raises(SystemExit) as left:
        main(["look", str(written(tmp_path, "x.csv", text))])
    assert left.value.code == 2
    assert "x.csv" in capsys.readouterr().err
