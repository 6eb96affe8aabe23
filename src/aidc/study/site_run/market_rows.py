"""What the books of a run cannot hold exactly: prices and carbon that change within a row of them, intervals cut in two."""

from __future__ import annotations

from collections.abc import Iterator

from aidc.measure.cost import tariff_of
from aidc.simulate.compiling.books import market_series
from aidc.simulate.compiling.compiled import Compiled
from aidc.units import MINUTE_S

__all__ = ["doubts_of_rows"]


def doubts_of_rows(compiled: Compiled) -> Iterator[tuple[str, str]]:
    """Series whose product with power is taken mean by mean, and what makes it exact.

    A row of the books holds mean power times mean price. Where both change within it, the two differ from the
    integral by the covariance of power and price.
    """
    clock = compiled.clock
    row_s = clock.step_s * compiled.steps_per_book
    for name, series in market_series(compiled.market).items():
        if series.changes_inside(clock.start, clock.end, row_s):
            told = f"change within a row of the books of {float(row_s):g} s: mean power times mean value is booked"
            yield name, f"{told}; set scenario.step_s to a divisor of {float(series.period_s):g} s"
    tariff = tariff_of(compiled.meta)
    minutes = tariff.demand_interval_min if tariff else 0
    if tariff and (minutes * int(MINUTE_S)) % row_s:
        told = f"demand intervals of {minutes} min are no whole rows of the books of {float(row_s):g} s"
        yield (
            "tariff",
            f"{told}: each row counts in the interval in which it begins; set scenario.step_s to 60 or a divisor of it",
        )
