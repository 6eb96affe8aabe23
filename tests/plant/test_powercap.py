"""Power caps: bounds, inverse, limiting forms, published points, and a fit that finds what was put in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc import catalogue
from aidc.calibrate.powercap import (
    KNEE,
    CapConstants,
    _vectorised,
    fit_device,
    fit_general,
    main,
    predict,
    usable,
)
from aidc.calibrate.powercap_rows import CapRow, device_of, read_emerald, read_mlperf, read_zeus
from aidc.plant.powercap import (
    CapCurve,
    cap_curve,
    cap_for_throughput_w,
    capped_power_w,
    relative_throughput,
)
from aidc.schema.powercap import PowerCapShape
from aidc.site.devices import powercap_of

CURVE = CapCurve(static_w=120, floor_w=200, alpha=2, beta=0.9, knee=8)

curves = st.builds(
    lambda static, above, alpha, beta, knee: CapCurve(static, static + above, alpha, beta, knee),
    st.floats(0, 150),
    st.floats(5, 100),
    st.floats(0.5, 6),
    st.floats(0.05, 1),
    st.floats(1, 12),
)
watts = st.floats(1, 800)


@given(curves, watts, watts, watts)
def test_throughput_rises_with_the_cap_and_stays_within_bounds(curve, uncapped_w, one_w, other_w):
    low, high = sorted((one_w, other_w))
    at_low, at_high = (relative_throughput(cap, uncapped_w, curve) for cap in (low, high))
    assert 0 < at_low <= at_high + 1e-12
    assert at_high <= 1 + 1e-12


@given(curves, watts, watts, watts)
def test_throughput_falls_with_the_uncapped_power(curve, cap_w, one_w, other_w):
    low, high = sorted((one_w, other_w))
    assert relative_throughput(cap_w, high, curve) <= relative_throughput(cap_w, low, curve) + 1e-12


@given(curves, watts, st.floats(0, 500))
def test_a_cap_that_does_not_bind_costs_nothing(curve, uncapped_w, above_w):
    assert relative_throughput(uncapped_w + above_w, uncapped_w, curve) == 1.0
    assert capped_power_w(uncapped_w, uncapped_w + above_w, curve.floor_w) == uncapped_w


@given(curves, watts, st.floats(0, 1))
def test_below_the_floor_nothing_changes_any_more(curve, uncapped_w, share):
    cap_w = share * curve.floor_w
    assert relative_throughput(cap_w, uncapped_w, curve) == relative_throughput(
        curve.floor_w, uncapped_w, curve
    )
    assert capped_power_w(uncapped_w, cap_w, curve.floor_w) == min(uncapped_w, curve.floor_w)


@given(curves, st.floats(300, 800), st.floats(0, 1))
def test_the_inverse_finds_the_cap(curve, uncapped_w, share):
    cap_w = curve.floor_w + share * (uncapped_w - curve.floor_w)
    kept = relative_throughput(cap_w, uncapped_w, curve)
    if kept < 1 - 1e-9:  # flat at the top: many limits keep all of it
        found = cap_for_throughput_w(kept, uncapped_w, curve)
        assert relative_throughput(found, uncapped_w, curve) == pytest.approx(kept, rel=1e-9)


def test_the_inverse_at_its_ends():
    assert cap_for_throughput_w(1.0, 650, CURVE) == 650
    assert cap_for_throughput_w(0.0, 650, CURVE) == CURVE.floor_w
    assert cap_for_throughput_w(0.05, 650, CURVE) == CURVE.floor_w


def test_the_cap_does_not_jump_where_it_begins_to_bind():
    near = relative_throughput(649.999, 650.0, CURVE)
    assert near == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("cap_w", [200, 300, 450, 640])
def test_knee_one_adds_the_two_parts_of_a_step(cap_w):
    curve = CURVE._replace(knee=1.0, beta=0.6)
    clock = math.sqrt((cap_w - 120) / (650 - 120))
    assert relative_throughput(cap_w, 650, curve) == pytest.approx(1 / (0.6 / clock + 0.4), rel=1e-12)


@pytest.mark.parametrize("cap_w", [200, 300, 450, 640])
def test_a_step_bound_by_the_clock_follows_the_clock(cap_w):
    curve = CURVE._replace(beta=1.0)
    clock = math.sqrt((cap_w - 120) / (650 - 120))
    assert relative_throughput(cap_w, 650, curve) == pytest.approx(clock, rel=1e-12)


@pytest.mark.parametrize("cap_w", [0, 150, 200, 333, 650, 900])
def test_compiled_and_python_bodies_agree(cap_w):
    assert relative_throughput(cap_w, 650.0, CURVE) == pytest.approx(
        relative_throughput.py_func(cap_w, 650.0, CURVE), rel=1e-12
    )


# Means over the workloads of arXiv 2507.00909 (data/dvfs_sweep.csv: A100 at 400 W) and MLPerf
# Inference v4.1 (8 x H200 MaxQ against the uncapped submission); the bar of the validation is six
# points on average, and these are averages.
@pytest.mark.parametrize(
    ("accelerator", "tdp_w", "uncapped_w", "cap_w", "published"),
    [
        ("a100", 400, 370, 350, 0.950),
        ("a100", 400, 370, 300, 0.903),
        ("a100", 400, 370, 200, 0.708),
        ("a100", 400, 370, 100, 0.206),
        ("h200", 700, 700, 500, 0.807),
        ("h200", 700, 700, 350, 0.652),
    ],
)
def test_shipped_curves_give_the_published_points(accelerator, tdp_w, uncapped_w, cap_w, published):
    curve = cap_curve(powercap_of(accelerator), tdp_w)
    assert relative_throughput(cap_w, uncapped_w, curve) == pytest.approx(published, abs=0.06)


def test_a_deep_cap_raises_the_energy_of_the_work():
    """Emerald: energy per unit of work at a quarter of the rating is 1.18 times the uncapped one."""
    curve = cap_curve(powercap_of("a100"), 400)

    def energy(cap_w):
        return capped_power_w(368.4, cap_w, curve.floor_w) / relative_throughput(cap_w, 368.4, curve) / 368.4

    assert energy(100) == pytest.approx(1.18, abs=0.2)
    assert energy(100) > 1.0 > energy(250)


@pytest.mark.parametrize("name", catalogue.names("powercap"))
def test_every_entry_of_the_catalogue_is_in_range(name):
    shape = PowerCapShape.model_validate(catalogue.read("powercap", name).values)
    assert 0 <= shape.static_frac < shape.floor_frac
    assert 0.2 <= shape.floor_frac <= 0.5
    assert 0.8 <= shape.alpha <= 4
    assert 0.5 <= shape.beta <= 1
    assert shape.knee == KNEE
    assert shape.workloads


def test_an_accelerator_without_a_sweep_gets_the_generic_curve():
    generic = PowerCapShape.model_validate(catalogue.read("powercap", "generic").values)
    assert powercap_of("never-heard-of") == generic
    assert powercap_of("h100") == powercap_of("h200") != generic


def synthetic(constants, device="v100", workloads=5):
    rng = np.random.default_rng(4)
    rows = []
    for workload in range(workloads):
        free_w = float(rng.uniform(170, 240))
        for cap_w in (100.0, 125.0, 150.0, 175.0, 200.0):
            row = CapRow("made", device, f"{workload}@{cap_w}", str(workload), cap_w, free_w, 250.0, 0.5)
            rows.append(CapRow(*_with_ratio(row, predict(row, constants, powercap_of(device).floor_frac))))
    return usable(rows)


def _with_ratio(row, ratio):
    return (row.dataset, row.device, row.item, row.group, row.cap_w, row.uncapped_w, row.tdp_w, ratio)


def test_the_fit_finds_what_was_put_in():
    made = CapConstants(0.12, 1.4, 0.8)
    rows = synthetic(made)
    found = fit_device(rows, fit_general(rows))
    worst = max(abs(predict(row, found, powercap_of("v100").floor_frac) - row.ratio) for row in rows)
    assert worst < 0.005


def test_scaled_copies_do_not_count_twice():
    rows = synthetic(CapConstants(0.12, 1.4, 0.8)) + synthetic(CapConstants(0.2, 2.5, 0.9))[:5]
    copies = [CapRow("made", row.device, "copy", *_with_ratio(row, row.ratio)[3:]) for row in rows[-5:]]
    prior = CapConstants(0.15, 1.5, 0.8)
    assert fit_device(rows + copies * 4, prior) == pytest.approx(fit_device(rows, prior), rel=1e-3)


def test_the_fit_evaluates_the_same_formula():
    rows = synthetic(CapConstants(0.12, 1.4, 0.8))
    theta = np.array([0.07, 2.2, 0.93])
    scalar = [predict(row, CapConstants(*theta), powercap_of(row.device).floor_frac) for row in rows]
    assert _vectorised(rows)(theta) == pytest.approx(scalar, rel=1e-12)


@pytest.mark.parametrize(
    ("system", "device"),
    [
        ("H200-SXM-141GBx8_TRT_MaxQ", "h200"),
        ("SR680aV3-8xB200_SXM_180GB", "b200"),
        ("GB200-NVL72_GB200-186GB_aarch64x4", "gb200"),
        ("XE9680_H100_SXM_80GBx8_TRT", "h100"),
        ("DGX-A100_A100-SXM-80GBx8", "a100"),
        ("something else", "unknown"),
    ],
)
def test_the_accelerator_is_read_from_the_name_of_the_system(system, device):
    assert device_of(system) == device


ZEUS = "dataset,network,batch_size,optimizer,power_limit,time_per_epoch,average_power\n"


def test_zeus_rows_are_relative_to_the_highest_limit(tmp_path):
    path = tmp_path / "summary_power_p100.csv"
    path.write_text(ZEUS + "d,n,8,sgd,125,20,120\nd,n,8,sgd,250,10,200\n")
    low, top = read_zeus(path)
    assert (low.device, low.tdp_w, low.uncapped_w, low.ratio, low.binding) == ("p100", 250, 200, 0.5, True)
    assert (top.ratio, top.binding) == (1, False)


def test_cells_without_a_figure_become_problems(tmp_path):
    path = tmp_path / "summary_power_p100.csv"
    path.write_text(ZEUS + "d,n,8,sgd,125,nan,120\nd,n,8,sgd,250,10,200\nd,n,9,sgd,125,20,120\n,,,,,,\n")
    rows = read_zeus(path)
    assert [row.problem is None for row in rows] == [False, True, False, False]
    path = tmp_path / "dvfs_sweep.csv"
    path.write_text("Workload,GPU power cap\nft_x,100\n")
    assert read_emerald(path)[0].problem
    path = tmp_path / "summary.csv"
    path.write_text(
        "system,benchmark,gpu_power_cap_W,throughput_ratio_capped\nH200x8,a,,0.7\nQ7x8,b,300,0.7\n"
    )
    assert all(row.problem for row in read_mlperf(path))
    assert read_zeus(tmp_path / "missing.csv") == []


def test_the_command_prints_constants(aidc_data, tmp_path, capsys):
    assert main([str(aidc_data)]) == 0
    assert "v100: static_frac" in capsys.readouterr().out
    assert main([str(tmp_path)]) == 2
    assert main([]) == 2


def test_the_shipped_constants_are_those_of_the_command(aidc_data, capsys):
    main([str(aidc_data)])
    printed = capsys.readouterr().out
    for device in ("a100", "a40", "v100", "h200"):
        shape = powercap_of(device)
        line = next(line for line in printed.splitlines() if line.startswith(f"{device}:"))
        for key in ("static_frac", "alpha", "beta"):
            value = float(line.split(f"{key} = ")[1].split(",")[0])
            assert getattr(shape, key) == pytest.approx(value, rel=2e-3)
