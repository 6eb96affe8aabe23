"""Runs the battery of faults: every case with and without the fault on the same seed, the worst counts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from aidc.measure.grid.load_loss import LossCase, loss_of
from aidc.measure.grid.load_model import LoadCase
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.measure.grid.served import it_served
from aidc.measure.grid.verdict import Verdict, worst
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FaultCurrent, Recovery
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.window import Window, open_window
from aidc.study.faults.cases import PHASES, FaultCase
from aidc.study.faults.verdicts import FaultVerdict, judge_fault, unjudged
from aidc.study.windows.solved import why_unsolved

__all__ = ["BEFORE_S", "BatteryResult", "TriedCase", "one_cycle", "run_battery"]

BEFORE_S = 1.0
"""How long a window runs before its fault: converters settle, and one-cycle means are full."""

_AFTER_S = 0.2  # beyond the longest time that the rule watches
_RMS = ("v1_pu", "v_pn_min_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pp_max_pu")
_SLOW_S = (
    600.0  # a fault that lasts longer is stepped by `_SLOW_STEP_S`, where the site has no machines that swing
)
_SLOW_STEP_S = Fraction(1, 100)
_MODEL_CASES = 12  # of the balanced ones, for the utility's load model

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TriedCase:
    """A case with what it showed: kept for the worst of each clause; `unsolved` says why nothing may be judged by it.

    `steps`, `collapsed` and `residual_frac` are those of its own window: threads try cases side by side, so
    no case writes into what another reads; `run_battery` adds them up.
    """

    case: FaultCase
    with_fault: Waveform
    without_fault: Waveform
    steps: int
    collapsed: bool
    residual_frac: float
    kirchhoff_pu: float
    unsolved: str


@dataclass
class BatteryResult:
    """Worst verdict of each clause, the case behind it, and the largest loss of load.

    `by_sequence` has the verdicts of voltage clauses read by positive sequence, where the rule does not
    say which voltage counts. `failed` counts failed cases, `unsolved` has those whose network had no solution, with
    the reason: no clause passes or fails by them, and no model is fitted to them.
    """

    verdicts: dict[int, Verdict] = field(default_factory=dict[int, Verdict])
    by_sequence: dict[int, Verdict] = field(default_factory=dict[int, Verdict])
    served: Verdict | None = None
    worst: dict[str, TriedCase] = field(default_factory=dict[str, TriedCase])
    loss: LossCase | None = None
    loss_w: float = -1.0
    model_cases: list[LoadCase] = field(default_factory=list[LoadCase])
    failed: dict[str, int] = field(default_factory=dict[str, int])
    unsolved: dict[str, str] = field(default_factory=dict[str, str])
    cases: int = 0
    steps: int = 0
    collapsed: int = 0
    residual_frac: float = 0.0
    kirchhoff_pu: float = 0.0


def run_battery(
    site: Site,
    point: OperatingPoint,
    clauses: Sequence[Clause],
    cases: Sequence[FaultCase],
    step_s: Fraction,
    progress: Progress | None = None,
) -> BatteryResult:
    """Try every case and judge every voltage clause by its worst.

    Cases that share a short-circuit level and a phase of the iteration share their beginning and the run
    without a fault. Threads step them side by side: the kernel holds no lock.

    `clauses` is the whole rule set, `step_s` the step of the windows [s]; `progress` is told of every case.
    """
    recoveries = [c for c in clauses if isinstance(c, Recovery) and c.applies_to == "load"]
    hold_s = max((clause.hold_s for clause in recoveries), default=1.0)
    within_s = max((clause.within_s for clause in recoveries), default=0.0)
    after_s = max(hold_s, within_s + 1.0) + _AFTER_S
    groups: dict[tuple[str, float, float, Fraction], list[FaultCase]] = {}
    for case in cases:
        key = (case.level, case.phase, case.storage_frac, _step(site, case, step_s))
        groups.setdefault(key, []).append(case)
    result = BatteryResult(cases=len(cases))
    done = 0
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8)) as pool:
        for (_, _, _, own_s), members in groups.items():
            group = _Group(site, point, members, own_s, after_s)
            result.steps += group.steps
            result.residual_frac = max(result.residual_frac, group.residual_frac)
            for tried in _in_order(pool, group.run, members):
                _judge(result, clauses, tried)
                result.steps += tried.steps
                result.collapsed += tried.collapsed
                result.residual_frac = max(result.residual_frac, tried.residual_frac)
                result.kirchhoff_pu = max(result.kirchhoff_pu, tried.kirchhoff_pu)
                done += 1
                if progress is not None:
                    progress(done, len(cases))
    return result


def _step(site: Site, case: FaultCase, step_s: Fraction) -> Fraction:
    """The step of a case [s]: half an hour of overvoltage needs no milliseconds."""
    if case.event.duration_s <= _SLOW_S:
        return step_s
    forming = any(shape.converter.control == "grid-forming" for shape in site.storage.values())
    return step_s if forming else max(step_s, _SLOW_STEP_S)


def _in_order(
    pool: ThreadPoolExecutor, run: Callable[[FaultCase], TriedCase], members: Sequence[FaultCase]
) -> Iterable[TriedCase]:
    """Results in the order of the cases, with few waveforms in memory at a time."""
    ahead = 4
    for first in range(0, len(members), ahead):
        yield from pool.map(run, members[first : first + ahead])


class _Group:
    """Cases that begin alike; nothing of it changes once it is set up, so that threads may share it."""

    def __init__(
        self,
        site: Site,
        point: OperatingPoint,
        members: Sequence[FaultCase],
        step_s: Fraction,
        after_s: float,
    ) -> None:
        first = members[0]
        self.after_s, self.step_s = after_s, step_s
        longest = max(member.event.duration_s for member in members)
        self._whole_s = BEFORE_S + longest + after_s
        begin = open_window(
            site,
            point,
            duration_s=self._whole_s,
            step_s=step_s,
            short_circuit_va=first.level_va,
            phase=(BEFORE_S, first.phase),
            storage_frac=first.storage_frac,
        )
        self._before = begin.advance(round(BEFORE_S / float(step_s)))
        self._begin = begin
        calm = begin.branch((), self._whole_s)
        self._calm = Waveform.joined([self._before, calm.advance()])
        self.steps = calm.steps
        self.residual_frac = abs(calm.books().residual_frac)

    def run(self, case: FaultCase) -> TriedCase:
        """One case, from its beginning to the end of what the rule watches."""
        duration_s = BEFORE_S + case.event.duration_s + self.after_s
        window: Window = self._begin.branch((case.at(BEFORE_S),), duration_s)
        shown = Waveform.joined([self._before, window.advance()])
        return TriedCase(
            case,
            one_cycle(shown),
            self._calm.block(0, len(shown)),
            steps=window.steps,
            collapsed=window.collapsed_s > 0,
            residual_frac=abs(window.books().residual_frac),
            kirchhoff_pu=window.kirchhoff_pu,
            unsolved=why_unsolved(window),
        )


def one_cycle(waveform: Waveform) -> Waveform:
    """The same with voltages as one-cycle RMS, which is what the rules count."""
    step_s, hz = float(waveform.step_s), waveform.frequency_hz
    rms: dict[str, np.ndarray] = {}
    known: dict[int, np.ndarray] = {}
    for name in _RMS:
        values = waveform[name]
        if id(values) not in known:
            known[id(values)] = np.sqrt(np.maximum(cycle_mean(values * values, step_s, hz), 0.0))
        rms[name] = known[id(values)]
    return replace(waveform, channels={**waveform.channels, **rms})


def _judge(result: BatteryResult, clauses: Sequence[Clause], tried: TriedCase) -> None:
    """Judge one case by every clause; keep what is worse than anything before."""
    name = tried.case.name
    told = judge_fault(clauses, tried.with_fault, tried.without_fault, name)
    if tried.unsolved:
        result.unsolved[name] = tried.unsolved
        told = {index: _unsolved(clauses[index], one, tried.unsolved, name) for index, one in told.items()}
    for index, found in told.items():
        key = f"{clauses[index].rule}-{index}"
        if found.stated.result == "fail":
            result.failed[key] = result.failed.get(key, 0) + 1
        if _keep(result.verdicts, index, found.stated):
            result.worst[key] = tried
        if found.by_sequence is not None:
            _keep(result.by_sequence, index, found.by_sequence)
    served = it_served(tried.with_fault, name)
    if tried.unsolved:
        served = replace(
            served, result="not_assessable", value=None, margin=None, reason=tried.unsolved, suggestion=""
        )
    result.served = served if result.served is None else worst([result.served, served])
    if served.result == "fail":
        result.failed["it-served"] = result.failed.get("it-served", 0) + 1
    if tried.unsolved:
        return
    loss = LossCase(name, tried.with_fault, tried.without_fault)
    lost_w = loss_of(loss).loss_w
    if lost_w > result.loss_w:
        result.loss_w, result.loss = lost_w, loss
    _remember_for_model(result, tried)


def _unsolved(clause: Clause, found: FaultVerdict, reason: str, case: str) -> FaultVerdict:
    """No verdict, but where the rule asks for a current that the network cannot carry: that fails whatever happens."""
    if isinstance(clause, FaultCurrent) and found.stated.result == "fail":
        return replace(found, stated=replace(found.stated, reason=f"{found.stated.reason}: {reason}"))
    return unjudged(clause, found, reason, case)


def _keep(kept: dict[int, Verdict], index: int, verdict: Verdict) -> bool:
    """Keep a verdict that is worse than what was kept before; true if it is."""
    before = kept.get(index)
    if before is not None and _worse(before, verdict) is before:
        return False
    kept[index] = verdict
    return True


def _worse(before: Verdict, verdict: Verdict) -> Verdict:
    """`worst` of two, telling which of them it was."""
    chosen = worst([before, verdict])
    return verdict if (chosen.case, chosen.value) == (verdict.case, verdict.value) else before


def _remember_for_model(result: BatteryResult, tried: TriedCase) -> None:
    """Balanced faults at the normal level, spread over depth and duration: what a load model is fitted to."""
    case = tried.case
    balanced = getattr(case.event, "fault", "3ph") == "3ph"
    if not balanced or case.level != "normal" or len(result.model_cases) >= _MODEL_CASES:
        return
    depth = getattr(case.event, "residual_pu", 1.0)
    if case.phase in (PHASES[0], 0.0) and round(20 * depth) % 3 == 0:
        keep = ("v1_pu", "p_w", "q_var")
        shown = tried.with_fault
        result.model_cases.append(
            LoadCase(case.name, replace(shown, channels={name: shown[name] for name in keep}))
        )
