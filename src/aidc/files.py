"""Reading what people name: regular files only, never more than a bound, and what is a number in them.

A device, a pipe or a folder is refused before it is opened: `/dev/zero` has size 0 and no end, and a
pipe waits for a writer that may never come.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from aidc.errors import InputError, Problem

__all__ = ["checksum", "is_number_text", "open_file", "read_file"]

_CHUNK = 1 << 20


def open_file(path: Path, most_bytes: int) -> BinaryIO:
    """A regular file, opened to be read.

    Parameters
    ----------
    most_bytes
        A larger file is refused.

    Raises
    ------
    InputError
        It is absent, unreadable, no regular file, or too large.
    """
    try:
        _refuse_irregular(path.stat(), path, most_bytes)
        source = path.open("rb")
    except (OSError, ValueError) as error:  # a ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Problem(f"cannot be read: {reason}", "Check the path.", path)) from error
    try:
        _refuse_irregular(os.fstat(source.fileno()), path, most_bytes)  # what was opened, not what was named
    except InputError:
        source.close()
        raise
    return source


def read_file(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file of at most `most_bytes`.

    Raises
    ------
    InputError
        As `open_file`.
    """
    with open_file(path, most_bytes) as source:
        try:
            data = source.read(most_bytes + 1)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(Problem(f"cannot be read: {reason}", "Check the disk.", path)) from error
    if len(data) > most_bytes:  # it grew meanwhile
        raise _too_large(path, len(data), most_bytes)
    return data


def checksum(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def is_number_text(text: str) -> bool:
    """Whether a cell may be read as a number: plain ASCII digits, point, sign and exponent.

    Python also takes `１` (full width) and `2_0` for numbers; nobody writes those into a table on purpose.
    """
    if not text.isascii() or "_" in text:
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_irregular(found: os.stat_result, path: Path, most_bytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = "is a folder" if stat.S_ISDIR(found.st_mode) else "is no regular file"
        raise InputError(Problem(f"{what}, so it cannot be read", "Name a file.", path))
    if found.st_size > most_bytes:
        raise _too_large(path, found.st_size, most_bytes)


def _too_large(path: Path, size: int, most_bytes: int) -> InputError:
    shown = f"{most_bytes // (1 << 30)} GiB" if most_bytes >= 1 << 30 else f"{most_bytes // (1 << 20)} MiB"
    what = f"is larger than {shown}"
    return InputError(Problem(what, "Is this the right file? If so, resample or split it.", path, value=size))
