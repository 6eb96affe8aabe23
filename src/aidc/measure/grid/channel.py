"""Reading a channel of a waveform: present, finite, from the right place and fast enough, or an honest refusal."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aidc.errors import InputError, Problem
from aidc.measure.grid.verdict import Verdict, not_assessable
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import Clause

__all__ = ["cannot_judge", "checked", "first_s", "same_clock"]


def checked(w: Waveform, name: str) -> FloatArray:
    """The samples of a channel; a value that is not a number is refused, never judged."""
    values = w[name]
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        at_s = (w.first_tick + bad) * float(w.step_s)
        raise InputError(
            Problem(
                f"the waveform holds a value that is not finite at {at_s:g} s",
                "mend the record, or cut it before the gap",
                key=name,
                value=float(values[bad]),
            )
        )
    return values


def cannot_judge(clause: Clause, w: Waveform, names: Iterable[str], case: str = "") -> Verdict | None:
    """Why a clause cannot be judged from this waveform at all; None where it can.

    A record must come from where the rule looks (`location`), hold the channels, and have at least one
    sample a cycle: a slower one can miss a whole dip, and a dip that was missed is no pass.

    `names` are the channels that the clause needs; `case` names the window in the verdict.
    """
    if clause.location != w.location:
        return not_assessable(
            clause, f"the rule looks at {clause.location}, the record is of {w.location}", case
        )
    missing = [name for name in names if name not in w]
    if missing:
        return not_assessable(clause, f"the record has no {', '.join(missing)}", case)
    if len(w) < 2:
        return not_assessable(clause, "the record has fewer than two samples", case)
    if float(w.step_s) * w.frequency_hz > 1 + 1e-9:
        return not_assessable(
            clause,
            f"a sample every {float(w.step_s):g} s is slower than the cycle that the rule measures over",
            case,
        )
    return None


def first_s(w: Waveform) -> float:
    """Time of the first sample [s]."""
    return float(w.first_tick * w.step_s)


def same_clock(a: Waveform, b: Waveform) -> None:
    """Refuse two runs that cannot be compared sample by sample."""
    if a.step_s != b.step_s or a.first_tick != b.first_tick or len(a) != len(b):
        raise InputError(
            Problem(
                "the runs with and without the fault differ in step, start or length",
                "simulate both over the same window at the same step",
                key="step_s",
                value=f"{a.step_s} s x {len(a)} from tick {a.first_tick}; {b.step_s} s x {len(b)} from tick {b.first_tick}",
            )
        )
