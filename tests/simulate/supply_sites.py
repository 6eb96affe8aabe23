"""Random sites for the judge of supply: tables as a site file has them, measured power, renewables, set points."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

__all__ = ["START", "Case", "equipment", "random_case"]

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
    places = equipment(body)
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


def equipment(body: dict) -> list[tuple[str, int]]:
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
        own = chain.get("stages", ())
        found += [(f"chains.{name}.{one['name']}", one.get("modules", 1)) for one in own]
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
