"""A check in the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import sample_check as sample
from rich.console import Console

from aidc.measure.grid.verdict import Verdict
from aidc.report.check.console import transient_table, verdict_table
from aidc.report.check.words import margin_text


def shown(renderable, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(renderable)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_check_fits_and_says_everything(width):
    text = shown(verdict_table(sample.all_four()), width)
    assert all(len(line) <= width for line in text.splitlines())
    flat = " ".join(text.split())
    for part in ("campus-100mw", "fail", "not assessable", "not applicable", "pass", "0.137 s", "0.15 s", "−8.67 %",
                 "Smallest change that would pass", "2.4 MW / 0.9 kWh", "ask the operator which filter",
                 "2 of 6 clauses that apply fail; 2 more cannot be judged.", "Warning: The site file"):  # fmt: skip
        assert part in flat
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize(
    ("value", "limit", "told"),
    [(1.9998, 2.0, "tried 99.99 %"), (0.019, 2.0, "tried 0.95 %"), (3.0, 2.0, "tried 100 %")],
)
def test_a_ride_through_that_passed_says_how_much_was_tried(value: float, limit: float, told: str) -> None:
    """A margin of 0.01 % read as a hair's breadth where all but 0.2 ms of two seconds were tried."""
    verdict = Verdict("voltage-ride-through", "curve", "pass", limit, value, "s", abs(limit - value) / limit)
    assert margin_text(verdict) == told
    failed = replace(verdict, result="fail", margin=-0.5)
    assert margin_text(failed) == "−50 %"


def test_words_in_brackets_are_words():
    flat = " ".join(shown(verdict_table(sample.all_four()), 120).split())
    assert "</script> [bold]" in flat
    assert "<b>[red]markup[/red]</b> & more" in flat


def test_open_clauses_with_one_reason_share_a_line():
    result = sample.all_four()
    open_one = result.verdicts[5]
    many = tuple(replace(open_one, clause=f"clause {k}") for k in range(4))
    text = " ".join(shown(verdict_table(replace(result, verdicts=many)), 120).split())
    assert text.count(open_one.reason) == 1
    assert "clause 0, clause 1, clause 2, clause 3: the figures" in text
    assert "Smallest change" not in text


def test_forty_clauses_and_none():
    text = shown(verdict_table(sample.forty()))
    assert all(f"clause {k}\n" in text.replace(" ", " ") or f"clause {k} " in text for k in range(1, 41))
    assert "No clause of this rule set applies" in shown(verdict_table(replace(sample.forty(), verdicts=())))


def test_a_transient_tells_its_extremes_events_and_facts():
    result = sample.transient()
    text = shown(transient_table(result))
    assert all(len(line) <= 80 for line in text.splitlines())
    w = result.window.waveform
    assert f"{w['v_pp_min_pu'].min():.4f}" in text
    assert f"{w['p_w'].max() / 1e6:.4g}" in text
    for part in ("sag at 1 s, duration 240 ms, residual 0.4 pu", "IT energy not served", "seed: 42"):
        assert part in text
    bare = shown(transient_table(replace(result, window=sample.power_only(), facts={}, events=())))
    assert "active power" in bare
    assert "IT energy" not in bare
