"""The site's own clock: UTC to local time through daylight saving, and calendar months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from aidc.clock import as_utc
from aidc.errors import InputError, Problem

__all__ = ["BillingMonth", "billing_months", "local_times", "utc_of", "zone_of"]

_MINUTE_US = 60_000_000
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class BillingMonth:
    """A calendar month of the site's time zone, as far as it lies within a run.

    `month_frac` is the share of the month that the run covers, for fixed charges.
    """

    label: str
    start: datetime
    end: datetime
    month_frac: float


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of this name.

    Raises
    ------
    InputError
        There is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            Problem(
                "is not a known time zone",
                "Use an IANA name such as America/New_York.",
                key="timezone",
                value=name,
            )
        ) from error


def local_times(times: NDArray[np.datetime64], timezone: str) -> NDArray[np.datetime64]:
    """Wall-clock times (naive datetime64[us]) of UTC times (naive datetime64), any order, (n,).

    Offsets are asked for once a day and, where a day's ends differ, to the minute of the change.
    """
    micro = times.astype("datetime64[us]").astype(np.int64)
    if micro.size == 0:
        return times.astype("datetime64[us]")
    zone = zone_of(timezone)
    first, last = int(micro.min()) // _DAY_US, int(micro.max()) // _DAY_US + 1
    changes, offsets = [first * _DAY_US], [_offset_us(zone, first * _DAY_US)]
    for day in range(first, last):
        low, high = day * _DAY_US, (day + 1) * _DAY_US
        after = _offset_us(zone, high)
        if after != offsets[-1]:
            before = offsets[-1]
            while high - low > _MINUTE_US:
                middle = (low + high) // (2 * _MINUTE_US) * _MINUTE_US
                low, high = (middle, high) if _offset_us(zone, middle) == before else (low, middle)
            changes.append(high)
            offsets.append(after)
    offset = np.array(offsets)[np.searchsorted(np.array(changes), micro, side="right") - 1]
    return (micro + offset).astype("datetime64[us]")


def utc_of(local_us: NDArray[np.int64], timezone: str) -> tuple[NDArray[np.int64], int | None]:
    """UTC of wall-clock times in the order in which they happened [µs since 1970], (n,).

    Of the two instants that a time in autumn can be, the first that lies after the row before it counts.
    The second part is the first row with a time that its day does not have, if any.
    """
    zone = zone_of(timezone)
    found = np.empty_like(local_us)
    before = -(2**62)
    for row, micro in enumerate(local_us.tolist()):
        wall = datetime(1970, 1, 1) + timedelta(microseconds=micro)  # noqa: DTZ001  a wall clock has no zone
        offsets = [
            (wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()) // timedelta(microseconds=1)
            for fold in (0, 1)
        ]
        early, late = micro - offsets[0], micro - offsets[1]
        if offsets[0] < offsets[1]:  # skipped: before the change the offset is the smaller
            return found, row
        found[row] = late if early <= before else early
        before = int(found[row])
    return found, None


def billing_months(start: datetime, end: datetime, timezone: str) -> tuple[BillingMonth, ...]:
    """The calendar months (site time) that [start, end) touches, clipped to it."""
    zone = zone_of(timezone)
    months: list[BillingMonth] = []
    local = as_utc(start).astimezone(zone)
    year, month = local.year, local.month
    while (first := datetime(year, month, 1, tzinfo=zone)).astimezone(UTC) < as_utc(end):
        label = f"{year:04d}-{month:02d}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        whole = (first.astimezone(UTC), datetime(year, month, 1, tzinfo=zone).astimezone(UTC))
        clipped = (max(whole[0], as_utc(start)), min(whole[1], as_utc(end)))
        share = (clipped[1] - clipped[0]) / (whole[1] - whole[0])
        months.append(BillingMonth(label, *clipped, share))
    return tuple(months)


def _offset_us(zone: ZoneInfo, micro: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
