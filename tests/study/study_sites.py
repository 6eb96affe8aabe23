"""Sites for the tests of studies: the shipped examples, and seeded random ones around one of four chains."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aidc.schema.converter import Converter, FrequencyDroop, LoadSmoothing, NoLaw, RampLimit
from aidc.schema.front_end import Drives, FrontEnd, SagCounter
from aidc.schema.site import Site
from aidc.site import load

EXAMPLES = Path(__file__).parents[2] / "examples" / "interconnection"

FOUR_CHAINS = """
schema = 1

[site]
name = "four-chains"
location = { latitude_deg = 32.4, longitude_deg = -99.7, timezone = "America/Chicago", elevation_m = 520 }

[grid]
import_limit_mw = 90
voltage_kv = 138
short_circuit_mva = 2500
x_over_r = 12

[chains]
ac = { use = "415vac-double-conversion", front = "ups-double-conversion" }
eco = { use = "415vac-eco", front = "ups-eco" }
dc = { use = "800vdc-central-rectifier", front = "rectifier-800vdc" }
sst = { use = "800vdc-sst", front = "sst-800vdc" }

[cooling]
warm = { use = "dry-cooler", cdu = "deschutes-2mw", supply_temp_c = 40 }
hall = { use = "chiller-economiser", supply_temp_c = 20 }

[pods]
chat-a = { use = "gb200-nvl72", racks = 130, chain = "ac", cooling = "warm", air_cooling = "hall", priority = 1 }
chat-b = { use = "gb200-nvl72", racks = 110, chain = "eco", cooling = "warm", air_cooling = "hall", priority = 2 }
train-a = { use = "gb200-nvl72", racks = 260, chain = "dc", cooling = "warm", air_cooling = "hall", priority = 3 }
train-b = { use = "gb200-nvl72", racks = 220, chain = "sst", cooling = "warm", air_cooling = "hall", priority = 4 }

[storage.yard]
use = "lfp-site"
power_mw = 40
energy_mwh = 20
soc_initial_frac = 0.525
rule = { use = "reserve" }

[services.chat]
use = "llama-3.1-405b"
precision = "fp8"
pods = ["chat-a", "chat-b"]
flex_tier = 1
slo = { ttft_p99_s = 2, itl_p99_ms = 100 }
demand = { use = "diurnal", peak_output_tokens_per_s = 2.4e6, peak_to_mean = 1.6 }

[jobs.pretrain]
use = "llama-3.1-70b"
pods = ["train-a", "train-b"]
start = 2025-07-07T00:00:00Z
iteration_s = 6.0
communication_power_frac = 0.6
checkpoint = { period_min = 30, duration_s = 30 }

[scenario]
start = 2025-07-07T05:00:00Z
days = 0.125
weather = { use = "constant", dry_bulb_c = 33, relative_humidity_percent = 45 }
"""


def example(name: str, *settings: str) -> Site:
    """A shipped example, at its normal short-circuit level alone."""
    site = load(EXAMPLES / f"{name}.toml", settings)
    return site.model_copy(update={"grid": site.grid.model_copy(update={"short_circuit_min_mva": None})})


def four_chains(folder: Path) -> Site:
    """The base of the random sites."""
    path = folder / "site.toml"
    path.write_text(FOUR_CHAINS)
    return load(path)


def random_site(base: Site, rng: np.random.Generator) -> Site:
    """A site whose grid, front ends, drives, converter and job differ, at the operating point of its base."""
    grid = base.grid.model_copy(
        update={
            "short_circuit_mva": float(rng.uniform(300, 4000)),
            "x_over_r": float(rng.uniform(2, 30)),
            "transformer": base.grid.transformer.model_copy(
                update={"winding": str(rng.choice(["Dy", "Yd", "Yy", "Dd"]))}
            ),
        }
    )
    patient = bool(rng.random() < 0.4)  # the whole site is built to ride through; else by lot
    chains = {
        name: chain.model_copy(
            update={"front_entry": random_front(chain.front_entry or FrontEnd(), rng, patient=patient)}
        )
        for name, chain in base.chains.items()
    }
    drives = Drives(
        drop_below_pu=0.0 if patient else float(rng.choice([0.0, rng.uniform(0.4, 0.85)])),
        drop_after_s=float(rng.uniform(0.01, 0.2)),
        restart_s=float(rng.uniform(0.2, 5)),
        ramp_s=float(rng.uniform(0.2, 10)),
        on_ups=bool(rng.random() < 0.3),
    )
    cooling = {name: plant.model_copy(update={"drives": drives}) for name, plant in base.cooling.items()}
    storage = {
        name: shape.model_copy(update={"converter": random_converter(rng)})
        for name, shape in base.storage.items()
    }
    jobs = {
        name: job.model_copy(
            update={
                "communication_power_frac": float(rng.uniform(0.2, 0.9)),
                "iteration_s": float(rng.uniform(2, 10)),
            }
        )
        for name, job in base.jobs.items()
    }
    return base.model_copy(
        update={"grid": grid, "chains": chains, "cooling": cooling, "storage": storage, "jobs": jobs}
    )


def random_front(front: FrontEnd, rng: np.random.Generator, *, patient: bool) -> FrontEnd:
    """The catalogue's settings, a grid-friendly variant, or settings at random."""
    kind = 0.3 if patient else rng.random()
    if kind < 0.2:
        return front
    if kind < 0.5:  # patient relays: most of what a rule asks is ridden through
        return _changed(
            front,
            {
                "leave_below_pu": (0.88, 0.5),
                "leave_below_s": (float(rng.uniform(0.2, 4)), float(rng.uniform(0.1, 1.5))),
                "leave_above_pu": (1.25,),
                "leave_above_s": (float(rng.uniform(0.05, 3)),),
                "battery_frac": 1.1,
                "battery_s": 120.0,
                "supplements": True,
                "sag_counter": None,
            },
        )
    points = int(rng.integers(0, 4))
    levels = np.sort(rng.uniform(0.1, 0.95, points))[::-1]
    times = np.sort(rng.uniform(0, 1.5, points))[::-1]
    battery = float(rng.choice([0.0, 0.6, 1.1]))
    return _changed(
        front,
        {
            "leave_below_pu": tuple(map(float, levels)),
            "leave_below_s": tuple(map(float, times)),
            "leave_drop_hz": float(rng.uniform(0.5, 5)),
            "leave_rise_hz": float(rng.uniform(0.5, 5)),
            "leave_hz_s": float(rng.uniform(0, 2)),
            "current_limit_frac": float(rng.uniform(1.0, 2.0)),
            "return_s": float(rng.uniform(0, 1.5)),
            "walk_in_s": float(rng.uniform(0, 2)),
            "transfer_s": float(rng.choice([0.0, 0.004])),
            "hold_up_s": float(rng.uniform(0.005, 0.1)),
            "battery_frac": battery,
            "battery_s": 120.0,
            "battery_start_s": float(rng.choice([0.0, 0.004])),
            "supplements": bool(rng.random() < 0.5),
            "sag_counter": SagCounter(count=1) if rng.random() < 0.1 else None,
        },
    )


def _changed(front: FrontEnd, update: dict[str, object]) -> FrontEnd:
    """A copy that is validated, so that a key of another name is no setting."""
    return FrontEnd.model_validate({**front.model_dump(), **update})


def random_converter(rng: np.random.Generator) -> Converter:
    laws = [
        NoLaw(),
        LoadSmoothing(use="smoothing", time_constant_s=float(rng.uniform(5, 100))),
        RampLimit(use="ramp-limit", limit_mw_per_min=float(rng.uniform(5, 200))),
        FrequencyDroop(use="frequency-droop", full_hz=float(rng.uniform(0.1, 1))),
    ]
    return Converter(
        lag_s=float(rng.uniform(0.002, 0.05)),
        current_limit_frac=float(rng.uniform(1, 1.5)),
        cease_below_pu=float(rng.choice([0.0, rng.uniform(0.1, 0.6)])),
        volt_var_frac=float(rng.choice([0.0, rng.uniform(0, 3)])),
        law=laws[int(rng.integers(len(laws)))],
    )
