"""Value: revenue against a sum over small steps of time, payments, penalties, and the price of a week."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from aidc.design.construction import follow as runs
from aidc.design.construction.build import build
from aidc.design.construction.grid import power_of
from aidc.design.construction.money import Earning, cash_by_quarter, payments_of, tokens_of, worth_of
from aidc.design.construction.plan import load_plan
from aidc.design.construction.steps import online_task
from aidc.errors import InputError
from aidc.plant.freeze import frozen
from aidc.site import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "modular-campus"
POINTS = [(4.0, 10_000.0), (10.0, 22_000.0), (18.024, 30_000.0)]  # IT MW, net USD a day


@pytest.fixture(scope="module")
def plan():
    return load_plan(frozen(load(EXAMPLE / "site.toml")))


@pytest.fixture(scope="module")
def power(plan):
    return power_of(plan)


@pytest.fixture(scope="module")
def drawn(plan):
    """Made-up draws: when each task is done [days]; milestones and substation early, in between and late."""
    return np.random.default_rng(2).uniform(200, 900, (6, len(plan.tasks)))


@pytest.fixture(scope="module")
def finish(plan, drawn):
    place = {task.name: number for number, task in enumerate(plan.tasks)}
    names = {lot.name: online_task(lot) for lot in plan.lots} | {name: name for name in plan.file.milestones}
    return {name: drawn[:, place[task]] for name, task in names.items()}


@pytest.fixture(scope="module")
def earnings():
    rest = {
        "useful_tokens_per_day": 1.0,
        "trained_tokens_per_day": 0.0,
        "tokenergy_kwh_per_mtok": 1.0,
        "pue": 1.1,
        "peak_import_mw": 1.0,
        "import_limit_mw": 1.0,
    }
    return [
        Earning(date(2027, 1, 1), mw, revenue_usd_per_day=net + 5.0, energy_usd_per_day=5.0, **rest)
        for mw, net in POINTS
    ]


def test_the_worth_of_a_draw_is_that_of_a_sum_over_hours(plan, power, drawn, finish, earnings):
    worth = worth_of(plan, power, finish, drawn, earnings, payments_of(plan))
    value = plan.file.value
    rate = math.log(1 + value.discount_frac_per_year) / 365.25
    times = np.arange(0.0, value.horizon_years * 365.25, 1 / 24) + 1 / 48
    halls = {
        lot.name: sum(
            80 * 0.12 if pod == "chat-a" else 60 * 0.12 if pod == "chat-b" else 30 * 0.0408
            for pod in lot.use.pods
        )
        * (0.25 if lot.of == "halls" else 1.0)
        for lot in plan.halls
    }
    for k in range(6):
        done = sum(mw * (finish[name][k] <= times) for name, mw in halls.items())
        limit = np.where(
            finish["reinforced"][k] <= times, 24.0, np.where(finish["energise"][k] <= times, 12.0, 0.0)
        )
        limit = limit * (finish["substation"][k] <= times)
        online = np.minimum(done, limit / power.ratio)
        corners = [(0.0, 0.0), *POINTS]
        net = np.interp(online, *zip(*corners, strict=True))
        assert worth.net_revenue_usd[k] == pytest.approx((net * np.exp(-rate * times)).sum() / 24, rel=2e-4)
        fined = 0.0
        for promise in plan.file.promises:
            due = (promise.date - plan.file.start).days + 1
            late = (times >= due) & (online < promise.online_mw - 1e-9)
            fined += promise.usd_per_day * (np.exp(-rate * times) * late).sum() / 24
        assert worth.penalty_usd[k] == pytest.approx(fined, rel=2e-3, abs=50)
    assert worth.npv_usd == pytest.approx(worth.net_revenue_usd - worth.capital_usd - worth.penalty_usd)


def test_payments_add_up_to_what_modules_and_racks_cost(plan, power, drawn, finish, earnings):
    payments = payments_of(plan)
    modules = 1e6 * sum(lot.use.units * lot.module.cost_usd_million for lot in plan.lots)
    assert sum(one.usd for one in payments) == pytest.approx(modules)
    rows = cash_by_quarter(plan, power, finish, drawn, earnings, payments)
    assert sum(row["capital_usd"] for row in rows) == pytest.approx(modules + 27e6 * 18.024)
    none = [one for one in payments if one.lot == "halls-1"]
    place = {task.name: number for number, task in enumerate(plan.tasks)}
    assert [(one.task, round(one.usd)) for one in none] == [
        (place["halls-1.design"], 1_140_000),
        (place["halls-1.fat"], 1_520_000),
        (place["halls-1.integrated"], 1_140_000),
    ]


def test_interest_runs_from_a_payment_until_its_lot_is_online(plan, power, drawn, finish, earnings):
    one = [payment for payment in payments_of(plan) if payment.lot == "skids-1"]
    worth = worth_of(plan, power, finish, drawn, earnings, one)
    years = [(finish["skids-1"] - drawn[:, payment.task]) / 365.25 for payment in one]
    by_hand = sum(payment.usd * (1.07**span - 1) for payment, span in zip(one, years, strict=True))
    assert worth.interest_usd == pytest.approx(by_hand)


def test_the_price_of_a_week_is_a_difference_on_the_same_luck(tmp_path, monkeypatch):
    """A whole study: with nothing to pay and no discount, a week brings revenue alone, and earlier dates bring no loss."""
    text = (EXAMPLE / "build.toml").read_text()
    head, _, _ = text.partition("[[promises]]")
    value = "\n[value]\nusd_per_million_tokens = { chat = 2.0, batch = 3.0 }\ndiscount_frac_per_year = 0.0\npayments = {}\nhorizon_years = 3\n"
    (tmp_path / "build.toml").write_text(head + value)
    monkeypatch.setattr(runs, "MOST_PHASES", 3)  # fewer runs
    seen = []
    found = build(
        load(EXAMPLE / "site.toml", ["scenario.days=0.25"]),
        plan=tmp_path / "build.toml",
        draws=400,
        progress=lambda *both: seen.append(both),
    )
    facts = found.as_dict()
    assert seen
    phases = facts["value"]["phases"]
    assert all(one["peak_import_mw"] <= one["import_limit_mw"] + 1e-9 for one in phases)
    assert [one["online_mw"] for one in phases] == sorted(one["online_mw"] for one in phases)
    assert all(0.2 < one["tokenergy_kwh_per_mtok"] < 20 and 1.0 < one["pue"] < 1.5 for one in phases)
    top = phases[-1]
    full = top["revenue_usd_per_day"] - top["energy_usd_per_day"]
    for gain in facts["week_shorter"]:
        most = full * 7.0
        assert gain["npv_usd"] <= most * 1.01, gain
        assert gain["npv_error_usd"] >= 0.0
    first = facts["week_shorter"][0]
    assert first["npv_usd"] > 20 * first["npv_error_usd"] > 0.0
    tokens = facts["useful_tokens_per_day"]
    assert tokens["p50"][-1] == pytest.approx(top["useful_tokens_per_day"])
    assert tokens["p10"][-1] <= tokens["p90"][-1]
    last = found.plan.file.start + timedelta(days=3 * 365.25)
    assert found.all_online.p90 < last


def test_construction_is_followed_with_no_value_asked_for():
    """Every phase of the medians, run: import under the limit, power that never falls, tokens over time from nothing to all."""
    site = load(EXAMPLE / "site.toml", ["scenario.days=0.25"])
    facts = build(site, draws=200, value=False, follow=True).as_dict()
    assert facts["value"] is None
    phases = facts["phases"]
    assert len(phases) >= 5  # the halls and the milestone that lifts the limit
    for one in phases:
        assert one["peak_import_mw"] <= one["import_limit_mw"] + 1e-9
        assert one["online_mw"] <= one["commissioned_mw"] + 1e-9
        assert 1.0 < one["pue"] < 1.5
        assert 0.2 < one["tokenergy_kwh_per_mtok"] < 20
        assert one["availability_frac"] == pytest.approx(1.0)
        assert sum(one["tokens_per_day"].values()) == pytest.approx(one["useful_tokens_per_day"])
        assert 0.0 < one["demand_frac"]["chat"] <= 1.0
    assert [one["date"] for one in phases] == sorted(one["date"] for one in phases)
    online = [one["online_mw"] for one in phases]
    assert online == sorted(online)
    waiting = [one for one in phases if one["off"]]
    assert waiting
    assert all(any(one["off"][0] in line for line in facts["told"]) for one in waiting)
    tokens = facts["useful_tokens_per_day"]
    assert tokens["p90"][0] == 0.0
    assert tokens["p10"][-1] == pytest.approx(phases[-1]["useful_tokens_per_day"])


def test_both_plans_are_worth_what_each_is_alone(tmp_path, monkeypatch):
    """The other plan, studied alone on the same seed, has the value that it has beside this one."""
    monkeypatch.setattr(runs, "MOST_PHASES", 2)
    site = load(EXAMPLE / "site.toml", ["scenario.days=0.25"])
    other = tmp_path / "late.toml"
    text = (EXAMPLE / "build.toml").read_text().replace("start = 2026-01-05", "start = 2026-02-02")
    other.write_text(text.replace("discount_frac_per_year = 0.10", "discount_frac_per_year = 0.08"))
    found = build(site, draws=200, against=other)
    alone = build(site, plan=other, draws=200)
    beside = found.as_dict()["against"]["value"]
    assert beside["npv_usd"] == pytest.approx(alone.value["npv_usd"])
    assert beside["own_npv_usd"] == found.value["npv_usd"]
    assert beside["npv_less_usd"] == pytest.approx(
        found.value["npv_usd"]["mean"] - alone.value["npv_usd"]["mean"]
    )
    assert beside["useful_tokens"] == pytest.approx(alone.value["useful_tokens"])
    assert any("starts on 2026-02-02" in line for line in found.told)
    assert any("differs in discount_frac_per_year" in line for line in found.told)


def test_tokens_up_to_the_horizon_are_those_of_a_sum_over_quarter_days(power, finish, earnings):
    rated = [replace(one, useful_tokens_per_day=1e9 * one.online_mw) for one in earnings]
    tokens = tokens_of(power, finish, rated, 1200.0)
    times = np.arange(0.0, 1200.0, 0.25) + 0.125
    for k in range(3):
        sums = [
            power.online_mw({name: one[k : k + 1] for name, one in finish.items()}, time)[0] for time in times
        ]
        assert tokens[k] == pytest.approx(1e9 * sum(sums) / 4, rel=2e-3)


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        (("chat = 2.00, ", ""), [], "value.usd_per_million_tokens.chat: has no price for its tokens"),
        (("chat = 2.00,", "chat = 2.00, chta = 1.0,"), [], "is no service or job of the site"),
        (
            ("{ design = 0.3, fat = 0.4 }", "{ design = 0.7, fat = 0.4 }"),
            [],
            "payments add up to more than 1",
        ),
        (("horizon_years = 8", "horizon_years = 40"), [], "less than or equal to 19"),
    ],
)
def test_what_a_value_lacks_is_named(tmp_path, change, settings, words):
    text = (EXAMPLE / "build.toml").read_text()
    assert change[0] in text
    (tmp_path / "build.toml").write_text(text.replace(*change))
    with pytest.raises(InputError) as caught:
        build(load(EXAMPLE / "site.toml", settings), plan=tmp_path / "build.toml", draws=100)
    assert words in str(caught.value)


def test_a_site_without_a_price_of_energy_has_no_value(tmp_path):
    text = (EXAMPLE / "site.toml").read_text()
    (tmp_path / "site.toml").write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("tariff"))
    )
    (tmp_path / "build.toml").write_text((EXAMPLE / "build.toml").read_text())
    with pytest.raises(InputError, match="has no price of energy"):
        build(tmp_path / "site.toml", draws=100)
    assert build(tmp_path / "site.toml", draws=100, value=False).value is None
