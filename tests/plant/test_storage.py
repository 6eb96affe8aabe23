"""Storage: the books of every step, limits, inverses, rules, and refusals."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.catalogue import read
from aidc.plant.storage import (
    StorageParams,
    auxiliary_w,
    charge_power_w,
    charge_stored_w,
    discharge_drawn_w,
    discharge_power_w,
    dispatch_rule_w,
    rule_thresholds_w,
    smoothing_request_w,
    storage_limits_w,
    storage_params,
    storage_step,
)
from aidc.schema.storage import PeakShaving, Reserve, SelfConsumption, Storage

relaxed = settings(deadline=None)  # the first example compiles

MWH_J = 3.6e9


def shipped(name, **more):
    values = dict(read("storage", name).values)
    if name != "rack-capacitor-shelf":
        values |= {"power_mw": 40, "energy_mwh": 80}
    return Storage.model_validate(values | more)


SITE = storage_params(shipped("lfp-site"))

curves = st.tuples(st.floats(0, 0.03), st.floats(0, 0.03), st.floats(0, 0.05))
devices = st.builds(
    lambda capacity_mwh, hours, low, high, charge, discharge, into, out: StorageParams(
        capacity_mwh * MWH_J, capacity_mwh * 1e6 / hours, low, high, *charge, *discharge, into, out, 0.0, 0.0
    ),
    st.floats(1e-3, 1e3),
    st.floats(0.02, 10),
    st.floats(0, 0.4),
    st.floats(0.6, 1),
    curves,
    curves,
    st.floats(0.8, 1),
    st.floats(0.8, 1),
)


@relaxed
@given(devices, st.floats(0, 1), st.floats(-3, 3), st.sampled_from([0.1, 1.0, 60.0, 3600.0]))
def test_a_step_keeps_its_books_and_its_limits(device, place, request_frac, dt_s):
    soc = device.soc_min_frac + place * (device.soc_max_frac - device.soc_min_frac)
    request_w = request_frac * device.rated_w
    power_w, after, lost_w = storage_step(soc, request_w, dt_s, device)
    rounding_w = 4e-16 * device.capacity_j / dt_s + 1e-9
    assert power_w * dt_s == pytest.approx(
        (after - soc) * device.capacity_j + lost_w * dt_s, rel=1e-12, abs=dt_s * rounding_w
    )
    assert lost_w >= -rounding_w
    assert abs(power_w) <= device.rated_w * (1 + 1e-12)
    assert abs(power_w) <= abs(request_w) * (1 + 1e-12)
    assert power_w * request_w >= 0
    assert device.soc_min_frac - 1e-15 <= after <= device.soc_max_frac + 1e-15
    if power_w == 0:
        assert after == soc


@relaxed
@given(devices, st.floats(0, 1), st.floats(-2, 2), st.floats(0, 1))
def test_more_charging_never_stores_less(device, place, first, step):
    soc = device.soc_min_frac + place * (device.soc_max_frac - device.soc_min_frac)
    low = storage_step(soc, first * device.rated_w, 60.0, device)
    high = storage_step(soc, (first + step) * device.rated_w, 60.0, device)
    assert high[0] >= low[0] - 1e-9 * device.rated_w
    assert high[1] >= low[1] - 1e-12


@relaxed
@given(devices, st.floats(1e-3, 1))
def test_the_inverses_invert(device, load_frac):
    power_w = load_frac * device.rated_w
    assert charge_power_w(charge_stored_w(power_w, device), device) == pytest.approx(power_w, rel=1e-9)
    assert discharge_power_w(discharge_drawn_w(power_w, device), device) == pytest.approx(power_w, rel=1e-9)


@relaxed
@given(devices, st.floats(0, 1), st.sampled_from([1.0, 300.0, 3600.0]))
def test_the_stated_limits_are_what_a_step_delivers(device, place, dt_s):
    soc = device.soc_min_frac + place * (device.soc_max_frac - device.soc_min_frac)
    out_w, in_w = storage_limits_w(soc, dt_s, device)
    assert storage_step(soc, 1e30, dt_s, device)[0] == pytest.approx(in_w, rel=1e-9, abs=1e-6)
    assert storage_step(soc, -1e30, dt_s, device)[0] == pytest.approx(-out_w, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("load_frac", "charging_pct", "discharging_pct"),
    [(0.25, 96.6, 97.4), (0.5, 97.7, 98.0), (1.0, 97.6, 97.6)],
)
def test_converter_against_the_field_fit(load_frac, charging_pct, discharging_pct):
    """Sungrow SC1000TL, fit of field data shipped with SimSES (tum-ees/simses)."""
    power_w = load_frac * SITE.rated_w
    into = 100 * charge_stored_w(power_w, SITE) / power_w / SITE.cell_charge_frac
    out = 100 * power_w / (discharge_drawn_w(power_w, SITE) * SITE.cell_discharge_frac)
    assert into == pytest.approx(charging_pct, abs=0.06)
    assert out == pytest.approx(discharging_pct, abs=0.06)


def test_a_long_step_equals_many_short_ones():
    """Away from the limits the efficiency depends on power alone, so the step length must not matter."""
    soc, energy_j = 0.5, 0.0
    for _ in range(3600):
        _, soc, lost_w = storage_step(soc, 10e6, 1.0, SITE)
        energy_j += lost_w
    _, once, lost_w = storage_step(0.5, 10e6, 3600.0, SITE)
    assert soc == pytest.approx(once, rel=1e-11)
    assert energy_j == pytest.approx(lost_w * 3600, rel=1e-7)


def test_daily_cycle_of_the_site_storage_with_auxiliaries_is_near_88_percent():
    """Grid batteries return 0.85 to 0.90 of a daily cycle with auxiliaries (REopt without: 0.899)."""
    soc, bought_j, sold_j, aux_j = SITE.soc_min_frac, 0.0, 0.0, 0.0
    for hour in range(24):
        request = 20e6 if hour < 12 else -20e6
        power_w, soc, _ = storage_step(soc, request, 3600.0, SITE)
        bought_j += max(power_w, 0) * 3600
        sold_j += max(-power_w, 0) * 3600
        aux_j += auxiliary_w(power_w, SITE) * 3600
    assert soc == pytest.approx(SITE.soc_min_frac)
    assert 0.92 < sold_j / bought_j < 0.94
    assert 0.85 < sold_j / (bought_j + aux_j) < 0.90


def test_it_fills_to_the_limit_exactly_and_then_rests():
    soc = 0.94
    for _ in range(200):
        _, soc, _ = storage_step(soc, 40e6, 60.0, SITE)
    assert soc == SITE.soc_max_frac
    assert storage_step(soc, 40e6, 60.0, SITE) == (0.0, soc, 0.0)


def test_outside_its_limits_it_only_moves_back():
    assert storage_step(0.99, 10e6, 60.0, SITE)[:2] == (0.0, 0.99)
    assert storage_step(0.05, -10e6, 60.0, SITE)[:2] == (0.0, 0.05)
    assert storage_step(0.99, -10e6, 60.0, SITE)[1] < 0.99
    assert storage_step(0.05, 10e6, 60.0, SITE)[1] > 0.05


def test_compiled_and_plain_body_agree():
    for request in (-60e6, -1e6, 0.0, 1e3, 60e6):
        assert storage_step(0.3, request, 1.0, SITE) == storage_step.py_func(0.3, request, 1.0, SITE)


@relaxed
@given(st.floats(-2e8, 2e8), st.floats(0, 1e8), st.floats(0, 1e8))
def test_the_rule_brings_net_load_to_the_nearer_threshold(net_w, below_w, gap_w):
    above_w = below_w + gap_w
    after_w = net_w + dispatch_rule_w(net_w, below_w, above_w)
    assert after_w == pytest.approx(min(max(net_w, below_w), above_w), rel=1e-12, abs=1e-6)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (SelfConsumption(), (0.0, 0.0)),
        (Reserve(), (1e8, 1e8)),
        (PeakShaving(), (0.85e8, 1e8)),
        (PeakShaving(target_mw=60, charge_below_mw=40), (40e6, 60e6)),
        (PeakShaving(target_mw=30, charge_below_mw=0), (0.0, 30e6)),
    ],
)
def test_thresholds_of_each_rule(rule, expected):
    assert rule_thresholds_w(rule, 1e8) == pytest.approx(expected)


def test_smoothing_follows_a_first_order_filter():
    """A step in load is taken over by the grid as 1 - exp(-t/τ), within the backward Euler's error."""
    mean_w = 0.0
    for _ in range(900):
        request_w, mean_w = smoothing_request_w(1e6, mean_w, 1.0, 900.0)
        assert 1e6 + request_w == pytest.approx(mean_w)
    assert mean_w == pytest.approx(1e6 * (1 - math.exp(-1)), rel=1e-3)
