"""Cooling against the weather and against its own limits: colder never costs more, too little never looks better."""

from itertools import pairwise

import numpy as np
import pytest
from sites import document, loaded

from aidc.measure.set_point import FAR_K, Watch
from aidc.simulate import Twin, compile_site
from aidc.simulate.energy.fields import Component, PodNow, PodState, SiteNow
from aidc.units import kelvin

AIR_POD = {"use": "dgx-h100", "racks": 12, "chain": "ac", "cooling": "hall", "air_cooling": "hall"}
# the shipped air handlers with every temperature 40 K up: the same coils, for halls as warm as these tests want them
WARM_HALL = {
    "use": "crah-chilled-water",
    "air_return_c": 77,
    "air_supply_c": 65,
    "water_in_c": 58,
    "water_out_c": 67,
}
CHECKPOINTS = {"checkpoint": {"period_min": 20, "duration_s": 60}}


def air_site(dry_c=20.0, minutes=120.0, job=None, **hall):
    """A hall of air-cooled servers that serve a constant demand, or train."""
    body = document({"a": dict(AIR_POD)}, minutes=minutes, step_s=5.0, dry_c=dry_c)
    body["scenario"]["weather"]["relative_humidity_percent"] = 60
    body["cooling"] = {"hall": {"use": "chiller-air-cooled", "supply_temp_c": 20, "crah": WARM_HALL, **hall}}
    if job is None:
        demand = {"use": "constant", "output_tokens_per_s": 3e5}
        body["services"] = {"chat": {"use": "llama-3.1-8b", "pods": ["a"], "demand": demand}}
    else:
        start = "2025-07-07T12:00:00Z"
        body["jobs"] = {"train": {"use": "llama-3.1-8b", "pods": ["a"], "start": start, **job}}
    return body


def stepped(body):
    """Means over a run, by array, and the twin at its end."""
    twin = Twin(compile_site(loaded(body)))
    out = twin.advance(twin.compiled.clock.steps).records
    return out, twin


@pytest.mark.parametrize(
    ("use", "supply_c"),
    [
        ("chiller-air-cooled", 20),
        ("chiller-economiser", 20),
        ("cooling-tower", 32),
        ("dry-cooler", 50),
        ("adiabatic-cooler", 45),
    ],
)
@pytest.mark.parametrize("job", [{}, CHECKPOINTS], ids=["constant", "stepping"])
def test_a_colder_sink_never_costs_more(use, supply_c, job):
    """At equal work, within 0.5 %; compressors rest where free cooling covers the load."""
    warm = {
        "air_limit_c": 90,
        "case_limit_c": 140,
        "case_trip_c": 150,
        "leakage_per_k": 0,
        "fan_speed_per_k": 0,
    }
    drawn, compressors = [], []
    for dry_c in (-20.0, -8.0, 2.0, 8.0, 14.0, 20.0, 27.0, 34.0):
        # two cells that just do: larger ones would carry the load without fans
        size = {"rated_heat_mw": 0.35, "fan_kw": 3.7, "units": 2} if use == "cooling-tower" else {}
        body = air_site(dry_c, job=job, use=use, supply_temp_c=supply_c, **size)
        body["pods"]["a"] |= warm
        out, _ = stepped(body)
        drawn.append(out.plant[:, [Component.FAN_W, Component.CHILLER_W], 0].sum(axis=1).mean())
        compressors.append(out.plant[:, Component.CHILLER_W, 0].max())
    assert all(colder <= warmer * 1.005 + 1.0 for colder, warmer in pairwise(drawn)), drawn
    assert compressors[0] == compressors[1] == 0.0
    assert drawn[-1] > 2.0 * drawn[0]


def test_a_run_begins_at_rest():
    """No transient at the start: an hour of constant load moves no temperature by a hundredth of a kelvin."""
    body = air_site(minutes=60.0)
    out, twin = stepped(body)
    assert np.ptp(out.facility_k[:, 0]) < 0.01
    assert np.ptp(out.loop_k[:, 1, 0]) < 0.01
    assert np.ptp(out.case_k[:, 0]) < 0.01
    assert out.facility_k[0, 0] == pytest.approx(kelvin(20.0), abs=0.02)
    twin.reset()
    again = twin.advance(twin.compiled.clock.steps).records
    assert np.array_equal(again.facility_k, out.facility_k)


def energy_per_token(out):
    """Site energy over useful tokens, of means of the whole run."""
    site_w = out.site[:, SiteNow.NET_IMPORT_W, 0].mean()
    return site_w / out.pod[:, PodNow.USEFUL_TOKENS, 0].mean()


@pytest.mark.parametrize("dry_c", [24.0, 29.0, 34.0])
def test_too_little_cooling_never_looks_like_efficiency(dry_c):
    """Against the intact plant run at the supply temperature that the small one reaches, within 1 %."""
    small, twin = stepped(air_site(dry_c, rated_heat_mw=0.05, units=2))
    reached_c = float(small.facility_k[-1, 0]) - kelvin(0.0)
    assert reached_c > 22.0
    intact, _ = stepped(air_site(dry_c, supply_temp_c=round(reached_c, 3), rated_heat_mw=0.05, units=12))
    assert float(intact.facility_k[-1, 0]) == pytest.approx(kelvin(reached_c), abs=0.3)
    assert energy_per_token(small) >= 0.99 * energy_per_token(intact)
    assert small.plant[-1, Component.ABOVE_K, 0] == pytest.approx(reached_c - 20.0, abs=0.2)
    assert twin.state.pod[PodState.HOT_FRAC, 0] < 1.0


def test_a_halved_plant_that_holds_makes_the_same_tokens():
    full, half = (stepped(air_site(12.0, rated_heat_mw=0.2, units=units))[0] for units in (8, 4))
    for out in (full, half):
        assert out.facility_k[-1, 0] == pytest.approx(kelvin(20.0), abs=0.05)
    tokens = [out.pod[:, PodNow.USEFUL_TOKENS, 0].sum() for out in (full, half)]
    assert tokens[0] == pytest.approx(tokens[1], rel=1e-9)
    plant = [Component.FAN_W, Component.CHILLER_W, Component.PUMP_FACILITY_W]
    cooling = [out.plant[:, plant, 0].sum(axis=1).mean() for out in (full, half)]
    cooling = [
        one + out.pod[:, PodNow.CRAH_W, 0].mean() for one, out in zip(cooling, (full, half), strict=True)
    ]
    site = [out.site[:, SiteNow.NET_IMPORT_W, 0].mean() for out in (full, half)]
    assert site[1] - site[0] == pytest.approx(cooling[1] - cooling[0], rel=0.05)


@pytest.mark.parametrize(
    ("limit", "band", "capped", "stopped"),
    [(20.0, 10.0, True, False), (10.0, 10.0, True, True), (60.0, 10.0, False, False)],
)
def test_an_inlet_limit_throttles_and_then_shuts_down(limit, band, capped, stopped):
    """Air of about 24 °C: below its limit nothing happens, in the band it throttles, beyond it the pod is off."""
    body = air_site(minutes=30.0)
    body["pods"]["a"] |= {"air_limit_c": limit, "inlet_band_k": band}
    out, _ = stepped(body)
    assert (out.pod[:, PodNow.THROTTLE_FRAC, 0].max() > 0.0) == capped
    assert (out.pod[:, PodNow.TRIP_FRAC, 0].max() > 0.0) == stopped
    if capped and not stopped:
        air_k = out.pod[-1, PodNow.AIR_K, 0]
        expected = (air_k - kelvin(limit)) / band
        assert out.pod[-1, PodNow.THROTTLE_FRAC, 0] == pytest.approx(expected, abs=1 / 64)


def test_leakage_and_fans_follow_the_inlet_from_where_they_were_measured():
    """At the reference nothing moves; 8 K above it: 0.2 %/K of the accelerators, fans by the cube of 1.24."""
    found = {}
    for reference_c in (None, 16.0):
        body = air_site(minutes=5.0)
        keys = {"leakage_per_k": 0.0, "fan_speed_per_k": 0.0}
        if reference_c is not None:
            keys = {"leakage_per_k": 0.002, "fan_speed_per_k": 0.03, "air_reference_c": reference_c}
        body["pods"]["a"] |= keys
        body["services"]["chat"]["demand"]["output_tokens_per_s"] = 2e5  # below the limit of power
        out, twin = stepped(body)
        found[reference_c] = (out.pod[-1], twin.compiled)
    (plain, _), (warm, compiled) = found[None], found[16.0]
    above_k = warm[PodNow.AIR_K, 0] - kelvin(16.0)
    assert above_k > 6.0
    gain = warm[PodNow.ACCELERATOR_W, 0] / plain[PodNow.ACCELERATOR_W, 0]
    assert gain == pytest.approx(1.0 + 0.002 * above_k, rel=1e-3)
    servers, speed = 48, min(1.0 + 0.03 * above_k, 1.5)
    load = warm[PodNow.ACCELERATOR_W, 0] / (servers * 8 * 700.0)
    fans_w = servers * (150.0 + 205.0 * load**2)
    moved = 0.08 * (warm[PodNow.ACCELERATOR_W, 0] - plain[PodNow.ACCELERATOR_W, 0])
    risen = warm[PodNow.OVERHEAD_W, 0] - plain[PodNow.OVERHEAD_W, 0]
    assert risen == pytest.approx(fans_w * (speed**3 - 1.0) + moved, rel=0.03)
    assert compiled.params.dt_s == 5.0


def test_excursions_are_joined_across_blocks_and_short_ones_do_not_count():
    watch = Watch()
    minutes = np.arange(40) * 60.0
    above = np.where((minutes >= 300) & (minutes < 1500), 1.0, 0.1)
    found = []
    for part in (slice(0, 7), slice(7, 20), slice(20, 40)):
        found += watch.feed(minutes[part], np.full(minutes[part].size, 60.0), above[part])
    found += watch.close()
    assert [(one.start_s, one.duration_s, one.worst_k) for one in found] == [(300.0, 1200.0, 1.0)]
    assert found[0].counts
    short = Watch().feed(minutes, np.full(40, 60.0), np.where(minutes == 600, FAR_K - 1.0, 0.0))
    assert [one.counts for one in short] == [False]
