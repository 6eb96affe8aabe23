"""The site on a quiet grid: an hour of its own doing, and the start and abort of every job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from aidc.measure.grid.meter import Meter, meter_of
from aidc.measure.grid.oscillation import APART
from aidc.measure.grid.spectrum import SpectrumMeter
from aidc.measure.grid.verdict import Connection, Verdict
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import Clause, Oscillation, Ramp
from aidc.schema.disturbance import JobAbort, JobStart
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.window import open_window
from aidc.study.windows.verdicts import NamedWindow

__all__ = ["NormalResult", "run_normal"]

_BLOCK_S = 60
_SEEN_S = Fraction(1, 10)  # resolution of the hour as it is kept for report and sizing
_CLOSE_S = Fraction(1, 200)  # resolution of the minute that is kept close
_EVENT_S = 120.0  # when a job starts or ends in its window: after the filters have settled
_SPECTRUM_HZ = 55.0
_SPECTRUM_SEGMENT_S = 100.0

Progress = Callable[[int, int], None]


@dataclass
class NormalResult:
    """Verdicts by clause index, windows, and the hour at 0.1 s.

    `lines` are the strongest of the power's spectrum (Hz, W, share of variance), `modes` its amplitude near
    each named generator mode (name, Hz, W).
    """

    verdicts: dict[int, list[Verdict]] = field(default_factory=dict[int, list[Verdict]])
    windows: list[NamedWindow] = field(default_factory=list[NamedWindow])
    hour: Waveform | None = None
    lines: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])
    modes: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    steps: int = 0
    residual_frac: float = 0.0
    collapsed_s: float = 0.0


def run_normal(
    site: Site,
    point: OperatingPoint,
    clauses: Sequence[Clause],
    connection: Connection,
    step_s: Fraction,
    duration_s: float,
    progress: Progress | None = None,
) -> NormalResult:
    """Step the site through `duration_s` without any event, then through each job's start and abort.

    Every clause that has a meter is judged on the quiet hour; oscillation and ramps also on the windows
    with a start or an abort, apart from normal operation.

    `clauses` is the rule set, `step_s` the step [s]; `progress` is told of every block.
    """
    result = NormalResult()
    meters = {
        index: meter
        for index, clause in enumerate(clauses)
        if (meter := meter_of(clause, connection, step_s)) is not None
    }
    if not meters:
        return result
    _hour(site, point, meters, connection, step_s, duration_s, result, progress)
    for index, meter in meters.items():
        result.verdicts[index] = meter.verdicts()
    if any(clauses[index].swings for index in meters):
        for name in site.jobs:
            for event in (
                JobStart(use="job-start", start_s=_EVENT_S, job=name),
                JobAbort(use="job-abort", start_s=_EVENT_S, job=name),
            ):
                _event(site, point, clauses, connection, step_s, event, result)
    return result


def _hour(
    site: Site,
    point: OperatingPoint,
    meters: dict[int, Meter],
    connection: Connection,
    step_s: Fraction,
    duration_s: float,
    result: NormalResult,
    progress: Progress | None,
) -> None:
    window = open_window(site, point, duration_s=duration_s, step_s=step_s)
    spectrum = SpectrumMeter(step_s, _SPECTRUM_SEGMENT_S, _SPECTRUM_HZ)
    kept: list[Waveform] = []
    close: Waveform | None = None
    swing = -1.0
    while not window.done:
        block = window.advance(round(_BLOCK_S / step_s))
        for meter in meters.values():
            meter.feed(block)
        spectrum.feed(block["p_w"])
        kept.append(_decimated(block, _SEEN_S))
        power = block["p_w"]
        if (now := float(power.max() - power.min())) > swing:
            swing, close = now, _decimated(block, _CLOSE_S)
        if progress is not None:
            progress(window.tick, window.steps)
    found = spectrum.spectrum()
    if found is not None:
        result.lines = [(line.frequency_hz, line.amplitude_w, line.variance_frac) for line in found.lines(5)]
        near = [found.mode(name, hz) for name, hz in connection.modes_hz]
        result.modes = [(one.name, one.frequency_hz, one.amplitude_w) for one in near]
    result.hour = Waveform.joined(kept)
    result.steps += window.steps
    result.residual_frac = abs(window.books().residual_frac)
    result.collapsed_s = max(window.collapsed_s, window.unsolved_s)
    result.windows.append(
        NamedWindow(
            "normal", "Normal operation", result.hour, note="means of 0.1 s, judged at full resolution"
        )
    )
    if close is not None:
        result.windows.append(
            NamedWindow("normal-close", "The minute with the largest swing", close, note="means of 5 ms")
        )


def _event(
    site: Site,
    point: OperatingPoint,
    clauses: Sequence[Clause],
    connection: Connection,
    step_s: Fraction,
    event: JobStart | JobAbort,
    result: NormalResult,
) -> None:
    """One start or abort: only windows that touch it are judged here."""
    longest = max((c.window_s for c in clauses if isinstance(c, (Oscillation, Ramp))), default=5.0)
    duration_s = _EVENT_S + max(2.0 * longest, 120.0)
    window = open_window(site, point, [event], duration_s=duration_s, step_s=step_s)
    mark = Mark(event.use, _EVENT_S, min(_EVENT_S + longest, duration_s), event.job)
    meters = {
        index: meter
        for index, clause in enumerate(clauses)
        if isinstance(clause, (Oscillation, Ramp))
        and (meter := meter_of(clause, connection, step_s)) is not None
    }
    kept: list[Waveform] = []
    while not window.done:
        block = replace(window.advance(round(_BLOCK_S / step_s)), marks=(mark,))
        for meter in meters.values():
            meter.feed(block)
        kept.append(_decimated(block, Fraction(1, 50)))
    words = {"job-start": "start", "job-abort": "abort"}[event.use]
    for index, meter in meters.items():
        for verdict in meter.verdicts():
            if verdict.case == APART or isinstance(clauses[index], Ramp):
                case = f"{words} of job {event.job}"
                result.verdicts.setdefault(index, []).append(replace(verdict, case=case))
    result.steps += window.steps
    shown = replace(Waveform.joined(kept), marks=(mark,))
    title = f"{words.capitalize()} of job {event.job}"
    result.windows.append(NamedWindow(f"{event.use}-{event.job}", title, shown, (mark,)))


def _decimated(block: Waveform, step_s: Fraction) -> Waveform:
    return block.thinned(max(1, round(step_s / block.step_s)))
