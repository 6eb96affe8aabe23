"""The canonical site of the design runs as it stands, and answers its grid request."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture(scope="module")
def canonical(aidc_data):
    """The page beside the measured data; it is not part of the checkout."""
    path = aidc_data.parent / "canonical-site.toml"
    if not path.is_file():
        pytest.skip(f"needs the canonical site ({path})")
    return path


def ran(path, folder, *settings):
    command = [sys.executable, "-m", "aidc.cli", "run", str(path), "--out", str(folder), "--json", *settings]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=pytest.fail)


def test_the_canonical_site_runs_as_it_stands(canonical, tmp_path) -> None:
    summary = ran(canonical, tmp_path / "day", "--days", "0.5")
    assert summary["name"] == "campus-100mw"
    assert summary["window"]["start"] == "2025-07-07T00:00:00Z"
    assert summary["window"]["steps"] == 43_200
    assert summary["energy_mwh"]["closure_residual_frac"] < 1e-9
    assert summary["heat_mwh"]["closure_residual_frac"] < 1e-9
    assert 0 < summary["peak_import_mw"] <= 100
    assert summary["tokens"]["useful"] > 0
    assert summary["jobs"]["pretrain"]["tokens"] > 0
    assert 1.0 < summary["pue"] < 1.4


def test_its_grid_request_is_answered(canonical, tmp_path) -> None:
    import polars as pl

    start = "--set=scenario.start=2025-07-09T18:00:00Z"
    ran(canonical, tmp_path / "event", start, "--days", "0.3")
    series = pl.read_parquet(tmp_path / "event" / "series.parquet").select("time", "grid_import_w")
    drawn = series["grid_import_w"].to_numpy()
    before = drawn[120:170].mean()  # the hour up to the notice at 20:50
    held = drawn[183:360]
    assert held.mean() <= 0.72 * before
    assert np.quantile(held, 0.98) <= 0.75 * before  # photovoltaics fall in steps of an hour
    assert held.max() <= 0.85 * before
    assert drawn[375:].min() > 0.75 * before
