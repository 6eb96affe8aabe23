"""Dispatch programmes against a published-size case, a dynamic programme, another formulation, and their own slopes."""

from __future__ import annotations

import csv
import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from aidc.dispatch.shapes import DemandCharge, Plan, Programme, StorageUnit
from aidc.dispatch.solve import InfeasibleError, Solver, solve

DATA = Path(os.environ.get("AIDC_DATA") or Path(__file__).parents[3] / "shared" / "data")
BENCH = DATA.parent / "bench" / "dispatch_case.py"


def year(price: np.ndarray | None = None) -> Programme:
    """The site of the year case: 100 MW of load, 80 MW of sun, 50 MW / 200 MWh, a charge on each month's peak."""
    if not BENCH.is_file():
        if os.environ.get("AIDC_DATA"):
            pytest.fail(f"AIDC_DATA is set, but there is no {BENCH}")
        pytest.skip(f"no {BENCH}")
    spec = importlib.util.spec_from_file_location("dispatch_case", BENCH)
    case = importlib.util.module_from_spec(spec)
    sys.modules["dispatch_case"] = case
    spec.loader.exec_module(case)
    load, pv, own, month = case.case(8760)
    buy = own if price is None else price
    n = load.size
    return Programme(
        1.0, load, 80.0 * pv, np.full(n, 200.0), np.full(n, 200.0), buy, 0.7 * buy,
        (StorageUnit("yard", 50.0, 50.0, 0.0, 200.0, case.ETA, case.ETA, 8.0),),
        tuple(DemandCharge(str(k), 12_000.0, month == k) for k in range(12)),
    )  # fmt: skip


def clashes(plan: Plan) -> int:
    both = (plan.import_mw > 1e-6) & (plan.export_mw > 1e-6)
    cells = (plan.charge_mw > 1e-6) & (plan.discharge_mw > 1e-6)
    return int(both.sum() + cells.sum())


def test_a_year_by_the_hour_costs_what_the_reference_says():
    """$36,757,444.95 by PyPSA, linopy and highspy, to a millionth (8,760 h, twelve demand charges)."""
    found = solve(year())
    assert found.cost_usd == pytest.approx(36_757_444.95, rel=1e-6)
    assert clashes(found) == 0


def test_a_year_of_negative_prices_has_no_hour_of_opposite_flows():
    """DE-LU 2022: $160,179,289.35 with wear of 8 $/MWh, without binaries."""
    programme = year()
    file = DATA / "prices" / "DE-LU_2022_hourly.csv"
    with file.open() as lines:
        price = np.array([float(row["price_usd_per_mwh"]) for row in csv.DictReader(lines)])
    assert (price < 0).sum() == 70
    found = solve(replace(programme, buy_usd_per_mwh=price, sell_usd_per_mwh=0.7 * price))
    assert found.cost_usd == pytest.approx(160_179_289.35, rel=1e-6)
    assert clashes(found) == 0
    assert found.binaries == 0


def small(rng: np.random.Generator, n: int = 8, low: float = -60.0, **keys) -> Programme:
    """A site of some MW over some hours, with prices that may be negative."""
    buy = rng.uniform(low, 120.0, n)
    shape = {
        "step_h": float(rng.choice([0.25, 0.5, 1.0])),
        "load_mw": rng.uniform(3.0, 10.0, n),
        "renewable_mw": rng.uniform(0.0, 9.0, n) * (rng.random(n) < 0.6),
        "import_limit_mw": np.full(n, 14.0),
        "export_limit_mw": np.full(n, float(rng.choice([0.0, 5.0]))),
        "buy_usd_per_mwh": buy,
        "sell_usd_per_mwh": np.minimum(buy, rng.uniform(low, 60.0, n)),
        "storages": (
            StorageUnit("a", 2.0, 2.0, 0.5, 4.0, 0.95, 0.92, float(rng.choice([0.0, 4.0])), 2.0),
            StorageUnit("b", 1.0, 1.5, 0.0, 1.0, 0.9, 0.9, 1.0, 0.5, 0.0),
        ),
        "demand_charges": (DemandCharge("month", 40.0, np.ones(n, bool), carried_mw=6.0),),
        "interval": np.arange(n) // 2,
    }
    return Programme(**shape | keys)


def by_milp(p: Programme) -> float:
    """The same programme written down once more, with a binary for every step and pair of directions."""
    n, k = p.steps, len(p.storages)
    names = ["g", "x", "v", *(f"{w}{i}" for i in range(k) for w in "cde"), "y", *(f"z{i}" for i in range(k))]
    at = {name: slice(i * n, (i + 1) * n) for i, name in enumerate(names)}
    peak = len(names) * n
    size = peak + len(p.demand_charges)
    cost, low, high, whole = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    cost[at["g"]], cost[at["x"]] = p.step_h * p.buy_usd_per_mwh, -p.step_h * p.sell_usd_per_mwh
    high[at["g"]], high[at["x"]], high[at["v"]] = p.import_limit_mw, p.export_limit_mw, p.renewable_mw
    rows, least, most = [], [], []

    def add(terms: dict[int, float], lowest: float, highest: float) -> None:
        row = np.zeros(size)
        for place, value in terms.items():
            row[place] += value
        rows.append(row)
        least.append(lowest)
        most.append(highest)

    for name in ("y", *(f"z{i}" for i in range(k))):
        high[at[name]], whole[at[name]] = 1.0, 1
    for i, one in enumerate(p.storages):
        cost[at[f"d{i}"]] = p.step_h * one.wear_usd_per_mwh
        high[at[f"c{i}"]], high[at[f"d{i}"]] = one.charge_mw, one.discharge_mw
        low[at[f"e{i}"]], high[at[f"e{i}"]] = one.least_mwh, one.most_mwh
        low[at[f"e{i}"].stop - 1] = max(
            one.least_mwh, one.initial_mwh if one.final_mwh is None else one.final_mwh
        )
    for t in range(n):
        terms = {at["g"].start + t: 1.0, at["x"].start + t: -1.0, at["v"].start + t: 1.0}
        terms |= {at[f"d{i}"].start + t: 1.0 for i in range(k)} | {
            at[f"c{i}"].start + t: -1.0 for i in range(k)
        }
        add(terms, p.load_mw[t], p.load_mw[t])
        add({at["g"].start + t: 1.0, at["y"].start + t: -p.import_limit_mw[t]}, -np.inf, 0.0)
        add({at["x"].start + t: 1.0, at["y"].start + t: p.export_limit_mw[t]}, -np.inf, p.export_limit_mw[t])
        for i, one in enumerate(p.storages):
            c, d, e, z = (at[f"{w}{i}"].start + t for w in "cdez")
            terms = {
                e: 1.0,
                c: -p.step_h * one.charge_efficiency_frac,
                d: p.step_h / one.discharge_efficiency_frac,
            }
            known = one.initial_mwh if t == 0 else 0.0
            add(terms if t == 0 else terms | {e - 1: -1.0}, known, known)
            add({c: 1.0, z: -one.charge_mw}, -np.inf, 0.0)
            add({d: 1.0, z: one.discharge_mw}, -np.inf, one.discharge_mw)
    for number, charge in enumerate(p.demand_charges):
        cost[peak + number], low[peak + number], high[peak + number] = (
            charge.usd_per_mw,
            charge.carried_mw,
            np.inf,
        )
        for one in np.unique(p.interval[charge.at]):
            inside = np.flatnonzero((p.interval == one) & charge.at)
            add({at["g"].start + t: 1.0 / inside.size for t in inside} | {peak + number: -1.0}, -np.inf, 0.0)
    found = milp(
        cost, integrality=whole, bounds=(low, high), constraints=LinearConstraint(np.array(rows), least, most),
        options={"mip_rel_gap": 1e-9},
    )  # fmt: skip
    assert found.success
    return float(found.fun)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_programmes_cost_what_binaries_everywhere_say(seed):
    """Repair, presolve rule and bound against an exact formulation of our own; nothing flows both ways."""
    programme = small(np.random.default_rng(seed))
    found = solve(programme)
    exact = by_milp(programme)
    scale = max(abs(exact), 1.0)
    assert clashes(found) == 0
    assert found.bound_usd <= exact + 1e-6 * scale
    assert found.cost_usd == pytest.approx(exact, abs=2e-6 * scale)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_plan_keeps_every_balance_and_limit(seed):
    p = small(np.random.default_rng(seed))
    one = solve(p)
    given_mw = (
        one.import_mw - one.export_mw + one.renewable_mw + (one.discharge_mw - one.charge_mw).sum(axis=0)
    )
    assert given_mw == pytest.approx(p.load_mw, abs=1e-6)
    assert (one.import_mw <= p.import_limit_mw + 1e-7).all()
    assert (one.export_mw <= p.export_limit_mw + 1e-7).all()
    assert (one.renewable_mw <= p.renewable_mw + 1e-7).all()
    for k, unit in enumerate(p.storages):
        change = (
            unit.charge_efficiency_frac * one.charge_mw[k]
            - one.discharge_mw[k] / unit.discharge_efficiency_frac
        )
        energy = unit.initial_mwh + p.step_h * np.cumsum(change)
        assert one.energy_mwh[k] == pytest.approx(energy, abs=1e-6)
        assert energy.min() >= unit.least_mwh - 1e-6
        assert energy.max() <= unit.most_mwh + 1e-6
        assert energy[-1] >= (unit.initial_mwh if unit.final_mwh is None else unit.final_mwh) - 1e-6
    mean = one.import_mw.reshape(-1, 2).mean(axis=1)
    assert one.peak_mw[0] == pytest.approx(max(mean.max(), 6.0), abs=1e-6)
    wear = sum(u.wear_usd_per_mwh * d.sum() for u, d in zip(p.storages, one.discharge_mw, strict=True))
    money = p.buy_usd_per_mwh @ one.import_mw - p.sell_usd_per_mwh @ one.export_mw + wear
    assert one.cost_usd == pytest.approx(p.step_h * money + 40.0 * one.peak_mw[0], abs=1e-4)


def by_steps(p: Programme, lattice: float) -> float:
    """The cheapest way of a lossless storage over a lattice of energies, by dynamic programming."""
    (unit,) = p.storages
    levels = np.arange(round(unit.least_mwh / lattice), round(unit.most_mwh / lattice) + 1) * lattice
    best = np.where(np.isclose(levels, unit.initial_mwh), 0.0, np.inf)
    for t in range(p.steps):
        moved = (levels[:, None] - levels[None, :]) / p.step_h  # to, from
        net = p.load_mw[t] - p.renewable_mw[t] + moved
        price = np.where(net > 0, p.buy_usd_per_mwh[t], p.sell_usd_per_mwh[t])
        usd = p.step_h * (price * net + unit.wear_usd_per_mwh * np.maximum(-moved, 0.0))
        allowed = (moved <= unit.charge_mw + 1e-9) & (moved >= -unit.discharge_mw - 1e-9)
        best = np.where(allowed, usd + best[None, :], np.inf).min(axis=1)
    return float(best[levels >= unit.initial_mwh - 1e-9].min())


@pytest.mark.parametrize("seed", range(6))
def test_a_lossless_storage_costs_what_dynamic_programming_finds(seed):
    """Positive prices, power and energy on the lattice: an optimum lies on it."""
    rng = np.random.default_rng(seed)
    unit = StorageUnit("a", 2.0, 1.0, 0.0, 5.0, 1.0, 1.0, 3.0, 2.0)
    p = small(
        rng, 24, 5.0, step_h=1.0, storages=(unit,), demand_charges=(), interval=None,
        load_mw=rng.integers(2, 9, 24).astype(float), renewable_mw=np.zeros(24), export_limit_mw=np.zeros(24),
        import_limit_mw=np.full(24, 99.0),
    )  # fmt: skip
    assert solve(p).cost_usd == pytest.approx(by_steps(p, 1.0), rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_shadow_prices_lie_between_the_slopes_on_both_sides(seed):
    """What one more MW of import limit is worth, against the programme solved with a little more and a little less."""
    rng = np.random.default_rng(seed)
    p = small(rng, 12, 5.0)
    tight = p.load_mw - p.renewable_mw
    p = replace(p, import_limit_mw=np.full(12, float(tight.max()) - 1.0), demand_charges=())
    found = solve(p)
    assert found.import_value_usd_per_mwh.max() > 0
    for t in range(12):
        more, less = p.import_limit_mw.copy(), p.import_limit_mw.copy()
        more[t] += 1e-4
        less[t] -= 1e-4
        right = (found.cost_usd - solve(replace(p, import_limit_mw=more)).cost_usd) / 1e-4 / p.step_h
        try:
            left = (solve(replace(p, import_limit_mw=less)).cost_usd - found.cost_usd) / 1e-4 / p.step_h
        except InfeasibleError:
            left = np.inf
        assert right - 1e-3 <= found.import_value_usd_per_mwh[t] <= left + 1e-3


def test_what_cannot_be_met_is_named():
    p = small(np.random.default_rng(1), 8, 5.0)
    load = p.load_mw.copy()
    load[5] = 40.0
    with pytest.raises(InfeasibleError) as refused:
        solve(replace(p, load_mw=load))
    assert 5 in {row % p.steps for row in refused.value.rows}


def test_a_programme_solved_again_starts_from_its_basis():
    """The same answer, warm as cold, after prices and limits moved."""
    p, solver = year(), Solver()
    first = solver.plan(p)
    moved = replace(p, buy_usd_per_mwh=p.buy_usd_per_mwh + 1.0, sell_usd_per_mwh=p.sell_usd_per_mwh + 0.7)
    assert solver.plan(moved).cost_usd == pytest.approx(solve(moved).cost_usd, rel=1e-9)
    assert solver.plan(p).cost_usd == pytest.approx(first.cost_usd, rel=1e-9)
