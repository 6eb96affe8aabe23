"""The merit order of docs/supply.md in plain Python, step by step: what every source must do.

None of the product's laws is imported. The judge gets numbers (ratings, loss coefficients, limits of charge), what
every consumer wanted in a step, and what the weather, the grid and the scenario gave. It keeps its own states of
charge, clocks, tanks and sheds. Cooling must not depend on which pods are on (constant flow, or one pod).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from supply_lineup import Lineup, largest
from supply_shapes import Bus, Plan, Step, Told

__all__ = ["Judge"]

_TOLERANCE = 1e-9
_LONG_S = 1e9
_MOST_LEVEL = 3


class Judge:
    """Keeps the state from step to step; `step` tells what must be recorded."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.soc = list(plan.soc)
        self.mean_w = [math.nan] * len(plan.stores)
        self.off: frozenset[int] = frozenset()
        self.shed_s = [0.0] * len(plan.pods)
        self.input_s = [_LONG_S] * len(plan.pods)
        self.bus_s = _LONG_S
        self.clock_s = [one.ready_s + 1.0 if plan.island else 0.0 for one in plan.gensets]
        self.sufficed_s = [0.0] * len(plan.gensets)
        self.was_w = [one.unit_w * one.units if plan.island else 0.0 for one in plan.gensets]
        self.tank_j = [one.tank_j for one in plan.gensets]

    # ---- what there is at the start of a step -------------------------------------------------------

    def _range(self, step: Step) -> list[tuple[float, float, float]]:
        """Least and greatest output of each genset, and the rating that runs."""
        found: list[tuple[float, float, float]] = []
        for number, one in enumerate(self.plan.gensets):
            online = round(step.genset_share[number] * one.units) * one.unit_w
            ready = self.clock_s[number] > 0.0 and self.clock_s[number] >= one.ready_s - 1e-6
            if not ready or online <= 0.0:
                found.append((0.0, 0.0, 0.0))
                continue
            high = min(
                online, one.power_w, self.was_w[number] + one.ramp_frac_per_s * online * self.plan.dt_s
            )
            burns = self.tank_j[number] / self.plan.dt_s
            if burns <= one.fuel_w(0.0, online):
                high = 0.0
            else:
                high = largest(lambda power, one=one, online=online: one.fuel_w(power, online), high, burns)
            low = min(one.minimum_frac * online, high)
            found.append((low, high, online if high > 0.0 else 0.0))
        return found

    def _open(self, step: Step) -> None:
        plan = self.plan
        self.now = step
        self.ranges = self._range(step)
        self.floors = [one.soc_min + (one.reserve if step.grid else 0.0) for one in plan.stores]
        self.gives = [
            one.gives_w(self.soc[n], self.floors[n], plan.dt_s) for n, one in enumerate(plan.stores)
        ]
        self.takes = [one.takes_w(self.soc[n], plan.dt_s) for n, one in enumerate(plan.stores)]
        former = any(one.forming and self.gives[n] > 0.0 for n, one in enumerate(plan.stores))
        self.own_former = step.grid or former
        self.formed = self.own_former or any(high > 0.0 for _, high, _ in self.ranges)
        self.renewable_w = step.pv_w + step.wind_w if self.formed else 0.0
        self.limit_w = step.limit_w if step.grid else 0.0
        self.export_w = plan.export_w if step.grid else 0.0

    def _walked(self, pod: int) -> float:
        """Share of what it wants that a lineup's input may draw, at the middle of the step."""
        one = self.plan.pods[pod]
        waited = self.input_s[pod] + 0.5 * self.plan.dt_s - one.return_s
        if one.walk_in_s <= 0.0:
            return 1.0 if waited > 0.0 else 0.0
        return min(max(waited / one.walk_in_s, 0.0), 1.0)

    def _started(self) -> float:
        """Share of pumps and fans on the bus that run again."""
        run_s = self.bus_s + 0.5 * self.plan.dt_s - self.plan.restart_s
        if self.plan.ramp_s <= 0.0:
            return 1.0 if run_s > 0.0 else 0.0
        return min(max(run_s / self.plan.ramp_s, 0.0), 1.0)

    def _cooling(self, off: frozenset[int], alive: bool) -> tuple[float, list[float]]:
        """Cooling on the bus, and on each lineup's UPS bus."""
        step, plan = self.now, self.plan
        on_ups = sum(plan.ups_share)
        bus = 0.0
        if alive:
            bus = step.drives_w * (1.0 - on_ups) * self._started()
            if self.bus_s + 0.5 * plan.dt_s > plan.compressor_restart_s:
                bus += step.compressors_w
        loads = [
            step.drives_w * share if alive or pod not in off else 0.0
            for pod, share in enumerate(plan.ups_share)
        ]
        return bus, loads

    def _lineup(self, pod: int, *, on: bool = True, ups_load_w: float = 0.0, dead: bool = False) -> Lineup:
        step, plan = self.now, self.plan
        stages = [
            replace(stage, share=step.stage_share.get((pod, place), 1.0))
            for place, stage in enumerate(plan.pods[pod].stages)
        ]
        stores = [(n, one) for n, one in enumerate(plan.stores) if one.lane == pod]
        stores.sort(key=lambda pair: pair[1].stage)
        return Lineup(
            stages,
            stores,
            plan.pods[pod].ups_stage,
            step.consumed_w[pod] if on else 0.0,
            step.powered[pod] and on,
            ups_load_w,
            dead,
        )

    def _loss_w(self, net_w: float) -> float:
        """Loss of the main transformer at the exchange before storage and gensets."""
        if not self.now.grid:
            return 0.0
        through = min(max(net_w, -self.export_w), self.limit_w)
        return self.plan.transformer[0] + self.plan.transformer[1] * through * through

    # ---- rules --------------------------------------------------------------------------------------

    def _request_w(self, number: int, node_w: float) -> float:
        """What a storage wants of itself at its node, charging positive."""
        one = self.plan.stores[number]
        point = self.now.set_point_w[number]
        if one.smooth_s > 0.0:
            mean, dt = self.mean_w[number], self.plan.dt_s
            mean = node_w if math.isnan(mean) else mean
            new = (mean * one.smooth_s + node_w * dt) / (one.smooth_s + dt)
            self.new_mean[number] = new
            return new - node_w if math.isnan(point) else point
        if not math.isnan(point):
            return point
        if one.stays_full:
            return one.charge_limit_w
        wanted = max(one.charge_below_w - node_w, 0.0) - max(node_w - one.discharge_above_w, 0.0)
        return min(wanted, one.charge_limit_w)

    def _lead(
        self, lineup: Lineup, frac: float, dead: bool, may_charge: bool
    ) -> tuple[dict[int, float], float]:
        """Own laws of a lineup's storages, then what a dead bus, a walk-in or lost modules leave open."""
        wishes: dict[int, float] = {}
        if not dead:
            for number, _ in lineup.stores:
                node = lineup.node_w(number)
                request = self._request_w(number, node)
                if request < 0.0:
                    lineup.power[number] = -min(-request, self.gives[number], max(node, 0.0))
                elif may_charge and frac >= 1.0:
                    wishes[number] = min(request, self.takes[number])
        gives = {number: self.gives[number] for number, _ in lineup.stores}
        missing = 0.0
        if dead:
            missing = lineup.fill(gives, 0.0)
        elif frac < 1.0:
            missing = lineup.fill(gives, frac * lineup.walk())
        elif any(stage.share < 1.0 for stage in lineup.stages):
            missing = lineup.fill(gives, math.inf)
        return wishes, missing

    # ---- one way of supplying -----------------------------------------------------------------------

    def _supply(self, off: frozenset[int], level: int, final: bool) -> Told:
        plan, step = self.plan, self.now
        self.new_mean = list(self.mean_w)
        told = Told(off=off, level=level, formed=self.formed)
        alive = self.formed and level < 1
        dead, opened = not self.formed, not self.formed or level >= 2
        bus_cooling, ups_loads = self._cooling(off, alive)
        told.cooling_w = bus_cooling + sum(ups_loads)
        lineups: list[Lineup] = []
        wishes: list[dict[int, float]] = []
        bare = 0.0
        for pod in range(len(plan.pods)):
            lineup = self._lineup(pod, on=pod not in off, ups_load_w=ups_loads[pod], dead=opened)
            bare += lineup.bare_w()
            wish, missing = self._lead(lineup, self._walked(pod), dead, not off)
            lineups.append(lineup)
            wishes.append(wish)
            if missing > 0.0:
                told.missing.add(pod)
        told.store_w = [0.0] * len(plan.stores)
        told.genset_w = [0.0] * len(plan.gensets)
        if dead:
            told.curtailed_w = step.pv_w + step.wind_w
            return self._close(told, lineups)
        load = sum(one.walk() for one in lineups)
        auxiliary = step.auxiliary_w if final else step.auxiliary_base_w + plan.auxiliary_frac * load
        consumed = load + bus_cooling + auxiliary
        loss = self._loss_w(consumed - self.renewable_w)
        if final and step.transformer_w is not None:
            loss = step.transformer_w
        told.auxiliary_w, told.transformer_w = auxiliary, loss
        told.need_w = consumed + loss - load + bare
        tolerance = _TOLERANCE * (consumed + 1.0)
        self._balance(told, lineups, wishes, consumed + loss - self.renewable_w, tolerance)
        return self._close(told, lineups)

    def _balance(
        self, told: Told, lineups: list[Lineup], wishes: list[dict[int, float]], need: float, tolerance: float
    ) -> None:
        """Grid, gensets, storage at the site, storage in the lineups; what is beyond all load is got rid of."""
        bus = Bus(need, self.limit_w, self.export_w, self.ranges)
        if not told.off:
            bus.charge_w += self._refill(lineups, wishes, bus.room_w, lambda _: True)
            reach = bus.reach_w
            bus.charge_w += self._refill(lineups, wishes, reach, lambda n: self.plan.stores[n].from_gensets)
        self._act_site(told, bus)
        net = bus.net_w
        short = net - self.limit_w
        if short > tolerance:
            short = self._cover(told, lineups, short, tolerance)
            net = self.limit_w + short
        elif net < 0.0:
            net = self._spend(told, lineups, wishes, bus)
        told.short_w = short if short > tolerance else 0.0
        told.net_w = net if self.now.grid else 0.0
        told.genset_w = bus.shared(bus.genset_w)

    def _act_site(self, told: Told, bus: Bus) -> None:
        """Storages at the site, of themselves, in the order of the file."""
        for number, one in enumerate(self.plan.stores):
            if one.lane >= 0:
                continue
            request = self._request_w(number, bus.net_w)
            if request < 0.0:
                power = min(-request, self.gives[number], bus.takes_w)
                told.store_w[number] = -power
                bus.given_w += power
            elif not told.off:
                room = bus.room_w + (bus.reach_w if one.from_gensets else 0.0)
                power = min(request, self.takes[number], room)
                told.store_w[number] = power
                bus.charge_w += power

    def _refill(
        self,
        lineups: list[Lineup],
        wishes: list[dict[int, float]],
        room: float,
        may: Callable[[int], bool],
    ) -> float:
        """Grant wishes of lineups, in proportion where the room is short; what they take from the bus."""
        if room <= 0.0:
            return 0.0
        appetites: list[float] = []
        for lineup, wish in zip(lineups, wishes, strict=True):
            trial = lineup.copy()
            trial.charge({n: one for n, one in wish.items() if may(n)}, math.inf)
            appetites.append(trial.walk() - lineup.walk())
        total = sum(appetites)
        if total <= 0.0:
            return 0.0
        share = min(room / total, 1.0)
        taken = 0.0
        for lineup, wish, appetite in zip(lineups, wishes, appetites, strict=True):
            if appetite > 0.0:
                before = lineup.walk()
                allowed = {n: one for n, one in wish.items() if may(n)}
                lineup.charge(allowed, before + share * appetite)
                wish.update(allowed)
                taken += lineup.walk() - before
        return taken

    def _cover(self, told: Told, lineups: list[Lineup], short: float, tolerance: float) -> float:
        """Storages at the site by what each can give, then lineups by what each can spare; last, cuts."""
        here = [n for n, one in enumerate(self.plan.stores) if one.lane < 0]
        left = {n: max(self.gives[n] + min(told.store_w[n], 0.0), 0.0) for n in here}
        total = sum(left.values())
        if total > 0.0:
            share = min(short / total, 1.0)
            for n in here:
                told.store_w[n] -= share * left[n]
            short -= share * total
        if short > tolerance:
            gives = dict(enumerate(self.gives))
            spares = [max(one.walk() - one.least_w(gives), 0.0) if one.stores else 0.0 for one in lineups]
            if sum(spares) > 0.0:
                share = min(short / sum(spares), 1.0)
                for lineup, spare in zip(lineups, spares, strict=True):
                    if spare > 0.0:
                        before = lineup.walk()
                        lineup.relieve(gives, before - share * spare)
                        short -= before - lineup.walk()
        if short > tolerance and told.level >= _MOST_LEVEL:
            for name in ("auxiliary_w", "transformer_w"):
                cut = min(short, getattr(told, name))
                setattr(told, name, getattr(told, name) - cut)
                short -= cut
        return short

    def _spend(self, told: Told, lineups: list[Lineup], wishes: list[dict[int, float]], bus: Bus) -> float:
        """Export what may be exported; curtail renewables, then charge, then heat the load bank with the rest."""
        surplus = -bus.net_w - bus.exportable_w
        if surplus <= 0.0:
            return bus.net_w
        told.curtailed_w = min(surplus, self.renewable_w)
        surplus -= told.curtailed_w
        if surplus > 0.0 and not told.off:
            surplus -= self._refill(lineups, wishes, surplus, lambda _: True)
            surplus -= self._fill_site(told, surplus)
        told.bank_w = max(surplus, 0.0)
        return -bus.exportable_w

    def _fill_site(self, told: Told, surplus: float) -> float:
        """Storages at the site take what gensets give beyond the load, in proportion; what they take."""
        here = [n for n, one in enumerate(self.plan.stores) if one.lane < 0]
        left = {n: max(self.takes[n] - max(told.store_w[n], 0.0), 0.0) for n in here}
        total = sum(left.values())
        if total <= 0.0:
            return 0.0
        share = min(surplus / total, 1.0)
        for n in here:
            told.store_w[n] += share * left[n]
        return share * total

    def _close(self, told: Told, lineups: list[Lineup]) -> Told:
        plan, step = self.plan, self.now
        for lineup in lineups:
            for number, power in lineup.power.items():
                told.store_w[number] = power
        told.bus_w = [one.walk() for one in lineups]
        told.load_w = sum(told.bus_w)
        told.soc = [
            one.after(self.soc[n], told.store_w[n], self.floors[n], plan.dt_s)
            for n, one in enumerate(plan.stores)
        ]
        made = step.pv_w + step.wind_w
        kept = 1.0 - told.curtailed_w / made if made > 0.0 else 1.0
        told.pv_w, told.wind_w = step.pv_w * kept, step.wind_w * kept
        told.running = [online > 0.0 for _, _, online in self.ranges]
        told.fuel_w = [
            one.fuel_w(told.genset_w[n], self.ranges[n][2]) if told.running[n] else 0.0
            for n, one in enumerate(plan.gensets)
        ]
        return told

    # ---- who is on ----------------------------------------------------------------------------------

    def _returns(self, off: frozenset[int], told: Told) -> frozenset[int]:
        """Pods that come back, the best priority first; among equals the one named first."""
        room = self.renewable_w + self.limit_w + sum(high for _, high, _ in self.ranges) - told.need_w
        back: set[int] = set()
        for pod in reversed(self._order()):
            if pod not in off or pod not in self.off or self.shed_s[pod] > 0.0:
                continue
            if not self._carried(pod):
                continue
            wants = self.wanted_w[pod] * (1.0 + self.plan.pods[pod].margin_frac)
            if wants <= room:
                room -= wants
                back.add(pod)
        return frozenset(back)

    def _carried(self, pod: int) -> bool:
        """Whether a lineup's input and modules carry what it wants without its storages: these bridge only."""
        lineup = self._lineup(pod)
        if self._walked(pod) < 1.0:
            return False
        return all(
            lineup.walk(until=place) <= stage.cap_w * (1.0 + _TOLERANCE)
            for place, stage in enumerate(lineup.stages)
        )

    def _order(self) -> list[int]:
        """Who goes first: the highest priority number; among equals the one named last."""
        return sorted(range(len(self.plan.pods)), key=lambda pod: (-self.plan.pods[pod].priority, -pod))

    def _want(self) -> tuple[bool, float]:
        """Whether (1) and (2) lack anything of what all want; and all that is wanted."""
        plan, step = self.plan, self.now
        _, loads = self._cooling(frozenset(), alive=True)
        pods, dead = range(len(plan.pods)), not self.formed
        lineups = [self._lineup(pod, ups_load_w=loads[pod], dead=dead) for pod in pods]
        self.wanted_w = [self._lineup(pod, dead=dead).bare_w() for pod in pods]  # cooling is told apart
        cooling = step.drives_w * (1.0 - sum(plan.ups_share)) + step.compressors_w
        load = sum(one.bare_w() for one in lineups)
        wanted = load + cooling + step.auxiliary_base_w + plan.auxiliary_frac * load
        wanted += self._loss_w(wanted - self.renewable_w)
        lack = wanted - self.renewable_w - self.limit_w
        return not self.own_former or lack > _TOLERANCE * (wanted + 1.0), wanted

    def step(self, step: Step) -> Told:
        """Supply one step, and remember its end."""
        self._open(step)
        lacking, wanted = self._want()
        off, level, may_return = self.off, 0, True
        while True:
            told = self._supply(off, level, final=False)
            lost = told.missing - off
            if lost:
                off = off | lost
            elif told.short_w > 0.0:
                rest = [pod for pod in self._order() if pod not in off]
                if rest:
                    off = off | {rest[0]}
                elif level < _MOST_LEVEL:
                    level += 1
                else:
                    break
            else:
                back = self._returns(off, told) if may_return and self.formed and level == 0 else frozenset()
                may_return = False
                if not back:
                    break
                off = off - back
        told = self._supply(off, level, final=True)
        told.lacking, told.wanted_w = lacking, wanted
        told.bus_wanted_w = list(self.wanted_w)
        self._remember(told, lacking)
        return told

    def _remember(self, told: Told, lacking: bool) -> None:
        plan, dt = self.plan, self.plan.dt_s
        self.soc = list(told.soc)
        self.mean_w = self.new_mean
        for n, one in enumerate(plan.gensets):
            self.was_w[n] = told.genset_w[n]
            self.tank_j[n] = max(self.tank_j[n] - told.fuel_w[n] * dt, 0.0)
            if lacking:
                self.clock_s[n], self.sufficed_s[n] = self.clock_s[n] + dt, 0.0
                continue
            called = self.clock_s[n] > 0.0 and self.clock_s[n] >= one.call_s - 1e-6
            goes_on = called and self.sufficed_s[n] + dt < one.stop_s - 1e-6
            self.clock_s[n] = self.clock_s[n] + dt if goes_on else 0.0
            self.sufficed_s[n] = self.sufficed_s[n] + dt if goes_on else 0.0
        for pod, one in enumerate(plan.pods):
            if pod in told.off:
                waits = self.shed_s[pod] if pod in self.off else one.wait_s
                self.shed_s[pod] = max(waits - dt, 0.0)
            else:
                self.shed_s[pod] = 0.0
            fed = told.formed and told.level < 2
            self.input_s[pod] = min(self.input_s[pod] + dt, _LONG_S) if fed else 0.0
        self.bus_s = min(self.bus_s + dt, _LONG_S) if told.formed and told.level < 1 else 0.0
        self.off = told.off
