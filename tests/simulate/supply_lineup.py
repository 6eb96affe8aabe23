"""Storages and lineups in plain Python, solved by bisection: the ground on which `supply_judge.py` stands.

Nothing of the product's laws is imported. The rules are those of docs/supply.md, of `schema/storage.py` (loss curves
over AC power) and of a stage's loss curve `m R (a + b x + c x^2)`; the numbers come in as plain floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Lineup", "Stage", "Store", "largest"]

_NOTHING_W = 1e-6


def largest(function: Callable[[float], float], most: float, bound: float) -> float:
    """The largest argument in 0 … `most` whose value does not exceed `bound`; the function rises."""
    if most <= 0.0 or function(most) <= bound:
        return max(most, 0.0)
    low, high = 0.0, most
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) <= bound else (low, middle)
    return low


@dataclass(frozen=True)
class Store:
    """A storage: cells [J], converter [W], what its rule holds to [W]; `lane` is -1 at the site."""

    lane: int
    stage: int
    capacity_j: float
    rated_w: float
    soc_min: float
    soc_max: float
    charge: tuple[float, float, float]
    discharge: tuple[float, float, float]
    cell_charge: float
    cell_discharge: float
    charge_below_w: float
    discharge_above_w: float
    smooth_s: float
    charge_limit_w: float
    reserve: float
    forming: bool
    from_gensets: bool
    stays_full: bool

    def drawn_w(self, power_w: float) -> float:
        """Rate at which the cells empty at an output."""
        if power_w <= 0.0:
            return 0.0
        a, b, c = self.discharge
        x = power_w / self.rated_w
        return (power_w + self.rated_w * (a + b * x + c * x * x)) / self.cell_discharge

    def stored_w(self, power_w: float) -> float:
        """Rate at which the cells fill at an input."""
        if power_w <= 0.0:
            return 0.0
        a, b, c = self.charge
        x = power_w / self.rated_w
        return self.cell_charge * power_w * x / (x + a + b * x + c * x * x)

    def gives_w(self, soc: float, floor: float, dt_s: float) -> float:
        """Most that it can give for a step without sinking below a floor."""
        left_w = max(soc - floor, 0.0) * self.capacity_j / dt_s
        if left_w <= self.rated_w * self.discharge[0] / self.cell_discharge:
            return 0.0
        return largest(self.drawn_w, self.rated_w, left_w)

    def takes_w(self, soc: float, dt_s: float) -> float:
        """Most that it can take for a step."""
        return largest(self.stored_w, self.rated_w, max(self.soc_max - soc, 0.0) * self.capacity_j / dt_s)

    def after(self, soc: float, power_w: float, floor: float, dt_s: float) -> float:
        """State of charge after a step at a power, charging positive.

        A power of the size of rounding is none: a converter that discharges loses its no-load loss at once.
        """
        if abs(power_w) <= 1e-9 * self.rated_w:
            return soc
        if power_w > 0.0:
            full = max(soc, self.soc_max)
            return min(soc + self.stored_w(power_w) * dt_s / self.capacity_j, full)
        if power_w < 0.0:
            return max(soc - self.drawn_w(-power_w) * dt_s / self.capacity_j, min(soc, floor))
        return soc


@dataclass(frozen=True)
class Stage:
    """Loss `a + b P + c P^2` at an output [W] with all modules, what it then carries, and the share in service."""

    a_w: float
    b: float
    c_per_w: float
    full_w: float
    server: bool
    share: float = 1.0

    def loss_w(self, power_w: float) -> float:
        """Loss at an output, with the modules that are in service."""
        if self.share <= 0.0:
            return 0.0
        return self.a_w * self.share + self.b * power_w + self.c_per_w / self.share * power_w * power_w

    @property
    def cap_w(self) -> float:
        """What it passes: unbounded while whole, as an overload is reported and not cut."""
        return float("inf") if self.share >= 1.0 else self.full_w * self.share


@dataclass
class Lineup:
    """One pod's way to the bus, rack side first, in one step: what it consumes and what its storages do.

    `power` is what each of its storages does [W], charging positive. `dead` says that nothing feeds it from outside
    (no bus, or its breaker open), so that a stage that passes nothing loses nothing; nor does one behind a stage
    without any module.
    """

    stages: list[Stage]
    stores: list[tuple[int, Store]]  # number and shape, rack side first
    ups_stage: int
    consumed_w: float
    powered: bool
    ups_load_w: float = 0.0
    dead: bool = False

    def __post_init__(self) -> None:
        self.power: dict[int, float] = {number: 0.0 for number, _ in self.stores}
        gone = [place for place, stage in enumerate(self.stages) if stage.share <= 0.0]
        self.dark_to = len(self.stages) if self.dead else max(gone, default=0)

    def copy(self) -> Lineup:
        """The same lineup, to try something on."""
        trial = Lineup(
            self.stages,
            self.stores,
            self.ups_stage,
            self.consumed_w,
            self.powered,
            self.ups_load_w,
            self.dead,
        )
        trial.power = dict(self.power)
        return trial

    def walk(self, power: dict[int, float] | None = None, *, until: int | None = None) -> float:
        """Power from the bus; with `until` what leaves the output of that stage, its own storages counted."""
        power = self.power if power is None else power
        flow = self.consumed_w
        for place, stage in enumerate(self.stages):
            if place == self.ups_stage:
                flow += self.ups_load_w
            for number, store in self.stores:
                if store.stage == place:
                    flow += power[number]
            if place == until:
                return flow
            if place < self.dark_to and flow <= _NOTHING_W:
                continue
            if self.powered or not stage.server:
                flow += stage.loss_w(flow)
        return flow

    def node_w(self, number: int) -> float:
        """What is asked of a storage's node, the storage itself and those named after it left out."""
        power = dict(self.power)
        after = False
        for other, store in self.stores:
            after = after or other == number
            if after and store.stage == dict(self.stores)[number].stage:
                power[other] = 0.0
        return self.walk(power, until=dict(self.stores)[number].stage)

    def bare_w(self) -> float:
        """Power from the bus with all storages at rest."""
        return self.walk(dict.fromkeys(self.power, 0.0))

    def passes_w(self, place: int, input_w: float) -> float:
        """What a stage makes of an input, by bisection."""
        stage = self.stages[place]
        if stage.share <= 0.0 or (self.dead and input_w <= 0.0):
            return 0.0
        if stage.server and not self.powered:
            return min(input_w, stage.cap_w)
        if input_w <= stage.a_w * stage.share:
            return 0.0
        return min(largest(lambda out: out + stage.loss_w(out), input_w, input_w), stage.cap_w)

    def _give(
        self, number: int, store: Store, gives: dict[int, float], place: int, allowed_w: float
    ) -> float:
        """Let one storage give until no more than `allowed_w` leaves a place; what is still beyond that."""
        over = self.walk(until=place) - allowed_w
        if over <= 0.0:
            return 0.0
        most = max(gives[number] + min(self.power[number], 0.0), 0.0)
        most = min(most, max(self.walk(until=store.stage), 0.0))  # it does not feed back
        own = self.power[number]

        def under(extra: float) -> float:
            return -self.walk({**self.power, number: own - extra}, until=place)

        # `under` rises with what it gives: the least extra that brings the place down to what is allowed
        if under(most) <= -allowed_w:
            self.power[number] = own - most
        else:
            low, high = 0.0, most
            for _ in range(100):
                middle = 0.5 * (low + high)
                if middle in (low, high):
                    break
                low, high = (middle, high) if under(middle) < -allowed_w else (low, middle)
            self.power[number] = own - high
        return self.walk(until=place) - allowed_w

    def fill(self, gives: dict[int, float], input_w: float) -> float:
        """Fill with the storages what lost modules and an input leave open; what stays open at the worst place.

        Lost modules first, from the rack outwards, by the outermost storage that stands behind them; then the input,
        by the outermost storage of all; an infinite one leaves nothing open.
        """
        missing = 0.0
        for place, stage in enumerate(self.stages):
            if stage.share < 1.0:
                missing = max(missing, self._hold(gives, place, stage.cap_w))
        if math.isinf(input_w):
            return missing
        outermost = max((store.stage for _, store in self.stores), default=0)
        flow = max(input_w, 0.0)
        for place in range(len(self.stages) - 1, outermost - 1, -1):
            flow = self.passes_w(place, flow)
        missing = max(missing, self._hold(gives, outermost, flow))
        self._trim()
        return missing

    def _trim(self) -> None:
        """Take back what a storage gives beyond its node: what a stage behind it no longer draws once it passes nothing."""
        for level in sorted({store.stage for _, store in self.stores}, reverse=True):
            for number, store in self.stores:
                over = -self.walk(until=level)
                if store.stage == level and over > 0.0 and self.power[number] < 0.0:
                    self.power[number] = min(self.power[number] + over, 0.0)

    def _hold(self, gives: dict[int, float], place: int, allowed_w: float) -> float:
        """Let storages at or behind a place give, the outermost first, until no more than `allowed_w` leaves it."""
        over = max(self.walk(until=place) - allowed_w, 0.0)
        levels = sorted({store.stage for _, store in self.stores if store.stage <= place}, reverse=True)
        for level in levels:
            for number, store in self.stores:
                if store.stage == level and over > 0.0:
                    over = self._give(number, store, gives, place, allowed_w)
        asked = abs(self.walk(until=place)) + 1.0
        return over if over > 1e-9 * asked else 0.0

    def least_w(self, gives: dict[int, float]) -> float:
        """What it draws from the bus with its storages giving all they can."""
        trial = self.copy()
        trial._hold(gives, max((store.stage for _, store in self.stores), default=0), 0.0)
        return trial.walk()

    def relieve(self, gives: dict[int, float], target_w: float) -> None:
        """Let the storages give, the outermost first, until it draws no more than `target_w` from the bus."""
        for level in sorted({store.stage for _, store in self.stores}, reverse=True):
            for number, store in self.stores:
                if store.stage == level and self.walk() > target_w:
                    self._give_to_bus(number, store, gives, target_w)

    def _give_to_bus(self, number: int, store: Store, gives: dict[int, float], target_w: float) -> None:
        most = max(gives[number] + min(self.power[number], 0.0), 0.0)
        most = min(most, max(self.walk(until=store.stage), 0.0))
        own = self.power[number]
        low, high = 0.0, most
        if self.walk({**self.power, number: own - most}) < target_w:
            for _ in range(100):
                middle = 0.5 * (low + high)
                if middle in (low, high):
                    break
                over = self.walk({**self.power, number: own - middle}) > target_w
                low, high = (middle, high) if over else (low, middle)
        self.power[number] = own - high

    def charge(self, wishes: dict[int, float], target_w: float) -> None:
        """Let the storages take, the outermost first, until it draws `target_w` from the bus or wishes end.

        A stage that lost modules passes no more than they carry.
        """
        limits = [(place, stage.cap_w) for place, stage in enumerate(self.stages) if stage.share < 1.0]
        for level in sorted({store.stage for _, store in self.stores}, reverse=True):
            for number, store in self.stores:
                wish = wishes.get(number, 0.0)
                if store.stage != level or wish <= 0.0:
                    continue
                more = self._room(number, wish, None, target_w)
                for place, cap_w in limits:
                    if place >= store.stage:
                        more = min(more, self._room(number, wish, place, cap_w))
                self.power[number] += more
                wishes[number] = wish - more

    def _room(self, number: int, wish_w: float, place: int | None, most_w: float) -> float:
        """Of a wish, what brings the output of a place (None: the bus) to no more than `most_w`."""
        own = self.power[number]

        def reached(more: float) -> float:
            return self.walk({**self.power, number: own + more}, until=place)

        return largest(reached, wish_w, most_w) if reached(0.0) < most_w else 0.0
