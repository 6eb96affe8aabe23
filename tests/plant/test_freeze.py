"""A frozen plant: what was bought follows the site as written; settings resize only what they name."""

from __future__ import annotations

from importlib.resources import files
from types import SimpleNamespace

import pytest

from aidc.plant.conversion import chain_stages
from aidc.plant.design_check import design_findings
from aidc.plant.equipment import equipment_of
from aidc.plant.freeze import frozen
from aidc.plant.lineup import grid_side_w, nameplate_flows, nameplate_heat_w, network_w, transformer_rating_va
from aidc.schema.chain import Chain, Stage
from aidc.simulate.compiling.compile import _site_params
from aidc.simulate.energy.fields import Site as SiteField
from aidc.simulate.transient.compile import _site
from aidc.simulate.transient.fields import SiteParam
from aidc.site import load, site_toml

STARTER = files("aidc.site").joinpath("starter.toml").read_text("utf-8")


@pytest.fixture
def starter(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(STARTER, encoding="utf-8")
    return path


def sizes(site):
    """Everything that was bought, as plain values."""
    site = frozen(site)
    plants = {name: (plant.units, plant.built) for name, plant in site.cooling.items()}
    return plants, {name: pod.built for name, pod in site.pods.items()}, transformer_rating_va(site)


RUN_KEYS = [
    "cooling.hall.supply_temp_c=50",
    "cooling.warm.supply_temp_c=55",
    "cooling.warm.supply_temp_c=30",  # no number of dry coolers reaches it at 35 °C
    "cooling.hall.pump_head_kpa=400",
    "cooling.warm.drives.on_ups=true",
    "grid.import_limit_mw=0",
    "grid.import_limit_mw=50",
    "chains.dc.front=psu-direct",
    "pods.llm.racks=60",
    "pods.llm.priority=4",
    "storage.yard.soc_initial_frac=0.9",
    "site.location.elevation_m=1500",
    "scenario.days=1",
]


@pytest.mark.parametrize("setting", RUN_KEYS)
def test_a_sensitivity_resizes_nothing(starter, setting):
    changed = load(starter, [setting])
    assert sizes(changed) == sizes(load(starter))
    assert frozen(changed).resized == ()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "cooling.hall.use=chiller-air-cooled",
            "cooling.hall: 2 x chiller-economiser of 3 MW to 2 x chiller-air-cooled",
        ),
        ("cooling.hall.units=1", "cooling.hall: 2 x chiller-economiser of 3 MW to 1 x"),
        ("cooling.hall.rated_heat_mw=0.3", "to 4 x chiller-economiser of 0.3 MW"),
        ("chains.dc.redundancy=2N", "pods.llm: lineup"),
        ("cooling.hall.redundancy=2N", "pods.train: 5 to 8 air handlers"),
        ("storage.yard.power_mw=2", "storage.yard: 1 MW, 2 MWh to 2 MW, 2 MWh"),
        ("grid.transformer.rating_mva=3", "grid.transformer: 2.5 to 3 MVA"),
        ("pods.llm.chain=ac", "pods.llm: lineup"),
    ],
)
def test_what_a_setting_names_is_resized_and_told(starter, setting, told):
    found = frozen(load(starter, [setting])).resized
    assert any(told in text for text in found), found
    plants, pods, _ = sizes(load(starter, [setting]))
    was_plants, was_pods, _ = sizes(load(starter))
    if "hall" not in setting:
        assert plants == was_plants
    if "llm" not in setting and "chains" not in setting and "hall" not in setting:
        assert pods == was_pods
    assert plants["warm"] == was_plants["warm"]


def test_resize_is_the_file_written_so(starter, tmp_path):
    """With `resize` a setting does what writing it into the file does."""
    other = tmp_path / "other.toml"
    other.write_text(
        STARTER.replace("racks = 6", "racks = 60").replace("import_limit_mw = 2.5", "import_limit_mw = 20")
    )
    settings = ["pods.llm.racks=60", "grid.import_limit_mw=20"]
    assert sizes(load(starter, settings, resize=True)) == sizes(load(other))
    assert sizes(load(starter, settings)) == sizes(load(starter))


def test_a_frozen_file_holds_every_size_and_keeps_it(starter, tmp_path):
    once = frozen(load(starter))
    file = tmp_path / "frozen.toml"
    file.write_text(site_toml(once), encoding="utf-8")
    again = load(file)
    assert frozen(again) is again
    assert sizes(again) == sizes(once)
    assert again.model_dump() == once.model_dump()
    assert sizes(load(file, ["cooling.hall.supply_temp_c=30"])) == sizes(once)
    assert sizes(load(file, ["pods.llm.racks=60"], resize=True)) == sizes(
        load(starter, ["pods.llm.racks=60"], resize=True)
    )


def test_a_file_that_only_its_settings_make_valid_says_so(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(STARTER.replace("supply_temp_c = 38", "supply_temp_c = 34"), encoding="utf-8")
    found = frozen(load(path, ["cooling.warm.supply_temp_c=40"]))  # 34 °C is below 35 °C of design air
    assert "cannot be sized" in found.resized[0]
    assert (
        found.cooling["warm"].built
        == frozen(load(path, ["cooling.warm.supply_temp_c=40"], resize=True)).cooling["warm"].built
    )


# Two stages with a loss in proportion: the nameplate of 100 kW leaves the site's stage, and 100 - 8 - loss = 90.196
# leaves the server's (92 / 1.02).
CHAIN = Chain(
    voltage_v=800,
    stages=(
        Stage(name="ups", b=0.05, sizing=1.1, boundary="site", heat_to="ambient"),
        Stage(name="psu", b=0.02, sizing=1.5, boundary="server", heat_to="air"),
    ),
)


def test_stages_are_sized_from_the_rack_inlet():
    psu, ups = chain_stages(CHAIN, 100e3, 8e3)
    assert psu.loss.capacity_w == pytest.approx(1.5 * 92e3 / 1.02, rel=1e-12)
    assert ups.loss.capacity_w == pytest.approx(1.1 * 100e3, rel=1e-12)


@pytest.mark.parametrize("name", ["llm", "train"])
def test_a_lineup_at_nameplate_closes(starter, name):
    """What enters at the grid is the nameplate and the losses of the site; inside, all becomes heat once."""
    site = frozen(load(starter))
    pod, flows = site.pods[name], nameplate_flows(site, name)
    inlet_w = pod.racks * pod.rack.rated_power_kw * 1e3
    lost = {
        side: sum(one.loss_w for one in flows if one.stage.stage.boundary == side)
        for side in ("site", "server")
    }
    assert grid_side_w(site, name) == pytest.approx(inlet_w + lost["site"], rel=1e-12)
    deepest = next(one for one in flows if one.stage.stage.boundary == "server")
    assert deepest.output_w + lost["server"] + network_w(site, name) == pytest.approx(inlet_w, rel=1e-9)
    ambient_w = sum(one.loss_w for one in flows if one.stage.stage.heat_to == "ambient")
    assert sum(nameplate_heat_w(site, name)) == pytest.approx(inlet_w + lost["site"] - ambient_w, rel=1e-9)
    for one in flows:  # sized with the margin that each stage asks for
        assert one.stage.loss.capacity_w == pytest.approx(one.output_w * one.stage.stage.sizing, rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "rating_mva"),
    [
        ([], 2.5),
        (["grid.import_limit_mw=0"], 2.5),
        (["grid.transformer.rating_mva=7"], 7.0),
    ],
)
def test_both_engines_rate_the_transformer_alike(starter, settings, rating_mva):
    site = load(starter, settings)
    iron_w = site.grid.transformer.no_load_frac * rating_mva * 1e6
    point = SimpleNamespace(auxiliary_w=0.0, renewable_w=0.0)
    for one in (site, frozen(site)):
        assert _site_params(one)[SiteField.TRANSFORMER_0_W, 0] == pytest.approx(iron_w, rel=1e-12)
        assert _site(one, point, 1e-3, 1e9)[SiteParam.IRON_W] == pytest.approx(iron_w, rel=1e-12)


def test_an_island_has_a_transformer_for_its_pods(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(STARTER.replace("import_limit_mw = 2.5", "import_limit_mw = 0"), encoding="utf-8")
    assert transformer_rating_va(frozen(load(path))) == pytest.approx(1.25 * (6 * 120e3 + 12 * 40.8e3))


def test_the_schedule_lists_what_was_bought(starter):
    site = frozen(load(starter))
    rows = {(item.of, item.what): item for item in equipment_of(site)}
    chillers = rows["cooling.hall", "chillers"]
    assert (chillers.units, chillers.unit_rating, chillers.redundancy) == (2, 3.0, "N+1")
    assert chillers.margin_one_out_frac == pytest.approx(3.0 / chillers.peak - 1.0)
    rectifier = rows["pods.llm", "rectifier"]
    assert rectifier.units == 6
    assert rectifier.one_out == pytest.approx(rectifier.total * 5 / 6)
    assert rectifier.one_out / rectifier.peak == pytest.approx(1.15, rel=1e-6)
    handlers = rows["pods.train", "air handlers"]
    assert handlers.units == site.pods["train"].built.crah_units
    assert rows["grid", "main transformer"].unit_rating == 2.5


def test_gensets_are_held_against_the_peak_with_one_out(starter):
    genset = 'gensets={g={use="diesel-standby",power_mw=3,units=3,redundancy="N+1"}}'
    row = next(item for item in equipment_of(frozen(load(starter, [genset]))) if item.what == "gensets")
    assert (row.units, row.unit_rating, row.total, row.one_out) == (4, 1.0, 4.0, 3.0)


def test_racks_beyond_the_lineup_are_found(starter):
    """Twice the racks on a lineup whose tightest stage has 15 % to spare: 1 - 1.15/2 is missing, less its own loss."""
    found = design_findings(frozen(load(starter, ["pods.llm.racks=12"])))
    lineup = next(one for one in found if one.where == "chains.dc (llm)")
    assert 1.0 - lineup.have / lineup.need == pytest.approx(1.0 - 1.15 / 2.0, abs=0.005)
    assert design_findings(frozen(load(starter))) == ()
