"""Loss of load: what counts as lost, and the voltage it leaves, put back into the circuit."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.grid.load_loss import (
    Loss,
    LossCase,
    after_loss_pu,
    largest_loss,
    load_loss,
    loss_of,
    source_pu,
    terminal_pu,
)
from aidc.measure.grid.verdict import Connection
from aidc.record.waveform import Waveform
from aidc.schema.code import LoadLoss

MS = Fraction(1, 1000)
T = np.arange(10_000) * 1e-3
P0 = 1e8


def case(
    power: np.ndarray, name: str = "a", normal: np.ndarray | None = None, **more: np.ndarray
) -> LossCase:
    calm = np.full(T.size, P0) if normal is None else normal
    return LossCase(name, Waveform(MS, {"p_w": power, **more}), Waveform(MS, {"p_w": calm}))


def test_the_dip_of_the_fault_itself_is_no_loss() -> None:
    power = np.where((T >= 1) & (T < 1.9), 0.0, P0)
    assert loss_of(case(power)).loss_w == pytest.approx(0.0, abs=1e-3)


def test_what_stays_away_for_a_second_is_lost() -> None:
    power = np.where(T < 1, P0, np.where(T < 1.2, 0.0, 0.65 * P0))
    found = loss_of(case(power))
    assert found.loss_w == pytest.approx(0.35 * P0)
    assert found.at_s == pytest.approx(1.0, abs=0.02)
    assert found.before_w == P0
    assert found.reconnect_w == pytest.approx(0.0, abs=1.0)


def test_the_loads_own_swing_is_no_loss() -> None:
    normal = P0 * (1 + 0.5 * np.sign(np.sin(2 * math.pi * 0.2 * T)))
    assert loss_of(case(normal.copy(), normal=normal)).loss_w == pytest.approx(0.0, abs=1e-3)


def test_load_that_comes_back_in_stages_steps_by_its_largest_stage() -> None:
    power = np.interp(
        T, [0, 1, 1.001, 4, 4.001, 6, 6.001, 10], P0 * np.array([1, 1, 0, 0, 0.5, 0.5, 0.8, 0.8])
    )
    found = loss_of(case(power))
    assert found.loss_w == pytest.approx(P0)
    assert found.reconnect_w == pytest.approx(0.5 * P0, rel=1e-3)
    slow = np.interp(T, [0, 1, 1.001, 3, 8], P0 * np.array([1, 1, 0, 0, 1]))
    assert loss_of(case(slow)).reconnect_w == pytest.approx(0.2 * P0, rel=1e-3)  # 20 % within any second


PU = st.floats(-0.3, 0.3)


@given(st.floats(0.8, 1.1), PU, PU, st.floats(0.2, 30))
def test_the_voltage_solves_the_circuit(v: float, p: float, q: float, x_over_r: float) -> None:
    r = 1 / math.hypot(1, x_over_r)
    x = x_over_r * r
    e = source_pu(v, p, q, r, x)
    found = terminal_pu(e, p, q, r, x)
    assert found is not None
    current = (complex(p, q) / found).conjugate()
    assert abs(found + complex(r, x) * current) == pytest.approx(e, rel=1e-9)
    assert found == pytest.approx(v, rel=1e-6) or found > v  # the upper of the two solutions


def test_the_most_that_a_lossless_line_carries_is_half_the_short_circuit_power() -> None:
    """E^2/(2X) at unity power factor (P. Kundur, Power System Stability and Control, 1994, ch. 14)."""
    assert terminal_pu(1.0, 0.5 - 1e-9, 0.0, 0.0, 1.0) == pytest.approx(math.sqrt(0.5), rel=1e-3)
    assert terminal_pu(1.0, 0.5 + 1e-9, 0.0, 0.0, 1.0) is None
    assert terminal_pu(1.0, 0.0, 0.0, 0.1, 0.9) == 1.0


def test_losing_everything_leaves_the_source_voltage() -> None:
    grid = Connection(site_w=P0, short_circuit_va=5e8, x_over_r=10.0)
    loss = Loss(loss_w=P0, loss_var=3e7, before_w=P0, before_var=3e7, before_pu=1.0)
    r = 1 / math.hypot(1, 10)
    expected = source_pu(1.0, 0.2, 0.06, r, 10 * r)
    assert after_loss_pu(loss, grid) == pytest.approx(expected, rel=1e-12)
    # the linear estimate (R dP + X dQ) falls short of the exact rise
    assert expected - 1 > r * 0.2 + 10 * r * 0.06
    assert after_loss_pu(loss, Connection(site_w=P0)) is None


def test_the_verdict_is_of_the_worst_case() -> None:
    grid = Connection(site_w=P0, short_circuit_va=5e8)
    cases = [case(np.where(T < 1, P0, share * P0), f"{share:g} left") for share in (0.9, 0.4, 0.7)]
    clause = LoadLoss(rule="load-loss", clause="loss", limit_mw=50.0)
    verdict = load_loss(clause, iter(cases), grid)
    assert (verdict.result, verdict.case, verdict.unit) == ("fail", "0.4 left", "MW")
    assert verdict.value == pytest.approx(60.0)
    assert largest_loss(cases).case == "0.4 left"
    assert load_loss(clause.model_copy(update={"limit_mw": 60.5}), cases, grid).result == "pass"
    both = clause.model_copy(update={"limit_mw": 75.0, "overvoltage_pu": 1.01})
    high = load_loss(both, cases, grid)
    assert (high.result, high.unit) == ("fail", "pu")
    assert load_loss(both, cases, Connection(site_w=P0)).result == "not_assessable"


def test_without_a_limit_or_a_case_nothing_passes() -> None:
    grid = Connection(site_w=P0)
    free = LoadLoss(rule="load-loss", clause="report")
    told = load_loss(free, [case(np.where(T < 1, P0, 0.0))], grid)
    assert told.result == "not_assessable"
    assert "100 MW lost" in told.reason
    assert load_loss(free, [], grid).result == "not_assessable"
    blind = LossCase("b", Waveform(MS, {"v1_pu": np.ones(2000)}), Waveform(MS, {"p_w": np.ones(2000)}))
    assert "p_w" in load_loss(free, [blind], grid).reason


def test_a_run_shorter_than_a_loss_is_refused() -> None:
    short = Waveform(MS, {"p_w": np.full(500, P0)})
    with pytest.raises(InputError, match="shorter than"):
        loss_of(LossCase("c", short, short))
