"""Whether a load left in a disturbance, told from its power alone.

A record seldom says what was connected. Power does, as far as this goes:

- stayed: from two cycles after the voltage returned on, power is back to what it was (within 1 %, and how far the
  load itself moved before), and during the disturbance it did not fall below half of what an impedance draws
  (V², where V is above half of nominal);
- left: power is at least 5 % (and that movement) short from then on, for as long as the rule set allows recovery
  to take, and at least for a second;
- else it cannot be told, and neither where the load itself moved by more than 2 %: a small part may have left unseen; a load that left and came back, one that blocked, and one that ramped up look alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import minimum_filter1d

from aidc.measure.grid.channel import first_s
from aidc.measure.grid.grid_faults import SAG_PU, SWELL_PU, Before
from aidc.record.waveform import FloatArray, Mark, Waveform

__all__ = ["Inferred", "connection_in"]

_WITHIN = 0.01
_SHORT = 0.05
_MOST_SPREAD = 0.02
_NEAR = 0.2  # of the fall of power: what is left for good, but for ripple
_SETTLE_CYCLES = 2.0
_LEAST_AFTER_S = 0.1
_STAYS_AWAY_S = 1.0
_BLOCKED = 0.5
_SEEN_PU = 0.5
_BLOCKED_CYCLES = 3.0


@dataclass(frozen=True, slots=True)
class Inferred:
    """What power tells of one disturbance; where the load left, it did so between `since_s` and `by_s`."""

    how: Literal["stayed", "left", "unknown"]
    reason: str
    since_s: float = np.inf
    by_s: float = np.inf


def connection_in(
    w: Waveform, power: FloatArray, fault: Mark, before: Before | None, until_s: float, within_s: float
) -> Inferred:
    """What the power of a record says of a disturbance.

    Parameters
    ----------
    power : (n_step,)
        One-cycle means of the record's power [W].
    fault, before
        The disturbance, and the power before it.
    until_s
        Where the next one begins, or the record ends [s].
    within_s
        How long the rule set allows recovery to take [s].
    """
    if before is None or before.mean_w <= 0 or before.low_w < 0.1 * before.high_w:
        why = "less than two cycles of power" if before is None else "hardly any load, or a load that swings,"
        return Inferred("unknown", f"{why} before the disturbance at {fault.start_s:.4g} s")
    step_s, start_s, cycle_s = float(w.step_s), first_s(w), 1.0 / w.frequency_hz
    after_s = fault.end_s + _SETTLE_CYCLES * cycle_s
    first, last = _index(after_s, start_s, step_s), _index(until_s, start_s, step_s)
    if (last - first) * step_s < _LEAST_AFTER_S:
        left_s = max(until_s - after_s, 0.0)
        return Inferred(
            "unknown",
            f"the record goes on for {left_s:.4g} s after the voltage was back at {fault.end_s:.4g} s",
        )
    short = 1.0 - power[first:last] / before.low_w
    count = round(max(within_s, _STAYS_AWAY_S) / step_s)
    if short.size >= count and float(short[:count].min()) >= _SHORT + before.spread:
        return _left(w, power, fault, before, after_s)
    if before.seen_spread > _MOST_SPREAD:
        unseen_mw = before.mean_w * (before.seen_spread + _WITHIN) / 1e6
        return Inferred(
            "unknown",
            f"the load itself moves by {before.seen_spread:.0%}, so that up to {unseen_mw:.3g} MW may have left unseen in the "
            f"disturbance at {fault.start_s:.4g} s",
        )
    if float((1.0 - power[first:last] / before.mean_w).max()) <= _WITHIN + before.seen_spread:
        return _stayed(w, power, fault, before)
    return Inferred(
        "unknown",
        f"power was not at once, or not for good, what it was before the voltage was back at {fault.end_s:.4g} s (up to "
        f"{float((1.0 - power[first:last] / before.mean_w).max()):.0%} short): whether the load had left, blocked, ramped "
        "up or moved by itself, power alone cannot tell",
    )


def _stayed(w: Waveform, power: FloatArray, fault: Mark, before: Before) -> Inferred:
    """Connected, unless power vanished meanwhile at a voltage that an impedance would have drawn on."""
    step_s, start_s = float(w.step_s), first_s(w)
    first, last = _index(fault.start_s, start_s, step_s), _index(fault.end_s, start_s, step_s) + 1
    name = _voltage(w)
    if name is not None:
        volts = w[name][first:last]
        blocked = (volts > _SEEN_PU) & (power[first:last] < _BLOCKED * volts**2 * before.low_w)
        if float(blocked.sum()) * step_s > _BLOCKED_CYCLES / w.frequency_hz:
            return Inferred(
                "unknown",
                f"power fell below what a connected load draws for {float(blocked.sum()) * step_s:.4g} s of the disturbance at "
                f"{fault.start_s:.4g} s: whether the load had left or blocked, power alone cannot tell",
            )
    least = before.mean_w * (_WITHIN + before.seen_spread) / 1e6
    return Inferred(
        "stayed",
        f"power was back at once after {fault.end_s:.4g} s (a part below {least:.3g} MW cannot be seen)",
    )


def _left(w: Waveform, power: FloatArray, fault: Mark, before: Before, after_s: float) -> Inferred:
    """Gone since the last sample at full power, and by the first that met a healthy voltage with what was left for good.

    Of a load that moves by itself, a first part may have left unseen since the disturbance began.
    """
    start_s, step_s = first_s(w), float(w.step_s)
    first, last = _index(fault.start_s, start_s, step_s), _index(after_s, start_s, step_s)
    name = _voltage(w)
    whole = power[first:last] >= before.low_w * (1 - _WITHIN)
    if name is not None:  # in a swell the rest draws more, and hides a part that left
        whole &= w[name][first:last] <= SWELL_PU
    full = np.flatnonzero(whole)
    since = first + (int(full[-1]) if full.size and before.spread <= _MOST_SPREAD else 0)
    stays_w = float(power[last])
    gone = power[since:last] <= stays_w + _NEAR * max(before.low_w - stays_w, 0.0)
    if name is not None:
        cycles = max(round(_SETTLE_CYCLES / w.frequency_hz / step_s), 1)
        gone &= minimum_filter1d(w[name], 2 * cycles + 1, mode="nearest")[since:last] >= SAG_PU
    seen = np.flatnonzero(gone)
    since_s = start_s + since * step_s
    by_s = start_s + (since + int(seen[0])) * step_s if seen.size else after_s
    reason = f"power fell from {before.mean_w / 1e6:.4g} MW to {stays_w / 1e6:.4g} MW after {since_s:.4g} s and stayed away"
    return Inferred("left", reason, since_s, max(by_s, since_s + step_s))


def _voltage(w: Waveform) -> str | None:
    return next((one for one in ("v1_pu", "v_pp_min_pu", "v_pn_min_pu") if one in w), None)


def _index(at_s: float, start_s: float, step_s: float) -> int:
    return max(round((at_s - start_s) / step_s), 0)
