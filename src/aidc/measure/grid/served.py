"""The IT was served: the third of the three verdicts over a fault: the owner's, not the grid's.

A site can stay connected and recover its grid power while racks starve behind a tripped rectifier, or leave
the grid while the racks notice nothing; so this is judged apart, as rule `it-served`, from what the racks
ask for and what they get.
"""

from __future__ import annotations

import numpy as np

from aidc.errors import InputError, Problem
from aidc.measure.grid.channel import checked, first_s
from aidc.measure.grid.verdict import Verdict
from aidc.record.waveform import Waveform

__all__ = ["LEAST_SERVED_FRAC", "it_served"]

LEAST_SERVED_FRAC = 1 - 1e-3
"""Served in full: within a thousandth, the resolution of the model's power balance (our choice)."""

_NO_DEMAND = 1e-6


def it_served(w: Waveform, case: str = "", least_frac: float = LEAST_SERVED_FRAC) -> Verdict:
    """Least share of the racks' demand that was served at any sample, against `least_frac`.

    Samples that ask for less than a millionth of the greatest demand are left out. The reason states the
    energy that was not served and when the worst sample was.
    """
    if not 0 < least_frac <= 1:
        raise InputError(
            Problem(
                "the least share served is not within 0 to 1",
                "give 0.999, say",
                key="least_frac",
                value=least_frac,
            )
        )
    missing = [name for name in ("it_demand_w", "it_served_w") if name not in w]
    if missing:
        return _told("not_assessable", f"the record has no {', '.join(missing)}", case)
    demand, served = checked(w, "it_demand_w"), checked(w, "it_served_w")
    greatest = float(demand.max(initial=0.0))
    if greatest <= 0:
        return _told("not_applicable", "the racks ask for nothing", case)
    share = np.divide(served, demand, out=np.ones(demand.size), where=demand > _NO_DEMAND * greatest)
    k = int(share.argmin())
    value = float(share[k])
    lost_j = float(np.maximum(demand - served, 0.0).sum()) * float(w.step_s)
    at_s = first_s(w) + k * float(w.step_s)
    kept = "served throughout" if value >= least_frac else f"least at {at_s:.4g} s"
    reason = f"{kept}; {lost_j / 3.6e6:.4g} kWh not served"
    result = "pass" if value >= least_frac else "fail"
    return Verdict(
        "it-served", "IT served", result, least_frac, value, "share", (value - least_frac) / least_frac,
        reason, status="reference", confidence="owner's criterion", case=case,
    )  # fmt: skip


def _told(result: str, reason: str, case: str) -> Verdict:
    return Verdict(
        "it-served", "IT served", "not_applicable" if result == "not_applicable" else "not_assessable",
        reason=reason, status="reference", confidence="owner's criterion", case=case,
    )  # fmt: skip
