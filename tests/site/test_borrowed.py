"""Constants of other devices: taken only where the site says so or nothing else is there, and marked for what they are."""

from pathlib import Path

import pytest

from aidc.catalogue import read
from aidc.errors import InputError
from aidc.site import load
from aidc.site.devices import borrowed_lines

SITE = """
schema = 1
[site]
name = "borrowed"
location = { latitude_deg = 36.1, longitude_deg = -79.95 }
[grid]
import_limit_mw = 10
[chains.ac]
use = "415vac-double-conversion"
[cooling.hall]
use = "chiller-economiser"
crah = "crah-chilled-water"
supply_temp_c = 20
[pods.a]
use = "dgx-h100"
racks = 12
chain = "ac"
cooling = "hall"
[services.chat]
use = "llama-3.1-8b"
pods = ["a"]
demand = { use = "constant", output_tokens_per_s = 1e4 }
[scenario]
start = 2025-07-07T12:00:00Z
days = 0.1
weather = { use = "constant", dry_bulb_c = 20 }
"""
DATASHEET = """
title = "A new accelerator"
vendor = "New"
tdp_w = { value = 900, source = "own", confidence = "published" }
floor_w = { value = 250, source = "own", confidence = "estimated" }
idle_w = { value = 120, source = "own", confidence = "estimated" }
hbm_gb = { value = 192, source = "own", confidence = "published" }
hbm_tb_per_s = { value = 6, source = "own", confidence = "published" }
bf16_tflops = { value = 1500, source = "own", confidence = "published" }
link_gb_per_s = { value = 900, source = "own", confidence = "published" }
case_limit_c = { value = 85, source = "own", confidence = "estimated" }

[inference]
INFERENCE

[sources.own]
title = "A datasheet"
"""


def site(folder: Path, inference: str, name: str = "new", **more: str):
    """A site on racks of an accelerator of the user's own."""
    rack = folder / "catalogue" / "rack"
    rack.mkdir(parents=True)
    shipped = Path(str(read("rack", "dgx-h100").path)).read_text(encoding="utf-8")
    (rack / "new-rack.toml").write_text(
        shipped.replace('accelerator = "h100"', f'accelerator = "{name}"'), encoding="utf-8"
    )
    shelf = folder / "catalogue" / "accelerator"
    shelf.mkdir()
    for entry, text in {name: inference, **more}.items():
        (shelf / f"{entry}.toml").write_text(DATASHEET.replace("INFERENCE", text), encoding="utf-8")
    body = SITE.replace('use = "dgx-h100"', 'use = "new-rack"')
    (folder / "site.toml").write_text(body, encoding="utf-8")
    return load(folder / "site.toml")


def test_inference_of_another_accelerator_has_a_mark_of_its_own(tmp_path):
    found = site(tmp_path, 'use = "h100"')
    theirs = read("accelerator", "h100")
    assert found.pods["a"].accelerator.inference.model_dump() == theirs.values["inference"]
    assert found.pods["a"].accelerator.tdp_w == 900
    rows = [one for one in found.assumptions if one.key.startswith("inference.")]
    assert len(rows) == 27
    assert {(one.entry, one.confidence, one.borrowed) for one in rows} == {
        ("accelerator/h100", "borrowed", "taken from h100, not fitted")
    }
    own = [one for one in found.assumptions if one.entry == "accelerator/new"]
    assert {one.confidence for one in own} == {"published", "estimated"}


def test_a_figure_of_ones_own_stands_over_the_borrowed_ones(tmp_path):
    found = site(
        tmp_path, 'use = "h100"\nstep_us = { value = 1234, source = "own", confidence = "measured" }'
    )
    assert found.pods["a"].accelerator.inference.step_us == 1234
    (theirs,) = [one for one in found.assumptions if one.key == "inference.step_us" and one.borrowed]
    assert theirs.overridden
    assert any(one.key == "inference.step_us" and one.confidence == "measured" for one in found.assumptions)


@pytest.mark.parametrize(
    ("inference", "more", "told"),
    [
        ('use = "new"', {}, "circle"),
        ('use = "other"', {"other": 'use = "new"'}, "circle"),
        ('use = "never-heard-of"', {}, "never-heard-of"),
    ],
)
def test_constants_that_are_nowhere_are_refused(tmp_path, inference, more, told):
    with pytest.raises(InputError, match=told):
        site(tmp_path, inference, **more)


def test_a_new_accelerator_says_whose_power_cap_and_ripple_it_takes(tmp_path):
    found = site(tmp_path, 'use = "h100"')
    marks = {(one.entry, one.confidence) for one in found.assumptions if one.where == "pods.a"}
    assert {("powercap/generic", "borrowed"), ("ripple/h100", "borrowed")} <= marks
    lines = borrowed_lines(found)
    assert any(
        "powercap/generic taken from other accelerators, not measured on new" in line for line in lines
    )
    assert any("accelerator/h100 taken from h100, not fitted" in line for line in lines)


def test_what_was_measured_on_the_device_is_not_borrowed(tmp_path):
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    found = load(tmp_path / "site.toml")
    assert borrowed_lines(found) == []
    assert found.devices["a"].powercap.alpha == read("powercap", "hopper").values["alpha"]
