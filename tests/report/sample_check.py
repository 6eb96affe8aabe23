"""Results of checks for the reports' tests: real windows of the twin, real rule sets, made-up verdicts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

import aidc
from aidc.measure.grid.recovery import recovery
from aidc.measure.grid.ride_through import ride_through
from aidc.measure.grid.served import it_served
from aidc.measure.grid.verdict import Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import Mark, Waveform
from aidc.schema.disturbance import JobAbort, Sag
from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import open_window
from aidc.study.grid_check.codes import read_code
from aidc.study.windows.verdicts import CheckResult, NamedWindow, TransientResult

SITE = Path(__file__).parents[2] / "examples/campus-100mw/site.toml"
STEP = Fraction(1, 1000)
LONG = (
    "the rule does not define its filter, and the result straddles its limit: 9.2 MW with a Butterworth of order 1, 10.4 MW "
    "of order 2, 11.1 MW of order 4; ask the operator which filter its recorder applies, and state it in a rule set of "
    "your own before this clause can be judged in either direction " * 2
).strip()


@cache
def _site():
    site = aidc.load(SITE)
    return site, operating_point(site)


def _window(duration_s: float, *events) -> Waveform:
    site, point = _site()
    return open_window(site, point, events, duration_s=duration_s, step_s=STEP).advance()


def _mark(event: Sag, label: str) -> Mark:
    return Mark("sag", event.start_s, event.start_s + event.duration_s, label)


@cache
def windows() -> tuple[NamedWindow, ...]:
    """A balanced fault, an unbalanced one, an abort, and two minutes of normal operation."""
    deep = Sag(use="sag", start_s=1.0, residual_pu=0.2, duration_s=0.15)
    skew = Sag(use="sag", start_s=1.0, residual_pu=0.4, duration_s=0.24, fault="ll")
    abort = JobAbort(use="job-abort", start_s=2.0, job="pretrain", restart_s=6.0)
    calm = _window(13.0)
    return (
        NamedWindow(
            "worst-voltage-ride-through", "Worst case of the ride-through curve", _window(13.0, deep),
            (_mark(deep, "3ph fault, 0.20 pu, 150 ms"),), calm, "Three-phase fault at 0.05 of the iteration",
        ),
        NamedWindow(
            "worst-recovery", "Worst case of recovery", _window(13.0, skew),
            (_mark(skew, "ll fault, 0.40 pu, 240 ms"),), calm, "Line-to-line fault",
        ),
        NamedWindow(
            "job-abort-pretrain", "Abort of pretrain", _window(13.0, abort), (Mark("abort", 2.0, 8.0, "abort and restart"),), calm,
        ),
        NamedWindow("normal", "Normal operation", _window(120.0)),
    )  # fmt: skip


@cache
def tripped() -> NamedWindow:
    """The deep fault as a site that loses 40 % of its load 80 ms into it would show it."""
    window = windows()[0]
    w = window.waveform
    gone = np.where(w.time_s >= 1.08, 0.6, 1.0)
    channels = {
        **w.channels,
        "connected_frac": gone,
        "p_w": w["p_w"] * gone,
        "it_served_w": w["it_served_w"] * gone,
    }
    return replace(window, key="tripped", title="Worst case, tripped", waveform=replace(w, channels=channels))


def power_only() -> NamedWindow:
    """What a recorder at a feeder may hold: power alone, not starting at 0."""
    p_w = windows()[3].waveform["p_w"][::20].copy()
    return NamedWindow("record", "Recorded day", Waveform(Fraction(1, 50), {"p_w": p_w}, first_tick=500))


FACTS = {
    "point": {"import_w": 96.4e6, "time": "2025-07-08 15:00", "soc_frac": 0.5, "cooling_w": 11.2e6},
    "short_circuit_va": {"normal": 900e6, "min": 610e6, "n-1": 480e6},
    "short_circuit_ratio": 9.3,
    "seed": 42,
    "step_s": 1e-3,
    "cases": 1856,
    "energy_residual_frac": 3.1e-13,
    "largest_load_loss": {"mw": 73.83, "case": "ll fault", "voltage_after_pu": 1.008},
    "load_model": {
        "error_percent": 30.6,
        "parameters": {"Kvp": {"value": 1.842, "unit": "pu/pu", "basis": "fitted"}},
        "dyr": "// RMS error 30.6 %\n// WARNING: the error is large.\n//   1 Kvp 1.842\n1 'PERC1' '1' 1.842 /\n",
    },
    "warnings": ["the site file states no x_over_r: 10 is assumed"],
}
ASSUMED = (
    {
        "where": "grid.x_over_r",
        "value": 10,
        "source": "typical of transmission grids",
        "confidence": "estimated",
    },
    {
        "entry": "ups/double-conversion-2mw",
        "key": "input_window_pu",
        "value": [0.85, 1.1],
        "source": "maker's data sheet",
        "url": "https://example.org/ups.pdf",
        "confidence": "published",
    },
)


def real_result(name: str = "ercot-nogrr-282", *, trip: bool = False) -> CheckResult:
    """Real clauses judged on real windows by the real evaluators."""
    code = read_code(name)
    shown = ((tripped(),) if trip else windows()[:1]) + windows()[1:]
    fault = shown[0]
    verdicts: list[Verdict] = []
    for clause in code.clauses:
        if clause.rule == "voltage-ride-through":
            made = ride_through(clause, fault.waveform, "3ph fault, residual 0.20 pu, 150 ms")
        elif clause.rule == "recovery":
            made = recovery(clause, fault.waveform, fault.reference, "3ph fault, residual 0.20 pu, 150 ms")
        elif clause.rule == "uncaptured":
            made = not_assessable(clause, "the figures of this clause have not been captured")
        else:
            made = not_assessable(clause, f"{clause.rule} is not judged in this sample")
        if made.result == "fail":
            made = replace(
                made,
                suggestion="Set retrip_s of the UPS to 0.25 s or more, or take UPS units that carry 0.2 pu for 150 ms.",
            )
        verdicts.append(made)
    verdicts.append(it_served(fault.waveform))
    return CheckResult("campus-100mw", name, code, tuple(verdicts), shown, FACTS, ASSUMED)


def all_four() -> CheckResult:
    """All four results, a reason of many lines, a limit of zero, a clause whose words are markup."""
    code = read_code("ercot")
    clause = code.clauses[0]
    verdicts = (
        judge(clause, 0.137, 0.15, "s", at_least=True, reason="left at 1.137 s, 0.137 s into the excursion below 0.2 pu",
              case="lg fault, residual 0.15 pu, 133 ms, at 0.72 of the iteration, n-1 short-circuit level",
              suggestion="Let the UPS carry 150 ms below 0.2 pu before it transfers."),
        replace(judge(clause, 12.4, 10.0, "MW", reason="band-passed 0.1 to 55 Hz, worst at 47.2 s", case="normal operation",
              suggestion="Add 2.4 MW / 0.9 kWh of storage that smooths above 0.1 Hz."), rule="oscillation", clause="power variation"),
        replace(judge(clause, 1.21, 2.0, "s", reason="voltage back above 0.9 pu at 1.15 s"), rule="recovery", clause="return of consumption"),
        replace(judge(clause, 0.0, 0.0, "MW"), rule="load-loss", clause="no loss of load"),
        replace(not_assessable(clause, LONG), rule="oscillation", clause="filter not defined"),
        replace(not_assessable(clause, "the figures of this clause have not been captured"), rule="uncaptured", clause="model data"),
        replace(not_applicable(clause, "the site has no storage"), rule="frequency-service", clause="fast frequency response"),
        replace(not_applicable(clause, "<b>[red]markup[/red]</b> & more"), rule="flicker", clause="</script> [bold]"),
    )  # fmt: skip
    return CheckResult("campus-100mw", "ercot", code, verdicts, windows()[:2], FACTS, ASSUMED)


def forty() -> CheckResult:
    result = all_four()
    many = tuple(replace(result.verdicts[k % 8], clause=f"clause {k + 1}") for k in range(40))
    return replace(result, verdicts=many)


def transient() -> TransientResult:
    events = (
        {"use": "sag", "start_s": 1.0, "duration_s": 0.24, "residual_pu": 0.4, "fault": "ll", "name": ""},
    )
    return TransientResult(
        "campus-100mw", "A line-to-line fault at the peak hour", windows()[1], FACTS, events
    )
