"""Progress: what has happened stays, what has not comes later, and what changed is told."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from aidc.design.construction.build import build
from aidc.design.construction.draws import draw, prepared
from aidc.design.construction.plan import load_plan
from aidc.design.construction.progress import progressed, read_progress
from aidc.errors import InputError
from aidc.plant.freeze import frozen
from aidc.site import load
from toml_tree import toml

EXAMPLE = Path(__file__).parents[2] / "examples" / "modular-campus"
TODAY = date(2026, 11, 30)
START = date(2026, 1, 5)


@pytest.fixture(scope="module")
def site():
    return load(EXAMPLE / "site.toml")


@pytest.fixture(scope="module")
def plan(site):
    return load_plan(frozen(site))


def laid(plan, tmp_path, tables, today=TODAY):
    path = tmp_path / "progress.toml"
    path.write_bytes(toml(tables).encode())
    return progressed(plan, read_progress(path, today), path)


def drawn(plan, draws=300):
    ready = prepared(
        plan.tasks,
        plan.tables,
        plan.file.crews,
        plan.file.correlation,
        plan.file.policy,
        known=plan.known,
        first=plan.under_way,
    )
    return draw(ready, draws, 4)


def test_no_draw_contradicts_what_has_happened(plan, tmp_path):
    tables = tomllib.loads((EXAMPLE / "progress.toml").read_text())
    now = laid(plan, tmp_path, tables)
    found = drawn(now)
    status = (tables["status"] - START).days + 1
    for place, task in enumerate(now.tasks):
        actual = tables["tasks"].get(task.name, {})
        if "finished" in actual:
            assert np.all(found.finish[:, place] == (actual["finished"] - START).days + 1)
        else:
            assert np.all(found.start[:, place] >= status)
    place = {task.name: number for number, task in enumerate(now.tasks)}
    # the maker has one line: who is under way has it, and the next halls follow
    line = [found.start[:, place[f"halls-{k}.build"]] for k in (1, 2, 3, 4)]
    assert np.all(line[0] == status)
    assert all(np.all(other >= found.finish[:, place["halls-1.build"]]) for other in line[1:])


def test_work_under_way_has_the_rest_of_its_days_to_go(plan, tmp_path):
    """Earthworks of 25, 35, 60 days that have lasted 30 working days: given that, at most 30 are left."""
    tables = {
        "status": date(2026, 5, 2),
        "tasks": {"permits": {"finished": date(2026, 3, 28)}, "earthworks": {"started": date(2026, 3, 30)}},
    }
    now = laid(plan, tmp_path, tables)
    place = [task.name for task in now.tasks].index("earthworks")
    left = drawn(now, 4000).finish[:, place] - ((tables["status"] - START).days + 1)
    known = now.known["earthworks"]
    assert (known.least_d, known.span_d) == (pytest.approx(0, abs=0.05), pytest.approx(30, abs=1.5))
    whole = plan.tasks[[task.name for task in plan.tasks].index("earthworks")].mean_days
    assert 0 < left.mean() * 6 / 7 < whole - 15  # six working days a week
    assert np.all(left <= 30 * 7 / 6 + 4)


def test_a_late_finish_is_told_with_what_slips(site):
    found = build(site, draws=300, value=False, actual=EXAMPLE / "progress.toml", today=TODAY)
    facts = found.as_dict()
    told = facts["progress"]
    assert {one["name"]: one["days_late"] for one in told["done"]}["permits"] > 20
    assert told["under_way"] == ["earthworks", "substation.order", "halls-1.build"]
    assert told["promises"][0]["slips"]
    assert told["all_online_days_later"] > 0
    rows = {task["name"]: task for task in facts["tasks"]}
    assert rows["permits"]["finish"]["p90"] == "2026-05-04"
    assert rows["earthworks"]["start"]["p50"] == "2026-05-05"
    assert "controls.design" in told["not_reported"]
    assert "taken not to have begun" in facts["told"][0]


def test_a_project_that_goes_as_planned_moves_nothing(tmp_path, site):
    """With fixed days and no failures, progress by the plan's own dates leaves every date where it was."""
    tables = tomllib.loads((EXAMPLE / "build.toml").read_text())
    del tables["value"]
    tables["milestones"]["energise"]["dates"] = date(2026, 11, 15)
    tables["milestones"]["reinforced"]["dates"] = date(2027, 6, 30)
    for task in tables["tasks"].values():
        task["days"] = task["days"][1]
    source = load_plan(frozen(site))
    for name, module in tables["modules"].items():
        steps = module.setdefault("steps", {})
        for step, shape in source.file.modules[name].module.steps.items():
            steps.setdefault(step, {}).update({"days": list(shape.days[1:2]) * 3, "fail_frac": 0.0})
    path = tmp_path / "build.toml"
    path.write_bytes(toml(tables).encode())
    base = build(site, plan=path, draws=100)
    status = date(2026, 9, 18)
    actual = {}
    for row in base.tasks:
        if row.finish.p50 <= status and row.name not in tables["milestones"]:
            actual[row.name] = {"started": row.start.p50, "finished": row.finish.p50}
        elif row.start.p50 <= status and row.name not in tables["milestones"]:
            actual[row.name] = {"started": row.start.p50}
    (tmp_path / "progress.toml").write_bytes(toml({"status": status, "tasks": actual}).encode())
    now = build(site, plan=path, draws=100, actual=tmp_path / "progress.toml", today=TODAY)
    apart = {one["name"]: one["days_later"] for one in now.progress["moved"]}
    assert {name: days for name, days in apart.items() if abs(days) > 1} == {}
    assert len(actual) > 30


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"status": date(2027, 1, 1)}, "is from the future: today is 2026-11-30"),
        ({"status": date(2026, 3, 1), "tasks": {"permits": {"finished": date(2026, 3, 2)}}}, "lies after the status date 2026-03-01"),
        ({"status": date(2026, 3, 1), "tasks": {"permit": {"started": date(2026, 2, 2)}}}, "Did you mean 'permits'"),
        ({"status": date(2026, 3, 1), "tasks": {"permits": {"started": date(2025, 2, 2)}}}, "before the start of the project"),
        ({"status": date(2025, 3, 1)}, "before the start of the project"),
        ({"status": date(2026, 3, 1), "tasks": {"permits": {}}}, "says nothing"),
        ({"status": date(2026, 3, 1), "tasks": {"permits": {"started": date(2026, 2, 2), "finished": date(2026, 1, 9)}}}, "finished before it started"),
        ({"status": date(2026, 5, 1), "tasks": {"earthworks": {"started": date(2026, 4, 2)}}}, "permits, which it waits for, is not done"),
        (
            {"status": date(2026, 5, 1), "tasks": {"permits": {"finished": date(2026, 4, 20)}, "earthworks": {"started": date(2026, 4, 2)}}},
            "began before permits",
        ),
        (
            {"status": date(2026, 5, 1), "tasks": {f"halls-{k}.{step}": dates for k in (1, 2) for step, dates in
             {"design": {"finished": date(2026, 2, 2)}, "order": {"finished": date(2026, 4, 1)}, "build": {"started": date(2026, 4, 2)}}.items()}},
            "2 of crew hall-line are under way, and there are 1",
        ),
        ({"status": date(2026, 5, 1), "task": {}}, "Did you mean 'tasks'"),
    ],
)  # fmt: skip
def test_what_cannot_have_happened_is_refused(plan, tmp_path, tables, words):
    with pytest.raises(InputError) as caught:
        laid(plan, tmp_path, tables)
    assert words in str(caught.value)
    assert "progress.toml" in str(caught.value)


def test_a_status_of_today_is_no_future(plan, tmp_path):
    laid(plan, tmp_path, {"status": TODAY})
    with pytest.raises(InputError, match="from the future"):
        laid(plan, tmp_path, {"status": TODAY + timedelta(days=1)})
