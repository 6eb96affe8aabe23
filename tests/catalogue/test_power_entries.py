"""Every power entry of the catalogue: it fits its shape, and every figure lies in a stated range."""

import math

import pytest

from aidc.catalogue import names, read
from aidc.plant.conversion import chain_efficiency, stage_efficiency
from aidc.schema.chain import Chain
from aidc.schema.renewables import Genset, Pv, Wind
from aidc.schema.storage import Storage

KINDS = ("chain", "storage", "renewable", "genset")
ENTRIES = [(kind, name) for kind in KINDS for name in names(kind)]

# The last part of a figure's key, and what it may be
RANGES = {
    "a": (0, 0.01),
    "b": (0, 0.05),
    "c": (0, 0.04),
    "sizing": (1, 2),
    "modules": (1, 20),
    "voltage_v": (200, 1000),
    "soc_min_frac": (0, 0.25),
    "soc_max_frac": (0.9, 1),
    "soc_initial_frac": (0.2, 1),
    "cell_charge_efficiency_frac": (0.94, 1),
    "cell_discharge_efficiency_frac": (0.94, 1),
    "auxiliary_base_frac": (0, 0.01),
    "auxiliary_share_frac": (0, 0.02),
    "cell_temp_c": (15, 35),
    "window_min": (0.01, 60),
    "energy_j_per_accelerator": (20, 300),
    "power_w_per_accelerator": (100, 1000),
    "dc_ac_ratio": (1, 1.5),
    "tilt_deg": (0, 45),
    "azimuth_deg": (90, 270),
    "tracker_limit_deg": (45, 60),
    "ground_coverage_frac": (0.2, 0.6),
    "losses_frac": (0.05, 0.2),
    "temp_coefficient_per_k": (-0.005, -0.002),
    "inverter_efficiency_frac": (0.94, 0.99),
    "albedo_frac": (0.1, 0.3),
    "curve_speed_m_s": (0, 30),
    "curve_power_frac": (0, 1),
    "hub_height_m": (60, 160),
    "measured_height_m": (10, 10),
    "shear_exponent": (0.1, 0.25),
    "load_frac": (0.1, 1),
    "efficiency_frac": (0.28, 0.5),
    "minimum_load_frac": (0.2, 0.6),
    "start_time_s": (5, 600),
    "ramp_frac_per_s": (0.001, 0.5),
    "fuel_carbon_kg_per_mwh": (180, 280),
}


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_figure_lies_in_its_range(kind, name):
    figures = read(kind, name).figures
    assert figures
    for key, figure in figures.items():
        low, high = RANGES[key.rsplit(".", 1)[-1]]
        values = figure.value if isinstance(figure.value, list) else [figure.value]
        assert all(math.isfinite(value) and low <= value <= high for value in values), (key, figure.value)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_source_is_used_and_traceable(kind, name):
    """A published or measured figure names a document; an estimate may not pretend to."""
    entry = read(kind, name)
    for figure in entry.figures.values():
        source = entry.sources[figure.source]
        assert figure.confidence in ("estimated", "derived") or source.url or source.doi, figure.key
        if figure.source == "engineering":
            assert figure.confidence == "estimated", figure.key


def test_shipped_entries():
    """What the catalogue promises to hold."""
    assert {
        "415vac-double-conversion",
        "415vac-eco",
        "800vdc-central-rectifier",
        "800vdc-sst",
        "frontier",
    } <= set(names("chain"))
    assert {"lfp-site", "ups-battery-string", "rack-capacitor-shelf"} <= set(names("storage"))
    assert {"pv-fixed", "pv-tracker", "wind-iec2", "wind-iec3"} <= set(names("renewable"))
    assert {"diesel-standby", "gas-engine"} <= set(names("genset"))


@pytest.mark.parametrize("name", names("chain"))
def test_chains_fit_their_shape_and_are_plausible(name):
    chain = Chain.model_validate(read("chain", name).values)
    assert 0.9 < chain_efficiency(chain, 0.65) < 0.97
    for stage in chain.stages:
        peak = max(stage_efficiency(stage, load / 100) for load in range(5, 101))
        assert 0.955 < peak < 1
    if name != "frontier":
        assert {stage.storage_node for stage in chain.stages} == {None, "ups", "rack"}
        assert {stage.boundary for stage in chain.stages} == {"site", "server"}


@pytest.mark.parametrize("name", names("storage"))
def test_storage_fits_its_shape(name):
    values = dict(read("storage", name).values)
    if "energy_j_per_accelerator" not in values:
        values |= {"power_mw": 1, "energy_mwh": 2}
    storage = Storage.model_validate(values)
    assert (
        storage.node
        == {"lfp-site": "site", "ups-battery-string": "ups", "rack-capacitor-shelf": "rack"}[name]
    )


@pytest.mark.parametrize("name", names("renewable"))
def test_renewables_fit_their_shape(name):
    values = dict(read("renewable", name).values)
    if values["kind"] == "pv":
        assert Pv.model_validate(values | {"dc_power_mw": 30}).tracker is (name == "pv-tracker")
        return
    curve = Wind.model_validate(values | {"power_mw": 30})
    assert curve.curve_power_frac[0] < 0.02
    assert max(curve.curve_power_frac) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", names("genset"))
def test_gensets_fit_their_shape(name):
    genset = Genset.model_validate(dict(read("genset", name).values) | {"power_mw": 3})
    assert list(genset.efficiency_frac) == sorted(genset.efficiency_frac)
    assert genset.load_frac[-1] == 1.0
