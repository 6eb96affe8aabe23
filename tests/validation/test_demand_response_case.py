"""The measured demand-response event: its bars, what is no input, and other events in the same form."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.validation.case import Case
from aidc.validation.cluster_files import read_power, read_sweeps
from aidc.validation.demand_events import job_list, ramped, read_asked
from aidc.validation.demand_response import cases, least_power_w

HEAD = "power_file,start,end,requested_reduction_frac,observed_plateau_w,note"
FILES = ("dvfs_sweep.csv", "SRP_total_power.csv", "SRP_exp_performance.csv", "events.csv")


@pytest.fixture(scope="module")
def measured(aidc_data: Path) -> list[Case]:
    return list(cases(aidc_data))


@pytest.fixture
def folder(aidc_data: Path, tmp_path: Path) -> Path:
    there = tmp_path / "emerald_2025"
    there.mkdir()
    for name in FILES:
        shutil.copy(aidc_data / "emerald_2025" / name, there)
    return there


def events(folder: Path, *rows: str) -> None:
    (folder / "events.csv").write_text("\n".join([HEAD, *rows]) + "\n")


def bars(found: list[Case]) -> dict[str, Case]:
    return {case.metric: case for case in found if case.kind == "bar"}


def test_the_bars_of_the_event_are_met(measured: list[Case]) -> None:
    found = bars(measured)
    assert len(found) == 3
    assert all(case.passed for case in found.values()), {key: case.value for key, case in found.items()}


def test_what_the_cluster_did_stands_beside_what_the_twin_could(measured: list[Case]) -> None:
    plateau = next(case for case in measured if case.metric.startswith("plateau"))
    asked, least, most = (row.predicted for row in plateau.rows)
    assert least is not None
    assert asked is not None
    assert most is not None
    assert plateau.rows[0].measured == pytest.approx(64.0, abs=0.5)
    assert least < 64.0 < asked < most
    assert "asked" in plateau.note
    weighted = next(case for case in measured if case.metric == "weighted performance")
    assert weighted.rows[0].measured == pytest.approx(0.9096, abs=1e-4)


def test_the_least_power_is_that_of_each_tier_s_full_slowdown(aidc_data: Path) -> None:
    """By hand from the sweep: 48.8 kW (reference figure for this event, 0.5 kW of rounding)."""
    there = aidc_data / "emerald_2025"
    jobs = job_list(there, read_asked(there / "events.csv")[0], read_sweeps(there))
    assert not isinstance(jobs, str)
    assert least_power_w(jobs) == pytest.approx(48_800, abs=500)


def test_later_samples_and_measured_performances_are_no_inputs(folder: Path, measured: list[Case]) -> None:
    """With everything spoilt that came after the event began, the twin does the same."""
    lines = (folder / "SRP_total_power.csv").read_text().splitlines()
    spoilt = [
        line if line < "2025-05-04 16:10" or line == lines[0] else f"{line.split(',')[0]},50000"
        for line in lines
    ]
    (folder / "SRP_total_power.csv").write_text("\n".join(spoilt) + "\n")
    text = (folder / "SRP_exp_performance.csv").read_text()
    (folder / "SRP_exp_performance.csv").write_text(text.replace("0.66", "0.11").replace("0.97", "0.22"))
    text = (folder / "events.csv").read_text()
    (folder / "events.csv").write_text(text.replace("64700", "1"))
    for case, other in zip(measured, cases(folder.parent), strict=True):
        mine = [
            row.predicted
            for row in case.rows
            if "published" not in row.item and not row.item.startswith("back")
        ]
        theirs = [
            row.predicted for row in other.rows if "published" not in row.item and "back" not in row.item
        ]
        assert mine == pytest.approx(theirs), case.metric


def test_an_event_of_two_steps_is_followed_step_by_step(folder: Path) -> None:
    """Each level is kept; the first is undercut by 2.3 %, which misses the bar of 1 % on the safe side."""
    events(
        folder,
        "SRP_total_power.csv,2025-05-04T16:10:00-07:00,2025-05-04T17:00:00-07:00,0.15,,",
        "SRP_total_power.csv,2025-05-04T17:00:00-07:00,2025-05-04T18:00:00-07:00,0.25,,",
    )
    found = bars(list(cases(folder.parent)))
    held = found["the twin against its own target, worst step"]
    assert len(held.rows) == 2
    for row in held.rows:
        assert 0.97 * row.measured < row.predicted < 1.005 * row.measured


def test_without_a_job_list_it_says_what_is_missing(folder: Path) -> None:
    (folder / "SRP_exp_performance.csv").unlink()
    (case,) = cases(folder.parent)
    assert case.value is None
    assert "SRP_exp_performance.csv" in (case.rows[0].reason or "")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            "SRP_total_power.csv,2025-05-04T14:45:00-07:00,2025-05-04T16:00:00-07:00,0.25,,",
            "less than 10 min",
        ),
        (
            "SRP_total_power.csv,2025-05-04T16:10:00-07:00,2025-05-05T16:00:00-07:00,0.25,,",
            "before the event does",
        ),
    ],
)
def test_an_event_that_the_record_cannot_show_is_not_predicted(folder: Path, row: str, text: str) -> None:
    events(folder, row)
    (case,) = cases(folder.parent)
    assert case.value is None
    assert text in (case.rows[0].reason or "")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            ["SRP_total_power.csv,2025-05-04T16:10:00-07:00,2025-05-04T16:00:00-07:00,0.25,,"],
            "ends before it begins",
        ),
        (["SRP_total_power.csv,2025-05-04T16:10:00-07:00,2025-05-04T17:00:00-07:00,0,,"], "asks for nothing"),
        (
            ["SRP_total_power.csv,2025-05-04T16:10:00-07:00,2025-05-04T17:00:00-07:00,25,,"],
            "requested_reduction_frac",
        ),
        (["SRP_total_power.csv,16:10,17:00,0.25,,"], "offset from UTC"),
        (["none.csv,2025-05-04T16:10:00-07:00,2025-05-04T17:00:00-07:00,0.2,,"], "none.csv"),
        (
            [
                "SRP_total_power.csv,2025-05-04T16:10:00-07:00,2025-05-04T17:00:00-07:00,0.2,,",
                "SRP_total_power.csv,2025-05-04T16:50:00-07:00,2025-05-04T18:00:00-07:00,0.3,,",
            ],
            "overlap",
        ),
    ],
)
def test_events_that_cannot_be_are_refused_in_words(folder: Path, rows: list[str], text: str) -> None:
    events(folder, *rows)
    with pytest.raises(InputError) as caught:
        cases(folder.parent)
    assert text in str(caught.value)


def test_a_job_without_a_tier_is_refused(folder: Path) -> None:
    path = folder / "SRP_exp_performance.csv"
    path.write_text(path.read_text().replace("Flex 1", "Flex 7"))
    with pytest.raises(InputError, match="Flex 0 to Flex 3"):
        cases(folder.parent)


def test_the_ramp_reaches_every_level_and_comes_back(aidc_data: Path) -> None:
    there = aidc_data / "emerald_2025"
    asked = read_asked(there / "events.csv")[0]
    end_s = float(read_power(there / asked.power_file).times_s[-1])
    shares = [one["reduce_frac"] for one in ramped(asked, end_s, 0.1)]
    assert shares == pytest.approx([0.1, 0.2, 0.25, 0.15, 0.05])
    assert np.all(np.abs(np.diff([0.0, *shares, 0.0])) <= 0.1 + 1e-9)
