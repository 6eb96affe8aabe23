"""What a week less would bring: the same draws again with one task a week shorter."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.draws import Prepared, draw
from aidc.design.construction.grid import finishes_of
from aidc.design.construction.online import Finishes, Power
from aidc.design.construction.result import BuildResult, WeekGain
from aidc.design.construction.rows import days_of
from aidc.design.construction.valuation import Valuation

__all__ = ["weeks_of"]

FloatArray = NDArray[np.float64]
_DRAWS: Final = 2000
_TASKS: Final = 25
_CRITICAL: Final = 0.01


def weeks_of(
    study: BuildResult, power: Power, ready: Prepared, critical: FloatArray, valuation: Valuation | None
) -> tuple[WeekGain, ...]:
    """What a week less would bring, for the tasks that are critical most often, on the luck of the same draws."""
    plan, draws, seed = study.plan, min(study.draws, _DRAWS), study.seed
    week = dict(zip(plan.tables.names, plan.tables.week_days.tolist(), strict=True))
    often = [int(place) for place in np.argsort(-critical)[:_TASKS] if critical[place] >= _CRITICAL]
    drawn = draw(ready, draws, seed)
    finish = finishes_of(plan, drawn)
    end = float(days_of(finish)[-1])
    base = _outcome(power, finish, end)
    npv = None if valuation is None else valuation.worth(finish, drawn.finish).npv_usd

    def changed(place: int, weeks: float) -> tuple[tuple[float, float], FloatArray | None]:
        """The outcome with a task some weeks shorter, and the gain in net present value of each draw."""
        shorter = np.zeros(len(plan.tasks))
        shorter[place] = weeks * week[plan.tasks[place].calendar]
        drawn = draw(ready, draws, seed, shorter=shorter)
        finish = finishes_of(plan, drawn)
        outcome = _outcome(power, finish, end)
        if valuation is None or npv is None:
            return outcome, None
        return outcome, valuation.worth(finish, drawn.finish).npv_usd - npv

    found = [
        _week_gain(plan.tasks[place].name, base, changed(place, 1.0), changed(place, -1.0)) for place in often
    ]
    return tuple(sorted(found, key=lambda one: -(one.npv_usd or one.online_mw_days)))


def _week_gain(
    name: str,
    base: tuple[float, float],
    less: tuple[tuple[float, float], FloatArray | None],
    more: tuple[tuple[float, float], FloatArray | None],
) -> WeekGain:
    mw_days = (less[0][1] - base[1], more[0][1] - base[1])
    if less[1] is None or more[1] is None:
        return WeekGain(name, base[0] - less[0][0], *mw_days)
    gain, error = float(less[1].mean()), float(less[1].std() / math.sqrt(less[1].size))
    return WeekGain(name, base[0] - less[0][0], *mw_days, gain, error, float(more[1].mean()))


def _outcome(power: Power, finish: Finishes, end: float) -> tuple[float, float]:
    """Mean day on which all is online that will be, and mean IT power over time up to a day [MW-days]."""
    times, levels = power.steps(finish)
    ends = np.concatenate([times[:, 1:], np.full((times.shape[0], 1), end)], axis=1)
    mw_days = (levels * np.maximum(np.minimum(ends, end) - times, 0.0)).sum(axis=1)
    return float(power.reached(finish, power.final_mw).mean()), float(mw_days.mean())
