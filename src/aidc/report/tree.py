"""Nested mappings: one value by its path, or every leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["flatten", "pick"]


def pick(tree: Any, path: str) -> Any:
    """The value at a dotted path of nested mappings, or None."""
    for key in path.split("."):
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(key)
    return tree


def flatten(tree: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Every leaf of nested mappings and lists as (dotted key, value as text)."""
    if isinstance(tree, Mapping):
        pairs = ((str(key), value) for key, value in tree.items())
    elif isinstance(tree, (list, tuple)) and any(isinstance(item, Mapping) for item in tree):
        pairs = ((str(place), value) for place, value in enumerate(tree))
    else:
        return [] if tree is None else [(prefix, _leaf(tree))]
    return [leaf for key, value in pairs for leaf in flatten(value, f"{prefix}.{key}" if prefix else key)]


def _leaf(value: Any, limit: int = 12) -> str:
    if isinstance(value, (list, tuple)):
        items: Sequence[Any] = value
        shown = ", ".join(_leaf(item) for item in items[:limit])
        return shown if len(items) <= limit else f"{shown}, … ({len(items)} values)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
