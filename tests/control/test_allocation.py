"""Allocation: exact against brute force, near the bound of HiGHS beyond, and each policy what it says it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from aidc.control.allocation import POLICIES, checked, menu_of
from aidc.control.allocation.menu import CAPPED, Menu
from aidc.errors import InputError


def a_menu(rows: int, seed: int, *, caps: bool = True, steps: int = 2, corners: int = 5) -> Menu:
    """Random rows: convex cap curves, and steps that lie above, on and below them."""
    rng = np.random.default_rng(seed)
    draw = rng.uniform(0.05, 3.0, rows) * 1e6
    share = np.linspace(0.0, 1.0, corners) * (rng.uniform(0.1, 0.6, (rows, 1)) if caps else 0.0)
    slow = share ** rng.uniform(1.0, 3.0, (rows, 1)) * rng.uniform(0.2, 1.2, (rows, 1))
    step_share = np.sort(rng.uniform(0.1, 1.0, (rows, steps)), axis=1)
    step_share[rng.random((rows, steps)) < 0.2] = np.nan
    return menu_of(
        draw,
        rng.choice([0.0, 0.1, 0.25, 0.5, 1.0], rows),
        cut_w=share * draw[:, None],
        slow_frac=np.minimum(slow, 1.0),
        step_cut_w=step_share * draw[:, None],
        step_slow_frac=np.clip(step_share * rng.uniform(0.5, 1.5, (rows, steps)), 0.0, 1.0),
        price_usd_per_mwh=rng.uniform(20.0, 900.0, rows),
        priority=rng.integers(0, 4, rows),
        carbon_kg_per_mwh=rng.uniform(100.0, 800.0, rows),
        given_j=rng.uniform(0.0, 1.0, rows) * draw * 3600.0,
    )


def loss_of(menu: Menu, found) -> float:
    return float((menu.price_usd_per_mwh * menu.draw_w / 1e6 * found.slow_frac).sum())


def brute_force(menu: Menu, asked: float) -> float:
    """Every row either on its cap or on one of its steps; the caps then by slope, which is exact."""
    weight = menu.price_usd_per_mwh * menu.draw_w / 1e6
    options = [
        [CAPPED, *np.flatnonzero(np.isfinite(menu.step_cut_w[row])).tolist()] for row in range(len(weight))
    ]
    best = np.inf
    for choice in itertools.product(*options):
        have, loss, edges = 0.0, 0.0, []
        for row, step in enumerate(choice):
            if step != CAPPED:
                have += menu.step_cut_w[row, step]
                loss += weight[row] * menu.step_slow_frac[row, step]
                continue
            widths, rises = np.diff(menu.cut_w[row]), weight[row] * np.diff(menu.slow_frac[row])
            edges += [(rise / wide, wide) for wide, rise in zip(widths, rises, strict=True) if wide > 0]
        for slope, wide in sorted(edges):
            take = min(wide, max(0.0, asked - have))
            have, loss = have + take, loss + slope * take
        if have >= asked * (1 - 1e-9):
            best = min(best, loss)
    return best


@pytest.mark.parametrize("caps", [True, False], ids=["caps", "steps alone"])
@pytest.mark.parametrize("seed", range(25))
def test_the_least_loss_is_that_of_every_combination(seed: int, caps: bool) -> None:
    menu = a_menu(6, seed, caps=caps)
    most = float(menu.deepest_w.sum())
    for share in (0.03, 0.3, 0.62, 0.97):
        found = checked(menu, POLICIES["least-loss"](menu, share * most))
        assert found.short_w == 0.0
        assert loss_of(menu, found) == pytest.approx(brute_force(menu, share * most), rel=1e-9)


def lp_bound(menu: Menu, asked: float) -> float:
    """HiGHS over convex combinations of all points of each row: the bound, without any hull of ours."""
    weight = menu.price_usd_per_mwh * menu.draw_w / 1e6
    cut = np.nan_to_num(np.concatenate([menu.cut_w, menu.step_cut_w], axis=1))
    slow = np.nan_to_num(np.concatenate([menu.slow_frac, menu.step_slow_frac], axis=1))
    rows, points = cut.shape
    one_each = np.kron(np.eye(rows), np.ones(points))
    done = linprog(
        (weight[:, None] * slow).ravel(), A_ub=-cut.ravel()[None], b_ub=[-asked], A_eq=one_each,
        b_eq=np.ones(rows), bounds=(0, None), method="highs",
    )  # fmt: skip
    return float(done.fun)


@pytest.mark.parametrize("rows", [60, 150])
@pytest.mark.parametrize("seed", range(3))
def test_beyond_it_is_within_half_a_percent_of_the_bound_of_highs(rows: int, seed: int) -> None:
    menu = a_menu(rows, seed)
    asked = 0.5 * float(menu.deepest_w.sum())
    found = checked(menu, POLICIES["least-loss"](menu, asked))
    bound = lp_bound(menu, asked)
    assert found.bound_usd_per_h == pytest.approx(bound, rel=1e-7)
    assert bound * (1 - 1e-9) <= loss_of(menu, found) <= 1.005 * bound


def test_ten_thousand_jobs_are_within_half_a_percent_of_its_own_bound() -> None:
    menu = a_menu(10_000, 1)
    asked = 0.5 * float(menu.deepest_w.sum())
    found = checked(menu, POLICIES["least-loss"](menu, asked))
    assert found.short_w == 0.0
    assert loss_of(menu, found) <= 1.0005 * found.bound_usd_per_h


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 12), share=st.floats(-0.5, 1.6))
@pytest.mark.parametrize("name", sorted(POLICIES))
def test_every_policy_finds_what_can_be_found_and_tells_what_is_short(name, seed, rows, share) -> None:
    menu = a_menu(rows, seed)
    most = float(menu.deepest_w.sum())
    asked = share * most
    found = checked(menu, POLICIES[name](menu, asked))
    given_w = float(found.cut_w.sum())
    assert given_w >= min(max(asked, 0.0), most) * (1 - 1e-9) - 1e-6
    assert found.short_w == pytest.approx(max(0.0, asked - most), rel=1e-6, abs=1e-3)
    assert (found.cut_w <= menu.draw_w * (1 + 1e-9)).all()


@pytest.mark.parametrize("seed", range(5))
def test_proportional_takes_the_same_share_of_every_room(seed: int) -> None:
    menu = a_menu(20, seed)
    found = POLICIES["proportional"](menu, 0.4 * float(menu.deepest_cap_w.sum()))
    room = menu.deepest_cap_w
    assert found.cut_w[room > 0] / room[room > 0] == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(5))
def test_by_priority_nobody_gives_before_those_ahead_have_given_all(seed: int) -> None:
    menu = a_menu(20, seed)
    found = POLICIES["priority"](menu, 0.4 * float(menu.deepest_cap_w.sum()))
    giving = (found.cut_w > 1e-6) & (menu.deepest_cap_w > 0)
    for row in np.flatnonzero(giving):
        ahead = menu.priority > menu.priority[row]
        assert found.cut_w[ahead] == pytest.approx(menu.deepest_cap_w[ahead])


@pytest.mark.parametrize("seed", range(5))
def test_in_turns_nobody_gives_while_one_that_has_given_less_could(seed: int) -> None:
    menu = a_menu(20, seed)
    found = POLICIES["round-robin"](menu, 0.3 * float(menu.deepest_cap_w.sum()))
    level = (menu.given_j + 3600.0 * found.cut_w) / menu.draw_w
    could = found.cut_w < menu.deepest_cap_w * (1 - 1e-9)
    giving = found.cut_w > 1e-6
    assert level[giving].max() <= level[could].min() * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_carbon_aware_is_the_least_loss_by_carbon(seed: int) -> None:
    menu = a_menu(6, seed)
    asked = 0.4 * float(menu.deepest_w.sum())
    found = POLICIES["carbon-aware"](menu, asked)
    by_carbon = menu.__class__(**{**{k: getattr(menu, k) for k in menu.__dataclass_fields__}, "price_usd_per_mwh": menu.carbon_kg_per_mwh})  # fmt: skip
    assert loss_of(by_carbon, found) == pytest.approx(brute_force(by_carbon, asked), rel=1e-9)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), tolerated=st.floats(0, 1))
def test_no_row_slows_down_by_more_than_its_tier_tolerates(seed, tolerated) -> None:
    menu = a_menu(8, seed)
    again = menu_of(
        menu.draw_w, np.full(8, tolerated), cut_w=menu.cut_w, slow_frac=menu.slow_frac,
        step_cut_w=menu.step_cut_w, step_slow_frac=menu.step_slow_frac,
    )  # fmt: skip
    for policy in POLICIES.values():
        found = checked(again, policy(again, 1e12))
        assert (found.slow_frac <= tolerated + 1e-6).all()


def test_what_is_not_on_the_menu_is_refused() -> None:
    menu = a_menu(4, 3)
    found = POLICIES["proportional"](menu, 1e5)
    for change in ({"cut_w": found.cut_w + 1e9}, {"cut_w": found.cut_w * np.nan}, {"step": np.full(4, 7)}):
        wrong = found.__class__(**{**{k: getattr(found, k) for k in found.__dataclass_fields__}, **change})
        with pytest.raises(InputError, match="not on its menu"):
            checked(menu, wrong)
