"""A tank runs empty: told when it does, and nothing is burnt after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aidc.study.site_run.run import run

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"
TANK_MWH = 2.0


def test_the_event_stands_where_the_burnt_fuel_reaches_the_tank(tmp_path) -> None:
    """An island on one tank: the fuel of the record, added up minute by minute, says when it is empty."""
    made = run(
        STARTER,
        out=tmp_path / "island",
        settings=[
            "scenario.days=0.1",
            "grid.import_limit_mw=0",
            "storage={}",
            f'gensets={{g={{use="gas-engine",power_mw=4,fuel_mwh={TANK_MWH}}}}}',
        ],
    )
    burnt_mwh = np.cumsum(made.series["genset.g.fuel_w"].to_numpy()) * 60 / 3.6e9
    assert burnt_mwh[-1] == pytest.approx(TANK_MWH, rel=1e-2)
    empty = int(np.argmax(burnt_mwh >= burnt_mwh[-1] * (1 - 1e-9)))
    told = made.events.filter(made.events["kind"] == "fuel-empty")
    assert told["subject"].to_list() == ["gensets.g"]
    after_s = (told["time"][0] - made.series["time"][0]).total_seconds()
    assert abs(after_s - 60 * (empty + 1)) <= 60
    assert made.summary["gensets"]["g"]["fuel_left_mwh"] == pytest.approx(0.0, abs=0.01 * TANK_MWH)
    assert made.series["it_w"].to_numpy()[empty + 20 :].max() < made.series["it_w"].to_numpy()[:empty].min()
