"""Distributions of small networks against their closed forms."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from networks import CALENDARS, START, TABLES, made, task, works
from scipy import stats

from aidc.design.construction.calendars import finish_of, next_working
from aidc.design.construction.draws import draw
from aidc.design.construction.durations import failure_limits, mean_days, quantiles_of, remaining
from aidc.schema.module import Work

DRAWS = 40_000
POINTS = [(2.0, 5.0, 14.0), (10.0, 10.0, 40.0), (0.0, 6.0, 6.0), (3.0, 4.0, 5.0)]  # least, likely, most


def pert(a, m, b):
    """The distribution by SciPy, from the parameters as they are published."""
    return stats.beta(1 + 4 * (m - a) / (b - a), 1 + 4 * (b - m) / (b - a), loc=a, scale=b - a)


def standard_error(variance) -> float:
    return 4.5 * np.sqrt(variance / DRAWS)  # of a mean: seven in a million beyond


def test_tasks_in_series_have_the_mean_and_variance_of_their_sums():
    chain = [task(f"t{k}", days, (f"t{k - 1}",) if k else ()) for k, days in enumerate(POINTS)]
    total = draw(made(chain), DRAWS, 3).finish[:, -1].astype(float)
    means = [(a + 4 * m + b) / 6 for a, m, b in POINTS]
    variance = sum((mu - a) * (b - mu) / 7 for mu, (a, _, b) in zip(means, POINTS, strict=True))
    assert total.mean() == pytest.approx(sum(means), abs=standard_error(variance))
    assert total.var() == pytest.approx(variance, rel=4.5 * np.sqrt(2.5 / DRAWS))


def test_parallel_paths_have_the_product_of_their_distributions():
    tasks = [task(f"t{k}", days) for k, days in enumerate(POINTS)]
    latest = np.sort(draw(made(tasks), DRAWS, 4).finish.max(axis=1))
    exact = np.prod([pert(*days).cdf(latest) for days in POINTS], axis=0)
    drawn = (np.arange(DRAWS) + 0.5) / DRAWS
    assert np.abs(exact - drawn).max() < 1.95 / np.sqrt(DRAWS)  # Kolmogorov-Smirnov at one in a thousand


@pytest.mark.parametrize("days", POINTS)
def test_every_quantile_of_a_duration_is_that_of_the_beta(days):
    luck = np.linspace(-4, 4, 801)
    known = quantiles_of(Work(days=days))
    tabulated = known.least_d + known.span_d * np.interp(luck, np.linspace(-5, 5, 513), known.share)
    assert tabulated == pytest.approx(pert(*days).ppf(stats.norm.cdf(luck)), abs=2e-3 * (days[2] - days[0]))


def test_full_correlation_is_comonotone_and_none_is_independence():
    tasks = [task(f"t{k}", days, (f"t{k - 1}",) if k else (), factor="one") for k, days in enumerate(POINTS)]
    ordered = np.sort(draw(made(tasks, correlation={"one": 1.0}), DRAWS, 5).finish[:, -1])
    chance = (np.arange(DRAWS) + 0.5) / DRAWS
    together = np.sum([pert(*days).ppf(chance) for days in POINTS], axis=0)
    inner = slice(DRAWS // 50, -DRAWS // 50)
    assert ordered[inner] == pytest.approx(together[inner], rel=0.02)
    free = draw(made(tasks, correlation={"one": 0.0}), DRAWS, 5).finish
    none = draw(
        made([task(f"t{k}", days, (f"t{k - 1}",) if k else ()) for k, days in enumerate(POINTS)]), DRAWS, 5
    ).finish
    spans = np.diff(np.concatenate([np.zeros((DRAWS, 1)), free], axis=1), axis=1)
    assert np.abs(np.corrcoef(spans.T) - np.eye(4)).max() < 4.5 / np.sqrt(DRAWS)
    assert free[:, -1].std() == pytest.approx(none[:, -1].std(), rel=4.5 * np.sqrt(1.0 / DRAWS))


def test_half_correlation_lies_where_the_normal_copula_has_it():
    """Spearman's rank correlation of a normal copula is 6/pi asin(rho/2) (Kruskal 1958)."""
    tasks = [task("a", POINTS[0], factor="one"), task("b", POINTS[1], factor="one")]
    finish = draw(made(tasks, correlation={"one": 0.5}), DRAWS, 6).finish
    assert stats.spearmanr(finish).statistic == pytest.approx(
        6 / np.pi * np.arcsin(0.25), abs=4.5 / np.sqrt(DRAWS)
    )


def test_failed_tests_are_repeated_as_often_as_a_geometric_law_says():
    chance, days, rework = 0.3, 4.0, 2.0
    tasks = [task("test", days, fail_frac=chance, rework_days=rework)]
    finish = draw(made(tasks), DRAWS, 7).finish[:, 0]
    failures = (finish - days) / (days + rework)
    assert failures == pytest.approx(np.round(failures), abs=1e-4)
    for count in range(4):
        share = np.mean(np.round(failures) == count)
        exact = (1 - chance) * chance**count
        assert share == pytest.approx(exact, abs=standard_error(exact * (1 - exact)))
    expected = days + chance / (1 - chance) * (days + rework)
    assert mean_days(tasks[0].work) == pytest.approx(expected, rel=1e-3)
    assert np.all(np.isneginf(failure_limits(0.0)))


def test_observed_durations_come_back_as_they_were_observed():
    samples = (3.0, 8.0, 8.5, 21.0, 30.0)
    finish = draw(made([task("seen", None, samples=samples)]), DRAWS, 8).finish[:, 0]
    assert np.quantile(finish, [0.25, 0.5, 0.75]) == pytest.approx([8.0, 8.5, 21.0], abs=0.15)
    assert finish.min() >= 3.0
    assert finish.max() <= 30.0


def test_what_is_left_of_work_under_way_is_the_law_given_that_it_lasts():
    days, elapsed = POINTS[0], 6.0
    left = remaining(quantiles_of(Work(days=days)), elapsed)
    luck = np.linspace(-3, 3, 61)
    drawn = left.least_d + left.span_d * np.interp(luck, np.linspace(-5, 5, 513), left.share)
    law = pert(*days)
    chance = law.cdf(elapsed) + (1 - law.cdf(elapsed)) * stats.norm.cdf(luck)
    assert drawn == pytest.approx(law.ppf(chance) - elapsed, abs=0.02)
    assert remaining(quantiles_of(Work(days=days)), 20.0).span_d == 0.0


@pytest.mark.parametrize("calendar", ["every-day", *CALENDARS])
def test_calendars_move_dates_exactly(calendar):
    row = TABLES.names.index(calendar)
    open_days = works(calendar)
    for begin in range(60):
        moved = next_working(TABLES.count, TABLES.day_of, row, begin + 0.25)
        day = begin
        while not open_days[day]:
            day += 1
        assert moved == (begin + 0.25 if day == begin else day)
        for length in (1, 2, 7, 30):
            if open_days[begin]:
                left, last = length, begin - 1
                while left:
                    last += 1
                    left -= open_days[last]
                assert finish_of(TABLES.count, TABLES.day_of, row, float(begin), float(length)) == last + 1


def test_a_date_of_the_calendar_is_the_one_on_the_wall():
    """Ten working days from Monday 5 January 2026 end on Friday 16 January."""
    finish = draw(made([task("ten", 10.0, calendar="weekdays")]), 1, 0).finish[0, 0]
    assert (START + timedelta(days=float(finish) - 1)).isoformat() == "2026-01-16"


def test_federal_holidays_are_those_of_the_law():
    from aidc.design.construction.calendars import workdays
    from aidc.schema.construction import Calendar

    works_2026 = workdays(Calendar(observes="us-federal"), START, 361)
    off = [
        (START + timedelta(days=k)).isoformat()
        for k in range(361)
        if not works_2026[k] and (START + timedelta(days=k)).weekday() < 5
    ]
    # Office of Personnel Management, federal holidays of 2026 (from 5 January on)
    assert off == [
        "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07", "2026-10-12", "2026-11-11",
        "2026-11-26", "2026-12-25",
    ]  # fmt: skip
