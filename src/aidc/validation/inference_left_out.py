"""Predictions of benchmark rows by calibrations that have not seen their model, or their family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aidc.calibrate.inference import Fit, fit, predict_rows, shipped, usable
from aidc.calibrate.inference_priors import CALIBRATED_FAMILIES, CALIBRATED_MODELS
from aidc.calibrate.inference_rows import BenchRow

__all__ = ["FAMILY", "MODEL", "Guess", "LeftOut"]

Level = Literal["group", "family"]
MODEL: Final = "group"
FAMILY: Final = "family"
KNOWN: Final[Mapping[Level, frozenset[str]]] = {MODEL: CALIBRATED_MODELS, FAMILY: CALIBRATED_FAMILIES}


@dataclass(frozen=True, slots=True)
class Guess:
    """What was predicted for a row, or why nothing was; `origin` says which calibration did it."""

    throughput_tok_s: float | None = None
    power_w: float | None = None
    itl_s: float | None = None
    joule: float | None = None
    reason: str | None = None
    left_out: str | None = None
    origin: str = ""

    def rate(self) -> float | None:
        return self.throughput_tok_s

    def power(self) -> float | None:
        return self.power_w

    def itl(self) -> float | None:
        return self.itl_s

    def energy_j(self) -> float | None:
        """Energy per output token of the whole replica, J."""
        if self.joule is not None:
            return self.joule
        if self.power_w is None or not self.throughput_tok_s:
            return None
        return self.power_w / self.throughput_tok_s


class LeftOut:
    """Calibrations on a folder's rows, each without one model or family, fitted once."""

    def __init__(self, rows: Sequence[BenchRow]) -> None:
        self._known = [row for row in rows if usable(row)]
        self._full: dict[bool, Fit] = {}
        self._shipped = shipped()

    def guess(self, rows: Sequence[BenchRow], level: Level, *, columns_only: bool = False) -> list[Guess]:
        """One guess per row, in order; a row that cannot be predicted says why."""
        found: list[Guess] = [Guess(reason=row.reason) for row in rows]
        parts: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            if row.reason is None:
                parts.setdefault(str(getattr(row, level)), []).append(i)
        for name, places in sorted(parts.items()):
            inside = [rows[i] for i in places]
            calibration, origin = self._without(name, level, columns_only)
            rate, power, itl = predict_rows(inside, calibration, columns_only=columns_only)
            for k, i in enumerate(places):
                found[i] = Guess(float(rate[k]), float(power[k]), float(itl[k]), left_out=name, origin=origin)
        return found

    def _without(self, name: str, level: Level, columns_only: bool) -> tuple[Fit, str]:
        if name not in KNOWN[level]:
            return self._shipped, "shipped"
        others = [row for row in self._known if getattr(row, level) != name]
        if columns_only not in self._full:
            self._full[columns_only] = fit(self._known, columns_only=columns_only)
        refit = fit(others, columns_only=columns_only, start=self._full[columns_only])
        return refit, f"refitted on {refit.rows} rows"
