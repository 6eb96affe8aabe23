"""Voltage ride-through: the site stays connected for as long as the rule asks.

A curve asks that the site stays connected while d_k <= t_k for every k, d_k being the time beyond V_k as
`excursion` counts it. Once any d_k exceeds its t_k the duty has ended, for good, and a later disconnection
is allowed. How the verdict of one case is to be read:

- `fail`: the load, or a part of it, left while the duty lasted. `value` is the time into the excursion at
  which it left (or, where it left after the voltage was back, the longest excursion that it had withstood),
  `limit` the time t_k that had to be withstood at that depth, `margin` (value - limit)/limit.
- `pass`: connected while the duty lasted. `value` is the longest d_k of the case, of that k which came
  closest to its t_k; `limit` is t_k. `margin` is (limit - value)/limit: the share of the duty that this case
  left untried, so that the worst of many passes is the one that proves most. A case that went on for longer
  than its duty passes with `value` beyond `limit` and margin (value - limit)/limit.
- `not_applicable`: connected, and the voltage never went beyond a threshold: nothing was tried.
- `not_assessable`: a channel is missing, the record is of another place or too slow.

Leaving is `connected_frac` below its value in the first sample, which lies before the event. The battery of
a UPS that carries the load while its input stays connected is no disconnection; a transfer is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aidc.measure.grid.channel import cannot_judge, checked, first_s
from aidc.measure.grid.excursion import exceeds_at, longest, running, stretches
from aidc.measure.grid.verdict import Verdict, not_applicable, not_assessable
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, VoltageRideThrough

__all__ = ["Duty", "judge_connection", "left_at", "level_duties", "ride_through", "voltage_channels"]

_STILL_CONNECTED = 1e-6


@dataclass(frozen=True, slots=True)
class Duty:
    """One demand of a curve and what a case asked of it.

    `asked` is the greatest count up to the instant at which the load left (to the end where it did not),
    `now` the count at that instant, `over_s` the instant from which the rule asks no more. `least` is the
    count below which the case has not tried the duty.
    """

    label: str
    unit: str
    limit: float
    asked: float
    now: float
    over_s: float
    least: float = 0.0

    @property
    def share(self) -> float:
        """Asked over limit; a duty of no time at all counts as fully asked."""
        return self.asked / self.limit if self.limit > 0 else float(self.asked > 0)


def voltage_channels(clause: VoltageRideThrough) -> tuple[str, str]:
    """Channels that thresholds below and above nominal are held against."""
    if clause.quantity == "v1":
        return "v1_pu", "v1_pu"
    return f"{clause.quantity}_pu", f"{clause.quantity.removesuffix('_min')}_max_pu"


def ride_through(clause: VoltageRideThrough, w: Waveform, case: str = "") -> Verdict:
    """Whether the site stayed connected for as long as its voltage duty lasted."""
    low, high = voltage_channels(clause)
    needed = {low} if clause.below_pu else set[str]()
    needed |= {high} if clause.above_pu else set[str]()
    refusal = cannot_judge(clause, w, [*sorted(needed), "connected_frac"], case)
    if refusal:
        return refusal
    left_s = left_at(w)
    window_s = clause.window_s if clause.accumulate == "window" else None
    duties: list[Duty] = []
    if clause.below_pu:
        points = tuple(zip(clause.below_pu, clause.below_s, strict=True))
        duties += level_duties(
            w, low, points, left_s, inclusive=clause.inclusive, window_s=window_s, unit="pu"
        )
    if clause.above_pu:
        points = tuple(zip(clause.above_pu, clause.above_s, strict=True))
        duties += level_duties(
            w, high, points, left_s, above=True, inclusive=clause.inclusive, window_s=window_s, unit="pu"
        )
    return judge_connection(clause, w, duties, left_s, case)


def left_at(w: Waveform) -> float:
    """When the first part of the load left [s]; infinity where none did, minus infinity where none was there."""
    connected = checked(w, "connected_frac")
    before = float(connected[0])
    if before <= _STILL_CONNECTED:
        return -np.inf
    lost = connected < before - _STILL_CONNECTED
    k = int(lost.argmax())
    return first_s(w) + k * float(w.step_s) if lost[k] else np.inf


def level_duties(
    w: Waveform,
    channel: str,
    points: Sequence[tuple[float, float]],
    left_s: float,
    *,
    above: bool = False,
    inclusive: bool = False,
    window_s: float | None = None,
    unit: str,
) -> list[Duty]:
    """One duty for each (threshold, time) of a curve."""
    values: FloatArray = checked(w, channel)
    step_s, start_s = float(w.step_s), first_s(w)
    side = "above" if above else "below"
    duties: list[Duty] = []
    for level, limit_s in points:
        found = stretches(values, step_s, level, above=above, inclusive=inclusive, first_s=start_s)
        label = f"{side} {level:g} {unit}"
        if not len(found):
            duties.append(Duty(label, "s", limit_s, 0.0, 0.0, np.inf))
            continue
        now = running(found, left_s, window_s) if np.isfinite(left_s) else 0.0
        asked = longest(found, window_s, left_s)
        duties.append(Duty(label, "s", limit_s, asked, now, exceeds_at(found, limit_s, window_s)))
    return duties


def judge_connection(
    clause: VoltageRideThrough | FrequencyRideThrough,
    w: Waveform,
    duties: Sequence[Duty],
    left_s: float,
    case: str = "",
) -> Verdict:
    """The verdict of one case from its duties and the instant at which the load left."""
    if left_s == -np.inf:
        return replace(not_applicable(clause, "nothing was connected before the event"), case=case)
    over_s = min(duty.over_s for duty in duties)
    tried = [duty for duty in duties if duty.asked > duty.least]
    if left_s <= over_s and left_s < np.inf:
        return _left_too_soon(clause, w, duties, left_s, case)
    if not tried:
        return replace(
            not_applicable(clause, "never beyond a threshold of the curve: nothing was tried"), case=case
        )
    if over_s < np.inf:
        duty = min(duties, key=lambda one: one.over_s)
        gone = f"; the load left at {left_s:.4g} s" if left_s < np.inf else ""
        reason = f"stayed connected until the duty {duty.label} ended at {over_s:.4g} s{gone}"
        margin = _ratio(duty.asked - duty.limit, duty.limit)
    else:
        duty = max(tried, key=lambda one: one.share)
        reason = f"stayed connected; most of the duty was asked {duty.label}"
        margin = _ratio(duty.limit - duty.asked, duty.limit)
    return _verdict(clause, "pass", duty, duty.asked, max(margin, 0.0), reason, case)


def _left_too_soon(clause: Clause, w: Waveform, duties: Sequence[Duty], left_s: float, case: str) -> Verdict:
    step_s = float(w.step_s)
    inside = [duty for duty in duties if duty.now > 0]
    if inside:
        duty = max(inside, key=lambda one: one.now / max(one.limit, step_s))
        if duty.limit < 2 * step_s:
            return not_assessable(
                clause,
                f"the load left {duty.label}, where a step of {step_s:g} s cannot tell {duty.limit:g} s",
                case,
            )
        value = duty.now
        reason = f"left at {left_s:.4g} s, {value:.4g} {duty.unit} into the excursion {duty.label}"
    else:
        duty = max(duties, key=lambda one: (one.share, one.limit))
        value = duty.asked
        reason = f"left at {left_s:.4g} s, outside any excursion, within its duty"
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
