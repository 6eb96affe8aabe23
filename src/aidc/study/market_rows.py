"""Prices and carbon that change within an output step, where only the mean of each is booked."""

from __future__ import annotations

from collections.abc import Iterator

from aidc.simulate.compiled import Compiled

__all__ = ["doubts_of_rows"]


def doubts_of_rows(compiled: Compiled) -> Iterator[tuple[str, str]]:
    """Series whose product with power is taken mean by mean, and what makes it exact.

    An output step books mean power times mean price. Where both change within it, the two differ from the
    integral by the covariance of power and price.
    """
    market, clock = compiled.market, compiled.clock
    row_s = clock.step_s * compiled.steps_per_row
    for name, series in (
        ("prices", market.price_usd_per_mwh),
        ("export prices", market.export_price_usd_per_mwh),
        ("carbon", market.carbon_kg_per_mwh),
        ("marginal carbon", market.marginal_kg_per_mwh),
    ):
        if series is not None and series.changes_inside(clock.start, clock.end, row_s):
            told = (
                f"change within an output step of {float(row_s):g} s: mean power times mean value is booked"
            )
            yield name, f"{told}; set scenario.output_step_s to a divisor of {float(series.period_s):g} s"
