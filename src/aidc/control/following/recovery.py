"""After a request: load comes back along a ramp, so that a cut does not end in a step."""

from __future__ import annotations

import math

__all__ = ["Recovery"]


class Recovery:
    """Remembers the last level that was held, and lets it rise at a rate."""

    def __init__(self, frac_per_min: float) -> None:
        self._frac_per_s = frac_per_min / 60.0
        self._name = ""
        self._level_w = math.nan
        self._reference_w = math.nan
        self._since_s = math.nan

    def hold(self, name: str, level_w: float, reference_w: float) -> None:
        """A request is in force at this level; `reference_w` is the import that the rate is a share of."""
        self._name, self._level_w, self._reference_w = name, level_w, reference_w
        self._since_s = math.nan

    def ceiling_w(self, now_s: float, would_w: float, import_w: float) -> tuple[str, float] | None:
        """Whose recovery it is, and the import to stay below [W]; None once load may be what it would be.

        The ramp begins at the level that was asked, or at the import where that was not reached.
        """
        if math.isnan(self._level_w):
            return None
        if math.isnan(self._since_s):
            self._since_s = now_s
            self._level_w = max(self._level_w, import_w)
        reference_w = would_w if math.isnan(self._reference_w) else self._reference_w
        ceiling_w = self._level_w + self._frac_per_s * reference_w * (now_s - self._since_s)
        if ceiling_w >= would_w or math.isnan(would_w):
            self._level_w = math.nan
            return None
        return self._name, ceiling_w
