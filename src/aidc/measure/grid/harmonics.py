"""Harmonics: a screening from spectra at a stated load, without resonance, background or phase angles.

Currents of the same order add by the second summation law of IEC 61000-3-6, I_h = (Σ I_hi^a)^(1/a), with
a = 1 below the 5th, 1.4 from the 5th to the 10th and 2 above (engineering knowledge without a checked
source). Voltage is V_h = h·X_sc·I_h: real networks resonate with cables and filters, so a pass here is no
proof, and a limit in percentiles of days or weeks cannot be judged at all. No measured spectra ship with
aidc, since none with a checked source was found; `ideal_rectifier` is a textbook bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from aidc.errors import InputError, Problem
from aidc.measure.grid.stream import StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import Harmonics

__all__ = [
    "HarmonicSource",
    "HarmonicsMeter",
    "harmonic_currents_a",
    "harmonic_voltages_frac",
    "ideal_rectifier",
    "screen_harmonics",
    "summation_exponent",
]


@dataclass(frozen=True, slots=True)
class HarmonicSource:
    """Devices of one class: `percent` is each order's current in per cent of the rated fundamental.

    `load_frac` is the load that the spectrum was measured at, `rated_va` that of one device and `count`
    how many run. The spectrum holds at that load alone.
    """

    rated_va: float
    percent: Mapping[int, float]
    count: int = 1
    load_frac: float = 1.0


def summation_exponent(order: int) -> float:
    """Exponent of the summation law of IEC 61000-3-6."""
    return 1.0 if order < 5 else 1.4 if order <= 10 else 2.0


def ideal_rectifier(pulses: int, highest: int = 50) -> dict[int, float]:
    """Current of an ideal rectifier with a smooth direct current: 100/h per cent at h = k·pulses ± 1.

    Closed form of the Fourier series of its stepped current; overlap makes real currents smaller.
    """
    return {
        order: 100.0 / order
        for order in range(2, highest + 1)
        if order % pulses in {1, pulses - 1}
    }  # fmt: skip


def harmonic_currents_a(sources: Mapping[str, HarmonicSource], voltage_v: float) -> dict[int, float]:
    """Current of each order at the connection [A], summed over devices and classes."""
    for name, source in sources.items():
        _checked(name, source)
    orders = sorted({order for source in sources.values() for order in source.percent})
    currents: dict[int, float] = {}
    for order in orders:
        exponent = summation_exponent(order)
        total = sum(
            source.count * (source.percent.get(order, 0.0) / 100.0 * _rated_a(source, voltage_v)) ** exponent
            for source in sources.values()
        )
        currents[order] = total ** (1.0 / exponent)
    return currents


def harmonic_voltages_frac(
    currents_a: Mapping[int, float], voltage_v: float, short_circuit_va: float, x_over_r: float
) -> dict[int, float]:
    """V_h = h·X_sc·I_h over the nominal phase-neutral voltage.

    `currents_a` are phase currents by harmonic order [A], `voltage_v` is nominal line to line [V], `short_circuit_va`
    the short-circuit power [VA] and `x_over_r` the X/R of the source.
    """
    reactance_ohm = voltage_v**2 / short_circuit_va * math.sin(math.atan(x_over_r))
    phase_v = voltage_v / math.sqrt(3.0)
    return {order: order * reactance_ohm * current / phase_v for order, current in currents_a.items()}


def screen_harmonics(
    clause: Harmonics, connection: Connection, sources: Mapping[str, HarmonicSource]
) -> list[Verdict]:
    """Total demand distortion by Isc/IL class, and voltage distortion, against a clause."""
    kv = connection.voltage_v / 1e3
    if not clause.min_kv <= kv < clause.max_kv:
        return [
            not_applicable(
                clause, f"concerns {clause.min_kv:g} to {clause.max_kv:g} kV, the site has {kv:g} kV"
            )
        ]
    if clause.percentile is not None:
        return [not_assessable(clause, "percentiles of days and weeks need a measurement of that length")]
    if not sources:
        return [not_assessable(clause, "no harmonic current spectra of the site's equipment are stated")]
    if connection.short_circuit_va is None:
        return [not_assessable(clause, "needs the short-circuit level, which is not stated")]
    currents_a = harmonic_currents_a(sources, connection.voltage_v)
    verdicts: list[Verdict] = []
    if clause.tdd_percent:
        verdicts.append(_demand_distortion(clause, connection, currents_a))
    if clause.thd_v_percent is not None:
        verdicts.append(_voltage_distortion(clause, connection, currents_a, clause.thd_v_percent))
    return verdicts or [not_assessable(clause, "the clause states no limit")]


class HarmonicsMeter(StreamMeter[Harmonics]):
    """Phasors hold no harmonics: the verdict comes from `sources`, whatever is fed."""

    def __init__(
        self,
        clause: Harmonics,
        connection: Connection,
        step_s: Fraction,
        sources: Mapping[str, HarmonicSource] | None = None,
    ) -> None:
        super().__init__(clause, connection, step_s)
        self._sources = dict(sources or {})

    def feed(self, block: Waveform) -> None:
        """Nothing: no sample of a phasor series bears on harmonics."""

    def verdicts(self) -> list[Verdict]:
        return screen_harmonics(self.clause, self.connection, self._sources)

    def _take(self, block: Waveform) -> None: ...

    def _judge(self) -> list[Verdict]:
        return self.verdicts()


def _rated_a(source: HarmonicSource, voltage_v: float) -> float:
    return source.rated_va / (math.sqrt(3.0) * voltage_v)


def _checked(name: str, source: HarmonicSource) -> None:
    wrong: dict[str, object] = {
        f"order {order}": share
        for order, share in source.percent.items()
        if order < 2 or not 0 <= share <= 1000
    }
    if not (math.isfinite(source.rated_va) and source.rated_va > 0):
        wrong["rated_va"] = source.rated_va
    if source.count < 0:
        wrong["count"] = source.count
    if wrong:
        raise InputError(
            Problem(
                "a harmonic spectrum has an impossible figure",
                "give orders from 2, shares from 0 to 1000 % and a rating above zero",
                key=name,
                value=wrong,
            )
        )


def _demand_distortion(clause: Harmonics, connection: Connection, currents_a: Mapping[int, float]) -> Verdict:
    if len(clause.tdd_percent) != len(clause.isc_over_il) + 1:
        raise InputError(
            Problem(
                f"tdd_percent has {len(clause.tdd_percent)} limits for {len(clause.isc_over_il)} class ends",
                "give one limit more than ends: the last class is open",
                key=clause.clause,
            )
        )
    demand_va = connection.demand_w or connection.site_w
    ratio = (connection.short_circuit_va or 0.0) / demand_va
    row = sum(ratio >= end for end in sorted(clause.isc_over_il))
    demand_a = demand_va / (math.sqrt(3.0) * connection.voltage_v)
    value = 100.0 * math.hypot(*currents_a.values()) / demand_a
    reason = f"Isc/IL {ratio:.3g}; screening without resonance, {_strongest(currents_a)}"
    limit = clause.tdd_percent[row]
    return judge(
        clause, value, limit, "%", reason=reason, case="demand distortion",
        suggestion=_cut(value, limit, "harmonic current"),
    )  # fmt: skip


def _voltage_distortion(
    clause: Harmonics, connection: Connection, currents_a: Mapping[int, float], limit: float
) -> Verdict:
    voltages = harmonic_voltages_frac(
        currents_a, connection.voltage_v, connection.short_circuit_va or math.inf, connection.x_over_r
    )
    value = 100.0 * math.hypot(*voltages.values())
    reason = f"screening without resonance or background, {_strongest(voltages)}"
    return judge(
        clause, value, limit, "%", reason=reason, case="voltage distortion",
        suggestion=_cut(value, limit, "harmonic current"),
    )  # fmt: skip


def _strongest(by_order: Mapping[int, float]) -> str:
    return f"strongest order {max(by_order, key=lambda order: by_order[order])}" if by_order else "no orders"


def _cut(value: float, limit: float, what: str) -> str:
    return f"cut {what} to {limit / value:.0%}" if value > limit else ""
