"""Energy is billed at the price of its time, whatever the spacing of the record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aidc.study.site_run.run import run

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"
PRICES = (10.0, 10.0, 1000.0)  # USD/MWh, five minutes each
CARBON = (100.0, 700.0, 400.0)  # kg/MWh


def figures(folder: Path, output_step_s: int, step_s: int = 1):
    """Energy cost and carbon of four hours whose price and carbon change every five minutes."""
    folder.mkdir()
    rows = [
        f"{np.datetime64('2025-07-07T00:00') + np.timedelta64(5 * k, 'm')}:00Z,{PRICES[k % 3]},{CARBON[k % 3]}"
        for k in range(12 * 48)
    ]
    (folder / "p.csv").write_text("\n".join(["time_utc,usd,kg", *rows]))
    (folder / "site.toml").write_text(
        STARTER.read_text()
        .replace("days = 2", f"days = 0.125\noutput_step_s = {output_step_s}\nstep_s = {step_s}")
        .replace('tariff = { use = "tou-demand" }', 'prices = { file = "p.csv", price_column = "usd" }')
        .replace('carbon = { use = "us-average-2023" }', 'carbon = { file = "p.csv", average_column = "kg" }')
    )
    lines: list[str] = []
    return run(folder / "site.toml", out=folder / "run", tell=lines.extend), lines


def test_the_bill_does_not_hang_on_the_output_step(tmp_path) -> None:
    """Against the integral by 300 s rows: energy of each row times the price that the file gives for it."""
    fine, _ = figures(tmp_path / "fine", 300)
    coarse, lines = figures(tmp_path / "coarse", 900)
    energy_mwh = fine.series["grid_import_w"].to_numpy() * 300 / 3.6e9
    price = np.resize(PRICES, energy_mwh.size)
    carbon = np.resize(CARBON, energy_mwh.size)
    for made in (fine, coarse):
        site = made.summary
        assert site["cost_usd"]["energy"] == pytest.approx(float(energy_mwh @ price), rel=1e-9)
        assert site["carbon_kg"] == pytest.approx(float(energy_mwh @ carbon), rel=1e-9)
        assert "doubt" not in made.events["kind"].to_list()
    assert not any("prices" in line for line in lines)


def test_a_step_that_meets_two_prices_is_told(tmp_path) -> None:
    """Steps of 90 s and prices of five minutes: no row is exact, and the run says so before it begins."""
    made, lines = figures(tmp_path / "odd", 900, step_s=90)
    told = made.events.filter(made.events["kind"] == "doubt")
    assert {"prices", "carbon"} <= set(told["subject"].to_list())
    assert any(line.startswith("prices: change within a row of the books of 90 s") for line in lines)
