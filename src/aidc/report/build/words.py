"""Sentences of a build that terminal and report share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aidc.report.text import figure, short_money

__all__ = ["days", "other_worth", "plausible_line", "plausible_row", "span"]


def days(number: float) -> str:
    """A number of days, rounded."""
    whole = round(number)
    return f"{whole} day" if whole == 1 else f"{whole} days"


def other_worth(other: Mapping[str, Any]) -> str:
    """What the plan beside is worth and delivers, against this one."""
    value = other["value"]
    if not value:
        return ""
    less = value["npv_less_usd"]
    return (
        f"The net present value of {other['name']} is {short_money(value['npv_usd']['mean'])} in the mean, {short_money(abs(less))}"
        f" {'less' if less >= 0 else 'more'} than that of this plan (± {short_money(value['npv_less_error_usd'])}); up to the horizon it"
        f" delivers {figure(value['useful_tokens'] / 1e12)} against {figure(value['own_useful_tokens'] / 1e12)} Ttok."
    )


def plausible_line(found: Mapping[str, Any]) -> str:
    """What the plan takes, and the plan beside it."""
    at_site = found["months_at_site"]
    text = f"{found['note']} This plan takes {found['months']:.1f} months from its start"
    text += f", {at_site:.1f} from the first work at the site" if at_site is not None else ""
    share = found["time_over_other"]
    return text + (f", {share:.2f} of the time of the plan beside it." if share is not None else ".")


def plausible_row(row: Mapping[str, Any]) -> str:
    """A report, and the plan in its measure."""
    unit = row["unit"]
    return (
        f"Reported: {row['report']}: {span(row['reported_per_month'])} {unit} a month, {span(row['reported_time_over_other'])} of"
        f" the time; this plan builds {figure(row['built'], 4)} {unit}, {figure(row['per_month'], 3)} a month."
    )


def span(ends: Sequence[float]) -> str:
    """A figure, or the least and the most of it."""
    low, high = (figure(one, 2 if one < 1 else 3) for one in ends)
    return low if low == high else f"{low} to {high}"
