"""Time beyond a threshold without a break: the clock of undervoltage, overvoltage and frequency relays."""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["clock_ticks"]


@scalar
def clock_ticks(beyond: bool, ticks: float) -> float:
    """Ticks beyond the threshold so far; a step within it sets the clock back to zero."""
    return ticks + 1.0 if beyond else 0.0
