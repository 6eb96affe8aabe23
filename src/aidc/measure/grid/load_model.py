"""A load model for the utility's studies: PERC1-like parameters fitted to the site's own ride-through cases.

The fit is by least squares on P/P0 of all cases together; thresholds that no derivative can find (the
voltage at which load ceases lies between the depths of two cases) are scanned. What the cases do not excite
is not fitted and the sheet says so. The error is reported beside the parameters, per case too: a site that
ceases in stages, counts sags or walks in by blocks is more than one such load, and then the error is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aidc.errors import InputError, Problem
from aidc.measure.grid.channel import checked
from aidc.measure.grid.fit_perc1 import CaseArrays, Seen, fit_active, fit_reactive
from aidc.measure.grid.perc1 import Perc1, response_pu
from aidc.record.waveform import FloatArray, Waveform

__all__ = ["LoadCase", "LoadModelFit", "Parameter", "dyr_record", "fit_load_model"]

GOOD_ERROR_PERCENT = 2.0
"""Above this RMS error the record warns that the model does not represent the site (our choice)."""


@dataclass(frozen=True, slots=True)
class LoadCase:
    """One ride-through case: `v1_pu`, `p_w` and, where it has it, `q_var`; it starts at rest."""

    name: str
    waveform: Waveform


@dataclass(frozen=True, slots=True)
class Parameter:
    """A line of the sheet. `basis`: "fitted", "scanned", "not excited" or "assumed"; `named` in the source."""

    value: float
    unit: str
    meaning: str
    basis: str
    named: bool


@dataclass(frozen=True, slots=True)
class LoadModelFit:
    """Fitted parameters, the sheet, and errors as RMS in percent of the rated power."""

    parameters: Perc1
    sheet: Mapping[str, Parameter]
    error_percent: float
    case_error_percent: Mapping[str, float]
    reactive_error_percent: float | None
    rated_w: float
    cease_between_pu: tuple[float, float] | None


def fit_load_model(cases: Sequence[LoadCase], rated_w: float | None = None) -> LoadModelFit:
    """Fit the load to its cases; `rated_w` (default: the greatest power before a fault) is what errors are of."""
    if not cases:
        raise InputError(Problem("no ride-through case to fit a load model to", "simulate some", key="cases"))
    arrays = [_arrays(case) for case in cases]
    rated = max(case.p0_w for case in arrays) if rated_w is None else rated_w
    if not (np.isfinite(rated) and rated > 0):
        raise InputError(
            Problem("the rated power is not positive", "give it in W", key="rated_w", value=rated)
        )
    parameters, seen = fit_active(arrays)
    reactive = [case for case in arrays if case.q is not None]
    if reactive:
        parameters = fit_reactive(parameters, reactive)
    errors = [_error_frac(parameters, case) * case.p0_w / rated for case in arrays]
    total = float(np.sqrt(np.average(np.square(errors), weights=[case.v.size for case in arrays])))
    q_error = None
    if reactive:
        squares = [
            (_error_frac(parameters, case, reactive=True) * abs(case.q0_var) / rated) ** 2
            for case in reactive
        ]
        q_error = 100 * float(np.sqrt(np.mean(squares)))
    return LoadModelFit(
        parameters,
        _sheet(parameters, seen, bool(reactive)),
        100 * total,
        {case.name: 100 * error for case, error in zip(cases, errors, strict=True)},
        q_error,
        rated,
        seen.between_pu,
    )


def dyr_record(fit: LoadModelFit, bus: int = 1, load_id: str = "1") -> str:
    """A `.dyr` text of the fit: comments with the named parameters and the error, then one record.

    The order of the parameters in a PERC1 record could not be confirmed (no programme's manual with the
    layout was available), so that the record states its own order and asks to be checked against the
    programme that is to read it.
    """
    lines = [
        "// PERC1-like load model, fitted to simulated ride-through cases of one site",
        f"// RMS error {fit.error_percent:.2f} % of {fit.rated_w / 1e6:.4g} MW over {len(fit.case_error_percent)} cases",
        "// ORDER NOT CONFIRMED: the layout of a PERC1 record was not available. Match by name before use.",
        "// Names marked * are not from the model's published description and stand for its thresholds and delays.",
    ]
    if fit.error_percent > GOOD_ERROR_PERCENT:
        lines.append("// WARNING: the error is large; this model does not represent the site in these cases.")
    for k, (name, one) in enumerate(fit.sheet.items(), 1):
        mark = "" if one.named else "*"
        lines.append(
            f"//  {k:2d} {name + mark:9s} {one.value:<10.5g} {one.unit:6s} {one.basis}: {one.meaning}"
        )
    values = "  ".join(f"{one.value:.5g}" for one in fit.sheet.values())
    lines.append(f"{bus} 'PERC1' '{load_id}'  {values}  /")
    return "\n".join(lines) + "\n"


def _arrays(case: LoadCase) -> CaseArrays:
    w = case.waveform
    for name in ("v1_pu", "p_w"):
        if name not in w:
            raise InputError(Problem(f"case {case.name} has no channel {name}", "record it", key=name))
    voltage, power = checked(w, "v1_pu"), checked(w, "p_w")
    if voltage[0] < 0.5:
        raise InputError(
            Problem(
                f"case {case.name} does not start at rest",
                "start the record before the fault",
                key="v1_pu",
                value=float(voltage[0]),
            )
        )
    first = _before(voltage)
    p0 = float(power[:first].mean())
    if p0 <= 0:
        raise InputError(
            Problem(
                f"case {case.name} draws no power before the fault",
                "give cases under load",
                key="p_w",
                value=p0,
            )
        )
    q: FloatArray | None = None
    q0 = 0.0
    if "q_var" in w:
        reactive = checked(w, "q_var")
        q0 = float(reactive[:first].mean())
        q = reactive / q0 if abs(q0) > 0.01 * p0 else None
    return CaseArrays(voltage, power / p0, q, float(w.step_s), p0, q0)


def _before(voltage: FloatArray) -> int:
    """Samples before the voltage first leaves its starting value by 2 %, at least one."""
    away = np.abs(voltage - voltage[0]) > 0.02
    return max(int(away.argmax()) if away.any() else voltage.size, 1)


def _error_frac(parameters: Perc1, case: CaseArrays, *, reactive: bool = False) -> float:
    """RMS error of one case, as a share of its own P0 or Q0."""
    measured = case.q if reactive else case.p
    if measured is None:
        return 0.0
    modelled = response_pu(parameters, case.v, case.step_s, reactive=reactive)
    return float(np.sqrt(np.mean((modelled - measured) ** 2)))


def _sheet(p: Perc1, seen: Seen, reactive: bool) -> Mapping[str, Parameter]:
    ceasing = "fitted" if seen.ceases else "not excited"
    again = "fitted" if seen.returns else "not excited"
    active = "fitted" if seen.excited else "not excited"
    q = "fitted" if reactive and seen.excited else "not excited"
    scanned = "scanned" if seen.ceases else "not excited"
    rows = (
        ("Kvp", p.kvp, "pu/pu", "gain of the active-power washout over voltage", active, True),
        ("Tvp", p.tvp_s, "s", "time constant of the active-power washout", active, True),
        ("Kvq", p.kvq, "pu/pu", "gain of the reactive-power washout over voltage", q, True),
        ("Tvq", p.tvq_s, "s", "time constant of the reactive-power washout", q, True),
        ("Tap", p.tap_s, "s", "lead time of the active-power path", active, True),
        ("Tbp", p.tbp_s, "s", "lag time of the active-power path", active, True),
        ("Taq", p.taq_s, "s", "lead time of the reactive-power path", q, True),
        ("Tbq", p.tbq_s, "s", "lag time of the reactive-power path", q, True),
        (
            "Dbfl",
            0.0,
            "pu",
            "deadband of the response to low frequency; no response is modelled",
            "not excited",
            True,
        ),
        (
            "Dbfh",
            0.0,
            "pu",
            "deadband of the response to high frequency; no response is modelled",
            "not excited",
            True,
        ),
        ("Fcease", p.fcease_frac, "1", "fraction of the load that ceases", ceasing, True),
        ("Frecon", p.frecon_frac, "1", "fraction of what ceased that reconnects", again, True),
        ("Vcease", p.cease_pu, "pu", "voltage below which load ceases", scanned, False),
        ("Tcease", p.cease_s, "s", "time below Vcease until load ceases", ceasing, False),
        ("Vrecon", p.recon_pu, "pu", "voltage above which load reconnects", "assumed", False),
        ("Trecon", p.recon_s, "s", "time above Vrecon until load reconnects", again, False),
        ("Tramp", p.ramp_s, "s", "time over which load returns", again, False),
        ("Vlim", p.limit_pu, "pu", "voltage below which power is limited by current", active, False),
    )
    return {
        name: Parameter(round(float(value), 6), unit, meaning, basis, named)
        for name, value, unit, meaning, basis, named in rows
    }
