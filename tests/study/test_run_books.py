"""Figures come from the books of a run: its output step and the cuts of a controller change none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from books_cases import differences

from aidc.clock import Clock
from aidc.schema.market import Tariff
from aidc.simulate.compiling.books import book_steps
from aidc.simulate.compiling.compiled import Market
from aidc.study.site_run.run import run

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"


@pytest.mark.parametrize("seed", range(12))
def test_no_figure_depends_on_the_output_step(seed: int) -> None:
    assert differences(seed, controlled=seed % 2 == 1) == []


def test_the_end_of_a_run_that_fills_no_output_step_is_kept(tmp_path) -> None:
    """432 s in rows of 300 s: energy of the whole is that in rows of 1 s."""
    fine, coarse = (
        run(
            STARTER,
            out=tmp_path / str(step),
            settings=["scenario.days=0.005", f"scenario.output_step_s={step}"],
        )
        for step in (1, 300)
    )
    assert coarse.series.height == 2
    assert fine.series.height == 432
    lengths = np.array([300.0, 132.0])
    energy_j = float(coarse.series["grid_import_w"].to_numpy() @ lengths)
    assert energy_j == pytest.approx(float(fine.series["grid_import_w"].sum()), rel=1e-12)
    assert fine.summary["energy_mwh"] == pytest.approx(coarse.summary["energy_mwh"], rel=1e-9, abs=1e-12)


SITE = """
schema = 1
site = {{ name = "swing", location = {{ latitude_deg = 36.1, longitude_deg = -79.95 }} }}
grid = {{ import_limit_mw = 2 }}
chains = {{ ac = {{ use = "415vac-eco" }} }}
cooling = {{ dry = {{ use = "dry-cooler", supply_temp_c = 39, cdu = "deschutes-2mw" }} }}
pods = {{ a = {{ use = "8xb200-liquid", racks = 10, chain = "ac", cooling = "dry" }} }}
replays = {{ r = {{ pods = ["a"], demand = {{ use = "power-replay", file = "p.csv", columns = ["a_w"] }} }} }}
storage = {{ s = {{ use = "lfp-site", power_mw = 0.5, energy_mwh = 0.1, rule = {{ use = "{rule}", {more} }} }} }}
scenario = {{ start = 2025-07-07T00:00:00Z, days = 0.25, weather = {{ use = "constant", dry_bulb_c = 10, relative_humidity_percent = 50 }} }}
"""


def test_cycles_within_a_minute_are_counted(tmp_path) -> None:
    """A load that swings every 10 s: full cycles are the power through the cells in each second, halved, over capacity."""
    (tmp_path / "p.csv").write_text(
        "t_s,a_w\n" + "\n".join(f"{5 * k},{(200e3, 700e3)[k % 2]}" for k in range(4321))
    )
    body = SITE.format(rule="smoothing", more="window_min = 0.5")
    (tmp_path / "site.toml").write_text(body)
    made = {
        step: run(
            tmp_path / "site.toml", out=tmp_path / str(step), settings=[f"scenario.output_step_s={step}"]
        )
        for step in (1, 60)
    }
    soc = made[1].series["storage.s.soc_frac"].to_numpy()
    first = float(made[1].meta["storage"]["s"]["first_soc_frac"])
    moved = float(np.abs(np.diff(soc, prepend=first)).sum())
    assert moved > 1.0
    for one in made.values():
        assert one.summary["storage"]["s"]["equivalent_full_cycles"] == pytest.approx(moved / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("period_s", "shift_s", "step_s", "minutes", "wanted_s"),
    [
        (3600, 0, 1, 15, 60),  # nothing changes within a minute
        (300, 30, 1, 15, 30),  # prices change at half a minute
        (300, 20, 1, 15, 20),
        (300, 0, 7, 15, 56),  # no span of 7 s steps divides a quarter of an hour: the longest, and a doubt
        (40, 0, 1, 5, 20),  # 40 s does not divide five minutes
        (300, 0, 90, 15, 90),  # one step at least
    ],
)
def test_a_row_of_the_books_meets_one_price(period_s, shift_s, step_s, minutes, wanted_s) -> None:
    """The longest span up to a minute that divides steps, prices and demand intervals, by hand."""
    from datetime import UTC, datetime, timedelta
    from fractions import Fraction

    from aidc.scenario.series import Series

    start = datetime(2025, 7, 7, tzinfo=UTC)
    count = 7200 // period_s + 2
    prices = Series(
        start + timedelta(seconds=shift_s - period_s),
        Fraction(period_s),
        np.arange(float(count)),
        hold="mean",
    )
    clock = Clock(start, Fraction(step_s), 3600 // step_s)
    market = Market(prices, prices)
    assert book_steps(clock, market, Tariff(demand_interval_min=minutes), "UTC") * step_s == wanted_s
