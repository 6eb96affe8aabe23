"""Which inputs of runs differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aidc.measure.compare_inputs import InputRow, differing_inputs


@dataclass
class Told:
    site: dict[str, Any]
    meta: dict[str, Any] = field(default_factory=dict)


POD = {"rack_name": "a", "rack": {"host_base_w": 1.0, "servers": 8}, "racks": 6}


def test_the_same_inputs_do_not_differ() -> None:
    assert differing_inputs([Told({"pods": {"x": POD}}), Told({"pods": {"x": POD}})]) == []


def test_keys_are_told_with_the_value_of_each_run_and_none_where_one_has_none() -> None:
    more = {"racks": 7, "priority": 2}
    found = differing_inputs([Told({"pods": {"x": POD}}), Told({"pods": {"x": {**POD, **more}}})])
    assert found == [InputRow("pods.x.racks", (6, 7)), InputRow("pods.x.priority", (None, 2))]


def test_another_entry_is_told_once_and_an_own_figure_by_itself() -> None:
    other = {**POD, "rack_name": "b", "rack": {"host_base_w": 2.0, "servers": 4}}
    assert differing_inputs([Told({"pods": {"x": POD}}), Told({"pods": {"x": other}})]) == [
        InputRow("pods.x.rack_name", ("a", "b"))
    ]
    own = {**POD, "rack": {"host_base_w": 2.0, "servers": 8}}
    assert differing_inputs([Told({"pods": {"x": POD}}), Told({"pods": {"x": own}})]) == [
        InputRow("pods.x.rack.host_base_w", (1.0, 2.0))
    ]


def test_files_are_compared_by_content() -> None:
    def with_file(name: str, content: str) -> Told:
        return Told({}, {"version": "1", "inputs": [{"kind": "file", "name": name, "sha256": content}]})

    same = differing_inputs([with_file("/a/p.csv", "aa"), with_file("/b/p.csv", "aa")])
    assert same == []
    found = differing_inputs([with_file("/a/p.csv", "aa"), with_file("/a/p.csv", "bb")])
    assert found == [InputRow("file p.csv", ("aa", "bb"))]
