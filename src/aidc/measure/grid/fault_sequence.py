"""Faults that follow each other: how many of them were ridden through before the load left unlawfully."""

from __future__ import annotations

import numpy as np

from aidc.measure.grid.channel import cannot_judge
from aidc.measure.grid.freedom import Freedom, departures
from aidc.measure.grid.verdict import Verdict, judge, not_applicable
from aidc.record.waveform import Waveform
from aidc.schema.code import FaultSequence

__all__ = ["fault_sequence"]


def fault_sequence(
    clause: FaultSequence, w: Waveform, first_s: float, free: Freedom, case: str = ""
) -> Verdict:
    """Faults that were over before the first departure that the set does not allow, against those of the sequence.

    `first_s` is when the first fault begins, `free` when the ride-through clauses of the set allow to leave: a set
    without any never does.

    `case` names the window in the verdict.
    """
    refusal = cannot_judge(clause, w, ["connected_frac"], case)
    if refusal:
        return refusal
    gone = departures(w)
    if gone.first_s == -np.inf:
        return not_applicable(clause, "nothing was connected before the faults")
    left_s = gone.unlawful_s(free)
    ends_s = first_s + np.array(clause.start_s) + np.array(clause.duration_s)
    ridden = int((ends_s <= left_s).sum())
    count = len(clause.start_s)
    if left_s < np.inf:
        ridden = min(ridden, count - 1)  # it left after the last one, within its duty
        began = int((first_s + np.array(clause.start_s) <= left_s).sum())
        reason = f"left at {left_s:.4g} s, after fault {began} of {count} had begun"
    else:
        reason = f"stayed through all {count} faults"
        if gone.first_s < np.inf:
            reason += f", or left when it might ({gone.first_s:.4g} s)"
    return judge(clause, float(ridden), float(count), "faults", at_least=True, reason=reason, case=case)
