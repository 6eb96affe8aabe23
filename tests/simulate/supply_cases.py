"""Small sites whose supply can be worked out by hand: lossless lineups and storages, constant loads, known events."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from supply_play import Played, play
from supply_sites import START, Case

__all__ = [
    "BATTERY",
    "DIESEL",
    "FORMING",
    "IDEAL",
    "LOSSLESS",
    "ROUNDING_W",
    "UPS",
    "YARD",
    "case_of",
    "event",
    "play_case",
    "served_j",
    "set_points",
]

LOSSLESS = {"a": 0.0, "b": 0.0, "c": 0.0}
IDEAL = {
    "charge_loss": LOSSLESS,
    "discharge_loss": LOSSLESS,
    "cell_charge_efficiency_frac": 1.0,
    "cell_discharge_efficiency_frac": 1.0,
    "auxiliary_base_frac": 0.0,
    "auxiliary_share_frac": 0.0,
    "soc_min_frac": 0.0,
    "soc_max_frac": 1.0,
}
ROUNDING_W = 1e-3  # flows are known to rounding
UPS = {"use": "ups-battery-string", "rule": {"use": "reserve"}, **IDEAL}
YARD = {"use": "lfp-site", "rule": {"use": "reserve"}, **IDEAL}
FORMING = YARD | {"converter": {"control": "grid-forming"}}
DIESEL = {
    "use": "diesel-standby",
    "power_mw": 1.0,
    "minimum_load_frac": 0.0,
    "call_s": 3.0,
    "start_time_s": 4.0,
    "synchronise_s": 2.0,
    "stop_s": 6.0,
    "ramp_frac_per_s": 1.0,
}
BATTERY = {
    "use": "ups-double-conversion",
    "battery_s": 60.0,
    "battery_frac": 1.0,
    "battery_discharge_efficiency_frac": 1.0,
    "battery_charge_efficiency_frac": 1.0,
    "recharge_frac": 0.1,
    "return_s": 3.0,
    "walk_in_s": 4.0,
}
_RACK = "8xb200-liquid"


def _ideal_chain(front: str | dict | None) -> dict:
    """Stages that lose nothing, so that what the pods take is what the bus gives."""
    return {
        "voltage_v": 800.0,
        "front": front or "psu-direct",
        "stages": [
            {"name": "feed", "boundary": "site", "heat_to": "ambient", "modules": 4, **LOSSLESS},
            {
                "name": "ups",
                "boundary": "site",
                "heat_to": "air",
                "storage_node": "ups",
                "modules": 4,
                **LOSSLESS,
            },
            {"name": "shelf", "boundary": "server", "heat_to": "air", "storage_node": "rack", **LOSSLESS},
        ],
    }


def event(use: str, first_s: float, last_s: float, **more) -> dict:
    """An event between two times of the run [s]."""
    start = (START + timedelta(seconds=first_s)).isoformat()
    name = f"{use}-{first_s:g}-{len(more)}"
    return {"use": use, "name": name, "start": start, "duration_min": (last_s - first_s) / 60.0, **more}


def case_of(
    loads_w: Mapping[str, float | Sequence[float]],
    *,
    steps: int,
    dt_s: float = 1.0,
    import_mw: float = 10.0,
    export_mw: float = 0.0,
    events: Sequence[dict] = (),
    storage: Mapping[str, dict] | None = None,
    gensets: Mapping[str, dict] | None = None,
    pv_w: float | Sequence[float] = 0.0,
    auxiliary_mw: float = 0.0,
    chain: dict | None = None,
    front: str | dict | None = None,
    drives: dict | None = None,
    pods: Mapping[str, dict] | None = None,
) -> Case:
    """Pods of constant (or given) power behind ideal lineups, or behind `chain`."""
    shapes = {
        name: {
            "use": _RACK,
            "racks": 10,
            "chain": "line",
            "cooling": "warm",
            "priority": 1,
            "restart_s": 5.0,
            "return_s": 0.0,
            "return_margin_frac": 0.0,
        }
        | dict((pods or {}).get(name, {}))
        for name in loads_w
    }
    body = {
        "schema": 1,
        "site": {
            "name": "by-hand",
            "location": {"latitude_deg": 36.1, "longitude_deg": -79.95},
            "auxiliary_mw": auxiliary_mw,
            "auxiliary_frac": 0.0,
        },
        "grid": {
            "import_limit_mw": import_mw,
            "export_limit_mw": export_mw,
            "transformer": {"no_load_frac": 0.0, "load_frac": 0.0},
        },
        "chains": {"line": chain or _ideal_chain(front)},
        "cooling": {
            "warm": {
                "use": "dry-cooler",
                "cdu": {"use": "deschutes-2mw", "flow_min_frac": 1.0},
                "crah": {"use": "crah-chilled-water", "flow_min_frac": 1.0},
                "supply_temp_c": 18,
                "design_dry_bulb_c": 5.0,
                "drives": {"on_ups": False, "restart_s": 0.0, "ramp_s": 0.0} | (drives or {}),
            }
        },
        "pods": shapes,
        "storage": {name: dict(one) for name, one in (storage or {}).items()},
        "gensets": {
            name: {"redundancy": "N", "units": 1} | dict(one) for name, one in (gensets or {}).items()
        },
        "replays": {
            "measured": {
                "pods": list(shapes),
                "demand": {
                    "use": "power-replay",
                    "file": "power.csv",
                    "columns": {name: f"{name}_w" for name in shapes},
                },
            }
        },
        "scenario": {
            "start": START.isoformat(),
            "days": (steps + 0.01) * dt_s / 86400.0,
            "step_s": dt_s,
            "output_step_s": dt_s,
            "weather": {"use": "constant", "dry_bulb_c": 0.0},
            "tariff": {"use": "flat"},
            "events": list(events),
        },
    }
    loads = np.column_stack([np.broadcast_to(np.asarray(one, float), steps) for one in loads_w.values()])
    pv = np.array(np.broadcast_to(np.asarray(pv_w, float), steps))
    return Case(body, loads.copy(), pv, np.zeros(steps), name="by hand")


def set_points(case: Case, *points: tuple[int, dict[str, float]]) -> Case:
    """The same case with set points from steps on [W]."""
    case.set_points = list(points)
    return case


def play_case(case: Case) -> Played:
    """Run a case in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return play(case, Path(folder))


def served_j(played: Played) -> float:
    """Energy that the pods took at the rack inlet."""
    return float(played.pods["it_w"].sum()) * played.case.dt_s
