"""From the engine's records to frames, with the residuals of energy and heat.

The residuals are computed here, outside the kernel, from the energies of the single components and
the stored states at the ends of each output step; the kernel's own totals are not used, so an error
in its bookkeeping shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from aidc.contract import Knob
from aidc.scenario.series import Series
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import FloatArray, IntArray, Records, State
from aidc.simulate.energy.fields import (
    Cells,
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

__all__ = ["Stored", "pod_frame", "series_frame", "stored_at", "stored_now"]


class Stored(NamedTuple):
    """What is stored at an instant: electrical energy and heat (above 0 K) [J]."""

    energy_j: float
    heat_j: float


def stored_now(compiled: Compiled, state: State) -> Stored:
    """Energy in the storages and heat in the loops of the first design."""
    pod, plant = state.pod, state.plant[PlantState.SUPPLY_K]
    return _stored(compiled, state.soc_frac, pod[PodState.LOOP_K], pod[PodState.AIR_K], plant)


def stored_at(compiled: Compiled, out: Records, row: int) -> Stored:
    """The same at the end of a row of the record."""
    return _stored(compiled, out.soc_frac[row], out.loop_k[row, 0], out.loop_k[row, 1], out.facility_k[row])


def _stored(
    compiled: Compiled, soc_frac: FloatArray, loop_k: FloatArray, air_k: FloatArray, facility_k: FloatArray
) -> Stored:
    params = compiled.params
    capacity = params.storage[Cells.CAPACITY_J] if params.storage.size else np.zeros(0)
    heat = (
        params.pod[Pod.LOOP_J_K] @ loop_k
        + params.pod[Pod.AIR_J_K] @ air_k
        + params.plant[Plant.LOOP_J_K] @ facility_k
    )
    return Stored(float(capacity @ soc_frac), float(heat))


def _width_columns(compiled: Compiled, out: Records) -> dict[str, np.ndarray]:
    """Accelerators that each elastic job holds at the end of a row."""
    least, most = compiled.view.lower[Knob.JOB_WIDTH], compiled.view.upper[Knob.JOB_WIDTH]
    return {
        f"jobs.{name}.width": np.rint(out.job_width[:, job] * most[job])
        for job, name in enumerate(compiled.jobs)
        if least[job] < most[job]
    }


def _times(compiled: Compiled, ticks: IntArray) -> np.ndarray:
    """Instants of ticks, to the microsecond."""
    tick_us = compiled.clock.step_s * 1_000_000
    start = np.datetime64(compiled.clock.start.replace(tzinfo=None), "us")
    return start + (ticks * tick_us.numerator // tick_us.denominator).astype("timedelta64[us]")


def series_frame(
    compiled: Compiled, out: Records, ticks: IntArray, steps: IntArray, before: Stored
) -> pl.DataFrame:
    """The site's columns of the record: rows of `steps` steps that begin at `ticks`, with what was stored before."""
    site, pod = out.site[:, :, 0], out.pod
    times = _times(compiled, ticks)
    row_s: FloatArray = steps.astype(np.float64) * float(compiled.clock.step_s)
    columns: dict[str, np.ndarray] = {
        "grid_import_w": np.maximum(site[:, SiteNow.IMPORT_W], 0.0),
        "grid_export_w": site[:, SiteNow.EXPORT_W],
        "grid_import_min_w": out.net_import_w[:, 0, 0],
        "grid_import_max_w": out.net_import_w[:, 1, 0],
        "pv_w": site[:, SiteNow.PV_W],
        "wind_w": site[:, SiteNow.WIND_W],
        "genset_w": out.genset[:, GensetNow.POWER_W].sum(axis=1),
        "genset_fuel_w": out.genset[:, GensetNow.FUEL_W].sum(axis=1),
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
        "storage_loss_w": out.store[:, StoreNow.LOSS_W].sum(axis=1),
        "heat_rejected_w": site[:, SiteNow.REJECTED_W],
        "heat_reused_w": site[:, SiteNow.REUSED_W],
        "heat_ambient_w": site[:, SiteNow.AMBIENT_W],
        "water_kg_s": out.plant[:, Component.WATER_KG_S].sum(axis=1),
        "dry_bulb_k": site[:, SiteNow.DRY_BULB_K],
        "wet_bulb_k": site[:, SiteNow.WET_BULB_K],
    }
    columns |= _market_columns(compiled, times, steps)
    columns |= _residuals(compiled, out, row_s, before)
    columns |= _stage_columns(compiled, out)
    columns |= _plant_columns(compiled, out)
    columns |= _store_columns(compiled, out)
    columns |= _genset_columns(compiled, out)
    columns |= _width_columns(compiled, out)
    frame = pl.DataFrame(columns)
    return frame.insert_column(0, pl.Series("time", times).dt.replace_time_zone("UTC"))


def _market_columns(compiled: Compiled, times: np.ndarray, steps: IntArray) -> dict[str, FloatArray]:
    """Means over each row: those of one value in the books, so that power times price is right."""
    market = compiled.market

    def over(series: Series) -> FloatArray:
        """Only the last row may be shorter than the others."""
        whole = series.over(times, compiled.clock.step_s * int(steps[0]))
        last = series.over(times[-1:], compiled.clock.step_s * int(steps[-1]))
        return np.append(whole[:-1], last)

    carbon = market.carbon_kg_per_mwh
    columns = {
        "price_usd_per_mwh": over(market.price_usd_per_mwh),
        "export_price_usd_per_mwh": over(market.export_price_usd_per_mwh),
        "carbon_kg_per_mwh": np.zeros(times.size) if carbon is None else over(carbon),
    }
    if market.marginal_kg_per_mwh is not None:
        columns["marginal_carbon_kg_per_mwh"] = over(market.marginal_kg_per_mwh)
    return columns


def _stage_columns(compiled: Compiled, out: Records) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for stage, labels in enumerate(compiled.labels.stages):
        for lane, label in enumerate(labels):
            if label:
                name = f"stage.{label}.loss_w"
                columns[name] = columns.get(name, 0.0) + out.stage[:, stage, lane]
    return columns


def _plant_columns(compiled: Compiled, out: Records) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for plant, name in enumerate(compiled.labels.plants):
        now = out.plant[:, :, plant]
        mine = compiled.params.pod[Pod.PLANT] == plant
        columns[f"cooling.{name}.pump_facility_w"] = now[:, Component.PUMP_FACILITY_W]
        columns[f"cooling.{name}.pump_cdu_w"] = out.pod[:, PodNow.PUMP_W][:, mine].sum(axis=1)
        columns[f"cooling.{name}.fan_w"] = now[:, Component.FAN_W]
        columns[f"cooling.{name}.chiller_w"] = now[:, Component.CHILLER_W]
        hall = compiled.params.pod[Pod.AIR_PLANT] == plant
        columns[f"cooling.{name}.crah_w"] = out.pod[:, PodNow.CRAH_W][:, hall].sum(axis=1)
        columns[f"cooling.{name}.supply_k"] = now[:, Component.SUPPLY_K]
        columns[f"cooling.{name}.return_k"] = now[:, Component.RETURN_K]
        columns[f"cooling.{name}.above_k"] = now[:, Component.ABOVE_K]
        columns[f"cooling.{name}.heat_w"] = now[:, Component.HEAT_W] + now[:, Component.REUSED_W]
        columns[f"cooling.{name}.water_kg_s"] = now[:, Component.WATER_KG_S]
    return columns


def _store_columns(compiled: Compiled, out: Records) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    capacity = compiled.params.storage[Cells.CAPACITY_J] if compiled.params.storage.size else np.zeros(0)
    for name in dict.fromkeys(compiled.labels.stores):
        mine = np.array([label == name for label in compiled.labels.stores])
        now = out.store[:, :, mine].sum(axis=2)
        columns[f"storage.{name}.power_w"] = now[:, StoreNow.CHARGE_W] - now[:, StoreNow.DISCHARGE_W]
        columns[f"storage.{name}.charge_w"] = now[:, StoreNow.CHARGE_W]
        columns[f"storage.{name}.discharge_w"] = now[:, StoreNow.DISCHARGE_W]
        columns[f"storage.{name}.loss_w"] = now[:, StoreNow.LOSS_W]
        share = capacity[mine] / capacity[mine].sum()
        columns[f"storage.{name}.soc_frac"] = out.soc_frac[:, mine] @ share
    return columns


def _genset_columns(compiled: Compiled, out: Records) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for number, name in enumerate(compiled.labels.gensets):
        now = out.genset[:, :, number]
        columns[f"genset.{name}.power_w"] = now[:, GensetNow.POWER_W]
        columns[f"genset.{name}.fuel_w"] = now[:, GensetNow.FUEL_W]
        columns[f"genset.{name}.running_frac"] = now[:, GensetNow.RUNNING_FRAC]
    return columns


def _residuals(compiled: Compiled, out: Records, row_s: FloatArray, before: Stored) -> dict[str, FloatArray]:
    """Energy and heat that the components do not account for, and the flows to hold them against."""
    params = compiled.params
    site, pod, plant, store = out.site[:, :, 0], out.pod, out.plant, out.store
    capacity = params.storage[Cells.CAPACITY_J] if params.storage.size else np.zeros(0)
    stored = np.concatenate([[before.energy_j], out.soc_frac @ capacity])
    thermal = (
        out.loop_k[:, 0] @ params.pod[Pod.LOOP_J_K]
        + out.loop_k[:, 1] @ params.pod[Pod.AIR_J_K]
        + out.facility_k @ params.plant[Plant.LOOP_J_K]
    )
    warmed_w = np.diff(np.concatenate([[before.heat_j], thermal])) / row_s
    used = (
        pod[:, PodNow.ACCELERATOR_W].sum(axis=1),
        pod[:, PodNow.OVERHEAD_W].sum(axis=1),
        pod[:, PodNow.NETWORK_W].sum(axis=1),
        out.stage.sum(axis=(1, 2)),
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
        out.genset[:, GensetNow.POWER_W].sum(axis=1),
    )
    charged_w = np.diff(stored) / row_s
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


def pod_frame(compiled: Compiled, out: Records, ticks: IntArray, steps: IntArray) -> pl.DataFrame:
    """One line per row and pod, pods in the site's order within each row.

    `ticks` are the ends of the rows in steps of the run, `steps` how many steps each has.
    """
    rows, pods = len(ticks), len(compiled.labels.pods)
    times = np.repeat(_times(compiled, ticks), pods)
    columns = {name: out.pod[:, row].ravel() for name, row in _MEANS.items()}
    columns |= {name: out.cell[:, row].ravel() for name, row in _CELLS.items()}
    columns["wanted_w"] = columns["it_w"] + columns["not_supplied_w"]
    columns["available_frac"] = 1.0 - columns["shed_frac"] - columns["tripped_frac"]
    many = steps[:, None]
    amounts = {name: (out.pod[:, row] * many).ravel() for name, row in _AMOUNTS.items()}
    params = compiled.params.pod
    output = out.pod[:, PodNow.OUTPUT_TOKENS] * many
    amounts["tokens_input"] = (output * params[Pod.INPUT_PER_OUTPUT]).ravel()
    amounts["requests"] = (output / params[Pod.OUTPUT_PER_REQUEST]).ravel()
    frame = pl.DataFrame(
        columns | amounts | {"queue_tokens": out.queue_tokens.ravel(), "case_k": out.case_k.ravel()}
    )
    names = pl.Series("pod", list(compiled.labels.pods) * rows, dtype=pl.Enum(list(compiled.labels.pods)))
    frame = frame.insert_column(0, pl.Series("time", times).dt.replace_time_zone("UTC"))
    return frame.insert_column(1, names)
