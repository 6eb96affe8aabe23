"""Every key has an entry, and every entry is what the schema does: held against pydantic's own JSON Schema."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from aidc.catalogue import kinds, names, read, shipped
from aidc.errors import InputError
from aidc.reference import FILES, Key, Table, find, tables
from aidc.reference.forms import ENTRIES, FORMS
from aidc.reference.hints import default_of, hint_of
from aidc.schema.base import Shape

ROOT = Path(__file__).parents[2]

# numbers that are counts, ratios, exponents and constants: everything else has a unit
PURE = frozenset(
    {
        "x_over_r", "a", "b", "c", "sizing", "modules", "units", "pump_units", "power_factor", "racks",
        "priority", "cdu_units", "crah_units", "reactive_gain", "dc_ac_ratio", "shear_exponent",
        "accelerators_per_replica", "batch_limit", "peak_to_mean", "scale", "seed", "repeat", "year",
        "skip_lines", "offset", "voltage_scale", "current_scale", "expert_spread", "expert_imbalance",
        "film_exponent", "order", "least_pf", "pst_planning", "plt_planning", "pst_floor", "plt_floor",
        "percentile", "exponent", "count", "air_over_liquid_capacity", "air_over_liquid_film",
        "liquid_exponent", "air_exponent", "pad_effectiveness", "cycles_of_concentration",
        "water_over_air", "layers", "hidden", "attention_layers", "kv_heads", "head_dim", "latent_dim",
        "window_layers", "experts", "experts_per_token", "moe_layers", "ssm_layers", "alpha", "beta",
        "knee", "accelerators", "servers", "cold_plates", "fan_speed_most", "bandwidth_eff",
        "flops_eff", "bytes_gain", "flops_gain", "moe_flops_factor", "mfu_8bit", "mfu_16bit",
        "mfu_8bit_accelerators", "mfu_16bit_accelerators", "mfu_decay", "wall_per_tdp", "schema",
        "flex_tier", "air_curve", "water_curve", "wet_bulb_curve", "part_load", "orders", "isc_over_il",
        "crews", "correlation", "step", "throughput", "capacity", "eir", "reference_cop", "cop",
    }
)  # fmt: skip


def every_key() -> Iterator[tuple[Table, Key]]:
    for table in tables():
        for key in table.keys:
            yield table, key


def test_every_key_says_what_it_means() -> None:
    silent = [key.path for _, key in every_key() if len(key.meaning) < 8 or not key.meaning.endswith(".")]
    assert silent == []


def test_every_number_has_a_unit_or_is_known_to_have_none() -> None:
    numeric = ("number", "whole number", "list of number", "list of whole")
    bare = {key.name for _, key in every_key() if key.kind.startswith(numeric) and not key.unit}
    assert bare - PURE == set()


def shapes_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Titles and properties of a JSON Schema and its definitions."""
    for name, one in {"": schema, **schema.get("$defs", {})}.items():
        if "properties" in one:
            yield name or one.get("title", ""), one["properties"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.title)
def test_no_property_of_a_file_without_an_entry(file: Any) -> None:
    """pydantic's JSON Schema walks the shapes without any of this code."""
    there = [{key.name for key in table.keys} for table in tables()]
    for title, properties in shapes_of(file.shape.model_json_schema()):
        filled = {name for form in FORMS.values() for name in form.hidden}
        wanted = {name for name in properties if name not in filled}
        excluded = {
            "folder",
            "file",
            "assumptions",
            "entries",
            "defaults",
            "resized",
            "changed",
            "written",
            "devices",
        }
        if title == "Site":
            wanted -= excluded
        if title in ("Assumption", "UsedEntry", "Devices"):
            continue  # what loading notes: no part of a file
        assert any(wanted <= keys for keys in there), title


def fields_of_shapes() -> Iterator[tuple[type[BaseModel], str]]:

    def below(shape: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for one in shape.__subclasses__():
            yield one
            yield from below(one)

    for shape in dict.fromkeys(below(Shape)):
        if shape.__module__.startswith("aidc.schema.") and shape.__name__ not in (
            "Assumption",
            "UsedEntry",
            "Devices",
            "Site",
        ):
            for name in shape.model_fields:
                yield shape, name


def bounds(property_: Mapping[str, Any]) -> set[str]:
    """The bounds of a property in a JSON Schema as the reference words them; of two on a side, the tighter."""
    one = next(
        part for part in (property_, *property_.get("anyOf", ())) if part.get("type") in ("number", "integer")
    )
    sides = [
        [(one[key], strict, word) for key, strict, word in side if key in one and abs(one[key]) < 1e15]
        for side in (
            (("minimum", 0, "from"), ("exclusiveMinimum", 1, "above")),
            (("maximum", 0, "to"), ("exclusiveMaximum", -1, "below")),
        )
    ]
    chosen = [max(sides[0])] if sides[0] else []
    chosen += [min(sides[1])] if sides[1] else []
    return {
        f"{word} {value:,.0f}" if float(value).is_integer() else f"{word} {value:g}"
        for value, _, word in chosen
    }


def said(text: str) -> set[str]:
    both = re.fullmatch(r"(-?[\d.,e+]+) to (-?[\d.,e+]+)", text)
    parts = [f"from {both[1]}", f"to {both[2]}"] if both else text.split(", ") if text else []
    return {part.strip() for part in parts}


def test_ranges_and_defaults_are_those_that_pydantic_enforces() -> None:
    checked = 0
    for shape, name in fields_of_shapes():
        field = shape.model_fields[name]
        hint = hint_of(field)
        if hint.kind not in ("number", "whole number"):
            continue
        schema = TypeAdapter(shape).json_schema()
        properties = schema.get("properties") or schema["$defs"][shape.__name__]["properties"]
        told = properties[field.alias or name]
        assert said(hint.range) == bounds(told), (shape.__name__, name)
        default = default_of(field)
        assert (default is None) == ("default" not in told), (shape.__name__, name)
        if default:
            assert float(tomllib.loads(f"x = {default}")["x"]) == pytest.approx(told["default"], rel=1e-5)
        checked += 1
    assert checked > 400


def leaves(document: Any, path: str = "") -> Iterator[str]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(document, list) and document and isinstance(document[0], Mapping):
        for one in document:
            yield from leaves(one, path)
    else:
        yield path


SITES = [*sorted(ROOT.glob("examples/*/site.toml")), ROOT / "src" / "aidc" / "site" / "starter.toml"]


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.parent.name)
def test_every_key_of_a_shipped_site_is_found(path: Path) -> None:
    free = ("control.options.", "scenario.weather.columns.", "scenario.weather.units.")
    for leaf in leaves(tomllib.loads(path.read_text())):
        if not leaf.startswith(free):
            assert find(leaf), leaf


@pytest.mark.parametrize("name", ["build", "stick-built", "progress"])
def test_every_key_of_a_shipped_build_is_found(name: str) -> None:
    document = tomllib.loads((ROOT / "examples" / "modular-campus" / f"{name}.toml").read_text())
    prefix = "progress" if name == "progress" else "build"
    free = (  # tables whose keys are names of the user's own
        "build.crews.", "build.correlation.", "build.value.payments.", "build.value.usd_per_million_tokens.",
    )  # fmt: skip
    if name == "progress":  # names of tasks hold dots (hall-1.design)
        document["tasks"] = {task.replace(".", "-"): table for task, table in document["tasks"].items()}
    for leaf in leaves(document, prefix):
        if not leaf.startswith(free) and ".connect." not in leaf and ".after." not in leaf:
            assert find(leaf), leaf


def test_every_kind_of_the_catalogue_and_every_figure_is_found() -> None:
    assert set(kinds()) - {"dataset"} == set(ENTRIES)  # datasets ship with aidc and are not written by users
    for kind in ENTRIES:
        for name in names(kind):
            for leaf in leaves(read(kind, name, (shipped(),)).values):
                assert find(f"catalogue.{kind}.{leaf}"), (kind, name, leaf)


def test_keys_that_loading_fills_in_are_not_offered() -> None:
    for path in ("pods.llm.rack_name", "pods.llm.accelerator", "cooling.warm.rejection", "jobs.train.model"):
        with pytest.raises(InputError, match="no file has such a key"):
            find(path)


def test_an_unknown_path_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"Did you mean cooling\.NAME\.supply_temp_c"):
        find("cooling.warm.suply_temp_c")
    with pytest.raises(InputError, match=r"aidc keys"):
        find("zzzz.qqqq")


@pytest.mark.parametrize(
    ("path", "unit", "default"),
    [
        ("storage.yard.power_mw", "MW", ""),
        ("pods.llm.host_base_w", "W", None),
        ("cooling.warm.cdu.pump_kw", "kW", None),
        ("chains.dc.front.hold_up_s", "s", "0.02"),
        ("grid.x_over_r", "", "10"),
        ("build.modules.hall.footprint_m2", "m²", None),
        ("storage.yard.converter.law.limit_mw_per_min", "MW/min", None),
    ],
)
def test_a_path_leads_to_its_key(path: str, unit: str, default: str | None) -> None:
    found = find(path).keys
    assert {(key.unit, key.default) for _, key in found} == {(unit, default)}


def test_defaults_are_written_as_toml() -> None:
    for _, key in every_key():
        if key.default:
            tomllib.loads(f"x = {key.default}")


def test_the_command_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    from aidc.cli.keys import show_keys

    assert show_keys("cooling.plant", as_json=False) == 0
    text = capsys.readouterr().out
    assert "supply_temp_c" in text
    assert "2 to 60" in text
    assert show_keys(None, as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    told = {key["path"]: key for table in document for key in table["keys"]}
    assert told["grid.import_limit_mw"]["required"]
    assert told["grid.x_over_r"]["default"] == "10"
    assert told["storage.NAME.cell_temp_c"]["unit"] == "°C"
    assert told["gensets.NAME.start_time_s"]["from_entry"]
    assert show_keys("supply_temp_c", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["keys"][0]["path"] == "cooling.NAME.supply_temp_c"
