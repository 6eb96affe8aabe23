"""The starter site mentions every table that a site can have, and the list of examples is whole."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import aidc
from aidc.cli.app import app
from aidc.reference import FILES
from aidc.reference.keys import file_tables

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "src" / "aidc" / "site" / "starter.toml"
LISTED = (ROOT / "examples" / "README.md").read_text("utf-8")


def test_the_starter_site_mentions_every_table() -> None:
    text = STARTER.read_text("utf-8")
    last = {
        table.path.removesuffix("[]").removesuffix(".NAME").split(".")[-1] for table in file_tables(FILES[0])
    }
    assert [word for word in sorted(last - {""}) if not re.search(rf"\b{word}\b", text)] == []


def test_what_the_starter_site_has_in_comments_loads(tmp_path: Path) -> None:
    text = re.sub(r"^#:", "", STARTER.read_text("utf-8"), flags=re.MULTILINE)
    (tmp_path / "site.toml").write_text(text, "utf-8")
    whole, plain = aidc.load(tmp_path / "site.toml"), aidc.load(STARTER)
    assert set(whole.pods) - set(plain.pods) == {"measured", "spare"}
    assert whole.grid.service
    assert whole.gensets
    assert whole.replays
    assert whole.scenario.events
    assert whole.control.use == "demand-response"
    assert plain.control.use == "none"


def test_every_example_is_listed_and_everything_listed_is_there() -> None:
    there = {str(path.relative_to(ROOT / "examples")) for path in (ROOT / "examples").rglob("*.toml")}
    assert set(re.findall(r"\]\(([^)]+\.toml)\)", LISTED)) == there


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`(aidc [^`]+examples/[^`]+)`", LISTED))))
def test_every_command_of_the_list_can_be_read(line: str) -> None:
    words = shlex.split(line)[1:]
    command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert command.__name__ == words[0]
    for path in (Path(word) for word in words if word.startswith("examples/")):
        assert (ROOT / path).is_file()
    assert bound.args or bound.kwargs
