"""The house keeps its plan: imports go one way, heavy libraries stay out of the door."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "aidc"

# a room imports from the rooms above it and from itself
ROOMS = [
    "errors",
    "units",
    "clock",
    "files",
    "toml_file",
    "kernel_folder",
    "kernel",
    "jit",
    "datasets",
    "schema",
    "catalogue",
    "reference",
    "site",
    "scenario",
    "contract",
    "firmware",
    "plant",
    "calibrate",
    "dispatch",
    "control",
    "record",
    "simulate",
    "measure",
    "study",
    "design",
    "validation",
    "report",
    "cli",
]
FORBIDDEN = {("measure", "simulate")}


def room_of(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    rooms = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
        rooms |= {name.split(".")[1] for name in names if name.startswith("aidc.")}
    return rooms


def violations(room: str, imported: set[str]) -> list[str]:
    return [
        f"{room} -> {other}"
        for other in imported - {room}
        if ROOMS.index(other) > ROOMS.index(room) or (room, other) in FORBIDDEN
    ]


@pytest.mark.parametrize(
    "path",
    sorted(path for path in SRC.rglob("*.py") if path.parent != SRC or not path.name.startswith("__")),
    ids=lambda path: str(path.relative_to(SRC)),
)
def test_imports_go_one_way(path: Path) -> None:
    assert violations(room_of(path), imports_of(path)) == []


def test_the_check_itself_can_fail() -> None:
    assert violations("measure", {"simulate"}) == ["measure -> simulate"]
    assert violations("plant", {"report"}) == ["plant -> report"]


def test_every_room_is_in_the_plan() -> None:
    rooms = {path.name for path in SRC.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    files = {path.stem for path in SRC.glob("*.py") if not path.name.startswith("__")}
    assert rooms | files == set(ROOMS)


def own_classes() -> set[str]:
    trees = (ast.parse(path.read_text()) for path in SRC.rglob("*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def public_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    bodies = [
        tree.body,
        *(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"),
    ]
    return [
        node for body in bodies for node in body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"
    ]


def unsaid(function: ast.FunctionDef, classes: set[str]) -> list[str]:
    """Parameters of a function of four or more that its docstring does not speak of.

    One whose type is a class of ours is described there; a docstring may also refer to another function's.
    """
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    arguments = [one for one in arguments if one.arg not in ("self", "cls")]
    said = ast.get_docstring(function) or ""
    if len(arguments) < 4 or re.search(r"(rguments|arameters)[^.]*(as in|those of) `", said):
        return []
    return [
        one.arg
        for one in arguments
        if not re.search(rf"\b{one.arg}\b", said)
        and not (
            one.annotation and {n.id for n in ast.walk(one.annotation) if isinstance(n, ast.Name)} & classes
        )
    ]


def test_public_functions_of_four_parameters_say_what_each_is() -> None:
    """Commands apart, whose help stands beside each parameter."""
    classes = own_classes()
    found = [
        f"{path.relative_to(SRC)}:{function.name}: {', '.join(missing)}"
        for path in sorted(SRC.rglob("*.py"))
        if room_of(path) != "cli"
        for function in public_functions(ast.parse(path.read_text()))
        if (missing := unsaid(function, classes))
    ]
    assert found == []


def test_no_relative_imports() -> None:
    relative = [
        str(path)
        for path in SRC.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []


def test_no_room_bears_the_name_of_a_public_function() -> None:
    import aidc

    rooms = {path.name for path in SRC.iterdir() if path.is_dir()}
    assert rooms.isdisjoint(aidc.__all__)


def test_importing_aidc_loads_no_heavy_library() -> None:
    code = "import aidc, aidc.cli, sys; print([m for m in ('numba','pvlib','plotly','polars','pandas','scipy','pyarrow') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
