"""The storages and gensets of a site in the engine's arrays.

A storage at the UPS or in the rack becomes one for each lineup that has it, sharing its rating by the pods' own. A
front end that brings a battery of its own gets it as a storage of its lineup, unless the site lists one there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from aidc.plant.genset import GensetParams, genset_params
from aidc.plant.storage import StorageParams, rule_thresholds_w, storage_params
from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Pod as PodShape
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.simulate.energy import fields as f
from aidc.simulate.energy.arrays import FloatArray
from aidc.units import J_PER_MWH, MEGA

__all__ = [
    "Lineups",
    "Stores",
    "compile_gensets",
    "compile_stores",
    "front_battery",
    "node_slot",
    "start_gensets",
    "store_places",
]

_FOREVER_J = 1e30


class Lineups(NamedTuple):
    """What the lineups' compilation tells the storages: labels [stage][lane], and power leaving each stage at rating."""

    labels: tuple[tuple[str, ...], ...]
    server_stages: int
    output_w: FloatArray  # [stage, lane]


class Stores(NamedTuple):
    """Names, engine parameters [Store, storage], physics [StorageParams, storage], charge at the start."""

    names: tuple[str, ...]
    store: FloatArray
    storage: FloatArray
    soc_frac: FloatArray
    fronts: dict[str, tuple[float, float]]  # batteries of front ends: energy [J] and power [W]


class _Column(NamedTuple):
    name: str
    store: list[float]
    storage: StorageParams
    soc_frac: float


def store_places(site: Site, shape: Storage) -> list[tuple[int, float, float]]:
    """Lanes that a storage serves with their share of it and their rated power; -1 is the site bus."""
    if shape.node == "site":
        return [(-1, 1.0, 0.0)]
    rated = {
        lane: pod.racks * pod.rack.rated_power_kw * 1e3
        for lane, (name, pod) in enumerate(site.pods.items())
        if not shape.at or name in shape.at or pod.chain in shape.at
    }
    total = sum(rated.values())
    return [(lane, power / total, power) for lane, power in rated.items()]


def node_slot(site: Site, node: str, lane: int, lineups: Lineups) -> int:
    """The stage at whose output a storage acts: the one that the chain marks, else the rack's first.

    `node` is the storage's node as the site file names it, `lane` the number of the lineup.
    """
    pod = list(site.pods.values())[lane]
    marked = [stage.name for stage in site.chains[pod.chain].stages if stage.storage_node == node]
    wanted = f"{pod.chain}.{marked[0]}" if marked else ""
    slots = [slot for slot, row in enumerate(lineups.labels) if row[lane] and row[lane] == wanted]
    return slots[0] if slots else 0


def front_battery(front: FrontEnd | None, buffer_w: float) -> StorageParams | None:
    """The battery of a front end on the bus behind it [W at rating], on the DC link without a converter of its own."""
    if front is None or front.battery_frac <= 0:
        return None
    energy_j = front.battery_s * buffer_w / front.battery_discharge_efficiency_frac
    return StorageParams(
        capacity_j=energy_j,
        rated_w=front.battery_frac * buffer_w,
        soc_min_frac=0.0,
        soc_max_frac=1.0,
        charge_a=0.0,
        charge_b=0.0,
        charge_c=0.0,
        discharge_a=0.0,
        discharge_b=0.0,
        discharge_c=0.0,
        cell_charge_frac=front.battery_charge_efficiency_frac,
        cell_discharge_frac=front.battery_discharge_efficiency_frac,
        auxiliary_base_w=0.0,
        auxiliary_share_frac=0.0,
    )


def compile_stores(site: Site, lineups: Lineups) -> Stores:
    """All storages of a site, those of front ends last."""
    columns = [one for name, shape in site.storage.items() for one in _listed(site, name, shape, lineups)]
    covered = {
        lane
        for shape in site.storage.values()
        if shape.node == "ups"
        for lane, _, _ in store_places(site, shape)
    }
    fronts: dict[str, tuple[float, float]] = {}
    for one in _own(site, covered, lineups):
        columns.append(one)
        energy_j, power_w = fronts.get(one.name, (0.0, 0.0))
        fronts[one.name] = (energy_j + one.storage.capacity_j, power_w + one.storage.rated_w)
    count = len(columns)
    return Stores(
        tuple(one.name for one in columns),
        np.array([one.store for one in columns], dtype=float).T.reshape(len(f.Store), count),
        np.array([one.storage for one in columns], dtype=float).T.reshape(len(StorageParams._fields), count),
        np.array([one.soc_frac for one in columns], dtype=float).reshape(count),
        fronts,
    )


def _listed(site: Site, name: str, shape: Storage, lineups: Lineups) -> Iterator[_Column]:
    """The columns of a storage that the site lists."""
    limit_w = site.grid.import_limit_mw * MEGA
    for lane, share, rated_w in store_places(site, shape):
        pod = None if lane < 0 else list(site.pods.values())[lane]
        params = storage_params(shape, pod.accelerators if pod else 0)
        if shape.power_mw is not None:
            params = params._replace(
                rated_w=params.rated_w * share, auxiliary_base_w=params.auxiliary_base_w * share
            )
        if shape.energy_mwh is not None:
            params = params._replace(capacity_j=params.capacity_j * share)
        below_w, above_w = rule_thresholds_w(shape.rule, limit_w)
        if lane >= 0:  # a lineup has no import limit of its own: its rating is the bound
            scale = share if limit_w else 0.0
            below_w, above_w = min(below_w * scale, rated_w), max(above_w * scale, 0.0)
        slot = -1 if pod is None else node_slot(site, shape.node, lane, lineups)
        charge_w = params.rated_w
        if pod is not None and shape.node == "ups" and shape.rule.stays_full:
            charge_w = min(charge_w, _recharge_w(site, pod, float(lineups.output_w[slot, lane])))
        row = [0.0] * len(f.Store)
        row[f.Store.CHARGE_BELOW_W] = below_w
        row[f.Store.DISCHARGE_ABOVE_W] = above_w
        row[f.Store.SMOOTH_S] = shape.rule.smoothing_s
        row[f.Store.LANE] = lane
        row[f.Store.STAGE] = slot
        row[f.Store.CHARGE_LIMIT_W] = charge_w
        row[f.Store.AIR_FRAC] = float(shape.heat_to == "air")
        row[f.Store.RESERVE_FRAC] = shape.reserve_frac
        row[f.Store.FORMING] = float(lane < 0 and shape.converter.control == "grid-forming")
        row[f.Store.FROM_GENSETS] = float(shape.charge_from_gensets)
        row[f.Store.STAYS_FULL] = float(shape.rule.stays_full)
        yield _Column(name, row, params, shape.soc_initial_frac)


def _own(site: Site, covered: set[int], lineups: Lineups) -> Iterator[_Column]:
    """The columns of the batteries that front ends bring, full at the start."""
    for lane, pod in enumerate(site.pods.values()):
        slot = node_slot(site, "ups", lane, lineups)
        buffer_w = float(lineups.output_w[slot, lane])
        params = front_battery(site.chains[pod.chain].front_entry, buffer_w)
        if params is None or lane in covered:
            continue
        row = [0.0] * len(f.Store)
        row[f.Store.LANE] = lane
        row[f.Store.STAGE] = slot
        row[f.Store.CHARGE_LIMIT_W] = _recharge_w(site, pod, buffer_w)
        row[f.Store.AIR_FRAC] = 1.0
        row[f.Store.STAYS_FULL] = 1.0
        yield _Column(f"{pod.chain}.battery", row, params, 1.0)


def _recharge_w(site: Site, pod: PodShape, buffer_w: float) -> float:
    front = site.chains[pod.chain].front_entry or FrontEnd()
    return front.recharge_frac * buffer_w


def compile_gensets(site: Site) -> FloatArray:
    """[Genset, genset]."""
    rows = [list(genset_params(one)) for one in site.gensets.values()]
    return np.array(rows, dtype=float).T.reshape(len(GensetParams._fields), len(rows))


def start_gensets(site: Site, gensets: FloatArray) -> FloatArray:
    """[GensetState, genset]: at rest with a full tank; on a site without a grid they run and carry at the start."""
    state = np.zeros((len(f.GensetState), gensets.shape[1]))
    for number, genset in enumerate(site.gensets.values()):
        fuel = genset.fuel_mwh
        state[f.GensetState.FUEL_J, number] = _FOREVER_J if fuel is None else fuel * J_PER_MWH
    if site.grid.import_limit_mw <= 0:
        state[f.GensetState.CLOCK_S] = gensets[f.Genset.READY_S] + 1.0
        state[f.GensetState.POWER_W] = gensets[f.Genset.UNIT_W] * gensets[f.Genset.UNITS]
    return state
