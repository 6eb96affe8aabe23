"""What the grid announces to a site: requests, limits, outages, prices."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from aidc.schema.base import Frac, NonNegative, Shape
from aidc.schema.source import Moment

__all__ = ["DemandResponse", "GridEvent", "ImportLimit", "PriceSpike", "SupplyOutage", "event_of"]

_YEAR_MIN = 366 * 24 * 60


class _Timed(Shape):
    """When an event is announced, begins and ends."""

    name: str = ""
    start: Moment
    notice_min: Annotated[float, Field(ge=0, le=_YEAR_MIN)] = 0.0
    duration_min: Annotated[float, Field(gt=0, le=_YEAR_MIN)]


class DemandResponse(_Timed):
    """A request to draw less; the site's controller decides how, the import limit stays.

    `reduce_frac` is a share of the site's draw before the event, `limit_mw` an absolute ceiling.
    """

    use: Literal["demand-response"]
    reduce_frac: Annotated[float, Field(gt=0, le=1)] | None = None
    limit_mw: NonNegative | None = None

    @model_validator(mode="after")
    def _one_request(self) -> Self:
        if (self.reduce_frac is None) == (self.limit_mw is None):
            raise ValueError("asks for nothing, or twice. Give `reduce_frac` or `limit_mw`, one of them")
        return self


class ImportLimit(_Timed):
    """The grid connection itself carries less: a hard limit for the duration."""

    use: Literal["import-limit"]
    limit_frac: Frac | None = None
    limit_mw: NonNegative | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.limit_frac is None) == (self.limit_mw is None):
            raise ValueError("needs one limit. Give `limit_frac` or `limit_mw`, one of them")
        return self


class SupplyOutage(_Timed):
    """The grid is gone: nothing in, nothing out."""

    use: Literal["supply-outage"]


class PriceSpike(_Timed):
    """Energy costs this much for the duration, whatever the tariff says."""

    use: Literal["price-spike"]
    price_usd_per_mwh: Annotated[float, Field(ge=-100_000, le=100_000)]


GridEvent = Annotated[DemandResponse | ImportLimit | SupplyOutage | PriceSpike, Field(discriminator="use")]
_ADAPTER: TypeAdapter[DemandResponse | ImportLimit | SupplyOutage | PriceSpike] = TypeAdapter(GridEvent)


def event_of(values: dict[str, Any]) -> DemandResponse | ImportLimit | SupplyOutage | PriceSpike:
    """Validate one event table."""
    return _ADAPTER.validate_python(values)
