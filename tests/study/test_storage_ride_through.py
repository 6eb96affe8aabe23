"""Ride-through of the storages' own converters: relays against counting, verdicts against what the relay did."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "transient"))
sys.path.append(str(Path(__file__).parents[1] / "simulate"))

from grids import MS, body_of, calm, closed, open_site
from sites import loaded

from aidc.measure.grid.verdict import Verdict
from aidc.schema.code import FaultCurrent, FrequencyRideThrough, Recovery, VoltageRideThrough
from aidc.schema.disturbance import FrequencyRamp, Sag, Swell
from aidc.simulate.transient.start import operating_point
from aidc.study.faults.battery import one_cycle, run_battery
from aidc.study.faults.cases import fault_cases
from aidc.study.faults.frequency import run_frequency
from aidc.study.faults.verdicts import judge_connected, judge_fault
from aidc.study.grid_check.stated import unstated

NONE = {
    "below_pu": [],
    "above_pu": [],
    "below_hz": [],
    "above_hz": [],
    "rocof_hz_per_s": 0,
    "phase_jump_deg": 0,
}
HOLDS = {"active_current_full_pu": 0.3, "active_current_zero_pu": 0.1}
FRONT = {
    "use": "ups-grid-friendly",
    "hold_up_s": 0.5,
    "active_current_full_pu": 0.8,
    "active_current_zero_pu": 0.4,
}


LAW = {"use": "ramp-limit", "limit_mw_per_min": 1.0}


def yard(**converter) -> dict:
    shape = {"use": "lfp-site", "power_mw": 1.5, "energy_mwh": 2.0, "rule": {"use": "reserve"}}
    return {"yard": shape | {"converter": {"lag_s": 0.001, "law": LAW} | converter}}


def body(**converter) -> dict:
    return body_of(pods=2, scr=6.0, front=FRONT, storage=yard(**converter))


@cache
def point():
    return operating_point(loaded(body()))


def seen(converter: dict, event, duration_s: float = 2.5):
    window = calm(open_site(body(**converter), [event], duration_s=duration_s, point=point()))
    shown = window.advance()
    closed(window)
    return window, shown


def tripped_at(wave) -> int | None:
    share = wave["storage_connected_frac"]
    return int(np.argmax(share < 1)) if (share < 1).any() else None


def stays(relay: dict, volts, low: np.ndarray, high: np.ndarray) -> int | None:
    """The sample from which a converter is gone, by counting samples beyond each of its settings."""
    for k in range(volts.size):
        for level, time_s in zip(relay.get("below_pu", []), relay.get("below_pu_s", []), strict=True):
            last = low[max(k - round(1000 * time_s), 0) : k + 1]
            if last.size > round(1000 * time_s) and (last < level).all():
                return k + 1
        for level, time_s in zip(relay.get("above_pu", []), relay.get("above_pu_s", []), strict=True):
            last = high[max(k - round(1000 * time_s), 0) : k + 1]
            if last.size > round(1000 * time_s) and (last > level).all():
                return k + 1
    return None


@pytest.mark.parametrize("seed", range(12))
def test_voltage_relays_against_counting_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    relay = NONE | {
        "below_pu": sorted(rng.uniform(0.3, 0.95, 2).round(2).tolist()),
        "below_pu_s": rng.uniform(0.02, 0.4, 2).round(3).tolist(),
        "above_pu": [1.1],
        "above_pu_s": [round(float(rng.uniform(0.02, 0.4)), 3)],
    }
    length_s = round(float(rng.uniform(0.05, 0.5)), 3)
    if rng.random() < 0.3:
        event = Swell(use="swell", start_s=1.0, voltage_pu=1.2, duration_s=length_s)
    else:
        event = Sag(
            use="sag", start_s=1.0, residual_pu=float(rng.uniform(0.2, 0.9)), duration_s=length_s, fault="3ph"
        )
    _, wave = seen({"relay": relay} | HOLDS, event)
    bus = wave["v_bus_pu"]
    assert tripped_at(wave) == stays(relay, bus, bus, bus)


@pytest.mark.parametrize("kind", ["lg", "ll", "llg"])
def test_the_relay_sees_the_worst_phase_behind_the_transformer(kind: str) -> None:
    """A phase-to-phase fault is one of the lowest phase behind Dy, and one to ground is less there."""
    relay = NONE | {"below_pu": [0.5], "below_pu_s": [0.1]}
    event = Sag(use="sag", start_s=1.0, residual_pu=0.0, duration_s=0.3, fault=kind)
    _, wave = seen({"relay": relay} | HOLDS, event)
    if kind == "lg":  # the lowest phase behind Dy is the phase-to-phase voltage, 0.58 pu
        assert tripped_at(wave) is None
    else:
        assert tripped_at(wave) == 1101


def test_frequency_rate_and_jump() -> None:
    def ramp(rate: float) -> FrequencyRamp:
        return FrequencyRamp(
            use="frequency-ramp", start_s=1.0, change_hz=-2.0, rocof_hz_per_s=rate, hold_s=0.5
        )

    slow = NONE | {"below_hz": [59.0], "below_hz_s": [0.3]}
    _, wave = seen({"relay": slow} | HOLDS, ramp(4.0))
    hz = np.zeros(len(wave))  # the converter's PLL: first order, 50 ms
    own = 60.0
    for k, grid in enumerate(wave["frequency_hz"]):
        own += (1.0 - np.exp(-1.0 / 50.0)) * (grid - own)
        hz[k] = own
    assert tripped_at(wave) == pytest.approx(int(np.argmax(hz < 59.0)) + 301, abs=1)
    for rate, expected in ((2.9, False), (3.3, True)):
        _, wave = seen({"relay": NONE | {"rocof_hz_per_s": 3.0, "rocof_s": 0.1}} | HOLDS, ramp(rate))
        assert (tripped_at(wave) is not None) == expected
    for angle, expected in ((24.0, None), (26.0, 1001)):
        event = Sag(use="sag", start_s=1.0, residual_pu=1.0, duration_s=0.5, phase_jump_deg=angle)
        _, wave = seen({"relay": NONE | {"phase_jump_deg": 25.0}} | HOLDS, event)
        assert tripped_at(wave) == expected


def test_a_tripped_storage_gives_nothing_and_stays_off() -> None:
    relay = NONE | {"below_pu": [0.5], "below_pu_s": [0.1]}
    event = Sag(use="sag", start_s=1.0, residual_pu=0.3, duration_s=0.2)
    for extra in ({}, {"control": "grid-forming"}):
        _, wave = seen({"relay": relay} | extra, event)
        at = tripped_at(wave)
        assert at is not None
        assert np.abs(wave["storage_w"][at:]).max() == 0.0
        assert wave["storage_in_operation_frac"][at:].max() == 0.0


@pytest.mark.parametrize(
    ("law", "first", "count"),
    [
        ({"cease_below_pu": 0.5}, 1000, 200),
        ({"cease_below_pu": 0.5, "cease_after_s": 0.05}, 1050, 150),
        ({"sync_lost_below_pu": 0.5, "resync_s": 0.1}, 1001, 299),
        ({"sync_lost_below_pu": 0.5, "resync_s": 0.1, "cease_after_s": 0.05}, 1051, 249),
    ],
)
def test_no_converter_gives_up_before_its_time(law: dict, first: int, count: int) -> None:
    """Two tenths of a second at 0.3 pu; a step decides what the next one does."""
    window, wave = seen(law, Sag(use="sag", start_s=1.0, residual_pu=0.3, duration_s=0.2))
    out = wave["storage_in_operation_frac"] < 1
    assert window.unsolved_s == 0
    assert int(np.argmax(out)) == first
    assert int(out.sum()) == count


CURVE = VoltageRideThrough(
    rule="voltage-ride-through", clause="curve", applies_to="storage", quantity="v1", quantity_defined=True,
    below_pu=(0.9, 0.5), below_s=(0.4, 0.15),
)  # fmt: skip
BANDS = FrequencyRideThrough(
    rule="frequency-ride-through", clause="bands", applies_to="storage", below_hz=(59.0,), below_s=(0.6,),
    rocof_hz_per_s=2.0, phase_jump_deg=20.0,
)  # fmt: skip
KEEPS = FaultCurrent(
    rule="fault-current", clause="keeps", applies_to="storage", quantity="v1", from_pu=0.4, to_pu=0.9
)
CLAUSES = (CURVE, BANDS, KEEPS)


def battery(converter: dict) -> dict[str, Verdict]:
    site = loaded(body(**converter))
    cases = [
        case
        for case in fault_cases(CLAUSES, {"normal": site.grid.short_circuit_mva * 1e6}, (0.0,), 1 / 60, 1e-3)
        if getattr(case.event, "fault", "3ph") == "3ph"
    ]
    result = run_battery(site, point(), CLAUSES, cases, MS)
    found = {CLAUSES[index].clause: verdict for index, verdict in result.verdicts.items()}
    found["bands"] = run_frequency(site, point(), BANDS, MS, CLAUSES)[0]
    return found


GOOD = NONE | {"below_pu": [0.85], "below_pu_s": [1.0], "below_hz": [58.5], "below_hz_s": [0.1]}


@pytest.mark.parametrize(
    ("converter", "results"),
    [
        ({"relay": GOOD} | HOLDS, {"curve": "pass", "bands": "pass", "keeps": "pass"}),
        (
            {"relay": GOOD | {"below_pu": [0.6], "below_pu_s": [0.1]}} | HOLDS,
            {"curve": "fail", "bands": "pass", "keeps": "fail"},
        ),
        (
            {"relay": GOOD | {"below_hz": [59.0], "below_hz_s": [0.3]}} | HOLDS,
            {"curve": "pass", "bands": "fail", "keeps": "pass"},
        ),
        (
            {"relay": GOOD | {"rocof_hz_per_s": 1.0}} | HOLDS,
            {"curve": "pass", "bands": "fail", "keeps": "pass"},
        ),
        (
            {"relay": GOOD | {"phase_jump_deg": 15}} | HOLDS,
            {"curve": "pass", "bands": "fail", "keeps": "pass"},
        ),
        (
            {"relay": GOOD, "cease_below_pu": 0.6},
            {"curve": "pass", "bands": "pass", "keeps": "fail"},
        ),
    ],
)
def test_verdicts_follow_what_the_converter_does(converter: dict, results: dict[str, str]) -> None:
    found = battery(converter)
    assert {name: found[name].result for name in results} == results, [one.reason for one in found.values()]


def test_a_load_that_leaves_is_no_fault_of_the_storage() -> None:
    _, wave = seen({"relay": GOOD} | HOLDS, Sag(use="sag", start_s=1.0, residual_pu=0.3, duration_s=0.1))
    shown = replace(
        wave, channels={**wave.channels, "connected_frac": np.where(np.arange(len(wave)) < 900, 1.0, 0.0)}
    )
    load = CURVE.model_copy(update={"applies_to": "load"})
    found = judge_fault([CURVE, load], one_cycle(shown), None)
    assert [found[k].stated.result for k in (0, 1)] == ["pass", "fail"]
    assert judge_connected([load, CURVE], one_cycle(shown))[1].stated.result == "pass"


def test_a_fault_without_a_solution_fails_where_current_is_asked_for() -> None:
    """A converter that holds its limit where the network cannot carry it fails; at rest it is not to blame.

    Behind a short-circuit ratio of 1.5 the limit, 1.2 times 1.5 MW, is the network's greatest power from a source of
    sqrt(2) times 1.8 MW / 3 MVA = 0.85 pu on, and asks for more than it can carry below 0.6 pu.
    """
    store = yard(relay=GOOD, cease_below_pu=0.0, law={"use": "none"})
    site = loaded(body_of(pods=2, scr=6.0, front=FRONT, storage=store))
    cases = [
        case
        for case in fault_cases((KEEPS,), {"low": 3e6}, (0.0,), 1 / 60, 1e-3)
        if getattr(case.event, "fault", "") == "3ph" and case.event.residual_pu in {0.45, 0.55}
    ]
    assert {case.storage_frac for case in cases} == {0.0, 1.0, -1.0}
    at = operating_point(site)
    rest = run_battery(site, at, (KEEPS, CURVE), [one for one in cases if one.storage_frac == 0.0], MS)
    assert rest.verdicts[0].result in {"pass", "not_assessable"}
    full = run_battery(site, at, (KEEPS, CURVE), [one for one in cases if one.storage_frac == 1.0], MS)
    assert full.unsolved
    assert full.verdicts[0].result == "fail"
    assert "cannot carry" in full.verdicts[0].reason
    assert full.verdicts[1].result == "not_assessable"


@pytest.mark.parametrize(
    ("clause", "converter", "words"),
    [
        (CURVE, {}, "relay.below_pu"),
        (BANDS, {"relay": {"below_pu": []}}, "relay.below_hz"),
        (BANDS, {"relay": {"below_hz": []}}, "relay.rocof_hz_per_s"),
        (KEEPS, {"relay": NONE}, "cease_below_pu"),
        (
            Recovery(rule="recovery", clause="r", applies_to="storage", within_s=1.0),
            {"relay": NONE},
            "not judged",
        ),
        (CURVE, {"relay": NONE}, ""),
        (BANDS, {"relay": NONE}, ""),
        (KEEPS, {"relay": NONE, "cease_below_pu": 0.0}, ""),
        (KEEPS, {"relay": NONE, "control": "grid-forming"}, ""),
    ],
)
def test_what_is_not_stated_is_named(clause, converter: dict, words: str) -> None:
    told = unstated(clause, loaded(body(**converter)))
    assert (words in told) if words else told == ""
    assert not told or words == "not judged" or "storage.yard.converter" in told
