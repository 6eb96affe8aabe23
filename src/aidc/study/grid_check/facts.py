"""What stands beside the verdicts of a check: plain values for the report and for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from aidc.measure.grid.load_loss import Loss, after_loss_pu, loss_of
from aidc.measure.grid.load_model import LoadModelFit, dyr_record
from aidc.measure.grid.verdict import Connection
from aidc.schema.site import Site
from aidc.simulate.transient.small_signal import site_modes
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.window import open_window
from aidc.study.faults.battery import BatteryResult
from aidc.study.grid_check.normal_operation import NormalResult
from aidc.study.grid_check.not_assessable import combined_ratio
from aidc.units import MEGA

__all__ = ["collapse_told", "mode_facts", "model_facts", "point_facts", "result_facts"]

_NOT_MODELLED = (
    "double-frequency ripple in unbalanced faults, sub-cycle control dynamics and resonance: "
    "a weak grid, or modes above 10 Hz, need an EMT study"
)


def point_facts(
    site: Site, point: OperatingPoint, levels: Mapping[str, float], step_s: Fraction, duration_s: float
) -> dict[str, Any]:
    """Where the windows begin, and behind which grid.

    `levels` are short-circuit powers by name [VA], `step_s` is the step and `duration_s` the length of the quiet
    window [s].
    """
    site_w = max(site.grid.import_limit_mw * MEGA, 1.0)
    return {
        "start": point.start.isoformat(),
        "import_mw": point.import_w / MEGA,
        "short_circuit_mva": {name: value / MEGA for name, value in levels.items()},
        "short_circuit_ratio": {name: value / site_w for name, value in levels.items()},
        "combined_short_circuit_ratio": combined_ratio(site, min(levels.values())),
        "step_ms": 1e3 * float(step_s),
        "normal_operation_s": duration_s,
        "seed": site.scenario.seed,
    }


def mode_facts(
    site: Site, point: OperatingPoint, levels: Mapping[str, float], step_s: Fraction
) -> dict[str, Any]:
    """Small-signal modes of the site at each short-circuit level, and the named generator mode next to each.

    Converters at rest, their loads as they are at the operating point. Nothing where no mode swings.

    `levels` are short-circuit powers by name [VA], `step_s` is the step of the engine [s].
    """
    found: list[dict[str, Any]] = []
    for level, level_va in levels.items():
        window = open_window(site, point, duration_s=1.0, step_s=step_s, short_circuit_va=level_va)
        window.advance(1)
        for mode in site_modes(window):
            one: dict[str, Any] = {
                "level": level,
                "where": mode.where,
                "frequency_hz": mode.frequency_hz,
                "damping_percent": 100.0 * mode.damping_frac,
                "decay_per_s": mode.decay_per_s,
            }
            near = min(
                site.grid.modes, key=lambda named: abs(named.frequency_hz - mode.frequency_hz), default=None
            )
            if near is not None:
                one |= {"nearest_generator_mode": near.name, "generator_mode_hz": near.frequency_hz}
            found.append(one)
    return {"small_signal_modes": found} if found else {}


def result_facts(
    battery: BatteryResult | None, normal: NormalResult, collapsed: Sequence[str], weakest: Connection
) -> dict[str, Any]:
    """Cases tried, loss of load, spectrum, energy residual and warnings.

    `collapsed` names the user's own events in which the grid could not carry the load; `weakest` is the
    connection at its lowest short-circuit level.
    """
    facts: dict[str, Any] = {}
    residual = normal.residual_frac
    if normal.lines:
        facts["lines"] = [
            {"frequency_hz": hz, "amplitude_mw": w / MEGA, "share": share} for hz, w, share in normal.lines
        ]
    if normal.modes:
        facts["generator_modes"] = {
            name: {"frequency_hz": hz, "amplitude_mw": w / MEGA} for name, hz, w in normal.modes
        }
    if battery is not None:
        residual = max(residual, battery.residual_frac)
        facts |= {"fault_cases": battery.cases, "failed_cases": dict(battery.failed)}
        facts["unsolved_cases"] = list(battery.unsolved)
        facts["kirchhoff_residual_pu"] = battery.kirchhoff_pu
        if battery.loss is not None:
            facts["largest_load_loss"] = _loss_facts(loss_of(battery.loss), weakest)
    facts["energy_residual_frac"] = residual
    facts["warnings"] = _warnings(battery, normal, collapsed)
    facts["not_modelled"] = _NOT_MODELLED
    return facts


def collapse_told(when: str) -> str:
    """A voltage collapse in words."""
    return f"voltage collapse: {when} the grid could not carry the load's power"


def _warnings(battery: BatteryResult | None, normal: NormalResult, collapsed: Sequence[str]) -> list[str]:
    found: list[str] = []
    if normal.collapsed_s > 0:
        found.append(collapse_told(f"for {normal.collapsed_s:g} s of normal operation"))
    if battery is not None and battery.collapsed:
        found.append(collapse_told(f"in {battery.collapsed} of {battery.cases} fault cases"))
    if battery is not None and battery.unsolved:
        why = next(iter(battery.unsolved.values()))
        found.append(
            f"{len(battery.unsolved)} of {battery.cases} fault cases have no solution of the network and were not judged: {why}"
        )
    if collapsed:
        found.append(collapse_told(f"in {', '.join(collapsed)}"))
    return found


def _loss_facts(loss: Loss, connection: Connection) -> dict[str, Any]:
    return {
        "mw": loss.loss_w / MEGA,
        "case": loss.case,
        "voltage_after_pu": after_loss_pu(loss, connection),
        "largest_step_back_mw": loss.reconnect_w / MEGA,
    }


def model_facts(fit: LoadModelFit) -> dict[str, Any]:
    """The utility's load model: sheet, error, and the record to load."""
    return {
        "error_percent": fit.error_percent,
        "parameters": {
            name: {"value": one.value, "unit": one.unit, "basis": one.basis}
            for name, one in fit.sheet.items()
        },
        "dyr": dyr_record(fit),
    }
