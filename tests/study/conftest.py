"""Lets the tests of this room import their sites and the brute-force evaluator."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "measure" / "grid"), str(HERE.parent / "record")]
