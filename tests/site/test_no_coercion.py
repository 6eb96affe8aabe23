"""What is written is what is meant: nothing is taken for a number, a truth value or a time that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidc.errors import InputError
from aidc.site import load

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("grid.import_limit_mw=true", "grid.import_limit_mw"),
        ('grid.import_limit_mw="2.5"', "grid.import_limit_mw"),
        ('pods.llm.racks="6"', "pods.llm.racks"),
        ("pods.llm.racks=true", "pods.llm.racks"),
        ("pods.llm.racks=6.0", "pods.llm.racks"),
        ("scenario.start=1751868000", "scenario.start"),
        ('scenario.start="1751868000"', "scenario.start"),
        ("scenario.start=1751868000.5", "scenario.start"),
        ("scenario.start=06:00:00", "scenario.start"),
        ("services.chat.flex_tier=true", "services.chat.flex_tier"),
        ("services.chat.flex_tier=1.0", "services.chat.flex_tier"),
        ("grid.frequency_hz=60.0", "grid.frequency_hz"),
        ("schema=true", "schema"),
        ("renewables.roof.tilt_deg=false", "renewables.roof.tilt_deg"),
        ("storage.yard.rule.target_mw=true", "storage.yard.rule.target_mw"),
        ('scenario.seed="3"', "scenario.seed"),
        ("jobs.finetune.start=2025", "jobs.finetune.start"),
    ],
)
def test_what_is_another_kind_of_value_is_refused(setting: str, key: str) -> None:
    with pytest.raises(InputError) as refused:
        load(STARTER, [setting])
    assert [problem.key for problem in refused.value.problems] == [key], str(refused.value)


@pytest.mark.parametrize(
    "setting",
    [
        "grid.import_limit_mw=3",
        "scenario.start=2025-07-07T04:00:00Z",
        'scenario.start="2025-07-07T04:00:00Z"',
        "services.chat.flex_tier=1",
    ],
)
def test_what_is_meant_is_taken(setting: str) -> None:
    load(STARTER, [setting])


@pytest.mark.parametrize(
    "zone",
    [
        "localtime",
        "Factory",
        "posix/UTC",
        "right/UTC",
        "posixrules",
        "",
        "../UTC",
        "U\0C",
        "/etc/localtime",
        "utc ",
    ],
)
def test_a_zone_that_only_some_libraries_know_is_refused_at_once(zone: str, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    shown = zone.replace("\0", "\\u0000")
    path.write_text(STARTER.read_text().replace("America/New_York", shown))
    with pytest.raises(InputError, match=r"site\.location\.timezone"):
        load(path)


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+5", "EST5EDT", "US/Eastern"]
)
def test_zones_that_all_know_are_taken(zone: str) -> None:
    assert load(STARTER, [f"site.location.timezone={zone}"]).site.location.timezone == zone
