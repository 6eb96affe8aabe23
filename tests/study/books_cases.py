"""Random sites whose figures must not depend on the output step, nor on how a controller cuts the run."""

from __future__ import annotations

import json
import math
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from aidc.contract import Command, Knob
from aidc.schema.base import Shape
from aidc.site import site_of
from aidc.study.site_run.run import run

__all__ = ["OUTPUT_STEPS_S", "differences", "random_document"]

OUTPUT_STEPS_S = (60, 1, 900, 3600)  # the first is what the others are held against
START = datetime(2025, 7, 7, 4, tzinfo=UTC)
HOURS = 6
_BY_OUTPUT = (
    "window.output_step_s",
    "performance",
    "peak_import_step_mw",
    "ramps_mw.output_step",
    "ramps_mw.within_step",
)
_RELATIVE = 1e-9
_LATENCY = 5e-3
_RESIDUAL = 1e-9  # the bound of the books


class Nudge:
    """A controller that caps every pod anew every 37 s, which divides no row of anything."""

    period_s = 37.0

    class Options(Shape):
        """None."""

    def reset(self, site, options, rng) -> None:
        del options, rng
        self.site, self.turn = site, 0

    def decide(self, observation) -> list[Command]:
        del observation
        self.turn += 1
        cap = (0.85 + 0.15 * math.cos(0.1 * self.turn)) * np.asarray(self.site.upper[Knob.POD_CAP_W])
        return [Command(Knob.POD_CAP_W, cap, 60.0, "")]


def differences(seed: int, *, controlled: bool) -> list[str]:
    """What changes with the output step on one random site; nothing where all holds."""
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for output_step_s in OUTPUT_STEPS_S:
            body = random_document(seed, Path(folder))
            body["scenario"]["output_step_s"] = output_step_s
            site = site_of(body, Path(folder) / "site.toml")
            out = Path(folder) / f"run-{output_step_s}"
            made.append(run(site, out=out, controller=Nudge() if controlled else None))
        first = made[0]
        found = [
            f"{other.folder.name}: {line}"
            for other in made[1:]
            for line in _differ(first.summary, other.summary)
        ]
        found += [
            f"{other.folder.name}: other events"
            for other in made[1:]
            if not first.events.equals(other.events)
        ]
    return found


def _differ(one: Any, two: Any, path: str = "") -> Iterator[str]:
    if path in _BY_OUTPUT:
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for key in one.keys() | two.keys():
            yield from _differ(one.get(key), two.get(key), f"{path}.{key}".removeprefix("."))
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for place, pair in enumerate(zip(one, two, strict=True)):
            yield from _differ(*pair, f"{path}[{place}]")
    elif isinstance(one, float) and isinstance(two, float):
        if not _alike(path, one, two):
            yield f"{path}: {one!r} and {two!r}"
    elif one != two:
        yield f"{path}: {json.dumps(one)} and {json.dumps(two)}"


def _alike(path: str, one: float, two: float) -> bool:
    if path == "tokens.closure_residual":
        return max(abs(one), abs(two)) < 1.0  # of some 1e9 tokens
    if "residual" in path or path.startswith("closure"):
        return max(abs(one), abs(two)) < _RESIDUAL
    tolerance = _LATENCY if "ttft" in path or "itl" in path else _RELATIVE
    return abs(one - two) <= tolerance * max(abs(one), abs(two)) + 1e-12


def random_document(seed: int, folder: Path) -> dict[str, Any]:
    """The starter site with other storages, gensets, prices, tariffs, events and work."""
    rng = np.random.default_rng(seed)
    body = tomllib.loads(files("aidc.site").joinpath("starter.toml").read_text("utf-8"))
    start = START + timedelta(seconds=int(rng.choice([0, 0, 30, 450])))
    body["scenario"] = {
        "start": start,
        "days": (HOURS + float(rng.choice([0.0, 0.01]))) / 24,
        "seed": seed,
        "weather": {"use": "tmy3-greensboro"},
        "events": _events(rng, start),
        **_market(rng, folder, start),
    }
    if rng.random() < 0.75:  # reading a year of weather takes longer than the run
        del body["renewables"]
        body["scenario"]["weather"] = {
            "use": "constant",
            "dry_bulb_c": float(rng.uniform(-10, 38)),
            "relative_humidity_percent": 50.0,
        }
    body["services"]["chat"]["demand"]["peak_output_tokens_per_s"] = float(rng.uniform(1e5, 4.5e5))
    body["jobs"]["finetune"]["start"] = start + timedelta(minutes=int(rng.integers(0, 120)))
    body["storage"] = _storages(rng)
    if rng.random() < 0.5:
        body["gensets"] = {"g": {"use": str(rng.choice(["diesel-standby", "gas-engine"])), "power_mw": 2.0}}
    if rng.random() < 0.3:
        body["cooling"]["hall"] |= {"rated_heat_mw": 0.15, "units": 1}
    return body


def _storages(rng: np.random.Generator) -> dict[str, Any]:
    known = {
        "yard": {
            "use": "lfp-site",
            "power_mw": 1.0,
            "energy_mwh": float(rng.choice([0.05, 2.0])),
            "rule": {"use": "peak-shaving", "target_mw": float(rng.uniform(0.5, 1.2))},
        },
        "smooth": {
            "use": "lfp-site",
            "power_mw": 0.5,
            "energy_mwh": 0.1,
            "rule": {"use": "smoothing", "window_min": float(rng.choice([0.5, 5.0]))},
        },
        "caps": {"use": "rack-capacitor-shelf"},
    }
    return {name: one for name, one in known.items() if rng.random() < 0.6}


def _market(rng: np.random.Generator, folder: Path, start: datetime) -> dict[str, Any]:
    """A tariff of the catalogue, or prices of a file that change every 5, 15 or 60 min."""
    if rng.random() < 0.4:
        return {"tariff": {"use": "tou-demand"}, "carbon": {"use": "us-average-2023"}}
    minutes = int(rng.choice([5, 15, 60]))
    first = start.replace(minute=0, second=0)
    times = [first + timedelta(minutes=minutes * k) for k in range(8 * 60 // minutes)]
    lines = [f"{t:%Y-%m-%dT%H:%M:%SZ},{rng.uniform(5, 900):.2f},{rng.uniform(50, 800):.1f}" for t in times]
    (folder / "market.csv").write_text("\n".join(["time_utc,usd,kg", *lines]))
    return {
        "prices": {"file": "market.csv", "price_column": "usd"},
        "tariff": {"demand_usd_per_kw_month": 10.0, "demand_interval_min": int(rng.choice([5, 15, 30, 60]))},
        "carbon": {"file": "market.csv", "average_column": "kg"},
    }


def _events(rng: np.random.Generator, start: datetime) -> list[dict[str, Any]]:
    def some(use: str, **more: Any) -> dict[str, Any]:
        at = start + timedelta(seconds=int(rng.integers(0, HOURS * 3600)))
        return {"use": use, "name": use, "start": at, "duration_min": float(rng.uniform(0.5, 60)), **more}

    found = [
        some("import-limit", limit_mw=float(rng.uniform(0.2, 1.0))),
        some("supply-outage"),
        some("price-spike", price_usd_per_mwh=1500.0),
    ]
    return [one for one in found if rng.random() < 0.5]
