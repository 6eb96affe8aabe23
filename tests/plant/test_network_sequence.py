"""Faults in sequence components, against phase voltages written out by hand and through winding matrices."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.plant.network.sequence import fault_of, phases_of, through_winding

A = cmath.exp(2j * math.pi / 3)
KINDS = st.sampled_from(["3ph", "lg", "ll", "llg"])


def phase_voltages(kind: str, r: float) -> np.ndarray:
    """Unloaded phase voltages at the fault, from its definition."""
    v = np.array([1, A**2, A])
    if kind == "3ph":
        return r * v
    if kind == "lg":
        return v * [r, 1, 1]
    if kind == "llg":
        return v * [1, r, r]
    half = (v[1] - v[2]) / 2
    middle = (v[1] + v[2]) / 2
    return np.array([v[0], middle + r * half, middle - r * half])


@given(KINDS, st.floats(0.0, 1.0))
def test_sequences_rebuild_the_phase_voltages_of_the_fault(kind, r) -> None:
    fault, v = fault_of(kind, r), phase_voltages(kind, r)
    v1 = (v[0] + A * v[1] + A**2 * v[2]) / 3
    assert fault.source_frac == pytest.approx(abs(v1), abs=1e-12)
    if abs(v1) > 1e-6:
        phases = phases_of(fault)
        pn = np.abs(v) / abs(v1)
        pp = np.abs(v - np.roll(v, -1)) / math.sqrt(3) / abs(v1)
        found = (phases.pn_min, phases.pn_max, phases.pp_min, phases.pp_max)
        assert found == pytest.approx((pn.min(), pn.max(), pp.min(), pp.max()), abs=1e-9)


@given(KINDS, st.floats(0.0, 1.0))
def test_a_delta_star_transformer_passes_phase_to_phase_voltages_on(kind, r) -> None:
    """Behind Dy each phase is a phase-phase voltage of the other side over sqrt(3): Bollen, section 4.4."""
    v = phase_voltages(kind, r)
    behind = (v - np.roll(v, -1)) / math.sqrt(3)
    fault = through_winding(fault_of(kind, r), "Dy")
    if fault.source_frac > 1e-6:
        phases = phases_of(fault)
        pn = np.abs(behind) / fault.source_frac
        assert (phases.pn_min, phases.pn_max) == pytest.approx((pn.min(), pn.max()), abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "before", "behind"),
    [
        ("lg", [0, 1, 1], [1 / math.sqrt(3), 1, 1 / math.sqrt(3)]),
        ("ll", [1, 0.5, 0.5], [math.sqrt(3) / 2, 0, math.sqrt(3) / 2]),
    ],
)
def test_bolted_faults_behind_a_delta_star_transformer(kind, before, behind) -> None:
    fault = fault_of(kind, 0.0)
    scale = fault.source_frac
    here, there = phases_of(fault), phases_of(through_winding(fault, "Dy"))
    assert scale * here.pn_min == pytest.approx(min(before), abs=1e-12)
    assert scale * here.pn_max == pytest.approx(max(before), abs=1e-12)
    assert scale * there.pn_min == pytest.approx(min(behind), abs=1e-12)
    assert scale * there.pn_max == pytest.approx(max(behind), abs=1e-12)
    # a second one brings the phases back, without the zero sequence
    twice = phases_of(through_winding(through_winding(fault, "Dy"), "Dy"))
    straight = phases_of(through_winding(fault, "Yy"))
    assert twice == pytest.approx(straight, abs=1e-12)


@given(KINDS, st.floats(0.01, 1.0), st.floats(0.05, 0.95))
def test_a_shunt_fault_scales_source_and_impedance_alike(kind, r, load) -> None:
    """The divider Zsh/(Zs+Zsh), loaded, in the sequence networks with Z1 = Z2 = Z0."""
    fault = fault_of(kind, r)
    zs = 1j
    if fault.source_frac < 1 - 1e-9:
        shunt = zs * fault.source_frac / (1 - fault.source_frac)
        current = load * cmath.exp(-0.3j)  # any load current of positive sequence
        v1 = (1 - zs * current) * shunt / (zs + shunt)
        assert abs(v1 - (fault.source_frac - fault.source_frac * zs * current)) < 1e-12
