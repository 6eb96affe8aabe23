"""What carries lineups without the grid, in the transient engine's arrays: batteries, capacitors, gensets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aidc.firmware.lag import lag_gain
from aidc.plant.conversion import online_multiple
from aidc.plant.storage import StorageParams
from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Pod as PodShape
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.simulate.energy.fields import Pod, Store
from aidc.simulate.transient.arrays import FloatArray
from aidc.simulate.transient.fields import Genset, Lane
from aidc.simulate.transient.start import OperatingPoint
from aidc.units import MEGA

__all__ = ["fill_battery", "fill_shelf", "front_of", "genset_rows", "has_battery", "stacked", "ups_cooling_w"]

_NO_CELLS = StorageParams(0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
_SHELF_WINDOW_S = 3.0  # what 65 J per accelerator can smooth; see catalogue/storage/rack-capacitor-shelf
_SHELF_SHARE = 0.3  # of the accelerators' rating: NVIDIA states a grid peak lower by up to 30 % (GB300)


def front_of(site: Site, pod: PodShape) -> FrontEnd:
    """The front end of a pod's chain; a chain that names none is a current limit and nothing else."""
    return site.chains[pod.chain].front_entry or FrontEnd()


def _storage_of(site: Site, point: OperatingPoint, lane: int, node: str) -> tuple[int, Storage] | None:
    """The storage at a node of a lineup, with its column in the energy engine."""
    found = [
        (column, site.storage[name])
        for column, name in enumerate(point.compiled.labels.stores)
        if int(point.compiled.params.store[Store.LANE, column]) == lane
        and name in site.storage
        and site.storage[name].node == node
    ]
    return found[0] if found else None


def has_battery(site: Site, point: OperatingPoint, lane: int, front: FrontEnd) -> bool:
    """Whether a lineup has a battery on its UPS bus: a storage, or the front end's own.

    `lane` is the lineup's number.
    """
    return front.battery_frac > 0 or _storage_of(site, point, lane, "ups") is not None


def fill_battery(
    site: Site, point: OperatingPoint, lane: int, front: FrontEnd, row: FloatArray
) -> StorageParams:
    """Fill a lineup's rows of its battery, and return its cells.

    A storage at its UPS node goes before the front end's own. That one hangs on the direct voltage without a
    converter; its cells hold what it delivers at rated power for `battery_s`, over its efficiency. It is refilled
    to the full, as is a storage that keeps a reserve; another storage to where its rule had left it.

    `lane` is the lineup's number and `row` its column of `Plan.lane`, changed in place.
    """
    buffer_w = row[Lane.BUFFER_W]
    found = _storage_of(site, point, lane, "ups")
    params, soc_frac = _NO_CELLS, 0.0
    if found is not None:
        column, shape = found
        params = StorageParams(*(float(value) for value in point.compiled.params.storage[:, column]))
        soc_frac = float(point.soc_frac[column])
        row[Lane.FROM_GENSETS] = float(shape.charge_from_gensets)
        row[Lane.REFILL_FRAC] = params.soc_max_frac if shape.rule.stays_full else soc_frac
    elif front.battery_frac > 0:
        soc_frac = 1.0
        row[Lane.REFILL_FRAC] = 1.0
        params = _NO_CELLS._replace(
            capacity_j=front.battery_s * buffer_w / front.battery_discharge_efficiency_frac,
            rated_w=front.battery_frac * buffer_w,
            cell_charge_frac=front.battery_charge_efficiency_frac,
            cell_discharge_frac=front.battery_discharge_efficiency_frac,
        )
    row[Lane.BATTERY_W] = params.rated_w if params.capacity_j > 0 else 0.0
    row[Lane.BATTERY_START_FRAC] = soc_frac
    row[Lane.RECHARGE_W] = front.recharge_frac * buffer_w if params.capacity_j > 0 else 0.0
    return params


def fill_shelf(
    site: Site, point: OperatingPoint, lane: int, pod: PodShape, row: FloatArray, step_s: float
) -> StorageParams:
    """Fill a lineup's rows of its rack capacitors, and return their cells.

    Capacitors that the rack's own entry states have no losses of their own: those are part of its power shelf.

    `lane` is the lineup's number, `pod` what it feeds, `row` its column of `Plan.lane`, changed in place, and
    `step_s` the step of the window [s].
    """
    found = _storage_of(site, point, lane, "rack")
    params, window_s = _NO_CELLS, _SHELF_WINDOW_S
    if found is not None:
        column, shape = found
        params = StorageParams(*(float(value) for value in point.compiled.params.storage[:, column]))
        window_s = shape.rule.smoothing_s or window_s
    elif pod.rack.capacitor_j > 0:
        params = _NO_CELLS._replace(
            capacity_j=pod.rack.capacitor_j * pod.accelerators, rated_w=_SHELF_SHARE * row[Lane.RATED_W]
        )
    row[Lane.SHELF_J] = params.capacity_j
    row[Lane.SHELF_GAIN] = lag_gain(step_s, window_s)
    row[Lane.SHELF_STEER_PER_S] = 0.25 / window_s
    return params


def ups_cooling_w(site: Site, point: OperatingPoint) -> tuple[FloatArray, FloatArray]:
    """Pumps and fans on each lineup's UPS bus [W], of its plant and of the plant of its hall.

    A pod's own CDU pumps and air handlers hang on its own lineup, what serves the whole plant on the lineups
    that it cools, by the rated heat that it takes from each. A lineup without a battery has no such bus.
    """
    pods, params = list(site.pods.values()), point.compiled.params
    rated_w = np.array([pod.racks * pod.rack.rated_power_kw * 1e3 for pod in pods])
    liquid = np.array([pod.rack.liquid_frac for pod in pods])
    able = np.array([has_battery(site, point, k, front_of(site, pod)) for k, pod in enumerate(pods)], float)
    own, air = params.pod[Pod.PLANT].astype(int), params.pod[Pod.AIR_PLANT].astype(int)
    loop_w, air_w = np.zeros(len(pods)), np.zeros(len(pods))
    for number, plant in enumerate(site.cooling.values()):
        if not plant.drives.on_ups:
            continue
        heat_w = rated_w * liquid * (own == number), rated_w * (1.0 - liquid) * (air == number)
        per_w = float(point.drives_w[number]) / max(float(heat_w[0].sum() + heat_w[1].sum()), 1.0)
        loop_w += able * (point.pump_w * (own == number) + per_w * heat_w[0])
        air_w += able * (point.crah_w * (air == number) + per_w * heat_w[1])
    return loop_w, air_w


def genset_rows(site: Site, step_s: float) -> FloatArray:
    """Generator sets [Genset, genset]: what may be drawn, and spares that run along."""
    rows = np.zeros((len(Genset), len(site.gensets)))
    for number, genset in enumerate(site.gensets.values()):
        power_w = genset.power_mw * MEGA
        online_w = power_w * online_multiple(genset.redundancy, genset.units)
        row = rows[:, number]
        row[Genset.CALL_TICKS] = round(genset.call_s / step_s)
        ready_s = genset.call_s + genset.start_time_s + genset.synchronise_s
        row[Genset.READY_TICKS] = round(ready_s / step_s)
        row[Genset.STOP_TICKS] = round(genset.stop_s / step_s)
        row[Genset.POWER_W] = power_w
        row[Genset.ONLINE_W] = online_w
        row[Genset.LOW_W] = genset.minimum_load_frac * online_w
        row[Genset.RAMP_W] = genset.ramp_frac_per_s * online_w * step_s
    return rows


def stacked(cells: Sequence[StorageParams]) -> FloatArray:
    """Cells as an array [StorageParams, lane]."""
    return np.array(cells, dtype=float).T.reshape(len(StorageParams._fields), len(cells))
