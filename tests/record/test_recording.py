"""CSV recordings and sidecars: the channels that the columns name, or a refusal in words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from comtrade_files import three_phase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidc.errors import AidcError, InputError, Problem
from aidc.record.recording import read_recording
from aidc.record.sampling import even_axis, half_unit, simplest_between


def write(folder: Path, text: str, name: str = "meter.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table(header: str, *columns) -> str:
    rows = zip(*columns, strict=True)
    return "\n".join([header, *(",".join(str(cell) for cell in row) for row in rows)]) + "\n"


def refused(path: Path, **keys) -> str:
    with pytest.raises(InputError) as caught:
        read_recording(path, **keys)
    return str(caught.value)


def repairs(found) -> str:
    return "; ".join(mark.label for mark in found.marks if mark.kind == "repair")


def test_columns_in_other_units_become_channels(tmp_path: Path) -> None:
    text = table(
        "time_s,p_mw,q_mvar,frequency_pu,voltage_kv",
        [0, 1, 2],
        [1, 2, 3],
        [0.1, 0.2, 0.3],
        [1, 0.99, 1],
        [400, 380, 400],
    )
    found = read_recording(write(tmp_path, text), nominal_hz=50, nominal_kv=400)
    np.testing.assert_allclose(found["p_w"], [1e6, 2e6, 3e6])
    np.testing.assert_allclose(found["q_var"], [1e5, 2e5, 3e5])
    np.testing.assert_allclose(found["frequency_hz"], [50, 49.5, 50])
    np.testing.assert_allclose(found["v1_pu"], [1, 0.95, 1])
    assert (found.step_s, found.frequency_hz) == (Fraction(1), 50)


def test_channel_names_are_taken_as_they_are_and_others_are_reported(tmp_path: Path) -> None:
    text = table("time_s,P_W,v_pn_min_pu,room,note", [0, 0.001], [5, 6], [1, 0.2], [20, 21], ["a", "b"])
    found = read_recording(write(tmp_path, text))
    assert set(found.channels) == {"p_w", "v_pn_min_pu"}
    assert found.step_s == Fraction(1, 1000)
    assert repairs(found) == "columns left out: room"


ROWS = [(0.0, 1.5, 0.25), (0.5, 2.5, 0.5), (1.0, 3.25, 0.75)]


@pytest.mark.parametrize(
    ("header", "mark", "comma"),
    [
        (("Time", "P [MW]", "Q (Mvar)"), ";", True),
        (("Time (s)", "P_MW", "Q_MVAR"), "\t", True),
        (("TIME_S", "p mw", "q mvar"), ";", False),
        (("time [ms]", "Active Power [kW]", "Reactive power (kvar)"), ",", False),
        (("t_s", "power_MW", "reactive_power_Mvar"), "\t", False),
    ],
)
def test_separators_decimal_commas_case_and_brackets(tmp_path: Path, header, mark: str, comma: bool) -> None:
    fine = "ms" in header[0]

    def cell(value: float) -> str:
        return str(value).replace(".", ",") if comma else str(value)

    scale = (1000, 1000, 1000) if fine else (1, 1, 1)
    lines = [mark.join(header)] + [
        mark.join(cell(value * by) for value, by in zip(row, scale, strict=True)) for row in ROWS
    ]
    found = read_recording(write(tmp_path, "\n".join(lines) + "\n"))
    assert found.step_s == Fraction(1, 2)
    np.testing.assert_allclose(found["p_w"], [1.5e6, 2.5e6, 3.25e6])
    np.testing.assert_allclose(found["q_var"], [0.25e6, 0.5e6, 0.75e6])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(50), "50"),
        (Fraction(1, 1000), "0.001"),
        ([Fraction(4800), Fraction(1, 3)], "[4800, 1/3]"),
        ("a", "'a'"),
    ],
)
def test_a_message_shows_fractions_as_people_write_them(value: object, shown: str) -> None:
    assert f"(got {shown})" in str(Problem("is wrong", "Mend it.", value=value))


def test_a_broken_cell_of_a_semicolon_file_is_told_with_its_line(tmp_path: Path) -> None:
    message = refused(write(tmp_path, "Time;P [MW]\n0,0;1,5\n0,5;x\n1,0;2,5\n"))
    assert "line 3, column P [MW]" in message


def test_a_single_voltage_is_never_the_worst_phase(tmp_path: Path) -> None:
    found = read_recording(write(tmp_path, table("time_s,voltage_pu", [0, 1], [1, 0.5])))
    assert set(found.channels) == {"v1_pu"}


def test_clock_times_are_read(tmp_path: Path) -> None:
    times = ["2026-01-01T00:00:00.00Z", "2026-01-01T00:00:00.02Z", "2026-01-01 01:00:00.04+01:00"]
    found = read_recording(write(tmp_path, table("time,power_kw", times, [1, 2, 3])))
    assert found.step_s == Fraction(1, 50)
    np.testing.assert_allclose(found["p_w"], [1e3, 2e3, 3e3])


def test_instantaneous_phases_give_power_and_sequence(tmp_path: Path) -> None:
    turn = np.exp(2j * np.pi / 3)
    rows = three_phase([230, 230 * turn**2, 230 * turn], [10, 10 * turn**2, 10 * turn], rate=3000, hertz=50)
    times = [f"{k / 3000:.6f}" for k in range(rows.shape[1])]
    path = write(tmp_path, table("time_s,va,vb,vc,ia,ib,ic", times, *rows))
    found = read_recording(path, nominal_kv=0.4)
    assert found.frequency_hz == 50
    assert found.step_s == Fraction(1, 3000)
    np.testing.assert_allclose(found["v1_pu"], 230 / (400 / np.sqrt(3)), rtol=1e-9)
    np.testing.assert_allclose(found["p_w"], 6900, rtol=1e-9)
    np.testing.assert_allclose(found["q_var"], 0, atol=1e-6)
    assert "snapped" in repairs(found)


def test_instantaneous_per_unit_is_over_the_amplitude(tmp_path: Path) -> None:
    turn = np.exp(2j * np.pi / 3)
    rows = three_phase([1, turn**2, turn], [], rate=3000, hertz=60)[:3] / np.sqrt(2)
    path = write(tmp_path, table("time_s,va_pu,vb_pu,vc_pu", np.arange(600) / 3000, *rows))
    np.testing.assert_allclose(read_recording(path)["v1_pu"], 1, rtol=1e-9)


def test_rms_phases_give_worst_and_best_phase_only(tmp_path: Path) -> None:
    text = table("time_s,va_kv,vb_kv,vc_kv", [0, 1], [10, 5], [10, 10], [11, 10])
    found = read_recording(write(tmp_path, text), nominal_kv=10 * np.sqrt(3))
    np.testing.assert_allclose(found["v_pn_min_pu"], [1, 0.5])
    np.testing.assert_allclose(found["v_pn_max_pu"], [1.1, 1])
    assert "v1_pu" not in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("empty",)),
        ("time_s,p_w\n", ("no rows",)),
        ("time_s,p_w\n0,1\n", ("fewer than two samples",)),
        ("time_s,p_w\n0,1\n1,nan\n2,3\n", ("line 3, column p_w", "nan")),
        ("time_s,p_w\n0,1\n1,\n2,3\n", ("line 3, column p_w", "not a number")),
        ("time_s,p_w\n0,1\n1,x\n2,3\n", ("line 3, column p_w", "'x'")),
        ("time_s,p_w\n0,1\n1,inf\n2,3\n", ("line 3, column p_w", "inf")),
        ("time_s,p_w\n0,1\n1,2\n1,3\n", ("line 4, column time_s", "time of the sample before", "drop repeated")),
        ("time_s,p_w\n0,1\n2,2\n1,3\n", ("line 4, column time_s", "before the sample before", "Sort")),
        ("time_s,p_w\n0,1\n1,2\n2,3\n5,4\n", ("line 5, column time_s", "gap of 3 s")),
        ("time_s,p_w\n0,1\n1,2\n2.3,3\n3,4\n4,4\n", ("line 4, column time_s", "Resample")),
        ("time_s,p_w\n0,1,2\n", ("line 2", "3 cells")),
        ("p_w,q_var\n1,2\n3,4\n", ("column of times", "time_s")),
        ("time_s,load\n0,1\n1,2\n", ("no column that is a known channel", "recording.toml")),
        ("time_s,p_w,power_kw\n0,1,1\n1,2,2\n", ("'p_w' and 'power_kw'",)),
        ("time_s,p_w,p_w\n0,1,1\n1,2,2\n", ("twice",)),
        ("time_s,frequency_pu\n0,1\n1,1\n", ("nominal_hz",)),
        ("time_s,voltage_kv\n0,1\n1,1\n", ("nominal_kv",)),
        ("time_s,frequency_hz\n0,314\n1,314\n", ("no frequency of a grid",)),
        ("time_s,voltage_pu\n0,138\n1,138\n", ("far beyond 1 pu", "nominal_kv")),
        ("time_s,va_pu,vb_pu\n0,1,1\n1,1,1\n", ("all three",)),
        ("time_s,va_pu,vb_pu,vc_pu\n0,1,-1,1\n1,1,1,1\n", ("samples a cycle", "too few")),
    ],
)  # fmt: skip
def test_a_broken_recording_is_refused_with_place_and_remedy(tmp_path: Path, text: str, words) -> None:
    keys = {"nominal_hz": 60} if "va_pu" in text else {}
    message = refused(write(tmp_path, text), **keys)
    assert "meter.csv" in message
    for word in words:
        assert word in message


def test_a_broken_column_that_nobody_needs_is_no_obstacle(tmp_path: Path) -> None:
    found = read_recording(write(tmp_path, "time_s,p_w,room\n0,1,20\n1,2,\n2,3,x\n"))
    assert len(found) == 3


def test_a_sidecar_sums_scales_and_names(tmp_path: Path) -> None:
    write(tmp_path, "made by a logger\nt,a_1,a_2,b\n0,1,10,7\n15,2,20,7\n30,3,30,7\n", "log.csv")
    sidecar = write(
        tmp_path,
        'file = "log.csv"\nskip_lines = 1\ntime = "t"\nnominal_hz = 60\nlocation = "ups-input"\n'
        '[channels.p_w]\nsum_of = "a_*"\nscale = 1e6\n[channels.q_var]\ncolumn = "b"\noffset = 1\n',
        "recording.toml",
    )
    found = read_recording(sidecar)
    np.testing.assert_allclose(found["p_w"], [11e6, 22e6, 33e6])
    np.testing.assert_allclose(found["q_var"], 8)
    assert (found.step_s, found.location, found.frequency_hz) == (Fraction(15), "ups-input", 60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('fiel = "log.csv"', ("fiel", "Did you mean 'file'?")),
        ('time = "t"', ("names no file",)),
        ('file = "no.csv"', ("no.csv", "cannot be read")),
        ('file = "recording.toml"', ("another sidecar",)),
        ('file = "log.csv"\n[channels.p]\ncolumn = "b"', ("channels.p", "Did you mean 'p_w'?")),
        ('file = "log.csv"\n[channels.p_w]\ncolumn = "bb"', ("no column 'bb'", "Did you mean 'b'?")),
        ('file = "log.csv"\n[channels.p_w]\nsum_of = "x*"', ("matches no column", "x*")),
        ('file = "log.csv"\n[channels.p_w]\nscale = 2', ("channels.p_w", "column or sum_of")),
        ('file = "log.csv"\n[channels.p_w]\ncolumn = "b"\nscale = 0', ("scale of zero",)),
        ('file = "log.csv"\ntime = "b"\nstep_s = 1\n[channels.p_w]\ncolumn = "b"', ("times twice",)),
        ('file = "log.csv"\nstep_s = 0', ("step_s",)),
        ('dataset = "frontier"', ("frontier-day",)),
        ('file = "log.csv"\n[phases]\nva = "a"\nvb = "b"\nvc = "c"\nia = "d"', ("ia, ib and ic",)),
    ],
)
def test_a_broken_sidecar_is_refused(tmp_path: Path, text: str, words) -> None:
    write(tmp_path, "t,a,b\n0,1,2\n1,1,2\n", "log.csv")
    message = refused(write(tmp_path, text, "recording.toml"))
    for word in words:
        assert word in message


def test_a_step_replaces_missing_times(tmp_path: Path) -> None:
    write(tmp_path, "p_w\n1\n2\n", "log.csv")
    found = read_recording(write(tmp_path, 'file = "log.csv"\nstep_s = 0.001', "recording.toml"))
    assert found.step_s == Fraction(1, 1000)


@settings(max_examples=60, deadline=None)
@given(
    st.fractions(min_value=Fraction(1, 20_000), max_value=60, max_denominator=20_000),
    st.integers(100, 3000),
    st.floats(0, 1000),
)
def test_written_times_give_back_their_step(step: Fraction, count: int, start: float) -> None:
    """Times with enough digits name the step exactly, wherever they start."""
    times = start + np.arange(count) * float(step)
    axis = even_axis(times, 0.0, Path("x"))
    assert abs(axis.step_s / step - 1) < Fraction(1, 10**6)


@pytest.mark.parametrize("rate", [30, 60, 240, 1920, 3000, 4800, 7680])
def test_rounded_times_give_the_simplest_step(rate: int) -> None:
    cells = [f"{k / rate:.6f}" for k in range(5000)]
    assert even_axis(np.array(cells, dtype=float), half_unit(cells), Path("x")).step_s == Fraction(1, rate)


@given(st.fractions(min_value=Fraction(1, 100), max_value=50), st.fractions(min_value=0, max_value=1))
def test_the_simplest_fraction_lies_within(low: Fraction, width: Fraction) -> None:
    found = simplest_between(low, low + width)
    assert low <= found <= low + width
    for denominator in range(1, min(found.denominator, 60)):
        assert not any(
            low <= Fraction(n, denominator) <= low + width
            for n in range(int(low * denominator), int((low + width) * denominator) + 2)
        )


def test_small_jitter_is_snapped_and_reported(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    times = np.arange(200) * 0.01 + rng.uniform(-4e-5, 4e-5, 200)
    found = read_recording(write(tmp_path, table("time_s,p_w", times, np.arange(200))))
    assert found.step_s == Fraction(1, 100)
    assert "snapped to an even step of 0.01 s" in repairs(found)


def test_the_frontier_day_is_read_with_its_published_swings(
    aidc_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """README of the measured data: 5.2 to 26.6 MW, +17.3 / -19.4 MW within 5 min."""
    monkeypatch.setenv("AIDC_DATA", str(aidc_data))
    sidecar = write(
        tmp_path,
        'dataset = "frontier-day"\ntime = "t_s"\nnominal_hz = 60\n[channels.p_w]\nsum_of = "cdu_*_w"',
        "recording.toml",
    )
    found = read_recording(sidecar)
    power = found["p_w"]
    assert found.step_s == 15
    assert (power.min(), power.max()) == (pytest.approx(5.2e6, rel=0.01), pytest.approx(26.6e6, rel=0.01))
    swings = [power[k:] - power[: power.size - k] for k in range(1, 21)]
    assert max(s.max() for s in swings) == pytest.approx(17.3e6, rel=0.01)
    assert min(s.min() for s in swings) == pytest.approx(-19.4e6, rel=0.01)


def test_training_power_and_grid_frequency_are_read(aidc_data: Path, tmp_path: Path) -> None:
    folder = aidc_data / "mlperf_training_power"
    sidecar = write(
        tmp_path,
        f'file = "{folder / "gpt3_175b_64node_h100_run1_ac.csv"}"\n[channels.p_w]\nsum_of = "node_*_W"',
        "recording.toml",
    )
    found = read_recording(sidecar)
    assert found.step_s == 2
    assert found["p_w"].mean() == pytest.approx(64 * 6.4e3, rel=0.1)
    day = read_recording(aidc_data / "grid_frequency" / "day_1s.csv", nominal_hz=60)
    assert (len(day), day.step_s) == (86400, 1)
    event = read_recording(aidc_data / "grid_frequency" / "event_30hz.csv", nominal_kv=525)
    assert event.step_s == Fraction(1, 30)
    assert event["frequency_hz"].min() == 59.77


GOOD = table(
    "time_s,p_mw,va,vb,vc",
    np.arange(40) / 1000,
    range(40),
    *(np.round(np.sin(np.arange(40) / 3 + k), 3) for k in range(3)),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD)),
            st.text('0123456789.,-+einfa\n\r\t "#é\x00', max_size=6),
            st.integers(0, 8),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_mutated_recording_is_read_or_refused(tmp_path: Path, edits) -> None:
    text = GOOD
    for place, junk, cut in edits:
        text = text[:place] + junk + text[place + cut :]
    path = tmp_path / "meter.csv"
    path.write_bytes(text.encode())
    try:
        found = read_recording(path, nominal_hz=50, nominal_kv=0.001)
    except AidcError:
        return
    assert all(np.isfinite(found[name]).all() and found[name].size == len(found) for name in found.channels)
