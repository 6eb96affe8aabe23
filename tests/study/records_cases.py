"""Records made by the twin and read back, as they should be and spoilt: what differs from the twin's own verdicts."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
from comtrade_files import record_of
from study_sites import four_chains, random_site

from aidc.errors import InputError
from aidc.measure.grid.verdict import Verdict
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause
from aidc.schema.disturbance import Disturbance, FrequencyRamp, Sag, Swell
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint, operating_point
from aidc.simulate.transient.window import open_window
from aidc.study.faults.battery import one_cycle
from aidc.study.faults.verdicts import both_ways, judge_connected, judge_fault
from aidc.study.grid_check.check import rule_set
from aidc.study.grid_check.recorded import check_recording

__all__ = ["LENGTH_S", "START_S", "VOLTAGES", "differences", "is_balanced", "random_event", "waves"]

START_S, LENGTH_S, RATE = 11.0, 24.5, 1200.0
CODE = "ercot-nogrr-282"
VOLTAGES = ("v1_pu", "v_pn_min_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pp_max_pu")
DIALECTS = {"comma": {}, "semicolon": {"separator": ";", "decimal_comma": True}, "tab": {"separator": "\t"}}
FORMS = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
NOISE = 0.01

# what is done to the waves of a record, and words of which a refusal must name one
SPOILT: dict[str, tuple[str, ...]] = {
    "base times root 3": ("√3", "sqrt", "between phases", "phase to phase", "phase-to-phase", "line"),
    "base over root 3": ("√3", "sqrt", "to neutral", "phase-neutral", "between phases", "line"),
    "base times 1,000": ("1,000", "1000", "kilo", "kV"),
    "base over 1,000": ("1,000", "1000", "kilo", "kV"),
    "base times 1.25": ("nominal", "base", "level"),
    "base times 0.8": ("nominal", "base", "level"),
    "negative sequence": (),
    "current transformers reversed": ("current transformer", "direction", "other way"),
    "voltages of two phases exchanged": ("exchanged", "phase"),
    "noise": (),
}


def random_event(rng: np.random.Generator) -> Disturbance:
    kind = rng.random()
    if kind < 0.75:
        return Sag(
            use="sag",
            start_s=START_S,
            residual_pu=round(float(rng.uniform(0.05, 0.88)), 3),
            duration_s=round(float(rng.uniform(0.04, 1.2)), 3),
            fault=str(rng.choice(["3ph", "lg", "ll", "llg"])),
            phase_jump_deg=float(rng.choice([0.0, 20.0])),
        )
    if kind < 0.85:
        return Swell(
            use="swell",
            start_s=START_S,
            voltage_pu=float(rng.uniform(1.12, 1.25)),
            duration_s=float(rng.uniform(0.1, 3)),
        )
    change = float(rng.choice([-3.5, -1.5, 1.5]))
    return FrequencyRamp(
        use="frequency-ramp", start_s=START_S, change_hz=change, rocof_hz_per_s=2.0, hold_s=3.0
    )


def is_balanced(event: Disturbance) -> bool:
    return not isinstance(event, Sag) or event.fault == "3ph"


def waves(raw: Waveform) -> np.ndarray:
    """Three voltages [V] and currents [A] of a balanced window at 1,200 samples a second, from its phasors; (6, n)."""
    time_s = np.arange(int((LENGTH_S - 0.1) * RATE)) / RATE
    at = {name: np.interp(time_s, raw.time_s, raw[name]) for name in ("v1_pu", "angle_rad", "p_w", "q_var")}
    volts = np.maximum(at["v1_pu"], 1e-6) * 138e3 / np.sqrt(3)
    amps = np.conj((at["p_w"] + 1j * at["q_var"]) / (3 * volts))
    turn = np.exp(1j * (2 * np.pi * 60 * time_s + at["angle_rad"]))
    phases = np.exp(-2j * np.pi / 3 * np.arange(3))[:, None]
    return np.concatenate(
        [np.sqrt(2) * (volts * turn * phases).real, np.sqrt(2) * (amps * turn * phases).real]
    )


def _spoil(rows: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    found = rows.copy()
    factors = {"times root 3": 3**0.5, "over root 3": 3**-0.5, "times 1,000": 1e3, "over 1,000": 1e-3}
    factors |= {"times 1.25": 1.25, "times 0.8": 0.8}
    if how.startswith("base "):
        found[:3] *= factors[how.removeprefix("base ")]
    elif how == "negative sequence":
        found[[1, 2, 4, 5]] = rows[[2, 1, 5, 4]]
    elif how == "current transformers reversed":
        found[3:] *= -1.0
    elif how == "voltages of two phases exchanged":
        found[[1, 2]] = rows[[2, 1]]
    else:
        sizes = np.sqrt(2.0) * np.sqrt(np.mean(rows[:, :1200] ** 2, axis=1, keepdims=True))
        found += NOISE * sizes * rng.standard_normal(rows.shape) / np.sqrt(2.0)
    return found


def _write_table(folder: Path, columns: dict[str, np.ndarray], dialect: str) -> Path:
    path = folder / f"{dialect}.csv"
    pl.DataFrame(columns).write_csv(path, **DIALECTS[dialect])
    return path


def _written(folder: Path, shown: Waveform, rows: np.ndarray | None, form: str, dialect: str) -> Path:
    """A record of one form: COMTRADE or a table of waves, or a table of values over a cycle."""
    if form in FORMS and rows is not None:
        return record_of(rows, form=form, rate=RATE).write(folder)
    if form == "waves" and rows is not None:
        names = ("va", "vb", "vc", "ia", "ib", "ic")
        time_s = np.arange(rows.shape[1]) / RATE
        return _write_table(
            folder, {"time_s": time_s.round(7), **dict(zip(names, rows, strict=True))}, dialect
        )
    columns = {name: shown[name] for name in (*VOLTAGES, "frequency_hz")}
    columns |= {"p_mw": shown["p_w"] / 1e6, "q_mvar": shown["q_var"] / 1e6}
    if form == "connection":
        columns["connected_frac"] = shown["connected_frac"]
    return _write_table(folder, {"time_s": shown.time_s.round(6), **columns}, dialect)


@functools.cache
def _bases() -> list[tuple[Site, OperatingPoint]]:
    """The four chains training, and without: there power tells what is connected."""
    with tempfile.TemporaryDirectory() as folder:
        busy = four_chains(Path(folder))
    steady = busy.model_copy(update={"jobs": {}})
    return [(busy, operating_point(busy)), (steady, operating_point(steady))]


def _wrong(
    site: Site, path: Path, told: dict[int, Verdict], what: str, words: Sequence[str] | None
) -> Iterator[str]:
    """What a record makes of the twin's verdicts; `words` is None where it may not be refused."""
    try:
        found = check_recording(site, path, code=CODE)
    except InputError as error:
        if words is None or not any(word.lower() in str(error).lower() for word in words):
            yield f"{what}: refused: {error}"
        return
    for index, twin in told.items():
        verdict = found.verdicts[index]
        close = twin.margin is not None and abs(twin.margin) <= 2 * NOISE
        if verdict.result == "not_assessable":
            if not verdict.reason:
                yield f"{what}: {verdict.rule} is not assessable without a reason"
        elif verdict.result != twin.result and not (words is not None and close):
            yield (
                f"{what}: {verdict.rule} is {verdict.result} ({verdict.reason}), and the twin says {twin.result} "
                f"({twin.reason})"
            )


def _verdicts(clauses: Sequence[Clause], shown: Waveform, calm: Waveform) -> dict[int, Verdict]:
    told = judge_fault(clauses, shown, calm) | judge_connected(clauses, shown)
    return {index: both_ways(clauses[index], one.stated, one.by_sequence) for index, one in told.items()}


def differences(seed: int) -> list[str]:
    """One random site and event: a record of two forms as they should be, and one spoilt in two ways."""
    rng = np.random.default_rng([seed, 211])
    base, point = _bases()[seed % 2]
    site, event = random_site(base, rng), random_event(rng)
    level_va = max(site.grid.short_circuit_mva or 0.0, 600.0) * 1e6
    options = {"duration_s": LENGTH_S, "step_s": Fraction(1, 500), "short_circuit_va": level_va}
    raw = open_window(site, point, [event], **options).advance()
    calm = open_window(site, point, **options).advance()
    shown = one_cycle(raw)
    told = _verdicts(rule_set(site, CODE)[1].clauses, shown, calm)
    rows = waves(raw) if is_balanced(event) else None
    dialect = str(rng.choice([*DIALECTS]))
    wrong: list[str] = []
    forms = [str(rng.choice(["power", "connection"]))]
    forms += [str(rng.choice([*FORMS, "waves"]))] if rows is not None else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for form in forms:
            path = _written(folder, shown, rows, form, dialect)
            wrong += _wrong(site, path, told, f"{form}, {dialect}, {event}", None)
        for how in rng.choice([*SPOILT], 2, replace=False).tolist() if rows is not None else ():
            path = _written(
                folder, shown, _spoil(rows, how, rng), str(rng.choice([*FORMS, "waves"])), dialect
            )
            wrong += _wrong(site, path, told, f"{how}, {event}", SPOILT[how])
    return wrong
