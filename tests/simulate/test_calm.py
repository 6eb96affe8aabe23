"""A site in fair weather takes the short way of the engine, whatever hangs in its lineups."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from aidc.simulate import Twin, compile_site
from aidc.simulate.energy.fields import BusNow
from aidc.site import load

STARTER = files("aidc.site").joinpath("starter.toml")


@pytest.mark.parametrize(
    "settings", [[], ["cooling.warm.drives.on_ups=false", "cooling.hall.drives.on_ups=false"]]
)
def test_lineups_with_full_batteries_come_to_rest(settings: list[str]) -> None:
    """The front ends' batteries are full from the start and nothing discharges them: no lineup is looked at closely."""
    twin = Twin(compile_site(load(str(STARTER), ["scenario.days=0.1", *settings])))
    twin.advance(twin.compiled.steps_per_row)
    assert np.all(twin._scratch.plain == 1.0)
    assert twin._scratch.bus[0, BusNow.MOVING] == 0.0
    assert twin.state.calm[0] == 1.0
