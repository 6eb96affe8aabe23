"""Event files and frequency traces: what is written is what is read, and every mistake is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.scenario.disturbances import read_events
from aidc.scenario.frequency_trace import load_trace
from aidc.schema.disturbance import FrequencyTrace

GOOD = """
title = "Six sags"
duration_s = 120
step_ms = 1
[[events]]
use = "sag"
start_s = 10
residual_pu = 0.3
duration_s = 0.1
fault = "lg"
repeat = 6
every_s = 16
[[events]]
use = "islanding"
start_s = 100
"""


def write(folder: Path, text: str, name: str = "events.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_events(path)
    assert path.name in str(caught.value)
    return str(caught.value)


def trace(folder: Path, text: str, nominal_hz: float = 50, **keys):
    write(folder, text, "trace.csv")
    event = FrequencyTrace(use="frequency-trace", **{"start_s": 0, "file": "trace.csv", **keys})
    return load_trace(event, folder, nominal_hz)


def test_an_event_file_reads_as_written(tmp_path: Path) -> None:
    found = read_events(write(tmp_path, GOOD))
    assert (found.duration_s, found.step_ms) == (120, 1)
    assert [event.use for event in found.events] == ["sag", "islanding"]
    assert found.events[0].repeat == 6


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("residual_pu = 0.3", "residual_pu = 1.3", ("events[0].residual_pu", "1.3", "range")),
        ("duration_s = 0.1", "duration_s = -0.1", ("events[0].duration_s", "-0.1")),
        ("duration_s = 0.1", "duration_s = nan", ("events[0].duration_s",)),
        ('fault = "lg"', 'fault = "lll"', ("events[0].fault", "'3ph'")),
        ('fault = "lg"', 'fualt = "lg"', ("events[0].fualt", "Did you mean 'fault'?")),
        ('use = "islanding"', 'use = "islandng"', ("events[1].use", "Did you mean 'islanding'?")),
        ('use = "islanding"\n', "", ("events[1].use", "does not say what it is")),
        ("start_s = 100", "start_s = 120", ("outside the window of 120 s", "Move it")),
        ("start_s = 100", "", ("events[1].start_s", "is missing")),
        ("every_s = 16", "every_s = 30", ("events[0].repeat", "outside the window")),
        ("every_s = 16", "every_s = 0.05", ("sags overlap",)),
        ("step_ms = 1", "step_ms = 0", ("step_ms",)),
        ("step_ms = 1", "stepms = 1", ("stepms", "Did you mean 'step_ms'?")),
        ('title = "Six sags"', 'title = "Six sags', ("not valid TOML",)),
    ],
)
def test_a_mistake_is_refused_with_file_key_value_and_remedy(tmp_path: Path, old, new, words) -> None:
    assert old in GOOD
    message = refusal(write(tmp_path, GOOD.replace(old, new, 1)))
    for word in words:
        assert word in message
    assert "after validation" not in message


def test_absent_and_empty_files_are_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.toml")
    assert "events" in refusal(write(tmp_path, ""))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD) - 1), st.text('0123456789.-+einfa[]"={}\n#é\x00', max_size=6)),
        max_size=4,
    )
)
def test_a_mutated_event_file_is_read_or_refused(tmp_path: Path, cuts) -> None:
    text = GOOD
    for place, junk in cuts:
        text = text[:place] + junk + text[place + len(junk) // 2 :]
    try:
        found = read_events(write(tmp_path, text))
    except InputError:
        return
    assert found.events


def test_per_unit_frequency_is_laid_on_the_sites_nominal(tmp_path: Path) -> None:
    found = trace(tmp_path, "time_s,frequency_pu,voltage_pu\n0,1,1\n1,0.99,0.95\n2,1,1\n", 60)
    np.testing.assert_allclose(found.frequency_hz, [60, 59.4, 60])
    np.testing.assert_allclose(found.voltage_pu, [1, 0.95, 1])


def test_hertz_of_another_system_keep_their_per_unit_value(tmp_path: Path) -> None:
    found = trace(tmp_path, "time_s,frequency_hz\n0,60\n1,59.4\n", 50)
    np.testing.assert_allclose(found.frequency_hz, [50, 49.5])
    assert found.recorded_hz == 60
    assert found.voltage_pu is None


def test_a_trace_starts_between_samples_and_at_the_events_time(tmp_path: Path) -> None:
    found = trace(tmp_path, "time_s,frequency_hz\n0,50\n1,51\n2,49\n", start_s=7, from_s=0.5)
    np.testing.assert_allclose(found.time_s, [7, 7.5, 8.5])
    np.testing.assert_allclose(found.frequency_hz, [50.5, 51, 49])


def test_kilovolts_are_put_over_their_median(tmp_path: Path) -> None:
    found = trace(tmp_path, "time_s,frequency_hz,voltage_kv\n0,50,400\n1,50,400\n2,50,200\n")
    np.testing.assert_allclose(found.voltage_pu, [1, 1, 0.5])


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        ("time_s,frequency_hz\n0,50\n1,nan\n", {}, ("line 3", "frequency_hz", "nan")),
        ("time_s,frequency_hz\n0,50\n1,\n", {}, ("line 3", "frequency_hz")),
        ("time_s,frequency_hz\n0,50\n1,5000\n", {}, ("line 3", "5000")),
        ("time_s,frequency_hz\n0,50\n1,50\n1,50\n", {}, ("line 4", "does not rise")),
        ("time_s,frequency_hz\n0,50\n1,50\n2,50\n5,50\n", {}, ("line 5", "gap of 3 s")),
        ("time_s,frequency\n0,50\n1,50\n", {}, ("frequency_hz",)),
        ("time_s,frequency_hz\n0,50\n1,50\n", {"from_s": 5}, ("from_s", "ends at 1 s")),
        ("time_s,frequency_hz\n0,50\n", {}, ("single sample",)),
        ("time_s,frequency_hz,voltage_kv\n0,50,0\n1,50,0\n", {}, ("voltage_kv", "zero")),
        ("", {}, ("empty",)),
        ("time_s,frequency_hz\n0,50\n1,50\n", {"file": "no.csv"}, ("no such file", "event file")),
        ("time_s,frequency_hz\n0,50\n1,50\n", {"file": None, "dataset": "grid-freq"}, ("grid-frequency",)),
    ],
)  # fmt: skip
def test_a_broken_trace_is_refused(tmp_path: Path, text: str, keys, words) -> None:
    with pytest.raises(InputError) as caught:
        trace(tmp_path, text, **keys)
    for word in words:
        assert word in str(caught.value)


def test_the_measured_day_and_event_are_read(
    aidc_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIDC_DATA", str(aidc_data))
    day = FrequencyTrace(use="frequency-trace", start_s=0, dataset="grid-frequency", file="day_1s.csv")
    found = load_trace(day, tmp_path, 50)
    assert found.time_s.size == 86400
    assert 49.8 < found.frequency_hz.min() < found.frequency_hz.max() < 50.2
    event = FrequencyTrace(use="frequency-trace", start_s=0, dataset="grid-frequency", file="event_30hz.csv")
    found = load_trace(event, tmp_path, 60)
    assert found.recorded_hz == 60
    assert found.frequency_hz.min() == pytest.approx(59.77)
    assert found.voltage_pu is not None
