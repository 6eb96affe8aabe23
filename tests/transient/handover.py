"""Outage -> battery -> generator sets, in plain Python: what any engine must give for one lineup of constant load.

Nothing of the product is imported. The rules, with the outage from 0 on:

* The battery carries the load from 0 on; its cells lose `(P + R (a + b x + c x^2)) / eta`, x = P/R.
* Sets are called once the lack has lasted for `call_s`, are ready `start_s + synchronise_s` later, and form the
  bus. The rise of their output is limited by `ramp_frac_per_s` of what runs, from nothing; it is at least
  `low_frac` of it (the rest goes to a load bank).
* `return_s` after the bus is good again (by the sets or by the grid) the input's share of what the lineup wants
  rises from 0 to 1 over `walk_in_s`; the battery carries the rest, and what the sets cannot give yet.
* Once walked in the battery is charged with at most `recharge_w`, from the sets only where that is allowed, or
  with what their least load leaves over.
* Once the grid is back it carries; the sets fall at once to their least load, which displaces import, and stop
  `stop_s` after the grid is back.
* Motors on the bus start again `restart_s` after it is good, over `ramp_s`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Battery", "Handover", "Lineup", "Sets", "hand_over"]


@dataclass(frozen=True)
class Battery:
    """Cells [J] and curve of the converter over its rating; the energy down to the least state of charge."""

    usable_j: float  # in the cells
    rated_w: float
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    charge_eta: float = 1.0
    discharge_eta: float = 1.0

    def drawn_w(self, power_w: float) -> float:
        """Rate at which the cells empty at an output."""
        x = power_w / self.rated_w
        loss_w = self.rated_w * (self.a + self.b * x + self.c * x * x)
        return (power_w + loss_w) / self.discharge_eta if power_w > 0 else 0.0

    def stored_w(self, power_w: float) -> float:
        """Rate at which the cells fill at an input."""
        x = power_w / self.rated_w
        return self.charge_eta * power_w * x / (x + self.a + self.b * x + self.c * x * x) if x > 0 else 0.0


@dataclass(frozen=True)
class Sets:
    """Generator sets of one kind."""

    power_w: float
    call_s: float
    start_s: float
    synchronise_s: float
    stop_s: float
    ramp_frac_per_s: float
    low_frac: float
    charge: bool = False  # whether they may fill the battery

    @property
    def ready_s(self) -> float:
        """From the beginning of the lack until they carry."""
        return self.call_s + self.start_s + self.synchronise_s


@dataclass(frozen=True)
class Lineup:
    """Load at the buffer, how it comes back, the losses in front of it (a + b P + c P^2, in the order in which
    they add up from the buffer to the bus), and what else hangs on the bus.
    """

    load_w: float
    return_s: float
    walk_in_s: float
    recharge_w: float
    losses: tuple[tuple[float, float, float], ...] = ()
    constant_w: float = 0.0  # on the bus, whenever it is good
    drives_w: float = 0.0
    restart_s: float = 0.0
    ramp_s: float = 0.0

    def bus_w(self, buffer_w: float) -> float:
        """Power at the bus for a power that arrives at the buffer."""
        for a, b, c in self.losses:
            buffer_w += a + b * buffer_w + c * buffer_w * buffer_w
        return buffer_w


@dataclass
class Handover:
    """Times from the beginning of the outage [s] (None: never), energies at bus and buffer [J]."""

    called_s: float | None
    ready_s: float | None
    walks_s: float
    """Beginning of the walk-in."""
    carried_s: float
    """Its end by the clock; sets with a slow ramp are late."""
    battery_ends_s: float = 0.0
    lost_s: float | None = None
    grid_j: float = 0.0
    genset_j: float = 0.0
    bank_j: float = 0.0
    battery_j: float = 0.0
    recharge_j: float = 0.0
    cells_j: float = 0.0
    """Taken out of the cells less put into them."""


def _share(time_s: float, start_s: float, length_s: float) -> float:
    if length_s <= 0:
        return 1.0 if time_s >= start_s else 0.0
    return min(max((time_s - start_s) / length_s, 0.0), 1.0)


def _largest(lineup: Lineup, wanted_w: float, most_w: float) -> float:
    """Power at the buffer that takes at most so much from the bus, by bisection."""
    if lineup.bus_w(wanted_w) <= most_w:
        return wanted_w
    low, high = 0.0, wanted_w
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if lineup.bus_w(middle) <= most_w else (low, middle)
    return low


@dataclass
class _Walk:
    """The state that is carried along."""

    out_w: float = 0.0
    cells_j: float = 0.0


def hand_over(
    lineup: Lineup,
    battery: Battery,
    sets: Sets | None,
    outage_s: float,
    horizon_s: float,
    dt_s: float = 0.01,
) -> Handover:
    """Times and energies from the beginning of an outage to `horizon_s`.

    Powers are constant or linear between their corners; they are summed up in steps of `dt_s`, each at its
    middle.
    """
    called = sets is not None and outage_s > sets.call_s
    ready_s = sets.ready_s if called else None
    good_s = outage_s if ready_s is None else min(ready_s, outage_s)
    walk_s = good_s + lineup.return_s
    told = Handover(sets.call_s if called else None, ready_s, walk_s, walk_s + lineup.walk_in_s)
    walk = _Walk()
    for k in range(round(horizon_s / dt_s)):
        time_s = (k + 0.5) * dt_s
        _step(lineup, battery, sets if called else None, outage_s, good_s, told, walk, time_s, dt_s)
        if walk.cells_j > battery.usable_j:
            told.lost_s = time_s
            break
    told.cells_j = walk.cells_j
    return told


def _step(
    lineup: Lineup,
    battery: Battery,
    sets: Sets | None,
    outage_s: float,
    good_s: float,
    told: Handover,
    walk: _Walk,
    time_s: float,
    dt_s: float,
) -> None:
    grid = time_s >= outage_s
    share = _share(time_s, told.walks_s, lineup.walk_in_s)
    may_charge = share >= 1.0 and (grid or (sets is not None and sets.charge))
    wanted_w = share * lineup.load_w
    if may_charge and walk.cells_j > 0:
        wanted_w += _charge_w(lineup.recharge_w, battery, walk.cells_j / dt_s)
    others_w = lineup.constant_w
    others_w += lineup.drives_w * _share(time_s, good_s + lineup.restart_s, lineup.ramp_s)
    arrives_w = wanted_w if time_s >= good_s else 0.0
    if sets is not None and time_s >= sets.ready_s and time_s < outage_s + sets.stop_s:
        rated_w, step_w = sets.power_w, sets.ramp_frac_per_s * sets.power_w * dt_s
        low_w = sets.low_frac * rated_w
        if not grid:
            reach_w = min(walk.out_w + step_w, rated_w)
            arrives_w = _largest(lineup, wanted_w, reach_w - others_w)
            spare_w = min(low_w, reach_w) - others_w
            if share >= 1.0 and walk.cells_j > 0 and spare_w > lineup.bus_w(arrives_w):
                wish_w = lineup.load_w + _charge_w(lineup.recharge_w, battery, walk.cells_j / dt_s)
                arrives_w = max(arrives_w, _largest(lineup, wish_w, spare_w))
            need_w = lineup.bus_w(arrives_w) + others_w
            bank_w = max(min(low_w, reach_w) - need_w, 0.0)
            out_w = need_w + bank_w
            walk.out_w = max(walk.out_w, out_w)
        else:
            need_w = lineup.bus_w(arrives_w) + others_w
            out_w = min(low_w, walk.out_w + step_w)
            walk.out_w = out_w
            bank_w = max(out_w - need_w, 0.0)
            told.grid_j += max(need_w - out_w, 0.0) * dt_s
        told.genset_j += out_w * dt_s
        told.bank_j += bank_w * dt_s
    elif grid:
        told.grid_j += (lineup.bus_w(arrives_w) + others_w) * dt_s
    short_w = lineup.load_w - arrives_w
    if short_w > 1e-9 * lineup.load_w:
        told.battery_j += short_w * dt_s
        told.battery_ends_s = time_s + 0.5 * dt_s
        walk.cells_j += battery.drawn_w(short_w) * dt_s
    elif short_w < 0:
        told.recharge_j -= short_w * dt_s
        walk.cells_j -= battery.stored_w(-short_w) * dt_s


def _charge_w(most_w: float, battery: Battery, room_w: float) -> float:
    """Charging power that fills the cells no faster than they have room."""
    stored: Callable[[float], float] = battery.stored_w
    if stored(most_w) <= room_w:
        return most_w
    low, high = 0.0, most_w
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if stored(middle) <= room_w else (low, middle)
    return low
