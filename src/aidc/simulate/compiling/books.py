"""The books interval: the span over which a run books energy, money, carbon and tokens, whatever it writes down.

60 s, or the longest shorter span of whole steps that divides the metering intervals of demand, and within which no
price and no intensity of carbon changes; so that in each row of the books power meets one price. The output step has no
part in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from aidc.clock import Clock
from aidc.scenario.series import Series
from aidc.schema.market import Tariff
from aidc.simulate.compiling.compiled import Market
from aidc.units import MINUTE_S

__all__ = ["LONGEST_S", "book_steps", "market_series"]

LONGEST_S: Final = 60
_MIDNIGHT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_ROWS: Final = 3_000_000  # of the books: a year at 10 s


def market_series(market: Market) -> dict[str, Series]:
    """The series that multiply a power, by what they are."""
    named = {
        "prices": market.price_usd_per_mwh,
        "export prices": market.export_price_usd_per_mwh,
        "carbon": market.carbon_kg_per_mwh,
        "marginal carbon": market.marginal_kg_per_mwh,
    }
    return {name: series for name, series in named.items() if series is not None}


def book_steps(clock: Clock, market: Market, tariff: Tariff | None, timezone: str) -> int:
    """How many steps a row of the books has.

    Where no span of whole steps is exact, or an exact one would make more than three million rows, the longest up to
    60 s is taken; what is then booked by its mean is told as a doubt (`study.market_rows`).

    `timezone` is the zone of the tariff's hours and of the metering intervals.
    """
    longest = max(int(LONGEST_S / clock.step_s), 1)
    for many in range(longest, 0, -1):
        if clock.steps / many > _MOST_ROWS:
            break
        span_s = many * clock.step_s
        if _divides_intervals(clock, span_s, tariff or Tariff(), timezone) and not any(
            series.hold == "mean" and series.changes_inside(clock.start, clock.end, span_s)
            for series in market_series(market).values()
        ):
            return many
    return longest


def _divides_intervals(clock: Clock, span_s: Fraction, tariff: Tariff, timezone: str) -> bool:
    """Whether metering intervals of the local clock are whole rows of the books."""
    interval_s = Fraction(tariff.demand_interval_min) * int(MINUTE_S)
    local = clock.start.astimezone(ZoneInfo(timezone)).replace(tzinfo=UTC)
    since_s = Fraction((local - _MIDNIGHT) // timedelta(microseconds=1), 1_000_000)
    return not interval_s % span_s and not since_s % span_s
