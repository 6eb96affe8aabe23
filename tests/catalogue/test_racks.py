"""Every rack entry: it fits its shape, every figure lies in a stated range, and its parts add up."""

import math

import pytest
from pydantic import ValidationError

from aidc.calibrate.powercap_rows import rated_power_w
from aidc.catalogue import names, read
from aidc.plant.server import dc_power_w, network_power_w, server_params, server_power_w
from aidc.schema.rack import Rack
from aidc.site.devices import powercap_of

RACKS = [
    name for name in names("rack") if name != "frontier-cabinet"
]  # a supercomputer has figures of its own

RANGES = {
    "accelerators": (8, 384),
    "servers": (1, 48),
    "rated_power_kw": (20, 600),
    "accelerator_idle_w": (50, 200),
    "power_floor_w": (100, 400),
    "host_base_w": (400, 1600),
    "dynamic_frac": (0.05, 0.15),
    "fan_idle_w": (0, 600),
    "fan_rated_w": (50, 1600),
    "psu_fixed_w": (40, 250),
    "psu_frac": (-0.001, 0.03),
    "network_w": (40, 260),
    "liquid_frac": (0.6, 0.95),
    "coolant_l_min_per_kw": (0.9, 2.0),
    "cold_plates": (64, 384),
    "heat_sink_k_per_w": (0.03, 0.15),
    "case_limit_c": (70, 90),
    "case_trip_c": (80, 105),
    "capacitor_j": (30, 100),
    "air_limit_c": (25, 35),
    "coolant_limit_c": (30, 50),
    "leakage_per_k": (0.001, 0.003),
    "fan_speed_per_k": (0.01, 0.05),
}


def tdp_w(rack):
    known = rated_power_w(rack.accelerator)
    return 780.0 if known is None else known  # Ascend 910C: no published figure


@pytest.fixture(params=RACKS)
def rack(request):
    return Rack.model_validate(read("rack", request.param).values)


def test_the_racks_that_ship():
    assert {
        "dgx-h100",
        "hgx-h200",
        "hgx-a100",
        "8xb200-air",
        "8xb200-liquid",
        "gb200-nvl72",
        "gb300-nvl72",
        "cloudmatrix-384",
    } <= set(RACKS)


@pytest.mark.parametrize("name", RACKS)
def test_every_figure_lies_in_its_range(name):
    figures = read("rack", name).figures
    assert figures
    for key, figure in figures.items():
        low, high = RANGES[key]
        assert math.isfinite(figure.value)
        assert low <= figure.value <= high, (name, key, figure.value)


def test_accelerators_host_and_losses_stay_below_the_rating(rack):
    """Nameplates leave room: 8 x H100 nodes train at 76 % of theirs (MLPerf v4.0: 7.7 of 10.2 kW)."""
    params = server_params(rack, tdp_w(rack))
    total_w = rack.servers * server_power_w(rack.accelerators_per_server * tdp_w(rack), params)
    if rack.rated_power_kw > 500:  # the supernode's figure includes its optical network
        total_w += network_power_w(rack)
    assert 0.72 < total_w / (1e3 * rack.rated_power_kw) < 0.98


@pytest.mark.parametrize("name", ["dgx-h100", "hgx-h200", "hgx-a100", "8xb200-air", "8xb200-liquid"])
def test_idle_servers_of_eight_draw_what_such_servers_draw(name):
    """8-GPU walls at idle: A100 1.5, H100 2.1, H200 2.4, B200 2.4 (liquid) to 2.9 kW (air)."""
    rack = Rack.model_validate(read("rack", name).values)
    assert rack.accelerators_per_server == 8
    params = server_params(rack, tdp_w(rack))
    low, high = (1450, 1700) if rack.accelerator.startswith("a100") else (2050, 2900)
    assert low < server_power_w(8 * rack.accelerator_idle_w, params) < high


def test_supplies_are_as_efficient_as_such_supplies_are(rack):
    params = server_params(rack, tdp_w(rack))
    count = rack.accelerators_per_server
    for power_w, low in ((count * tdp_w(rack), 0.96), (count * rack.accelerator_idle_w, 0.9)):
        dc_w = dc_power_w(power_w, params)
        assert low < dc_w / server_power_w(power_w, params) < 0.985


def test_the_floor_is_that_of_the_cap_curve(rack):
    floor_w = powercap_of(rack.accelerator).floor_frac * tdp_w(rack)
    assert rack.power_floor_w == pytest.approx(floor_w, rel=0.05)
    assert rack.accelerator_idle_w < rack.power_floor_w


def test_air_and_liquid_differ_where_they_should():
    air, liquid = (Rack.model_validate(read("rack", f"8xb200-{how}").values) for how in ("air", "liquid"))
    assert air.host_base_w == liquid.host_base_w
    assert air.fan_idle_w > liquid.fan_idle_w
    assert air.liquid_frac == 0
    assert liquid.heat_sink_k_per_w == 0


def test_the_case_stays_below_its_limit_at_rated_power(rack):
    """Air at 27 °C (the ASHRAE recommended maximum); cold plate of 1 kW class: 24.5 K/kW, water at 40 °C."""
    inlet_c, k_per_w = (27.0, rack.heat_sink_k_per_w) if rack.cooling == "air" else (40.0, 0.0245)
    case_c = inlet_c + k_per_w * tdp_w(rack)
    assert 55 < case_c < rack.case_limit_c < rack.case_trip_c


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"servers": 5}, "multiple"),
        ({"fan_idle_w": 5000.0}, "fan_idle_w"),
        ({"case_trip_c": 60.0}, "case_trip_c"),
        ({"cold_plates": 0}, "cold_plates"),
        ({"cooling": "air"}, "heat_sink_k_per_w"),
        ({"rated_power_kw": -1.0}, "greater than 0"),
        ({"nonsense": 1.0}, "Extra inputs"),
        ({"host_base_w": math.nan}, "finite"),
    ],
)
def test_a_rack_that_cannot_be_is_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        Rack.model_validate({**read("rack", "gb200-nvl72").values, **change})


def test_frontier_nodes_draw_what_the_published_model_says():
    """RAPS config/frontier.yaml: a node of 626.3 W idle and 2704.3 W at peak draws 684 and 2893 W."""
    rack = Rack.model_validate(read("rack", "frontier-cabinet").values)
    params = server_params(rack, 560.0)
    assert dc_power_w(4 * 88.0, params) == pytest.approx(626.3 + 0.085 * 352, abs=5)
    assert dc_power_w(4 * 560.0, params) == pytest.approx(2704.3, rel=0.002)
    assert server_power_w(4 * 560.0, params) == pytest.approx(2893, rel=0.003)
    assert 128 * server_power_w(4 * 560.0, params) < 1e3 * rack.rated_power_kw


@pytest.mark.parametrize("name", names("rack"))
def test_the_accelerator_of_a_rack_is_in_the_catalogue(name: str) -> None:
    assert read("rack", name).values["accelerator"] in names("accelerator")
