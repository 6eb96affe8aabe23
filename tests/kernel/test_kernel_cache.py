"""A kernel is compiled again for all that its result rests on, and for nothing else.

Small kernels are written, edited and loaded anew as a fresh process would; what the cache gives is held
against the Python bodies of the text as it stands.
"""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
import pytest
from numba.core import config

from aidc import jit
from aidc.kernel import UnkeyedError, kernel_key
from aidc.kernel import cache as kernel_cache
from aidc.kernel.key import _Walk

HELPER = '''
import numpy as np
from enum import IntEnum
from typing import NamedTuple

import numba

from aidc.jit import part, scalar


class Row(IntEnum):
    """Places."""

    A = 0
    B = 1


class Pair(NamedTuple):
    first: float
    second: float


SCALE = 3.0
TABLE = np.array([1.0, 2.0, 4.0])
STEPS = (1, 2, 5)
UNREAD = 7.0


@scalar
def half(x: float, more: float = 0.25) -> float:
    """Half."""
    return x * 0.5 + more


@part
def inner(x: float) -> float:
    return x - 1.0


def unrelated() -> float:
    return 1.0
'''

KERNEL = '''
import tiny_helper
from aidc.jit import engine
from tiny_helper import STEPS, TABLE, Pair, Row, half, inner

LIMIT = 2.0


def _bound(limit):
    @engine
    def bound(x: float) -> float:
        return min(x, limit)

    return bound


bound = _bound(100.0)


@engine
def run(x: float, pair: Pair) -> float:
    """Sum it up."""
    total = half(x) * LIMIT + tiny_helper.SCALE * TABLE[Row.B]
    for step in STEPS:
        total += inner(step) * pair.first
    return bound(total)
'''
SOURCES = {"tiny_helper": HELPER, "tiny_kernel": KERNEL}

Load = Callable[[dict[str, str]], ModuleType]


def edited(name: str, old: str, new: str) -> dict[str, str]:
    assert SOURCES[name].count(old) == 1, f"{old!r} is not once in {name}"
    return SOURCES | {name: SOURCES[name].replace(old, new)}


def run_of(module: ModuleType) -> float:
    return module.run(10.0, sys.modules["tiny_helper"].Pair(2.0, 3.0))


def by_hand(module: ModuleType) -> float:
    """What the text says, without the compiler."""
    helper = sys.modules["tiny_helper"]
    here: dict[str, Any] = dict(vars(module))
    for name in ("half", "inner", "bound"):
        here[name] = here[name].py_func
    code = module.run.py_func.__code__
    return type(run_of)(code, here)(10.0, helper.Pair(2.0, 3.0))


def compiled(module: ModuleType) -> bool:
    """Whether the last call of `run` found nothing in the cache."""
    stats = module.run.stats
    assert sum(stats.cache_hits.values()) + sum(stats.cache_misses.values()) == 1
    return sum(stats.cache_misses.values()) == 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jit, "_cache_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Load]:
    """Runs the sources as modules of the same names, as a process that starts anew does."""
    assert folder.is_dir()

    def from_text(sources: dict[str, str]) -> ModuleType:
        module = ModuleType("none")
        for name, text in sources.items():
            module = ModuleType(name)
            monkeypatch.setitem(sys.modules, name, module)
            exec(compile(text, f"{name}.py", "exec", dont_inherit=True), vars(module))  # noqa: S102
        return module

    return from_text


CHANGES = {
    "constant": ("tiny_kernel", "LIMIT = 2.0", "LIMIT = 2.5"),
    "type of a constant": ("tiny_helper", "STEPS = (1, 2, 5)", "STEPS = (1.0, 2.0, 5.0)"),
    "constant of another module": ("tiny_helper", "SCALE = 3.0", "SCALE = 4.0"),
    "array": ("tiny_helper", "[1.0, 2.0, 4.0]", "[1.0, 3.0, 4.0]"),
    "tuple": ("tiny_helper", "(1, 2, 5)", "(1, 2, 6)"),
    "order of an enumeration": ("tiny_helper", "    A = 0\n    B = 1\n", "    B = 0\n    A = 1\n"),
    "member more": ("tiny_helper", "    B = 1\n", "    B = 2\n    C = 1\n"),
    "order of fields": (
        "tiny_helper",
        "    first: float\n    second: float\n",
        "    second: float\n    first: float\n",
    ),
    "line of the engine": ("tiny_kernel", "half(x) * LIMIT +", "half(x) * LIMIT -"),
    "line of a helper in another file": ("tiny_helper", "x * 0.5 + more", "x * 0.25 + more"),
    "line of an inlined part": ("tiny_helper", "x - 1.0", "x - 1.5"),
    "default of an argument": ("tiny_helper", "more: float = 0.25", "more: float = 0.5"),
    "closure": ("tiny_kernel", "_bound(100.0)", "_bound(5.0)"),
    "kind of compilation": ("tiny_helper", "@part\ndef inner", "@scalar\ndef inner"),
    "option": (
        "tiny_helper",
        "@scalar\ndef half",
        "@numba.njit(error_model='numpy', _nrt=False, nogil=True, fastmath=True)\ndef half",
    ),
    "another function by the same name": (
        "tiny_kernel",
        "LIMIT = 2.0",
        "LIMIT = 2.0\n\nfrom tiny_helper import inner as half",
    ),
}
HARMLESS = {
    "comment": ("tiny_helper", "    return x * 0.5", "    # half of it\n    return x * 0.5"),
    "lines moved": ("tiny_kernel", "LIMIT = 2.0", "\n\n# limits\n\nLIMIT = 2.0"),
    "docstring": ("tiny_kernel", '"""Sum it up."""', '"""Sum all of it up, at once."""'),
    "docstring taken away": ("tiny_helper", '    """Half."""\n', ""),
    "docstring added": (
        "tiny_helper",
        "def inner(x: float) -> float:\n",
        'def inner(x: float) -> float:\n    """One less."""\n',
    ),
    "annotation": ("tiny_helper", "half(x: float, more", "half(x: 'float | int', more"),
    "layout": ("tiny_helper", "x * 0.5 + more", "(\n        x * 0.5\n        + more\n    )"),
    "unrelated function": ("tiny_helper", "    return 1.0\n", "    return 2.0\n"),
    "constant that nothing reads": ("tiny_helper", "UNREAD = 7.0", "UNREAD = 8.0"),
    "docstring of an enumeration": ("tiny_helper", '    """Places."""\n', ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_result_rests_on_is_compiled_again(load: Load, change: tuple[str, str, str]) -> None:
    before = load(SOURCES)
    assert run_of(before) == by_hand(before)
    assert compiled(before)
    after = load(edited(*change))
    assert run_of(after) == by_hand(after)
    assert compiled(after)


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_changes_nothing_is_found(load: Load, change: tuple[str, str, str]) -> None:
    before = load(SOURCES)
    value = run_of(before)
    after = load(edited(*change))
    assert run_of(after) == value
    assert not compiled(after)


def test_compiler_and_processor_are_in_the_key(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = load(SOURCES).run
    keys = [kernel_key(kernel)]
    codegen = type(kernel.targetctx.codegen())
    for owner, name, value in (
        (numba, "__version__", "0.1"),
        (llvmlite, "__version__", "0.1"),
        (np, "__version__", "0.1"),
        (sys, "version", "3.0"),
        (config, "OPT", 1),
        (config, "BOUNDSCHECK", 1),
        (codegen, "magic_tuple", lambda _: ("x86_64", "another", "-avx")),
    ):
        with monkeypatch.context() as one:
            one.setattr(owner, name, value)
            keys.append(kernel_key(kernel))
    assert len(set(keys)) == 8
    assert kernel_key(kernel) == keys[0]


def arguments_of(module: ModuleType) -> dict[str, Any]:
    helper = sys.modules["tiny_helper"]
    pair = helper.Pair(1.0, 2.0)
    given = {
        "function": helper.half,
        "member": helper.Row.A,
        "named tuple": pair,
        "in a tuple": (1, (pair, 2.0)),
        "array": np.zeros((2, 2)),
        "columns first": np.zeros((2, 2), order="F"),
        "integers": np.zeros(2, dtype=np.int64),
        "number": 1.0,
        "whole number": 1,
        "nothing": None,
    }
    return {name: kernel_key(module.run, (numba.typeof(value),)) for name, value in given.items()}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("line of a helper in another file", {"function"}),
        ("order of an enumeration", {"member"}),
        ("order of fields", {"named tuple", "in a tuple"}),
    ],
)
def test_what_arguments_stand_for_is_in_the_key(load: Load, change: str, shown: set[str]) -> None:
    """The kernel itself reads none of it here: its arguments bring it."""
    module, old, new = CHANGES[change]
    idle = "from aidc.jit import engine\n\n\n@engine\ndef run(x):\n    return 1.0\n"
    before = arguments_of(load(SOURCES | {"tiny_kernel": idle}))
    after = arguments_of(load(edited(module, old, new) | {"tiny_kernel": idle}))
    assert len(set(before.values())) == len(before)
    assert {name for name in before if before[name] != after[name]} == shown


class Turned(ast.NodeTransformer):
    """Changes the number or the operator that is the n-th of its text."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def _is_it(self) -> bool:
        self.left -= 1
        return self.left == -1

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) in (int, float) and self._is_it():
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if self._is_it():
            node.op = ast.Mult() if isinstance(node.op, ast.Add) else ast.Add()
        return node


def turned_sources() -> Iterator[dict[str, str]]:
    """Every text that differs from ours by one number or operator."""
    for name, text in SOURCES.items():
        for nth in range(1000):
            turned = Turned(nth)
            new = ast.unparse(turned.visit(ast.parse(text)))
            if turned.left >= 0:
                break
            yield SOURCES | {name: new}


def test_no_change_that_shows_in_the_result_leaves_the_key_as_it_was(load: Load) -> None:
    """Every number and every operator, one after the other; nothing needs to be compiled for it."""
    before = load(SOURCES)
    key, value = kernel_key(before.run), by_hand(before)
    shown = 0
    for sources in turned_sources():
        after = load(sources)
        if by_hand(after) != value:
            shown += 1
            assert kernel_key(after.run) != key, sources
    assert shown > 15


def test_both_texts_are_kept(load: Load) -> None:
    """Going to and fro between two branches compiles each once."""
    other = edited(*CHANGES["constant"])
    for sources, anew in ((SOURCES, True), (other, True), (SOURCES, False), (other, False)):
        module = load(sources)
        assert run_of(module) == by_hand(module)
        assert compiled(module) is anew


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def foreign(path: Path) -> None:
    """A whole file whose content is not ours."""
    path.unlink()
    kernel_cache._write(path, b"not a pickle")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [cut, flip, foreign, folder_instead, lambda path: path.write_bytes(b"")])
def test_a_damaged_file_costs_a_compilation(load: Load, folder: Path, damage: Callable[[Path], None]) -> None:
    value = run_of(load(SOURCES))
    files = sorted(folder.glob("*.kernel"))
    assert len(files) == 3  # run, half, bound; what is inlined has none
    for path in files:
        damage(path)
    again = load(SOURCES)
    assert run_of(again) == value
    assert compiled(again)
    mended = load(SOURCES)
    assert run_of(mended) == value
    assert compiled(mended) is (damage is folder_instead)  # which nobody but its owner may remove
    assert not [path for path in folder.iterdir() if path.suffix != ".kernel"]


def test_a_folder_that_cannot_be_written_costs_a_compilation(
    load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("")
    monkeypatch.setattr(jit, "_cache_folder", lambda: folder / "file" / "below")
    module = load(SOURCES)
    assert run_of(module) == by_hand(module)
    assert compiled(module)


def test_a_universal_function_of_somebody_else_is_not_known_by_its_name() -> None:
    """numpy's own has numpy's version; one made from a Python function has none."""
    walk = _Walk()
    assert walk._value(np.sqrt) == "numpy sqrt"
    with pytest.raises(UnkeyedError, match="sqrt"):
        walk._value(np.frompyfunc(math.sqrt, 1, 1))


def test_what_no_key_can_hold_is_said_and_not_kept(load: Load, folder: Path) -> None:
    """An address in memory is another one in the next process."""
    text = """
import ctypes
from aidc.jit import engine

double = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: 2.0 * x)


@engine
def run(x):
    return double(x)
"""
    module = load({"tiny_foreign": text})
    with pytest.warns(RuntimeWarning, match=r"tiny_foreign\.run is compiled in every process.*double"):
        assert module.run(3.0) == 6.0
    assert list(folder.iterdir()) == []


def test_another_signature_is_another_kernel(load: Load, folder: Path) -> None:
    module = load(SOURCES)
    assert module.bound(3.5) == 3.5
    assert module.bound(3) == 3
    assert len(list(folder.glob("*.kernel"))) == 2


def test_flush_removes_the_kernel_alone(load: Load, folder: Path) -> None:
    module = load(SOURCES)
    run_of(module)
    module.bound._cache.flush()
    assert sorted(path.name.partition("-")[0] for path in folder.iterdir()) == [
        "tiny_helper.half",
        "tiny_kernel.run",
    ]


def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    for number in range(4):
        path = tmp_path / f"{number}.kernel"
        path.write_bytes(bytes(100))
        os.utime(path, (1000.0 + number, 1000.0 + number))
    kernel_cache._write(tmp_path / "old.kernel", bytes(10))
    assert kernel_cache._read(tmp_path / "old.kernel") == bytes(10)
    os.utime(tmp_path / "0.kernel")  # used again
    kernel_cache._make_room(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.kernel", "3.kernel", "old.kernel"]


def test_processes_that_compile_the_same_at_once(folder: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from types import ModuleType
from aidc import jit

jit._cache_folder = lambda: Path({str(folder)!r})
for name, text in {SOURCES!r}.items():
    module = sys.modules[name] = ModuleType(name)
    exec(compile(text, name + ".py", "exec", dont_inherit=True), vars(module))
print(module.run(10.0, sys.modules["tiny_helper"].Pair(2.0, 3.0)))
"""
    many = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = [one.communicate(timeout=120)[0].strip() for one in many]
    assert [one.returncode for one in many] == [0] * 4
    assert len(set(said)) == 1
    assert float(said[0]) == (10.0 * 0.5 + 0.25) * 2.0 + 3.0 * 2.0 + (0 + 1 + 4) * 2.0
    assert len(list(folder.iterdir())) == 3
