"""What counts: pure functions of a run. `summary` gathers them into the figures of `summary.json`."""

from __future__ import annotations

from aidc.measure.compare import CompareRow, compare
from aidc.measure.summary import summary

__all__ = ["CompareRow", "compare", "summary"]
