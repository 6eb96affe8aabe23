"""From the engine's records to frames, with the residuals of energy and heat.

The residuals are computed here, outside the kernel, from the energies of the single components and
the stored states at the ends of each output step; the kernel's own totals are not used, so an error
in its bookkeeping shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from aidc.simulate.arrays import FloatArray, Records, State
from aidc.simulate.compiled import Compiled
from aidc.simulate.fields import (
    Component,
    GensetNow,
    Plant,
    PlantState,
    Pod,
    PodCell,
    PodNow,
    PodState,
    SiteNow,
    StoreNow,
)

__all__ = ["Stored", "pod_frame", "series_frame", "stored_now"]


class Stored(NamedTuple):
    """What is stored at an instant: electrical energy and heat (above 0 K) [J]."""

    energy_j: float
    heat_j: float


def stored_now(compiled: Compiled, state: State) -> Stored:
    """Energy in the storages and heat in the loops of the first design."""
    params = compiled.params
    capacity = params.storage[0] if params.storage.size else np.zeros(0)
    heat = (
        params.pod[Pod.LOOP_J_K] @ state.pod[PodState.LOOP_K]
        + params.pod[Pod.AIR_J_K] @ state.pod[PodState.AIR_K]
        + params.plant[Plant.LOOP_J_K] @ state.plant[PlantState.SUPPLY_K]
    )
    return Stored(float(capacity @ state.soc_frac), float(heat))


def _times(compiled: Compiled, first_tick: int, rows: int) -> np.ndarray:
    period_us = compiled.clock.step_s * compiled.steps_per_row * 1_000_000
    offset_us = compiled.clock.step_s * first_tick * 1_000_000
    start = np.datetime64(compiled.clock.start.replace(tzinfo=None), "us")
    steps = np.array([int(offset_us + row * period_us) for row in range(rows)], dtype="timedelta64[us]")
    return start + steps


def series_frame(
    compiled: Compiled, out: Records, first_tick: int, rows: int, before: Stored
) -> pl.DataFrame:
    """One row per output step: the site's columns of the record."""
    site, pod = out.site[:rows, :, 0], out.pod[:rows]
    times = _times(compiled, first_tick, rows)
    columns: dict[str, np.ndarray] = {
        "grid_import_w": np.maximum(site[:, SiteNow.IMPORT_W], 0.0),
        "grid_export_w": site[:, SiteNow.EXPORT_W],
        "grid_import_min_w": out.net_import_w[:rows, 0, 0],
        "grid_import_max_w": out.net_import_w[:rows, 1, 0],
        "pv_w": site[:, SiteNow.PV_W],
        "wind_w": site[:, SiteNow.WIND_W],
        "genset_w": out.genset[:rows, GensetNow.POWER_W].sum(axis=1),
        "genset_fuel_w": out.genset[:rows, GensetNow.FUEL_W].sum(axis=1),
        "load_bank_w": site[:, SiteNow.LOAD_BANK_W],
        "wanted_w": site[:, SiteNow.WANTED_W],
        "bus_formed_frac": site[:, SiteNow.FORMED_FRAC],
        "curtailed_w": site[:, SiteNow.CURTAILED_W],
        "accelerator_w": pod[:, PodNow.ACCELERATOR_W].sum(axis=1),
        "server_w": pod[:, PodNow.SERVER_W].sum(axis=1),
        "network_w": pod[:, PodNow.NETWORK_W].sum(axis=1),
        "it_w": pod[:, PodNow.IT_W].sum(axis=1),
        "conversion_loss_w": pod[:, PodNow.CHAIN_LOSS_W].sum(axis=1) + site[:, SiteNow.TRANSFORMER_W],
        "transformer_loss_w": site[:, SiteNow.TRANSFORMER_W],
        "cooling_w": site[:, SiteNow.COOLING_W],
        "auxiliary_w": site[:, SiteNow.AUXILIARY_W],
        "unserved_w": site[:, SiteNow.UNSERVED_W],
        "cooling_unserved_w": site[:, SiteNow.COOLING_UNSERVED_W],
        "auxiliary_unserved_w": site[:, SiteNow.AUXILIARY_UNSERVED_W],
        "storage_loss_w": out.store[:rows, StoreNow.LOSS_W].sum(axis=1),
        "heat_rejected_w": site[:, SiteNow.REJECTED_W],
        "heat_reused_w": site[:, SiteNow.REUSED_W],
        "heat_ambient_w": site[:, SiteNow.AMBIENT_W],
        "water_kg_s": out.plant[:rows, Component.WATER_KG_S].sum(axis=1),
        "dry_bulb_k": site[:, SiteNow.DRY_BULB_K],
        "wet_bulb_k": site[:, SiteNow.WET_BULB_K],
    }
    columns |= _market_columns(compiled, times)
    columns |= _residuals(compiled, out, rows, before)
    columns |= _stage_columns(compiled, out, rows)
    columns |= _plant_columns(compiled, out, rows)
    columns |= _store_columns(compiled, out, rows)
    columns |= _genset_columns(compiled, out, rows)
    frame = pl.DataFrame(columns)
    return frame.insert_column(0, pl.Series("time", times).dt.replace_time_zone("UTC"))


def _market_columns(compiled: Compiled, times: np.ndarray) -> dict[str, FloatArray]:
    """Means over each output step, so that power times price is right where power is steady in it."""
    market = compiled.market
    row_s = compiled.clock.step_s * compiled.steps_per_row
    carbon = market.carbon_kg_per_mwh
    columns = {
        "price_usd_per_mwh": market.price_usd_per_mwh.over(times, row_s),
        "export_price_usd_per_mwh": market.export_price_usd_per_mwh.over(times, row_s),
        "carbon_kg_per_mwh": np.zeros(times.size) if carbon is None else carbon.over(times, row_s),
    }
    if market.marginal_kg_per_mwh is not None:
        columns["marginal_carbon_kg_per_mwh"] = market.marginal_kg_per_mwh.over(times, row_s)
    return columns


def _stage_columns(compiled: Compiled, out: Records, rows: int) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for stage, labels in enumerate(compiled.labels.stages):
        for lane, label in enumerate(labels):
            if label:
                name = f"stage.{label}.loss_w"
                columns[name] = columns.get(name, 0.0) + out.stage[:rows, stage, lane]
    return columns


def _plant_columns(compiled: Compiled, out: Records, rows: int) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for plant, name in enumerate(compiled.labels.plants):
        now = out.plant[:rows, :, plant]
        mine = compiled.params.pod[Pod.PLANT] == plant
        columns[f"cooling.{name}.pump_facility_w"] = now[:, Component.PUMP_FACILITY_W]
        columns[f"cooling.{name}.pump_cdu_w"] = out.pod[:rows, PodNow.PUMP_W][:, mine].sum(axis=1)
        columns[f"cooling.{name}.fan_w"] = now[:, Component.FAN_W]
        columns[f"cooling.{name}.chiller_w"] = now[:, Component.CHILLER_W]
        hall = compiled.params.pod[Pod.AIR_PLANT] == plant
        columns[f"cooling.{name}.crah_w"] = out.pod[:rows, PodNow.CRAH_W][:, hall].sum(axis=1)
        columns[f"cooling.{name}.supply_k"] = now[:, Component.SUPPLY_K]
        columns[f"cooling.{name}.return_k"] = now[:, Component.RETURN_K]
        columns[f"cooling.{name}.above_k"] = now[:, Component.ABOVE_K]
        columns[f"cooling.{name}.heat_w"] = now[:, Component.HEAT_W] + now[:, Component.REUSED_W]
        columns[f"cooling.{name}.water_kg_s"] = now[:, Component.WATER_KG_S]
    return columns


def _store_columns(compiled: Compiled, out: Records, rows: int) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    capacity = compiled.params.storage[0] if compiled.params.storage.size else np.zeros(0)
    for name in dict.fromkeys(compiled.labels.stores):
        mine = np.array([label == name for label in compiled.labels.stores])
        now = out.store[:rows][:, :, mine].sum(axis=2)
        columns[f"storage.{name}.power_w"] = now[:, StoreNow.CHARGE_W] - now[:, StoreNow.DISCHARGE_W]
        columns[f"storage.{name}.charge_w"] = now[:, StoreNow.CHARGE_W]
        columns[f"storage.{name}.discharge_w"] = now[:, StoreNow.DISCHARGE_W]
        columns[f"storage.{name}.loss_w"] = now[:, StoreNow.LOSS_W]
        share = capacity[mine] / capacity[mine].sum()
        columns[f"storage.{name}.soc_frac"] = out.soc_frac[:rows][:, mine] @ share
    return columns


def _genset_columns(compiled: Compiled, out: Records, rows: int) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for number, name in enumerate(compiled.labels.gensets):
        now = out.genset[:rows, :, number]
        columns[f"genset.{name}.power_w"] = now[:, GensetNow.POWER_W]
        columns[f"genset.{name}.fuel_w"] = now[:, GensetNow.FUEL_W]
        columns[f"genset.{name}.running_frac"] = now[:, GensetNow.RUNNING_FRAC]
    return columns


def _residuals(compiled: Compiled, out: Records, rows: int, before: Stored) -> dict[str, FloatArray]:
    """Energy and heat that the components do not account for, and the flows to hold them against."""
    params = compiled.params
    period_s = float(compiled.clock.step_s * compiled.steps_per_row)
    site, pod, plant, store = out.site[:rows, :, 0], out.pod[:rows], out.plant[:rows], out.store[:rows]
    capacity = params.storage[0] if params.storage.size else np.zeros(0)
    stored = np.concatenate([[before.energy_j], out.soc_frac[:rows] @ capacity])
    thermal = (
        out.loop_k[:rows, 0] @ params.pod[Pod.LOOP_J_K]
        + out.loop_k[:rows, 1] @ params.pod[Pod.AIR_J_K]
        + out.facility_k[:rows] @ params.plant[Plant.LOOP_J_K]
    )
    warmed_w = np.diff(np.concatenate([[before.heat_j], thermal])) / period_s
    used = (
        pod[:, PodNow.ACCELERATOR_W].sum(axis=1),
        pod[:, PodNow.OVERHEAD_W].sum(axis=1),
        pod[:, PodNow.NETWORK_W].sum(axis=1),
        out.stage[:rows].sum(axis=(1, 2)),
        pod[:, PodNow.PUMP_W].sum(axis=1),
        pod[:, PodNow.CRAH_W].sum(axis=1),
        plant[:, [Component.PUMP_FACILITY_W, Component.FAN_W, Component.CHILLER_W]].sum(axis=(1, 2)),
        site[:, SiteNow.AUXILIARY_W],
        site[:, SiteNow.TRANSFORMER_W],
        site[:, SiteNow.LOAD_BANK_W],
        store[:, StoreNow.LOSS_W].sum(axis=1),
    )
    supplied = (
        site[:, SiteNow.IMPORT_W],
        -site[:, SiteNow.EXPORT_W],
        site[:, SiteNow.PV_W],
        site[:, SiteNow.WIND_W],
        out.genset[:rows, GensetNow.POWER_W].sum(axis=1),
    )
    charged_w = np.diff(stored) / period_s
    left = (
        plant[:, Component.HEAT_W].sum(axis=1),
        plant[:, Component.REUSED_W].sum(axis=1),
        site[:, SiteNow.AMBIENT_W],
    )
    consumed = np.sum(used, axis=0)
    return {
        "residual_energy_w": np.sum(supplied, axis=0) - consumed - charged_w,
        "flow_energy_w": np.sum(np.abs(supplied), axis=0) + np.sum(np.abs(used), axis=0) + np.abs(charged_w),
        "residual_heat_w": consumed - np.sum(left, axis=0) - warmed_w,
        "flow_heat_w": np.sum(np.abs(used), axis=0) + np.sum(np.abs(left), axis=0) + np.abs(warmed_w),
        "heat_stored_w": warmed_w,
        "storage_change_w": charged_w,
    }


_AMOUNTS = {
    "tokens_arrived": PodNow.ARRIVED_TOKENS,
    "tokens_output": PodNow.OUTPUT_TOKENS,
    "tokens_dropped": PodNow.DROPPED_TOKENS,
    "tokens_useful": PodNow.USEFUL_TOKENS,
    "training_tokens": PodNow.TRAINED_TOKENS,
}
_MEANS = {
    "accelerator_w": PodNow.ACCELERATOR_W,
    "accelerator_demand_w": PodNow.UNCAPPED_W,
    "server_w": PodNow.SERVER_W,
    "network_w": PodNow.NETWORK_W,
    "it_w": PodNow.IT_W,
    "chain_loss_w": PodNow.CHAIN_LOSS_W,
    "utilisation_frac": PodNow.LOAD_FRAC,
    "supply_k": PodNow.SUPPLY_K,
    "air_k": PodNow.AIR_K,
    "cap_frac": PodNow.CAP_FRAC,
    "throttle_frac": PodNow.THROTTLE_FRAC,
    "shed_frac": PodNow.SHED_FRAC,
    "not_supplied_w": PodNow.NOT_SUPPLIED_W,
    "bus_wanted_w": PodNow.BUS_WANTED_W,
    "bus_w": PodNow.BUS_W,
    "tripped_frac": PodNow.TRIP_FRAC,
}


_CELLS = {
    "batch": PodCell.BATCH,
    "ttft_p50_s": PodCell.TTFT_P50_S,
    "ttft_p90_s": PodCell.TTFT_P90_S,
    "ttft_p99_s": PodCell.TTFT_P99_S,
    "itl_p50_s": PodCell.ITL_P50_S,
    "itl_p90_s": PodCell.ITL_P90_S,
    "itl_p99_s": PodCell.ITL_P99_S,
}


def pod_frame(compiled: Compiled, out: Records, first_tick: int, rows: int) -> pl.DataFrame:
    """One row per output step and pod, pods in the site's order within each step."""
    pods = len(compiled.labels.pods)
    times = np.repeat(_times(compiled, first_tick, rows), pods)
    steps = compiled.steps_per_row
    columns = {name: out.pod[:rows, row].ravel() for name, row in _MEANS.items()}
    columns |= {name: out.cell[:rows, row].ravel() for name, row in _CELLS.items()}
    columns["wanted_w"] = columns["it_w"] + columns["not_supplied_w"]
    columns["available_frac"] = 1.0 - columns["shed_frac"] - columns["tripped_frac"]
    amounts = {name: out.pod[:rows, row].ravel() * steps for name, row in _AMOUNTS.items()}
    params = compiled.params.pod
    output = out.pod[:rows, PodNow.OUTPUT_TOKENS] * steps
    amounts["tokens_input"] = (output * params[Pod.INPUT_PER_OUTPUT]).ravel()
    amounts["requests"] = (output / params[Pod.OUTPUT_PER_REQUEST]).ravel()
    frame = pl.DataFrame(
        columns
        | amounts
        | {"queue_tokens": out.queue_tokens[:rows].ravel(), "case_k": out.case_k[:rows].ravel()}
    )
    names = pl.Series("pod", list(compiled.labels.pods) * rows, dtype=pl.Enum(list(compiled.labels.pods)))
    frame = frame.insert_column(0, pl.Series("time", times).dt.replace_time_zone("UTC"))
    return frame.insert_column(1, names)
