"""A chiller as data in a site: an entry beside the site is enough, and a run tells where its map ends."""

import re
import shutil
from pathlib import Path

import pytest

from aidc.errors import InputError
from aidc.simulate import compile_site
from aidc.site import load

PAGE = Path(__file__).parents[2] / "docs" / "heat-rejection.md"
SITE = """
schema = 1
[site]
name = "mapped"
location = {{ latitude_deg = 36.1, longitude_deg = -79.95 }}
[grid]
import_limit_mw = 10
[chains.ac]
use = "415vac-double-conversion"
[cooling.hall]
use = "my-chiller"
crah = "crah-chilled-water"
supply_temp_c = {supply_c}
[pods.a]
use = "dgx-h100"
racks = 12
chain = "ac"
cooling = "hall"
[scenario]
start = 2025-07-07T12:00:00Z
days = 0.25
weather = {{ use = "constant", dry_bulb_c = {dry_c}, relative_humidity_percent = 60 }}
"""


def mapped(folder: Path, supply_c=8.0, dry_c=18.0, entry=lambda text: text):
    """The site of one hall behind the documented entry, at a constant weather."""
    text = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    shelf = folder / "catalogue" / "heat-rejection"
    shelf.mkdir(parents=True, exist_ok=True)
    (shelf / "my-chiller.toml").write_text(entry(text), encoding="utf-8")
    file = folder / "site.toml"
    file.write_text(SITE.format(supply_c=supply_c, dry_c=dry_c), encoding="utf-8")
    return load(file)


def remarks(site):
    return [text for text in compile_site(site).meta["repairs"] if "map" in text]


def test_within_its_range_a_map_needs_no_remark(tmp_path):
    assert remarks(mapped(tmp_path)) == []


def test_a_supply_beyond_the_map_is_told(tmp_path):
    (told,) = remarks(mapped(tmp_path, supply_c=15.0))
    assert "supply at 15 °C lies outside the chillers' 6.67 to 12.22 °C" in told
    assert "map is read at its edge" in told


def test_a_condenser_beyond_the_map_is_told_with_hours(tmp_path):
    (told,) = remarks(mapped(tmp_path, dry_c=38.0))
    assert re.search(r"above the 23\.89 °C of their map in 6 of 6 hours \(up to 3\d\.\d °C\)", told)
    (told,) = remarks(mapped(tmp_path, dry_c=8.0))  # too mild for free cooling alone, too cold for the map
    assert re.search(r"below the 12\.78 °C of their map in 6 of 6 hours \(down to \d\.\d °C\)", told)
    assert remarks(mapped(tmp_path, dry_c=-15.0)) == []  # machines rest


def test_coefficients_in_another_order_are_refused_where_they_stand(tmp_path):
    site = mapped(
        tmp_path,
        entry=lambda text: text.replace("capacity = [9.601814e-1, ", "capacity = [").replace(
            "2.611673e-3]", "2.611673e-3, 9.601814e-1]"
        ),
    )
    with pytest.raises(InputError) as refused:
        compile_site(site)
    (problem,) = refused.value.problems
    assert problem.key == "cooling.hall.performance.capacity"
    assert "in the order 1, x, x²" in problem.remedy
    shutil.rmtree(tmp_path / "catalogue")
