"""What a battery adds up over its cases does not depend on which thread is done first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from aidc.record.waveform import Waveform
from aidc.schema.disturbance import Sag
from aidc.study.faults import battery
from aidc.study.faults.battery import run_battery
from aidc.study.faults.cases import FaultCase

STEP_S = Fraction(1, 1000)
CHANNELS = ("v1_pu", "v_pn_min_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pp_max_pu", "p_w", "q_var")


class Lane:
    """A window whose books close, and whose collapse is told, only when those of the other one do too.

    `late_s` is how long it dawdles after that. Both threads have then begun to read before either has written.
    """

    def __init__(self, meet: Callable[[], object], late_s: float, residual_frac: float, collapsed: float):
        self._meet, self._late_s = meet, late_s
        self._residual_frac, self._collapsed_s = residual_frac, collapsed
        self.steps = 100
        self.kirchhoff_pu, self.unsolved_s = 0.0, 0.0

    def advance(self, steps: int | None = None) -> Waveform:
        return Waveform(STEP_S, {name: np.ones(steps or self.steps) for name in CHANNELS})

    @property
    def collapsed_s(self) -> float:
        self._wait()
        return self._collapsed_s

    def books(self) -> SimpleNamespace:
        self._wait()
        return SimpleNamespace(residual_frac=self._residual_frac)

    def _wait(self) -> None:
        self._meet()
        time.sleep(self._late_s)


class Beginning(Lane):
    """The shared beginning: its first branch is the calm run, each further one the window of a case."""

    def __init__(self, windows: list[Lane]):
        super().__init__(lambda: None, 0.0, 0.0, 0.0)
        self._windows = iter([Lane(lambda: None, 0.0, 1e-16, 0.0), *windows])
        self._lock = threading.Lock()

    def branch(self, *_: object) -> Lane:
        with self._lock:
            return next(self._windows)


@pytest.mark.parametrize("late_s", [(0.0, 0.1), (0.1, 0.0)], ids=["large first", "small first"])
def test_no_case_is_lost_from_the_sums(monkeypatch: pytest.MonkeyPatch, late_s: tuple[float, float]) -> None:
    """Of residuals 0.5 and 1e-15 the worst is 0.5, and of two collapses two are counted."""
    meet = threading.Barrier(2, timeout=20.0).wait
    windows = [Lane(meet, late_s[0], -0.5, 0.02), Lane(meet, late_s[1], 1e-15, 0.03)]
    monkeypatch.setattr(battery, "open_window", lambda *_, **__: Beginning(windows))
    monkeypatch.setattr(battery, "_judge", lambda *_: None)
    monkeypatch.setattr(battery.os, "cpu_count", lambda: 2)
    sag = Sag(use="sag", start_s=0.0, residual_pu=0.5, duration_s=0.1)
    cases = [FaultCase(sag, 0.4, "normal", 1e9)] * 2
    result = run_battery(SimpleNamespace(), SimpleNamespace(), [], cases, STEP_S)  # type: ignore[arg-type]
    assert result.residual_frac == 0.5
    assert result.collapsed == 2
    assert result.steps == 300
