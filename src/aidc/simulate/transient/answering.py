"""What the site answers to frequency under a service that it offers."""

from __future__ import annotations

from aidc.jit import part, scalar
from aidc.simulate.transient.arrays import FloatArray, Plan, State
from aidc.simulate.transient.fields import SiteParam, SiteState

__all__ = ["answer", "curve_share"]

_NEAR = 1e-12


@scalar
def curve_share(curve: FloatArray, size_hz: float) -> float:
    """Share of the offer at a deviation: `curve` is [Hz and share, point], linear, constant at its end."""
    if size_hz < curve[0, 0]:
        return 0.0
    for k in range(1, curve.shape[1]):
        if size_hz < curve[0, k]:
            span = curve[0, k] - curve[0, k - 1]
            part_of = (size_hz - curve[0, k - 1]) / span if span > 0.0 else 1.0
            return curve[1, k - 1] + part_of * (curve[1, k] - curve[1, k - 1])
    return curve[1, curve.shape[1] - 1]


@part
def answer(plan: Plan, state: State) -> bool:
    """Advance the site's measured frequency and what it answers; true while it answers anything.

    Positive is an answer to low frequency: less draw. The load follows with its own lag.
    """
    if plan.site[SiteParam.SERVICE_GAIN] <= 0.0:
        return False
    hz = state.site[SiteState.SERVICE_HZ]
    hz += plan.site[SiteParam.SERVICE_GAIN] * (state.site[SiteState.HZ] - hz)
    state.site[SiteState.SERVICE_HZ] = hz
    deviation = plan.site[SiteParam.NOMINAL_HZ] - hz
    share = curve_share(plan.service, abs(deviation))
    share = share if deviation > 0.0 else -share
    state.site[SiteState.ANSWER] = share
    load = state.site[SiteState.LOAD_ANSWER]
    load += plan.site[SiteParam.LOAD_GAIN] * (max(share, 0.0) - load)
    state.site[SiteState.LOAD_ANSWER] = load if load > _NEAR else 0.0
    return share != 0.0 or load > _NEAR
