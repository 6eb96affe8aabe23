"""Current in a fault: cases with known answers, and random ones against counting sample by sample."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from aidc.measure.grid.fault_current import fault_current
from aidc.measure.grid.freedom import Freedom
from aidc.record.waveform import Waveform
from aidc.schema.code import FaultCurrent

MS = Fraction(1, 1000)
CYCLE = 17  # of 60 Hz, in milliseconds


def clause(**more) -> FaultCurrent:
    return FaultCurrent(rule="fault-current", clause="c", from_pu=0.5, **more)


def wave(parts, working) -> Waveform:
    """Voltage as (pu, milliseconds) one after another; `working` as (from sample, share)."""
    volts = np.concatenate([np.full(ms, v) for v, ms in parts])
    share = np.ones(volts.size)
    for k, value in working:
        share[k:] = value
    return Waveform(MS, {"v_pn_min_pu": volts, "in_operation_frac": share})


SAG = [(1.0, 100), (0.6, 200), (1.0, 500)]
DEEP = [(1.0, 100), (0.3, 200), (1.0, 500)]


@pytest.mark.parametrize(
    ("parts", "working", "more", "result", "value"),
    [
        (SAG, [], {}, "pass", 0.6),
        (SAG, [(150, 0.0)], {}, "fail", 0.6),
        (SAG, [(150, 0.7)], {}, "fail", 0.6),
        (SAG, [(400, 0.0)], {}, "fail", 1.0),  # after the fault, of its own accord
        (DEEP, [(150, 0.0), (300, 1.0)], {}, "not_applicable", None),
        (
            DEEP,
            [(95, 0.0), (300, 1.0)],
            {},
            "not_applicable",
            None,
        ),  # within the cycle that the RMS value needs
        (DEEP, [(60, 0.0)], {}, "fail", 1.0),
        (DEEP, [(150, 0.0), (300, 1.0)], {"cease_after_s": 0.1}, "fail", None),
        (DEEP, [(210, 0.0), (300, 1.0)], {"cease_after_s": 0.1}, "pass", None),
        (DEEP, [(150, 0.0), (350, 1.0)], {"back_within_s": 0.1}, "pass", None),
        (DEEP, [(150, 0.0), (450, 1.0)], {"back_within_s": 0.1}, "fail", 0.15),
        (DEEP, [(150, 0.0)], {"back_within_s": 0.1}, "fail", None),
        (DEEP, [(150, 0.0)], {"back_within_s": 2.0}, "not_assessable", None),
        ([(1.0, 500)], [], {}, "not_applicable", None),
        (SAG, [(0, 0.0)], {}, "not_applicable", None),
    ],
)
def test_known_cases(parts, working, more, result, value) -> None:
    found = fault_current(clause(**more), wave(parts, working))
    assert found.result == result, found.reason
    if value is not None:
        assert found.value == pytest.approx(value, abs=2e-3)
    if found.margin is not None:
        assert (found.margin >= 0) == (result == "pass")


def test_what_the_set_allows_is_no_cessation_against_the_rule() -> None:
    free = Freedom(np.array([0.14]), np.array([0.3]), ("below 0.7 pu",))
    w = wave(SAG, [(150, 0.0)])
    assert fault_current(clause(), w).result == "fail"
    assert fault_current(clause(), w, free=free).result == "pass"


def test_a_record_without_the_channel_is_not_assessable() -> None:
    w = wave(SAG, [])
    bare = Waveform(MS, {"v_pn_min_pu": w["v_pn_min_pu"]})
    assert fault_current(clause(), bare).result == "not_assessable"


def counted(volts, share, from_pu, least_ms) -> bool | None:
    """Whether any fall of the share is against the rule; None where a sample more or less decides."""
    wrong = False
    for k in range(1, share.size):
        if share[k] >= share[k - 1]:
            continue
        if min(volts[k : k + CYCLE + 1]) >= from_pu:
            wrong = True
            continue
        held = 0
        while k - held >= 0 and volts[k - held] < from_pu:
            held += 1
        if abs(held + CYCLE - least_ms) <= 3:
            return None
        wrong = wrong or held + CYCLE < least_ms
    return wrong


@pytest.mark.parametrize("seed", range(60))
def test_random_courses_against_counting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [(float(rng.choice([1.0, 0.85, 0.6, 0.45, 0.2])), int(rng.integers(5, 250))) for _ in range(6)]
    total = sum(ms for _, ms in parts)
    stops = np.sort(rng.integers(1, total, size=int(rng.integers(1, 4))))
    working = [(int(k), 1.0 - (n + 1) / 4) for n, k in enumerate(stops)]
    w = wave(parts, working)
    least_ms = int(rng.choice([0, 40, 120]))
    expected = counted(w["v_pn_min_pu"], w["in_operation_frac"], 0.5, least_ms)
    found = fault_current(clause(cease_after_s=least_ms / 1000), w)
    if expected is not None:
        assert (found.result == "fail") == expected
