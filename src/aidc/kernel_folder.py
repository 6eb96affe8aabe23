"""Where compiled kernels lie: a folder that nobody else can write.

numba keeps kernels as pickles, and reading a pickle runs what it says. So the folder must belong to this user
and be writable by nobody else; where no such folder can be had, a new one of a random name serves this process
alone and goes with it.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

__all__ = ["private_folder", "tell"]

_LOG = logging.getLogger("aidc")
_told: set[str] = set()


def private_folder(name: str) -> str:
    """The folder `name` for kernels in the user's cache, else a new one for this process alone."""
    base = _cache_home()
    if base is not None:
        folder = base / "aidc" / name
        with contextlib.suppress(OSError, ValueError):
            if _own(folder.parent) and _own(folder):
                with tempfile.TemporaryFile(dir=folder):
                    return str(folder)
    made = tempfile.mkdtemp(prefix="aidc-kernels-")  # mode 700, a name that cannot be guessed
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    where = (
        "no cache folder" if base is None else f"{base / 'aidc'} is not this user's alone, or not writable"
    )
    tell("folder", f"{where}: kernels are compiled anew in each process (set XDG_CACHE_HOME to keep them)")
    return made


def _cache_home() -> Path | None:
    """XDG_CACHE_HOME (absolute, as its specification asks), else ~/.cache; None where there is no home."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ".cache" if home.is_absolute() else None


def _own(folder: Path) -> bool:
    """Make a folder for this user alone where there is none; whether what is there can only be this user's.

    A folder above others (`~/.cache/aidc`) that a generous umask left open is closed; one that held files while it was
    open is put aside for good.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return False
    if not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    folder.chmod(stat.S_IMODE(found.st_mode) & 0o755)
    if not any(one.is_file() for one in folder.iterdir()):
        return True
    # what lies in it may be anybody's, now and for every later process: it goes aside, and a new one comes
    folder.rename(tempfile.mkdtemp(prefix=f"{folder.name}-untrusted-", dir=folder.parent))
    folder.mkdir(mode=0o700)
    tell(
        "folder",
        f"{folder} was not this user's alone: what lay in it is put aside, kernels are compiled anew",
    )
    return True


def tell(kind: str, text: str) -> None:
    """Warn of something about kernels, once a process for each kind."""
    if kind not in _told:
        _told.add(kind)
        _LOG.warning("aidc: %s", text)
