"""Random valid sites, small enough to run in a second."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from aidc.site import site_of

RACKS = {"gb200-nvl72": "warm", "8xb200-liquid": "warm", "dgx-h100": "hall", "hgx-h200": "hall"}


def document(
    pods: dict, *, import_mw: float = 100.0, minutes: float = 20.0, step_s: float = 1.0, dry_c: float = 20.0
) -> dict:
    """A site of the given pods, without workloads."""
    return {
        "schema": 1,
        "site": {"name": "random", "location": {"latitude_deg": 36.1, "longitude_deg": -79.95}},
        "grid": {"import_limit_mw": import_mw},
        "chains": {
            "dc": {"use": "800vdc-central-rectifier", "redundancy": "N+1"},
            "ac": {"use": "415vac-double-conversion", "redundancy": "2N"},
        },
        "cooling": {
            "warm": {"use": "dry-cooler", "cdu": "deschutes-2mw", "supply_temp_c": 40},
            "hall": {"use": "chiller-economiser", "supply_temp_c": 20},
        },
        "pods": pods,
        "scenario": {
            "start": "2025-07-07T12:00:00Z",
            "days": minutes / 1440,
            "step_s": step_s,
            "output_step_s": step_s,
            "weather": {"use": "constant", "dry_bulb_c": dry_c},
            "tariff": {"use": "flat"},
            "carbon": {"use": "us-average-2023"},
        },
    }


def loaded(body: dict):
    return site_of(body, Path("random.toml"))


@st.composite
def documents(draw) -> dict:
    """One to four pods with any workload, any storage, a tight or a wide grid."""
    pods = {}
    for number in range(draw(st.integers(1, 4))):
        rack = draw(st.sampled_from(sorted(RACKS)))
        pods[f"p{number}"] = {
            "use": rack,
            "racks": draw(st.integers(1, 12)),
            "chain": draw(st.sampled_from(["dc", "ac"])),
            "cooling": RACKS[rack],
            "air_cooling": "hall",
            "priority": draw(st.integers(0, 3)),
        }
    body = document(
        pods,
        import_mw=draw(st.sampled_from([0.0, 0.3, 1.0, 100.0])),
        minutes=draw(st.sampled_from([2.0, 5.0])),
        step_s=draw(st.sampled_from([1.0, 5.0, 0.5])),
        dry_c=draw(st.sampled_from([-10.0, 20.0, 38.0, 52.0])),
    )
    names = list(pods)
    served, trained = names[: draw(st.integers(0, len(names)))], names[-1:]
    if served:
        body["services"] = {
            "chat": {
                "use": draw(st.sampled_from(["llama-3.1-8b", "qwen3-30b-a3b", "llama-3.1-70b"])),
                "pods": served,
                "demand": {
                    "use": "constant",
                    "output_tokens_per_s": draw(st.sampled_from([0.0, 1e3, 1e6, 1e9])),
                },
            }
        }
    if trained[0] not in served:
        start = "2025-07-07T12:01:00Z"
        body["jobs"] = {"train": {"use": "llama-3.1-70b", "pods": trained, "start": start}}
    rules = [
        {"use": "self-consumption"},
        {"use": "reserve"},
        {"use": "smoothing"},
        {"use": "peak-shaving", "target_mw": 0.5},
    ]
    body["storage"] = {
        f"s-{node}": {
            "use": {"site": "lfp-site", "ups": "ups-battery-string", "rack": "rack-capacitor-shelf"}[node],
            "rule": draw(st.sampled_from(rules)),
            **({"power_mw": 0.5, "energy_mwh": 0.2} if node != "rack" else {}),
        }
        for node in draw(st.sets(st.sampled_from(["site", "ups", "rack"])))
    }
    if draw(st.booleans()):
        body["gensets"] = {"standby": {"use": "diesel-standby", "power_mw": 1.0}}
    return body
