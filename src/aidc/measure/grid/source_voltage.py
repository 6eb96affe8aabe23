"""Shallow disturbances of the grid: what the source behind the site's own impedance did.

A voltage that moves by less than a tenth may be the site's doing or the grid's. Power tells them apart where the
short-circuit level is known: behind r + jx the source stands at

    E = |V + (r + jx)·(P - jQ)/V|

(two-bus circuit, per unit of the short-circuit power, V real), which a site's own step leaves where it was. A
stretch in which E lies 1.5 % off its median of half a minute, and makes up more than 0.6 of what V did, is the grid's:
with a level that is stated twice too high, a step of the site's own moves E by half of what it moves V.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import median_filter

from aidc.measure.grid.channel import first_s
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.record.waveform import FloatArray, Mark, Waveform

__all__ = ["shallow_faults", "source_pu"]

_OFF_PU = 0.015
_SHARE = 0.6
_LEAST_PU = 0.5  # of voltage: below, other thresholds find it
_LOOK_S = 0.1
_MEDIAN_S = 30.0


def source_pu(w: Waveform, short_circuit_va: float, x_over_r: float) -> FloatArray:
    """Source voltage behind the site's impedance, one-cycle means, shape (n_step,) [pu]."""
    step_s, hertz = float(w.step_s), w.frequency_hz
    r = 1.0 / math.hypot(1.0, x_over_r)
    x = x_over_r * r
    v = np.maximum(cycle_mean(w["v1_pu"], step_s, hertz), 1e-3)
    p = cycle_mean(w["p_w"], step_s, hertz) / short_circuit_va
    q = cycle_mean(w["q_var"], step_s, hertz) / short_circuit_va
    return np.hypot(v + (r * p + x * q) / v, (x * p - r * q) / v)


def shallow_faults(w: Waveform, short_circuit_va: float | None, x_over_r: float) -> tuple[Mark, ...]:
    """Stretches in which the source moved the voltage; none where the record or the level cannot tell."""
    slow = float(w.step_s) * w.frequency_hz > 1 + 1e-9
    if not short_circuit_va or slow or len(w) < 3 or any(name not in w for name in ("v1_pu", "p_w", "q_var")):
        return ()
    step_s, start_s = float(w.step_s), first_s(w)
    source = source_pu(w, short_circuit_va, x_over_r)
    seen = cycle_mean(w["v1_pu"], step_s, w.frequency_hz)
    off, moved = source - _level(source, step_s), seen - _level(seen, step_s)
    grid = (np.abs(off) > _OFF_PU) & (np.abs(moved) > _OFF_PU) & (np.abs(off) >= _SHARE * np.abs(moved))
    grid &= seen > _LEAST_PU
    edges = np.diff(np.concatenate(([False], grid, [False])).astype(np.int8))
    found: list[Mark] = []
    cycle_s = 1.0 / w.frequency_hz
    for first, last in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        begin_s, end_s = start_s + (int(first) - 1) * step_s - cycle_s, start_s + int(last) * step_s + cycle_s
        if found and begin_s <= found[-1].end_s + cycle_s:
            found[-1] = Mark(found[-1].kind, found[-1].start_s, end_s, found[-1].label)
            continue
        most = float(off[first:last][np.abs(off[first:last]).argmax()])
        kind = "sag" if most < 0 else "swell"
        found.append(
            Mark(
                kind,
                begin_s,
                end_s,
                f"found: the grid's own voltage {'fell' if most < 0 else 'rose'} by {abs(most):.1%}",
            )
        )
    return tuple(found)


def _level(values: FloatArray, step_s: float) -> FloatArray:
    """The median of half a minute around each sample, looked at ten times a second, linear between."""
    stride = max(1, round(_LOOK_S / step_s))
    picked = values[::stride]
    size = min(round(_MEDIAN_S / (stride * step_s)) // 2 * 2 + 1, max(picked.size // 2 * 2 - 1, 1))
    level: FloatArray = median_filter(picked, size, mode="nearest")
    return np.interp(np.arange(values.size), np.arange(picked.size) * float(stride), level)
