"""Bridges: what the energy model runs behind a limit with and without them, and what that is over the draws."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from aidc.design.construction import bridges as studied
from aidc.design.construction.bridges import bridges_of
from aidc.design.construction.build import build
from aidc.design.construction.draws import draw, prepared
from aidc.design.construction.grid import finishes_of, power_of
from aidc.errors import InputError
from aidc.site import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "modular-campus"
SHORT = ["scenario.days=1"]
HEAD = (EXAMPLE / "build.toml").read_text().partition("[bridges.storage]")[0]


def planned(tmp_path, text):
    (tmp_path / "build.toml").write_text(HEAD + text)
    return tmp_path / "build.toml"


@pytest.fixture(scope="module")
def site():
    return load(EXAMPLE / "site.toml", SHORT)


def test_a_larger_limit_lets_all_run_and_the_rest_is_what_the_limit_carries(site, tmp_path, monkeypatch):
    monkeypatch.setattr(studied, "_TRIES", 10)  # fewer runs
    plan = planned(
        tmp_path,
        "[bridges.more]\navailable = 2027-05-01\nimport_limit_mw = 24\nusd_per_day = 1000\ncost_usd_million = 0.5\n",
    )
    found = build(site, plan=plan, draws=300, value=False, bridges=True)
    facts = found.bridges
    none, more = facts["options"]
    assert (none["name"], more["name"]) == ("none", "more")
    assert len(facts["dates"]) >= 2  # every date on which racks wait
    assert all(one["import_limit_mw"] == 12.0 for one in facts["dates"])
    for date_row, alone, bridged in zip(facts["dates"], none["tries"], more["tries"], strict=True):
        assert bridged["it_mw"] == pytest.approx(date_row["commissioned_mw"])
        assert date_row["lit_mw"] - 0.6 <= alone["it_mw"] < date_row["commissioned_mw"]  # steps of some racks
        assert alone["peak_import_mw"] <= 12.0 + 1e-6
        assert alone["availability_frac"] >= 0.999
    assert more["tries"][-1]["peak_import_mw"] > 12.0
    assert none["mean_mw_days_gained"] == 0.0
    assert more["mean_cost_usd"] == pytest.approx(0.5e6 + 1000 * more["mean_days_in_use"])
    corners = [one["commissioned_mw"] for one in facts["dates"]]
    able = [[one["it_mw"] for one in option["tries"]] for option in (none, more)]
    assert more["mean_mw_days_gained"] == pytest.approx(by_days(found, corners, *able), rel=0.02)


def test_a_bridge_that_comes_too_late_is_told(monkeypatch, site, tmp_path):
    """Judged on its own day where it comes between two phases, and not at all before."""
    text = "".join(
        f"[bridges.{name}]\navailable = {day}\nimport_limit_mw = 24\n"
        for name, day in (("between", "2027-06-25"), ("late", "2028-02-01"))
    )

    def tried(standing, _, count):
        supply = {"supply": {"availability_frac": 1.0}, "tokens": {"useful": 0.0}}
        return studied._Tried(standing.day, count, 0.1 * count, supply)

    monkeypatch.setattr(studied, "_tried", tried)
    found = build(site, plan=planned(tmp_path, text), draws=300, value=False, bridges=True)
    _, between, late = found.bridges["options"]
    assert [one is None for one in between["tries"]] == [True] * (len(between["tries"]) - 1) + [False]
    assert between["tries"][-1]["date"] == "2027-06-25"
    assert set(late["tries"]) == {None}
    assert late["mean_mw_days_gained"] == 0.0
    assert any("bridges.late: is there when no racks wait" in line for line in found.told)


def by_days(found, corners, without_mw, with_mw):
    """The gain summed quarter day by quarter day, from the draws alone."""
    plan = found.plan
    ready = prepared(plan.tasks, plan.tables, plan.file.crews, plan.file.correlation, plan.file.policy)
    finish = finishes_of(plan, draw(ready, found.draws, found.seed))
    halls = {lot.name: lot.it_mw for lot in found.lots if lot.it_mw}
    start = (date(2027, 5, 1) - plan.file.start).days
    times = np.arange(start, 1200, 0.25) + 0.125
    total = 0.0
    for k in range(found.draws):
        done = sum(mw * (finish[name][k] <= times) for name, mw in halls.items())
        twelve = (finish["energise"][k] <= times) & (finish["substation"][k] <= times)
        bound = times < finish["reinforced"][k]
        nameplate = np.minimum(done, np.where(twelve, 12.0, 0.0) / found.import_per_it)
        alone, able = (np.minimum(done, np.interp(done, corners, one)) for one in (without_mw, with_mw))
        without = np.maximum(nameplate, alone)
        total += (np.maximum(able - without, 0.0) * bound * twelve).sum() * 0.25
    return total / found.draws


def test_more_racks_than_run_are_never_reported(monkeypatch, site, tmp_path):
    """The search is held against trying every count: a made-up energy model that fails above a count of racks."""
    found = build(
        site,
        plan=planned(tmp_path, "[bridges.more]\navailable = 2027-05-01\nimport_limit_mw = 13\n"),
        draws=200,
        value=False,
    )
    for most in (0, 3, 40, 77, 200):

        def tried(standing, bridge, count, most=most):
            room = most + (30 if bridge.import_limit_mw == 13 else 0)
            supply = {
                "supply": {"availability_frac": 1.0 if count <= room else 0.5},
                "tokens": {"useful": 0.0},
            }
            return studied._Tried(standing.day, count, 0.12 * count, supply)

        monkeypatch.setattr(studied, "_tried", tried)
        power = power_of(found.plan)
        ready = prepared(
            found.plan.tasks, found.plan.tables, found.plan.file.crews, found.plan.file.correlation
        )
        finish = finishes_of(found.plan, draw(ready, 100, 1))
        facts = bridges_of(found, power, finish)
        for row, room in zip(facts["options"], (most, most + 30), strict=True):
            runs = [0.0 if one is None else one["it_mw"] for one in row["tries"]]
            assert runs == sorted(runs)  # behind one limit, what ran still runs
            for one, day in zip(row["tries"], facts["dates"], strict=True):
                racks = 0.0 if one is None else one["it_mw"] / 0.12
                assert racks <= room + 1e-9
                total = 170 if day["commissioned_mw"] > 18 else 135
                assert racks >= min(room, total) - total // 32 - 1 - 1e-9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no bridges"),
        ("[bridges.x]\navailable = 2027-05-01\n", "is nothing"),
        (
            '[bridges.x]\navailable = 2027-05-01\ngenset = { use = "gas-engin", power_mw = 3 }\n',
            "Did you mean 'gas-engine'",
        ),
        (
            '[bridges.x]\navailable = 2027-05-01\nstorage = { use = "ups-battery-string", power_mw = 3, energy_mwh = 1 }\n',
            "stands at the site",
        ),
        ('[bridges.x]\navailable = 2027-05-01\ngenset = { use = "gas-engine", power_mv = 3 }\n', "power_mw"),
    ],
)
def test_what_a_bridge_lacks_is_named(site, tmp_path, text, words):
    with pytest.raises(InputError) as caught:
        build(site, plan=planned(tmp_path, text), draws=100, value=False, bridges=True)
    assert words in str(caught.value)


def test_a_run_of_hours_is_too_short_to_judge_by(tmp_path):
    plan = planned(tmp_path, "[bridges.x]\navailable = 2027-05-01\nimport_limit_mw = 24\n")
    with pytest.raises(InputError, match="too short to judge"):
        build(
            load(EXAMPLE / "site.toml", ["scenario.days=0.5"]),
            plan=plan,
            draws=100,
            value=False,
            bridges=True,
        )


def test_nothing_to_bridge_is_told(site, tmp_path):
    text = HEAD.replace("import_limit_mw = 12", "import_limit_mw = 24")
    (tmp_path / "build.toml").write_text(text + "[bridges.x]\navailable = 2027-05-01\nimport_limit_mw = 24\n")
    with pytest.raises(InputError, match="nothing to bridge"):
        build(site, plan=tmp_path / "build.toml", draws=100, value=False, bridges=True)
