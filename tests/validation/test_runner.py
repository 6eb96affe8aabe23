"""The runner keeps every row, survives what it cannot read, and writes what it found."""

from __future__ import annotations

import json
import math
import sys
import types
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from aidc.errors import InputError, OutputError, Problem
from aidc.validation.case import Case, Row
from aidc.validation.document import markdown, write_document
from aidc.validation.runner import NAMES, Report, row_error, run
from aidc.validation.scatter import scatter_svg
from aidc.validation.table import render


def made(
    name: str = "power-cap", *, value: float | None = 4.0, limit: float | None = 6.0, unit: str = "%", **rest
):
    rows = [Row(f"item {k}", 100.0 + k, 100.0 + 1.04 * k, None, "model", {"k": k}) for k in range(20)]
    rows.append(Row("unknown <model>", 5.0, None, "no sizes | in its name"))
    return Case(
        name, "made_up", "mean |error|, model left out", value, limit, unit, rest.pop("rows", rows), **rest
    )


@pytest.fixture
def modules(monkeypatch):
    """Replace every validation module by one that gives nothing; returns a setter."""

    def put(name: str, function) -> None:
        module = types.ModuleType("stand_in")
        module.cases = function
        monkeypatch.setitem(sys.modules, f"aidc.validation.{name.replace('-', '_')}", module)

    for name in NAMES:
        put(name, lambda _: [])
    return put


def test_cases_without_data_are_listed_as_absent(modules, tmp_path) -> None:
    modules("cooling", lambda _: [made("cooling")])
    report = run(tmp_path)
    assert [case.name for case in report.cases] == ["cooling"]
    assert set(report.absent) == set(NAMES) - {"cooling"}
    assert report.passed


def refuse(_):
    raise InputError(Problem("has no column power", "Add it.", "x.csv"))


def stumble(_):
    raise ValueError("could not convert string to float: 'abc'")


@pytest.mark.parametrize(
    ("function", "told"), [(refuse, "has no column power"), (stumble, "ValueError: could not")]
)
def test_a_case_that_cannot_be_read_says_why_and_the_others_go_on(modules, tmp_path, function, told) -> None:
    modules("storage", function)
    modules("chains", lambda _: [made("chains")])
    report = run(tmp_path)
    entries = {entry["name"]: entry for entry in report.document()["cases"]}
    assert entries["storage"]["value"] is None
    assert told in entries["storage"]["rows"][0]["reason"]
    assert entries["storage"]["n_unpredicted"] == 1
    assert entries["chains"]["passed"] is True
    assert not report.passed


def test_a_missed_bar_fails_the_report_and_a_shown_one_does_not() -> None:
    assert Report([made(value=5.9)]).passed
    assert not Report([made(value=-6.1)]).passed
    assert Report([made(value=60.0, kind="shown")]).passed
    assert Report([made(value=None)]).passed


def test_only_runs_what_it_names_and_reports_progress(modules, tmp_path) -> None:
    seen: list[tuple[str, int, int]] = []
    modules("storage", stumble)
    run(tmp_path, ["chains", "cooling"], lambda *told: seen.append(told))
    assert seen == [("cooling", 0, 2), ("chains", 1, 2)]


def test_unknown_case_is_refused_with_the_nearest_name(tmp_path) -> None:
    with pytest.raises(InputError, match="Did you mean power-cap"):
        run(tmp_path, ["powercap"])


def test_absent_folder_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        run(tmp_path / "nothing")


def test_json_is_finite_and_has_every_row(modules, tmp_path) -> None:
    rows = [
        Row("a", 0.0, 1.0),
        Row("b", math.nan, 2.0),
        Row("c", 2.0, math.inf, inputs={"x": math.nan, "p": tmp_path}),
    ]
    modules("cooling", lambda _: [made("cooling", value=math.nan, rows=rows)])
    (entry,) = json.loads(json.dumps(run(tmp_path).document(), allow_nan=False))["cases"]
    assert set(entry) == {
        "name",
        "dataset",
        "metric",
        "value",
        "limit",
        "n",
        "n_unpredicted",
        "unit",
        "passed",
        "kind",
        "note",
        "rows",
    }
    assert entry["n"] == len(entry["rows"]) == 3
    assert [row["error"] for row in entry["rows"]] == [None, None, None]
    assert entry["rows"][2]["inputs"]["x"] is None


@pytest.mark.parametrize(("unit", "error"), [("%", 25.0), ("percent", 25.0), ("points", 10.0), ("K", 10.0)])
def test_row_errors_are_in_the_cases_unit(unit, error) -> None:
    assert row_error(made(unit=unit), Row("x", 40.0, 50.0)) == pytest.approx(error)


def test_page_shows_misses_reasons_and_what_was_left_out() -> None:
    page = markdown(Report([made(value=7.0), made("chains")], ["cooling"]))
    assert "**1 of 2 bars are met.**" in page
    assert "**missed**" in page
    assert "1 × no sizes \\| in its name" in page
    assert "| item 19 |" in page
    assert "`cooling`" in page


def test_pictures_are_well_formed_small_and_hold_every_row(tmp_path) -> None:
    rows = [Row(f"r{k}", 10.0 * 1.01**k, 10.0 * 1.011**k) for k in range(700)]
    case = made(rows=rows)
    picture = ET.fromstring(scatter_svg(case))  # noqa: S314  our own text
    dots = max((path.get("d") or "" for path in picture.iter() if path.get("stroke-linecap")), key=len)
    assert dots.count("h0") >= 650  # a few fall on the same half pixel
    written = write_document(Report([case, made(value=9.0)]), tmp_path)
    assert {path.suffix for path in written} == {".md", ".svg"}
    assert max(path.stat().st_size for path in written) < 60_000
    page = (tmp_path / "validation.md").read_text(encoding="utf-8")
    assert all(f"validation/{path.name}" in page for path in written[1:])


def test_a_perfect_prediction_lies_on_the_diagonal() -> None:
    rows = [Row(f"r{k}", float(k), float(k)) for k in range(1, 12)]
    picture = scatter_svg(made(rows=rows))
    spots = picture.split('stroke-linecap="round"')[0].rsplit('<path d="', 1)[1].split('"')[0]
    points = [tuple(map(float, spot.split(","))) for spot in spots.replace("h0", "").split("M")[1:]]
    (x0, y0), (x1, y1) = points[0], points[-1]
    for x, y in points:
        assert (y - y0) / (y1 - y0) == pytest.approx((x - x0) / (x1 - x0), abs=0.005)


@pytest.mark.parametrize(
    "rows", [[], [Row("one", 3.0, 3.0)], [Row("negative", -4.0, 5.0)], [Row("zero", 0.0, 0.0)]]
)
def test_odd_rows_still_make_a_picture(rows) -> None:
    ET.fromstring(scatter_svg(made(rows=rows)))  # noqa: S314  our own text


def test_old_pictures_go_and_a_full_disk_is_told(tmp_path) -> None:
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "old.svg").write_text(scatter_svg(made()))
    write_document(Report([made()]), tmp_path)
    assert not (tmp_path / "validation" / "old.svg").exists()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        write_document(Report([made()]), blocked)


def test_table_names_misses_and_reasons() -> None:
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123  thrown away
    console.print(render(Report([made(value=9.0)], ["cooling"])))
    console.file.close()
    text = console.export_text()
    assert "missed" in text
    assert "no sizes | in its name" in text
    assert "0 of 1 bars met." in text
    assert "cooling" in text


def test_files_of_others_stay_where_a_report_is_written(tmp_path) -> None:
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "logo.svg").write_text("<svg>mine</svg>")
    write_document(Report([made()]), tmp_path)
    write_document(Report([made(value=8.0)]), tmp_path)
    assert (tmp_path / "validation" / "logo.svg").read_text() == "<svg>mine</svg>"
    (tmp_path / "validation.md").write_text("my notes")
    with pytest.raises(OutputError, match=r"validation\.md"):
        write_document(Report([made()]), tmp_path)
    assert (tmp_path / "validation.md").read_text() == "my notes"


def test_without_measured_data_nothing_is_said_to_be_met() -> None:
    absent = ("inference-energy", "server-power")
    assert not Report([made(name="cooling")], absent).measured
    assert Report([made(name="cooling"), made(name="server-power")], absent[:1]).measured
    assert Report([made(name="cooling")]).measured
