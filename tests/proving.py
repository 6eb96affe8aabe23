"""Long proofs on many random sites, seeded and resumable.

Verdicts are kept by seed in `build/prove/NAME-HASH.jsonl`, HASH being that of the product, the judge and the sites, so
that a proof that was stopped goes on where it was, and a change of any of them begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["prove"]

ROOT = Path(__file__).parents[1]


def _fingerprint(judges: Iterable[Path]) -> str:
    """Hash of everything that a verdict depends on."""
    files = [*sorted((ROOT / "src" / "aidc").rglob("*.py")), *sorted((ROOT / "src" / "aidc").rglob("*.toml"))]
    told = hashlib.sha256()
    for file in [*files, *sorted(judges)]:
        told.update(file.read_bytes())
    return told.hexdigest()[:16]


def prove(
    name: str,
    claim: str,
    verdict: Callable[[int], list[str]],
    judges: Iterable[Path],
    what: str = "random sites",
) -> int:
    """Judge the seeds that are not judged yet, and say on how many `claim` holds; 0 where on all.

    `verdict` gives what is wrong with one seed, and `judges` are the files of tests that it depends on.
    """
    parser = argparse.ArgumentParser(description=claim)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--show", type=int, default=10, help="disagreements to print")
    asked = parser.parse_args()
    store = ROOT / "build" / "prove" / f"{name}-{_fingerprint(judges)}.jsonl"
    store.parent.mkdir(parents=True, exist_ok=True)
    lines = store.read_text().splitlines() if store.exists() else []
    known: dict[int, list[str]] = {one["seed"]: one["found"] for one in map(json.loads, lines)}
    seeds = range(asked.first, asked.first + asked.count)
    with store.open("a") as out:
        for seed in seeds:
            if seed not in known:
                known[seed] = verdict(seed)
                out.write(json.dumps({"seed": seed, "found": known[seed]}) + "\n")
                out.flush()
    bad = [seed for seed in seeds if known[seed]]
    told = [f"  seed {seed}: {known[seed][0][:400]}" for seed in bad[: asked.show]]
    sys.stdout.write("\n".join([f"{asked.count - len(bad)} of {asked.count} {what}: {claim}", *told]) + "\n")
    return 1 if bad else 0
