"""Spoilt inputs by the thousand: `python tests/fuzz/fuzz.py --count 20000` (or `make fuzz`).

Each input is made again from its kind, the seed and its number: `--kind site --first 17 --count 1 --seed 1`.
A failure is a traceback, a figure that is no number, a refusal without a remedy, or an input that takes too long.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from targets import TARGETS, WEIGHTS, refused_in_words

from aidc.errors import AidcError

LONGEST_CPU_S = 10.0
LONGEST_S = 120.0  # on a machine that others use too


class HangError(Exception):
    """An input took longer than any should."""


@dataclass(frozen=True)
class Failure:
    kind: str
    number: int
    told: str


def inputs(count: int, seed: int, kind: str | None = None, first: int = 0) -> Iterator[tuple[str, int]]:
    """Kinds and numbers, mixed by weight; the same for the same arguments."""
    draw = Random(f"order {seed}")  # noqa: S311  repeatable, not secret
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    for number in range(first, first + count):
        yield kind or draw.choices(kinds, weights)[0], number


def tried(kind: str, number: int, seed: int) -> tuple[bool, Failure | None]:
    """Whether the input was taken, and what went wrong if anything did."""

    def hang(*_: object) -> None:
        raise HangError(f"more than {LONGEST_CPU_S:g} s of CPU or {LONGEST_S:g} s")

    before = signal.signal(signal.SIGALRM, hang)
    began = time.process_time()
    taken = False
    try:
        with tempfile.TemporaryDirectory(prefix="aidc-fuzz-") as folder:
            signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
            try:
                TARGETS[kind](Path(folder), Random(f"{seed} {kind} {number}"))  # noqa: S311
                taken = True
            except AidcError as error:
                refused_in_words(error)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        spent = time.process_time() - began
        if spent > LONGEST_CPU_S:
            hang()
    except Exception:  # noqa: BLE001  that is what is looked for
        return taken, Failure(kind, number, traceback.format_exc())
    finally:
        signal.signal(signal.SIGALRM, before)
    return taken, None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kind", choices=list(TARGETS))
    asked = parser.parse_args()
    logging.getLogger("aidc").setLevel(logging.CRITICAL)
    taken, seen, failures = Counter[str](), Counter[str](), list[Failure]()
    began = time.perf_counter()
    for kind, number in inputs(asked.count, asked.seed, asked.kind, asked.first):
        seen[kind] += 1
        one, failure = tried(kind, number, asked.seed)
        taken[kind] += one
        if failure is not None:
            failures.append(failure)
            sys.stdout.write(f"--- {failure.kind} {failure.number}\n{failure.told}\n")
            sys.stdout.flush()
        if sum(seen.values()) % 1000 == 0:
            sys.stderr.write(f"{sum(seen.values())} inputs, {len(failures)} failures\n")
    for kind in seen:
        sys.stdout.write(f"{kind}: {seen[kind]} inputs, {taken[kind]} taken, the others refused in words\n")
    total = sum(seen.values())
    sys.stdout.write(f"{total} inputs, {len(failures)} failures, {time.perf_counter() - began:.0f} s\n")
    return 1 if failures else 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
