"""The same figures from any output step on many random sites: `python tests/study/prove_books.py --count 100`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from books_cases import differences  # noqa: E402

from proving import prove  # noqa: E402


def verdict(seed: int) -> list[str]:
    """What changes with the output step, without a controller and under one."""
    return differences(seed, controlled=False) + differences(seed, controlled=True)


if __name__ == "__main__":
    claim = "figures and events are the same at output steps of 1, 60, 900 and 3,600 s, with and without a controller"
    raise SystemExit(prove("books", claim, verdict, [HERE / "books_cases.py"]))
