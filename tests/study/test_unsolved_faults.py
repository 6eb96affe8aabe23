"""Faults in which the network cannot carry the current limits: told, and neither passed nor failed nor fitted."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import aidc
from aidc.plant.freeze import frozen
from aidc.schema.fault_behaviour import FaultBehaviour
from aidc.schema.site import Site
from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import open_window, short_circuit_levels
from aidc.study.faults.battery import BEFORE_S, run_battery
from aidc.study.faults.cases import fault_cases
from aidc.study.grid_check.codes import read_code
from aidc.study.windows.solved import missing_laws, unstated_recovery

sys.path.append(str(Path(__file__).parents[1] / "transient"))

from judge import asked_of, highest_root, is_carried, residuals_pu

PASSES = Path(__file__).parents[2] / "examples" / "interconnection" / "passes.toml"
STEP = Fraction(1, 1000)
LEFT_OUT = dict.fromkeys(FaultBehaviour.model_fields) | {"reactive_gain": 0.0}


def bare(site: Site) -> Site:
    """The same site without what its converters do in deep faults."""
    chains = {
        name: chain.model_copy(update={"front_entry": chain.front_entry.model_copy(update=LEFT_OUT)})
        if chain.front_entry is not None
        else chain
        for name, chain in site.chains.items()
    }
    storage = {
        name: shape.model_copy(update={"converter": shape.converter.model_copy(update=LEFT_OUT)})
        for name, shape in site.storage.items()
    }
    return site.model_copy(update={"chains": chains, "storage": storage})


@pytest.fixture(scope="module")
def site() -> Site:
    return frozen(aidc.load(PASSES))


@pytest.fixture(scope="module")
def clauses():
    return read_code("ercot-nogrr-282").clauses


@pytest.fixture(scope="module")
def cases(site, clauses):
    """Deep three-phase faults in compute, and where a storage takes up what the load drops in communication."""
    found = fault_cases(clauses, short_circuit_levels(site), (0.05, 0.9), 1 / 60, 1e-3)
    return [one for one in found if getattr(one.event, "fault", "") == "3ph" and one.event.residual_pu <= 0.4]


def test_what_is_missing_is_named(site) -> None:
    assert missing_laws(site) == ()
    assert missing_laws(bare(site)) == ("chains.dc.front", "storage.yard.converter")


def test_a_recovery_that_nobody_states_is_said_to_be_assumed(site) -> None:
    assert unstated_recovery(site) == ""
    told = unstated_recovery(bare(site))
    assert "chains.dc.front, storage.yard.converter" in told
    assert "recovery_ramp_frac_per_s" in told


def test_the_example_has_every_case_solved(site, clauses, cases) -> None:
    result = run_battery(site, operating_point(site), clauses, cases, STEP)
    assert result.unsolved == {}
    assert result.kirchhoff_pu < 1e-9
    assert {verdict.result for verdict in result.verdicts.values()} == {"pass"}
    assert result.model_cases


def test_a_site_without_the_laws_has_exactly_the_unsolvable_cases_not_assessable(
    site, clauses, cases
) -> None:
    """The judge looks for the highest root of what was asked for in every step of every fault."""
    plain = bare(site)
    point = operating_point(plain)
    result = run_battery(plain, point, clauses, cases, STEP)
    unsolvable = set()
    for case in cases:
        window = open_window(
            plain,
            point,
            (case.at(BEFORE_S),),
            duration_s=BEFORE_S + case.event.duration_s + 0.05,
            step_s=STEP,
            short_circuit_va=case.level_va,
            phase=(BEFORE_S, case.phase),
        )
        window.advance(round(BEFORE_S / float(STEP)))
        fault = round(case.event.duration_s / float(STEP))
        for k in range(fault):
            wave = window.advance(1)
            draws = window.draws()
            told = (float(wave[name][0]) for name in ("v1_pu", "p_w", "q_var", "v_bus_pu"))
            assert max(residuals_pu(draws, *told)) < 1e-9
            looked = k < 2 or k % 40 == 0 or k == fault - 1
            if draws["let_go"] and case.name not in unsolvable:
                assert not is_carried(asked_of(draws))
                unsolvable.add(case.name)
            elif looked and not draws["let_go"]:
                assert float(wave["v_bus_pu"][0]) == pytest.approx(highest_root(draws), abs=2e-9)
                assert is_carried(draws) or draws["source_pu"] <= 0.0
    assert set(result.unsolved) == unsolvable
    assert 0 < len(unsolvable) < len(cases)
    assert all("active_current_zero_pu" in why for why in result.unsolved.values())
    assert all("storage.yard.converter" in why for why in result.unsolved.values())
    assert {verdict.result for verdict in result.verdicts.values()} == {"not_assessable"}
    assert result.served is not None
    assert result.served.result == "not_assessable"
    assert result.loss is not None
    assert result.loss.name not in unsolvable
    assert not {one.name for one in result.model_cases} & unsolvable
    solved = [case for case in cases if case.name not in unsolvable]
    others = run_battery(plain, point, clauses, solved, STEP)
    assert {verdict.result for verdict in others.verdicts.values()} == {"pass"}


def test_a_failure_counts_beside_cases_without_a_solution(site, clauses, cases) -> None:
    """A relay that trips in a solved case fails the clause; that others cannot be judged does not hide it."""
    plain = bare(site)
    chain = plain.chains["dc"]
    front = chain.front_entry.model_copy(
        update={"leave_below_pu": (0.88, 0.45), "leave_below_s": (10.0, 0.05)}
    )
    relay = plain.model_copy(
        update={"chains": plain.chains | {"dc": chain.model_copy(update={"front_entry": front})}}
    )
    solved = [case for case in cases if case.event.residual_pu == 0.4]
    result = run_battery(relay, operating_point(relay), clauses, [*solved, *cases[:4]], STEP)
    assert "fail" in {verdict.result for verdict in result.verdicts.values()}
    assert replace(result).failed
