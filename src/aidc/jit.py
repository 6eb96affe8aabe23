"""One way to compile: the decorators of the physics and of the engines.

`scalar` marks a physics function of scalars, small enough to be inlined into an engine; `engine`
marks a loop over steps and `part` a stretch of such a loop, always inlined, so that a long loop can
be read in pieces without paying for calls; `glue` is a few calls of parts in a row, and `inner` a stretch that is
called instead. `bundle` marks the named tuples of arrays that an engine works on. All keep the Python body callable
as `function.py_func`.

What is compiled is kept in a folder of the user, and found again by the code and the values that it rests on
(`aidc.kernel`): a comment costs nothing, a constant that changed is never missed. Nothing is looked up before
a kernel is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core.dispatcher import Dispatcher

from aidc.kernel import KernelCache
from aidc.kernel.bundle import bundle
from aidc.kernel.inside import known_inside
from aidc.kernel.linked import LinkedCompiler
from aidc.kernel_folder import private_folder

__all__ = ["bundle", "engine", "glue", "inner", "part", "scalar"]

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _cache_folder() -> Path:
    """Where compiled kernels are kept: below `NUMBA_CACHE_DIR`, else in a folder of this user's alone."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    return Path(named) / "kernels" if named else Path(private_folder("kernels"))


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    """Without reference counts (`_nrt=False`) kernels cannot allocate, and run three times as fast."""
    njit: Any = numba.njit
    return njit(error_model="numpy", _nrt=False, **options)(function)


def _keep(kernel: Any) -> Any:
    """Keep on disk what is compiled; a plain function (`NUMBA_DISABLE_JIT=1`) stays what it is."""
    if isinstance(kernel, Dispatcher):
        dispatcher: Any = kernel
        dispatcher._cache = KernelCache(kernel, _cache_folder)  # noqa: SLF001 - numba's own way is `enable_caching`
    return kernel


def _link(kernel: Any) -> Any:
    """Make no machine code of a function that only other kernels call; they link its code into their own."""
    if isinstance(kernel, Dispatcher) and known_inside():
        dispatcher: Any = kernel
        dispatcher._compiler.pipeline_class = LinkedCompiler  # noqa: SLF001 - as an option it would be in the key
    return kernel


def scalar(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a physics function of scalars; engines inline it."""
    return _keep(_compile(function, nogil=True))


def engine(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a loop over steps."""
    return _keep(_compile(function, nogil=True))


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a stretch of an engine as a function of its own, which only other kernels call.

    For what is called from several places, or rarely: it is compiled once, without the wrapper that would unpack
    dozens of arrays for Python, and cached within the engine that calls it.
    """
    return _link(_compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a stretch of an engine, inlined where it is called.

    Each is typed and lowered once, and LLVM inlines it. (Numba's own inlining, of the syntax, takes twice the time to
    compile, and an engine that is a tenth slower.)
    """
    return _link(_compile(function, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def glue(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a few calls in a row as if they were written in their caller; of long parts, LLVM optimises them once less."""
    return _compile(function, inline="always")
