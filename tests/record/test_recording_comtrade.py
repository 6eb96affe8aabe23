"""COMTRADE: what the tests write is what is read, as an independent reader sees it; mistakes are named."""

from __future__ import annotations

import cmath
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from comtrade_files import FORMS, Record, Written, record_of, three_phase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidc.errors import AidcError, InputError
from aidc.record.comtrade import read_comtrade
from aidc.record.recording import read_recording

A = cmath.exp(2j * cmath.pi / 3)
V = 138e3 / np.sqrt(3)
ROWS = three_phase([0.5 * V, V * A**2, V * A], [400, 400 * A**2, 400 * A])
GOOD = record_of(ROWS)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_recording(path, nominal_kv=138)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("revision", ["1991", "1999", "2013"])
def test_a_record_survives_the_round_trip(tmp_path: Path, form: str, revision: str) -> None:
    record = GOOD.but(form=form, revision=revision)
    found = read_comtrade(record.write(tmp_path))
    assert found.axis.step_s == Fraction(1, 4800)
    assert found.nominal_hz == 60
    for row, channel in zip(ROWS, record.channels, strict=True):
        np.testing.assert_allclose(found[channel.name], row, atol=np.abs(row).max() * 2e-5)


@pytest.mark.parametrize("form", FORMS)
def test_an_independent_reader_sees_the_same_values(tmp_path: Path, form: str) -> None:
    """Oracle: the open-source reader `comtrade` (D. Parrini, MIT)."""
    comtrade = pytest.importorskip("comtrade")
    path = GOOD.but(form=form).write(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = comtrade.Comtrade(use_double_precision=True, ignore_warnings=True)
        other.load(str(path))
    found = read_comtrade(path)
    for name, values in zip(other.analog_channel_ids, other.analog, strict=True):
        np.testing.assert_allclose(found[name], np.array(values), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(np.arange(len(other.time)) * float(found.axis.step_s), other.time, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_the_single_file_form_reads_the_same(tmp_path: Path, form: str) -> None:
    record = GOOD.but(form=form)
    pair, single = read_comtrade(record.write(tmp_path)), read_comtrade(record.write_cff(tmp_path))
    for name in pair.columns:
        np.testing.assert_array_equal(single[name], pair[name])


@pytest.mark.parametrize("form", FORMS)
def test_phase_values_become_the_channels_of_a_waveform(tmp_path: Path, form: str) -> None:
    """One phase at half: V1 = 2.5/3, V2 = V0 = 0.5/3; P = 2.5 V I."""
    found = read_recording(GOOD.but(form=form).write(tmp_path), nominal_kv=138)
    assert found.frequency_hz == 60
    assert found.first_tick == 79
    np.testing.assert_allclose(found["v1_pu"], 2.5 / 3, atol=1e-4)
    np.testing.assert_allclose(found["v2_pu"], 0.5 / 3, atol=1e-4)
    np.testing.assert_allclose(found["v0_pu"], 0.5 / 3, atol=1e-4)
    np.testing.assert_allclose(found["v_pn_min_pu"], 0.5, atol=1e-4)
    np.testing.assert_allclose(found["p_w"], 2.5 * V * 400, rtol=1e-3)


def test_secondary_kilovolts_come_out_as_primary_volts(tmp_path: Path) -> None:
    record = Record([Written("U", "A", "kV", np.array([0.1, -0.1, 0.05]), (138000, 115, "S"))])
    found = read_comtrade(record.write(tmp_path))
    np.testing.assert_allclose(found["U"], np.array([100, -100, 50]) * 1200, rtol=1e-4)


def test_time_stamps_count_where_no_rate_is_stated(tmp_path: Path) -> None:
    found = read_comtrade(GOOD.but(stamps_only=True, rate=4000.0).write(tmp_path))
    assert found.axis.step_s == Fraction(1, 4000)


def test_upper_case_files_and_the_dat_name_are_found(tmp_path: Path) -> None:
    path = GOOD.write(tmp_path)
    upper = path.with_suffix(".DAT")
    path.with_suffix(".dat").rename(upper)
    assert len(read_recording(path, nominal_kv=138)) == len(read_recording(upper, nominal_kv=138))


def test_two_sets_of_voltages_need_a_sidecar_that_chooses(tmp_path: Path) -> None:
    second = [Written(f"{c.name}2", c.phase, c.unit, c.values) for c in GOOD.channels]
    path = GOOD.but(channels=[*GOOD.channels, *second]).write(tmp_path)
    assert "recording.toml" in refused(path)
    sidecar = tmp_path / "recording.toml"
    sidecar.write_text(
        'file = "event.cfg"\nnominal_kv = 138\n[phases]\nva = "VA2"\nvb = "VB2"\nvc = "VC2"\nia = "IA"\nib = "IB"\nic = "IC"\ncurrent_scale = -1'
    )
    found = read_recording(sidecar)
    np.testing.assert_allclose(found["p_w"], -2.5 * V * 400, rtol=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_record_is_refused_not_filled_with_zeros(tmp_path: Path, form: str) -> None:
    path = GOOD.but(form=form).write(tmp_path)
    dat = path.with_suffix(".dat")
    dat.write_bytes(dat.read_bytes()[: -len(dat.read_bytes()) // 3])
    message = refused(path)
    assert "event.dat" in message
    assert "960" in message or "values" in message


@pytest.mark.parametrize(("form", "mark"), [("ASCII", "99999"), ("ASCII", ""), ("BINARY", b"\x00\x80")])
def test_a_missing_sample_is_refused_with_channel_and_place(tmp_path: Path, form: str, mark) -> None:
    path = GOOD.but(form=form).write(tmp_path)
    dat = path.with_suffix(".dat")
    data = dat.read_bytes()
    if form == "ASCII":
        lines = data.decode().splitlines()
        cells = lines[4].split(",")
        cells[3] = mark
        lines[4] = ",".join(cells)
        dat.write_text("\n".join(lines))
    else:
        row = len(data) // 960
        dat.write_bytes(data[: 4 * row + 10] + mark + data[4 * row + 12 :])
    message = refused(path)
    assert "channel VB, sample 5" in message
    assert "lacks 1 of 960" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("6A", "7A", ("event.cfg",)),
        ("9,6A,3D", "9,6X,3D", ("line 2", "kind A")),
        ("1,VA", "x,VA", ("line 3", "number of the channel")),
        ("4800.0,960", "4800.0,960000000000", ("line 14", "whole number")),
        ("4800.0,960", "-5,960", ("line 14", "sampling rate")),
        ("ASCII", "BINARY16", ("BINARY16", "form of data")),
        (",2013", ",2017", ("line 1", "2017")),
        ("4800.0,960", "4800.0,500", ("holds 960 samples", "500")),
    ],
)
def test_a_broken_configuration_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words) -> None:
    path = GOOD.write(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    message = refused(path)
    for word in words:
        assert word in message


def test_a_record_without_nominal_voltage_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nominal_kv"):
        read_recording(GOOD.write(tmp_path))


def test_a_skipped_sample_is_refused(tmp_path: Path) -> None:
    path = GOOD.write(tmp_path)
    dat = path.with_suffix(".dat")
    dat.write_text(dat.read_text().replace("\n500,", "\n501,", 1))
    assert "sample 500" in refused(path)


def sections(folder: Path, rates: list[float], seconds: list[float]) -> Path:
    """A record of one balanced three-phase sinusoid, sampled at one rate after the other; each section begins one of
    its steps after the last sample."""
    steps = np.concatenate(
        [np.full(round(rate * span), 1 / rate) for rate, span in zip(rates, seconds, strict=True)]
    )
    at_s = np.cumsum(steps) - steps[0]
    turn = np.exp(2j * np.pi * 60 * at_s)
    rows = np.stack(
        [(np.sqrt(2) * phasor * turn).real for phasor in (V, V * A**2, V * A, 400, 400 * A**2, 400 * A)]
    )
    path = record_of(rows, form="FLOAT32").write(folder)
    counts = np.cumsum([round(rate * span) for rate, span in zip(rates, seconds, strict=True)])
    stated = "\n".join(f"{rate},{count}" for rate, count in zip(rates, counts, strict=True))
    path.write_text(path.read_text().replace(f"1\n4800.0,{rows.shape[1]}", f"{len(rates)}\n{stated}"))
    return path


@pytest.mark.parametrize(
    ("rates", "seconds", "length_s"),
    [
        ([4800.0, 960.0], [0.5, 2.0], 2.5),
        ([960.0, 4800.0, 960.0], [1.0, 0.5, 1.0], 2.5),
        ([60.0, 4800.0], [5.0, 0.5], 0.5),
        ([4800.0, 60.0], [0.5, 5.0], 0.5),
    ],
)
def test_sections_of_several_rates_become_one(tmp_path: Path, rates, seconds, length_s: float) -> None:
    """A sinusoid of 60 Hz stays one: V1 = 1 and P = 3 V I throughout, at the fastest rate."""
    found = read_recording(sections(tmp_path, rates, seconds), nominal_kv=138)
    assert found.step_s == Fraction(1, 4800)
    assert len(found) / 4800 == pytest.approx(length_s, abs=0.03)
    np.testing.assert_allclose(found["v1_pu"], 1, atol=1e-3)
    np.testing.assert_allclose(found["p_w"], 3 * V * 400, rtol=2e-3)
    (note,) = [mark.label for mark in found.marks if "joined" in mark.label]
    assert ("too slow" in note) == (60.0 in rates)


def test_a_slow_section_between_fast_ones_is_refused(tmp_path: Path) -> None:
    message = refused(sections(tmp_path, [4800.0, 60.0, 4800.0], [0.5, 1.0, 0.5]))
    assert "4800, 60, 4800" in message
    assert "480 samples a second" in message
    assert "Fraction" not in message


@pytest.mark.parametrize("form", ["ASCII", "BINARY"])
def test_a_gap_in_a_channel_that_nobody_needs_is_no_obstacle(tmp_path: Path, form: str) -> None:
    spare = Written("DC link", "", "V", np.full(960, 1000.0))
    record = GOOD.but(channels=[*GOOD.channels, spare], form=form)
    path = record.write(tmp_path)
    dat = path.with_suffix(".dat")
    data = dat.read_bytes()
    if form == "ASCII":
        lines = data.decode().splitlines()
        cells = lines[4].split(",")
        cells[8] = ""
        lines[4] = ",".join(cells)
        dat.write_text("\n".join(lines))
    else:
        row = len(data) // 960
        dat.write_bytes(data[: 4 * row + 8 + 12] + b"\x00\x80" + data[4 * row + 8 + 14 :])
    np.testing.assert_allclose(read_recording(path, nominal_kv=138)["v_pn_min_pu"], 0.5, atol=1e-4)
    sidecar = tmp_path / "recording.toml"
    sidecar.write_text('file = "event.cfg"\n[channels.dc_bus_pu]\ncolumn = "DC link"\nscale = 0.001\n')
    assert "channel DC link, sample 5" in refused(sidecar)


@pytest.mark.parametrize("form", FORMS)
def test_a_surplus_sample_is_left_out_and_told(tmp_path: Path, form: str) -> None:
    path = GOOD.but(form=form).write(tmp_path)
    text = path.read_text()
    path.write_text(text.replace("4800.0,960", "4800.0,959"))
    found = read_recording(path, nominal_kv=138)
    assert any("1 sample beyond the 959 announced" in mark.label for mark in found.marks)
    np.testing.assert_allclose(found["p_w"], 2.5 * V * 400, rtol=1e-3)


@pytest.mark.parametrize("year", ["1991", "1995", "1997", "1999", "2000", "2001", "2013"])
def test_revisions_by_any_year_of_the_standard_are_read(tmp_path: Path, year: str) -> None:
    path = GOOD.write(tmp_path)
    path.write_text(path.read_text().replace(",2013", f",{year}", 1))
    np.testing.assert_allclose(read_recording(path, nominal_kv=138)["v_pn_min_pu"], 0.5, atol=1e-4)


@pytest.mark.parametrize(
    ("volt", "ampere", "scale"),
    [
        ("volt", "ampere", 1.0),
        ("Volts", "Amps", 1.0),
        ("V RMS", "A", 1.0),
        ("[kV]", "kA", 1e-3),
        ("KV", "KA", 1e-3),
        ("kilovolts", "kiloamperes", 1e-3),
    ],
)
def test_units_are_known_however_they_are_written(
    tmp_path: Path, volt: str, ampere: str, scale: float
) -> None:
    channels = [
        Written(c.name, c.phase, volt if c.unit == "V" else ampere, c.values * scale) for c in GOOD.channels
    ]
    found = read_recording(GOOD.but(channels=channels).write(tmp_path), nominal_kv=138)
    np.testing.assert_allclose(found["p_w"], 2.5 * V * 400, rtol=1e-3)


@pytest.mark.parametrize(
    ("names", "phases"),
    [
        (("VAB", "VBC", "VCA"), ("", "", "")),
        (("U12", "U23", "U31"), ("", "", "")),
        (("Bus 1 U L1-L2", "Bus 1 U L2-L3", "Bus 1 U L3-L1"), ("", "", "")),
        (("x", "y", "z"), ("AB", "BC", "CA")),
        (("x", "y", "z"), ("L1-L2", "L2-L3", "L3-L1")),
        (("VAB", "VBC"), ("", "")),
    ],
)
def test_transformers_between_phases_are_read(tmp_path: Path, names, phases) -> None:
    """Phase a at half: the pairs stand at 0.7638, 1, 0.7638 of nominal; V1 = 2.5/3, P = 2.5 V I."""
    neutral = ROWS[:3]
    between = neutral - np.roll(neutral, -1, axis=0)
    channels = [Written(n, p, "V", row) for n, p, row in zip(names, phases, between, strict=False)]
    found = read_recording(GOOD.but(channels=[*channels, *GOOD.channels[3:]]).write(tmp_path), nominal_kv=138)
    np.testing.assert_allclose(found["v1_pu"], 2.5 / 3, atol=1e-4)
    np.testing.assert_allclose(found["v2_pu"], 0.5 / 3, atol=1e-4)
    np.testing.assert_allclose(found["v_pp_min_pu"], np.sqrt(1.75) / np.sqrt(3), atol=1e-4)
    np.testing.assert_allclose(found["v_pp_max_pu"], 1, atol=1e-4)
    np.testing.assert_allclose(found["p_w"], 2.5 * V * 400, rtol=1e-3)
    assert "v_pn_min_pu" not in found


def test_a_lone_half_of_the_pair_is_refused(tmp_path: Path) -> None:
    path = GOOD.write(tmp_path)
    path.with_suffix(".dat").unlink()
    assert "no .dat file beside it" in refused(path)


SMALL = record_of(ROWS[:, :200])
EDITS = st.lists(
    st.tuples(st.integers(0, 10**6), st.binary(max_size=4), st.integers(0, 6)), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FORMS), st.sampled_from([".cfg", ".dat", ".cff"]), EDITS)
def test_a_mutated_record_is_read_or_refused(tmp_path: Path, form: str, suffix: str, edits) -> None:
    record = SMALL.but(form=form)
    path = record.write_cff(tmp_path) if suffix == ".cff" else record.write(tmp_path)
    target = path.with_suffix(suffix)
    data = target.read_bytes()
    for place, junk, cut in edits:
        at = place % (len(data) + 1)
        data = data[:at] + junk + data[at + cut :]
    target.write_bytes(data)
    try:
        found = read_recording(path, nominal_kv=138)
    except AidcError:
        return
    assert all(np.isfinite(found[name]).all() for name in found.channels)
