"""A sample of `prove_commitments.py`: what was promised is what the meter shows, and would not be without the correction."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from commitments import commitment


@pytest.mark.parametrize("seed", [5, 21])
def test_delivered_at_the_meter_is_what_was_promised(seed: int) -> None:
    found = commitment(seed, storage=False)
    assert found.delivered_mw == pytest.approx(found.promised_mw, rel=0.02)
    assert found.plain_mw > 1.1 * found.promised_mw  # IT watts taken for meter watts
