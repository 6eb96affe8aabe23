"""Random sites for the judge of supply, and the way from the product's record to what the judge wants to know."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from supply_judge import Genset, Plan, PodPlan, Step
from supply_lineup import Stage, Store, largest

from aidc.contract import Command, Knob
from aidc.simulate import Twin, compile_site
from aidc.simulate import fields as f
from aidc.simulate.arrays import Inputs
from aidc.simulate.frames import series_frame
from aidc.site import site_of

__all__ = ["Case", "Played", "play", "random_case"]

START = datetime.fromisoformat("2025-07-07T12:00:00+00:00")
CHAINS = ("415vac-double-conversion", "415vac-eco", "800vdc-central-rectifier", "800vdc-sst", "frontier")
RACK_KW = {"8xb200-liquid": 96.0, "frontier-cabinet": 382.0}
BATTERY = ("ups-double-conversion", "ups-eco", "ups-grid-friendly", "rectifier-800vdc", "sst-800vdc")


@dataclass
class Case:
    """A site as tables, its pods' measured power [step, pod], renewables [step] and set points [(step, storage W)]."""

    body: dict
    replay_w: np.ndarray
    pv_w: np.ndarray
    wind_w: np.ndarray
    set_points: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    hardened: bool = True  # its racks bear any heat, so that supply alone decides
    name: str = ""

    @property
    def steps(self) -> int:
        return len(self.pv_w)

    @property
    def dt_s(self) -> float:
        return self.body["scenario"]["step_s"]

    @property
    def rating_w(self) -> float:
        """What flows are held against: the pods' nameplates."""
        return sum(pod["racks"] * RACK_KW[pod["use"]] * 1e3 for pod in self.body["pods"].values())


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


_Given = tuple[float, bool, tuple[float, ...], dict[tuple[int, int], float]]


# ---- random sites -------------------------------------------------------------------------------------


def random_case(seed: int, *, most_steps: int = 240) -> Case:
    """A valid site with one to four pods and any foul weather of supply."""
    rng = np.random.default_rng(seed)
    dt = float(rng.choice([1.0, 1.0, 5.0, 60.0]))
    steps = int(rng.integers(100, most_steps + 1))
    pods = _pods(rng, twins=bool(rng.random() < 0.3))
    names = list(pods)
    rated = sum(pod["racks"] * RACK_KW[pod["use"]] * 1e3 for pod in pods.values())
    kind = rng.choice(["grid", "tight", "export", "island"], p=[0.35, 0.25, 0.15, 0.25])
    limit = {"grid": 2.0, "tight": rng.uniform(0.4, 1.1), "export": 1.5, "island": 0.0}[kind] * rated / 1e6
    on_ups = rng.random() < 0.4 and len({(p["use"], p["racks"], p["chain"]) for p in pods.values()}) == 1
    body = {
        "schema": 1,
        "site": {
            "name": f"random-{seed}",
            "location": {"latitude_deg": 36.1, "longitude_deg": -79.95},
            "auxiliary_mw": float(rng.choice([0.0, 0.01 * rated / 1e6])),
            "auxiliary_frac": float(rng.choice([0.0, 0.005, 0.02])),
        },
        "grid": {
            "import_limit_mw": limit,
            "export_limit_mw": float(rng.uniform(0.1, 1.0) * rated / 1e6) if kind == "export" else 0.0,
            "transformer": {
                "no_load_frac": float(rng.choice([0.0, 0.0004])),
                "load_frac": float(rng.choice([0.0, 0.003])),
            },
        },
        "chains": {pod["chain"]: _chain(rng, pod["chain"]) for pod in pods.values()},
        "cooling": {"warm": _plant(rng, bool(on_ups))},
        "pods": pods,
        "storage": _storages(rng, pods, rated),
        "gensets": _gensets(rng, rated, island=kind == "island"),
        "replays": {"measured": {"pods": names, "demand": _demand(names)}},
        "scenario": {
            "start": START.isoformat(),
            "days": (steps + 0.01) * dt / 86400.0,
            "step_s": dt,
            "output_step_s": dt,
            "weather": {"use": "constant", "dry_bulb_c": 0.0},
            "tariff": {"use": "flat"},
        },
    }
    body["scenario"]["events"] = _events(rng, body, steps, dt, rated)
    case = Case(body, _replay(rng, pods, steps), *_renewables(rng, rated, steps), name=f"seed {seed}")
    case.set_points = _set_points(rng, body, steps)
    case.hardened = bool(rng.random() < 0.8)
    return case


def _pods(rng: np.random.Generator, *, twins: bool) -> dict:
    count = int(rng.integers(1, 5))
    pods: dict[str, dict] = {}
    for number in range(count):
        chain = CHAINS[int(rng.integers(0, len(CHAINS)))]
        rack = "frontier-cabinet" if chain == "frontier" else "8xb200-liquid"
        racks = int(rng.integers(1, 4)) if chain == "frontier" else int(rng.integers(2, 11))
        pods[f"p{number}"] = {
            "use": rack,
            "racks": racks,
            "chain": chain,
            "cooling": "warm",
            "priority": int(rng.integers(0, 4)),
            "restart_s": float(rng.choice([0.0, 5.0, 20.0, 60.0])),
            "return_s": float(rng.choice([0.0, 10.0, 60.0])),
            "return_margin_frac": float(rng.choice([0.0, 0.05, 0.3])),
        }
        if twins and number:
            pods[f"p{number}"] |= {key: pods["p0"][key] for key in ("use", "racks", "chain")}
    return pods


def _chain(rng: np.random.Generator, name: str) -> dict:
    chain: dict = {"use": name, "redundancy": str(rng.choice(["N", "N+1", "2N"]))}
    if name == "frontier":
        return chain
    if rng.random() < 0.4:
        chain["front"] = "psu-direct"
    elif rng.random() < 0.6:  # its battery as it is, or one that is soon empty
        front = BATTERY[int(rng.integers(0, len(BATTERY)))]
        chain["front"] = {
            "use": front,
            "battery_s": float(rng.choice([10.0, 40.0, 240.0])),
            "battery_frac": float(rng.choice([0.5, 1.1])),
            "recharge_frac": float(rng.choice([0.05, 0.3])),
            "return_s": float(rng.choice([0.0, 3.0, 10.0])),
            "walk_in_s": float(rng.choice([0.0, 4.0, 15.0])),
        }
    return chain


def _plant(rng: np.random.Generator, on_ups: bool) -> dict:
    """Constant flow, so that what cooling wants does not depend on which pods are on."""
    return {
        "use": "dry-cooler",
        "cdu": {"use": "deschutes-2mw", "flow_min_frac": 1.0},
        "crah": {"use": "crah-chilled-water", "flow_min_frac": 1.0},
        "supply_temp_c": 18,
        "design_dry_bulb_c": 5.0,
        "drives": {
            "on_ups": on_ups,
            "restart_s": float(rng.choice([0.0, 5.0, 12.0])),
            "ramp_s": float(rng.choice([0.0, 10.0])),
        },
    }


def _rule(rng: np.random.Generator, rated: float) -> dict:
    target = float(rng.uniform(0.2, 1.0) * rated / 1e6)
    return [
        {"use": "self-consumption"},
        {"use": "reserve"},
        {"use": "reserve"},
        {"use": "smoothing", "window_min": float(rng.choice([0.05, 1.0, 15.0]))},
        {"use": "peak-shaving", "target_mw": target},
        {"use": "peak-shaving", "target_mw": target, "charge_below_mw": 0.5 * target},
    ][int(rng.integers(0, 6))]


def _storages(rng: np.random.Generator, pods: dict, rated: float) -> dict:
    found: dict[str, dict] = {}
    uses = {"site": "lfp-site", "ups": "ups-battery-string", "rack": "rack-capacitor-shelf"}
    for number in range(int(rng.choice([0, 1, 1, 2, 3]))):
        node = str(rng.choice(["site", "site", "ups", "rack"]))
        if node == "ups" and all(pod["chain"] == "frontier" for pod in pods.values()):
            node = "site"
        if node != "site" and any(one.get("node") == node for one in found.values()):
            node = "site"
        low = float(rng.choice([0.0, 0.1]))
        power = float(rng.choice([0.2, 0.6, 1.5])) * rated
        shape: dict = {
            "use": uses[node],
            "node": node,
            "rule": _rule(rng, rated),
            "power_mw": power / 1e6,
            "energy_mwh": power * float(rng.choice([8.0, 60.0, 600.0])) / 3.6e9,
            "soc_min_frac": low,
            "soc_max_frac": float(rng.choice([0.95, 1.0])),
            "soc_initial_frac": float(rng.uniform(low, 0.95)),
            "reserve_frac": float(rng.choice([0.0, 0.0, 0.3, 0.6])),
            "charge_from_gensets": bool(rng.random() < 0.4),
        }
        if node == "ups":
            shape["at"] = sorted({pod["chain"] for pod in pods.values()} - {"frontier"})
        if node == "rack" and len(pods) > 1 and rng.random() < 0.5:
            shape["at"] = list(pods)[:1]
        if node == "site":
            shape["converter"] = {"control": str(rng.choice(["grid-forming", "grid-following"]))}
        found[f"s{number}"] = shape
    return found


def _gensets(rng: np.random.Generator, rated: float, *, island: bool) -> dict:
    found: dict[str, dict] = {}
    for number in range(int(rng.choice([1, 2] if island else [0, 1, 2]))):
        power = float(rng.uniform(0.3, 1.8)) * rated
        shape: dict = {
            "use": str(rng.choice(["diesel-standby", "gas-engine"])),
            "power_mw": power / 1e6,
            "units": int(rng.integers(1, 4)),
            "redundancy": str(rng.choice(["N", "N+1", "2N"])),
            "minimum_load_frac": float(rng.choice([0.0, 0.3, 0.5])),
            "call_s": float(rng.choice([0.0, 3.0, 10.0])),
            "start_time_s": float(rng.choice([0.0, 10.0, 30.0])),
            "synchronise_s": float(rng.choice([0.0, 2.0])),
            "stop_s": float(rng.choice([0.0, 20.0, 60.0])),
            "ramp_frac_per_s": float(rng.choice([0.005, 0.05, 1.0])),
        }
        if rng.random() < 0.4:
            shape["fuel_mwh"] = power * float(rng.choice([20.0, 60.0, 300.0])) / 3.6e9
        found[f"g{number}"] = shape
    return found


def _demand(names: list[str]) -> dict:
    return {"use": "power-replay", "file": "power.csv", "columns": {name: f"{name}_w" for name in names}}


def _replay(rng: np.random.Generator, pods: dict, steps: int) -> np.ndarray:
    """Stretches of constant power, and every third site noisy ones."""
    noise = 0.1 if rng.random() < 0.3 else 0.0
    columns = []
    for pod in pods.values():
        rated = pod["racks"] * RACK_KW[pod["use"]] * 1e3
        levels = np.repeat(rng.uniform(0.2, 0.85, size=steps // 25 + 1), 25)[:steps]
        columns.append(rated * np.clip(levels + noise * rng.uniform(-1, 1, size=steps), 0.0, 0.9))
    return np.column_stack(columns)


def _renewables(rng: np.random.Generator, rated: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    fields = []
    for _ in range(2):
        share = float(rng.choice([0.0, 0.0, 0.3, 1.5]))
        levels = np.repeat(rng.uniform(0.0, 1.0, size=steps // 20 + 1), 20)[:steps]
        fields.append(share * rated * levels)
    return fields[0], fields[1]


def _events(rng: np.random.Generator, body: dict, steps: int, dt: float, rated: float) -> list[dict]:
    kinds = ["supply-outage", "import-limit", "import-limit", "equipment-outage"]
    if body["grid"]["import_limit_mw"] == 0.0:
        kinds = ["equipment-outage"]
    places = _equipment(body)
    found: list[dict] = []
    for number in range(int(rng.integers(1, 4))):
        kind = str(rng.choice(kinds))
        first = int(rng.integers(3, max(steps - 20, 4)))
        length = int(rng.integers(1, max(min(steps - first, 100), 2)))
        event: dict = {
            "use": kind,
            "name": f"e{number}",
            "start": (START + timedelta(seconds=first * dt)).isoformat(),
            "duration_min": length * dt / 60.0,
        }
        if kind == "import-limit":
            event["limit_mw"] = float(rng.choice([0.0, rng.uniform(0.0, 0.9)]) * rated / 1e6)
        if kind == "equipment-outage":
            of, units = places[int(rng.integers(0, len(places)))]
            if any(one.get("of") == of for one in found):
                continue
            event |= {"of": of, "units": int(rng.integers(1, units + 1))}
        found.append(event)
    return found


def _equipment(body: dict) -> list[tuple[str, int]]:
    """What can lose units: gensets, and the modules of front ends."""
    more = {"N": lambda n: n, "N+1": lambda n: n + 1, "2N": lambda n: 2 * n}
    found = [
        (f"gensets.{name}", more[one["redundancy"]](one["units"])) for name, one in body["gensets"].items()
    ]
    stage = {
        "415vac-double-conversion": "ups",
        "415vac-eco": "ups",
        "800vdc-central-rectifier": "rectifier",
        "800vdc-sst": "solid-state-transformer",
    }
    for name, chain in body["chains"].items():
        found += [(f"chains.{name}.{own['name']}", own.get("modules", 1)) for own in chain.get("stages", ())]
        if name in stage:
            found.append((f"chains.{name}.{stage[name]}", more[chain["redundancy"]](5)))
            if name != "800vdc-sst":
                found.append((f"chains.{name}.transformer", 1))
    if "line" in body["chains"]:
        found.append(("chains.line.transformer", 1))
    return found or [("cooling.warm.outdoor", 1)]


def _set_points(rng: np.random.Generator, body: dict, steps: int) -> list[tuple[int, dict[str, float]]]:
    if not body["storage"] or rng.random() < 0.6:
        return []
    found = []
    for first in sorted(rng.integers(0, steps, size=3).tolist()):
        points = {}
        for name, shape in body["storage"].items():
            points[name] = float(rng.uniform(-1.0, 1.0)) * shape["power_mw"] * 1e6
        found.append((int(first), points))
    return found


# ---- the product plays ---------------------------------------------------------------------------------


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
    frames = [series_frame(compiled, one.records, one.first_tick, one.rows, one.before) for one in blocks]
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
    total = dict(_equipment(body))
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
