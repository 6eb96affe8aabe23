"""The utility's load model: its equations against closed forms, and a fit that knows when it fails."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.measure.grid import perc1
from aidc.measure.grid.load_model import LoadCase, dyr_record, fit_load_model
from aidc.measure.grid.perc1 import Perc1, response_pu
from aidc.record.waveform import Waveform

MS = Fraction(1, 1000)
P0, Q0 = 5e7, 1e7
TRUE = Perc1(
    fcease_frac=0.6, frecon_frac=0.8, cease_pu=0.55, cease_s=0.03, recon_s=0.4, ramp_s=1.5, limit_pu=0.8,
    kvp=0.3, tvp_s=0.08, tbp_s=0.02, kvq=1.2, tvq_s=0.1, tbq_s=0.03,
)  # fmt: skip


def voltage(depth: float, duration_s: float, span_s: float = 5.0, start_s: float = 0.5) -> np.ndarray:
    """A sag as a one-cycle RMS meter sees it: edges of 16 ms."""
    t = np.arange(round(span_s * 1000)) * 1e-3
    return np.interp(
        t,
        [start_s, start_s + 0.016, start_s + duration_s, start_s + duration_s + 0.016],
        [1, depth, depth, 1],
    )


def load_case(depth: float, duration_s: float, p: np.ndarray, q: np.ndarray | None = None) -> LoadCase:
    channels = {"v1_pu": voltage(depth, duration_s), "p_w": p}
    return LoadCase(
        f"{depth:.2f} pu {duration_s:g} s", Waveform(MS, channels if q is None else {**channels, "q_var": q})
    )


def synthetic(noise: float, reactive: bool = True) -> list[LoadCase]:
    rng = np.random.default_rng(7)
    found = []
    for depth in (0.1, 0.3, 0.5, 0.6, 0.7, 0.85):
        for duration_s in (0.1, 0.25):
            v = voltage(depth, duration_s)
            p = P0 * (response_pu(TRUE, v, 1e-3) + noise * rng.standard_normal(v.size))
            q = Q0 * (response_pu(TRUE, v, 1e-3, reactive=True) + noise * rng.standard_normal(v.size))
            found.append(load_case(depth, duration_s, p, q if reactive else None))
    return found


def test_constant_power_above_the_limit_and_constant_current_below() -> None:
    p = Perc1(limit_pu=0.8)
    np.testing.assert_allclose(
        response_pu(p, np.array([1.0, 0.9, 0.8, 0.4, 0.0, 1.1]), 1e-3), [1, 1, 1, 0.5, 0, 1]
    )


def test_the_lag_and_the_washout_follow_their_exponentials() -> None:
    t = np.arange(2000) * 1e-3
    v = np.where(t < 0.5, 1.0, 0.5)
    edge = t[500] - 0.5e-3  # the straight line between samples has its middle there
    after = t[600:] - edge
    lag = response_pu(Perc1(limit_pu=1.0, tbp_s=0.05), v, 1e-3)
    np.testing.assert_allclose(lag[600:], 0.5 + 0.5 * np.exp(-after / 0.05), rtol=1e-4)
    wash = response_pu(Perc1(limit_pu=0.4, kvp=0.6, tvp_s=0.2), v, 1e-3)
    np.testing.assert_allclose(wash[600:], 1 - 0.5 * 0.6 * np.exp(-after / 0.2), rtol=1e-4)
    lead = response_pu(Perc1(limit_pu=1.0, tap_s=0.025, tbp_s=0.05), v, 1e-3)
    np.testing.assert_allclose(lead[600:], 0.5 + 0.25 * np.exp(-after / 0.05), rtol=1e-4)


@pytest.mark.parametrize("step_s", [1e-3, 4e-3])
def test_ceasing_and_reconnecting_happen_on_time(step_s: float) -> None:
    p = Perc1(
        fcease_frac=0.6,
        frecon_frac=0.5,
        cease_pu=0.5,
        cease_s=0.03,
        recon_pu=0.9,
        recon_s=0.4,
        ramp_s=1.0,
        limit_pu=0.05,
    )
    t = np.arange(round(4 / step_s)) * step_s
    v = np.interp(t, [0.5, 0.516, 0.7, 0.716], [1, 0.1, 0.1, 1])
    out = response_pu(p, v, step_s)
    cease = 0.5 + 0.016 * 0.5 / 0.9 + 0.03
    recon = 0.7 + 0.016 * 0.8 / 0.9 + 0.4
    middle = (out[:-1] + out[1:]) / 2
    assert t[np.argmax(out < 0.7)] == pytest.approx(cease, abs=1.5 * step_s)
    assert middle.min() == pytest.approx(0.4)
    half = recon + 0.5
    assert np.interp(half, t, out) == pytest.approx(1 - 0.6 + 0.5 * 0.6 / 2, abs=0.3 * step_s)
    assert out[-1] == pytest.approx(1 - 0.6 + 0.5 * 0.6)
    short = np.interp(t, [0.5, 0.516, 0.52, 0.536], [1, 0.1, 0.1, 1])
    assert response_pu(p, short, step_s).min() == pytest.approx(1.0)


def test_ceasing_again_starts_over() -> None:
    p = Perc1(fcease_frac=1.0, cease_pu=0.5, cease_s=0.01, recon_s=0.1, ramp_s=0.2, limit_pu=0.05)
    v = np.minimum(voltage(0.1, 0.1, 3.0), voltage(0.1, 0.1, 3.0, start_s=1.5))
    out = response_pu(p, v, 1e-3)
    assert out[1400] == pytest.approx(1.0)
    assert out[1590] == pytest.approx(0.0)
    assert out[-1] == pytest.approx(1.0)


def test_the_kernels_equal_their_python_bodies() -> None:
    v = 1 - 0.6 * np.abs(np.sin(np.arange(3000) * 0.004))
    compiled, plain = np.empty(v.size), np.empty(v.size)
    perc1._path(v, 1e-3, 0.8, 0.3, 0.1, 0.01, 0.03, compiled)
    perc1._path.py_func(v, 1e-3, 0.8, 0.3, 0.1, 0.01, 0.03, plain)
    np.testing.assert_allclose(compiled, plain, rtol=1e-14)
    for out, switch in ((compiled, perc1._switch), (plain, perc1._switch.py_func)):
        out[:] = 1.0
        switch(v, 1e-3, 0.6, 0.7, 0.6, 0.02, 0.8, 0.05, 0.1, out)
    np.testing.assert_array_equal(compiled, plain)
    assert compiled.min() < 0.5


def test_the_fit_recovers_known_parameters_through_noise() -> None:
    fit = fit_load_model(synthetic(noise=0.003))
    p = fit.parameters
    assert p.fcease_frac == pytest.approx(TRUE.fcease_frac, abs=0.01)
    assert p.frecon_frac == pytest.approx(TRUE.frecon_frac, abs=0.01)
    assert p.cease_s == pytest.approx(TRUE.cease_s, abs=0.004)
    assert p.recon_s == pytest.approx(TRUE.recon_s, abs=0.02)
    assert p.ramp_s == pytest.approx(TRUE.ramp_s, rel=0.02)
    assert p.limit_pu == pytest.approx(TRUE.limit_pu, rel=0.02)
    assert p.kvp == pytest.approx(TRUE.kvp, rel=0.15)
    assert p.tvp_s == pytest.approx(TRUE.tvp_s, rel=0.15)
    assert p.tbp_s - p.tap_s == pytest.approx(TRUE.tbp_s, abs=0.004)
    assert p.kvq == pytest.approx(TRUE.kvq, rel=0.1)
    assert fit.cease_between_pu is not None
    low, high = fit.cease_between_pu
    assert (low, high) == (pytest.approx(0.5), pytest.approx(0.6))
    assert low < p.cease_pu < high
    assert fit.error_percent == pytest.approx(0.3, abs=0.15)  # the noise, and little else
    assert fit.reactive_error_percent is not None
    assert fit.reactive_error_percent < 0.2  # of rated active power
    assert len(fit.case_error_percent) == 12
    assert fit.sheet["Fcease"].basis == "fitted"
    assert fit.sheet["Fcease"].value == pytest.approx(p.fcease_frac, abs=1e-6)


def test_a_load_that_never_ceases_says_that_ceasing_was_not_seen() -> None:
    plain = Perc1(limit_pu=0.9, tbp_s=0.02)
    cases = [load_case(d, 0.2, P0 * response_pu(plain, voltage(d, 0.2), 1e-3)) for d in (0.2, 0.5, 0.8)]
    fit = fit_load_model(cases)
    assert fit.error_percent < 0.2
    assert fit.parameters.fcease_frac == 0.0
    assert fit.sheet["Fcease"].basis == "not excited"
    assert fit.sheet["Kvq"].basis == "not excited"
    assert fit.reactive_error_percent is None
    assert fit.cease_between_pu is None


def test_what_the_model_cannot_represent_shows_as_error() -> None:
    """A load that hunts, and one whose blocks return far apart in time."""
    t = np.arange(5000) * 1e-3
    hunting = [
        load_case(d, 0.2, P0 * np.where(t < 0.5, 1.0, 1 + 0.3 * np.sin(2 * math.pi * 2 * (t - 0.5))))
        for d in (0.2, 0.5, 0.8)
    ]
    fit = fit_load_model(hunting)
    assert fit.error_percent > 5
    assert "WARNING" in dyr_record(fit)
    blocks = np.select([t < 0.5, t < 1.0, t < 2.0, t < 2.2, t < 4.0], [1.0, 0.0, 0.5, 0.1, 0.6], 1.0)
    staged = fit_load_model([load_case(d, 0.2, P0 * blocks) for d in (0.2, 0.4)])
    assert staged.error_percent > 5
    assert max(staged.case_error_percent.values()) >= staged.error_percent


def test_errors_are_of_the_rated_power() -> None:
    cases = synthetic(noise=0.01, reactive=False)[:4]
    own, large = fit_load_model(cases), fit_load_model(cases, rated_w=2 * P0)
    assert large.error_percent == pytest.approx(own.error_percent * own.rated_w / (2 * P0), rel=1e-6)


def test_the_record_names_every_value_and_admits_its_order() -> None:
    fit = fit_load_model(synthetic(noise=0.003)[:4])
    text = dyr_record(fit, bus=40_101, load_id="DC")
    lines = text.splitlines()
    record = [line for line in lines if not line.startswith("//")]
    assert len(record) == 1
    assert record[0].startswith("40101 'PERC1' 'DC'")
    assert record[0].endswith("/")
    values = [float(part) for part in record[0].split("'DC'")[1].rstrip("/").split()]
    assert values == pytest.approx([one.value for one in fit.sheet.values()], rel=1e-4)
    assert "ORDER NOT CONFIRMED" in text
    assert f"{fit.error_percent:.2f} %" in text
    assert all(any(name in line for line in lines) for name in fit.sheet)


def test_bad_cases_are_refused() -> None:
    good = synthetic(noise=0.0, reactive=False)[0]
    with pytest.raises(InputError, match="no ride-through case"):
        fit_load_model([])
    for channels, match in (
        ({"p_w": np.ones(100)}, "v1_pu"),
        ({"v1_pu": np.ones(100), "p_w": np.zeros(100)}, "draws no power"),
        ({"v1_pu": np.full(100, 0.2), "p_w": np.ones(100)}, "at rest"),
        ({"v1_pu": np.full(100, np.nan), "p_w": np.ones(100)}, "not finite"),
    ):
        with pytest.raises(InputError, match=match):
            fit_load_model([good, LoadCase("bad", Waveform(MS, channels))])
    with pytest.raises(InputError, match="rated_w"):
        fit_load_model([good], rated_w=0.0)
