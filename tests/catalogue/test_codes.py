"""Rule sets: every shipped one loads with its provenance, users' own come first, mistakes are named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidc.catalogue import CONFIDENCE, read
from aidc.cli.codes import show_codes
from aidc.errors import InputError
from aidc.schema.code import Code
from aidc.study.grid_check.codes import DEFAULT_CODE, known_codes, read_code, weakest

SHIPPED = known_codes()
ASKED = {
    "ercot-nogrr-282", "ercot-oscillation", "ercot", "caiso-2026", "ieso-v3", "eirgrid-mpid-345", "aemc-draft",
    "aeso", "southern", "atc", "lipa", "dominion", "ameren", "ieee-2800", "ieee-1547-cat2", "itic", "eu-dcc",
    "iec-61000-3-7", "ieee-519", "arxiv-2508-14318", "fcr-n", "fcr-d", "nordic-ffr", "ce-fcr", "gb-dc", "gb-dm",
    "gb-dr", "ercot-ffr", "ercot-ufr",
}  # fmt: skip
FIGURE = 'source = "s", confidence = "estimated"'
OWN = f"""
title = "My utility"
authority = "me"
version = "1"
status = "draft"
[[clauses]]
rule = "voltage-ride-through"
clause = "curve"
below_pu = {{ value = [0.9, 0.5], {FIGURE} }}
below_s = {{ value = [2.0, 0.25], source = "t", confidence = "published" }}
[sources.s]
title = "Letter"
[sources.t]
title = "Table"
"""


def own(folder: Path, text: str, name: str = "mine") -> Path:
    target = folder / "code"
    target.mkdir(exist_ok=True)
    (target / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def clause(code: Code, rule: str):
    return next(one for one in code.clauses if one.rule == rule)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_code("mine", (own(folder, text),))
    message = str(caught.value)
    assert "mine.toml" in message
    return message


def test_every_set_that_was_asked_for_ships() -> None:
    assert set(SHIPPED) >= ASKED
    assert DEFAULT_CODE in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_set_states_source_and_mark_of_every_clause(name: str) -> None:
    code = read_code(name)
    entry = read("code", name)
    assert code.confidence in CONFIDENCE
    for one in code.clauses:
        assert one.source
        assert one.confidence in CONFIDENCE
        assert list(CONFIDENCE).index(one.confidence) <= list(CONFIDENCE).index(code.confidence)
        assert one.rule == "uncaptured" or name == "ercot" or any(entry.figures)
        assert one.rule != "uncaptured" or one.judges
    assert name == "ercot" or all(source.title for source in entry.sources.values())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_figures_lie_in_sane_ranges(name: str) -> None:
    code = read_code(name)
    for one in code.clauses:
        if one.rule == "voltage-ride-through":
            assert all(0.1 <= level <= 0.95 for level in one.below_pu)
            assert all(1.0 < level <= 2.0 for level in one.above_pu)
            assert max(one.below_s + one.above_s) <= 1800
        if one.rule == "frequency-ride-through":
            nominal = code.frequency_hz
            assert nominal in (50, 60)
            assert all(nominal - 5 <= level < nominal for level in one.below_hz)
            assert all(nominal < level <= nominal + 5 for level in one.above_hz)
        if one.rule == "frequency-service":
            assert max(one.deviation_hz) <= 0.5
            assert list(one.response_frac) == sorted(one.response_frac)
            assert one.response_frac[-1] == 1.0
            assert one.start_s < one.full_s


def test_ercot_reads_as_its_summary_says() -> None:
    """grid.md row ERCOT NOGRR 282: 2.0 s to 0.8, 0.5 s to 0.5, 0.25 s to 0.2, 0.15 s below; 299 s bands."""
    code = read_code("ercot-nogrr-282")
    voltage = clause(code, "voltage-ride-through")
    assert dict(zip(voltage.below_pu, voltage.below_s, strict=True)) == {
        0.9: 2.0,
        0.8: 0.5,
        0.5: 0.25,
        0.2: 0.15,
    }
    frequency = clause(code, "frequency-ride-through")
    assert dict(zip(frequency.below_hz, frequency.below_s, strict=True)) == {58.8: 299, 57.0: 0}
    assert (code.status, code.confidence, code.min_mw) == ("approved", "estimated", 75)
    assert (voltage.confidence, frequency.confidence) == ("secondary", "secondary")
    assert "2028" in code.note
    assert {one.rule for one in code.clauses} == {
        "voltage-ride-through",
        "frequency-ride-through",
        "recovery",
        "fault-sequence",
    }


def test_the_six_sags_are_those_that_were_reported() -> None:
    """Virginia, 10 July 2024: 6 sags in 82 s, 0.25 to 0.40 pu."""
    sags = clause(read_code("ercot-nogrr-282"), "fault-sequence")
    assert (len(sags.start_s), sags.start_s[-1]) == (6, 82)
    assert (min(sags.residual_pu), max(sags.residual_pu)) == (0.25, 0.4)


def test_the_current_that_the_open_model_of_ieee_1547_asks_for() -> None:
    """OpenDER equations 3.5.1-24 and 43 to 50: mandatory operation from 0.65 to 0.88 pu; 299 s to 57.0 and 61.8 Hz."""
    code = read_code("ieee-1547-cat2")
    current = clause(code, "fault-current")
    assert (current.from_pu, current.to_pu, current.quantity) == (0.65, 0.88, "v_pn_min")
    bands = clause(code, "frequency-ride-through")
    assert dict(zip(bands.below_hz, bands.below_s, strict=True)) == {58.8: 299, 57.0: 0}
    assert dict(zip(bands.above_hz, bands.above_s, strict=True)) == {61.2: 299, 61.8: 0}


def test_the_combined_set_keeps_the_status_of_each_part() -> None:
    both = read_code("ercot")
    assert [one.status for one in both.clauses] == [
        "approved",
        "approved",
        "approved",
        "approved",
        "proposed",
    ]
    parts = [*read_code("ercot-nogrr-282").clauses, *read_code("ercot-oscillation").clauses]
    assert list(both.clauses) == parts
    assert both.min_mw == 75


def test_the_sloped_curve_is_never_laxer_than_the_standard() -> None:
    """IEEE 1547-2018 category II: 3 s + 8.7 s/pu (V - 0.65) from 0.65 to 0.88 pu."""
    curve = clause(read_code("ieee-1547-cat2"), "voltage-ride-through")
    points = sorted(zip(curve.below_pu, curve.below_s, strict=True))
    for k in range(231):
        level = 0.65 + k / 1000 - 1e-9
        asked = next(time for threshold, time in points if threshold > level)
        exact = 3 + 8.7 * (level - 0.65) if level >= 0.65 else 0.32
        assert exact - 1e-6 <= asked <= exact + 0.09


def test_equipment_and_storage_curves_do_not_bind_the_load() -> None:
    assert {one.applies_to for one in read_code("itic").clauses} == {"equipment"}
    assert {one.location for one in read_code("itic").clauses} == {"psu-terminals"}
    for name in ("ieee-2800", "ieee-1547-cat2"):
        assert {one.applies_to for one in read_code(name).clauses} == {"storage"}


def test_gaps_stay_gaps() -> None:
    counts = {name: sum(one.rule == "uncaptured" for one in read_code(name).clauses) for name in SHIPPED}
    assert counts["ieso-v3"] == 4
    assert counts["eirgrid-mpid-345"] == 2
    assert counts["arxiv-2508-14318"] == 3
    assert counts["ercot-nogrr-282"] == 0


def test_a_users_set_is_filled_from_its_figures(tmp_path: Path) -> None:
    code = read_code("mine", (own(tmp_path, OWN),))
    curve = code.clauses[0]
    assert (curve.source, curve.confidence, curve.status) == ("Letter; Table", "estimated", "draft")
    assert code.confidence == "estimated"


def test_a_users_set_comes_before_the_shipped_one(tmp_path: Path) -> None:
    search = (own(tmp_path, OWN, "ercot-nogrr-282"),)
    assert read_code("ercot-nogrr-282", search).title == "My utility"
    assert read_code("ercot-nogrr-282").authority == "ERCOT"
    combined = own(
        tmp_path, 'title="t"\nauthority="a"\nversion="1"\nstatus="draft"\ninclude=["ercot-nogrr-282"]', "x"
    )
    assert [one.status for one in read_code("x", (combined,)).clauses] == ["draft"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[0.9, 0.5]", "[0.9]", ("clauses[0]", "differ in length", "missing")),
        ("[2.0, 0.25]", "[0.25, 2.0]", ("clauses[0]", "grows with the depth")),
        ("[0.9, 0.5]", "[0.9, 0.9]", ("twice",)),
        ('"voltage-ride-through"', '"voltage-rid-through"', ("clauses[0].rule", "Did you mean 'voltage-ride-through'?")),
        ("below_pu", "below_puu", ("clauses[0].below_puu", "Did you mean 'below_pu'?")),
        ('rule = "voltage-ride-through"', "", ("clauses[0]",)),
        (f"{{ value = [0.9, 0.5], {FIGURE} }}", "[0.9, 0.5]", ("below_pu", "without a source")),
        ('confidence = "published"', 'confidence = "certain"', ("unknown confidence mark", "certain")),
        ("[2.0, 0.25]", "[2.0, -0.25]", ("clauses[0].below_s", "-0.25")),
        ("[2.0, 0.25]", "[2.0, nan]", ("clauses[0].below_s",)),
        ('status = "draft"', 'status = "law"', ("status", "law")),
        ('version = "1"', 'version = "1"\ninclude = ["mine"]', ("includes itself",)),
        ('version = "1"', 'version = "1"\ninclude = 3', ("include",)),
        ('version = "1"\n', "", ("version", "is missing")),
        ("[[clauses]]", "[clauses]", ("clauses",)),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_broken_set_is_refused_with_file_key_and_remedy(tmp_path: Path, old: str, new: str, words) -> None:
    assert old in OWN
    message = refused(tmp_path, OWN.replace(old, new, 1))
    for word in words:
        assert word in message


def test_an_unknown_set_gets_its_nearest_name() -> None:
    with pytest.raises(InputError, match="Did you mean 'ercot-nogrr-282'"):
        read_code("ercot-nogrr-281")


LINES = st.lists(st.integers(0, len(OWN.splitlines()) - 1), min_size=1, max_size=3)
JUNK = st.text(alphabet='abc[]{}="0.9,\n -#\x00é', max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, JUNK, st.integers(0, 10**9))
def test_a_mutated_set_is_read_or_refused(tmp_path: Path, lines: list[int], junk: str, number: int) -> None:
    text = OWN.splitlines()
    for line in lines:
        cut = number % (len(text[line]) + 1)
        text[line] = text[line][:cut] + junk + text[line][cut + number % 3 :]
    name = f"m{number}"
    try:
        code = read_code(name, (own(tmp_path, "\n".join(text), name),))
    except InputError:
        return
    assert code.clauses


def test_the_weakest_mark_wins() -> None:
    assert weakest(["published", "secondary", "derived"]) == "secondary"
    assert weakest([]) == "estimated"


def test_codes_lists_and_shows(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert show_codes(None, as_json=True) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["ieso-v3"]["uncaptured"] == 4
    assert rows["ercot-nogrr-282"]["effective"] == "2026-08-01"
    assert show_codes("caiso-2026", as_json=True) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["figures"]["clauses[0].below_s"]["value"] == [6.0, 3.0, 1.2, 0.15]
    assert show_codes("caiso-2026", as_json=False) == 0
    assert "voltage-ride-through" in capsys.readouterr().out


def test_the_door_to_codes_opens_fast() -> None:
    code = "from aidc.cli.app import app; app(['codes', '--help'], result_action='return_value'); import sys; assert not {'numpy', 'polars', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
