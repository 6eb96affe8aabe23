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
    assert [one["name"] for one in found["columns"]] == ["p_w", "frequency_hz"]
    assert found["taken_for"] == "recording at poi"
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


def waves(tmp_path: Path, unit: float = 1.0) -> Path:
    """A 138 kV system: two seconds at 1.2 kHz, with a sag to half for 100 ms from 1 s on."""
    import numpy as np

    t = np.arange(2400) / 1200
    level = np.where((t >= 1) & (t < 1.1), 0.5, 1.0) * 138e3 * np.sqrt(2 / 3) * unit
    rows = [level * np.sin(2 * np.pi * (60 * t - k / 3)) for k in range(3)]
    text = "Time;VA;VB;VC\n" + "".join(
        ";".join(f"{x:.6f}".replace(".", ",") for x in row) + "\n" for row in zip(t, *rows, strict=True)
    )
    return written(tmp_path, "fault.csv", text)


def test_a_fault_record_before_it_is_judged(tmp_path, capsys) -> None:
    """No site is known: the nominal voltage is the usual one next to what was measured."""
    picture = tmp_path / "fault.svg"
    found = looked(capsys, waves(tmp_path), "--plot", picture)
    notes = " ".join(found["notes"])
    assert "1200 samples a second, nominal 60 Hz" in notes
    assert "stands at 1 pu of 138 kV" in notes
    (sag,) = found["disturbances"]
    assert (sag["start_s"], sag["end_s"]) == (pytest.approx(1.0, abs=0.02), pytest.approx(1.1, abs=0.02))
    assert "sag to 0.5 pu" in sag["what"]
    assert "v1_pu" in [one["name"] for one in found["columns"]]
    assert "sag to 0.5 pu" in picture.read_text()


def test_a_look_names_a_voltage_from_phase_to_neutral(tmp_path, capsys) -> None:
    path = written(
        tmp_path, "v.csv", "time_s,voltage_kv\n" + "".join(f"{k / 100},79.67\n" for k in range(100))
    )
    assert "138 kV over √3" in " ".join(looked(capsys, path)["notes"])


@pytest.mark.parametrize("width", [80, 120])
def test_no_table_breaks_its_words_at_the_width_of_a_terminal(width, tmp_path, capsys) -> None:
    """Columns of two letters were the rule: now figures and names stand whole."""
    from rich.console import Console

    from aidc.cli import codes, looking
    from aidc.study.grid_check.codes import known_codes, read_code
    from aidc.study.look import look

    shown = Console(width=width, markup=False, emoji=False)
    shown.print(codes._listing([codes._row(name, read_code(name)) for name in known_codes()]))
    for name in known_codes():
        shown.print(codes._clauses(name, read_code(name)))
    shown.print(looking._table(look(waves(tmp_path)), courses=width >= 110))
    told = capsys.readouterr().out
    assert "…" not in told
    assert max(len(line) for line in told.splitlines()) <= width
    for word in (
        "voltage-ride-through",
        "frequency-ride-through",
        "not captured",
        "v_pn_min_pu",
        "reference",
    ):
        assert word in told
