"""Numbers and times as people read them: human units, four significant figures, no NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = [
    "CLOSED",
    "MISSING",
    "aligned",
    "closes",
    "duration",
    "figure",
    "instant",
    "label",
    "local_span",
    "money",
    "percent",
    "scaled",
    "short_money",
    "span",
    "tokens",
]

MISSING = "–"
CLOSED = 1e-9  # share of the flows: a thousand times what rounding leaves of a year
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def figure(value: Any, digits: int = 4) -> str:
    """A number with `digits` significant figures and thousands separators; a dash for what is none."""
    number = _number(value)
    if number is None:
        return MISSING
    size = abs(number)
    if size == 0:
        return "0"
    if size < 1e-3 or size >= 1e12:
        mantissa, exponent = f"{number:.{max(digits - 2, 1)}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{number:,.{decimals}f}"
    return text if decimals == 0 else text.rstrip("0").rstrip(".")


def aligned(values: Sequence[Any], digits: int = 5) -> list[str]:
    """Numbers of one column with the same decimals, so many that the largest shows `digits` figures."""
    numbers = [_number(value) for value in values]
    top = max((abs(number) for number in numbers if number is not None), default=0.0)
    decimals = max(0, digits - 1 - math.floor(math.log10(top))) if top > 0 else 0
    least = 0.5 * 10.0**-decimals
    return [
        figure(number, 2) if number is None or 0 < abs(number) < least else f"{number:,.{decimals}f}"
        for number in numbers
    ]


def percent(frac: Any, digits: int = 4) -> str:
    """A fraction in percent."""
    number = _number(frac)
    return MISSING if number is None else f"{figure(100 * number, digits)} %"


def money(usd: Any) -> str:
    """Dollars, whole from a hundred on."""
    number = _number(usd)
    if number is None:
        return MISSING
    sign = "−" if number < 0 else ""
    return f"{sign}${abs(number):,.0f}" if abs(number) >= 100 else f"{sign}${abs(number):,.2f}"


def short_money(usd: Any, digits: int = 3) -> str:
    """Dollars to a few figures, in thousands, millions or billions."""
    number = _number(usd)
    if number is None:
        return MISSING
    sign, size = ("−" if number < 0 else ""), abs(number)
    for factor, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= factor * 0.9995:
            return f"{sign}${figure(size / factor, digits)}{letter}"
    return money(number)


def scaled(value: Any, unit: str, digits: int = 4) -> tuple[str, str]:
    """A number and its unit with an SI prefix: 1.87e12, "tok" gives ("1.87", "Ttok")."""
    number = _number(value)
    if number is None:
        return MISSING, unit
    for factor, prefix in _PREFIXES:
        if abs(number) >= factor * 0.99995:
            return figure(number / factor, digits), prefix + unit
    return figure(number, digits), unit


def tokens(value: Any) -> str:
    """A count of tokens with an SI prefix."""
    return " ".join(scaled(value, "tok"))


def duration(seconds: Any) -> str:
    """Seconds as the largest unit that reads well."""
    number = _number(seconds)
    if number is None:
        return MISSING
    for factor, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if abs(number) >= factor:
            return f"{figure(number / factor)} {unit}"
    return f"{figure(number * 1e3)} ms"


def instant(moment: Any) -> str:
    """An instant in UTC to the minute, or to the second where it has seconds."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return moment
    if not isinstance(moment, datetime):
        return MISSING if moment is None else str(moment)
    utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return utc.strftime("%Y-%m-%d %H:%M" if utc.second == 0 else "%Y-%m-%d %H:%M:%S")


def span(start: Any, end: Any) -> str:
    """A window of time."""
    return f"{instant(start)} to {instant(end)} UTC"


def closes(frac: Any) -> str:
    """How well books close, in words: `close to 1e-16` is the power of ten that the unexplained share stays below."""
    number = _number(frac)
    if number is None:
        return "are not known to close"
    if number == 0:
        return "close exactly"
    if abs(number) > CLOSED:
        return f"do not close: {figure(abs(number), 3)} is unexplained"
    return f"close to 1e{math.ceil(math.log10(abs(number)))}"


def local_span(start: Any, end: Any, zone: Any) -> str:
    """A window on the clocks of an IANA zone; "" where that is UTC or something is unknown."""
    if not isinstance(zone, str) or zone == "UTC":
        return ""
    try:
        clock = ZoneInfo(zone)
        first, last = (datetime.fromisoformat(one).astimezone(clock) for one in (start, end))
    except (TypeError, ValueError, ZoneInfoNotFoundError):
        return ""
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} {zone}"


def label(text: Any) -> str:
    """Text for a plotly label, which reads some tags: no tag survives."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None
