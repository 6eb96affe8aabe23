"""The gate between a decision and a device: the same in the twin and on the real site.

Values outside the declared range are clipped, values between the steps of a knob become the next lower one,
changes faster than the declared rate are slowed, and each such change is returned as a `Clip`, because a silent correction hides a bad controller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aidc.contract.messages import Clip, Command, FloatArray, SiteView
from aidc.contract.point import Knob
from aidc.errors import InputError, Problem

__all__ = ["admit"]

_ROUNDING = 1e-9


def admit(
    commands: Sequence[Command], site: SiteView, held: Mapping[Knob, FloatArray], elapsed_s: float
) -> tuple[dict[Knob, Command], list[Clip]]:
    """Check commands and clip them to the declared range and rate.

    Parameters
    ----------
    commands
        As returned by `Controller.decide`.
    held
        The value now in force for each knob, one per row (NaN where the device's default rules).
    elapsed_s
        Time since the values in `held` were set [s], for the rate limit.

    Raises
    ------
    InputError
        Two commands for one knob, a wrong number of values, an infinite value, or `valid_s` ≤ 0.
    """
    admitted: dict[Knob, Command] = {}
    clips: list[Clip] = []
    for command in commands:
        problem = _fault(command, site, admitted)
        if problem:
            raise InputError(problem)
        value = _clip(command, site, held, elapsed_s, clips)
        admitted[command.knob] = Command(command.knob, value, command.valid_s, command.reason)
    return admitted, clips


def _fault(command: Command, site: SiteView, admitted: Mapping[Knob, Command]) -> Problem | None:
    key = f"command {command.knob.value}"
    if command.knob in admitted:
        return Problem("two commands for one knob in one decision", "Merge them into one.", key=key)
    expected = len(site.rows(command.knob))
    if command.value.shape != (expected,):
        return Problem(
            f"needs {expected} values, one for each of {', '.join(site.rows(command.knob)) or 'no rows'}",
            "Give one value per row, NaN to leave a row alone.",
            key=key,
            value=command.value.shape,
        )
    if np.isinf(command.value).any():
        return Problem("an infinite value", "Use NaN to leave a row alone.", key=key)
    if not command.valid_s > 0:
        return Problem(
            "valid_s must be positive", "Say for how long it holds.", key=key, value=command.valid_s
        )
    return None


def _clip(
    command: Command,
    site: SiteView,
    held: Mapping[Knob, FloatArray],
    elapsed_s: float,
    clips: list[Clip],
) -> FloatArray:
    knob, asked = command.knob, command.value
    given = np.clip(asked, site.lower[knob], site.upper[knob])
    why = np.where(given == asked, "", "range")
    step = site.step.get(knob)
    if step is not None:
        whole = _whole(given, step, site.lower[knob], site.upper[knob])
        why = np.where(whole == given, why, "step")
        given = whole
    rate = site.max_rate_per_s.get(knob)
    if rate is not None:
        now = np.where(np.isnan(held[knob]), site.default[knob], held[knob])
        slowed = np.where(
            np.isnan(now), given, np.clip(given, now - rate * elapsed_s, now + rate * elapsed_s)
        )
        why = np.where(slowed == given, why, "rate")
        given = slowed
    for row, name in enumerate(site.rows(knob)):
        if not np.isnan(asked[row]) and why[row]:
            text = _told(str(why[row]), site, knob, row)
            clips.append(Clip(knob, name, float(asked[row]), float(given[row]), text))
    return given


def _whole(value: FloatArray, step: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """The next lower value that the knob takes: a multiple of its step, its lower limit or its upper one."""
    down: FloatArray = np.maximum(np.floor(value / step * (1 + _ROUNDING)) * step, lower)
    return np.where(value >= upper, upper, np.minimum(down, upper))


def _told(why: str, site: SiteView, knob: Knob, row: int) -> str:
    """Why a value was changed; where a job does not take it, what the job takes and how it would take more."""
    if knob is not Knob.JOB_WIDTH or why == "rate":
        return why
    lower, upper = site.lower[knob][row], site.upper[knob][row]
    name = site.jobs[row]
    if lower == upper:
        return f"{why}: it works on its {upper:g} accelerators or not at all; give jobs.{name}.width a min and a step"
    takes = f"it takes {lower:g} to {upper:g} accelerators in steps of {site.step[knob][row]:g}"
    return f"{why}: {takes}; ask for one of these, or change jobs.{name}.width"
