"""Supply against the judge on many random sites, seeded and resumable: `python tests/simulate/prove_supply.py --count 1000`.

Verdicts are kept by seed in `build/prove/HASH.jsonl`, HASH being that of the engine, the judge and the sites, so that a
run that was stopped goes on where it was, and a change of any of them begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from supply_compare import disagreements  # noqa: E402
from supply_play import play  # noqa: E402
from supply_sites import random_case  # noqa: E402


def fingerprint() -> str:
    """Hash of everything that a verdict depends on."""
    files = [*sorted((ROOT / "src" / "aidc").rglob("*.py")), *sorted((ROOT / "src" / "aidc").rglob("*.toml"))]
    files += sorted(HERE.glob("supply_*.py"))
    told = hashlib.sha256()
    for file in files:
        told.update(file.read_bytes())
    return told.hexdigest()[:16]


def verdict(seed: int) -> list[str]:
    """What judge and engine disagree about on one random site."""
    with tempfile.TemporaryDirectory() as folder:
        return disagreements(play(random_case(seed), Path(folder)))


def main() -> int:
    """Judge the seeds that are not judged yet; 0 where all agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--show", type=int, default=10, help="disagreements to print")
    asked = parser.parse_args()
    store = ROOT / "build" / "prove" / f"{fingerprint()}.jsonl"
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
    lines = [f"  {known[seed][0][:400]}" for seed in bad[: asked.show]]
    agree = len(seeds) - len(bad)
    lines.append(f"{agree} of {len(seeds)} random sites agree with the judge of supply in every step")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
