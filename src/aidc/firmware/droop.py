"""Frequency droop with a dead band: power over rated, charging (drawing) positive."""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["droop_frac"]


@scalar
def droop_frac(deviation_hz: float, deadband_hz: float, full_hz: float) -> float:
    """Share of rated power to draw at a frequency deviation: -1 (deliver all) at `-full_hz` and below."""
    beyond = max(deviation_hz - deadband_hz, 0.0) + min(deviation_hz + deadband_hz, 0.0)
    return min(max(beyond / (full_hz - deadband_hz), -1.0), 1.0)
