"""Files and commands of the documents are what they say: the tutorial is run, TOML and commands elsewhere are read.

A block of TOML below `<!-- file: PATH -->` is written there; lines of `console` blocks that begin with `$` are run, in
the order of the document, in an empty folder.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from aidc.cli.app import app
from aidc.reference import find

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:<!-- file: (\S+) -->\n)?```(\w*)\n(.*?)```", re.DOTALL)


def steps(text: str) -> list[tuple[str, str]]:
    """`("file PATH", body)` and `("run", command)` in the order of the document."""
    found: list[tuple[str, str]] = []
    for path, language, body in BLOCK.findall(text):
        if path:
            found.append((f"file {path}", body))
        elif language == "console":
            found += [("run", line[2:]) for line in body.splitlines() if line.startswith("$ ")]
    return found


def test_the_tutorial_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = 0
    for what, body in steps((ROOT / "docs" / "tutorial.md").read_text("utf-8")):
        if what == "run":
            words = shlex.split(body)
            assert words[0] == "aidc"
            assert app(words[1:], result_action="return_value", exit_on_error=False) == 0, body
        else:
            path = Path(what.removeprefix("file "))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, "utf-8")
        done += 1
    assert done == 10
    assert (tmp_path / "client" / "base" / "report.html").stat().st_size > 100_000
    assert (tmp_path / "client" / "base-csv" / "summary.csv").is_file()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_toml_of_every_document_parses_and_its_links_lead_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    for _, language, body in BLOCK.findall(text):
        if language == "toml":
            tomllib.loads(body.replace("…", "0"))
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_document_gives_aidc_keys_is_one(path: Path) -> None:
    for asked in re.findall(r"aidc keys ([a-z_][\w.\-]*)", path.read_text("utf-8")):
        assert find(asked), asked
