"""Writing a run: streamed into a temporary sibling folder, renamed when it is whole.

Everything that could forbid the name at the end is looked at before the beginning (`refuse_existing`).

A killed run, a full disk or an error leaves nothing under the final name; the temporary folder is
removed where that is still possible and is recognisable (`.NAME.partial-…`) where it is not. A run
holds a lock in its temporary folder, so that the next one beside it can tell what a killed run left
behind from what another run is still writing: it removes the one, names it, and leaves the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from aidc.errors import OutputError
from aidc.files import checksum
from aidc.record.run import digest_of

__all__ = ["RunWriter", "free_folder", "refuse_existing", "write_failures"]

_LOG = logging.getLogger("aidc")
_LOCK = ".lock"
_LONGEST_NAME = 200  # of 255 that file systems allow: `.NAME.partial-…` and `NAME-N` must fit too


@contextlib.contextmanager
def write_failures(target: Path) -> Generator[None]:
    """Turn failures of the disk into an `OutputError` that says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise OutputError(
            f"{target}: could not be written: {error}. Nothing was left under this name; free some "
            "space or choose another place with --out, and run again."
        ) from error


def free_folder(parent: Path, name: str) -> Path:
    """The first of `parent/name-1`, `parent/name-2`, … that does not exist."""
    number = 1
    while os.path.lexists(parent / f"{name}-{number}"):
        number += 1
    return parent / f"{name}-{number}"


def refuse_existing(target: Path) -> None:
    """Refuse a folder that is there already or cannot be made, before anything is computed for it.

    Raises
    ------
    OutputError
        The name is taken (by a dangling link too), no text, too long, or holds control characters.
    """
    shown = ascii(str(target))
    try:
        str(target).encode("utf-8")
    except UnicodeEncodeError as error:
        raise OutputError(f"{shown} is not UTF-8 text. Choose another --out.") from error
    if any(not letter.isprintable() for letter in str(target)):
        raise OutputError(f"{shown} holds control characters. Choose another --out.")
    if target.name in ("", ".."):
        raise OutputError(f"{shown} names no folder to make. Choose another --out.")
    try:
        taken = os.path.lexists(target)
        if target.is_symlink() and not target.exists():
            raise OutputError(f"{target} is a link that leads nowhere. Choose another --out, or remove it.")
    except OSError as error:
        raise OutputError(f"{target}: {error.strerror or error}. Choose another --out.") from error
    if taken:
        raise OutputError(f"{target} exists already. Choose another --out, or move it away.")
    if len(os.fsencode(target.name)) > _LONGEST_NAME:
        raise OutputError(
            f"the name {target.name} is longer than {_LONGEST_NAME} bytes. Choose another --out."
        )


class RunWriter:
    """Collects a run in a temporary folder; `finish` puts it under its name."""

    def __init__(self, target: Path) -> None:
        self.target = target
        refuse_existing(target)
        self._made: list[Path] = []
        try:
            with write_failures(target):
                for above in (*reversed(target.parent.parents), target.parent):
                    if not above.exists():
                        above.mkdir(exist_ok=True)
                        self._made.insert(0, above)
                _sweep(target.parent)
                prefix = f".{target.name}.partial-"
                self.folder = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
                self._lock = _locked(self.folder / _LOCK)
        except OutputError:
            self._unmake()
            raise
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, pa.ArrowException):  # a full disk has been told already
            self._close()
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)
        self._unmake()

    def _unmake(self) -> None:
        """Remove the folders above that were made for this run alone; one with a run in it stays."""
        for above in self._made:  # deepest first
            with contextlib.suppress(OSError):
                above.rmdir()

    def append(self, name: str, frame: pl.DataFrame) -> None:
        """Append rows to `name.parquet` as one row group."""
        table = frame.to_arrow()
        with write_failures(self.target):
            if name not in self._writers:
                options: dict[str, Any] = {
                    "use_dictionary": ["pod"] if "pod" in frame.columns else False,
                    "write_statistics": ["time"],
                }
                path = self.folder / f"{name}.parquet"
                self._writers[name] = pq.ParquetWriter(path, table.schema, compression="lz4", **options)
            self._writers[name].write_table(table)

    def text(self, name: str, content: str) -> None:
        """Write a text file into the folder."""
        with write_failures(self.target):
            (self.folder / name).write_text(content, encoding="utf-8")

    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file into the folder; NaN and infinity are refused, not written."""
        self.text(name, json.dumps(content, indent=1, allow_nan=False, default=str) + "\n")

    def manifest(self, name: str, content: Mapping[str, Any], tables: Sequence[str]) -> None:
        """Write a JSON file with the SHA-256 of files that are whole by now, and of itself."""
        with write_failures(self.target):
            sums = {one: checksum(self.folder / one) for one in tables}
        plain = json.loads(json.dumps({**content, "files": sums}, allow_nan=False, default=str))
        self.document(name, {**plain, "sha256": digest_of(plain)})

    def close_tables(self) -> None:
        """Finish the Parquet files, so that they can be read while still under the temporary name."""
        with write_failures(self.target):
            self._close()

    def finish(self) -> Path:
        """Put the folder under its name and return that. After this the run is whole.

        Where another run took the name meanwhile, the next free `NAME-N` is taken, and said so: a
        finished run is not thrown away.
        """
        with write_failures(self.target):
            self._close()
            self.folder.chmod(0o755)
            (self.folder / _LOCK).unlink()
            if self.target.exists():
                taken, self.target = self.target, free_folder(self.target.parent, self.target.name)
                _LOG.warning("aidc: %s was made meanwhile; this run is in %s", taken, self.target)
            self.folder.rename(self.target)
        return self.target

    def _close(self) -> None:
        while self._writers:
            _, writer = self._writers.popitem()
            try:
                writer.close()
            finally:
                writer.is_open = False  # one that cannot be closed is not tried again


def _locked(path: Path) -> int:
    """Make a file and hold it locked for as long as this process lives."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with contextlib.suppress(OSError):  # a file system without locks: leftovers are then only named
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _sweep(parent: Path) -> None:
    """Remove what killed runs left in a folder, and name it."""
    for left in sorted(parent.glob(".*.partial-*")):
        if not (left / _LOCK).is_file():
            continue  # not ours, or this very moment being made
        with contextlib.suppress(OSError):
            handle = os.open(left / _LOCK, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its run lives
                shutil.rmtree(left)
                _LOG.warning("aidc: removed %s, which an interrupted run had left", left)
            finally:
                os.close(handle)
