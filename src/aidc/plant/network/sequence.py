"""Faults in symmetrical components, and what a transformer's windings make of them.

A fault of residual r at the point of interconnection is a shunt between the sequence networks, with all
source impedances equal (Z2 = Z0 = Z1). Seen from the site it scales the positive-sequence source and its
impedance alike by `source_frac`, and adds V2 and V0 in fixed ratio to V1, loaded or not: for a shunt Zsh behind
Zs both the divider Zsh/(Zs+Zsh) and the parallel impedance Zs·Zsh/(Zs+Zsh) carry the same factor.

M. H. J. Bollen, Understanding Power Quality Problems, IEEE Press 2000, sections 4.2 to 4.4. Phase voltages
from sequence voltages: C. L. Fortescue, AIEE Trans. 37 (1918) 1027-1140.
"""

from __future__ import annotations

import cmath
import math
from typing import Final, Literal, NamedTuple

__all__ = ["HEALTHY", "Fault", "Phases", "fault_of", "phases_of", "through_winding"]

FaultKind = Literal["3ph", "lg", "ll", "llg"]
_A: Final = cmath.exp(2j * math.pi / 3)
_SHIFT: Final = cmath.exp(1j * math.pi / 6)


class Fault(NamedTuple):
    """V1 over its value without fault, and V2 and V0 over the faulted V1 (phase a or b-c as reference)."""

    source_frac: float
    v2_ratio: complex
    v0_ratio: complex


class Phases(NamedTuple):
    """Extremes over the phases, each over the positive-sequence voltage."""

    pn_min: float
    pn_max: float
    pp_min: float
    pp_max: float


HEALTHY: Final = Fault(1.0, 0j, 0j)


def fault_of(kind: FaultKind, residual_pu: float) -> Fault:
    """Sequence voltages of a fault.

    Parameters
    ----------
    kind
        Three-phase, phase a to ground, phases b and c together, or both to ground.
    residual_pu
        Voltage that the faulted phases keep without load: of a phase to neutral, for "ll" between the
        two phases over nominal.
    """
    r = residual_pu
    if kind == "3ph":
        return Fault(r, 0j, 0j)
    if kind == "lg":
        v1, v2, v0 = (2 + r) / 3, (r - 1) / 3, (r - 1) / 3
    elif kind == "ll":
        v1, v2, v0 = (1 + r) / 2, (1 - r) / 2, 0.0
    else:
        v1, v2, v0 = (1 + 2 * r) / 3, (1 - r) / 3, (1 - r) / 3
    return Fault(v1, complex(v2 / v1), complex(v0 / v1))


def through_winding(fault: Fault, winding: str) -> Fault:
    """The same fault behind a transformer.

    A delta or an unearthed star on either side stops the zero sequence ("Yy" too, taken as unearthed on the
    site's side). Between star and delta the positive sequence turns by 30 degrees one way and the
    negative the other; only their difference of 60 degrees matters to magnitudes.
    """
    turned = winding in ("Dy", "Yd")
    ratio = fault.v2_ratio * _SHIFT.conjugate() / _SHIFT if turned else fault.v2_ratio
    return Fault(fault.source_frac, ratio, 0j)


def phases_of(fault: Fault) -> Phases:
    """Least and greatest phase-neutral and phase-phase voltage over V1."""
    v = [_A ** (-k) + _A**k * fault.v2_ratio + fault.v0_ratio for k in range(3)]
    pn = [abs(one) for one in v]
    pp = [abs(v[k] - v[(k + 1) % 3]) / math.sqrt(3) for k in range(3)]
    return Phases(min(pn), max(pn), min(pp), max(pp))
