"""Getting a dataset from its publisher: checked against its SHA-256, and whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from aidc.datasets.place import cache_folder
from aidc.datasets.registry import DataFile, Dataset, find
from aidc.errors import InputError, OutputError, Problem

__all__ = ["Progress", "fetch"]

Progress = Callable[[str, int, int | None], None]
"""Called with the file's path, bytes so far, and bytes in all where the publisher says so."""

_CHUNK = 1 << 18
_LARGEST_BYTES = 4 << 30
_TIMEOUT_S = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def fetch(dataset: str | Dataset, progress: Progress | None = None, into: Path | None = None) -> list[Path]:
    """Download every file of a dataset that is not in the cache yet; give their paths.

    Parameters
    ----------
    dataset : str or Dataset
        A name from `names()`.
    progress : callable, optional
        See `Progress`.
    into : Path, optional
        The folder of datasets to fill; the user's cache by default.

    Raises
    ------
    InputError
        The dataset is unknown or not published in this form, the publisher cannot be reached, or
        what came differs from the checksum.
    OutputError
        The file cannot be written.
    """
    entry = find(dataset) if isinstance(dataset, str) else dataset
    if not entry.fetchable:
        raise InputError(
            Problem(
                f"is {entry.kind} data that its publisher does not offer in this form",
                f"See {entry.homepage}; then set AIDC_DATA to a folder that holds {entry.folder}/.",
                key="dataset",
                value=entry.name,
            )
        )
    folder = (into or cache_folder()) / entry.folder
    return [_fetch_file(file, folder / file.path, progress) for file in entry.files]


def _fetch_file(file: DataFile, target: Path, progress: Progress | None) -> Path:
    if target.is_file() and _sha256(target) == file.sha256:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError(f"{target.parent}: cannot be written: {error.strerror or error}") from error
    part = Path(name)
    try:
        found = _download(file, part, progress)
        if found != file.sha256:
            raise InputError(
                Problem(
                    "what came from the publisher is not the file that was expected",
                    f"Its SHA-256 should be {file.sha256}; fetch it by hand if the publisher has replaced it.",
                    file.url,
                    value=found,
                )
            )
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _download(file: DataFile, part: Path, progress: Progress | None) -> str:
    """Stream the file's address into `part`; give the SHA-256 of what came."""
    digest = hashlib.sha256()
    url = file.url or ""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise InputError(Problem("is not an https address", "Correct the dataset's entry.", value=url))
    done = 0
    with part.open("wb") as sink:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - https or loopback, above
                length = answer.headers.get("Content-Length")
                total = int(length) if length and length.isdigit() else None
                while chunk := answer.read(_CHUNK):
                    done += len(chunk)
                    if done > _LARGEST_BYTES:
                        raise InputError(Problem("is larger than 4 GiB", "Fetch it by hand.", url))
                    digest.update(chunk)
                    _write(sink.write, chunk, part)
                    if progress:
                        progress(file.path, done, total)
        except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", None) or error
            raise InputError(
                Problem(
                    f"cannot be fetched: {reason}",
                    "Check the connection; or fetch the file by hand and set AIDC_DATA.",
                    url,
                )
            ) from error
    return digest.hexdigest()


def _write(write: Callable[[bytes], int], chunk: bytes, part: Path) -> None:
    try:
        write(chunk)
    except OSError as error:  # a full disk is not the publisher's fault
        raise OutputError(f"{part.parent}: cannot be written: {error.strerror or error}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
