"""Phases: valid sites out of the frozen equipment, whose books close and whose import stays within the milestone's."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pvlib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aidc
from aidc.cli.building import build_site
from aidc.design.construction.admission import admitted
from aidc.design.construction.build import build
from aidc.design.construction.phases import phase_dates, phase_of, phases_of, standing_of
from aidc.design.construction.result import Dates
from aidc.errors import InputError, OutputError
from aidc.plant.capacity import design_weather
from aidc.plant.design_check import design_peak_w
from aidc.plant.freeze import frozen
from aidc.site import load, site_toml

EXAMPLE = Path(__file__).parents[2] / "examples" / "modular-campus"
RACK_MW = {"chat-a": 0.120, "chat-b": 0.120, "batch": 0.0408}


@pytest.fixture(scope="module")
def found():
    return build(EXAMPLE / "site.toml", draws=500, value=False)


@pytest.fixture(scope="module")
def tight(tmp_path_factory):
    """The example with a first milestone that carries less than the first halls."""
    folder = tmp_path_factory.mktemp("tight")
    text = (EXAMPLE / "build.toml").read_text()
    text = text.replace("import_limit_mw = 12", "import_limit_mw = 3").replace(
        "[2027-03-01, 2027-06-30, 2028-01-31]", "[2028-03-01, 2028-06-30, 2029-01-31]"
    )
    (folder / "build.toml").write_text(text)
    return build(EXAMPLE / "site.toml", plan=folder / "build.toml", draws=500, value=False)


def installed(found, day):
    """IT power of the hall lots whose median is by a day, from the rows of the result alone [MW]."""
    return sum(lot.it_mw for lot in found.lots if lot.online.p50 <= day)


@pytest.mark.parametrize("case", ["found", "tight"])
def test_what_is_online_is_carried_by_modules_grid_and_cooling(case, request):
    result = request.getfixturevalue(case)
    before_mw = 0.0
    for day in phase_dates(result):
        phase = phase_of(result, day)
        site = phase.site
        limit = max(
            one.import_limit_mw or 0
            for name, one in result.plan.file.milestones.items()
            if result.milestones[name].p50 <= day
        )
        assert site.grid.import_limit_mw == min(limit, 24.0)
        racks = {name: pod.racks for name, pod in site.pods.items()}
        assert sum(racks[name] * RACK_MW[name] for name in racks) == pytest.approx(phase.online_mw)
        assert phase.online_mw <= phase.commissioned_mw <= installed(result, day) + 1e-9
        plants = {name: design_weather(plant) for name, plant in site.cooling.items()}
        assert design_peak_w(site, plants=plants) <= site.grid.import_limit_mw * 1e6 + 1e-3
        whole = result.plan.site
        for name, pod in site.pods.items():
            for stage, kw in pod.built.stage_kw.items():
                assert kw <= whole.pods[name].built.stage_kw[stage] * (1 + 1e-9)
            assert pod.built.cdu_units <= whole.pods[name].built.cdu_units
        for name, plant in site.cooling.items():
            assert plant.built.units <= whole.cooling[name].built.units
            assert plant.built.heat_mw <= whole.cooling[name].built.heat_mw
        assert frozen(site) is site  # nothing is left to size
        assert phase.online_mw >= before_mw - 1e-9  # what runs is not taken down for what comes later
        before_mw = phase.online_mw
    assert [one.site for one in phases_of(result)] == [
        phase_of(result, day).site for day in phase_dates(result)
    ]


def test_a_hall_that_would_leave_less_running_stays_switched_off(found):
    """Behind 12 MW the losses of a fourth hall cost a rack: it waits, and the phase says so."""
    day = max(lot.online.p50 for lot in found.lots if lot.it_mw > 0)
    phase = phase_of(found, day)
    assert phase.off == ("halls-4",)
    assert any("halls-4 stay switched off" in line for line in phase.told)
    assert {name: pod.racks for name, pod in phase.site.pods.items()}["chat-a"] == 60
    assert phase.commissioned_mw == pytest.approx(found.final_mw)


def test_a_curve_that_has_more_than_its_parts_carry_says_so(found, tight):
    """With 0.8 MW of auxiliaries a first connection of 3 MW carries about (3 - 0.8) / 1.1 MW of IT, not 3 MW over the ratio of the whole."""
    assert not any(line.startswith("power: ") for line in found.told)
    site = load(EXAMPLE / "site.toml", ["site.auxiliary_mw=0.8"])
    result = build(site, plan=tight.plan.path, draws=200, value=False)
    told = [line for line in result.told if line.startswith("power: ")]
    shown, carried = (
        float(re.search(pattern, told[0]).group(1))
        for pattern in (r"power: (\S+) MW", r"carries (\S+) MW behind 3 MW")
    )
    assert shown == pytest.approx(3.0 / (tight.import_per_it + 0.8 / 18.024), rel=0.02)
    assert 0.75 * (3.0 - 0.8) / tight.import_per_it < carried <= (3.0 - 0.8) / tight.import_per_it + 0.05


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_phases_of_a_random_plan_are_carried_by_what_is_there(found, data):
    """Lots and milestones in any order that their givers allow, behind any limits: power never falls, import and equipment suffice."""
    limits = sorted(data.draw(st.lists(st.floats(1.5, 24.0), min_size=2, max_size=2)))
    days = {lot.name: data.draw(st.integers(0, 60)) for lot in found.lots}
    for lot in found.plan.lots:  # givers come before takers in the example's file
        givers = [days[link.giver] for link in lot.links if link.giver in days]
        days[lot.name] += max(givers, default=0)
    moved = found.plan.file.start
    lots = tuple(
        replace(lot, online=Dates(*(moved + timedelta(days=days[lot.name]),) * 3)) for lot in found.lots
    )
    names = list(found.milestones)
    dates = {name: moved + timedelta(days=data.draw(st.integers(0, 400))) for name in names}
    file = found.plan.file.model_copy(
        update={
            "milestones": {
                name: found.plan.file.milestones[name].model_copy(update={"import_limit_mw": limit})
                for name, limit in zip(names, limits, strict=True)
            }
        }
    )
    case = replace(
        found,
        lots=lots,
        milestones={name: Dates(day, day, day) for name, day in dates.items()},
        plan=replace(found.plan, file=file),
    )
    before_mw = 0.0
    for day in phase_dates(case):
        allowed = max(
            (limit for name, limit in zip(names, limits, strict=True) if dates[name] <= day), default=0.0
        )
        if before_mw == 0.0 and not standing_of(case, day).lit():
            with pytest.raises(InputError, match="nothing can run"):
                phase_of(case, day)
            continue
        phase = phase_of(case, day)
        plants = {name: design_weather(plant) for name, plant in phase.site.cooling.items()}
        assert design_peak_w(phase.site, plants=plants) <= allowed * 1e6 + 1e-3
        assert before_mw - 1e-9 <= phase.online_mw <= installed(case, day) + 1e-9
        there = {lot.name for lot in case.lots if lot.online.p50 <= day}
        for name, pod in phase.site.pods.items():
            assert pod.racks <= found.plan.site.pods[name].racks
            skids = {"chat-a": "skids", "chat-b": "skids", "batch": "skid-ac"}[name]
            share = sum(one.startswith(skids + "-") or one == skids for one in there) / (
                4 if skids == "skids" else 1
            )
            for stage, kw in pod.built.stage_kw.items():
                assert kw <= found.plan.site.pods[name].built.stage_kw[stage] * share * (1 + 1e-9)
        before_mw = phase.online_mw


def test_a_pod_has_the_part_of_its_equipment_that_is_there(found):
    """Lots by hand: halls 1 and 2 of 4, power skids 1 to 3, CDU skids 1 and 2, one yard of two, half the batteries' site."""
    late, early = date(2029, 1, 1), date(2027, 1, 1)
    missing = {"halls-3", "halls-4", "skids-4", "cdus-3", "cdus-4", "warm-yard-2", "hall-air", "batteries"}
    lots = tuple(
        replace(lot, online=Dates(*((late if lot.name in missing else early),) * 3)) for lot in found.lots
    )
    milestones = {name: Dates(early, early, early) for name in found.milestones}
    site = phase_of(replace(found, lots=lots, milestones=milestones), date(2028, 1, 1)).site
    whole = found.plan.site
    assert {name: pod.racks for name, pod in site.pods.items()} == {"chat-a": 40, "chat-b": 30}
    for name, pod in site.pods.items():
        full = whole.pods[name].built
        assert pod.built.stage_kw == pytest.approx({stage: 0.75 * kw for stage, kw in full.stage_kw.items()})
        assert pod.built.cdu_units == full.cdu_units // 2
        assert pod.built.liquid_kw == pytest.approx(full.liquid_kw / 2)
        assert pod.built.crah_units == full.crah_units // 2
    warm, full = site.cooling["warm"].built, whole.cooling["warm"].built
    assert (warm.units, warm.heat_mw, warm.flow_m3_h) == (
        full.units // 2,
        pytest.approx(full.heat_mw / 2),
        pytest.approx(full.flow_m3_h / 2),
    )
    assert site.cooling["hall"].built.units == whole.cooling["hall"].built.units
    assert site.storage == {}
    assert site.gensets["standby"].units == 2
    assert site.services["chat"].pods == ("chat-a", "chat-b")
    assert "batch" not in site.services


def test_the_last_phase_is_the_whole_site(found):
    phase = phase_of(found, date(2030, 1, 1))
    whole = found.plan.site
    assert phase.site.pods == whole.pods
    assert phase.site.storage == whole.storage
    assert phase.site.gensets == whole.gensets
    assert {name: plant.built for name, plant in phase.site.cooling.items()} == {
        name: plant.built.model_copy(update={"units": plant.units or plant.built.units})
        for name, plant in whole.cooling.items()
    }
    assert phase.online_mw == pytest.approx(found.final_mw)


@pytest.mark.parametrize("case", ["found", "tight"])
def test_a_phase_runs_with_closed_books_within_its_limit(case, request, tmp_path):
    result = request.getfixturevalue(case)
    phase = phase_of(result, phase_dates(result)[0])
    site, shares, _ = admitted(phase.site)
    path = tmp_path / "phase.toml"
    path.write_text(site_toml(site))
    run = aidc.run(load(path, ["scenario.days=1"]), out=tmp_path / "run")
    summary = run.summary
    assert summary["peak_import_mw"] <= phase.import_limit_mw + 1e-9
    assert abs(summary["closure"]["worst_step_energy_frac"]) < 1e-9
    assert abs(summary["closure"]["heat_frac"]) < 1e-9
    assert summary["supply"]["availability_frac"] == pytest.approx(1.0)
    assert (
        summary["services"]["chat"]["slo_attainment"] > 0.98
    )  # whole demand on a part of the racks would queue
    assert shares["chat"] < 0.5
    for name, share in shares.items():
        if share < 1:
            assert summary["services"][name]["slo_attainment"] > 0.98
            # the highest ten minutes of the reference week need not lie in the day that is run
            assert 0.85 < summary["utilisation"]["services"][name]["peak_used_frac"] < 1.02
    if case == "tight":
        assert phase.online_mw < phase.commissioned_mw
        assert any("stay dark" in line for line in phase.told)


def test_a_connection_that_lets_no_rack_run_cannot_be_followed(tmp_path):
    text = (EXAMPLE / "build.toml").read_text()
    text = text.replace("import_limit_mw = 12", "import_limit_mw = 0.01").replace(
        "import_limit_mw = 24", "import_limit_mw = 0.02"
    )
    (tmp_path / "build.toml").write_text(text)
    with pytest.raises(InputError, match="milestones: let no rack run in any phase"):
        build(EXAMPLE / "site.toml", plan=tmp_path / "build.toml", draws=200, value=False, follow=True)


def test_a_date_before_the_first_hall_is_refused(found):
    day = min(lot.online.p50 for lot in found.lots if lot.it_mw > 0)
    assert phase_of(found, day).online_mw > 0
    with pytest.raises(InputError, match="lies before the first hall is online"):
        phase_of(found, day - timedelta(days=1))


def test_the_command_writes_a_site_and_refuses_to_write_twice(tmp_path, capsys):
    target = tmp_path / "phase.toml"

    def command(out):
        site, day = EXAMPLE / "site.toml", date(2028, 6, 30)
        return build_site(site, None, out, [], {"draws": 200}, site_at=day, as_json=True)

    assert command(target) == 0
    facts = json.loads(capsys.readouterr().out)
    assert load(target).site.name == facts["name"] == "modular-campus-2028-06-30"
    assert facts["demand_frac"]["chat"] <= 1.0
    with pytest.raises(OutputError, match="exists already"):
        command(target)
    with pytest.raises(InputError, match="needs a file"):
        command(None)


def test_a_site_with_files_of_its_own_writes_its_phases_beside_itself(tmp_path):
    text = (EXAMPLE / "site.toml").read_text()
    weather = 'weather = { use = "tmy3", file = "w.csv" }'
    (tmp_path / "site.toml").write_text(text.replace('weather = { use = "tmy3-greensboro" }', weather))
    source = Path(pvlib.__file__).parent / "data" / "723170TYA.CSV"
    (tmp_path / "w.csv").write_bytes(source.read_bytes())
    (tmp_path / "build.toml").write_text((EXAMPLE / "build.toml").read_text())
    (tmp_path / "elsewhere").mkdir()

    def command(out):
        site, day = tmp_path / "site.toml", date(2028, 6, 30)
        return build_site(site, None, out, [], {"draws": 200}, site_at=day, as_json=True)

    with pytest.raises(InputError, match="would not find"):
        command(tmp_path / "elsewhere" / "phase.toml")
    assert command(tmp_path / "phase.toml") == 0
    assert load(tmp_path / "phase.toml").pods
