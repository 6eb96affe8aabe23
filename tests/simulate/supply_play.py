"""From a case to the product's record of it, and on to what the judge of supply wants to know of each step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from supply_lineup import Stage, Store, largest
from supply_shapes import Genset, Plan, PodPlan, Step
from supply_sites import START, Case, equipment

from aidc.contract import Command, Knob
from aidc.simulate import Twin, compile_site
from aidc.simulate.energy import fields as f
from aidc.simulate.energy.arrays import Inputs
from aidc.simulate.frames import series_frame
from aidc.site import site_of

__all__ = ["Played", "play"]

_Given = tuple[float, bool, tuple[float, ...], dict[tuple[int, int], float]]


@dataclass
class Played:
    """A case as the product ran it."""

    case: Case
    plan: Plan
    steps: list[Step]
    site: dict[str, np.ndarray]
    pods: dict[str, np.ndarray]  # [step, pod]
    store_w: np.ndarray  # [step, storage]
    soc: np.ndarray
    store_names: tuple[str, ...]
    books: dict[str, np.ndarray]  # residuals of energy and heat over their flows, by step


def play(case: Case, folder: Path) -> Played:
    """Run a case with the energy engine, step by step in the record, and gather what the judge needs."""
    names = list(case.body["pods"])
    header = ",".join(["t_s", *(f"{name}_w" for name in names)])
    times = np.arange(case.steps) * case.dt_s
    rows = np.column_stack([times, case.replay_w])
    np.savetxt(folder / "power.csv", rows, delimiter=",", header=header, comments="", fmt="%.17g")
    compiled = compile_site(site_of(case.body, folder / "site.toml"))
    compiled = replace(compiled, inputs=_with_renewables(compiled.inputs, case))
    if case.hardened:
        compiled.params.pod[[f.Pod.PER_CASE_BAND, f.Pod.PER_INLET_BAND]] = 0.0
    twin = Twin(compiled)
    blocks, points = _advance(twin, case, compiled)
    return _gather(case, compiled, [one.records for one in blocks], points, _books(compiled, blocks))


def _books(compiled, blocks: list) -> dict[str, np.ndarray]:
    frames = [series_frame(compiled, one.records, one.ticks, one.steps, one.before) for one in blocks]
    return {
        kind: np.concatenate(
            [
                np.abs(frame[f"residual_{kind}_w"].to_numpy()) / (frame[f"flow_{kind}_w"].to_numpy() + 1e3)
                for frame in frames
            ]
        )
        for kind in ("energy", "heat")
    }


def _advance(twin: Twin, case: Case, compiled) -> tuple[list, np.ndarray]:
    """Blocks between commands, and the set point of each storage in each step [W]."""
    held = np.full((case.steps, len(compiled.labels.stores)), np.nan)
    ends = [first for first, _ in case.set_points] + [case.steps]
    blocks = []
    if ends[0] > 0:
        blocks.append(twin.advance(ends[0]))
    rated = compiled.params.storage[1]
    for (first, points), end in zip(case.set_points, ends[1:], strict=True):
        if end <= first:
            continue
        twin.apply([Command(Knob.STORAGE_W, np.array([points[n] for n in compiled.view.storages]), 1e9, "")])
        for number, label in enumerate(compiled.labels.stores):
            if label in points:
                alike = [r for r, other in zip(rated, compiled.labels.stores, strict=True) if other == label]
                held[first:end, number] = points[label] * rated[number] / sum(alike)
        blocks.append(twin.advance(end - first))
    return blocks, held


def _with_renewables(inputs: Inputs, case: Case) -> Inputs:
    """The same inputs with photovoltaics and wind of every step."""
    values = [inputs.values[a : a + n] for a, n in zip(inputs.first, inputs.length, strict=True)]
    ticks, shift, hold = inputs.ticks.copy(), inputs.shift.copy(), inputs.hold.copy()
    for channel, series in ((f.Channel.PV_W, case.pv_w), (f.Channel.WIND_W, case.wind_w)):
        values[channel] = series
        ticks[channel], shift[channel], hold[channel] = 1, 0, f.Hold.MEAN
    lengths = np.array([len(one) for one in values], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    return Inputs(np.concatenate(values), first, lengths, ticks, shift, hold, inputs.scale)


def plan_of(case: Case, compiled) -> Plan:
    """The numbers of a compiled site, without any law."""
    p = compiled.params
    pods = []
    for lane, shape in enumerate(case.body["pods"].values()):
        stages = tuple(
            Stage(
                p.stage_a_w[k, lane],
                p.stage_b[k, lane],
                p.stage_c_per_w[k, lane],
                p.stage_full_w[k, lane],
                k < p.server_stages,
            )
            for k in range(p.stage_a_w.shape[0])
        )
        column = p.pod[:, lane]
        pods.append(
            PodPlan(
                stages,
                int(column[f.Pod.UPS_STAGE]),
                shape["priority"],
                shape["restart_s"] + shape["return_s"],
                shape["return_margin_frac"],
                column[f.Pod.INPUT_RETURN_S],
                column[f.Pod.WALK_IN_S],
            )
        )
    drives = case.body["cooling"]["warm"]["drives"]
    # a chain without a UPS on the site's side has no bus for them
    bus = drives["on_ups"] and all(one.get("use") != "frontier" for one in case.body["chains"].values())
    share = 1.0 / len(pods) if bus else 0.0
    return Plan(
        case.dt_s,
        tuple(pods),
        tuple(_store(p, n) for n in range(p.store.shape[1])),
        tuple(float(one) for one in compiled.start.soc_frac),
        tuple(_genset(p.genset[:, n], one) for n, one in enumerate(case.body["gensets"].values())),
        case.body["grid"]["export_limit_mw"] * 1e6,
        (float(p.site[f.Site.TRANSFORMER_0_W, 0]), float(p.site[f.Site.TRANSFORMER_2_PER_W, 0])),
        case.body["site"]["auxiliary_frac"],
        drives["restart_s"],
        drives["ramp_s"],
        180.0,
        (share,) * len(pods),
        case.body["grid"]["import_limit_mw"] == 0.0,
    )


def _store(p, n: int) -> Store:
    s, r = p.storage[:, n], p.store[:, n]
    return Store(
        int(r[f.Store.LANE]),
        int(r[f.Store.STAGE]),
        *(float(one) for one in s[:4]),
        (s[4], s[5], s[6]),
        (s[7], s[8], s[9]),
        s[10],
        s[11],
        r[f.Store.CHARGE_BELOW_W],
        r[f.Store.DISCHARGE_ABOVE_W],
        r[f.Store.SMOOTH_S],
        r[f.Store.CHARGE_LIMIT_W],
        r[f.Store.RESERVE_FRAC],
        bool(r[f.Store.FORMING]),
        bool(r[f.Store.FROM_GENSETS]),
        bool(r[f.Store.STAYS_FULL]),
    )


def _genset(column: np.ndarray, shape: dict) -> Genset:
    more = {"N": 0, "N+1": 1, "2N": shape["units"]}[shape["redundancy"]]
    rated = shape["power_mw"] * 1e6
    return Genset(
        rated,
        rated / shape["units"],
        shape["units"] + more,
        shape["minimum_load_frac"],
        shape["call_s"],
        shape["call_s"] + shape["start_time_s"] + shape["synchronise_s"],
        shape["stop_s"],
        shape["ramp_frac_per_s"],
        (column[f.Genset.FUEL_A], column[f.Genset.FUEL_B], column[f.Genset.FUEL_C]),
        shape["fuel_mwh"] * 3.6e9 if "fuel_mwh" in shape else math.inf,
    )


def _gather(case: Case, compiled, blocks: list, points: np.ndarray, books: dict) -> Played:
    site = np.concatenate([one.site[:, :, 0] for one in blocks])
    pod = np.concatenate([one.pod for one in blocks])
    plant = np.concatenate([one.plant for one in blocks])
    store = np.concatenate([one.store for one in blocks])
    genset = np.concatenate([one.genset for one in blocks])
    soc = np.concatenate([one.soc_frac for one in blocks])
    names = {row.name.lower(): site[:, row] for row in f.SiteNow}
    for number, name in enumerate(case.body["gensets"]):
        for row in f.GensetNow:
            names[f"genset.{name}.{row.name.lower()}"] = genset[:, row, number]
    names["chiller_w"] = plant[:, f.Component.CHILLER_W].sum(axis=1)
    pods = {row.name.lower(): pod[:, row] for row in f.PodNow}
    pods["wanted_w"] = pods["it_w"] + pods["not_supplied_w"]
    plan = plan_of(case, compiled)
    store_w = store[:, f.StoreNow.CHARGE_W] - store[:, f.StoreNow.DISCHARGE_W]
    aux = store_auxiliaries(compiled.params, store_w)
    slots = [
        {row[lane].rpartition(".")[2]: slot for slot, row in enumerate(compiled.labels.stages) if row[lane]}
        for lane in range(len(plan.pods))
    ]
    given = [_scenario(case, k, slots) for k in range(case.steps)]
    steps = [_step(case, plan, k, given[k], names, pods, points[k], aux[k]) for k in range(case.steps)]
    return Played(case, plan, steps, names, pods, store_w, soc, compiled.labels.stores, books)


def store_auxiliaries(p, store_w: np.ndarray) -> np.ndarray:
    """What storages need for themselves, by their power of the step before [W]; nothing in the first step."""
    if not store_w.size:
        return np.zeros(len(store_w))
    own = (p.storage[12] + p.storage[13] * np.abs(store_w)).sum(axis=1)
    return np.concatenate([[0.0], own[:-1]])


def _step(
    case: Case, plan: Plan, k: int, given: _Given, site: dict, pods: dict, points: np.ndarray, aux_w: float
) -> Step:
    limit, grid, gensets, stages = given
    consumed, powered = [], []
    for lane, pod in enumerate(plan.pods):
        server = [
            replace(one, share=stages.get((lane, place), 1.0))
            for place, one in enumerate(pod.stages)
            if one.server
        ]
        wanted = pods["wanted_w"][k, lane]
        powered.append(bool(wanted > 0.0))
        if pods["shed_frac"][k, lane] > 0.0:
            consumed.append(_behind(server, wanted))
        else:
            consumed.append(float(pods["accelerator_w"][k, lane]))
    return Step(
        tuple(consumed),
        tuple(powered),
        float(site["cooling_w"][k] + site["cooling_unserved_w"][k] - site["chiller_w"][k]),
        float(site["chiller_w"][k]),
        float(site["auxiliary_w"][k] + site["auxiliary_unserved_w"][k]),
        case.body["site"]["auxiliary_mw"] * 1e6 + float(aux_w),
        float(site["transformer_w"][k]) if site["auxiliary_unserved_w"][k] == 0.0 else None,
        float(case.pv_w[k]),
        float(case.wind_w[k]),
        limit,
        grid,
        gensets,
        stages,
        tuple(float(one) for one in points),
    )


def _behind(stages: list[Stage], input_w: float) -> float:
    """What is consumed behind server stages that take an input."""
    if input_w <= 0.0:
        return 0.0

    def taken(power: float) -> float:
        for stage in stages:
            power += stage.loss_w(power)
        return power

    return largest(taken, input_w, input_w)


def _scenario(case: Case, k: int, slots: list[dict[str, int]]) -> _Given:
    """Limit, grid, and shares in service, from the events of the site file."""
    body = case.body
    now = START + timedelta(seconds=k * case.dt_s)
    limit = body["grid"]["import_limit_mw"] * 1e6
    grid = limit > 0.0
    total = dict(equipment(body))
    out: dict[str, int] = {}
    for event in body["scenario"]["events"]:
        begin = datetime.fromisoformat(event["start"])
        if not begin <= now < begin + timedelta(minutes=event["duration_min"]):
            continue
        if event["use"] == "supply-outage":
            limit, grid = 0.0, False
        elif event["use"] == "import-limit":
            limit = min(limit, event["limit_mw"] * 1e6)
        else:
            out[event["of"]] = out.get(event["of"], 0) + event["units"]
    gensets = tuple(
        1.0 - out.get(f"gensets.{name}", 0) / total[f"gensets.{name}"] for name in body["gensets"]
    )
    stages: dict[tuple[int, int], float] = {}
    for of, units in out.items():
        if not of.startswith("chains."):
            continue
        name, _, stage = of.removeprefix("chains.").rpartition(".")
        for lane, pod in enumerate(body["pods"].values()):
            if pod["chain"] == name and stage in slots[lane]:
                stages[lane, slots[lane][stage]] = 1.0 - units / total[of]
    return limit, grid, gensets, stages
