"""Steps that would be the last one over again: written, and booked, without being computed.

A step that has left every state as it found it, but for sums over time, is a fixed point: with the same source, no
event, the same work of services and no job at an edge the next one is the same to the last bit, its residual of
Kirchhoff's laws too. Whether it is one is not told by rules about what may move, but by comparing all states.
"""

from __future__ import annotations

from aidc.jit import inner, part
from aidc.simulate.transient.arrays import FloatArray, IntArray, Plan, State, Work
from aidc.simulate.transient.fields import Energy, Segment, SiteParam, SiteState

__all__ = ["QUIET", "again", "remember"]

QUIET = 3  # steps in which no lineup moved, before one is looked at closely
_ENERGIES = len(Energy)


@inner
def remember(state: State, work: Work) -> None:
    """Note every state before a step, and let the sums of energy begin anew, so that they are those of the step."""
    at = 0
    for rows in (state.lane, state.drive, state.store, state.genset, state.job):
        for row in range(rows.shape[0]):
            for column in range(rows.shape[1]):
                work.before[at] = rows[row, column]
                at += 1
    for values in (state.site, work.total):
        for row in range(values.shape[0]):
            work.before[at] = values[row]
            at += 1
    for row in range(_ENERGIES):
        work.booked[row] = state.energy[row]
        state.energy[row] = 0.0


@inner
def _stands(state: State, work: Work) -> bool:
    """Whether the step has left every state as `remember` found it."""
    at = 0
    for rows in (state.lane, state.drive, state.store, state.genset, state.job):
        for row in range(rows.shape[0]):
            for column in range(rows.shape[1]):
                if work.before[at] != rows[row, column]:
                    return False
                at += 1
    for values in (state.site, work.total):
        for row in range(values.shape[0]):
            if work.before[at] != values[row]:
                return False
            at += 1
    return True


@part
def _same_for(plan: Plan, state: State, segment: int, tick: int, last: int) -> int:
    """Steps after `tick`, up to the one before `last`, to which source, events, services and jobs bring nothing new."""
    changes = plan.segment[Segment.E_PER_TICK, segment] != 0.0
    if changes or plan.segment[Segment.HZ_PER_TICK, segment] != 0.0:
        return 0
    if plan.segment[Segment.HZ, segment] != plan.site[SiteParam.NOMINAL_HZ]:  # the angle of the grid turns
        return 0
    until = min(last, (tick // plan.sample_ticks + 1) * plan.sample_ticks)
    if segment + 1 < plan.segment_tick.shape[0]:
        until = min(until, plan.segment_tick[segment + 1])
    action = int(state.site[SiteState.ACTION])
    if action < plan.action_tick.shape[0]:
        until = min(until, plan.action_tick[action])
    for job in range(state.job.shape[1]):
        if state.job[0, job] > 0.0:
            until = min(until, int(state.job[3, job]))
    return max(until - tick - 1, 0)


@inner
def _repeat(state: State, work: Work, out: FloatArray, where: IntArray, k: int, times: int) -> None:
    """Write step `k` of the record `times` more, and book it as often as it stands then.

    `state.energy` holds the sums of step `k` alone, as `remember` left them, and the whole sums after this.
    """
    for row in range(out.shape[0]):
        value = out[row, k]
        for step in range(k + 1, k + 1 + times):
            out[row, step] = value
    for step in range(k + 1, k + 1 + times):
        where[step] = where[k]
    for _ in range(times + 1):
        for row in range(_ENERGIES):
            work.booked[row] += state.energy[row]
    for row in range(_ENERGIES):
        state.energy[row] = work.booked[row]


@part
def again(
    plan: Plan,
    state: State,
    work: Work,
    out: FloatArray,
    where: IntArray,
    k: int,
    first_tick: int,
    n_steps: int,
    as_before: bool,
) -> int:
    """Repeat step `k` as often as it stands, where it does; returns how often, -1 where it has moved something.

    It must be called after each `remember`, which has set the sums of energy aside.

    `out` and `where` as in `engine.advance`, whose window begins at `first_tick` and has `n_steps`; `as_before` says
    whether step `k` was like the one before it.
    """
    times = -1
    if as_before and _stands(state, work):
        times = _same_for(plan, state, where[k], first_tick + k, first_tick + n_steps)
    _repeat(state, work, out, where, k, max(times, 0))
    return times
