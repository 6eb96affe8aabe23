"""Frequency services: what the site delivers of one, over steps, ramps and a recorded day.

Delivered is the meter against the same run without the service, on the same seed and the same frequency. A
storage that runs empty (or full) shows as a shortfall.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np

from aidc.datasets import find, locate
from aidc.errors import InputError
from aidc.measure.grid.services import ServiceResult, service
from aidc.measure.grid.verdict import Verdict, not_applicable, worst
from aidc.record.waveform import Mark, Waveform
from aidc.scenario.frequency_trace import load_trace
from aidc.schema.code import FrequencyService
from aidc.schema.disturbance import Disturbance, FrequencyRamp, FrequencyStep, FrequencyTrace
from aidc.schema.grid_service import GridService
from aidc.schema.site import Site
from aidc.simulate.transient.course import Trace
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.window import open_window
from aidc.study.windows.verdicts import NamedWindow
from aidc.units import J_PER_MWH, MEGA

__all__ = ["ServiceCases", "offered_service", "run_service"]

_BEFORE_S: Final = 5.0
_AFTER_S: Final = 5.0
_LONGEST_S: Final = 3600.0
_UNSTATED_S: Final = 60.0  # how long a response is tried whose duration the rule does not state
_LARGEST_HZ: Final = 0.5
_RAMP_HZ_PER_S: Final = 0.1
_DAY: Final = ("grid-frequency", "day_1s.csv")
_DAY_S: Final = 86_400.0
_COARSE: Final = Fraction(1, 100)  # step of windows longer than two minutes
_SHORT_S: Final = 120.0
_KEPT_SAMPLES: Final = 20_000
_SEEN: Final = 10  # samples of the coarse step that one judged sample of the day is the mean of


@dataclass
class ServiceCases:
    """Verdict, windows and figures of one service."""

    verdict: Verdict
    windows: list[NamedWindow] = field(default_factory=list[NamedWindow])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def offered_service(site: Site, clause: FrequencyService) -> GridService | None:
    """The site's own service; else the clause's curve, offered by all storage that has no other law."""
    if site.grid.service is not None:
        return site.grid.service
    power = sum(
        shape.power_mw or 0.0
        for shape in site.storage.values()
        if shape.node == "site" and shape.converter.law.use == "none"
    )
    if power <= 0:
        return None
    return GridService(
        offered_mw=power, deviation_hz=clause.deviation_hz[-4:], response_frac=clause.response_frac[-4:]
    )


def run_service(
    site: Site, point: OperatingPoint, clause: FrequencyService, step_s: Fraction
) -> ServiceCases:
    """Try a service; the worst case counts.

    `step_s` is the step of the windows [s].
    """
    offer = offered_service(site, clause)
    if offer is None:
        return ServiceCases(
            not_applicable(
                clause, "the site offers no frequency service: no storage is free, and no [grid.service]"
            )
        )
    serving = _with_service(site, offer)
    without = _with_service(site, None)
    found = ServiceCases(not_applicable(clause, "nothing was tried"))
    verdicts: list[Verdict] = []
    for name, event, length_s in _events(clause):
        done, waveform, calm, soc = _case(
            serving, without, point, clause, offer, event, length_s, step_s, name
        )
        verdicts.append(done.verdict)
        found.facts[name] = {
            "delivered_mwh": (done.energy_low_j + done.energy_high_j) / J_PER_MWH,
            "available_frac": done.available_frac,
            "worst_shortfall_frac": done.worst_shortfall_frac,
            "soc_at_end": soc,
        }
        if worst(verdicts) == done.verdict or not found.windows:
            mark = Mark(event.use, _BEFORE_S, length_s, name)
            found.windows = [_kept(clause, name, waveform, calm, mark)]
    by = (
        "site's own [grid.service]"
        if site.grid.service
        else f"{offer.offered_mw:g} MW of storage on the product's curve"
    )
    unseen = "" if "recorded day" in found.facts else "; the recorded day is not at hand (aidc data list)"
    found.verdict = replace(worst(verdicts), reason=f"offered: {by}; {worst(verdicts).reason}{unseen}")
    return found


def _kept(clause: FrequencyService, name: str, shown: Waveform, calm: Waveform, mark: Mark) -> NamedWindow:
    """The window as it is kept: a day is thinned to what a chart can show."""
    many = max(1, len(shown) // _KEPT_SAMPLES)
    title = f"{clause.clause}: {name}"
    return NamedWindow(
        f"service-{clause.clause}", title, shown.thinned(many), (mark,), calm.thinned(many),
        note="" if many == 1 else f"means of {many * float(shown.step_s):g} s, judged at full resolution",
    )  # fmt: skip


def _with_service(site: Site, offer: GridService | None) -> Site:
    return site.model_copy(update={"grid": site.grid.model_copy(update={"service": offer})})


def _events(clause: FrequencyService) -> list[tuple[str, Disturbance, float]]:
    """Steps and ramps to the end of the curve and to 0.5 Hz, both ways where the product has both."""
    held = min(clause.duration_s or _UNSTATED_S, _LONGEST_S) + clause.full_s
    signs = {"both": (-1.0, 1.0), "low": (-1.0,), "high": (1.0,)}[clause.direction]
    sizes = sorted({min(clause.deviation_hz[-1], _LARGEST_HZ), _LARGEST_HZ})
    found: list[tuple[str, Disturbance, float]] = []
    for sign in signs:
        for size in sizes:
            change = sign * size
            step = FrequencyStep(use="frequency-step", start_s=_BEFORE_S, change_hz=change, duration_s=held)
            found.append((f"step of {change:+.3g} Hz for {held:.4g} s", step, _BEFORE_S + held + _AFTER_S))
        ramp = FrequencyRamp(
            use="frequency-ramp",
            start_s=_BEFORE_S,
            change_hz=sign * _LARGEST_HZ,
            rocof_hz_per_s=_RAMP_HZ_PER_S,
            hold_s=clause.full_s + 5.0,
        )
        length_s = _BEFORE_S + 2 * _LARGEST_HZ / _RAMP_HZ_PER_S + clause.full_s + 5.0 + _AFTER_S
        found.append((f"ramp to {sign * _LARGEST_HZ:+.3g} Hz at {_RAMP_HZ_PER_S:g} Hz/s", ramp, length_s))
    if not _day_at_hand():
        return found
    day = FrequencyTrace(use="frequency-trace", start_s=0.0, dataset=_DAY[0], file=_DAY[1])
    return [*found, ("recorded day", day, _DAY_S)]


def _day_at_hand() -> bool:
    """Whether the recorded day lies on this machine; a name that the registry does not know is a defect."""
    entry = find(_DAY[0])
    entry.file(_DAY[1])
    try:
        locate(entry, _DAY[1])
    except InputError:
        return False
    return True


def _case(
    serving: Site,
    without: Site,
    point: OperatingPoint,
    clause: FrequencyService,
    offer: GridService,
    event: Disturbance,
    length_s: float,
    step_s: Fraction,
    name: str,
) -> tuple[ServiceResult, Waveform, Waveform, float]:
    """One case with and without the service."""
    step = step_s if length_s <= _SHORT_S else max(step_s, _COARSE)
    many = _SEEN if length_s > _LONGEST_S + 600.0 else 1
    shown = _stepped(serving, point, event, length_s, step, many)
    calm = _stepped(without, point, event, length_s, step, many)
    done = service(clause, shown, np.ascontiguousarray(calm["p_w"]), offer.offered_mw * MEGA, case=name)
    return done, shown, calm, float(shown["soc_frac"][-1])


def _stepped(
    site: Site, point: OperatingPoint, event: Disturbance, length_s: float, step_s: Fraction, many: int
) -> Waveform:
    nominal = float(site.grid.frequency_hz)
    window = open_window(
        site,
        point,
        [event],
        duration_s=length_s,
        step_s=step_s,
        trace_of=lambda one: _trace(site, one, nominal),
    )
    kept: list[Waveform] = []
    while not window.done:
        block = window.advance(60_000)
        kept.append(block if many == 1 else block.thinned(many))
    return Waveform.joined(kept)


def _trace(site: Site, event: FrequencyTrace, nominal_hz: float) -> Trace:
    series = load_trace(event, site.folder, nominal_hz)
    return Trace(series.time_s - event.start_s, series.frequency_hz, np.ones_like(series.time_s))
