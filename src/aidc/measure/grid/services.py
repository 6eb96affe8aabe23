"""Frequency response services: what was asked, what was delivered, and for how long.

Delivered is the counterfactual (the meter without the service) minus the meter: at low frequency a fall of
import counts, at high frequency a rise. What a clause asks is read as follows.

- A curve over the deviation is interpolated; below its first point it asks nothing, beyond its last it asks
  the last share. A curve whose first share is not 0 is a trigger: reached once, it asks for `duration_s`.
- Asked at time t is `least_at_full_frac` of the least requirement over the last `full_s`: a response that
  is all there `full_s` after any step is enough on any course of frequency. Beside it something (1 % of the
  requirement) must be there within `start_s`. No particular course is asked between the two.
- The duty of a curve ends once one uninterrupted requirement of one sign has asked for the energy of a full
  response over `duration_s`; the next begins afresh. Without a `duration_s` it lasts as long as the
  frequency asks, and a trigger does not latch.

The worst shortfall is what was asked less what was delivered, as a share of the contract, at the worst
instant. A store that runs empty shows as a shortfall from then on. Products: NESO Dynamic Containment,
Moderation and Regulation; Nordic FCR and FFR; ERCOT FFR: their figures are data of the clause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aidc.errors import InputError, Problem
from aidc.jit import engine
from aidc.measure.grid.channel import checked, first_s
from aidc.measure.grid.verdict import Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import FrequencyService

__all__ = [
    "TOLERANCE_FRAC",
    "ServiceResult",
    "StepResponse",
    "asked_frac",
    "required_response_frac",
    "service",
    "step_response",
]

TOLERANCE_FRAC = 0.005
"""Shortfall that passes, as a share of the contract: the accuracy of a revenue meter, class 0.5 (our choice)."""

_BEGUN_FRAC = 0.01
_ROUND_HZ = 1e-9


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """What a site delivered of a contracted service.

    Energies are of the whole record: import lowered (`energy_low_j`) and raised (`energy_high_j`) against
    the counterfactual; `against_j` is the part that went the wrong way while asked. `available_frac` is the share of the asked time without shortfall
    beyond the tolerance; 1 where nothing was asked.
    """

    verdict: Verdict
    worst_shortfall_frac: float
    worst_at_s: float
    energy_low_j: float
    energy_high_j: float
    against_j: float
    asked_s: float
    available_frac: float


@dataclass(frozen=True, slots=True)
class StepResponse:
    """Response to one step: delay to `begun`, time to `share` of the final value [s]; infinity: never."""

    start_s: float
    full_s: float
    final_frac: float
    peak_frac: float


def service(
    clause: FrequencyService,
    w: Waveform,
    counterfactual_w: FloatArray,
    contracted_w: float,
    *,
    tolerance_frac: float = TOLERANCE_FRAC,
    case: str = "",
) -> ServiceResult:
    """Judge the delivery of a service from `frequency_hz` and `p_w` of the meter.

    Parameters
    ----------
    counterfactual_w : power that the meter would have shown without the service [W], shape (n_step,)
    contracted_w : full response of the contract [W]
    tolerance_frac : of the contract, by which a response may be short
    case : names the window in the verdict
    """
    missing = [name for name in ("frequency_hz", "p_w") if name not in w]
    if missing:
        return _nothing(not_assessable(clause, f"the record has no {', '.join(missing)}", case))
    meter_w, frequency_hz = checked(w, "p_w"), checked(w, "frequency_hz")
    _refuse_bad(counterfactual_w, contracted_w, meter_w.size)
    step_s = float(w.step_s)
    asked = asked_frac(clause, frequency_hz, step_s)
    if not asked.any():
        return _nothing(not_applicable(clause, "the frequency never asked for a response"))
    if step_s > clause.full_s + 1e-9:
        return _nothing(
            not_assessable(
                clause, f"a sample every {step_s:g} s cannot show a response within {clause.full_s:g} s", case
            )
        )
    delivered = (counterfactual_w - meter_w) / contracted_w
    return _settled(clause, asked, delivered, contracted_w, w, tolerance_frac, case)


def required_response_frac(clause: FrequencyService, frequency_hz: FloatArray) -> FloatArray:
    """Share of the contract that the curve asks at a frequency, positive at low frequency (load down).

    Without delay, latch and duration: the static curve.
    """
    deviation = clause.nominal_hz - np.asarray(frequency_hz, dtype=np.float64)
    size = np.abs(deviation)
    points = np.array(clause.deviation_hz)
    shares = np.array(clause.response_frac)
    frac = np.interp(size, points, shares)
    frac = np.where(size < points[0] - _ROUND_HZ, 0.0, frac)
    signed = np.copysign(frac, deviation)
    if clause.direction == "low":
        return np.maximum(signed, 0.0)
    return np.minimum(signed, 0.0) if clause.direction == "high" else signed


def asked_frac(clause: FrequencyService, frequency_hz: FloatArray, step_s: float) -> FloatArray:
    """Least response asked at each sample, signed as `required_response_frac`, with times and duration."""
    required = required_response_frac(clause, frequency_hz)
    lasting = np.empty(required.size)
    duration_steps = np.inf if clause.duration_s is None else clause.duration_s / step_s
    latched = clause.response_frac[0] > 0 and clause.duration_s is not None
    _with_duration(required, latched, duration_steps, lasting)
    low = _bound(np.maximum(lasting, 0.0), clause, step_s)
    high = _bound(np.maximum(-lasting, 0.0), clause, step_s)
    return low - high


def step_response(
    response_frac: FloatArray,
    step_s: float,
    at_s: float = 0.0,
    *,
    begun_frac: float = 0.05,
    share: float = 0.9,
) -> StepResponse:
    """Delay and rise of the response to a step at `at_s` (time of the first sample: 0), interpolated.

    The final value is the mean of the last tenth of the record; `begun_frac` and `share` are of it.

    `response_frac` is the response over that of the contract, a sample every `step_s` [s].
    """
    if response_frac.size < 2 or not 0 <= at_s < (response_frac.size - 1) * step_s:
        raise InputError(
            Problem("the step lies outside the record", "give at_s within it", key="at_s", value=at_s)
        )
    final = float(response_frac[-max(response_frac.size // 10, 1) :].mean())
    if final == 0:
        return StepResponse(np.inf, np.inf, 0.0, float(np.abs(response_frac).max()))
    course = response_frac / final
    return StepResponse(
        _first_reach(course, begun_frac, step_s, at_s),
        _first_reach(course, share, step_s, at_s),
        final,
        float(course.max()) * abs(final),
    )


def _first_reach(course: FloatArray, level: float, step_s: float, at_s: float) -> float:
    first = math.ceil(at_s / step_s - 1e-9)
    there = course[first:] >= level
    k = int(there.argmax())
    if not there[k]:
        return np.inf
    if k == 0:
        return 0.0
    low, high = course[first + k - 1], course[first + k]
    return float((first + k - 1 + (level - low) / (high - low)) * step_s - at_s)


def _bound(required: FloatArray, clause: FrequencyService, step_s: float) -> FloatArray:
    full = clause.least_at_full_frac * _least_behind(required, clause.full_s, step_s)
    if clause.start_s < step_s:  # not stated, or faster than the record can show
        return full
    return np.maximum(full, _BEGUN_FRAC * _least_behind(required, clause.start_s, step_s))


def _least_behind(values: FloatArray, span_s: float, step_s: float) -> FloatArray:
    """Least over the span that ends at each sample; nothing was asked before the record began."""
    from scipy.ndimage import minimum_filter1d

    size = math.ceil(span_s / step_s - 1e-9) + 1
    if size > values.size:
        return np.zeros(values.size)
    return minimum_filter1d(values, size, mode="constant", cval=0.0, origin=(size - 1) // 2)


def _settled(
    clause: FrequencyService,
    asked: FloatArray,
    delivered: FloatArray,
    contracted_w: float,
    w: Waveform,
    tolerance_frac: float,
    case: str,
) -> ServiceResult:
    step_s = float(w.step_s)
    along = np.sign(asked) * delivered
    short = np.where(asked != 0, np.abs(asked) - along, 0.0)
    k = int(short.argmax())
    worst = max(float(short[k]), 0.0)
    wanted = asked != 0
    unit_j = contracted_w * step_s
    low_j = float(np.maximum(delivered, 0.0).sum()) * unit_j
    high_j = float(np.maximum(-delivered, 0.0).sum()) * unit_j
    against_j = float(np.maximum(-along, 0.0).sum()) * unit_j
    available = 1.0 - float(np.count_nonzero(short > tolerance_frac)) / float(np.count_nonzero(wanted))
    at_s = first_s(w) + k * step_s
    reason = (
        f"{low_j / 3.6e9:.4g} MWh down and {high_j / 3.6e9:.4g} MWh up delivered, "
        f"available {100 * available:.2f} % of the asked time"
    )
    if worst > tolerance_frac:
        reason += f"; worst shortfall at {at_s:.6g} s: asked {abs(asked[k]):.3g}, delivered {along[k]:.3g}"
    verdict = judge(clause, worst, tolerance_frac, "share of contract", reason=reason, case=case)
    return ServiceResult(
        verdict, worst, at_s, low_j, high_j, against_j, float(np.count_nonzero(wanted)) * step_s, available
    )


def _refuse_bad(counterfactual_w: FloatArray, contracted_w: float, size: int) -> None:
    if not (math.isfinite(contracted_w) and contracted_w > 0):
        raise InputError(
            Problem(
                "the contracted power is not positive", "give it in W", key="contracted_w", value=contracted_w
            )
        )
    if counterfactual_w.size != size or not np.isfinite(counterfactual_w).all():
        raise InputError(
            Problem(
                "the counterfactual does not match the meter, or holds values that are not finite",
                "give one finite value for each sample of the meter",
                key="counterfactual_w",
                value=counterfactual_w.size,
            )
        )


def _nothing(verdict: Verdict) -> ServiceResult:
    return ServiceResult(verdict, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@engine
def _with_duration(required: FloatArray, latched: bool, duration_steps: float, out: FloatArray) -> None:
    """Required response while its duty lasts; a trigger holds for the duration whatever follows.

    A trigger that has run its time rests until the frequency is back on the near side of it.
    """
    spent = 0.0
    held = 0.0
    sign = 0.0
    resting = False
    for i in range(required.size):
        now = required[i]
        if latched:
            if held != 0.0:
                spent += 1.0
                if spent > duration_steps + 1e-9:
                    held = 0.0
                    resting = True
                elif now * held > held * held:
                    held = now
            elif now == 0.0:
                resting = False
            elif not resting:
                held = now
                spent = 0.0
            out[i] = held
        else:
            side = 0.0 if now == 0.0 else (1.0 if now > 0.0 else -1.0)
            if side != sign:
                sign = side
                spent = 0.0
            out[i] = now if spent <= duration_steps + 1e-9 else 0.0
            spent += abs(now)
