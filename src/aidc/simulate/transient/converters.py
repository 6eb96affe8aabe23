"""Converters and cells of the site storages, in the transient engine's arrays."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from aidc.firmware.lag import lag_gain
from aidc.plant.storage import StorageParams
from aidc.schema.converter import FrequencyDroop, LoadSmoothing, NoLaw, RampLimit
from aidc.schema.fault_behaviour import FaultBehaviour
from aidc.schema.relay import Relay
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.simulate.energy.fields import Cells, Store
from aidc.simulate.transient.arrays import FloatArray
from aidc.simulate.transient.fields import CURVE, Converter, Law
from aidc.simulate.transient.start import OperatingPoint
from aidc.units import HOUR_S, MEGA, MINUTE_S

__all__ = ["converter_rows", "fault_figures", "site_columns", "site_stores", "transient_storage"]

_HIGHEST_PU = 1.5  # no bus that a converter still feeds has more


def site_stores(site: Site, point: OperatingPoint) -> list[tuple[int, Storage]]:
    """Columns of the energy engine's storages that stand at the site bus, with their shapes."""
    params = point.compiled.params
    return [
        (column, site.storage[name])
        for column, name in enumerate(point.compiled.labels.stores)
        if params.store[Store.LANE, column] < 0
    ]


def site_columns(point: OperatingPoint) -> list[int]:
    """The columns alone."""
    return [int(column) for column in np.flatnonzero(point.compiled.params.store[Store.LANE] < 0)]


def converter_rows(site: Site, point: OperatingPoint, step_s: float) -> FloatArray:
    """Converter parameters [Converter, storage]; impedances are per unit voltage squared over VA."""
    found = site_stores(site, point)
    rows = np.zeros((Converter.SIZE, len(found)))
    for number, (column, shape) in enumerate(found):
        one = shape.converter
        rated_w = float(point.compiled.params.storage[Cells.RATED_W, column])
        row = rows[:, number]
        row[Converter.FORMING] = float(one.control == "grid-forming")
        row[Converter.RATED_W] = rated_w
        row[Converter.LAG_GAIN] = lag_gain(step_s, one.lag_s)
        row[Converter.PLL_GAIN] = lag_gain(step_s, one.pll_s)
        row[Converter.CURRENT_LIMIT] = one.current_limit_frac
        row[Converter.CEASE_PU] = one.cease_below_pu or 0.0
        row[Converter.DROOP] = one.droop_frac
        row[Converter.INERTIA_S] = one.inertia_s
        row[Converter.DAMPING] = one.damping_frac
        row[Converter.R] = one.resistance_frac / rated_w
        row[Converter.X] = one.reactance_frac / rated_w
        row[Converter.POWER_GAIN] = lag_gain(step_s, one.power_lag_s)
        row[Converter.VOLT_VAR] = one.volt_var_frac
        row[Converter.SOC_MIDDLE] = 0.5 * (shape.soc_min_frac + shape.soc_max_frac)
        for name, value in fault_figures(one, rated_w, step_s).items():
            row[Converter[name]] = value
        _law(row, shape, step_s)
        _relay(row, one.relay or Relay(), one.cease_after_s or 0.0, step_s)
    return rows


def _relay(row: FloatArray, relay: Relay, least_s: float, step_s: float) -> None:
    """Protection settings in steps; a point that does not exist can never be passed."""
    row[Converter.ROCOF_HZ] = (relay.rocof_hz_per_s or np.inf) * step_s
    row[Converter.ROCOF_TICKS] = round(relay.rocof_s / step_s)
    row[Converter.JUMP_RAD] = np.radians(relay.phase_jump_deg or np.inf)
    never = (0.0, np.inf, 0.0, np.inf)
    for side, name in enumerate(("below_pu", "above_pu", "below_hz", "above_hz")):
        levels, times = getattr(relay, name) or (), getattr(relay, f"{name}_s")
        least = least_s if side == 0 else 0.0
        place = side * CURVE
        row[Converter.RELAY + place : Converter.RELAY + place + CURVE] = never[side]
        row[Converter.RELAY + place : Converter.RELAY + place + len(levels)] = levels
        row[Converter.RELAY_TICKS + place : Converter.RELAY_TICKS + place + len(times)] = [
            round(max(t, least) / step_s) for t in times
        ]


def fault_figures(shape: FaultBehaviour, rated_w: float, step_s: float) -> dict[str, float]:
    """Rows of `Lane` and of `Converter` that hold what a converter does in a fault; 0 where that is not stated."""
    return {
        "FULL_PU": shape.active_current_full_pu or 0.0,
        "ZERO_PU": shape.active_current_zero_pu or 0.0,
        "PRIORITY_PU": shape.reactive_priority_below_pu or 0.0,
        "REACTIVE_GAIN": shape.reactive_gain,
        "LOST_PU": shape.sync_lost_below_pu or 0.0,
        "RESYNC_TICKS": round((shape.resync_s or 0.0) / step_s),
        "CEASE_TICKS": round((shape.cease_after_s or 0.0) / step_s),
        "RECOVERY_W": (shape.recovery_ramp_frac_per_s or 0.0) * rated_w * step_s,
    }


def _law(row: FloatArray, shape: Storage, step_s: float) -> None:
    """The converter's own law; a storage whose slow rule is smoothing smooths here too."""
    law = shape.converter.law
    match law:
        case LoadSmoothing():
            row[Converter.LAW] = Law.SMOOTHING
            row[Converter.LAW_GAIN] = lag_gain(step_s, law.time_constant_s)
            row[Converter.STEER_PER_S] = law.soc_gain_per_h / HOUR_S
        case RampLimit():
            row[Converter.LAW] = Law.RAMP
            row[Converter.LAW_GAIN] = law.limit_mw_per_min * MEGA / MINUTE_S * step_s
            row[Converter.STEER_PER_S] = law.soc_gain_per_h / HOUR_S
        case FrequencyDroop():
            row[Converter.LAW] = Law.DROOP
            row[Converter.DEADBAND_HZ] = law.deadband_hz
            row[Converter.FULL_HZ] = law.full_hz
            row[Converter.SHARE] = law.share_frac
        case NoLaw():
            if shape.rule.smoothing_s > 0.0:
                row[Converter.LAW] = Law.SMOOTHING
                row[Converter.LAW_GAIN] = lag_gain(step_s, shape.rule.smoothing_s)
        case _:
            assert_never(law)


def transient_storage(site: Site, point: OperatingPoint) -> FloatArray:
    """Cells and losses [StorageParams, storage], with the converter's short-time rating.

    A converter that may carry k times its rated current loses the same power at the same load:
    rated·(a + b·x + c·x²) with x over rated is k·rated·(a/k + b·y + c·k·y²) with y over k·rated. Current at a
    voltage above nominal is more power yet; the network limits the current, the cells must not do it again.
    """
    columns = []
    for column, shape in site_stores(site, point):
        params = StorageParams(*(float(value) for value in point.compiled.params.storage[:, column]))
        k = _HIGHEST_PU * shape.converter.current_limit_frac
        columns.append(
            params._replace(
                rated_w=params.rated_w * k,
                charge_a=params.charge_a / k,
                charge_c=params.charge_c * k,
                discharge_a=params.discharge_a / k,
                discharge_c=params.discharge_c * k,
            )
        )
    return np.array(columns, dtype=float).T.reshape(len(StorageParams._fields), len(columns))
