"""Delivered against promised at the meter: `python tests/study/prove_commitments.py --count 50 [--storage]`; goes on where it stopped."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from commitments import commitment  # noqa: E402

from proving import ROOT, _fingerprint  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--storage", action="store_true", help="let the storage help; else pods alone")
    asked = parser.parse_args()
    mark = _fingerprint([HERE / "commitments.py"])
    kept = ROOT / "build" / "prove" / f"commitments-{'storage' if asked.storage else 'pods'}-{mark}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if kept.exists():
        known = {one["seed"]: one for one in map(json.loads, kept.read_text().splitlines())}
    for seed in range(asked.first, asked.first + asked.count):
        if seed not in known:
            known[seed] = {"seed": seed, **commitment(seed, storage=asked.storage)._asdict()}
            with kept.open("a") as out:
                out.write(json.dumps(known[seed]) + "\n")
    rows = [known[seed] for seed in range(asked.first, asked.first + asked.count)]
    promised = np.array([one["promised_mw"] for one in rows])
    for name in ("delivered_mw", "plain_mw"):
        off = 100 * (np.array([one[name] for one in rows]) / promised - 1)
        sys.stdout.write(
            f"{name}: {len(off)} commitments, mean {off.mean():+.2f} %, worst {off[abs(off).argmax()]:+.2f} %"
            f" (seed {rows[int(abs(off).argmax())]['seed']}), within 2 %: {(abs(off) <= 2).sum()}\n"
        )
    worst = max(abs(one["delivered_mw"] / one["promised_mw"] - 1) for one in rows)
    return 0 if worst <= 0.02 else 1


if __name__ == "__main__":
    raise SystemExit(main())
