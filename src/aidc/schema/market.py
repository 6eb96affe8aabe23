"""What electricity costs and what it emits: tariffs, price series, carbon series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, TypeAdapter, model_validator

from aidc.schema.base import Shape
from aidc.schema.source import Meaning, Moment, TimedSource

__all__ = ["CarbonSeries", "CarbonSpec", "ConstantCarbon", "EnergyPeriod", "PriceSpec", "Tariff", "carbon_of"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = tuple(str(hour) for hour in range(24))

UsdPerKwh = Annotated[float, Field(ge=-100, le=100)]
Charge = Annotated[float, Field(ge=0, le=10_000)]
KgPerMwh = Annotated[float, Field(ge=0, le=3000)]


def _span(text: str, names: tuple[str, ...]) -> frozenset[int]:
    """The members of `jun-sep` or `sat,sun`: comma-separated names and inclusive, wrapping ranges."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = (piece.strip() for piece in part.partition("-"))
        if first not in names or (last and last not in names):
            raise ValueError(
                f"{part.strip()!r} is unknown. Write {names[0]}-{names[-1]} or names from it, separated by commas"
            )
        low, high = names.index(first), names.index(last or first)
        found |= set(range(low, high + 1)) if low <= high else {*range(low, len(names)), *range(high + 1)}
    return frozenset(found)


def _is_months(text: str) -> str:
    _span(text, _MONTHS)
    return text


def _is_days(text: str) -> str:
    _span(text, _DAYS)
    return text


def _is_hours(text: str) -> str:
    _hours(text)
    return text


def _hours(text: str) -> frozenset[int]:
    """`14-20` is 14:00 to 20:00, so the hours 14 to 19; `22-6` runs past midnight; `0-24` is the day."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        end = "0" if last == "24" else last
        if not dash or first not in _HOURS or end not in _HOURS:
            raise ValueError(
                f"{part.strip()!r} is not a range of full hours. Write '14-20' for 14:00 to 20:00"
            )
        low, high = int(first), int(end)
        found |= set(range(low, high)) if low < high else {*range(low, 24), *range(high)}
    return frozenset(found)


class EnergyPeriod(Shape):
    """When a price holds: `months = "jun-sep"`, `days = "mon-fri"`, `hours = "14-20"`, local time."""

    name: str = ""
    """What the period is called."""
    months: Annotated[str, AfterValidator(_is_months)] = "jan-dec"
    """Months in which it holds: jun-sep, or names separated by commas."""
    days: Annotated[str, AfterValidator(_is_days)] = "mon-sun"
    """Days of the week on which it holds: mon-fri."""
    hours: Annotated[str, AfterValidator(_is_hours)] = "0-24"
    """Full hours of local time in which it holds: 14-20 is 14:00 to 20:00."""
    usd_per_kwh: UsdPerKwh
    """Price of energy."""
    on_peak: bool = False
    """Whether the on-peak demand charge counts its demand."""

    @property
    def month_numbers(self) -> frozenset[int]:
        """0 = January."""
        return _span(self.months, _MONTHS)

    @property
    def weekdays(self) -> frozenset[int]:
        """0 = Monday."""
        return _span(self.days, _DAYS)

    @property
    def hour_numbers(self) -> frozenset[int]:
        """The full hours of the day that the period covers."""
        return _hours(self.hours)


class Tariff(Shape):
    """A bill: energy by period (the first that matches holds, else the base price), demand, fixed charge.

    Where the scenario has `prices`, those replace the energy prices and the other charges stay.
    """

    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    base_usd_per_kwh: UsdPerKwh = 0.0
    """Price of energy outside every period."""
    periods: Annotated[tuple[EnergyPeriod, ...], Field(max_length=64)] = ()
    """Times of other prices; the first that matches holds."""
    demand_usd_per_kw_month: Charge = 0.0
    """Charge on the highest demand of a calendar month."""
    on_peak_demand_usd_per_kw_month: Charge = 0.0
    """Charge on the highest demand of a month within on-peak periods."""
    demand_interval_min: Literal[5, 15, 30, 60] = 15
    """Length of the interval whose mean counts as demand."""
    fixed_usd_per_month: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    """Fixed charge."""
    export_usd_per_kwh: UsdPerKwh = 0.0
    """Paid for what is exported."""

    @model_validator(mode="after")
    def _has_a_peak(self) -> Self:
        if self.on_peak_demand_usd_per_kw_month > 0 and not any(period.on_peak for period in self.periods):
            raise ValueError("charges on-peak demand but no period is on-peak. Mark one `on_peak = true`")
        return self


_UnitText = Annotated[str, Field(min_length=1, max_length=32)]


class PriceSpec(TimedSource):
    """A series of market prices, plus a constant `adder_usd_per_kwh` for the wires.

    The unit is told by the column's name (`price_eur_per_kwh`, `LMP ($/MWh)`), by the file's layout, or by
    `unit` ("EUR/kWh"). `usd_per_unit` is the rate of a currency other than USD. A price holds from its time
    until the next; `meaning = "mean-before"` is for files that stamp the end of each interval. Columns left
    out are those of the file's layout (docs/formats.md), else `time_utc` and `price_usd_per_mwh`. `point`
    chooses one settlement point or zone where a file has several.
    """

    use: str = ""
    """A name for the report."""
    time_column: str | None = None
    """Name of the column of times. Default: that of the layout, else `time_utc`."""
    price_column: str | None = None
    """Name of the column of prices. Default: that of the layout, else `price_usd_per_mwh`."""
    unit: _UnitText | None = None
    """Unit of the prices ("EUR/kWh"), where the column's name and the layout do not tell."""
    usd_per_unit: Annotated[float, Field(gt=0, le=1e4)] | None = None
    """Rate of a currency other than USD."""
    meaning: Meaning | None = None
    """What a row stands for. Default: what the layout defines, else a price holds until the next."""
    point: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Settlement point or zone, where the file has several."""
    adder_usd_per_kwh: UsdPerKwh = 0.0
    """Constant addition, for the wires."""
    export_at_market: bool = False
    """Whether export is paid at this price; else at the tariff's."""
    start: Moment | None = None
    """Where the first row is laid. Default: the times of the file."""
    repeat: bool = False
    """Whether the file is repeated beyond its end."""


class ConstantCarbon(Shape):
    """One emission factor for every hour."""

    kind: Literal["constant"] = "constant"
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    average_kg_per_mwh: KgPerMwh
    """Average emission factor (CO₂)."""
    marginal_kg_per_mwh: KgPerMwh | None = None
    """Marginal emission factor (CO₂)."""


class CarbonSeries(TimedSource):
    """A series of emission factors; the marginal column is optional.

    The unit is told by the columns' names (`direct_gco2_per_kwh`, `MOER (lbs/MWh)`), by the file's layout,
    or by `unit` ("lb/MWh"); `point` chooses a zone where a file has several. A factor holds from its time until the next, unless `meaning` says otherwise.
    Columns left out are those of the file's layout (docs/formats.md), else `direct_gco2_per_kwh`.
    """

    kind: Literal["series"] = "series"
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    time_column: str | None = None
    """Name of the column of times. Default: that of the layout."""
    average_column: str | None = None
    """Name of the column of average factors. Default: that of the layout, else `direct_gco2_per_kwh`."""
    marginal_column: str | None = None
    """Name of the column of marginal factors."""
    unit: _UnitText | None = None
    """Unit of the factors ("lb/MWh"), where the column's name and the layout do not tell."""
    meaning: Meaning | None = None
    """What a row stands for. Default: what the layout defines, else a factor holds until the next."""
    point: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Zone, where the file has several."""
    start: Moment | None = None
    """Where the first row is laid. Default: the times of the file."""
    repeat: bool = False
    """Whether the file is repeated beyond its end."""

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        if self.marginal_column is not None and self.marginal_column == self.average_column:
            raise ValueError("`marginal_column` is the average column. Name another, or leave it out")
        return self


def _kind(values: Any) -> str | None:
    """`kind` as written, else what the keys imply: a `file` or `dataset` is a series."""
    if not isinstance(values, Mapping):
        return getattr(values, "kind", None)
    kind = values.get("kind", "series" if "file" in values or "dataset" in values else "constant")
    return kind if isinstance(kind, str) else None


CarbonSpec = Annotated[
    Annotated[ConstantCarbon, Tag("constant")] | Annotated[CarbonSeries, Tag("series")], Discriminator(_kind)
]
_CARBON: TypeAdapter[ConstantCarbon | CarbonSeries] = TypeAdapter(CarbonSpec)


def carbon_of(values: dict[str, Any]) -> ConstantCarbon | CarbonSeries:
    """Validate a carbon table whose catalogue entry has been merged in."""
    return _CARBON.validate_python(values)
