"""Construction followed by the energy model: each phase run as a site, with the demand that it can serve."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aidc.design.construction.admission import admitted
from aidc.design.construction.phases import Phase, phases_of
from aidc.design.construction.result import BuildResult, PhaseRun
from aidc.study.site_run.run import run

__all__ = ["MOST_PHASES", "followed"]

MOST_PHASES: Final = 8
_ENOUGH: Final = 1e-9


def followed(
    found: BuildResult, *, every: bool, progress: Callable[[int, int], None] | None = None
) -> list[PhaseRun]:
    """Run the phases of a build in the order of their dates.

    Parameters
    ----------
    every
        All of them; else up to 8 that are spread over the power online, of phases with the same power the last.
    progress
        Called with phases run and phases in all.

    Raises
    ------
    InputError, SimulationError
    """
    phases = phases_of(found)
    phases = phases if every else _spread(phases)
    runs: list[PhaseRun] = []
    for number, phase in enumerate(phases):
        if progress is not None:
            progress(number, len(phases))
        runs.append(_ran(phase))
    return runs


def _spread(phases: Sequence[Phase]) -> list[Phase]:
    """Of phases with the same power the last; of too many, those nearest to equal steps of power, ends included."""
    by_power = {round(one.online_mw, 9): one for one in phases}
    left = [by_power[key] for key in sorted(by_power)]
    if len(left) <= MOST_PHASES:
        return left
    first, last = left[0].online_mw, left[-1].online_mw
    wanted = [first + (last - first) * k / (MOST_PHASES - 1) for k in range(MOST_PHASES)]
    picked = {min(range(len(left)), key=lambda k: abs(left[k].online_mw - mw)) for mw in wanted}
    return [left[k] for k in sorted(picked)]


def _ran(phase: Phase) -> PhaseRun:
    site, shares, lines = admitted(phase.site)
    with tempfile.TemporaryDirectory(prefix="aidc-build-") as folder:
        summary = run(site, out=Path(folder) / "run").summary
    days = site.scenario.days
    useful = {name: float(one["tokens_useful"]) / days for name, one in summary["services"].items()}
    trained = {name: float(one["tokens"]) / days for name, one in summary["jobs"].items()}
    bill = (summary.get("cost_usd") or {}).get("prorated")
    warm_min = max((float(one["not_held_min"]) for one in summary["cooling"].values()), default=0.0)
    told = [f"{phase.date}: {line}" for line in lines] + _bites(phase, summary, warm_min)
    if phase.off:
        told.append(f"{phase.date}: {', '.join(phase.off)} stay switched off: more runs without them")
    return PhaseRun(
        date=phase.date,
        commissioned_mw=phase.commissioned_mw,
        online_mw=phase.online_mw,
        import_limit_mw=phase.import_limit_mw,
        peak_import_mw=float(summary["peak_import_mw"]),
        useful_tokens_per_day=sum(useful.values()),
        trained_tokens_per_day=sum(trained.values()),
        tokens_per_day={**useful, **trained},
        tokenergy_kwh_per_mtok=(summary["tokenergy_kwh_per_mtok"] or {}).get("site"),
        pue=summary["pue"],
        availability_frac=float(summary["supply"]["availability_frac"]),
        cooling_not_held_min=warm_min,
        energy_usd_per_day=None if bill is None else float(bill) / days,
        demand_frac=shares,
        slo_attainment={name: one.get("slo_attainment") for name, one in summary["services"].items()},
        off=phase.off,
        told=tuple(told),
    )


def _bites(phase: Phase, summary: Mapping[str, Any], warm_min: float) -> list[str]:
    """Limits that bite in a phase."""
    told: list[str] = []
    supplied = float(summary["supply"]["availability_frac"])
    if supplied < 1.0 - _ENOUGH:
        told.append(f"{phase.date}: only {100 * supplied:.4g} % of the energy that IT asks for is supplied")
    if warm_min > 0.0:
        told.append(f"{phase.date}: cooling does not hold its set point for {warm_min:.4g} minutes")
    return told
