"""The generated pages are those of this code: nothing without an entry, no entry without the thing."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import aidc
from aidc.cli.app import app
from aidc.cli.exit_codes import EXIT_CODES
from aidc.cli.reference import commands, reference_pages
from aidc.errors import AidcError
from aidc.reference.figures import FILE_COLUMNS, Figure, columns, entry_of, figures

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", ["keys.md", "summary.md", "columns.md", "commands.md"])
def test_the_page_on_disk_is_what_make_reference_writes(name: str) -> None:
    pages = reference_pages()
    assert set(pages) == {path.name for path in PAGES.glob("*.md")}
    assert (PAGES / name).read_text("utf-8") == pages[name], "run make reference"


def test_every_command_and_every_argument_has_an_entry() -> None:
    text = (PAGES / "commands.md").read_text("utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
    assert {name for name, _ in commands()} == set(sections) - {"Exit codes"}
    for name, command in commands():
        for argument in command.assemble_argument_collection():
            word = argument.names[-1] if argument.names else argument.field_info.name.upper()
            assert word in sections[name] or argument.field_info.name.upper() in sections[name], (name, word)
        for row in re.findall(r"^\| `.*$", sections[name], re.MULTILINE):
            assert len(row.split("|")[-2].strip()) > 4, (name, row)


def test_commands_walks_all_that_the_program_offers(capsys: pytest.CaptureFixture[str]) -> None:
    """`aidc --help` lists the commands without this code."""
    app(["--help"], result_action="return_value", exit_on_error=False)
    shown = set(re.findall(r"^│ ([a-z]+)  ", capsys.readouterr().out, re.MULTILINE))
    assert shown == {name.split()[1] for name, _ in commands()}


def exit_codes_in_source() -> Iterator[int]:
    """Whole numbers that commands return, or that `code` is set to, and those of the exception tree."""
    for path in (ROOT / "src" / "aidc" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.FunctionDef)
                and ast.unparse(node.returns or ast.Constant(value=0)) == "int"
            ):
                for one in ast.walk(node):
                    if isinstance(one, ast.Return) and one.value is not None:
                        yield from (
                            part.value
                            for part in ast.walk(one.value)
                            if isinstance(part, ast.Constant) and type(part.value) is int
                        )
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
                found = node.value.value if isinstance(node.value, ast.Constant) else None
                if isinstance(found, int):
                    yield found
    kinds = [AidcError]
    for kind in kinds:
        yield kind.exit_code
        kinds += kind.__subclasses__()


def test_every_exit_code_has_an_entry_and_is_used() -> None:
    used = {code for code in exit_codes_in_source() if code < 128}
    assert used - {130} == set(EXIT_CODES)


REPLAY = "time_s,power_w\n0,40000\n60,60000\n120,50000\n"
EXTRA = """
[pods.measured]
use = "dgx-h100"
racks = 2
chain = "ac"
cooling = "hall"

[replays.measured]
pods = ["measured"]
demand = { kind = "power-replay", file = "power.csv" }

[gensets.standby]
use = "diesel-standby"
power_mw = 3
fuel_mwh = 20
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Everything that a summary can speak of, in a quarter of an hour of a small site."""
    folder = tmp_path_factory.mktemp("reference")
    text = (ROOT / "src" / "aidc" / "site" / "starter.toml").read_text("utf-8")
    text = re.sub(
        r"^carbon = .*$",
        "carbon = { average_kg_per_mwh = 400, marginal_kg_per_mwh = 500 }",
        text,
        flags=re.MULTILINE,
    )
    (folder / "site.toml").write_text(text + EXTRA)
    (folder / "power.csv").write_text(REPLAY)
    settings = ["scenario.days=0.05", "scenario.step_s=10", "scenario.output_step_s=300"]
    done = aidc.run(aidc.load(folder / "site.toml", settings), out=folder / "run")
    yield done
    shutil.rmtree(folder)


def paths(node: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from paths(value, (*above, key))
        else:
            yield (*above, key)


def test_no_figure_without_an_entry_and_no_entry_without_a_figure(run: Any) -> None:
    seen: dict[tuple[str, ...], Figure | None] = {
        path: entry_of(path, figures()) for path in paths(run.summary)
    }
    assert [path for path, entry in seen.items() if entry is None] == []
    told = {entry.path for entry in seen.values() if entry}
    assert {one.path for one in figures()} - told == {"user.NAME"}  # of plug-ins alone


@pytest.mark.parametrize("file", FILE_COLUMNS)
def test_no_column_without_an_entry_and_no_entry_without_a_column(run: Any, file: str) -> None:
    there = list(pl.read_parquet_schema(run.folder / file))
    listed = columns(FILE_COLUMNS[file])
    seen = {name: entry_of(_parts(name), listed) for name in there}
    assert [name for name, entry in seen.items() if entry is None] == []
    assert {one.path for one in listed} == {entry.path for entry in seen.values() if entry}


def _parts(name: str) -> list[str]:
    """A column's kind, the name (which may hold dots) and the quantity."""
    first, *middle = name.split(".")
    return [first, ".".join(middle[:-1]), middle[-1]] if len(middle) > 1 else name.split(".")


def test_every_entry_says_something_and_powers_have_units() -> None:
    for one in (*figures(), *columns("series"), *columns("pods"), *columns("events")):
        assert len(one.meaning) > 3, one.path
        if re.search(r"_(w|mw|mwh|s|k|c|m3|kg|frac)$", one.path):
            assert one.unit, one.path
