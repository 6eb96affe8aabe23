"""Voltage ride-through: the site stays connected for as long as the rule asks.

A curve asks that the site stays connected while d_k <= t_k for every k, d_k being the time beyond V_k as
`excursion` counts it. Once any d_k exceeds its t_k the site may leave, until voltage and frequency are back
in the continuous band, where every duty begins anew (`freedom`). A departure is held against all clauses of
the rule set together: what the voltage curve allows is no breach of the frequency bands, and the reverse.
How the verdict of one case is to be read:

- `fail`: the load, or a part of it, left while no duty of the set was past. `value` is the time into the
  excursion at which it left (or, where it left after the voltage was back, the longest excursion that it had
  withstood), `limit` the time t_k that had to be withstood at that depth, `margin` (value - limit)/limit.
- `pass`: connected while the duty lasted. `value` is the longest d_k of the case, of that k which came
  closest to its t_k; `limit` is t_k. `margin` is (limit - value)/limit: the share of the duty that this case
  left untried, so that the worst of many passes is the one that proves most. A case that went on for longer
  than its duty passes with `value` beyond `limit` and margin (value - limit)/limit.
- `not_applicable`: connected, and the voltage never went beyond a threshold: nothing was tried.
- `not_assessable`: a channel is missing, the record is of another place or too slow; or the load left without
  any excursion, and another clause of the set, which this record cannot show, might have allowed it. After an
  excursion of its own the clause fails, and its reason names what was not recorded.

Leaving is a fall of `connected_frac`, however many there are. The battery of a UPS that carries the load while
its input stays connected is no disconnection; a transfer is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aidc.measure.grid.channel import cannot_judge
from aidc.measure.grid.duty import Duty, level_duties
from aidc.measure.grid.freedom import Departures, Freedom, departures, freedom
from aidc.measure.grid.verdict import Verdict, not_applicable, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, VoltageRideThrough

__all__ = ["judge_connection", "left_at", "ride_through", "voltage_channels", "voltage_duties"]


def voltage_channels(clause: VoltageRideThrough) -> tuple[str, str]:
    """Channels that thresholds below and above nominal are held against."""
    if clause.quantity == "v1":
        return "v1_pu", "v1_pu"
    return f"{clause.quantity}_pu", f"{clause.quantity.removesuffix('_min')}_max_pu"


def ride_through(
    clause: VoltageRideThrough, w: Waveform, case: str = "", free: Freedom | None = None
) -> Verdict:
    """Whether the site stayed connected for as long as its voltage duty lasted.

    `free` says when the rule set allows to leave; without it the clause stands alone.

    `case` names the window in the verdict.
    """
    duties = voltage_duties(clause, w, case)
    if isinstance(duties, Verdict):
        return duties
    refusal = cannot_judge(clause, w, ["connected_frac"], case)
    return refusal or judge_connection(clause, w, duties, case, free)


def voltage_duties(clause: VoltageRideThrough, w: Waveform, case: str = "") -> list[Duty] | Verdict:
    """What the curve asked in this waveform, or why it cannot be read from it."""
    low, high = voltage_channels(clause)
    needed = {low} if clause.below_pu else set[str]()
    needed |= {high} if clause.above_pu else set[str]()
    refusal = cannot_judge(clause, w, sorted(needed), case)
    if refusal:
        return refusal
    window_s = clause.window_s if clause.accumulate == "window" else None
    duties: list[Duty] = []
    if clause.below_pu:
        points = tuple(zip(clause.below_pu, clause.below_s, strict=True))
        duties += level_duties(w, low, points, inclusive=clause.inclusive, window_s=window_s, unit="pu")
    if clause.above_pu:
        points = tuple(zip(clause.above_pu, clause.above_s, strict=True))
        duties += level_duties(
            w, high, points, above=True, inclusive=clause.inclusive, window_s=window_s, unit="pu"
        )
    return duties


def left_at(w: Waveform) -> float:
    """When the first part of the load left [s]; infinity where none did, minus infinity where none was there."""
    return departures(w).first_s


def judge_connection(
    clause: VoltageRideThrough | FrequencyRideThrough,
    w: Waveform,
    duties: Sequence[Duty],
    case: str = "",
    free: Freedom | None = None,
    gone: Departures | None = None,
) -> Verdict:
    """The verdict of one case from its duties, the departures of the load, and what the set allows."""
    gone = departures(w) if gone is None else gone
    left_s = gone.first_s
    if left_s == -np.inf:
        return replace(not_applicable(clause, "nothing was connected before the event"), case=case)
    if free is None:
        free = freedom([("", duties, clause.renew_s)])
    unlawful_s = gone.unlawful_s(free)
    if unlawful_s < np.inf:
        return _left_too_soon(clause, w, duties, unlawful_s, case, free)
    asked = [(duty, duty.asked_until(left_s)) for duty in duties]
    tried = [(duty, most) for duty, most in asked if most > duty.least]
    if not tried:
        return replace(
            not_applicable(clause, "never beyond a threshold of the curve: nothing was tried"), case=case
        )
    over = [(duty, most) for duty, most in asked if duty.over_s < left_s]
    if over:
        duty, most = min(over, key=lambda one: one[0].over_s)
        told = f"; the load left at {left_s:.4g} s" if left_s < np.inf else ""
        reason = f"stayed connected until the duty {duty.label} ended at {duty.over_s:.4g} s{told}"
        margin = _ratio(most - duty.limit, duty.limit)
    else:
        duty, most = max(tried, key=lambda one: one[0].share(one[1]))
        told = _allowed(gone.before_s[0], left_s, free) if left_s < np.inf else ""
        reason = f"stayed connected{told}; most of the duty was asked {duty.label}"
        margin = _ratio(duty.limit - most, duty.limit)
    return _verdict(clause, "pass", duty, most, max(margin, 0.0), reason, case)


def _allowed(before_s: float, left_s: float, free: Freedom) -> str:
    return f" until {left_s:.4g} s, when another duty of the set had ended: {free.within(before_s, left_s)}"


def _left_too_soon(
    clause: Clause, w: Waveform, duties: Sequence[Duty], left_s: float, case: str, free: Freedom
) -> Verdict:
    asked = [(duty, duty.asked_until(left_s)) for duty in duties]
    if free.unknown and not any(most > duty.least for duty, most in asked):
        return not_assessable(
            clause,
            f"the load left at {left_s:.4g} s without any excursion; whether another clause of the set allowed it is not "
            f"known: {'; '.join(free.unknown)}",
            case,
        )
    doubt = (
        f"; nothing shows that another clause allowed it: {'; '.join(free.unknown)}" if free.unknown else ""
    )
    step_s = float(w.step_s)
    inside = [(duty, now) for duty in duties if (now := duty.now_at(left_s)) > 0]
    if inside:
        duty, value = max(inside, key=lambda one: one[1] / max(one[0].limit, step_s))
        if duty.limit < 2 * step_s:
            return not_assessable(
                clause,
                f"the load left {duty.label}, where a step of {step_s:g} s cannot tell {duty.limit:g} s",
                case,
            )
        reason = f"left at {left_s:.4g} s, {value:.4g} {duty.unit} into the excursion {duty.label}{doubt}"
        margin = min(_ratio(value - duty.limit, duty.limit), 0.0)
        return _verdict(clause, "fail", duty, value, margin, reason, case)
    duty, value = max(asked, key=lambda one: (one[0].share(one[1]), one[0].limit))
    reason = f"left at {left_s:.4g} s, outside any excursion, within its duty"
    if duty.over_s < left_s:  # an excursion that outlasted its time was over, and the duty had begun anew
        reason += f": the last one {duty.label} was over, and the duty had begun anew"
        return _verdict(clause, "fail", duty, 0.0, -1.0, reason + doubt, case)
    reason += doubt
    margin = min(_ratio(value - duty.limit, duty.limit), 0.0)
    return _verdict(clause, "fail", duty, value, margin, reason, case)


def _ratio(difference: float, limit: float) -> float:
    return difference / limit if limit > 0 else difference


def _verdict(
    clause: Clause, result: str, duty: Duty, value: float, margin: float, reason: str, case: str
) -> Verdict:
    return Verdict(
        clause.rule, clause.clause, "pass" if result == "pass" else "fail",
        duty.limit, value, duty.unit, margin, reason,
        clause.status, clause.confidence, clause.source, case,
    )  # fmt: skip
