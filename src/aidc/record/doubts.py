"""What makes a record implausible: rotation and polarity of phases, level, frequency, unit and sign of power.

Nothing here judges a site. A doubt says what was seen, the likeliest cause, and what to write in the sidecar.
The bounds are our choice: a grid stands within 0.9 to 1.1 pu but for its faults, so that a level outside 0.88 to
1.12 pu is a wrong base; a site draws no tenth more than it may import.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aidc.errors import Problem
from aidc.record.phases import sequences
from aidc.record.waveform import Waveform

__all__ = ["Expected", "level_doubts", "level_of", "phase_doubts", "remarks"]

FloatArray = NDArray[np.float64]

LEVELS_PU = (0.88, 1.12)
_USUAL_PU = (0.95, 1.05)
_START_S = 0.1
_MOST_IMPORT = 1.1
_LEAST_IMPORT = 0.002
_EXPORT = 0.02
_LEAST_PF = 0.75
_LEAST_VA = 1e3  # below, currents are noise
_CAUSES = (
    (1 / np.sqrt(3), "phase-to-neutral values were held against a phase-to-phase nominal voltage (1/√3)"),
    (np.sqrt(3), "phase-to-phase values were held against a phase-to-neutral nominal voltage (√3)"),
    (1 / np.sqrt(2), "the nominal voltage is an amplitude, or the values are scaled as such (1/√2)"),
    (np.sqrt(2), "the values are amplitudes, not RMS (√2)"),
    (1e3, "volts stand in a column of kilovolts (1,000)"),
    (1e-3, "kilovolts stand in a column of volts (1/1,000)"),
    (1e3 / np.sqrt(3), "volts, phase to neutral, stand in a column of kilovolts (1,000/√3)"),
    (1e-3 / np.sqrt(3), "kilovolts, phase to neutral, stand in a column of volts (1/1,000/√3)"),
    (100.0, "percent stand in a column of per unit (100)"),
)
_CAUSE_WITHIN = 0.06


@dataclass(frozen=True, slots=True)
class Expected:
    """What the site says of its connection: nominal frequency [Hz], voltage [kV], and what it may import [W]."""

    frequency_hz: float
    voltage_kv: float
    import_w: float


def phase_doubts(
    voltage: FloatArray, current: FloatArray | None, step_s: float, hertz: float, path: Path
) -> tuple[bool, list[Problem]]:
    """Whether the phases rotate backwards throughout, and what is wrong with their order or polarity.

    `voltage` and `current` are instantaneous, (3, n); voltages in V for currents to count.

    `step_s` is the spacing of the samples [s], `hertz` the nominal frequency, `path` the file for messages.
    """
    zero, ahead, back = sequences(voltage, step_s, hertz)
    reversed_ = back > 3 * ahead
    problems: list[Problem] = []
    if not reversed_ and ahead < 2 * max(back, zero):
        problems.append(
            Problem(
                f"has voltages that make no three-phase system (positive, negative and zero sequence as 1 to "
                f"{back / max(ahead, 1e-12):.2g} to {zero / max(ahead, 1e-12):.2g}): a phase has its polarity reversed, "
                "or two columns are the same phase",
                "Correct the columns, or say in a recording.toml which is which.",
                path,
            )
        )
    if current is None:
        return reversed_, problems
    i_zero, i_ahead, i_back = sequences(current, step_s, hertz)
    if reversed_:
        i_ahead, i_back = i_back, i_ahead
    largest = max(i_zero, i_ahead, i_back)
    if 3 * max(ahead, back) * largest > _LEAST_VA and i_ahead < max(i_zero, i_back):
        what = (
            "currents rotate against the voltages: two phases of one of them are exchanged"
            if i_back > 3 * max(i_ahead, i_zero)
            else "currents make no three-phase system: one current transformer is reversed, or two columns are one phase"
        )
        remedy = "Correct the columns, or say in a recording.toml which is which."
        problems.append(Problem(f"has {what}", remedy, path))
    return reversed_, problems


def level_of(w: Waveform) -> float | None:
    """The voltage that a record stands at outside its faults [pu]: that of its start, else its median."""
    for name in ("v1_pu", "v_pp_max_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pn_min_pu"):
        if name in w:
            values = w[name]
            start = float(np.median(values[: max(3, round(_START_S / float(w.step_s)))]))
            return start if LEVELS_PU[0] <= start <= LEVELS_PU[1] else float(np.median(values))
    return None


def level_doubts(w: Waveform, expected: Expected, path: Path) -> list[Problem]:
    """What in the levels of a record does not fit the site."""
    problems: list[Problem] = []
    level = level_of(w)
    if level is not None and not LEVELS_PU[0] <= level <= LEVELS_PU[1]:
        problems.append(_voltage(level, expected.voltage_kv, path))
    if "frequency_hz" in w:
        problems += _frequency(float(np.median(w["frequency_hz"])), expected.frequency_hz, path)
    if w.frequency_hz != expected.frequency_hz and not problems:
        problems += _frequency(w.frequency_hz, expected.frequency_hz, path)
    if "p_w" in w and w.location == "poi":
        problems += _power(w, expected.import_w, path)
    return problems


def remarks(w: Waveform) -> list[str]:
    """What an engineer should look at although it may be right."""
    level = level_of(w)
    if level is None or _USUAL_PU[0] <= level <= _USUAL_PU[1]:
        return []
    return [f"the voltage stands at {level:.3f} pu: is the nominal voltage of the record right?"]


def _voltage(level: float, nominal_kv: float, path: Path) -> Problem:
    near = [told for ratio, told in _CAUSES if abs(np.log(max(level, 1e-12) / ratio)) < _CAUSE_WITHIN]
    cause = near[0] if near else "another nominal voltage"
    return Problem(
        f"stands at {level:.4g} pu of {nominal_kv:g} kV outside any fault; the likeliest cause: {cause}; "
        f"it would fit a nominal voltage near {level * nominal_kv:.4g} kV",
        "Give nominal_kv (line-to-line) or the scale in a recording.toml; trusted = true if it is right as it is.",
        path,
        "voltage",
        round(level, 6),
    )


def _frequency(measured_hz: float, nominal_hz: float, path: Path) -> list[Problem]:
    if abs(measured_hz - nominal_hz) < 5.0:
        return []
    return [
        Problem(
            f"is of a grid of {round(measured_hz / 10) * 10:g} Hz; the site's has {nominal_hz:g} Hz",
            "Is this the record of that site? Else check the unit of the frequency, or the site's grid.frequency_hz.",
            path,
            "frequency",
            round(measured_hz, 4),
        )
    ]


def _power(w: Waveform, import_w: float, path: Path) -> list[Problem]:
    if import_w <= 0:
        return []
    size = np.hypot(w["p_w"], w["q_var"]) if "q_var" in w else np.abs(w["p_w"])
    loaded = size >= 0.5 * float(np.quantile(size, 0.95))
    middle, apparent = float(np.median(w["p_w"][loaded])), float(np.median(size[loaded]))
    usual, most = abs(middle), float(np.abs(w["p_w"]).max())
    limit = f"the site may import {import_w / 1e6:g} MW"
    what = remedy = ""
    if usual > _MOST_IMPORT * import_w:
        thousand = usual / 1e3 <= _MOST_IMPORT * import_w
        cause = "; kilowatts in a column of megawatts?" if thousand else ""
        what = f"draws {usual / 1e6:.4g} MW, where {limit}{cause}"
        remedy = "Correct the unit in the column's name, or give a scale in a recording.toml."
    elif 0 < most < _LEAST_IMPORT * import_w:
        thousand = most * 1e3 >= 0.02 * import_w
        cause = "; megawatts in a column of kilowatts?" if thousand else ""
        what = f"draws no more than {most / 1e6:.4g} MW, where {limit}{cause}"
        remedy = "Correct the unit in the column's name, or give a scale in a recording.toml."
    elif middle < -_EXPORT * import_w:
        what = f"exports {-middle / 1e6:.4g} MW: current transformers mounted the other way round, or export counted positive?"
        remedy = (
            "Give current_scale = -1 or scale = -1 in a recording.toml; trusted = true if the site exports."
        )
    elif apparent > 0.05 * import_w and usual < _LEAST_PF * apparent:
        what = f"has a power factor of {usual / apparent:.2g}: currents and voltages of different phases?"
        remedy = (
            "Correct the order of the phases in a recording.toml; trusted = true if it is right as it is."
        )
    return [Problem(what, remedy, path, "power", round(middle / 1e6, 6))] if what else []
