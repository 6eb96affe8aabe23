"""Server power: what goes in comes out, measured walls, and fits that find what was put in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc import catalogue
from aidc.calibrate.server import PsuLoss, fit_psu, fit_server, main
from aidc.calibrate.server_rows import Stretch, WallRow, read_ac_dc, read_walls, steady
from aidc.plant.server import (
    ServerParams,
    dc_power_w,
    fan_power_w,
    network_power_w,
    overhead_coefficients,
    psu_loss_w,
    server_params,
    server_power_w,
)
from aidc.schema.rack import Rack

PARAMS = ServerParams(1400, 0.08, 150, 355, 5600, 138.5, 0.00555)

servers = st.builds(
    lambda host, dynamic, fan, rise, rated, fixed, frac: ServerParams(
        host, dynamic, fan, fan + rise, rated, fixed, frac
    ),
    st.floats(0, 3000),
    st.floats(0, 0.3),
    st.floats(0, 500),
    st.floats(0, 2000),
    st.floats(1000, 12000),
    st.floats(0, 300),
    st.floats(0, 0.1),
)


def shipped(name, tdp_w):
    return server_params(Rack.model_validate(catalogue.read("rack", name).values), tdp_w)


@given(servers, st.floats(0, 1))
def test_the_parts_of_a_server_add_up(params, load):
    power_w = load * params.accelerator_rated_w
    dc_w = dc_power_w(power_w, params)
    parts = (
        power_w
        + params.host_base_w
        + params.dynamic_frac * power_w
        + fan_power_w(power_w, params)
        + psu_loss_w(dc_w, params)
    )
    assert server_power_w(power_w, params) == pytest.approx(parts, rel=1e-12)


@given(servers, st.floats(0, 1))
def test_overhead_coefficients_are_the_same_curve(params, load):
    power_w = load * params.accelerator_rated_w
    c0, c1, c2 = overhead_coefficients(params)
    assert c0 + c1 * power_w + c2 * power_w**2 == pytest.approx(
        dc_power_w(power_w, params) - power_w, rel=1e-9, abs=1e-6
    )


@given(servers, st.floats(0, 1.5), st.floats(0, 1.5))
def test_more_accelerator_power_is_more_server_power(params, one, other):
    low, high = sorted((one * params.accelerator_rated_w, other * params.accelerator_rated_w))
    assert server_power_w(high, params) - server_power_w(low, params) >= (high - low) - 1e-8


@pytest.mark.parametrize("power_w", [0.0, 600.0, 5600.0, 6000.0])
def test_compiled_and_python_bodies_agree(power_w):
    for function in (fan_power_w, dc_power_w, psu_loss_w, server_power_w):
        assert function(power_w, PARAMS) == pytest.approx(function.py_func(power_w, PARAMS), rel=1e-12)


def test_fans_stop_rising_at_rated_power_and_a_server_may_have_none():
    assert fan_power_w(9000.0, PARAMS) == fan_power_w(5600.0, PARAMS) == 355
    still = PARAMS._replace(fan_idle_w=0.0, fan_rated_w=0.0)
    assert fan_power_w(5600.0, still) == 0


# Measured at the wall by MLPerf submitters, 8 accelerators each: idle H200 (v4.1), idle B200 (v5.1,
# air and liquid), H200 under a limit of 500 W (v4.1, Llama 2 70B offline); A100 servers of AcmeTrace.
@pytest.mark.parametrize(
    ("rack", "tdp_w", "accelerator_w", "wall_w", "within"),
    [
        ("hgx-h200", 700, 79, 2385, 0.02),
        ("hgx-h200", 700, 500, 6153, 0.05),
        ("8xb200-air", 1000, 140, 2815, 0.03),
        ("8xb200-liquid", 1000, 140, 2360, 0.03),
        ("8xb200-liquid", 1000, 1000, 10050, 0.03),
        ("hgx-a100", 400, 62, 1512, 0.03),
        ("hgx-a100", 400, 410, 5040, 0.03),
    ],
)
def test_shipped_servers_draw_what_was_measured(rack, tdp_w, accelerator_w, wall_w, within):
    assert server_power_w(8.0 * accelerator_w, shipped(rack, tdp_w)) == pytest.approx(wall_w, rel=within)


# MLPerf Training v4.0, Supermicro 8 x H100, means of AC and DC
@pytest.mark.parametrize(("dc_w", "efficiency"), [(2130, 0.941), (2550, 0.942), (6900, 0.977), (7090, 0.975)])
def test_the_supplies_of_h100_servers_lose_what_was_measured(dc_w, efficiency):
    params = shipped("dgx-h100", 700)
    assert dc_w / (dc_w + psu_loss_w(dc_w, params)) == pytest.approx(efficiency, abs=0.01)


def test_network_counts_accelerators():
    """The submitter's estimate: 59.6 kW for 64 nodes of 8 H100."""
    rack = Rack.model_validate(catalogue.read("rack", "dgx-h100").values)
    assert network_power_w(rack) * 16 == pytest.approx(59_600, rel=0.02)


def walls(params, caps=(350, 400, 450, 500)):
    return [
        WallRow(
            f"{cap}",
            "H200x8",
            "h200",
            f"b{cap}",
            8,
            float(cap),
            server_power_w(8.0 * cap, params),
            server_power_w(8 * 79.0, params),
        )
        for cap in caps
    ]


def test_the_fit_of_a_server_finds_what_was_put_in():
    found = fit_server(walls(PARAMS), 700.0, PsuLoss(PARAMS.psu_fixed_w, PARAMS.psu_frac))
    assert found == pytest.approx(PARAMS, rel=1e-6)


def test_the_fit_of_a_server_never_gives_negative_parts():
    strange = [WallRow("a", "x", "h200", "b", 8, cap, 500.0, None) for cap in (300.0, 600.0)]
    found = fit_server(strange, 700.0, PsuLoss(138.5, 0.005))
    assert min(found.host_base_w, found.fan_idle_w, found.fan_rated_w - found.fan_idle_w) >= 0


def test_the_fit_of_the_supplies_finds_what_was_put_in():
    stretches = [
        Stretch(f"r{k}", 0, dc + 120 + 0.01 * dc, dc) for k, dc in enumerate(np.linspace(2000, 7000, 9))
    ]
    found = fit_psu(stretches)
    assert found == pytest.approx((120, 0.01), rel=0.05)


def test_steady_stretches_are_flat_long_and_apart():
    rng = np.random.default_rng(0)
    level = np.repeat([2000.0, 7000.0, 4000.0], [30, 25, 5])
    samples = [(ac * (1 + 0.004 * rng.uniform(-1, 1)), 0.97 * ac) for ac in level]
    found = list(steady(samples))
    assert [(first, len(part)) for first, part in found] == [(0, 30), (30, 25)]


def test_a_missing_sample_ends_a_stretch():
    samples = [(2000.0, 1900.0)] * 15 + [(None, 1900.0)] + [(2000.0, 1900.0)] * 9
    assert [(first, len(part)) for first, part in steady(samples)] == [(0, 15)]


def test_a_long_flat_file_is_read_in_one_pass():
    assert [len(part) for _, part in steady([(2000.0, 1900.0)] * 50_000)] == [50_000]


def test_rows_that_cannot_be_used_say_why(tmp_path):
    (tmp_path / "x_1node_h100_run1_ac_dc.csv").write_text("t_s,ac_W,dc_W\n0,2000,x\n2,-5,1900\n")
    (stretch,) = read_ac_dc(tmp_path)
    assert stretch.ac_w is None
    assert stretch.problem
    (tmp_path / "summary.csv").write_text(
        "system,benchmark,scenario,gpu_power_cap_W,mean_wall_W,min_wall_W\n"
        "H200-SXMx8,a,Offline,400,5200,2300\nH200-SXMx8,a,Offline,,5200,2300\nH200,a,Offline,400,5200,2300\n"
        "H200-SXMx8,a,Offline,400,nan,2300\n"
    )
    assert [row.problem is None for row in read_walls(tmp_path)] == [True, False, False, False]


def test_the_command_prints_what_ships(aidc_data, tmp_path, capsys):
    assert main([str(aidc_data)]) == 0
    out = capsys.readouterr().out
    rack = Rack.model_validate(catalogue.read("rack", "hgx-h200").values)
    fixed_w = float(out.split("psu: fixed ")[1].split(" W")[0])
    host_w = float(out.split("host_base_w=")[1].split(",")[0])
    fan_w = float(out.split("fan_rated_w=")[1].split(",")[0])
    assert (rack.psu_fixed_w, rack.host_base_w, rack.fan_rated_w) == pytest.approx(
        (fixed_w, host_w, fan_w), rel=0.005
    )
    assert main([str(tmp_path)]) == 2
    assert main([]) == 2
