"""The contract suite passes what keeps the contract and catches what does not, clause by clause."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from aidc.contract import Command, Controller, Knob, Observation, Point, SiteView
from aidc.contract.suite import check_controller, controller_faults
from aidc.control.find import _SHIPPED
from aidc.errors import AidcError, InputError
from aidc.schema.base import Shape
from aidc.site import load
from aidc.study.site_run.run import run

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"


class Good(Controller):
    """Halves every pod while power is dear, and remembers how often."""

    class Options(Shape):
        dear_usd_per_mwh: float = 50.0

    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        self.site, self.options, self.rng = site, options, rng
        self.count = 0

    def decide(self, observation: Observation) -> list[Command]:
        price = observation.value[Point.PRICE_USD_PER_MWH][0]
        if np.isnan(price) or price < self.options.dear_usd_per_mwh:
            return []
        self.count += 1
        return [self.command(observation)]

    def command(self, observation: Observation) -> Command:
        del observation
        return Command(Knob.POD_CAP_W, 0.5 * self.site.upper[Knob.POD_CAP_W], 120.0, f"dear, {self.count}")


def bad(clause: str, words: str):
    """Mark a class with the clause that it breaks and what the suite should say."""

    def mark(kind):
        kind.expected = clause, words
        return kind

    return mark


@bad("class", "lacks decide")
class Unfinished(Controller):
    def reset(self, site, options, rng):
        pass


@bad("class", "without arguments")
class WantsArguments(Good):
    def __init__(self, gain):
        self.gain = gain


@bad("Options", "not a pydantic model")
class PlainOptions(Good):
    Options = dict


@bad("Options", "takes unknown keys")
class LooseOptions(Good):
    class Options(BaseModel):
        dear_usd_per_mwh: float = 50.0


@bad("Options", "gain")
class NeedsOptions(Good):
    class Options(Shape):
        gain: float


@bad("period_s", "is 0")
class NoPeriod(Good):
    period_s = 0


@bad("decide", "NoneType")
class ReturnsNothing(Good):
    def decide(self, observation):
        return None


@bad("decide", "returned a Command")
class ReturnsOne(Good):
    def decide(self, observation):
        return self.command(observation)


@bad("decide", "generator")
class Yields(Good):
    def decide(self, observation):
        yield self.command(observation)


@bad("decide", "members of Knob")
class WritesAPoint(Good):
    def command(self, observation):
        return Command("pod_cap_w", np.zeros(1), 60.0, "")


@bad("decide", "two commands for one knob")
class Twice(Good):
    def decide(self, observation):
        return [self.command(observation)] * 2


@bad("decide", "shape")
class OneForAll(Good):
    def command(self, observation):
        return Command(Knob.POD_CAP_W, np.array([1e6]), 60.0, "")


@bad("decide", "float64")
class Lists(Good):
    def command(self, observation):
        return Command(Knob.POD_CAP_W, [1e6] * len(self.site.pods), 60.0, "")


@bad("decide", "infinite")
class Infinite(Good):
    def command(self, observation):
        return Command(Knob.POD_CAP_W, np.full(len(self.site.pods), np.inf), 60.0, "")


@bad("decide", "valid_s")
class HoldsForNoTime(Good):
    def command(self, observation):
        return Command(Knob.POD_PAUSE, np.zeros(len(self.site.pods)), 0.0, "")


@bad("decide", "reason")
class SaysNothing(Good):
    def command(self, observation):
        return Command(Knob.POD_PAUSE, np.zeros(len(self.site.pods)), 60.0, None)


@bad("decide", "IndexError")
class NeedsAStorage(Good):
    def decide(self, observation):
        _ = observation.value[Point.STORAGE_SOC_FRAC][0]
        return []


@bad("missing points", "infinite")
class DividesByZero(Good):
    def decide(self, observation):
        draw = np.nan_to_num(observation.value[Point.POD_UNCAPPED_W])
        with np.errstate(divide="ignore", invalid="ignore"):
            return [Command(Knob.POD_CAP_W, 1e12 / draw, 60.0, "")]


@bad("missing points", "ValueError")
class TripsOverNan(Good):
    def decide(self, observation):
        int(observation.value[Point.GRID_IMPORT_W][0])
        return []


@bad("stale values", "ValueError")
class TakesAgesForZeroOrNever(Good):
    def decide(self, observation):
        for age in observation.age_s.values():
            if ((age > 0) & (age < np.inf)).any():
                raise ValueError("neither fresh nor missing")
        return []


@bad("observation", "changed the observation")
class Mends(Good):
    def decide(self, observation):
        price = observation.value[Point.PRICE_USD_PER_MWH]
        price.setflags(write=True)
        price[:] = np.nan_to_num(price) + 1.0
        return []


@bad("observation", "changed the observation")
class DropsAPoint(Good):
    def decide(self, observation):
        observation.value.pop(Point.WIND_W, None)
        return []


@bad("observation", "site view was changed")
class MovesTheLimit(Good):
    def decide(self, observation):
        self.site.upper[Knob.POD_CAP_W][:] *= 0.99
        return []


@bad("commands", "changed after it was returned")
class OneArray(Good):
    def reset(self, site, options, rng):
        super().reset(site, options, rng)
        self.cap = site.upper[Knob.POD_CAP_W].copy()

    def decide(self, observation):
        self.cap *= 0.99
        return [Command(Knob.POD_CAP_W, self.cap, 60.0, "")]


@bad("reset", "after a reset")
class Remembers(Good):
    def __init__(self):
        self.total = 0

    def decide(self, observation):
        self.total += 1
        return [
            Command(Knob.POD_PAUSE, np.full(len(self.site.pods), self.total % 2.0), 60.0, str(self.total))
        ]


@bad("reset", "after a reset")
class RollsItsOwnDice(Good):
    def command(self, observation):
        return Command(Knob.POD_PAUSE, np.full(len(self.site.pods), random.random()), 60.0, "")  # noqa: S311


@bad("instances", "disturb each other")
class SharesState(Good):
    seen: list[int] = []  # noqa: RUF012

    def reset(self, site, options, rng):
        super().reset(site, options, rng)
        self.seen.clear()

    def decide(self, observation):
        self.seen.append(observation.tick)
        value = np.full(len(self.site.pods), float(len(self.seen)))
        return [Command(Knob.POD_PAUSE, value, 60.0, "")]


@bad("clock", "time.monotonic")
class ReadsTheClock(Good):
    def decide(self, observation):
        time.monotonic()
        return []


BAD = [kind for kind in globals().values() if isinstance(kind, type) and hasattr(kind, "expected")]


READY = [
    kind for name, kind in _SHIPPED.items() if name != "schedule"
]  # it needs a file: tests/study/test_plan.py


@pytest.mark.parametrize("kind", [Good, *READY])
def test_what_keeps_the_contract_passes(kind) -> None:
    check_controller(kind)


@pytest.mark.parametrize("kind", BAD, ids=lambda kind: kind.__name__)
def test_each_breach_is_caught_and_told(kind) -> None:
    clause, words = kind.expected
    with pytest.raises(InputError) as caught:
        check_controller(kind)
    told = [problem for problem in caught.value.problems if problem.key == clause]
    assert any(words in str(problem) for problem in told), str(caught.value)
    assert all(problem.remedy for problem in caught.value.problems)


RUNS = [kind for kind in BAD if kind not in (Unfinished, WantsArguments)]


@pytest.mark.parametrize("kind", RUNS, ids=lambda kind: kind.__name__)
def test_a_run_under_a_bad_controller_ends_well_or_in_words(kind, tmp_path) -> None:
    site = load(STARTER, ["scenario.days=0.003", "scenario.step_s=5"])
    try:
        made = run(site, controller=kind(), out=tmp_path / "run")
    except AidcError as error:
        told = str(error)
        assert not list(tmp_path.iterdir())
    else:
        told = str(made.summary["window"]["steps"])
    assert told


def test_what_is_no_controller_is_told() -> None:
    assert controller_faults(dict)[0].what == "is not a Controller"


class Gain(NeedsOptions):
    def decide(self, observation):
        return [Command(Knob.POD_CAP_W, self.options.gain * self.site.lower[Knob.POD_CAP_W], 60.0, "")]


def test_options_are_passed() -> None:
    assert not controller_faults(Gain, {"gain": 2.0})
    assert controller_faults(Good, {"dear_usd_per_mwh": "very"})
