"""Exact schedules against an integer program on many random networks: `python tests/design/prove_schedules.py --count 200`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from schedule_cases import differences  # noqa: E402

from proving import prove  # noqa: E402

if __name__ == "__main__":
    claim = "the exact search of up to 12 tasks takes the days of an integer program, and the policy no fewer"
    files = [HERE / "schedule_cases.py", HERE / "networks.py"]
    raise SystemExit(prove("schedules", claim, differences, files, "random networks"))
