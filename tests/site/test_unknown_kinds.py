"""No kind falls silently to the behaviour of another: what a law does not know ends in an error."""

from pathlib import Path

import pytest

from aidc.errors import InputError
from aidc.plant.storage import rule_thresholds_w
from aidc.scenario.weather import load_weather
from aidc.schema.base import Shape
from aidc.schema.storage import PeakShaving, Reserve, SelfConsumption, Smoothing
from aidc.site import site_of

BODY = {
    "schema": 1,
    "site": {"name": "kinds", "location": {"latitude_deg": 36.1, "longitude_deg": -79.95}},
    "grid": {"import_limit_mw": 10},
    "chains": {"no-ups": {"use": "frontier"}, "ups": {"use": "415vac-double-conversion"}},
    "cooling": {"hall": {"use": "chiller-economiser", "supply_temp_c": 20}},
    "pods": {
        "a": {"use": "dgx-h100", "racks": 2, "chain": "no-ups", "cooling": "hall"},
        "b": {"use": "dgx-h100", "racks": 2, "chain": "ups", "cooling": "hall"},
    },
    "scenario": {
        "start": "2025-07-07T12:00:00Z",
        "days": 0.1,
        "weather": {"use": "constant", "dry_bulb_c": 20},
    },
}


class Strange(Shape):
    """A rule and a source of weather that nobody knows."""


def test_an_unknown_storage_rule_has_no_thresholds():
    with pytest.raises(AssertionError):
        rule_thresholds_w(Strange(), 1e6)


def test_rules_by_what_they_do():
    rules = (SelfConsumption(), PeakShaving(), Reserve(), Smoothing(window_min=2))
    assert [rule.stays_full for rule in rules] == [False, False, True, False]
    assert [rule.smoothing_s for rule in rules] == [0.0, 0.0, 0.0, 120.0]


def test_an_unknown_source_is_no_typical_year():
    with pytest.raises(AssertionError):
        load_weather(Strange(), start=None, end=None, base_dir=Path(), elevation_m=0.0)


def test_a_battery_of_a_ups_needs_one():
    """On a chain without a UPS it would have become a battery of the rack."""
    battery = {"use": "ups-battery-string", "power_mw": 0.1, "energy_mwh": 0.05}
    with pytest.raises(InputError, match="no stage of the chain 'no-ups' is one"):
        site_of({**BODY, "storage": {"ups": battery}}, Path("site.toml"))
    site = site_of({**BODY, "storage": {"ups": {**battery, "at": ["ups"]}}}, Path("site.toml"))
    assert site.storage["ups"].node == "ups"
