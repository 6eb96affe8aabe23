"""Every kind of clause has somebody who judges it, and says of itself what the check asks of all kinds."""

from typing import get_args

from aidc.measure.grid.meter import _METERS
from aidc.schema.code import Clause, FrequencyService, Uncaptured

KINDS = get_args(get_args(Clause)[0])


def test_each_kind_is_judged_once():
    """By a meter of normal operation, by disturbances, or by cases of its own; one without figures by nobody."""
    for kind in KINDS:
        judges = [kind in _METERS, kind.by_faults, kind in {FrequencyService, Uncaptured}]
        assert sum(judges) == 1, kind.__name__


def test_only_meters_see_swings():
    assert {kind.__name__ for kind in KINDS if kind.swings} == {"Oscillation", "Ramp"}
    assert all(kind in _METERS for kind in KINDS if kind.swings)
