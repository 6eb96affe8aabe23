"""Random sites x rule sets x faults, and what the product says of them against a judge written apart from it."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from recount import Told, loss_told, recount, with_cycle_means
from study_sites import FOUR_CHAINS, random_site
from watched_network import Watched

from aidc.measure.grid.load_loss import load_loss
from aidc.measure.grid.verdict import Verdict
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, LoadLoss, Recovery, VoltageRideThrough
from aidc.schema.disturbance import Disturbance, FrequencyRamp, Sag, Swell
from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint, operating_point
from aidc.simulate.transient.window import open_window
from aidc.site import load
from aidc.study.faults.battery import BEFORE_S, one_cycle, run_battery
from aidc.study.faults.cases import PHASES, FaultCase, fault_cases
from aidc.study.faults.verdicts import both_ways, judge_connected, judge_fault
from aidc.study.grid_check.check import connection_of
from aidc.study.grid_check.codes import read_code
from aidc.study.windows.solved import why_unsolved

__all__ = ["Tried", "disagreements", "tried"]

STEP_S = Fraction(1, 500)
SETS = (
    "ercot-nogrr-282",
    "caiso-2026",
    "eirgrid-mpid-345",
    "ieee-2800",
    "ieee-1547-cat2",
    "itic",
    "aemc-draft",
)

MORE = """
[renewables.hill]
use = "wind-iec2"
power_mw = 15

[gensets.standby]
use = "diesel-standby"
power_mw = 30
units = 3
call_s = 0.2
start_time_s = 1.0

[storage.strings]
use = "ups-battery-string"
node = "ups"
at = ["dc"]
power_mw = 40
energy_mwh = 4
"""


@dataclass(frozen=True)
class Tried:
    """What a seed showed: verdicts by rule and result, steps solved again, and everything that disagreed."""

    wrong: list[str]
    counted: dict[str, int]


@functools.cache
def _bases() -> list[tuple[Site, OperatingPoint]]:
    """The four chains alone, and with wind, gensets and strings at the UPS."""
    found = []
    for more in ("", MORE):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "site.toml"
            path.write_text(
                FOUR_CHAINS.replace("humidity_percent = 45", "humidity_percent = 45, wind_m_s = 7") + more
            )
            site = load(path)
        found.append((site, operating_point(site)))
    return found


def _random_faults(rng: np.random.Generator) -> dict[str, object]:
    """What a converter states of deep faults: nothing, or some of the laws."""
    found: dict[str, object] = {}
    if rng.random() < 0.5:
        zero = float(rng.uniform(0.05, 0.5))
        found |= {
            "active_current_full_pu": zero + float(rng.uniform(0.05, 0.4)),
            "active_current_zero_pu": zero,
        }
    if rng.random() < 0.4:
        found |= {
            "sync_lost_below_pu": float(rng.uniform(0.05, 0.4)),
            "resync_s": float(rng.uniform(0.0, 0.5)),
        }
    if rng.random() < 0.4:
        found |= {
            "reactive_priority_below_pu": float(rng.uniform(0.6, 0.9)),
            "reactive_gain": float(rng.uniform(0.5, 4)),
        }
    if rng.random() < 0.5:
        found["recovery_ramp_frac_per_s"] = float(rng.uniform(0.3, 10))
    return found


def random_case_site(seed: int, rng: np.random.Generator) -> tuple[Site, OperatingPoint]:
    base, point = _bases()[seed % 2]
    site = random_site(base, rng)
    stated = rng.random()  # nobody, everybody, or by lot
    direct = str(rng.choice([*site.chains, ""]))

    def laws() -> dict[str, object]:
        return _random_faults(rng) if stated > rng.uniform(0.2, 0.8) else {}

    chains = {}
    for name, chain in site.chains.items():
        front = chain.front_entry or FrontEnd()
        if name == direct:
            front = front.model_copy(update={"battery_frac": 0.0, "battery_s": 0.0, "supplements": False})
        front = FrontEnd.model_validate({**front.model_dump(), **laws()})
        chains[name] = chain.model_copy(update={"front_entry": front})
    storage = dict(site.storage)
    yard = storage["yard"].converter
    if rng.random() < 0.35:
        yard = yard.model_copy(
            update={
                "control": "grid-forming",
                "inertia_s": float(rng.choice([0.0, rng.uniform(0.2, 4)])),
                "reactance_frac": float(rng.uniform(0.05, 0.4)),
            }
        )
    else:
        yard = type(yard).model_validate({**yard.model_dump(), **laws()})
    storage["yard"] = storage["yard"].model_copy(update={"converter": yard})
    return site.model_copy(update={"chains": chains, "storage": storage}), point


def random_set(rng: np.random.Generator) -> list[Clause]:
    """A set of the catalogue as if it concerned loads, often with an own curve, and a limit on lost load."""
    found: list[Clause] = [
        one.model_copy(update={"applies_to": "load", "location": "poi"})
        for one in read_code(str(rng.choice(SETS))).clauses
        if isinstance(one, (VoltageRideThrough, FrequencyRideThrough, Recovery))
    ]
    if rng.random() < 0.5:
        found.append(
            VoltageRideThrough(
                rule="voltage-ride-through",
                clause="own curve",
                quantity=str(rng.choice(["v1", "v_pn_min", "v_pp_min"])),
                quantity_defined=bool(rng.random() < 0.5),
                accumulate=str(rng.choice(["contiguous", "window"])),
                window_s=float(rng.uniform(0.5, 4)),
                renew_s=float(rng.choice([0.0, rng.uniform(0.1, 2)])),
                inclusive=bool(rng.random() < 0.5),
                below_pu=(0.88, 0.6),
                below_s=(float(rng.uniform(0.3, 1)), float(rng.uniform(0.05, 0.3))),
                above_pu=(1.1,),
                above_s=(float(rng.uniform(0, 1)),),
            )
        )
    found.append(
        LoadLoss(
            rule="load-loss",
            clause="lost load",
            limit_mw=float(rng.uniform(1, 60)),
            overvoltage_pu=float(rng.uniform(1.0, 1.1)) if rng.random() < 0.5 else None,
        )
    )
    return found


def _random_sag(rng: np.random.Generator, start_s: float) -> Sag | Swell:
    duration_s = round(float(rng.uniform(0.02, 0.9)), 3)
    if rng.random() < 0.1:
        return Swell(
            use="swell", start_s=start_s, voltage_pu=float(rng.uniform(1.05, 1.3)), duration_s=duration_s
        )
    return Sag(
        use="sag",
        start_s=start_s,
        residual_pu=round(float(rng.uniform(0, 0.4 if rng.random() < 0.5 else 0.95)), 3),
        duration_s=duration_s,
        fault=str(rng.choice(["3ph", "lg", "ll", "llg"])),
        phase_jump_deg=float(rng.choice([0.0, rng.uniform(-60, 60)])),
        recovery_s=float(rng.choice([0.0, 0.2])),
    )


def _cases(clauses: Sequence[Clause], site: Site, rng: np.random.Generator) -> list[FaultCase]:
    """One of those that the set itself asks for, and one at random."""
    level_va, phase = (site.grid.short_circuit_mva or 0.0) * 1e6, float(rng.choice(PHASES))
    own = fault_cases(clauses, {"normal": level_va}, [phase], 1 / 60, float(STEP_S))
    own = [one for one in own if one.event.duration_s < 4.0]
    picked = [own[int(rng.integers(len(own)))]] if own else []
    return [*picked, FaultCase(_random_sag(rng, 0.0), phase, "normal", level_va)]


def _sequence(rng: np.random.Generator) -> list[Disturbance]:
    """Faults one after another, and at times an excursion of frequency over them."""
    found: list[Disturbance] = []
    at_s = BEFORE_S
    for _ in range(int(rng.integers(2, 5))):
        one = _random_sag(rng, round(at_s, 3))
        found.append(one)
        at_s += one.duration_s + float(rng.choice([0.25, rng.uniform(0.25, 2)]))
    if rng.random() < 0.4:
        change = float(rng.choice([-3.5, -1.5, 1.5]))
        found.append(
            FrequencyRamp(
                use="frequency-ramp", start_s=BEFORE_S, change_hz=change, rocof_hz_per_s=4.0, hold_s=2.0
            )
        )
    return found


def _both(stated: Told, other: Told | None) -> Told:
    """One that does not depend on the reading, else no verdict; a reading that tried nothing says nothing."""
    if other is None or other.result == stated.result:
        return stated
    slack_s = min(stated.slack_s, other.slack_s)
    result = "pass" if {stated.result, other.result} == {"pass", "not_applicable"} else "not_assessable"
    return Told(result, slack_s, stated.open_ or other.open_)


def _expected(clauses: Sequence[Clause], shown: Waveform, calm: Waveform, unsolved: bool) -> dict[int, Told]:
    """The judge's verdicts by both readings; nothing rests on a network that nobody has solved."""
    by_v1 = [
        one.model_copy(update={"quantity": "v1"})
        if isinstance(one, VoltageRideThrough) and not one.quantity_defined
        else one
        for one in clauses
    ]
    stated, other = recount(clauses, shown, calm), recount(by_v1, shown, calm)
    found = {index: _both(one, other[index]) for index, one in stated.items()}
    if unsolved:
        found = {
            index: one if one.result == "not_applicable" else Told("not_assessable")
            for index, one in found.items()
        }
    return found


def _compared(
    where: str,
    clauses: Sequence[Clause],
    told: dict[int, Verdict],
    expected: dict[int, Told],
    counted: dict[str, int],
) -> Iterator[str]:
    for index, verdict in told.items():
        one = expected[index]
        key = f"{clauses[index].rule} {verdict.result}"
        counted[key] = counted.get(key, 0) + 1
        if verdict.result == one.result or (one.open_ and verdict.result == "not_assessable"):
            continue
        if one.slack_s < float(STEP_S):
            counted["under one step"] = counted.get("under one step", 0) + 1
            continue
        yield (
            f"{where}: {clauses[index].rule} [{index}] is {verdict.result} ({verdict.reason}), and the judge says "
            f"{one.result} with {one.slack_s:.4g} s to spare"
        )


def _after_s(clauses: Sequence[Clause]) -> float:
    recoveries = [one for one in clauses if isinstance(one, Recovery)]
    return max([1.0, *(max(one.hold_s, one.within_s + 1.0) for one in recoveries)]) + 0.2


def _case(
    site: Site,
    point: OperatingPoint,
    clauses: Sequence[Clause],
    case: FaultCase,
    rng: np.random.Generator,
    counted: dict[str, int],
) -> Iterator[str]:
    """One fault by `run_battery`, against a window of the judge's own and his counts."""
    result = run_battery(site, point, clauses, [case], STEP_S)
    options = {
        "duration_s": BEFORE_S + case.event.duration_s + _after_s(clauses),
        "step_s": STEP_S,
        "short_circuit_va": case.level_va,
        "phase": (BEFORE_S, case.phase),
    }
    window = open_window(site, point, (case.at(BEFORE_S),), **options)
    calm = open_window(site, point, **options).advance()
    raw, wrong = Watched(window, [case.at(BEFORE_S)], rng).stepped()
    yield from (f"{case.name}: {one}" for one in wrong)
    counted["steps solved"] = counted.get("steps solved", 0) + len(raw)
    unsolved = window.unsolved_s > 0
    if unsolved is not bool(result.unsolved):
        yield f"{case.name}: unsolved is {result.unsolved}, and the judge says {unsolved}"
    counted["unsolved"] = counted.get("unsolved", 0) + unsolved
    shown = with_cycle_means(raw)
    expected = _expected(clauses, shown, calm, unsolved)
    told = {
        index: both_ways(clauses[index], one, result.by_sequence.get(index))
        for index, one in result.verdicts.items()
    }
    yield from _compared(case.name, clauses, told, expected, counted)
    limit = next(one for one in clauses if isinstance(one, LoadLoss))
    if result.loss is not None and not unsolved:
        verdict = load_loss(limit, [result.loss], connection_of(site))
        level_va, x_over_r = (site.grid.short_circuit_mva or 0.0) * 1e6, site.grid.x_over_r
        mine, loss_w = loss_told(limit, raw, calm, level_va, x_over_r)
        key = f"load-loss {verdict.result}"
        counted[key] = counted.get(key, 0) + 1
        if abs(result.loss_w - loss_w) > 1e-6 * max(loss_w, 1e6) or verdict.result != mine:
            yield f"{case.name}: {verdict.result} with {result.loss_w:.6g} W lost, the judge {mine} with {loss_w:.6g} W"


def _sequence_case(
    site: Site,
    point: OperatingPoint,
    clauses: Sequence[Clause],
    rng: np.random.Generator,
    counted: dict[str, int],
) -> Iterator[str]:
    """Several faults in a window, judged as `aidc check --event` judges them."""
    events = _sequence(rng)
    faults = [one for one in events if not isinstance(one, FrequencyRamp)]
    duration_s = max(one.start_s + one.duration_s for one in faults) + _after_s(clauses) + 0.2
    level_va = (site.grid.short_circuit_mva or 0.0) * 1e6
    options = {"duration_s": duration_s, "step_s": STEP_S, "short_circuit_va": level_va}
    window = open_window(site, point, events, **options)
    calm = open_window(site, point, **options).advance()
    name = f"{len(faults)} faults, {len(events) - len(faults)} ramps"
    raw, wrong = Watched(window, faults, rng).stepped()
    yield from (f"{name}: {one}" for one in wrong)
    unsolved = bool(why_unsolved(window))
    told = judge_fault(clauses, one_cycle(raw), calm) | judge_connected(clauses, one_cycle(raw))
    verdicts = {index: both_ways(clauses[index], one.stated, one.by_sequence) for index, one in told.items()}
    expected = _expected(clauses, with_cycle_means(raw), calm, unsolved=False)
    yield from _compared(name, clauses, verdicts, expected, counted)
    counted["sequences"] = counted.get("sequences", 0) + 1
    counted["unsolved"] = counted.get("unsolved", 0) + unsolved


def tried(seed: int) -> Tried:
    """Two single faults and a sequence of one random site by one random set."""
    rng = np.random.default_rng([seed, 101])
    site, point = random_case_site(seed, rng)
    clauses = random_set(rng)
    counted: dict[str, int] = {}
    wrong: list[str] = []
    for case in _cases(clauses, site, rng):
        wrong += _case(site, point, clauses, case, rng, counted)
    wrong += _sequence_case(site, point, clauses, rng, counted)
    return Tried(wrong, counted)


def disagreements(seed: int) -> list[str]:
    return tried(seed).wrong
