"""Records of faults: found, judged with the power before as the baseline, and the site's own doing outside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from recorded_waves import NOMINAL_V, Story, record_of_story, write_waves
from study_sites import example

from aidc.errors import InputError
from aidc.schema.site import Site
from aidc.study.grid_check.recorded import check_recording
from aidc.study.windows.verdicts import CheckResult

SET = """
title = "A set of the user's own"
authority = "nobody"
version = "1"
status = "draft"
confidence = "estimated"

[[clauses]]
rule = "voltage-ride-through"
clause = "curve"
quantity = "v_pp_min"
quantity_defined = true
below_pu = { value = [0.9, 0.5], source = "mine", confidence = "estimated" }
below_s = { value = [2.0, 0.25], source = "mine", confidence = "estimated" }

[[clauses]]
rule = "frequency-ride-through"
clause = "bands"
below_hz = { value = [58.8, 57.0], source = "mine", confidence = "estimated" }
below_s = { value = [5, 0], source = "mine", confidence = "estimated" }

[[clauses]]
rule = "recovery"
clause = "back"
quantity = "v_pp_min"
within_s = { value = 1.0, source = "mine", confidence = "estimated" }
hold_s = { value = 5.0, source = "mine", confidence = "estimated" }

[[clauses]]
rule = "ramp"
clause = "ramp"
form = "change"
window_s = { value = 1, source = "mine", confidence = "estimated" }
limit_mw = { value = 10, source = "mine", confidence = "estimated" }

[[clauses]]
rule = "voltage-step"
clause = "step"
limit_frac = { value = 0.03, source = "mine", confidence = "estimated" }

[[clauses]]
rule = "load-loss"
clause = "loss"
limit_mw = { value = 20, source = "mine", confidence = "estimated" }

[[clauses]]
rule = "power-factor"
clause = "pf"
least_pf = { value = 0.95, source = "mine", confidence = "estimated" }
window_s = { value = 1, source = "mine", confidence = "estimated" }

[[clauses]]
rule = "band-energy"
clause = "band"
low_hz = { value = 0.5, source = "mine", confidence = "estimated" }
high_hz = { value = 3, source = "mine", confidence = "estimated" }
limit_frac = { value = 0.5, source = "mine", confidence = "estimated" }

[sources.mine]
title = "Written for this test"
"""
ROUND = Story(duration_s=0.2)
OWN = ("ramp", "voltage-step", "power-factor")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    (folder / "catalogue" / "code").mkdir(parents=True)
    (folder / "catalogue" / "code" / "mine.toml").write_text(SET)
    return example("passes").model_copy(update={"folder": folder})


def results(found: CheckResult) -> dict[str, str]:
    return {verdict.rule: verdict.result for verdict in found.verdicts}


def reason(found: CheckResult, rule: str) -> str:
    return next(verdict.reason for verdict in found.verdicts if verdict.rule == rule)


# the story of a record, and what its clauses must say: (voltage, frequency, recovery, loss), worked out by hand
STORIES = {
    "ridden through": (ROUND, ("pass", "not_applicable", "pass", "pass")),
    "gone for good within the duty": (
        ROUND.but(left_s=10.1), ("fail", "fail", "fail", "fail")),
    "gone for good after the sag": (
        ROUND.but(left_s=10.2), ("fail", "fail", "fail", "fail")),
    "a third of the load gone": (
        ROUND.but(left_s=10.1, away_mw=55.0), ("fail", "fail", "fail", "fail")),
    "outlasted, then gone": (
        ROUND.but(duration_s=0.6, residual=0.8, left_s=10.4), ("fail", "fail", "fail", "fail")),
    "outlasted below 0.5, gone at 0.5 s": (
        ROUND.but(duration_s=1.0, left_s=10.5), ("not_assessable", "not_assessable", "not_assessable", "fail")),
    "a short sag, ridden through": (ROUND.but(duration_s=0.1), ("pass", "not_applicable", "pass", "pass")),
    "back after half a second": (
        ROUND.but(left_s=10.1, back_s=10.7), ("not_assessable", "not_assessable", "pass", "pass")),
    "back after three seconds": (
        ROUND.but(left_s=10.1, back_s=13.2), ("fail", "fail", "fail", "fail")),
    "a record that ends too soon": (
        ROUND.but(seconds=10.9), ("pass", "not_applicable", "not_assessable", "not_assessable")),
    "noise of 1 %": (ROUND.but(noise=0.01), ("pass", "not_applicable", "pass", "pass")),
    "noise, and gone": (ROUND.but(noise=0.01, left_s=10.1), ("fail", "fail", "fail", "fail")),
    "an angle that jumps by 40 degrees": (ROUND.but(jump_deg=40.0), ("pass", "not_applicable", "pass", "pass")),
    "a dip of 19 ms proves no curve": (
        ROUND.but(duration_s=0.019, residual=0.7), ("not_assessable", "not_applicable", "pass", "pass")),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_a_fault_record_is_judged_by_what_happened(name: str, site: Site, tmp_path: Path) -> None:
    story, expected = STORIES[name]
    found = check_recording(site, record_of_story(tmp_path, story), code="mine")
    told = results(found)
    rules = ("voltage-ride-through", "frequency-ride-through", "recovery", "load-loss")
    assert tuple(told[rule] for rule in rules) == expected, [v.reason for v in found.verdicts]
    assert {told[rule] for rule in OWN} == {"pass"}, [v.reason for v in found.verdicts]
    assert len(found.facts["disturbances"]) == 1


def test_a_sag_that_was_ridden_through_is_no_oscillation_of_the_site(site: Site, tmp_path: Path) -> None:
    """80 MW fall to 25 in the sag: 55 MW within 5 s, of which none is the site's own."""
    sag = stretch(90, 0.3, 1.0, 40, 40.2)
    power = 80.0 * np.minimum(1.05 * sag, 1.0)
    record = channels(tmp_path, 90, v1_pu=sag, v_pn_min_pu=sag, v_pn_max_pu=sag, p_mw=power)
    told = results(check_recording(site, record, code="ercot"))
    assert told == {
        "voltage-ride-through": "pass", "frequency-ride-through": "not_applicable", "recovery": "pass", "oscillation": "pass",
        "fault-sequence": "not_applicable",
    }  # fmt: skip
    own = 80.0 + 8.0 * np.sin(2 * np.pi * 2.0 * np.arange(90_000) / 1000)
    swings = channels(
        tmp_path, 90, v1_pu=sag, v_pn_min_pu=sag, v_pn_max_pu=sag, p_mw=own * np.minimum(1.05 * sag, 1.0)
    )
    assert results(check_recording(site, swings, code="ercot"))["oscillation"] == "fail"


def test_the_swing_of_the_site_itself_is_judged_outside_the_fault(site: Site, tmp_path: Path) -> None:
    """±8 MW at 0.7 Hz: 16 MW within a second, whatever a sag does to the power."""
    found = check_recording(site, record_of_story(tmp_path, ROUND.but(swing_mw=8.0)), code="mine")
    ramp = next(verdict for verdict in found.verdicts if verdict.rule == "ramp")
    assert (ramp.result, ramp.value) == ("fail", pytest.approx(16, rel=0.02))
    assert "outside the disturbances" in ramp.reason


def test_a_baseline_that_swings_gives_no_verdict_where_it_decides(site: Site, tmp_path: Path) -> None:
    """70 to 90 MW before: 72 MW afterwards is 0.9 of 80, but neither of the least nor of the most."""
    story = ROUND.but(swing_mw=10.0, left_s=10.3, away_mw=72.0)
    found = check_recording(site, record_of_story(tmp_path, story), code="mine")
    assert results(found)["recovery"] == "not_assessable"
    assert "and which of them counts decides" in reason(found, "recovery")


def channels(folder: Path, seconds: float, **columns: np.ndarray | float) -> Path:
    t = np.arange(round(seconds * 1000)) / 1000
    rows = {"v1_pu": 1.0, "v_pp_min_pu": 1.0, "p_mw": 80.0, "frequency_hz": 60.0, **columns}
    frame = pl.DataFrame(
        {
            "time_s": t,
            **{name: np.broadcast_to(np.asarray(one, float), t.shape) for name, one in rows.items()},
        }
    )
    frame.write_csv(folder / "channels.csv")
    return folder / "channels.csv"


def stretch(seconds: float, inside: float, outside: float, begin_s: float, end_s: float) -> np.ndarray:
    t = np.arange(round(seconds * 1000)) / 1000
    return np.where((t >= begin_s) & (t < end_s), inside, outside)


def test_a_frequency_excursion_is_found_and_judged(site: Site, tmp_path: Path) -> None:
    """58.5 Hz for 8 s where 5 s are asked: gone for good at 4 s into it fails, at 6 s it cannot be told from power."""
    hertz = stretch(30, 58.5, 60.0, 12, 20)
    power = stretch(30, 80.0, 2.0, 0, 16)
    found = check_recording(site, channels(tmp_path, 30, frequency_hz=hertz, p_mw=power), code="mine")
    assert results(found)["frequency-ride-through"] == "fail"
    assert "58.5 Hz for 8" in found.facts["disturbances"][0]
    later = check_recording(
        site, channels(tmp_path, 30, frequency_hz=hertz, p_mw=stretch(30, 80.0, 2.0, 0, 18)), code="mine"
    )
    assert results(later)["frequency-ride-through"] in {"pass", "not_assessable"}
    stays = check_recording(site, channels(tmp_path, 30, frequency_hz=hertz), code="mine")
    assert results(stays)["frequency-ride-through"] == "pass"


def test_a_sequence_of_sags_is_one_disturbance_for_recovery_and_three_for_the_grid(
    site: Site, tmp_path: Path
) -> None:
    """Sags at 12, 15 and 18 s; the load goes in the second and is back 0.3 s after the third."""
    volts = np.minimum.reduce([stretch(40, 0.4, 1.0, begin, begin + 0.2) for begin in (12, 15, 18)])
    power = stretch(40, 4.0, 80.0, 15.1, 18.5)
    record = channels(tmp_path, 40, v1_pu=volts, v_pp_min_pu=volts, p_mw=power)
    found = check_recording(site, record, code="mine")
    assert len(found.facts["disturbances"]) == 3
    told = results(found)
    assert told["recovery"] == "pass"  # within 1 s of the last return
    assert told["ramp"] == "pass"
    assert (
        told["voltage-ride-through"] == "not_assessable"
    )  # short of power for 0.3 s: gone, blocked or ramping


SHALLOW = {"v1_pu": stretch(30, 0.94, 1.0, 10, 10.4), "v_pp_min_pu": stretch(30, 0.94, 1.0, 10, 10.4)}


@pytest.mark.parametrize("suffix", ["toml", "csv"])
def test_a_mark_says_that_a_shallow_sag_is_the_grids(suffix: str, site: Site, tmp_path: Path) -> None:
    """6 % of voltage for 0.4 s: a step of the site's own, until a mark says otherwise."""
    record = channels(tmp_path, 30, **SHALLOW)
    assert results(check_recording(site, record, code="mine"))["voltage-step"] == "fail"
    marks = tmp_path / f"marks.{suffix}"
    marks.write_text(
        '[[marks]]\nkind = "sag"\nstart_s = 9.98\nend_s = 10.42\n'
        if suffix == "toml"
        else "kind,start_s,end_s,label\nsag,9.98,10.42,transmission fault\n"
    )
    found = check_recording(site, record, code="mine", marks=marks)
    assert results(found)["voltage-step"] == "pass"
    assert results(found)["recovery"] == "not_applicable"
    assert len(found.facts["disturbances"]) == 1


def behind(source: np.ndarray, power_w: np.ndarray, reactive_var: np.ndarray) -> np.ndarray:
    """Voltage of a load behind 2,500 MVA at X/R 12, by iteration of the circuit itself [pu]."""
    z = (1 + 12j) / abs(1 + 12j) / 2500e6
    volts = source.astype(complex)
    for _ in range(60):
        volts = source - z * np.conj((power_w + 1j * reactive_var) / volts)
    return np.abs(volts)


@pytest.mark.parametrize(("who", "expected"), [("grid", "pass"), ("site", "fail"), ("both", "fail")])
def test_power_tells_a_shallow_sag_of_the_grid_from_a_step_of_the_site(
    who: str, expected: str, site: Site, tmp_path: Path
) -> None:
    """5 % of voltage for 0.4 s: by the source, or by 130 Mvar that the site draws (0.05 of 2,500 MVA); or 4 % by it,
    a minute after 5 % by the source."""
    source = np.ones(90_000)
    mvar = np.full(90_000, 10.0)
    if who in ("grid", "both"):
        source = stretch(90, 0.95, 1.0, 20, 20.4)
    if who in ("site", "both"):
        mvar = stretch(90, 130.0 if who == "site" else 110.0, 10.0, 70, 70.4)
    volts = behind(source, np.full(90_000, 80e6), mvar * 1e6)
    record = channels(tmp_path, 90, v1_pu=volts, v_pp_min_pu=volts, q_mvar=mvar)
    found = check_recording(site, record, code="mine")
    step = next(verdict for verdict in found.verdicts if verdict.rule == "voltage-step")
    assert step.result == expected, step
    assert len(found.facts["disturbances"]) == (who != "site")
    assert results(found)["recovery"] == "not_applicable"


def test_a_mark_says_that_a_deep_dip_is_the_sites_own(site: Site, tmp_path: Path) -> None:
    deep = stretch(30, 0.85, 1.0, 10, 10.4)
    record = channels(tmp_path, 30, v1_pu=deep, v_pp_min_pu=deep)
    assert results(check_recording(site, record, code="mine"))["voltage-step"] == "pass"
    marks = tmp_path / "marks.toml"
    marks.write_text('[[marks]]\nkind = "own"\nstart_s = 9.9\nend_s = 10.5\n')
    assert results(check_recording(site, record, code="mine", marks=marks))["voltage-step"] == "fail"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[marks]]\nkind = "sagg"\nstart_s = 1\nend_s = 2', "sag"),
        ('[[marks]]\nkind = "sag"\nstart_s = 2\nend_s = 1', "ends before it begins"),
        ('[[marks]]\nkind = "sag"\nstart_s = 40\nend_s = 41', "begins after the record"),
        ("", "marks"),
    ],
)
def test_bad_marks_are_refused(text: str, words: str, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "marks.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        check_recording(site, channels(tmp_path, 30), code="mine", marks=path)


def test_a_record_without_any_disturbance_tries_nothing(site: Site, tmp_path: Path) -> None:
    told = results(check_recording(site, channels(tmp_path, 30), code="mine"))
    assert {
        told[rule] for rule in ("voltage-ride-through", "frequency-ride-through", "recovery", "load-loss")
    } == {"not_applicable"}


# ---- base, nominal, unit, level, direction: the right verdict or a refusal that names the cause

GONE = ROUND.but(left_s=10.1, seconds=22.0)
WRONG = {
    "volts over √3": (lambda v, i: (v / np.sqrt(3), i), "1/√3"),
    "volts times √3": (lambda v, i: (v * np.sqrt(3), i), "√3"),
    "volts over 1,000": (lambda v, i: (v / 1e3, i / 1.0), "1/1,000"),
    "volts times 1,000": (lambda v, i: (v * 1e3, i), "1,000"),
    "volts over √2": (lambda v, i: (v / np.sqrt(2), i), "amplitude"),
    "volts a fifth too low": (lambda v, i: (v * 0.8, i), "110.4 kV"),
    "volts a fifth too high": (lambda v, i: (v * 1.2, i), "165.6 kV"),
    "secondary volts": (lambda v, i: (v / 1200, i), "0.115 kV"),
    "currents reversed": (lambda v, i: (v, -i), "the other way round"),
    "one current reversed": (lambda v, i: (v, i * np.array([[-1], [1], [1]])), "one current transformer is reversed"),
    "one voltage reversed": (lambda v, i: (v * np.array([[1], [-1], [1]]), i), "polarity reversed"),
    "currents of two phases exchanged": (lambda v, i: (v, i[[0, 2, 1]]), "exchanged"),
    "voltages of two phases exchanged": (lambda v, i: (v[[1, 0, 2]], i), "exchanged"),
    "currents moved on by a phase": (lambda v, i: (v, i[[1, 2, 0]]), "current transformers|power factor"),
    "currents reversed and moved on": (lambda v, i: (v, -i[[1, 2, 0]]), "power factor"),
    "milliamperes": (lambda v, i: (v, i * 1e3), "may import 90 MW"),
    "kiloamperes": (lambda v, i: (v, i / 1e3), "may import 90 MW"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_base_or_direction_is_refused_with_its_cause(name: str, site: Site, tmp_path: Path) -> None:
    spoil, words = WRONG[name]
    path = write_waves(tmp_path, *spoil(*GONE.waves()), GONE.rate)
    with pytest.raises(InputError, match=words):
        check_recording(site, path, code="mine")


def test_phases_that_rotate_backwards_give_the_same_verdicts(site: Site, tmp_path: Path) -> None:
    """A grid of the sequence a, c, b, or two phases exchanged in both voltages and currents."""
    right = results(check_recording(site, record_of_story(tmp_path, GONE), code="mine"))
    voltage, current = GONE.waves()
    path = write_waves(tmp_path, voltage[[0, 2, 1]], current[[0, 2, 1]], GONE.rate)
    found = check_recording(site, path, code="mine")
    assert results(found) == right
    assert any("rotate backwards" in note for note in found.facts["repairs"])


@pytest.mark.parametrize("pairs", [(0, 1, 2), (0, 1), (1, 2)])
def test_phase_to_phase_voltages_give_the_same_verdicts(
    pairs: tuple[int, ...], site: Site, tmp_path: Path
) -> None:
    right = results(check_recording(site, record_of_story(tmp_path, GONE), code="mine"))
    voltage, current = GONE.waves()
    between = voltage - np.roll(voltage, -1, axis=0)
    names = [("vab", "vbc", "vca")[k] for k in pairs]
    found = check_recording(
        site, write_waves(tmp_path, between[list(pairs)], current, GONE.rate, " ".join(names)), code="mine"
    )
    assert results(found) == right
    backwards = write_waves(tmp_path, -between[[2, 1, 0]], current[[0, 2, 1]], GONE.rate, "vab vbc vca")
    assert results(check_recording(site, backwards, code="mine")) == right


def test_a_record_of_another_frequency_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="50 Hz; the site's has 60 Hz"):
        check_recording(site, record_of_story(tmp_path, ROUND.but(hertz=50.0)), code="mine")
    with pytest.raises(InputError, match="50 Hz; the site's has 60 Hz"):
        check_recording(site, channels(tmp_path, 30, frequency_hz=49.98), code="mine")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"p_mw": 80e3}, "kilowatts in a column of megawatts"),
        ({"p_mw": 0.08}, "megawatts in a column of kilowatts"),
        ({"p_mw": -80.0}, "exports 80 MW"),
        ({"p_mw": 200.0}, "draws 200 MW"),
        ({"v1_pu": 0.044}, "0.044 pu"),
        ({"v1_pu": 1.64}, "1.64 pu"),
        ({"v1_pu": 100.0}, "percent"),
    ],
)
def test_a_wrong_unit_or_level_of_channels_is_refused(
    columns, words: str, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        check_recording(site, channels(tmp_path, 30, **columns), code="mine")


def test_a_voltage_between_neutral_and_phase_is_not_taken_for_that_between_phases(
    site: Site, tmp_path: Path
) -> None:
    t = np.arange(20_000) / 1000
    frame = pl.DataFrame({"time_s": t, "voltage_kv": np.where(t < 10, 79.67, 0.96 * 79.67)})
    frame.write_csv(tmp_path / "base.csv")
    with pytest.raises(InputError, match="1/√3"):
        check_recording(site, tmp_path / "base.csv", code="mine")
    (tmp_path / "recording.toml").write_text('file = "base.csv"\nnominal_kv = 79.674\n')
    found = check_recording(site, tmp_path / "recording.toml", code="mine")
    step = next(verdict for verdict in found.verdicts if verdict.rule == "voltage-step")
    assert (step.result, step.value) == ("fail", pytest.approx(4.0, rel=1e-3))


def test_a_sidecar_may_vouch_for_what_looks_wrong(site: Site, tmp_path: Path) -> None:
    channels(tmp_path, 30, p_mw=-80.0)
    (tmp_path / "recording.toml").write_text('file = "channels.csv"\ntrusted = true\n')
    found = check_recording(site, tmp_path / "recording.toml", code="mine")
    assert any("exports 80 MW" in told for told in found.facts["warnings"])


def test_a_low_but_possible_level_is_told(site: Site, tmp_path: Path) -> None:
    found = check_recording(site, channels(tmp_path, 30, v1_pu=0.93, v_pp_min_pu=0.93), code="mine")
    assert any("0.930 pu" in told for told in found.facts["warnings"])
    assert found.facts["nominal_kv"] == NOMINAL_V / 1e3
