"""Random sites x rule sets x faults against a judge of his own: `python tests/study/prove_checks.py --count 200`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
FOLDERS = (HERE, TESTS, TESTS / "transient", TESTS / "measure" / "grid")
sys.path[:0] = [str(folder) for folder in FOLDERS]

from checks_cases import disagreements  # noqa: E402

from proving import prove  # noqa: E402

JUDGES = [
    HERE / "checks_cases.py",
    HERE / "recount.py",
    HERE / "study_sites.py",
    HERE / "watched_network.py",
    TESTS / "transient" / "judge.py",
    TESTS / "transient" / "two_ends.py",
    TESTS / "measure" / "grid" / "brute_force.py",
]

if __name__ == "__main__":
    claim = (
        "voltage, power and reactive power at both ends of the transformer are those of the highest root, and every "
        "clause comes out as counted again, in two faults and a sequence"
    )
    raise SystemExit(prove("checks", claim, disagreements, JUDGES))
