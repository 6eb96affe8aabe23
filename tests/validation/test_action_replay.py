"""The replayed grid event: its bars, records of another event in the same form, and files that cannot serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.validation.action_replay import cases, read_actions, replayed_w
from aidc.validation.cluster_files import read_power, read_sweeps, workload_of

JOBS = ("pt_mpt_7b_fast-x", "infer_llama_8b-y")


@pytest.fixture
def other(aidc_data: Path, tmp_path: Path) -> Path:
    """A record of forty minutes: one job halves its width twice, the other works on."""
    folder = tmp_path / "emerald_2025"
    folder.mkdir()
    shutil.copy(aidc_data / "emerald_2025" / "dvfs_sweep.csv", folder)
    first = [f"2025-06-01T10:00:00+00:00,{job},running,32" for job in JOBS]
    steps = [
        f"2025-06-01T10:{minute}:00+00:00,{JOBS[0]},{what},{width}"
        for minute, what, width in ((10, "stop", 0), (11, "start", 16), (20, "stop", 0), (20, "start", 8))
    ]
    (folder / "NEW_actions.csv").write_text("\n".join(["timestamp,job,action,gpus", *first, *steps]) + "\n")
    rows = [f"2025-06-01T10:{minute:02d}:00+00:00,100,200" for minute in range(40)]
    (folder / "NEW_job_power.csv").write_text("\n".join([f"timestamp,{JOBS[0]}_w,{JOBS[1]}_w", *rows]) + "\n")
    return folder


def test_the_event_of_1_may_is_replayed_within_its_bars(aidc_data: Path) -> None:
    steady, total = cases(aidc_data)
    assert steady.passed, steady.value
    assert total.passed, total.value
    assert len(steady.rows) == 14
    assert "read off the measured power" in steady.note


def test_a_job_draws_what_its_sweep_says_at_each_width(other: Path) -> None:
    """Power follows the actions, not the record: what it is held against is made up here."""
    power = read_power(other / "NEW_job_power.csv")
    drawn_w = replayed_w(read_actions(other / "NEW_actions.csv"), power)
    sweep = read_sweeps(other)["pt_mpt_7b_fast"].shape.power_w[-1]
    assert drawn_w[0, :10] == pytest.approx(32 * sweep, rel=1e-3)
    assert drawn_w[0, 17:20] == pytest.approx(16 * sweep, rel=1e-3)
    assert drawn_w[0, 27:30] == pytest.approx(8 * sweep, rel=1e-3)
    assert np.all(drawn_w[0, 12:15] < 0.5 * 16 * sweep)  # it starts
    assert drawn_w[1, :20] == pytest.approx(
        32 * read_sweeps(other)["infer_llama_8b"].shape.power_w[-1], rel=1e-3
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "text"),
    [
        ("NEW_actions.csv", "start,16", "begin,16", "no action of a job"),
        ("NEW_actions.csv", "start,16", "start,16.5", "no action of a job"),
        ("NEW_actions.csv", "stop,0", "stop,8", "no action of a job"),
        ("NEW_actions.csv", "T10:11:00+00:00", "T10:11:00", "offset from UTC"),
        ("NEW_actions.csv", "infer_llama_8b-y", "infer_other-y", "no column infer_other-y_w"),
        ("NEW_job_power.csv", "10:05:00", "10:04:00", "do not rise evenly"),
        ("NEW_job_power.csv", "100,200", ",200", "NEW_job_power.csv"),
        ("NEW_job_power.csv", f"{JOBS[0]}_w", "total_kw", "NEW_job_power.csv"),
        ("dvfs_sweep.csv", "pt_mpt_7b_fast,100", "pt_mpt_7b_fast,200", "no sweep"),
        ("dvfs_sweep.csv", "power per GPU", "watts", "power per GPU"),
    ],
)
def test_a_file_that_cannot_serve_is_refused_in_words(
    other: Path, file: str, old: str, new: str, text: str
) -> None:
    path = other / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        cases(other.parent)
    assert text in str(caught.value)


def test_a_job_that_the_sweep_does_not_know_is_named(aidc_data: Path) -> None:
    sweeps = read_sweeps(aidc_data / "emerald_2025")
    assert workload_of("infer_llama_8b_32g-ssac", sweeps, Path("jobs.csv")).name == "infer_llama_8b_32g"
    with pytest.raises(InputError, match="pt_gpt_1t-abc"):
        workload_of("pt_gpt_1t-abc", sweeps, Path("jobs.csv"))
