"""What happens to a site at a stated time: requests, limits, outages of supply and of equipment, prices, carbon."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from aidc.schema.base import Frac, NonNegative, Positive, Shape
from aidc.schema.source import Moment

__all__ = [
    "AnyEvent",
    "CapacityLimit",
    "CarbonPeak",
    "DemandResponse",
    "Emergency",
    "EquipmentOutage",
    "GridEvent",
    "ImportLimit",
    "PriceSpike",
    "SupplyOutage",
    "event_of",
]

_YEAR_MIN = 366 * 24 * 60


class _Announced(Shape):
    """When an event is announced and begins: `notice_min`, or `notice_s` for the short ones, before `start`."""

    name: str = ""
    """What the event is called in the record."""
    start: Moment
    """First instant, with its zone."""
    notice_min: Annotated[float, Field(ge=0, le=_YEAR_MIN)] = 0.0
    """How long before the start controllers know of it."""
    notice_s: Annotated[float, Field(ge=0, le=60 * _YEAR_MIN)] | None = None
    """The same in seconds, for short notices."""

    @model_validator(mode="after")
    def _one_notice(self) -> Self:
        if self.notice_s is not None and self.notice_min > 0:
            raise ValueError("has two notices. Give `notice_min` or `notice_s`, one of them")
        return self


class _Timed(_Announced):
    """When an event is announced, begins and ends."""

    duration_min: Annotated[float, Field(gt=0, le=_YEAR_MIN)]
    """How long it lasts."""


class _Request(_Timed):
    """A request to draw less; the site's controller decides how, the import limit stays.

    `reduce_frac` is a share of the site's mean import over the last hour without an event before the
    announcement, `reduce_mw` is taken off what the site would have drawn at that time, and `limit_mw` is an
    absolute ceiling. `withdrawn_min` is when the request is taken back, in minutes from its start (negative:
    before it); from then on the site no longer hears of it.
    """

    reduce_frac: Annotated[float, Field(gt=0, le=1)] | None = None
    """Asked reduction, as a share of the site's mean import in the last hour without an event before the announcement."""
    reduce_mw: Positive | None = None
    """Asked reduction, off what the site would have drawn."""
    limit_mw: NonNegative | None = None
    """Asked ceiling of the site's draw."""
    withdrawn_min: Annotated[float, Field(ge=-_YEAR_MIN, le=_YEAR_MIN)] | None = None
    """When the request is taken back, in minutes from its start; negative: before it."""

    @model_validator(mode="after")
    def _one_request(self) -> Self:
        if sum(one is not None for one in (self.reduce_frac, self.reduce_mw, self.limit_mw)) != 1:
            raise ValueError(
                "asks for nothing, or twice. Give `reduce_frac`, `reduce_mw` or `limit_mw`, one of them"
            )
        if self.withdrawn_min is not None and self.withdrawn_min >= self.duration_min:
            raise ValueError("is withdrawn after it has ended. Put withdrawn_min below duration_min")
        return self


class DemandResponse(_Request):
    """A request under a programme: what the site gives is its own decision, within its tiers."""

    use: Literal["demand-response"]


class Emergency(_Request):
    """A request in an emergency of the grid: like demand response, but flexible work may be paused whole."""

    use: Literal["emergency"]


class CapacityLimit(_Announced):
    """What the site may draw at most, hour by hour from `start`: asked of its controller, enforced by nobody."""

    use: Literal["capacity-limit"]
    limits_mw: Annotated[tuple[NonNegative, ...], Field(min_length=1, max_length=_YEAR_MIN // 60)]
    """Most import in each hour."""

    @property
    def duration_min(self) -> float:
        """An hour for each limit."""
        return 60.0 * len(self.limits_mw)


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


class CarbonPeak(_Timed):
    """A kilowatt-hour from the grid emits this much for the duration, whatever the source of `carbon` says."""

    use: Literal["carbon-peak"]
    carbon_kg_per_mwh: Annotated[float, Field(ge=0, le=5_000)]
    """Emission factor for the duration."""


AnyEvent = (
    DemandResponse
    | Emergency
    | CapacityLimit
    | ImportLimit
    | SupplyOutage
    | EquipmentOutage
    | PriceSpike
    | CarbonPeak
)
GridEvent = Annotated[AnyEvent, Field(discriminator="use")]
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(GridEvent)


def event_of(values: dict[str, Any]) -> AnyEvent:
    """Validate one event table."""
    return _ADAPTER.validate_python(values)
