"""A run that looks like one: a deterministic campus of eight pods, made without the engine.

The books balance by construction, so that every figure of a report can be followed to a column.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aidc.measure import summary

__all__ = ["SampleRun", "sample_run"]

START = datetime(2025, 7, 7, tzinfo=UTC)
# pod: workload, rated accelerator MW, kind of cooling, chain
POD_TABLE = {
    "a1": ("chat", 12.0, "warm", "dc"),
    "a2": ("chat", 12.0, "warm", "dc"),
    "a3": ("chat", 8.0, "warm", "dc"),
    "b1": ("pretrain", 14.0, "warm", "dc"),
    "b2": ("pretrain", 10.0, "warm", "dc"),
    "c1": ("code", 5.0, "hall", "ac"),
    "c2": ("code", 4.0, "hall", "ac"),
    "d": ("", 1.5, "hall", "ac"),
}
FIRST_SOC = 0.1
GENSET = {"fuel_j": 100 * 3.6e9, "fuel_price_usd_per_mwh": 90.0, "fuel_carbon_kg_per_mwh": 265.6}
CHARGE_W = 20e6 * 3 / 0.95 / 0.94 / 4  # four hours fill what three hours take
STAGES = {
    "dc": {"transformer": 0.008, "central-rectifier": 0.017, "rack-dcdc": 0.015},
    "ac": {"transformer": 0.009, "ups": 0.035, "pdu": 0.012},
}


@dataclass(frozen=True)
class SampleRun:
    site: Any
    meta: dict[str, Any]
    series: pl.DataFrame
    pods: pl.DataFrame
    events: pl.DataFrame
    summary: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None


@dataclass
class Parts:
    """Arrays on the way to the frames."""

    n: int
    step_s: float
    rng: np.random.Generator
    series: dict[str, np.ndarray] = field(default_factory=dict)
    pods: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    @property
    def hours(self) -> np.ndarray:
        return np.arange(self.n) * self.step_s / 3600.0

    def noise(self, size: float, span_h: float = 0.2) -> np.ndarray:
        """Smooth noise with the given standard deviation."""
        raw = self.rng.standard_normal(self.n)
        width = min(self.n, max(1, int(span_h * 3600 / self.step_s)))
        smooth = np.convolve(raw, np.ones(width) / np.sqrt(width), mode="same")
        return size * smooth


def sample_run(
    *,
    days: float = 7,
    step_s: float = 60.0,
    storage: bool = True,
    pv: bool = True,
    services: bool = True,
    jobs: bool = True,
    foul: bool = False,
    name: str = "campus-100mw",
    start: datetime = START,
) -> SampleRun:
    """A run of `days` days with output steps of `step_s` seconds; the options drop parts of the site.

    With `foul` a genset carries 2 MW in the second quarter of the window, while pod `d` is shed.
    """
    parts = Parts(n=max(1, int(days * 86400 / step_s)), step_s=step_s, rng=np.random.default_rng(7))
    weather(parts)
    for pod, row in POD_TABLE.items():
        parts.pods[pod] = pod_columns(parts, row, services=services, jobs=jobs)
    site_columns(parts, storage=storage, pv=pv)
    if foul:
        foul_columns(parts)
    times = pl.datetime_range(
        start,
        start + timedelta(seconds=step_s * (parts.n - 1)),
        timedelta(seconds=step_s),
        eager=True,
        time_unit="us",
        time_zone="UTC",
    ).alias("time")
    series = pl.DataFrame({"time": times, **parts.series})
    pods = pl.concat(
        [
            pl.DataFrame({"time": times, "pod": [pod] * parts.n, **columns})
            for pod, columns in parts.pods.items()
        ]
    ).sort("time", "pod", maintain_order=True)
    site = site_shape(name, storage=storage, pv=pv, services=services, jobs=jobs, start=start, days=days)
    run = SampleRun(
        site=site,
        meta=meta(site, parts, start) | ({"gensets": {"own": GENSET}} if foul else {}),
        series=series,
        pods=pods,
        events=events(times, services=services),
    )
    return replace(run, summary=summary(run))


def weather(parts: Parts) -> None:
    hours = parts.hours
    season = -8 * np.cos(2 * np.pi * (hours / 8760.0 + 0.48)) if parts.n * parts.step_s > 60 * 86400 else 0.0
    dry_c = 27 + season - 6 * np.cos(2 * np.pi * (hours - 19) / 24 + np.pi) + parts.noise(0.6, 3)
    parts.series |= {
        "dry_bulb_k": dry_c + 273.15,
        "wet_bulb_k": dry_c - 4.5 + 1.8 * np.cos(2 * np.pi * (hours - 19) / 24) + 273.15,
        "price_usd_per_mwh": np.where((hours % 24 > 17) & (hours % 24 < 23), 118.0, 46.0) + 0 * hours,
        "export_price_usd_per_mwh": 30.0 + 0 * hours,
        "carbon_kg_per_mwh": 360 + 60 * np.cos(2 * np.pi * (hours - 3) / 24),
    }


def pod_columns(
    parts: Parts, row: tuple[str, float, str, str], *, services: bool, jobs: bool
) -> dict[str, np.ndarray]:
    """One pod: a service follows the day, training is flat with checkpoints, an idle pod idles."""
    load, rated_mw, plant, chain = row
    hours, zero = parts.hours, np.zeros(parts.n)
    serving = services and load in {"chat", "code"}
    training = jobs and load == "pretrain"
    demand = zero
    if serving:
        phase = 20 if load == "chat" else 16
        day = 0.62 + 0.3 * np.cos(2 * np.pi * (hours - phase) / 24) - 0.08 * ((hours // 24) % 7 > 4)
        gain = 1.1 if load == "chat" else 0.95
        demand = np.clip(gain * day * (1 + parts.noise(0.03)), 0.05, 1.2)
    use = np.minimum(demand, 1.0)
    if training:
        use = np.where((hours % 3) < 0.06, 0.45, 0.93) * (hours > 6) + 0.12 * (hours <= 6)
    accelerator = rated_mw * 1e6 * (0.22 + 0.73 * use)
    server = accelerator * 1.19
    it = server * 1.035
    dry_c = parts.series["dry_bulb_k"] - 273.15
    supply = np.maximum(40.0 if plant == "warm" else 24.0, dry_c + (7 if plant == "warm" else -6)) + 273.15
    capacity = rated_mw * (90e3 if load == "chat" else 41e3) * parts.step_s
    arrived = demand * capacity
    backlog = np.cumsum(arrived - capacity)
    queue = backlog - np.minimum(np.minimum.accumulate(backlog), 0)
    out = arrived - np.diff(queue, prepend=0.0)
    late = 0.002 + 0.25 * np.clip(demand - 0.92, 0, 1)
    nan = np.full(parts.n, np.nan)
    latency = 0.011 + 0.03 * use**2
    return {
        "accelerator_w": accelerator,
        "server_w": server,
        "network_w": it - server,
        "it_w": it,
        "chain_loss_w": it * sum(STAGES[chain].values()),
        "accelerator_demand_w": accelerator,
        "tokens_arrived": arrived,
        "tokens_output": out,
        "tokens_dropped": zero,
        "tokens_useful": out * (1 - late),
        "tokens_input": 3.1 * out,
        "requests": out / 420,
        "training_tokens": (use * rated_mw * 5e4 * parts.step_s) if training else zero,
        "queue_tokens": queue,
        "batch": 8 + 120 * use,
        "utilisation_frac": use,
        "ttft_p50_s": 0.35 + 0.4 * use**3 if serving else nan,
        "ttft_p90_s": 0.6 + 0.7 * use**3 if serving else nan,
        "ttft_p99_s": 0.9 + 1.3 * use**6 + queue / capacity if serving else nan,
        "itl_p50_s": latency if serving else nan,
        "itl_p90_s": latency * 1.2 if serving else nan,
        "itl_p99_s": latency * 1.45 if serving else nan,
        "supply_k": supply,
        "case_k": supply + 6 + 18 * use + parts.noise(0.15),
        "cap_frac": np.ones(parts.n),
        "throttle_frac": zero,
        "shed_frac": zero,
    }


def site_columns(parts: Parts, *, storage: bool, pv: bool) -> None:
    hours, series = parts.hours, parts.series
    for key in ("accelerator_w", "server_w", "network_w", "it_w"):
        series[key] = np.sum([columns[key] for columns in parts.pods.values()], axis=0)
    conversion = np.zeros(parts.n)
    for chain, stages in STAGES.items():
        it = np.sum([parts.pods[pod]["it_w"] for pod, row in POD_TABLE.items() if row[3] == chain], axis=0)
        for stage, share in stages.items():
            series[f"stage.{chain}.{stage}.loss_w"] = it * share
            conversion += it * share
    series["conversion_loss_w"] = conversion
    cooling(parts)
    series["auxiliary_w"] = np.full(parts.n, 0.35e6)
    sun = np.clip(np.sin(np.pi * ((hours - 10.5) % 24) / 14), 0, None) * (((hours - 10.5) % 24) < 14)
    cloud = np.clip(1 - np.abs(parts.noise(0.18, 0.5)), 0.15, 1)
    series["pv_w"] = 24e6 * sun * cloud if pv else np.zeros(parts.n)
    load = sum(series[key] for key in ("it_w", "conversion_loss_w", "cooling_w", "auxiliary_w"))
    power = np.zeros(parts.n)
    if storage:
        power = CHARGE_W * ((hours % 24 >= 6) & (hours % 24 < 10)) - 20e6 * (
            (hours % 24 >= 18) & (hours % 24 < 21)
        )
        stored = np.cumsum(np.where(power > 0, 0.94 * power, power / 0.95)) * parts.step_s / 3600 / 80e6
        series["storage.yard.power_w"] = power
        series["storage.yard.charge_w"] = np.maximum(power, 0)
        series["storage.yard.discharge_w"] = np.maximum(-power, 0)
        series["storage.yard.loss_w"] = np.where(power > 0, 0.06 * power, -power * (1 / 0.95 - 1))
        series["storage.yard.soc_frac"] = FIRST_SOC + stored
    net = load + power - series["pv_w"]
    spread = 1e5 + np.abs(parts.noise(6e5))
    zero = np.zeros(parts.n)
    used = load + series.get("storage.yard.loss_w", zero)
    series |= {
        "grid_import_w": np.maximum(net, 0),
        "grid_export_w": np.maximum(-net, 0),
        "grid_import_min_w": net - spread,
        "grid_import_max_w": net + spread,
        "wind_w": zero,
        "genset_w": zero,
        "curtailed_w": zero,
        "unserved_w": zero,
        "storage_loss_w": series.get("storage.yard.loss_w", zero),
        "heat_rejected_w": used - 0.04 * series["it_w"] - 0.5 * conversion,
        "heat_reused_w": 0.04 * series["it_w"],
        "heat_ambient_w": 0.5 * conversion,
        "heat_stored_w": zero,
        "residual_energy_w": zero,
        "residual_heat_w": zero,
        "flow_energy_w": 2 * load,
        "flow_heat_w": 2 * used,
    }


def foul_columns(parts: Parts) -> None:
    """Who was shed and who carried: the books stay as they are."""
    series, on = parts.series, np.zeros(parts.n)
    on[parts.n // 4 : parts.n // 2] = 1.0
    series |= {"genset_w": 2e6 * on, "genset.own.power_w": 2e6 * on, "genset.own.fuel_w": 5e6 * on}
    series |= {"genset.own.running_frac": on, "bus_formed_frac": np.ones(parts.n)}
    series["grid_import_w"] = series["grid_import_w"] - 2e6 * on
    series["unserved_w"] = 1e6 * on
    series["wanted_w"] = series["grid_import_w"] + series["pv_w"] + series["genset_w"] + 1e6 * on
    for pod, columns in parts.pods.items():
        off = on * (pod == "d")
        columns |= {"shed_frac": off, "not_supplied_w": 1e6 * off, "available_frac": 1.0 - off}
        columns |= {"tripped_frac": np.zeros(parts.n)}


def cooling(parts: Parts) -> None:
    series = parts.series
    dry_c = series["dry_bulb_k"] - 273.15
    total, water = np.zeros(parts.n), np.zeros(parts.n)
    for plant, base_c in (("warm", 40.0), ("hall", 24.0)):
        it = np.sum([parts.pods[pod]["it_w"] for pod, row in POD_TABLE.items() if row[2] == plant], axis=0)
        warm = plant == "warm"
        hot = np.clip((dry_c - 22) / 14, 0.05, 1.0)
        components = {
            "pump_facility": 0.011 * it,
            "pump_cdu": (0.008 if warm else 0.0) * it,
            "fan": 0.03 * it * hot**2,
            "chiller": (0.0 if warm else 0.16) * it * hot,
            "crah": (0.0 if warm else 0.05) * it,
        }
        supply = np.maximum(base_c, dry_c + (5 if warm else -8)) + 273.15
        for component, power in components.items():
            series[f"cooling.{plant}.{component}_w"] = power
            total = total + power
        series[f"cooling.{plant}.supply_k"] = supply
        series[f"cooling.{plant}.return_k"] = supply + (10 if warm else 8) * it / it.max()
        series[f"cooling.{plant}.heat_w"] = 0.98 * it
        series[f"cooling.{plant}.water_kg_s"] = 1.5e-7 * it * (hot > 0.6) * warm
        water = water + series[f"cooling.{plant}.water_kg_s"]
    series["cooling_w"], series["water_kg_s"] = total, water


def site_shape(
    name: str, *, storage: bool, pv: bool, services: bool, jobs: bool, start: datetime, days: float
) -> dict[str, Any]:
    """What the resolved site holds, as plain mappings."""
    chat = {"use": "llama-3.1-405b", "pods": ["a1", "a2", "a3"], "precision": "fp8", "flex_tier": 1}
    code = {"use": "qwen3-coder-480b", "pods": ["c1", "c2"], "precision": "fp8", "flex_tier": 0}
    site: dict[str, Any] = {
        "schema": 1,
        "site": {
            "name": name,
            "location": {"latitude_deg": 36.1, "longitude_deg": -79.95, "timezone": "America/New_York"},
        },
        "grid": {"import_limit_mw": 100.0, "export_limit_mw": 0.0, "voltage_kv": 138.0},
        "chains": {
            "dc": {"use": "800vdc-central-rectifier", "redundancy": "N+1"},
            "ac": {"use": "415vac-double-conversion", "redundancy": "2N"},
        },
        "cooling": {
            "warm": {"use": "dry-cooler", "cdu": "deschutes-2mw", "supply_temp_c": 40.0},
            "hall": {"use": "chiller-economiser", "supply_temp_c": 24.0},
        },
        "pods": {
            pod: {
                "use": "gb200-nvl72" if row[2] == "warm" else "dgx-h100",
                "racks": int(row[1] * 9),
                "chain": row[3],
                "cooling": row[2],
                "priority": place,
            }
            for place, (pod, row) in enumerate(POD_TABLE.items())
        },
        "services": {},
        "jobs": {},
        "scenario": {
            "start": start.isoformat(),
            "days": days,
            "weather": {"use": "tmy3-greensboro"},
            "tariff": {"use": "tou-demand"},
        },
        "control": {"use": "hold", "period_s": 60.0},
    }
    if services:
        site["services"] = {
            "chat": {**chat, "slo": {"ttft_p99_s": 2.0, "itl_p99_ms": 50.0}},
            "code": {**code, "slo": {"ttft_p99_s": 3.0, "itl_p99_ms": 60.0}},
        }
    if jobs:
        site["jobs"] = {
            "pretrain": {"use": "llama-3.1-70b", "pods": ["b1", "b2"], "start": start.isoformat()}
        }
    if storage:
        site["storage"] = {"yard": {"use": "lfp-site", "power_mw": 40.0, "energy_mwh": 80.0}}
    if pv:
        site["renewables"] = {"field": {"use": "pv-fixed", "dc_power_mw": 30.0, "tilt_deg": 25.0}}
    return site


def meta(site: dict[str, Any], parts: Parts, start: datetime) -> dict[str, Any]:
    """What `Run.meta` carries (aidc.measure.meta)."""
    accelerators = {"gb200-nvl72": "GB200", "dgx-h100": "H100"}
    limits = {"gb200-nvl72": 85.0, "dgx-h100": 82.0}
    entries = (
        "accelerator/gb200",
        "accelerator/h100",
        "rack/gb200-nvl72",
        "chain/800vdc",
        "cdu/deschutes-2mw",
    )
    confidence = ("published", "measured", "derived", "published", "estimated")
    kinds = {"services": "service", "jobs": "job"}
    stored = parts.series.get("storage.yard.soc_frac", np.zeros(1)) * 80 * 3.6e9
    return {
        "name": site["site"]["name"],
        "version": "0.1.0",
        "start": start.isoformat(),
        "step_s": 1.0,
        "steps": round(parts.n * parts.step_s),
        "output_step_s": parts.step_s,
        "timezone": site["site"]["location"]["timezone"],
        "seed": 1,
        "inputs": {"site.toml": "sha256:5f1c0e9d", "weather": "sha256:77aa01bc"},
        "repairs": ["weather: 3 missing hours interpolated (2025-07-08T04:00Z)"],
        "tariff": {"demand_usd_per_kw_month": 14.2, "fixed_usd_per_month": 2500.0},
        "import_limit_w": 100e6,
        "stored_first_j": FIRST_SOC * 80 * 3.6e9 * ("storage" in site),
        "stored_last_j": float(stored[-1]),
        "workloads": {
            name: {
                "kind": kind,
                "pods": facts["pods"],
                "model": facts["use"],
                "precision": facts.get("precision", "bf16"),
                "accelerator": accelerators[site["pods"][facts["pods"][0]]["use"]],
                "slo": facts.get("slo", {}),
            }
            for group, kind in kinds.items()
            for name, facts in site[group].items()
        },
        "jobs": {name: {"finished": False, "lost_s": 2520.0} for name in site["jobs"]},
        "storage": {
            name: {
                "capacity_j": 80 * 3.6e9,
                "power_w": 40e6,
                "first_soc_frac": FIRST_SOC,
                "ageing": ["naumann", "blast"],
            }
            for name in site.get("storage", {})
        },
        "performance": {"wall_s": 0.61, "steps_per_s": 991_000.0, "peak_rss_mb": 412.0},
        "pods": {
            pod: {
                "rated_w": POD_TABLE[pod][1] * 1.3e6,
                "accelerator": accelerators[row["use"]],
                "case_limit_c": limits[row["use"]],
                "workload": POD_TABLE[pod][0] or None,
            }
            for pod, row in site["pods"].items()
        },
        "assumptions": [
            {
                "where": f"pods.{list(site['pods'])[place % 8]}",
                "entry": entries[place % 5],
                "key": f"figure_{place}_w",
                "value": 12.5 * (place + 1),
                "source": "Example data sheet, table 3",
                "url": "https://example.org/sheet.pdf",
                "confidence": confidence[place % 5],
                "overridden": place == 7,
            }
            for place in range(60)
        ],
    }


def events(times: pl.Series, *, services: bool) -> pl.DataFrame:
    if not services:
        return pl.DataFrame(
            schema={
                "time": pl.Datetime("us", "UTC"),
                "kind": pl.String,
                "subject": pl.String,
                "message": pl.String,
            }
        )
    last = len(times) - 1
    rows = [
        (times[last // 7], "fault", "cooling.warm", "facility pump 2 of 4 lost for 12 min"),
        (times[last // 3], "clip", "pod a1", "cap of 3.1 MW clipped to the device's floor of 3.6 MW"),
        (times[last // 2], "shed", "pod d", "shed for 4 min: sources short by 1.2 MW"),
    ]
    return pl.DataFrame(
        rows,
        schema={
            "time": pl.Datetime("us", "UTC"),
            "kind": pl.String,
            "subject": pl.String,
            "message": pl.String,
        },
        orient="row",
    )
