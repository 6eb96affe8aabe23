"""The pods under a follower: what they would draw, what they give, and what that is at the meter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aidc.contract import Command, FloatArray, Knob, Observation, Point, SiteView
from aidc.control.allocation import POLICIES, Allocation, Menu
from aidc.control.allocation.menu import CAPPED
from aidc.control.following.demand import Demand
from aidc.control.following.meter import Meter
from aidc.control.following.seen import Seen, fresh
from aidc.control.following.tiers import Tiers

__all__ = ["Pods"]

_ANSWER_S = (
    300.0  # in which loops carry a change of heat to what cools them; estimate without a checked source
)
_WINDOWS = 3
_REMEMBERED_S = 5200.0  # half in an hour
_CATCH_UP, _MOST_BEHIND = 0.3, 0.1  # share of what was missing, and of what is asked
_DIP = 0.8  # of the highest of the last windows: less is a checkpoint, not a trend


class Pods:
    """Keeps what each pod would draw and gives; `give` turns watts at the meter into caps and pauses."""

    def __init__(self, site: SiteView, policy: str, *, correct: bool) -> None:
        pods = len(site.pods)
        self._site, self._policy, self._correct = site, POLICIES[policy], correct
        self._tiers = Tiers(site)
        self._meter = Meter(site)
        self._demand = Demand(site)
        self._bare = self._meter.bare if correct else np.ones(pods)
        self._cooling = np.zeros(pods)  # what cooling adds to a watt, once it has answered
        self._idle_w = site.pod_idle_w if len(site.pod_idle_w) == pods else np.zeros(pods)
        self._lower_w = site.lower.get(Knob.POD_CAP_W, np.zeros(pods))
        prices = np.array(site.pod_curtailment_usd_per_mwh or (0.0,) * pods, dtype=float)
        self._price = prices if prices.any() else np.ones(pods)
        self._draws: list[FloatArray] = []
        self._jobs = np.array([one == "job" for one in site.pod_kind or ("",) * pods], dtype=bool)
        self._high_w = np.zeros(pods)  # what jobs drew before they stopped
        self._paused = np.zeros(pods, dtype=bool)
        self._slow = np.zeros(pods)
        self._cut_w = np.zeros(pods)  # of accelerators, as measured
        self._answered_w = np.zeros(pods)  # the part of it that cooling has answered
        self._given_j = np.zeros(pods)
        self._acting = False
        self._asked_w = 0.0  # at the meter, of watts that answer at once
        self._behind_w = 0.0  # what to ask beyond, because demand moves on while a cap holds

    def see(self, observation: Observation, span_s: float, seen: Seen) -> None:
        """Take in what was measured while the last decision was in force."""
        self._remember(observation, span_s)
        if not self._acting:
            self._learn(observation, span_s, seen)
            if self._answered_w.any():
                self._answer(span_s)
            return
        self._tiers.lose(self._slow, span_s)
        self._meter.skip()
        self._watch(observation, span_s)
        drawn = fresh(observation, Point.POD_ACCELERATOR_W)
        self._cut_w = np.where(np.isnan(drawn), self._cut_w, np.maximum(self._draws[-1] - drawn, 0.0))
        self._given_j += self._cut_w * span_s
        self._answer(span_s)
        self._catch_up()

    def cut_at_meter_w(self) -> float:
        """What the pods' cut is at the meter by now [W]."""
        if not self._acting and not self._answered_w.any():
            return 0.0
        return float(self._bare @ self._cut_w + self._cooling @ self._answered_w)

    def give(
        self, observation: Observation, short_w: float, left_s: float, valid_s: float, reason: str, *, emergency: bool
    ) -> Sequence[Command]:  # fmt: skip
        """Commands with which import falls by `short_w` [W], as far as the tiers allow until `left_s` from now.

        Commands are valid for `valid_s` [s] and bear the `reason`; in an `emergency` tiers are not kept.
        """
        self._begin(observation)
        tolerated = self._tiers.now(observation, left_s, emergency=emergency)
        draw = self._steady()
        # cooling gives what it has answered already; the rest must come from watts that answer at once
        asked_w = max(0.0, short_w - float(self._cooling @ self._answered_w))
        found = self._policy(self._menu(draw, tolerated), asked_w + self._behind_w if asked_w > 0 else 0.0)
        self._asked_w = 0.0 if found.short_w > 0 else asked_w
        return self._told(draw, found, tolerated, valid_s, reason)

    def give_share(
        self, observation: Observation, share: float, left_s: float, valid_s: float, reason: str
    ) -> Sequence[Command]:
        """Commands with which pods give a share of what their tiers allow.

        Tiers are kept until `left_s` from now; commands are valid for `valid_s` [s] and bear the `reason`.
        """
        self._begin(observation)
        draw = self._steady()
        tolerated = self._tiers.now(observation, left_s)
        menu = self._menu(draw, tolerated)
        found = self._policy(menu, share * float(menu.deepest_cap_w.sum()))
        return self._told(draw, found, tolerated, valid_s, reason)

    def _begin(self, observation: Observation) -> None:
        if not self._acting:
            self._draws = [np.nan_to_num(fresh(observation, Point.POD_UNCAPPED_W))]
            self._asked_w = self._behind_w = 0.0
        self._cooling = self._learned(observation)
        self._acting = True

    def _catch_up(self) -> None:
        """Ask for a little more or less where demand has moved on while the last caps held."""
        if self._asked_w > 0:
            most = _MOST_BEHIND * self._asked_w
            missing_w = self._asked_w - float(self._bare @ self._cut_w)
            self._behind_w = min(max(self._behind_w + _CATCH_UP * missing_w, -most), most)

    def _stopped(self, draw: FloatArray) -> NDArray[np.bool_]:
        """Jobs in a checkpoint, a failure or a restart: they give nothing now, and come back at any time."""
        return self._jobs & (draw < _DIP * self._high_w)

    def _told(
        self, draw: FloatArray, found: Allocation, tolerated: FloatArray, valid_s: float, reason: str
    ) -> Sequence[Command]:
        """An allocation as commands: caps for flexible pods, pauses, and pods that go on.

        A job that stands still is not held at what it draws now, but where it may be when it is back.
        """
        self._slow = found.slow_frac
        paused = found.step != CAPPED
        held = draw - found.cut_w / np.maximum(self._bare, 1e-9)
        cap = np.where(found.cut_w > 0, held, self._site.default[Knob.POD_CAP_W])
        cap = np.where(self._stopped(draw), (1.0 - tolerated) * self._high_w, cap)
        cap = np.where(self._tiers.flexible & ~paused, cap, np.nan)
        commands = [Command(Knob.POD_CAP_W, cap, valid_s, reason)]
        if paused.any() or self._paused.any():
            pause = np.where(paused | self._paused, paused * 1.0, np.nan)
            commands.append(Command(Knob.POD_PAUSE, pause, valid_s, ""))
        self._paused = paused
        return commands

    def rest(self) -> None:
        """Nothing is asked of the pods any more."""
        if self._acting:
            self._acting = False
            self._slow, self._cut_w = np.zeros(len(self._slow)), np.zeros(len(self._cut_w))
            self._paused = np.zeros(len(self._paused), dtype=bool)
            self._draws = []

    def _menu(self, draw: FloatArray, tolerated: FloatArray) -> Menu:
        """Caps down to the tier or to what the device enforces, and a pause where the tier has room for one."""
        weight = np.maximum(draw, 1.0)
        room = np.maximum(np.minimum(tolerated * draw, draw - self._lower_w), 0.0)
        room = np.where(self._stopped(draw), 0.0, room)
        zero, pods = np.zeros(len(draw)), len(draw)
        can = (tolerated >= 1.0) & (draw > self._idle_w)
        return Menu(
            draw_w=draw * self._bare,
            cut_w=np.stack([zero, room * self._bare], axis=1),
            slow_frac=np.stack([zero, room / weight], axis=1),
            step_cut_w=np.where(can, (draw - self._idle_w) * self._bare, np.nan)[:, None]
            if can.any()
            else np.zeros((pods, 0)),
            step_slow_frac=np.where(can, 1.0, np.nan)[:, None] if can.any() else np.zeros((pods, 0)),
            price_usd_per_mwh=self._price,
            priority=np.asarray(self._site.pod_flex_tier or (0,) * pods, np.int64),
            carbon_kg_per_mwh=np.ones(pods),
            given_j=self._given_j * self._bare,
        )

    def _watch(self, observation: Observation, span_s: float) -> None:
        """Keep what each pod would draw; a paused one what it drew before."""
        draw = fresh(observation, Point.POD_UNCAPPED_W)
        draw = self._demand.would_w(observation, span_s, draw) if self._correct else draw
        before = self._draws[-1] if self._draws else np.zeros(len(draw))
        draw = np.where(np.isnan(draw) | self._paused, before, draw)
        self._draws = [*self._draws, draw][-_WINDOWS:]

    def _remember(self, observation: Observation, span_s: float) -> None:
        """What jobs drew at most, half forgotten in an hour."""
        if self._jobs.any():
            kept = self._high_w * math.exp(-span_s / _REMEMBERED_S)
            self._high_w = np.where(self._jobs, np.fmax(kept, fresh(observation, Point.POD_UNCAPPED_W)), 0.0)

    def _steady(self) -> FloatArray:
        """The draw now, or before a dip that will not last."""
        most = np.max(self._draws, axis=0)
        return np.where(self._draws[-1] < _DIP * most, most, self._draws[-1])

    def _learn(self, observation: Observation, span_s: float, seen: Seen) -> None:
        if self._correct and span_s > 0:
            self._demand.learn(observation, span_s)
            load_w = seen.import_w - seen.stored_w + seen.renewable_w
            drawn = fresh(observation, Point.POD_ACCELERATOR_W)
            self._meter.learn(span_s, load_w, drawn, seen.dry_bulb_k)

    def _learned(self, observation: Observation) -> FloatArray:
        if not self._correct:
            return np.zeros(len(self._bare))
        dry = float(fresh(observation, Point.DRY_BULB_K)[0])
        return self._meter.per_w(dry) - self._bare

    def _answer(self, span_s: float) -> None:
        self._answered_w += (self._cut_w - self._answered_w) * -math.expm1(-span_s / _ANSWER_S)
        if not self._cut_w.any() and self._answered_w.max(initial=0.0) < 1.0:
            self._answered_w[:] = 0.0
