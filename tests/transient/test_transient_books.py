"""Energy closes in every window, on random sites with random events."""

from __future__ import annotations

import numpy as np
from grids import closed, open_site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import documents

from aidc.schema.disturbance import (
    FrequencyRamp,
    FrequencyStep,
    Islanding,
    JobAbort,
    LoadStep,
    PumpLoss,
    Sag,
    Swell,
)

FRONTS = [
    "psu-direct",
    "rectifier-800vdc",
    "sst-800vdc",
    "ups-double-conversion",
    "ups-eco",
    "ups-grid-friendly",
    "ups-sag-counter",
]
LAWS = [
    {"use": "none"},
    {"use": "smoothing", "time_constant_s": 2.0, "soc_gain_per_h": 5.0},
    {"use": "ramp-limit", "limit_mw_per_min": 1.0},
    {"use": "frequency-droop"},
]


@st.composite
def cases(draw):
    body = draw(documents())
    for chain in body["chains"].values():
        chain["front"] = draw(
            st.sampled_from(FRONTS).map(lambda name: {"use": name, "return_s": 0.2, "walk_in_s": 0.3})
        )
        chain["front"] |= {"battery_s": draw(st.sampled_from([0.3, 300.0]))}
    for pod in body["pods"].values():
        pod |= {"restart_s": 0.5, "return_s": 0.2}
        if draw(st.booleans()):
            pod["power_smoothing"] = {"floor_frac": 0.5, "ramp_up_frac_per_s": 0.2, "hysteresis_s": 0.2}
    body["grid"] |= {
        "short_circuit_mva": draw(st.sampled_from([0.5, 2.0, 20.0, 2000.0])),
        "x_over_r": draw(st.sampled_from([0.5, 10.0, 100.0])),
        "transformer": {"winding": draw(st.sampled_from(["Dy", "Yy"])), "reactance_frac": 0.1},
    }
    for plant in body["cooling"].values():
        plant["drives"] = {"on_ups": draw(st.booleans()), "restart_s": 0.1, "ramp_s": 0.2}
        plant["drives"] |= {"compressor_restart_s": 0.4}
    for genset in body.get("gensets", {}).values():
        genset |= {"call_s": 0.1, "start_time_s": 0.2, "synchronise_s": 0.1, "stop_s": 0.3}
        genset |= {"power_mw": draw(st.sampled_from([0.02, 1.0, 20.0]))}
        genset |= {"ramp_frac_per_s": draw(st.sampled_from([0.5, 10.0]))}
    if "s-ups" in body["storage"]:
        body["storage"]["s-ups"] |= {"charge_from_gensets": draw(st.booleans()), "soc_initial_frac": 0.6}
        body["storage"]["s-ups"] |= {"energy_mwh": draw(st.sampled_from([1e-3, 0.2]))}
    if "s-site" in body["storage"]:
        body["storage"]["s-site"] |= {
            "energy_mwh": draw(st.sampled_from([1e-4, 0.2])),
            "converter": {
                "control": draw(st.sampled_from(["grid-forming", "grid-following"])),
                "law": draw(st.sampled_from(LAWS)),
                "inertia_s": draw(st.sampled_from([0.0, 0.5, 4.0])),
                "volt_var_frac": draw(st.sampled_from([0.0, 10.0])),
                "cease_below_pu": draw(st.sampled_from([0.0, 0.5])),
                "lag_s": draw(st.sampled_from([0.0, 0.02])),
            },
        }
    if body["grid"]["import_limit_mw"] + body["grid"].get("export_limit_mw", 0.0) <= 0.0:  # nothing of a grid
        forms = body["storage"].get("s-site", {}).get("converter", {}).get("control") == "grid-forming"
        if not body.get("gensets") and not forms:
            body["gensets"] = {"prime": {"use": "gas-engine", "power_mw": 1.0}}
        return body, draw(_load(body))
    return body, [*draw(_grid()), *draw(_frequency()), *draw(_load(body))]


def _grid():
    sags = st.builds(
        Sag,
        use=st.just("sag"),
        start_s=st.floats(0.0, 1.0),
        residual_pu=st.floats(0.0, 1.0),
        duration_s=st.sampled_from([0.0004, 0.02, 0.15, 0.4]),
        fault=st.sampled_from(["3ph", "lg", "ll", "llg"]),
        phase_jump_deg=st.floats(-60, 60),
        recovery_s=st.sampled_from([0.0, 0.1]),
        repeat=st.sampled_from([1, 3]),
        every_s=st.just(0.6),
    )
    swells = st.builds(
        Swell, use=st.just("swell"), start_s=st.just(0.5), voltage_pu=st.floats(1, 2), duration_s=st.just(0.5)
    )
    islands = st.builds(
        Islanding,
        use=st.just("islanding"),
        start_s=st.just(0.3),
        duration_s=st.sampled_from([None, 0.5, 1.5]),
    )
    return st.one_of(st.just([]), st.tuples(sags), st.tuples(swells), st.tuples(islands))


def _frequency():
    steps = st.builds(
        FrequencyStep, use=st.just("frequency-step"), start_s=st.just(0.4), change_hz=st.floats(-5, 5)
    )
    ramps = st.builds(
        FrequencyRamp,
        use=st.just("frequency-ramp"),
        start_s=st.just(0.2),
        change_hz=st.floats(-3, 3),
        rocof_hz_per_s=st.floats(0.5, 50),
        hold_s=st.sampled_from([None, 0.3]),
    )
    return st.one_of(st.just([]), st.tuples(steps), st.tuples(ramps))


@st.composite
def _load(draw, body):
    events = []
    if draw(st.booleans()):
        events.append(
            LoadStep(use="load-step", start_s=0.7, load_frac=draw(st.floats(0, 1.5)), duration_s=0.5)
        )
    if draw(st.booleans()):
        plant = draw(st.sampled_from(sorted(body["cooling"])))
        events.append(PumpLoss(use="pump-loss", start_s=0.0, plant=plant, duration_s=1.0))
    if "jobs" in body and draw(st.booleans()):
        events.append(JobAbort(use="job-abort", start_s=0.6, job="train", restart_s=0.5))
    return events


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases(), st.sampled_from([1, 2, 5]))
def test_energy_closes_and_nothing_is_not_a_number(case, step_ms) -> None:
    from fractions import Fraction

    body, events = case
    window = open_site(body, events, duration_s=3.0, step_s=Fraction(step_ms, 1000))
    wave = window.advance()
    closed(window)
    for name, values in wave.channels.items():
        assert np.isfinite(values).all(), name
    assert (wave["it_served_w"] <= wave["it_demand_w"] * (1 + 1e-9) + 1e-6).all()
    assert (wave["connected_frac"] <= 1 + 1e-9).all()
    assert (wave["dc_bus_pu"] >= 0).all()
    assert all(value >= -1e-6 for name, value in window.books().energy_j.items() if name.endswith("_loss"))
