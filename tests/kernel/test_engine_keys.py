"""The keys of the real engines, in a copy of the package that is edited: nothing is compiled here.

What is edited is found by what the engines reach, so that the test does not depend on where a law stands.
"""

from __future__ import annotations

import ast
import inspect
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import aidc
from aidc.kernel import kernel_key
from aidc.kernel.body import body_of
from aidc.kernel.key import _Walk
from aidc.simulate.energy.engine import advance
from aidc.simulate.transient.engine import advance as advance_transient

PACKAGE = Path(aidc.__file__).parent
KEYS = """
from aidc.kernel import kernel_key
from aidc.simulate.energy.engine import advance
from aidc.simulate.transient.engine import advance as advance_transient

print(kernel_key(advance), kernel_key(advance_transient))
"""


def reached(engine: Any) -> tuple[list[FunctionType], list[type]]:
    """Functions and classes that an engine rests on."""
    walk = _Walk()
    walk.key(engine, ())
    return [getattr(one, "py_func", one) for one in walk._found], list(walk._classes)


FUNCTIONS, CLASSES = reached(advance)


def keys_of(root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-B", "-c", KEYS],
        env={"PYTHONPATH": str(root), "PATH": "", "HOME": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(
        PACKAGE, tmp_path / "aidc", ignore=shutil.ignore_patterns("__pycache__", "catalogue", "report")
    )
    shutil.copytree(PACKAGE / "catalogue", tmp_path / "aidc" / "catalogue")
    return tmp_path


def file_of(root: Path, here: str) -> Path:
    return root / "aidc" / Path(here).relative_to(PACKAGE)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def function_in(tree: ast.AST, function: FunctionType) -> ast.FunctionDef:
    return next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__
    )


def replace_at(path: Path, node: ast.expr, text: str) -> None:
    """Put other text in the place of an expression that stands on one line."""
    lines = path.read_text().split("\n")
    line = lines[node.lineno - 1].encode()
    lines[node.lineno - 1] = (line[: node.col_offset] + text.encode() + line[node.end_col_offset :]).decode()
    path.write_text("\n".join(lines))


def edit_line(root: Path) -> str:
    """A number within a helper that stands in another room."""
    for function in FUNCTIONS:
        if "/plant/" not in function.__code__.co_filename:
            continue
        path = file_of(root, function.__code__.co_filename)
        for node in ast.walk(function_in(tree_of(path), function)):
            if isinstance(node, ast.Constant) and type(node.value) is float:
                replace_at(path, node, repr(node.value + 0.125))
                return f"{path}:{node.lineno}"
    raise AssertionError("no helper with a number")


def edit_constant(root: Path) -> str:
    """A number that a module keeps for its functions."""
    for function in FUNCTIONS:
        path = file_of(root, function.__code__.co_filename)
        read = {name for name, *_ in body_of(function.__code__).reads}
        for node in tree_of(path).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and type(node.value.value) is float
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id in read
            ):
                replace_at(path, node.value, repr(node.value.value * 2.0))
                return f"{path}:{node.lineno}"
    raise AssertionError("no constant")


def edit_enumeration(root: Path) -> str:
    """Two members of the largest enumeration change places."""
    largest = max((one for one in CLASSES if issubclass(one, Enum)), key=len)
    path = file_of(root, inspect.getfile(largest))
    tree = tree_of(path)
    body = next(
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == largest.__name__
    )
    first, second = [node for node in body.body if isinstance(node, ast.Assign)][:2]
    names = [ast.unparse(node.targets[0]) for node in (first, second)]
    replace_at(path, first.targets[0], names[1])
    replace_at(path, second.targets[0], names[0])
    return f"{path}:{first.lineno}"


def edit_option(root: Path) -> str:
    """How all is compiled."""
    path = root / "aidc" / "jit.py"
    text = path.read_text()
    assert text.count('error_model="numpy"') == 1
    path.write_text(text.replace('error_model="numpy"', 'error_model="python"'))
    return str(path)


def retold(path: Path) -> str:
    """The text of a file with other docstrings, and a comment behind each."""
    lines = path.read_text().split("\n")
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda one: -one.lineno):
        if ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines[docstring.lineno - 1] = lines[docstring.lineno - 1].replace('"""', '"""In other words: ', 1)
            assert docstring.end_lineno is not None
            lines.insert(docstring.end_lineno, "    # and a comment")
    return "\n".join(lines)


@pytest.mark.parametrize("edit", [edit_line, edit_constant, edit_enumeration, edit_option])
def test_an_edit_that_matters_changes_the_key(copy: Path, edit: Callable[[Path], str]) -> None:
    edited = edit(copy)
    assert keys_of(copy)[0] != kernel_key(advance), edited


def test_an_edit_changes_no_key_but_that_of_those_who_reach_it(copy: Path) -> None:
    """The transient engine does not reach the first law of the energy engine alone."""
    theirs = {one.__code__ for one in reached(advance_transient)[0]}
    own = next(one for one in FUNCTIONS[1:] if one.__code__ not in theirs)
    path = file_of(copy, own.__code__.co_filename)
    lines = path.read_text().split("\n")
    first = function_in(tree_of(path), own).body[-1]
    lines.insert(first.lineno - 1, " " * first.col_offset + "_more = 1")
    path.write_text("\n".join(lines))
    energy, transient = keys_of(copy)
    assert energy != kernel_key(advance)
    assert transient == kernel_key(advance_transient)


def test_comments_docstrings_and_unrelated_functions_change_no_key(copy: Path) -> None:
    """In every file that the engines reach, at once; and a copy elsewhere shares the kernels."""
    functions = [*FUNCTIONS, *reached(advance_transient)[0]]
    for name in sorted({one.__code__.co_filename for one in functions}):
        path = file_of(copy, name)
        path.write_text(f"# a comment\n\n{retold(path)}\n\ndef _unrelated(x):\n    return x + 1.0\n")
    assert keys_of(copy) == [kernel_key(advance), kernel_key(advance_transient)]


def test_keys_are_made_in_a_moment() -> None:
    """Within 50 ms of processor time for both engines, with all that they reach read for the first time."""
    spent = []
    for _ in range(3):  # of which a busy machine may disturb some
        body_of.cache_clear()
        before = time.process_time()
        kernel_key(advance)
        kernel_key(advance_transient)
        spent.append(time.process_time() - before)
    assert min(spent) < 0.05
    assert len(FUNCTIONS) > 30
