"""The event scorecard: `python tests/study/prove_scorecard.py --count 200 --policy proportional`; goes on where it stopped."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from scorecard import judged  # noqa: E402

from proving import ROOT, _fingerprint  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--policy", default="proportional")
    asked = parser.parse_args()
    mark = _fingerprint([HERE / "scorecard.py"])
    kept = ROOT / "build" / "prove" / f"scorecard-{asked.policy}-{mark}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if kept.exists():
        known = {one["seed"]: one for one in map(json.loads, kept.read_text().splitlines())}
    for seed in range(asked.first, asked.first + asked.count):
        if seed not in known:
            known[seed] = {"seed": seed, **judged(seed, asked.policy)}
            with kept.open("a") as out:
                out.write(json.dumps(known[seed]) + "\n")
    rows = [known[seed] for seed in range(asked.first, asked.first + asked.count)]
    sys.stdout.write(_told(rows, asked.policy))
    return 1 if any(one["possible"] and not one["met"] for one in rows) else 0


def _told(rows: list[dict], policy: str) -> str:
    can = [one for one in rows if one["possible"]]
    cannot = [one for one in rows if not one["possible"]]
    missed = [one["seed"] for one in can if not one["met"]]
    refused = sum(not one["foretold"] for one in can)
    seen = sum(not one["foretold"] for one in cannot)
    over = np.array([one["overshoot_frac"] for one in can])
    lost = np.array([one["tokens_frac"] for one in can])
    back = np.array([one["rebound_frac"] for one in can])
    return (
        f"{policy}: {len(rows)} events, {len(can)} feasible, of them {len(missed)} missed {missed}\n"
        f"  aidc flex calls {seen} of {len(cannot)} infeasible ones infeasible, and {refused} of {len(can)} feasible ones\n"
        f"  of feasible ones: worst minute above the level {100 * over.mean():.2f} % of baseline (highest"
        f" {100 * over.max(initial=0.0):.2f} %), tokens lost {100 * lost.mean():.2f} %, rebound {100 * back.mean():.2f} %"
        f" (highest {100 * back.max(initial=0.0):.2f} %)\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
