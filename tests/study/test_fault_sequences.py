"""Faults one after another: counters, clocks and batteries carried on, against counting by hand."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "transient"))
sys.path.append(str(Path(__file__).parents[1] / "simulate"))

from grids import MS, body_of, calm, open_site
from sites import loaded

from aidc.errors import InputError
from aidc.measure.grid.fault_sequence import fault_sequence
from aidc.measure.grid.freedom import Freedom
from aidc.record.waveform import Waveform
from aidc.schema.code import FaultSequence, FrequencyRideThrough, VoltageRideThrough
from aidc.schema.disturbance import FrequencyRamp, FrequencyStep
from aidc.simulate.transient.start import operating_point
from aidc.study.faults.frequency import frequency_events, run_frequency
from aidc.study.faults.sequences import run_sequences, sags_of
from aidc.study.grid_check.codes import read_code

LEVELS = {"normal": 40e6}
CURVE = VoltageRideThrough(
    rule="voltage-ride-through",
    clause="curve",
    quantity="v1",
    quantity_defined=True,
    below_pu=(0.9,),
    below_s=(0.3,),
)
STAYS = {"active_current_full_pu": 0.8, "active_current_zero_pu": 0.1, "hold_up_s": 0.5}


def sequence(*starts: float, residual: float = 0.3, lasts_s: float = 0.06) -> FaultSequence:
    count = len(starts)
    return FaultSequence(
        rule="fault-sequence",
        clause="sequence",
        start_s=starts,
        residual_pu=(residual,) * count,
        duration_s=(lasts_s,) * count,
        faults=("3ph",),
    )


def site_of(**front):
    """A site whose motors never drop out, so that its front ends alone decide."""
    site = loaded(body_of(pods=2, scr=20.0, front={"use": "ups-grid-friendly"} | STAYS | front))
    cooling = {
        name: plant.model_copy(update={"drives": plant.drives.model_copy(update={"drop_below_pu": 0.0})})
        for name, plant in site.cooling.items()
    }
    return site.model_copy(update={"cooling": cooling})


@cache
def point():
    return operating_point(loaded(body_of(pods=2, scr=20.0, front={"use": "ups-grid-friendly"} | STAYS)))


def tried(clause: FaultSequence, front: dict, set_of=(CURVE,)):
    site = site_of(**front)
    return run_sequences(site, point(), clause, MS, (clause, *set_of), LEVELS)


def test_a_relay_that_rides_through_one_sag_rides_through_six() -> None:
    found = tried(sequence(0, 2, 4, 6, 8, 10), {"leave_below_pu": (0.5,), "leave_below_s": (0.1,)})
    assert (found.verdicts[0].result, found.verdicts[0].value) == ("pass", 6)
    assert found.served[0].result == "pass"


def test_a_transfer_on_the_third_sag_fails_at_the_third() -> None:
    """The front end leaves each time, returns at once, and its counter locks it out: one lawful fault is none here."""
    counts = {"sag_counter": {"count": 3, "window_s": 60.0}, "return_s": 0.1, "walk_in_s": 0.1}
    leaves = {"leave_below_pu": (0.5,), "leave_below_s": (0.02,)}
    found = tried(sequence(0, 2, 4, 6), counts | leaves)
    assert (found.verdicts[0].result, found.verdicts[0].value) == ("fail", 0)
    free = VoltageRideThrough(
        rule="voltage-ride-through",
        clause="free",
        quantity="v1",
        quantity_defined=True,
        below_pu=(0.9,),
        below_s=(0.0,),
    )
    lawful = tried(sequence(0, 2, 4, 6), counts | leaves, (free,))
    assert lawful.verdicts[0].result == "pass"
    locked = lawful.windows[0].waveform["connected_frac"]
    assert locked[round(1000 * (1 + 2 + 1.5))] > 0.9  # back after the second ...
    assert locked[-1] < 0.1  # ... and not after the third


def test_reclosing_onto_the_fault_is_seen_by_a_clock_that_does_not_reset() -> None:
    """A relay of 0.1 s rides through two faults of 0.06 s, 0.3 s apart, and not through one of 0.12 s."""
    relay = {"leave_below_pu": (0.5,), "leave_below_s": (0.1,)}
    assert tried(sequence(0, 0.36), relay).verdicts[0].result == "pass"
    longer = tried(sequence(0, 0.36, lasts_s=0.12), relay).verdicts[0]
    assert (longer.result, longer.value) == ("fail", 0)


def test_batteries_go_on_from_fault_to_fault() -> None:
    """A battery of a tenth of a second carries one fault of 80 ms, and not three of them."""
    small = {
        "leave_below_pu": (), "leave_below_s": (), "battery_frac": 1.2, "battery_s": 0.1, "supplements": True,
        "hold_up_s": 0.01, "recharge_frac": 0.0, "battery_start_s": 0.0,
    }  # fmt: skip
    deep = {"residual": 0.05, "lasts_s": 0.08}
    one = tried(sequence(0, 5, **deep), small).windows[0].waveform
    battery = -np.minimum(one["battery_w"], 0.0)
    first, second = battery[: 1000 * 5].sum(), battery[1000 * 5 :].sum()
    assert 0 < second < first
    assert tried(sequence(0, 5, 10, **deep), small).served[0].result == "fail"


def wave(falls, length=4000) -> Waveform:
    share = np.ones(length)
    for k in falls:
        share[k:] -= 0.25
    return Waveform(MS, {"connected_frac": share})


@pytest.mark.parametrize("seed", range(40))
def test_faults_ridden_against_counting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clause = sequence(0, 0.5, 1.0, 1.5)
    falls = sorted(int(k) for k in rng.choice(3900, size=int(rng.integers(0, 3)), replace=False) + 10)
    begin = float(rng.uniform(0, 3.5))
    free = Freedom(np.array([begin]), np.array([begin + 0.4]), ("because",))
    bad = [k / 1000 for k in falls if not (k / 1000 > begin and (k - 1) / 1000 < begin + 0.4)]
    found = fault_sequence(clause, wave(falls), 1.0, free)
    assert (found.result == "fail") == bool(bad)
    over = [1.0 + s + 0.06 for s in clause.start_s]
    ridden = sum(end <= bad[0] for end in over) if bad else 4
    assert found.value == (min(ridden, 3) if bad else 4)


def test_the_standard_pattern_is_six_sags_in_82_seconds() -> None:
    clause = next(one for one in read_code("ercot-nogrr-282").clauses if one.rule == "fault-sequence")
    sags = sags_of(clause, "lg", 1.0)
    assert [sag.fault for sag in sags] == ["lg"] * 6
    assert (sags[0].start_s, sags[-1].start_s) == (1.0, 83.0)


@pytest.mark.parametrize(
    "more",
    [
        {"start_s": (0.0, 0.05)},
        {"start_s": (1.0, 2.0)},
        {"start_s": (0.0, 700.0)},
        {"start_s": (0.0, 1.0, 2.0)},
    ],
)
def test_sequences_that_cannot_be_are_refused(more: dict) -> None:
    with pytest.raises(ValueError, match=r"begin|differ|lasts"):
        FaultSequence(
            rule="fault-sequence",
            clause="c",
            **({"residual_pu": (0.3, 0.3), "duration_s": (0.1, 0.1)} | more),
        )


BANDS = FrequencyRideThrough(
    rule="frequency-ride-through",
    clause="bands",
    below_hz=(59.0,),
    below_s=(4.0,),
    accumulate="window",
    window_s=60.0,
)


def test_excursions_that_add_up_are_tried_in_two_halves() -> None:
    """Time beyond 59 Hz of both together stays just within the four seconds; a relay of 3 s tells them apart."""
    names = dict(frequency_events(BANDS, 60.0))
    halves = next(events for name, events in names.items() if "2 x" in name)
    assert len(halves) == 2
    assert (
        len(frequency_events(BANDS.model_copy(update={"accumulate": "contiguous"}), 60.0)) == len(names) - 1
    )
    window = calm(open_site(body_of(pods=2, scr=20.0), halves, duration_s=25.0))
    beyond_s = (window.advance()["frequency_hz"] < 59.0).sum() / 1000
    assert 3.7 < beyond_s <= 4.0
    site = site_of()
    assert run_frequency(site, point(), BANDS, MS)[0].result == "pass"
    early = loaded(
        body_of(pods=2, scr=20.0, front={"use": "ups-grid-friendly", "leave_drop_hz": 1.0, "leave_hz_s": 3.0})
    )
    failed = run_frequency(early, point(), BANDS, MS)[0]
    assert failed.result == "fail"


def test_events_of_frequency_may_follow_each_other_and_not_overlap() -> None:
    first = FrequencyStep(use="frequency-step", start_s=0.5, change_hz=-0.5, duration_s=0.5)
    second = FrequencyRamp(use="frequency-ramp", start_s=1.5, change_hz=0.5, rocof_hz_per_s=5.0, hold_s=0.2)
    wave_of = calm(open_site(body_of(pods=2, scr=20.0), [second, first], duration_s=2.5)).advance()
    hz = wave_of["frequency_hz"]
    assert (hz[700], hz[1200], hz[1650], hz[2400]) == pytest.approx((59.5, 60.0, 60.5, 60.0))
    late = first.model_copy(update={"start_s": 1.2})
    with pytest.raises(InputError, match="before the last event of frequency"):
        open_site(body_of(pods=2, scr=20.0), [late, second], duration_s=2.5)
