"""Every key of a site is heard: changing it changes the site or is refused; filled keys only in the written form."""

from __future__ import annotations

import copy
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from mangle import document

from aidc.catalogue import names
from aidc.errors import InputError
from aidc.schema.cooling import CoolingPlant
from aidc.schema.site import Job, Pod, Service
from aidc.site import site_of, site_toml

FILE = Path("site.toml")


def leaves(node, path=()):
    """The path and value of everything in a document that is no table."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list) and node and isinstance(node[0], dict):
        for place, value in enumerate(node):
            yield from leaves(value, (*path, place))
    else:
        yield path, node


def changed(value):
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 1.01 + 1e-9
    if isinstance(value, datetime):
        return value + timedelta(minutes=1)
    if isinstance(value, list):
        return [changed(value[0]), *value[1:]] if value else ["x"]
    return value + "x"


def at(tables, path, value):
    result = copy.deepcopy(tables)
    node = result
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return result


def dumped(tables):
    """The site as plain values, or None where it is refused."""
    try:
        return site_of(tables, FILE).model_dump(mode="json")
    except InputError:
        return None


def test_every_leaf_of_a_site_file_is_heard() -> None:
    base = dumped(document())
    assert base is not None
    deaf = [
        path for path, value in leaves(document()) if dumped(at(document(), path, changed(value))) == base
    ]
    assert deaf == []


def written():
    return tomllib.loads(site_toml(site_of(document(), FILE)))


def test_every_leaf_of_a_written_site_is_heard() -> None:
    base = dumped(written())
    assert base is not None
    sections = ("pods", "services", "jobs", "cooling", "chains")
    found = [(path, value) for path, value in leaves(written()) if path[0] in sections and path[1] != "own"]
    tried = found[::13]  # all of them take minutes
    deaf = [path for path, value in tried if dumped(at(written(), path, changed(value))) == base]
    assert deaf == []


def test_a_written_site_loads_to_the_same_site() -> None:
    first = site_of(document(), FILE)
    again = site_of(written(), FILE)
    assert again.model_dump(mode="json") == first.model_dump(mode="json")


SHAPES = {"pods.llm": Pod, "services.chat": Service, "jobs.finetune": Job, "cooling.warm": CoolingPlant}


@pytest.mark.parametrize("place", SHAPES)
@pytest.mark.parametrize("junk", [5, "anything", {"a": 1}], ids=["number", "text", "table"])
def test_every_key_of_a_shape_is_heard_where_it_is_written_by_hand(place, junk) -> None:
    section, name = place.split(".")
    base = dumped(document())
    deaf = [
        key
        for key in SHAPES[place].model_fields
        if key not in document()[section][name] and dumped(at(document(), (section, name, key), junk)) == base
    ]
    assert deaf == []


@pytest.mark.parametrize(
    ("path", "value", "meant"),
    [
        ("services.chat.model", "llama-3.1-70b", 'services.chat.use = "llama-3.1-70b"'),
        ("services.chat.model_name", "x", "services.chat.use"),
        ("jobs.finetune.model", "llama-3.1-70b", "jobs.finetune.use"),
        ("pods.llm.rack", 5, "pods.llm.use"),
        ("pods.llm.rack", {"accelerators": 8}, "pods.llm.accelerators"),
        ("pods.llm.rack_name", "anything", "pods.llm.use"),
        ("pods.llm.accelerator", "h200", "pods.llm.use"),
        ("pods.llm.accelerator_name", "h200", "pods.llm.use"),
        ("pods.llm.cold_plate_curve", {"x": 1}, "pods.llm.cold_plate"),
        ("cooling.warm.rejection", 3, "cooling.warm.use"),
        ("cooling.warm.rejection_name", "tower", "cooling.warm.use"),
        ("cooling.warm.cdu_entry", 3, "cooling.warm.cdu"),
        ("cooling.hall.crah_entry", {"fan_kw": 3}, "cooling.hall.crah"),
        ("chains.dc.front_entry", {"a": 1}, "chains.dc.front"),
    ],
)
def test_a_filled_key_is_refused_with_the_key_that_was_meant(path, value, meant) -> None:
    with pytest.raises(InputError) as caught:
        site_of(at(document(), path.split("."), value), FILE)
    problem = next(one for one in caught.value.problems if one.key == path)
    assert meant in problem.remedy


def test_a_number_for_a_rack_without_use_is_refused_in_words() -> None:
    tables = document()
    tables["pods"]["llm"] = {"rack": 5, "racks": 4, "chain": "dc", "cooling": "warm"}
    with pytest.raises(InputError, match=r"pods\.llm\.rack: is filled in by loading"):
        site_of(tables, FILE)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("pods.llm.use", "dgx-h100", "pods.llm.rack"),
        ("jobs.finetune.use", "llama-3.1-70b", "figures in model are those of 'llama-3.1-8b'"),
        ("pods.llm.rack_name", "dgx-h100", "figures in rack are those of 'gb200-nvl72'"),
        ("cooling.warm.cdu", "deschutes-2mw", "figures in cdu_entry are those of 'xdu1350'"),
        ("pods.llm.rated_power_kw", 100.0, "pods.llm.rack.rated_power_kw"),
    ],
)
def test_the_written_form_is_not_half_changed(path, value, words) -> None:
    with pytest.raises(InputError) as caught:
        site_of(at(written(), path.split("."), value), FILE)
    assert words in str(caught.value)


def test_a_figure_of_the_written_form_may_be_changed() -> None:
    tables = at(written(), ("pods", "llm", "rack", "network_w"), 77.0)
    assert site_of(tables, FILE).pods["llm"].rack.network_w == 77.0
    assert "gb200-nvl72" in names("rack")
