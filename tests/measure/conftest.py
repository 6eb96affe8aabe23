"""Small runs whose books balance by construction, so that every measure can be checked against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

START = datetime(2025, 7, 7, 4, tzinfo=UTC)  # midnight in New York
CAPACITY_J = 80e6 * 3600
GENSETS = {
    "g": {"fuel_j": 100 * 3.6e9, "fuel_price_usd_per_mwh": 90.0, "fuel_carbon_kg_per_mwh": 265.6},
}


@dataclass
class FakeRun:
    series: pl.DataFrame
    pods: pl.DataFrame
    meta: dict[str, Any]
    site: Any = None
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def events(self) -> pl.DataFrame:
        return pl.DataFrame()


def pod_rows(rng: np.random.Generator, name: str, rows: int, kind: str, off: np.ndarray) -> dict[str, Any]:
    on = (~off).astype(float)
    accelerator = rng.uniform(5e6, 9e6, rows) * on
    server = accelerator * rng.uniform(1.1, 1.2, rows)
    made = rng.uniform(1e6, 2e6, rows) * on * (kind == "service")
    useful = made * rng.uniform(0.5, 1.0, rows)
    queue = rng.uniform(0, 1e5, rows) * (kind == "service")
    dropped = rng.uniform(0, 1e4, rows) * (kind == "service")
    return {
        "pod": [name] * rows,
        "accelerator_w": accelerator,
        "server_w": server,
        "network_w": np.full(rows, 2e5),
        "it_w": server + 2e5,
        "tokens_output": made,
        "tokens_useful": useful,
        "tokens_dropped": dropped,
        "tokens_arrived": made + dropped + np.diff(queue, prepend=0.0),
        "queue_tokens": queue,
        "tokens_input": 3 * made,
        "requests": made / 200,
        "training_tokens": rng.uniform(1e6, 2e6, rows) * on * (kind == "job"),
        **{f"ttft_{q}_s": np.full(rows, v) for q, v in (("p50", 0.2), ("p90", 0.5), ("p99", 1.1))},
        **{f"itl_{q}_s": np.full(rows, v) for q, v in (("p50", 0.02), ("p90", 0.03), ("p99", 0.05))},
    }


def storage_path(rng: np.random.Generator, rows: int, step_s: float, first: float) -> dict[str, Any]:
    power = rng.uniform(-3e7, 3e7, rows)
    loss = 0.03 * np.abs(power)
    soc = np.empty(rows)
    now = first
    for k in range(rows):
        after = now + (power[k] - loss[k]) * step_s / CAPACITY_J
        if not 0.0 <= after <= 1.0:
            power[k] = loss[k] = 0.0
            after = now
        soc[k] = now = after
    return {
        "storage.yard.power_w": power,
        "storage.yard.charge_w": np.maximum(power, 0),
        "storage.yard.discharge_w": np.maximum(-power, 0),
        "storage.yard.loss_w": loss,
        "storage.yard.soc_frac": soc,
    }


def genset_columns(power_w: np.ndarray) -> dict[str, np.ndarray]:
    fuel_w = power_w / 0.4
    return {
        "genset_w": power_w,
        "genset_fuel_w": fuel_w,
        "genset.g.power_w": power_w,
        "genset.g.fuel_w": fuel_w,
        "genset.g.running_frac": (power_w > 0).astype(float),
    }


def build(
    rows: int = 180,
    seed: int = 0,
    step_s: float = 60.0,
    dark: float = 0.0,
    kinds: tuple[str, ...] = ("service", "service", "job", "idle"),
    start: datetime = START,
    gensets: bool = False,
    **meta: Any,
) -> FakeRun:
    """A run with random flows that balance; `dark` is the share of steps in which every server is off.

    With `gensets` an entry `g` carries a part, at an efficiency of 40 %.
    """
    rng = np.random.default_rng(seed)
    time = [start + timedelta(seconds=k * step_s) for k in range(rows)]
    off = rng.random(rows) < dark
    names = [f"p{k}" for k in range(len(kinds))]
    parts = [pod_rows(rng, name, rows, kind, off) for name, kind in zip(names, kinds, strict=True)]
    pods = pl.concat([pl.DataFrame({"time": time, **part}) for part in parts]).sort("time", "pod")
    total = {
        key: sum(part[key] for part in parts) for key in ("accelerator_w", "server_w", "it_w", "network_w")
    }
    store = storage_path(rng, rows, step_s, 0.5)
    cooling, conversion, auxiliary = 0.1 * total["it_w"], 0.05 * total["it_w"], np.full(rows, 3e5)
    fan = 0.4 * cooling
    pv = rng.uniform(0, 3e7, rows)
    own = 5e6 * (np.arange(rows) % 7 > 2) * gensets
    net = total["it_w"] + cooling + conversion + auxiliary + store["storage.yard.power_w"] - pv - own
    used = total["it_w"] + cooling + conversion + auxiliary + store["storage.yard.loss_w"]
    ambient, reused, stored = fan + conversion, 0.02 * used, rng.uniform(-1e5, 1e5, rows)
    series = pl.DataFrame(
        {
            "time": time,
            "grid_import_w": np.maximum(net, 0),
            "grid_export_w": np.maximum(-net, 0),
            "grid_import_min_w": net - 1e5,
            "grid_import_max_w": net + 1e5,
            "pv_w": pv,
            **(genset_columns(own) if gensets else {}),
            **total,
            "conversion_loss_w": conversion,
            "stage.dc.rectifier.loss_w": conversion,
            "cooling_w": cooling,
            "cooling.warm.fan_w": fan,
            "cooling.warm.pump_facility_w": cooling - fan,
            "auxiliary_w": auxiliary,
            "storage_loss_w": store["storage.yard.loss_w"],
            **store,
            "heat_rejected_w": used - ambient - reused - stored,
            "heat_reused_w": reused,
            "heat_ambient_w": ambient,
            "heat_stored_w": stored,
            "water_kg_s": rng.uniform(0, 2, rows),
            "price_usd_per_mwh": rng.uniform(-20, 200, rows),
            "export_price_usd_per_mwh": rng.uniform(0, 50, rows),
            "carbon_kg_per_mwh": rng.uniform(50, 600, rows),
        }
    )
    workloads = {
        f"{kind}-{name}": {"kind": kind, "pods": [name], "model": "m", "slo": {"ttft_p99_s": 2.0}}
        for name, kind in zip(names, kinds, strict=True)
        if kind != "idle"
    }
    told = {
        "name": "made-up",
        "start": start.isoformat(),
        "end": (start + timedelta(seconds=rows * step_s)).isoformat(),
        "step_s": 1.0,
        "steps": int(rows * step_s),
        "output_step_s": step_s,
        "timezone": "America/New_York",
        "workloads": workloads,
        "pods": {name: {"rated_w": 1e7 * (k + 1)} for k, name in enumerate(names)},
        "storage": {
            "yard": {
                "capacity_j": CAPACITY_J,
                "power_w": 4e7,
                "temp_k": 298.15,
                "first_soc_frac": 0.5,
                "ageing": ["naumann", "blast"],
            }
        },
        "stored_first_j": 0.5 * CAPACITY_J,
        "stored_last_j": float(store["storage.yard.soc_frac"][-1]) * CAPACITY_J,
        "thermal_first_j": 0.0,
        "thermal_last_j": float(stored.sum()) * step_s,
        "tariff": {"demand_usd_per_kw_month": 12.0, "fixed_usd_per_month": 5000.0},
        "gensets": GENSETS if gensets else {},
        "performance": {"wall_s": 1.0, "steps_per_s": 1e6, "peak_rss_mb": 300.0},
    }
    return FakeRun(series, pods, {**told, **meta})


@pytest.fixture(scope="session")
def make_run():
    """Factory of balanced runs."""
    return build
