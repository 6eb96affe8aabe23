"""What happens to a site at a stated time: requests, limits, outages of supply and of equipment, prices."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from aidc.schema.base import Frac, NonNegative, Shape
from aidc.schema.source import Moment

__all__ = [
    "AnyEvent",
    "DemandResponse",
    "EquipmentOutage",
    "GridEvent",
    "ImportLimit",
    "PriceSpike",
    "SupplyOutage",
    "event_of",
]

_YEAR_MIN = 366 * 24 * 60


class _Timed(Shape):
    """When an event is announced, begins and ends."""

    name: str = ""
    """What the event is called in the record."""
    start: Moment
    """First instant, with its zone."""
    notice_min: Annotated[float, Field(ge=0, le=_YEAR_MIN)] = 0.0
    """How long before the start controllers know of it."""
    duration_min: Annotated[float, Field(gt=0, le=_YEAR_MIN)]
    """How long it lasts."""


class DemandResponse(_Timed):
    """A request to draw less; the site's controller decides how, the import limit stays.

    `reduce_frac` is a share of the site's draw before the event, `limit_mw` an absolute ceiling.
    """

    use: Literal["demand-response"]
    reduce_frac: Annotated[float, Field(gt=0, le=1)] | None = None
    """Asked reduction, as a share of the site's draw before the event."""
    limit_mw: NonNegative | None = None
    """Asked ceiling of the site's draw."""

    @model_validator(mode="after")
    def _one_request(self) -> Self:
        if (self.reduce_frac is None) == (self.limit_mw is None):
            raise ValueError("asks for nothing, or twice. Give `reduce_frac` or `limit_mw`, one of them")
        return self


class ImportLimit(_Timed):
    """The grid connection itself carries less: a hard limit for the duration."""

    use: Literal["import-limit"]
    limit_frac: Frac | None = None
    """Limit over the import limit of the connection."""
    limit_mw: NonNegative | None = None
    """Limit of import for the duration."""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.limit_frac is None) == (self.limit_mw is None):
            raise ValueError("needs one limit. Give `limit_frac` or `limit_mw`, one of them")
        return self


class SupplyOutage(_Timed):
    """The grid is gone: nothing in, nothing out."""

    use: Literal["supply-outage"]


class EquipmentOutage(_Timed):
    """Units of a piece of equipment are out of service.

    `of` names it by its place in the site file: `gensets.NAME`, `chains.NAME.STAGE` (modules of that stage, in
    each lineup of the chain), or `cooling.NAME.PART` with a part of `outdoor` (dry coolers, towers, coils of
    chillers), `chillers`, `cdus`, `crahs` or `pumps`. `units` are taken out; spares carry on.
    """

    use: Literal["equipment-outage"]
    of: Annotated[str, Field(min_length=3, max_length=200)]
    """What fails, by its place in the site file: gensets.NAME, chains.NAME.STAGE or cooling.NAME.PART."""
    units: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """How many units are out; spares carry on."""


class PriceSpike(_Timed):
    """Energy costs this much for the duration, whatever the tariff says."""

    use: Literal["price-spike"]
    price_usd_per_mwh: Annotated[float, Field(ge=-100_000, le=100_000)]
    """Price of energy for the duration."""


AnyEvent = DemandResponse | ImportLimit | SupplyOutage | EquipmentOutage | PriceSpike
GridEvent = Annotated[AnyEvent, Field(discriminator="use")]
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(GridEvent)


def event_of(values: dict[str, Any]) -> AnyEvent:
    """Validate one event table."""
    return _ADAPTER.validate_python(values)
