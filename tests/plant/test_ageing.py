"""Rainflow counting and the two LFP ageing models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.plant.ageing import (
    MODELS,
    after_repeats,
    calendar_loss_pct,
    cycle_loss_pct,
    graphite_potential_v,
    summarise,
    summarise_all,
)
from aidc.plant.rainflow import Cycles, _count, cycles, turning_points
from aidc.units import YEAR_S

relaxed = settings(deadline=None)  # the first example compiles

series = st.lists(st.floats(0, 1).map(lambda value: round(value, 3)), min_size=2, max_size=80).map(np.array)
both = pytest.mark.parametrize("model", list(MODELS))


def test_rainflow_of_the_standard_example():
    """ASTM E1049-85, figure 6: -2 1 -3 5 -1 3 -4 4 -2 has these ranges."""
    levels = np.array([-2.0, 1, -3, 5, -1, 3, -4, 4, -2])
    found = cycles(levels, 60.0)
    table = {}
    for depth, weight in zip(found.depth_frac, found.weight, strict=True):
        table[depth] = table.get(depth, 0.0) + weight
    assert table == {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}


@relaxed
@given(series)
def test_cycles_add_up_to_half_the_movement(soc):
    found = cycles(soc, 60.0)
    assert (found.weight * found.depth_frac).sum() == pytest.approx(np.abs(np.diff(soc)).sum() / 2, abs=1e-9)
    if found.depth_frac.size:
        assert found.depth_frac.max() == pytest.approx(np.ptp(soc))


@relaxed
@given(series)
def test_rests_change_nothing(soc):
    rested = np.repeat(soc, 3)
    plain, slow = cycles(soc, 60.0), cycles(rested, 60.0)
    assert np.allclose(plain.depth_frac, slow.depth_frac)
    assert np.allclose(plain.c_rate_per_h, slow.c_rate_per_h)


def test_a_flat_series_has_no_cycles_and_only_calendar_loss():
    flat = np.full(1000, 0.5)
    assert turning_points(flat).size == 0
    result = summarise(flat, 60.0, 1.0)
    assert result.equivalent_full_cycles == 0
    assert result.cycle_pct == 0
    assert result.calendar_pct > 0


def test_compiled_and_plain_count_agree():
    level = np.random.default_rng(2).random(200)
    outputs = []
    for function in (_count, _count.py_func):
        arrays = [np.zeros(200), np.zeros(200), *(np.zeros(200, np.int64) for _ in range(3))]
        found = function(level, *arrays)
        outputs.append((found, *(array.tolist() for array in arrays)))
    assert outputs[0] == outputs[1]


def test_a_steady_swing_has_its_c_rate_and_depth():
    """0.1 to 0.9 in 96 minutes is 0.5 C."""
    swing = np.interp(np.arange(0, 960), np.arange(0, 961, 96), np.tile([0.1, 0.9], 6)[:11])
    found = cycles(swing, 60.0)
    assert np.allclose(found.depth_frac[:-1], 0.8)
    assert np.allclose(found.c_rate_per_h[:-1], 0.5, rtol=1e-6)


def test_naumann_against_its_equations_by_hand():
    """k = 1.2571e-5·(2.8575·0.3³ + 0.60225)·exp(-17126/8.3144598·(1/308.15 - 1/298.15)), a year."""
    expected = 100 * 1.2571e-5 * 0.6794025 * np.exp(2059.7851 * (1 / 298.15 - 1 / 308.15)) * np.sqrt(YEAR_S)
    assert calendar_loss_pct(np.array([0.8]), YEAR_S, 308.15) == pytest.approx(expected, rel=1e-6)


def test_blast_against_its_equations_by_hand():
    """At 25 °C, 80 % depth, 0.5 C, 2920 cycles: (4.38e-8 + 1.24e-8 + 8.4e-8)·e^(2190/298.15)·2920^0.828."""
    daily = Cycles(np.array([0.8]), np.array([3650.0]), np.array([0.5]))
    expected = 100 * 1.402e-7 * np.exp(2190 / 298.15) * 2920**0.828
    assert cycle_loss_pct(daily, 298.15, "blast") == pytest.approx(expected, rel=1e-6)


def test_graphite_potential_falls_with_charge():
    """Safari and Delacourt 2011: about 0.12 V half charged, below 0.1 V nearly full, far above empty."""
    assert graphite_potential_v(np.array([0.5, 0.9])) == pytest.approx([0.123, 0.088], abs=2e-3)
    assert (np.diff(graphite_potential_v(np.linspace(0, 1, 50))) < 0).all()


@both
def test_loss_does_not_depend_on_how_a_series_is_cut(model):
    """Virtual continuation: twelve days at once are one day repeated."""
    wave = 0.5 + 0.4 * np.cos(np.arange(12 * 1440 + 1) * 2 * np.pi / 1440)
    whole = summarise(wave, 60.0, 1.0, model=model)
    once = summarise(wave[:1441], 60.0, 1.0, model=model)
    repeated = after_repeats(once, 12, model)
    assert repeated.calendar_pct == pytest.approx(whole.calendar_pct, rel=1e-3)  # one sample of 1440
    assert repeated.cycle_pct == pytest.approx(whole.cycle_pct, rel=1e-3)


@both
def test_sampling_finer_does_not_change_the_loss(model):
    coarse = 0.5 + 0.4 * np.sin(np.arange(0, 1440 * 3, 10) * 2 * np.pi / 1440)
    fine = 0.5 + 0.4 * np.sin(np.arange(1440 * 3) * 2 * np.pi / 1440)
    first, second = summarise(coarse, 600.0, 1.0, model=model), summarise(fine, 60.0, 1.0, model=model)
    assert first.calendar_pct == pytest.approx(second.calendar_pct, rel=2e-3)
    assert first.cycle_pct == pytest.approx(second.cycle_pct, rel=5e-3)


@both
@relaxed
@given(temp=st.floats(283, 313), rise=st.floats(0.5, 5), soc=st.floats(0.05, 0.9))
def test_heat_and_charge_never_slow_the_calendar(model, temp, rise, soc):
    cool = calendar_loss_pct(np.array([soc]), YEAR_S, temp, model)
    assert calendar_loss_pct(np.array([soc]), YEAR_S, temp + rise, model) > cool
    assert calendar_loss_pct(np.array([soc + 0.1]), YEAR_S, temp, model) >= cool


@both
def test_deeper_and_faster_cycles_cost_more(model):
    def loss(depth, rate):
        return cycle_loss_pct(
            Cycles(np.array([depth]), np.array([1000 / depth]), np.array([rate])), 298.15, model
        )

    assert loss(0.9, 0.5) > loss(0.5, 0.5)
    assert loss(0.8, 1.0) > loss(0.8, 0.25)


def test_all_models_share_one_count_of_the_cycles():
    wave = 0.5 + 0.4 * np.sin(np.arange(2000) / 50)
    found = summarise_all(wave, 60.0, 3.6e9)
    assert set(found) == set(MODELS)
    assert found["naumann"].equivalent_full_cycles == found["blast"].equivalent_full_cycles
    assert found["blast"] == summarise(wave, 60.0, 3.6e9, model="blast")
    assert found["blast"].throughput_j == pytest.approx(np.abs(np.diff(wave)).sum() / 2 * 3.6e9)
    assert found["blast"].total_pct == found["blast"].calendar_pct + found["blast"].cycle_pct
