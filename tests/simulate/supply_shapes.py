"""What the judge of supply is told and what it tells: numbers of a site, wants of a step, flows, a bus in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field

from supply_lineup import Stage, Store

__all__ = ["Bus", "Genset", "Plan", "PodPlan", "Step", "Told"]


@dataclass(frozen=True)
class Genset:
    """Sets of one entry: what may be drawn from all, one of them, how many; times; fuel over output per rating."""

    power_w: float
    unit_w: float
    units: float
    minimum_frac: float
    call_s: float
    ready_s: float
    stop_s: float
    ramp_frac_per_s: float
    fuel: tuple[float, float, float]
    tank_j: float

    def fuel_w(self, power_w: float, online_w: float) -> float:
        """Fuel for an output of running sets."""
        a, b, c = self.fuel
        x = power_w / online_w
        return power_w + online_w * (a + b * x + c * x * x)


@dataclass(frozen=True)
class PodPlan:
    """A pod's lineup, rack side first, and how it goes and comes."""

    stages: tuple[Stage, ...]
    ups_stage: int
    priority: int
    wait_s: float
    margin_frac: float
    return_s: float
    walk_in_s: float


@dataclass(frozen=True)
class Plan:
    """A site as the judge sees it. `ups_share` is each pod's part of the cooling that hangs on UPS buses, else 0."""

    dt_s: float
    pods: tuple[PodPlan, ...]
    stores: tuple[Store, ...]
    soc: tuple[float, ...]
    gensets: tuple[Genset, ...]
    export_w: float
    transformer: tuple[float, float]  # no load [W], load loss [1/W]
    auxiliary_frac: float
    restart_s: float
    ramp_s: float
    compressor_restart_s: float
    ups_share: tuple[float, ...]
    island: bool


@dataclass(frozen=True)
class Step:
    """What one step brings: wants as recorded, and what the scenario gives."""

    consumed_w: tuple[float, ...]  # behind the innermost stage, had it not been shed
    powered: tuple[bool, ...]
    drives_w: float  # pumps and fans, wanted
    compressors_w: float
    auxiliary_w: float  # wanted in the pass that stood, with that of the storages
    auxiliary_base_w: float  # of it, what does not follow the lineups
    transformer_w: float | None  # as recorded in the pass that stood; None: by the rule
    pv_w: float
    wind_w: float
    limit_w: float
    grid: bool
    genset_share: tuple[float, ...]
    stage_share: dict[tuple[int, int], float]
    set_point_w: tuple[float, ...]  # NaN: none in force


@dataclass
class Told:
    """What must be in the record of a step."""

    off: frozenset[int] = frozenset()
    level: int = 0
    formed: bool = True
    short_w: float = 0.0
    net_w: float = 0.0
    curtailed_w: float = 0.0
    pv_w: float = 0.0
    wind_w: float = 0.0
    bank_w: float = 0.0
    load_w: float = 0.0
    cooling_w: float = 0.0
    auxiliary_w: float = 0.0
    transformer_w: float = 0.0
    need_w: float = 0.0
    store_w: list[float] = field(default_factory=list)
    soc: list[float] = field(default_factory=list)
    genset_w: list[float] = field(default_factory=list)
    fuel_w: list[float] = field(default_factory=list)
    running: list[bool] = field(default_factory=list)
    bus_w: list[float] = field(default_factory=list)
    missing: set[int] = field(default_factory=set)
    lacking: bool = False
    wanted_w: float = 0.0
    bus_wanted_w: list[float] = field(default_factory=list)


@dataclass
class Bus:
    """Power on the site bus in one pass: what is needed before storages, what they take and give."""

    need_w: float  # consumption and losses less photovoltaics and wind
    limit_w: float
    export_w: float
    ranges: list[tuple[float, float, float]]
    charge_w: float = 0.0
    given_w: float = 0.0

    @property
    def high_w(self) -> float:
        return sum(high for _, high, _ in self.ranges)

    @property
    def genset_w(self) -> float:
        """What gensets give: what the grid lacks for load and charging, within their range."""
        low = sum(low for low, _, _ in self.ranges)
        return min(max(self.need_w + self.charge_w - self.limit_w, low), self.high_w)

    @property
    def net_w(self) -> float:
        """Exchange with the grid, before anything is covered or spilled."""
        return self.need_w + self.charge_w - self.given_w - self.genset_w

    @property
    def room_w(self) -> float:
        """What photovoltaics, wind and grid have to spare."""
        return max(self.limit_w - self.need_w - self.charge_w + self.given_w, 0.0)

    @property
    def reach_w(self) -> float:
        """What gensets have to spare, their least output included."""
        return self.high_w - min(max(self.need_w + self.charge_w - self.limit_w, 0.0), self.high_w)

    @property
    def _spilled_w(self) -> float:
        """Photovoltaics and wind beyond load and charging."""
        return max(-self.need_w - self.charge_w, 0.0)

    @property
    def takes_w(self) -> float:
        """What storages at the site may give: load that is left after gensets, and export that is free."""
        load = max(self.need_w + self.charge_w - self.genset_w, 0.0)
        return max(load + self.export_w - min(self._spilled_w, self.export_w) - self.given_w, 0.0)

    @property
    def exportable_w(self) -> float:
        """What may be exported: renewables and what storages gave beyond the load, never gensets."""
        load = max(self.need_w + self.charge_w - self.genset_w, 0.0)
        return min(self.export_w, self._spilled_w + max(self.given_w - load, 0.0))

    def shared(self, total_w: float) -> list[float]:
        """Each genset the same share of its range."""
        low = sum(low for low, _, _ in self.ranges)
        share = (total_w - low) / (self.high_w - low) if self.high_w > low else 1.0
        return [a + min(max(share, 0.0), 1.0) * (b - a) for a, b, _ in self.ranges]
