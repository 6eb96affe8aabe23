"""Records of the twin, sound and spoilt, read back: `python tests/study/prove_records.py --count 150`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
sys.path[:0] = [str(folder) for folder in (HERE, TESTS, TESTS / "record")]

from records_cases import differences  # noqa: E402

from proving import prove  # noqa: E402

JUDGES = [HERE / "records_cases.py", HERE / "study_sites.py", TESTS / "record" / "comtrade_files.py"]

if __name__ == "__main__":
    claim = (
        "a record of the twin gets the twin's verdict or none and a reason; one that is spoilt the same, or a refusal that "
        "names the cause"
    )
    raise SystemExit(prove("records", claim, differences, JUDGES))
