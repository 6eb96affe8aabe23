"""Tries mutants in a copy of the checkout: change one place, run the tests that should notice, change it back."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mutants.places import Mutant

__all__ = ["Bench", "Outcome"]

COPIED = ("src", "tests", "examples", "pyproject.toml", "README.md", "benchmarks", "mutants", "docs")
NEIGHBOURS = {"simulate": ("transient",), "control": ("contract",)}  # rooms of tests by another name
SPARE_S = 240.0  # to compile what a mutant changed, on a busy machine


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: `killed`, `survived` or `timeout`, after how long [s], and the change."""

    result: str
    took_s: float
    diff: str


class Bench:
    """A copy of the checkout in which files are changed; the checkout itself is not touched.

    Kernels are kept beside it, and shared by all copies: those that a mutant does not reach are compiled once.
    """

    def __init__(self, root: Path, folder: Path, name: str) -> None:
        self.copy = folder / name
        shutil.rmtree(self.copy, ignore_errors=True)
        self.copy.mkdir(parents=True)
        for part in COPIED:
            source = root / part
            if source.is_dir():
                shutil.copytree(source, self.copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy2(source, self.copy / part)
        data = Path(os.environ.get("AIDC_DATA") or root.parent / "shared" / "data")
        if data.is_dir():
            os.environ["AIDC_DATA"] = str(data)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(self.copy / "src"), os.environ.get("PYTHONPATH", "")])
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
        os.chdir(self.copy)

    def rooms_of(self, room: str) -> tuple[str, ...]:
        """The rooms of tests that should notice a change in a room: its own, and that of the engines."""
        wanted = dict.fromkeys((room, *NEIGHBOURS.get(room, ()), "simulate"))
        return tuple(name for name in wanted if (self.copy / "tests" / name).is_dir())

    def digest(self, room: str) -> str:
        """Of all that a survivor's result rests on: the source and these tests."""
        digest = hashlib.sha256()
        folders = [self.copy / "src", *(self.copy / "tests" / name for name in self.rooms_of(room))]
        for path in sorted(path for folder in folders for path in folder.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(self.copy).as_posix().encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def command(self, room: str, first: str = "") -> list[str]:
        """The tests of a room's mutants, those that name the changed module first."""
        module = first.removeprefix("src/").removesuffix(".py").replace("/", ".")
        files = [
            path
            for name in self.rooms_of(room)
            for path in sorted((self.copy / "tests" / name).rglob("test_*.py"))
        ]
        files.sort(key=lambda path: bool(module) and module not in path.read_text())
        words = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--hypothesis-seed=0"]
        words += ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
        return words + [str(path.relative_to(self.copy)) for path in files]

    def baseline(self, room: str) -> tuple[float, str]:
        """How long the tests of a room take without a change [s], and what they said if they failed."""
        before = time.monotonic()
        result, output = tested(self.command(room), 7200.0)
        return time.monotonic() - before, "" if result == "survived" else output or result

    def attempt(self, mutant: Mutant, baseline_s: float) -> Outcome:
        """Change, test, change back."""
        from cosmic_ray.mutating import use_mutation
        from cosmic_ray.plugins import get_operator

        path = self.copy / mutant.path
        before = time.monotonic()
        with use_mutation(path, get_operator(f"core/{mutant.change}")(), mutant.occurrence) as (old, new):
            if new is None:
                raise RuntimeError(f"{mutant} changes nothing")
            result, _ = tested(self.command(mutant.room, mutant.path), 2.0 * baseline_s + SPARE_S)
        lines = difflib.unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=0)
        changed = "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
        return Outcome(result, round(time.monotonic() - before, 1), changed)


def tested(command: list[str], limit_s: float) -> tuple[str, str]:
    """Run tests: `survived`, `killed` or `timeout`, and what they said.

    They and what they start end with this process, and at the limit: a mutant may loop for ever.
    """
    tests = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # no byte code of a text that stood for a moment
        start_new_session=True,
    )
    try:
        said, _ = tests.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        return "timeout", ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tests.pid, signal.SIGKILL)
        tests.wait()
    return ("killed" if tests.returncode else "survived"), said
