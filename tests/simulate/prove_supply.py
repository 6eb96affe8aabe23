"""Supply against the judge on many random sites: `python tests/simulate/prove_supply.py --count 1000`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from supply_compare import disagreements  # noqa: E402
from supply_play import play  # noqa: E402
from supply_sites import random_case  # noqa: E402

from proving import prove  # noqa: E402


def verdict(seed: int) -> list[str]:
    """What judge and engine disagree about on one random site."""
    with tempfile.TemporaryDirectory() as folder:
        return disagreements(play(random_case(seed), Path(folder)))


if __name__ == "__main__":
    claim = "engine and judge of supply agree in every step"
    raise SystemExit(prove("supply", claim, verdict, HERE.glob("supply_*.py")))
