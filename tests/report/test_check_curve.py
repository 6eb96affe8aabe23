"""Ride-through curves as limits over time, and the site's excursions upon them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from aidc.measure.grid.ride_through import ride_through
from aidc.record.waveform import Mark, Waveform
from aidc.report.check.curve import curve_chart, curves_of, envelope, fault_start_s, recovered_band
from aidc.schema.code import FrequencyRideThrough, Recovery, VoltageRideThrough
from aidc.study.windows.verdicts import NamedWindow

ERCOT = VoltageRideThrough(
    rule="voltage-ride-through",
    clause="curve",
    quantity="v1",
    below_pu=(0.9, 0.8, 0.5, 0.2),
    below_s=(2.0, 0.5, 0.25, 0.15),
    above_pu=(1.1, 1.2),
    above_s=(2.0, 0.0),
)


def level_at(times, levels, t: float) -> float:
    """A step line drawn "hv", read at one time."""
    return levels[np.searchsorted(times, t, side="right") - 1]


def sag(residual: float, duration_s: float, *, leaves_s: float | None = None) -> Waveform:
    time_s = np.arange(4000) * 1e-3
    v = np.where((time_s >= 1) & (time_s < 1 + duration_s), residual, 1.0)
    gone = np.where(time_s >= leaves_s, 0.0, 1.0) if leaves_s else np.ones(4000)
    return Waveform(Fraction(1, 1000), {"v1_pu": v, "connected_frac": gone, "p_w": 1e8 * gone})


@pytest.mark.parametrize("depth", [0.05, 0.3, 0.6, 0.85])
@pytest.mark.parametrize("after_s", [0.1, 0.2, 0.4, 1.0])
def test_the_drawn_limit_and_the_evaluator_agree_on_when_a_site_may_leave(depth, after_s):
    """A site that leaves at a point of the chart fails exactly where the curve lies below the voltage."""
    [curve] = curves_of([ERCOT])
    times, levels = envelope(curve, below=True, until_s=10.0)
    may_leave = depth < level_at(times, levels, after_s)
    judged = ride_through(ERCOT, sag(depth, 2.5, leaves_s=1 + after_s))
    assert judged.result == ("pass" if may_leave else "fail")


def test_above_nominal_a_zero_time_limits_from_the_start():
    times, levels = envelope(curves_of([ERCOT])[0], below=False, until_s=5.0)
    assert level_at(times, levels, 0.0) == 1.2
    assert level_at(times, levels, 1.99) == 1.2
    assert level_at(times, levels, 2.01) == 1.1


def test_an_envelope_longer_than_the_window_is_cut():
    times, _ = envelope(curves_of([ERCOT])[0], below=True, until_s=0.3)
    assert times[-1] == 0.3
    assert envelope(curves_of([ERCOT])[0], below=False, until_s=-1.0)[0].size == 0


def test_a_fault_begins_at_its_mark_or_where_the_voltage_leaves_the_band():
    w = sag(0.4, 0.2)
    assert fault_start_s(w, (Mark("sag", 0.98, 1.2), Mark("abort", 0.1, 0.2)), [ERCOT]) == 0.98
    assert fault_start_s(w, (), [ERCOT]) == pytest.approx(1.0, abs=1e-3)
    assert fault_start_s(sag(0.95, 0.2), (), [ERCOT]) is None
    assert fault_start_s(w, (), []) is None


def test_the_least_power_after_recovery_follows_the_run_without_the_fault():
    clause = Recovery(rule="recovery", clause="back", quantity="v1", within_s=0.5, least_frac=0.9)
    calm = Waveform(Fraction(1, 1000), {"p_w": np.linspace(1e8, 2e8, 4000)})
    found = recovered_band(sag(0.4, 0.2), calm, [ERCOT, clause])
    assert found.time_s[0] == pytest.approx(1.7, abs=2e-3)
    np.testing.assert_allclose(found.least_w, 0.9 * calm["p_w"][-found.least_w.size :])
    assert recovered_band(sag(0.95, 0.2), calm, [clause]) is None
    assert recovered_band(sag(0.4, 2.9999), calm, [clause]) is None  # still down at the end
    assert recovered_band(sag(0.4, 0.2), calm, [ERCOT]) is None


def traces(chart):
    return [trace.to_plotly_json() for trace in chart.figure.data]


def test_a_case_is_drawn_as_long_as_it_lasted_at_each_level():
    [curve] = curves_of([ERCOT])
    window = NamedWindow("a", "stays", sag(0.4, 0.2), (Mark("sag", 1.0, 1.2),))
    line, end = traces(curve_chart(curve, [window], "c", "t"))[-2:]
    assert line["y"][0] == 0.9
    assert line["y"][-1] == pytest.approx(0.4, abs=1e-3)
    np.testing.assert_allclose(line["x"], 0.2, atol=2e-3)
    assert end["marker"]["symbol"] == "circle"


def test_a_case_that_left_is_crossed_where_it_left():
    [curve] = curves_of([ERCOT])
    window = NamedWindow("b", "leaves", sag(0.4, 0.2, leaves_s=1.08), (Mark("sag", 1.0, 1.2),))
    end = traces(curve_chart(curve, [window], "c", "t"))[-1]
    assert end["marker"]["symbol"] == "x"
    assert end["x"][0] == pytest.approx(0.08, abs=2e-3)
    assert end["y"][0] == pytest.approx(0.4)


def test_a_curve_that_no_window_reaches_says_so():
    clause = FrequencyRideThrough(
        rule="frequency-ride-through", clause="bands", below_hz=(58.8, 57.0), below_s=(299, 0)
    )
    [curve] = curves_of([clause])
    chart = curve_chart(curve, [NamedWindow("a", "no frequency", sag(0.4, 0.2))], "c", "t")
    assert "No recorded window" in chart.note
    low = {**sag(0.4, 0.2).channels, "frequency_hz": np.full(4000, 58.5)}
    seen = curve_chart(curve, [NamedWindow("a", "low", Waveform(Fraction(1, 1000), low))], "c", "t")
    assert "No recorded window" not in seen.note
    assert traces(seen)[-2]["x"].max() == pytest.approx(3.999)
