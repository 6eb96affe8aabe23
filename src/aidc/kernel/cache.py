"""Compiled kernels on disk, one file for each kernel and key (see `key`).

A file holds a checksum and numba's own serialised result. It is written beside and renamed, so that processes
that compile the same at the same time do not meet; one that is damaged, or of which the folder is full or
read-only, costs a compilation and nothing else. Those used last are kept, up to a size.

This takes the place of numba's file cache, whose index is keyed on the file that a function stands in: it
throws a kernel away for a comment, and keeps it when a helper in another file changes (numba issue 1833).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import uuid
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from numba.core import sigutils
from numba.core.caching import _Cache  # pyright: ignore[reportPrivateUsage]
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from aidc.kernel.key import UnkeyedError, kernel_key
from aidc.kernel_folder import tell

__all__ = ["KernelCache"]

_MOST_BYTES = 500_000_000
_SUFFIX = ".kernel"
_CHECKSUM_BYTES = 32


class KernelCache(_Cache):
    """The files of one kernel, as numba's dispatcher asks for them; nothing is read before it asks.

    Parameters
    ----------
    kernel
        The dispatcher.
    folder
        Gives the folder of all kernels when it is needed.
    """

    def __init__(self, kernel: Any, folder: Callable[[], Path]) -> None:
        self._kernel, self._folder = kernel, folder
        self._enabled = True

    @property
    def cache_path(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return str(self._folder())

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        """Remove every file of this kernel, whatever its key."""
        _remove(self._folder().glob(f"{self._stem()}-*{_SUFFIX}"))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel for a signature; None if there is none that is whole."""
        target_context.refresh()
        path = self._path(sig)
        payload = None if path is None else _read(path)
        if payload is None:
            return None
        try:
            rebuild: Any = CompileResult._rebuild  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            return rebuild(target_context, *pickle.loads(payload))  # noqa: S301
        except Exception:  # noqa: BLE001 - whatever it is, compiling anew mends it
            tell("damaged", f"a compiled kernel could not be loaded ({path}); it is compiled again")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, if it can be kept."""
        if any(not one.can_cache for one in data.lifted) or data.library.has_dynamic_globals:
            return
        path = self._path(sig)
        if path is not None:
            _write(path, dumps(data._reduce()))  # noqa: SLF001

    def _stem(self) -> str:
        function = self._kernel.py_func
        return f"{function.__module__}.{function.__qualname__}".replace("<", "").replace(">", "")

    def _path(self, sig: Any) -> Path | None:
        if not self._enabled:
            return None
        arguments, result = sigutils.normalize_signature(sig)
        try:
            key = kernel_key(self._kernel, (*arguments, *(() if result is None else (result,))))
        except UnkeyedError as missing:
            warnings.warn(
                f"{self._stem()} is compiled in every process: it reads {missing}, which a key cannot hold. "
                "Let it read numbers, enumerations, named tuples or other kernels.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        return self._folder() / f"{self._stem()}-{key[:40]}{_SUFFIX}"


def _read(path: Path) -> bytes | None:
    """What a whole file holds; it counts as used now."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    payload = content[_CHECKSUM_BYTES:]
    if hashlib.sha256(payload).digest() != content[:_CHECKSUM_BYTES]:
        tell("damaged", f"a compiled kernel was damaged ({path}); it is compiled again")
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return payload


def _write(path: Path, payload: bytes) -> None:
    """Write a whole file or none; make room before."""
    beside = path.with_name(f".{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, _MOST_BYTES - len(payload))
        beside.write_bytes(hashlib.sha256(payload).digest() + payload)
        beside.replace(path)
    except OSError as error:  # full or read-only
        _remove([beside])
        reason = error.strerror or str(error)
        tell("unsaved", f"compiled kernels could not be kept ({reason}); the next process compiles again")


def _make_room(folder: Path, most_bytes: int) -> None:
    """Remove what was used longest ago until the rest is small enough."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= most_bytes:
            return
        _remove([path])
        total -= size


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
