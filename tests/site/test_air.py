"""Who cools the hall's air: warm water cannot, and the site file or the run says who does."""

from __future__ import annotations

import pytest

from aidc.errors import InputError
from aidc.plant.freeze import frozen
from aidc.site import load, site_toml

SITE = """
schema = 1
[site]
name = "s"
location = {{ latitude_deg = 36, longitude_deg = -80 }}
[grid]
import_limit_mw = 10
[chains]
dc = {{ use = "800vdc-sst" }}
[cooling]
warm = {{ use = "dry-cooler", cdu = "xdu1350", supply_temp_c = {warm_c}{crah}, drives = {{ drop_below_pu = 0.1 }} }}
{more}
[pods]
a = {{ use = "gb200-nvl72", racks = 4, chain = "dc", cooling = "warm"{air} }}
[scenario]
start = 2025-07-01T00:00:00Z
days = 1
weather = {{ use = "constant", dry_bulb_c = 20 }}
"""
HALL = 'hall = { use = "chiller-economiser", supply_temp_c = 18 }'
COLD = 'cold = { use = "chiller-air-cooled", supply_temp_c = 16 }'


@pytest.fixture
def written(tmp_path):
    def write(warm_c=40, crah="", more="", air=""):
        path = tmp_path / "site.toml"
        path.write_text(SITE.format(warm_c=warm_c, crah=crah, more=more, air=air), encoding="utf-8")
        return path

    return write


def test_a_site_that_cannot_cool_its_air_gets_a_hall_and_says_so(written):
    site = load(written())
    assert site.pods["a"].air_cooling == "hall"
    assert site.cooling["hall"].supply_temp_c == 18
    assert site.cooling["hall"].drives == site.cooling["warm"].drives
    assert "cooling.hall was added" in site.defaults[0]
    assert any(one.where == "cooling.hall" for one in site.assumptions)
    assert frozen(site).cooling["hall"].built.units >= 1


def test_the_added_hall_can_be_set_and_is_written_out(written, tmp_path):
    site = load(written(), ["cooling.hall.supply_temp_c=15"])
    assert site.cooling["hall"].supply_temp_c == 15
    file = tmp_path / "again.toml"
    file.write_text(site_toml(frozen(site)), encoding="utf-8")
    again = load(file)
    assert again.defaults == ()
    assert again.model_dump() == frozen(site).model_dump()


def test_the_only_plant_that_can_takes_the_air(written):
    site = load(written(more=HALL))
    assert site.pods["a"].air_cooling == "hall"
    assert list(site.cooling) == ["warm", "hall"]
    assert "cools the hall's air of a" in site.defaults[0]


def test_cold_water_keeps_its_own_air(written):
    site = load(written(warm_c=20, more=HALL))
    assert site.pods["a"].air_cooling is None
    assert site.defaults == ()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"more": f"{HALL}\n{COLD}"}, 'air_cooling = "hall"'),
        ({"crah": ', crah = "crah-chilled-water"'}, "cannot cool the hall's air of pod 'a'"),
        ({"air": ', air_cooling = "warm"', "more": HALL}, "pods.a.air_cooling"),
    ],
    ids=["two-could", "own-handlers", "named"],
)
def test_what_cannot_work_is_refused_with_a_remedy(written, keys, told):
    with pytest.raises(InputError) as found:
        load(written(**keys))
    assert told in str(found.value)


def test_a_sensitivity_is_not_refused_but_warms_the_hall(written):
    site = load(written(more=HALL), ["cooling.hall.supply_temp_c=40"])
    assert list(site.cooling) == ["warm", "hall"]
    assert frozen(site).resized == ()


def test_a_pod_that_settings_add_gets_its_air_too(written):
    pod = 'pods.b={use="gb200-nvl72",racks=2,chain="dc",cooling="warm"}'
    site = load(written(), [pod])
    assert site.pods["b"].air_cooling == "hall"
    assert any("pods.b: new lineup" in text for text in frozen(site).resized)
