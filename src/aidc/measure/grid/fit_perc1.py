"""Least squares of the PERC1-like load: what the cases show, a coarse scan, then Gauss-Newton.

Delays enter through logarithms, and derivatives are differences over steps wide enough to move a switching
instant by part of a sample, since the response is smooth in them only at that scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from aidc.measure.grid.excursion import stretches
from aidc.measure.grid.perc1 import Perc1, response_pu
from aidc.record.waveform import FloatArray

__all__ = ["CaseArrays", "Seen", "fit_active", "fit_reactive"]

_FIT_STEP_S = 4e-3
_SETTLE_S = 0.05
_STARTS = 3


@dataclass(frozen=True, slots=True)
class CaseArrays:
    """One case in per unit of its own start: voltage, P/P0, Q/Q0 (None: no Q to speak of), step, P0, Q0."""

    v: FloatArray
    p: FloatArray
    q: FloatArray | None
    step_s: float
    p0_w: float
    q0_var: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cases show: a voltage excursion at all, load that ceases, load that returns.

    `between_pu` are the deepest case that kept its load and the shallowest that did not.
    """

    excited: bool
    ceases: bool
    returns: bool
    between_pu: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    low: float
    high: float
    step: float
    log: bool = False

    def inner(self, value: float) -> float:
        clipped = min(max(value, self.low), self.high)
        return float(np.log(clipped)) if self.log else clipped

    def outer(self, value: float) -> float:
        return float(np.exp(value)) if self.log else float(value)


_PATH = (
    _Variable("limit_pu", 0.05, 1.2, 5e-3),
    _Variable("kvp", -1.0, 3.0, 1e-2),
    _Variable("tvp_s", 5e-3, 5.0, 2e-2, log=True),
    _Variable("tap_s", 0.0, 0.5, 1e-3),
    _Variable("tbp_s", 1e-3, 0.5, 2e-2, log=True),
)
_CEASE = (
    _Variable("cease_s", 1e-3, 5.0, 2e-2, log=True),
    _Variable("fcease_frac", 0.0, 1.0, 5e-3),
)
_RETURN = (
    _Variable("frecon_frac", 0.0, 1.0, 5e-3),
    _Variable("recon_s", 1e-3, 60.0, 2e-2, log=True),
    _Variable("ramp_s", 1e-3, 60.0, 2e-2, log=True),
)
_REACTIVE = (
    _Variable("kvq", -3.0, 5.0, 1e-2),
    _Variable("tvq_s", 5e-3, 5.0, 2e-2, log=True),
    _Variable("taq_s", 0.0, 0.5, 1e-3),
    _Variable("tbq_s", 1e-3, 0.5, 2e-2, log=True),
)


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one case shows once the voltage is back: depth, share left, share at the end, delay, ramp."""

    depth_pu: float
    left_frac: float
    final_frac: float
    delay_s: float
    ramp_s: float


def fit_active(cases: Sequence[CaseArrays]) -> tuple[Perc1, Seen]:
    """Parameters of the active-power path and of ceasing."""
    thin = [_thinned(case) for case in cases]
    signs = [sign for sign in map(_sign, thin) if sign is not None]
    if not signs:
        return Perc1(), Seen(excited=False, ceases=False, returns=False, between_pu=None)
    gone = [sign for sign in signs if sign.left_frac < 0.95]
    back = [sign for sign in gone if sign.final_frac > sign.left_frac + 0.05]
    first = Perc1(limit_pu=0.7, tbp_s=0.01)
    if gone:
        left = float(np.median([sign.left_frac for sign in gone]))
        final = float(np.median([sign.final_frac for sign in gone]))
        first = replace(
            first, fcease_frac=min(1 - left, 1.0), frecon_frac=max((final - left) / (1 - left), 0.0)
        )
    if back:
        first = replace(
            first,
            recon_s=max(float(np.median([sign.delay_s for sign in back])), 2e-3),
            ramp_s=max(float(np.median([sign.ramp_s for sign in back])), 2e-3),
        )
    variables = _PATH + (_CEASE if gone else ()) + (_RETURN if back else ())
    starts = _scan(first, thin, _candidates(signs) if gone else [first.cease_pu])
    found = [_least_squares(start, variables, thin, most=10) for start in starts]
    best, _ = _least_squares(min(found, key=lambda one: one[1])[0], variables, thin)
    kept = [sign.depth_pu for sign in signs if sign.left_frac >= 0.95 and sign.depth_pu >= best.cease_pu]
    lost = [sign.depth_pu for sign in gone if sign.depth_pu < best.cease_pu]
    between = (max(lost), min(kept, default=1.0)) if lost else None
    return best, Seen(excited=True, ceases=bool(gone), returns=bool(back), between_pu=between)


def fit_reactive(active: Perc1, cases: Sequence[CaseArrays]) -> Perc1:
    """Parameters of the reactive-power path; ceasing and the current limit are those of active power."""
    thin = [_thinned(case) for case in cases]
    start = replace(active, tbq_s=0.01, tvq_s=0.05)
    return _least_squares(start, _REACTIVE, thin, reactive=True)[0]


def _thinned(case: CaseArrays) -> CaseArrays:
    """Every case on a step of at least 4 ms: the fit costs a quarter and loses nothing that it could use."""
    k = max(round(_FIT_STEP_S / case.step_s), 1)
    return CaseArrays(
        np.ascontiguousarray(case.v[::k]),
        np.ascontiguousarray(case.p[::k]),
        None if case.q is None else np.ascontiguousarray(case.q[::k]),
        k * case.step_s,
        case.p0_w,
        case.q0_var,
    )


def _sign(case: CaseArrays) -> _Sign | None:
    """What a case shows after its last dip; None where the voltage hardly moves or does not return."""
    below = stretches(case.v, case.step_s, 0.9 * float(case.v[0]))
    last = (case.v.size - 1) * case.step_s
    if not len(below) or below.end_s[-1] > last - 4 * _SETTLE_S:
        return None
    since = int(np.ceil((below.end_s[-1] + _SETTLE_S) / case.step_s))
    after = case.p[since:]
    width = max(round(_SETTLE_S / case.step_s), 1)
    smooth = np.convolve(after, np.full(width, 1 / width), mode="valid")
    left, final = float(smooth.min()), float(after[-max(after.size // 10, 1) :].mean())
    rise = final - left
    delay = ramp = 0.0
    if rise > 0.05:
        begun = int((smooth > left + 0.1 * rise).argmax())
        done = int((smooth > left + 0.9 * rise).argmax())
        ramp = max(done - begun, 1) * case.step_s / 0.8
        delay = max(begun * case.step_s - 0.1 * ramp, 0.0) + _SETTLE_S
    return _Sign(float(case.v.min()), left, final, delay, ramp)


def _candidates(signs: Sequence[_Sign]) -> list[float]:
    """Ceasing voltages to try: halfway between the depths of the cases, and above the shallowest."""
    depths = np.unique(np.round([sign.depth_pu for sign in signs], 4))
    halves = list(0.5 * (depths[1:] + depths[:-1]))
    return [float(value) for value in [*halves, min(0.5 * (depths[-1] + 1.0), 0.98)] if value > 0.01]


def _scan(first: Perc1, cases: Sequence[CaseArrays], cease_pu: Sequence[float]) -> list[Perc1]:
    """The few best starts on a coarse grid over what has no useful derivative far from the answer."""
    delays = (0.003, 0.01, 0.03, 0.08, 0.2, 0.5) if first.fcease_frac > 0 else (first.cease_s,)
    grid = [
        replace(first, cease_pu=level, cease_s=delay, limit_pu=limit, kvp=gain)
        for level, delay, limit, gain in product(cease_pu, delays, (0.4, 0.7, 0.95), (0.0, 0.5))
    ]
    cost = [float(np.square(_residual(one, cases)).sum()) for one in grid]
    chosen: list[Perc1] = []
    for k in np.argsort(cost):
        if all((one.cease_pu, one.cease_s) != (grid[k].cease_pu, grid[k].cease_s) for one in chosen):
            chosen.append(grid[k])
        if len(chosen) == _STARTS:
            break
    return chosen


def _residual(parameters: Perc1, cases: Sequence[CaseArrays], *, reactive: bool = False) -> FloatArray:
    parts: list[FloatArray] = []
    for case in cases:
        measured = case.q if reactive else case.p
        if measured is not None:
            modelled = response_pu(parameters, case.v, case.step_s, reactive=reactive)
            parts.append((modelled - measured) / np.sqrt(measured.size))
    return np.concatenate(parts)


def _least_squares(
    start: Perc1,
    variables: Sequence[_Variable],
    cases: Sequence[CaseArrays],
    *,
    reactive: bool = False,
    most: int = 60,
) -> tuple[Perc1, float]:
    from scipy.optimize import least_squares

    solve: Any = least_squares

    def built(x: FloatArray) -> Perc1:
        chosen = {one.name: one.outer(value) for one, value in zip(variables, x, strict=True)}
        return replace(start, **chosen)

    def residual(x: FloatArray) -> FloatArray:
        return _residual(built(x), cases, reactive=reactive)

    def slope(x: FloatArray) -> FloatArray:
        columns: list[FloatArray] = []
        for k, one in enumerate(variables):
            up, down = x.copy(), x.copy()
            up[k] = min(x[k] + one.step, one.inner(one.high))
            down[k] = max(x[k] - one.step, one.inner(one.low))
            columns.append((residual(up) - residual(down)) / (up[k] - down[k]))
        return np.column_stack(columns)

    low = np.array([one.inner(one.low) for one in variables])
    high = np.array([one.inner(one.high) for one in variables])
    inner = np.array([one.inner(getattr(start, one.name)) for one in variables])
    inner = np.clip(inner, low + 1e-6 * (high - low), high - 1e-6 * (high - low))
    found = solve(residual, inner, jac=slope, bounds=(low, high), x_scale=high - low, max_nfev=most)
    return built(found.x), float(found.cost)
