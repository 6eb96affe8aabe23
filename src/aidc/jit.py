"""One way to compile: the decorators of the physics and of the engines.

`scalar` marks a physics function of scalars, small enough to be inlined into an engine; `engine`
marks a loop over steps and `part` a stretch of such a loop, always inlined, so that a long loop can
be read in pieces without paying for calls that pass dozens of arrays. All keep the Python body callable as `function.py_func`.

numba's file cache does not notice an edit to a jitted helper in another module (numba issue 1833),
so the cache folder is named after a hash of every source file that can hold a kernel.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

from aidc.kernel_folder import private_folder

__all__ = ["engine", "part", "scalar"]

P = ParamSpec("P")
R = TypeVar("R")

ROOMS_WITH_KERNELS = ("firmware", "plant", "simulate", "measure/grid")


def _source_hash() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    here = Path(__file__).parent
    for room in ROOMS_WITH_KERNELS:
        for source in sorted((here / room).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = private_folder(f"kernels-{_source_hash()}")  # type: ignore[attr-defined]


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    """Without reference counts (`_nrt=False`) kernels cannot allocate, and run three times as fast."""
    njit: Any = numba.njit
    return njit(error_model="numpy", _nrt=False, **options)(function)


def scalar(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a physics function of scalars; engines inline it."""
    return _compile(function, cache=True, nogil=True)


def engine(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop over steps."""
    return _compile(function, cache=True, nogil=True)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a stretch of an engine, inlined where it is called."""
    return _compile(function, inline="always")
