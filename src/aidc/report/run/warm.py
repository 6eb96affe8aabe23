"""Words for cooling that fell short: what must stand beside every index that it flatters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.measure.meta import mapping
from aidc.report.text import figure

__all__ = ["pod_words", "set_point_words"]


def set_point_words(summary: Mapping[str, Any]) -> list[str]:
    """One sentence for each plant whose set point was not held."""
    return [
        f"cooling.{name}: set point not held for {figure(facts['not_held_min'], 3)} min,"
        f" up to {figure(facts['worst_above_k'], 3)} K above"
        for name, facts in mapping(summary.get("cooling")).items()
        if facts.get("not_held_min")
    ]


def pod_words(summary: Mapping[str, Any]) -> list[str]:
    """One sentence for each pod that throttled or shut down for heat."""
    found: list[str] = []
    for name, facts in mapping(summary.get("temperatures")).items():
        parts = [
            f"{word} for {figure(minutes, 3)} min"
            for word, key in (("throttled", "throttled_min"), ("shut down", "shut_down_min"))
            if (minutes := facts.get(key))
        ]
        if parts:
            tops = f"inlet up to {figure(facts.get('inlet_max_c'), 3)} °C"
            found.append(f"pods.{name}: {' and '.join(parts)} for heat, {tops}")
    return found
