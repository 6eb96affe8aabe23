"""The weather of a scenario: a typical year, a file, or a constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from aidc.schema.base import Percent, Shape, TempC
from aidc.schema.source import FileSource, Meaning, Moment, TimedSource

__all__ = [
    "QUANTITIES",
    "ConstantWeather",
    "CsvWeather",
    "EpwWeather",
    "TmyWeather",
    "WeatherSpec",
    "weather_of",
]

Elevation = Annotated[float, Field(ge=-500, le=9000)]
PressurePa = Annotated[float, Field(ge=30_000, le=120_000)]
Wind = Annotated[float, Field(ge=0, le=120)]


QUANTITIES = (
    "dry_bulb_c",
    "wet_bulb_c",
    "dew_point_c",
    "relative_humidity_percent",
    "wind_m_s",
    "pressure_pa",
    "ghi_w_m2",
    "dni_w_m2",
    "dhi_w_m2",
    "cloud_cover_percent",
)
"""What a weather file can hold; each name ends in the unit that is reckoned in."""


class TmyWeather(Shape):
    """A typical meteorological year (TMY2 or TMY3), moved to the scenario's calendar years.

    `shipped` names a file inside pvlib, `file` one of the user's.
    """

    kind: Literal["tmy2", "tmy3"]
    """Layout of the typical year."""
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    shipped: str | None = None
    """Name of a file that comes with pvlib."""
    file: str | None = None
    """Path relative to the site file."""

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        if (self.shipped is None) == (self.file is None):
            raise ValueError("needs one file. Give `file` or `shipped`, one of them")
        return self


class EpwWeather(FileSource):
    """An EnergyPlus weather file, moved to the scenario's calendar years like a typical year."""

    kind: Literal["epw"] = "epw"
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""


class CsvWeather(TimedSource):
    """A series: a CSV table, or a file of a published layout (docs/formats.md).

    Columns are found by their usual names; `columns` maps a quantity to the name in this file, `units` to the
    unit that its name does not tell (`{ dry_bulb_c = "F" }`). Quantities: `dry_bulb_c`, `wet_bulb_c`,
    `dew_point_c`, `relative_humidity_percent`, `wind_m_s`, `pressure_pa`, `ghi_w_m2`, `dni_w_m2`, `dhi_w_m2`,
    `cloud_cover_percent`. Dry bulb with humidity, dew point or wet bulb, or wet bulb with a stated
    `relative_humidity_percent`, is enough.

    `meanings` says what a row stands for, by quantity or for `irradiance` as a whole. Without it,
    irradiance is what the layout defines, else what the sun's place tells, else the mean of the period
    before its time, as most services give it; everything else is an instant.
    """

    kind: Literal["csv"] = "csv"
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    time_column: str | None = None
    """Name of the column of times. Default: found by its usual names."""
    start: Moment | None = None
    """Where the first row is laid. Default: the times of the file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Quantity to column name, where the usual names do not tell."""
    units: dict[str, str] = Field(default_factory=dict)
    """Quantity to unit, where the column's name does not tell: { dry_bulb_c = "F" }."""
    meanings: dict[str, Meaning] = Field(default_factory=dict)
    """Quantity (or `irradiance`) to what a row stands for."""
    relative_humidity_percent: Annotated[float, Field(gt=0, le=100)] | None = None
    """Stated humidity, where the file has none."""
    elevation_m: Elevation | None = None
    """Of the station, for the pressure. Default: the site's."""
    repeat: bool = False
    """Whether the file is repeated beyond its end."""

    @model_validator(mode="after")
    def _known_quantities(self) -> Self:
        known = {"columns": QUANTITIES, "units": QUANTITIES, "meanings": (*QUANTITIES, "irradiance")}
        for key, names in known.items():
            unknown = sorted(set(getattr(self, key)) - set(names))
            if unknown:
                raise ValueError(
                    f"`{key}` names {unknown[0]!r}, which is not a quantity of the weather."
                    f" Known: {', '.join(names)}"
                )
        return self


class ConstantWeather(Shape):
    """The same weather in every second."""

    kind: Literal["constant"] = "constant"
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    dry_bulb_c: TempC
    """Air temperature."""
    relative_humidity_percent: Percent
    """Relative humidity."""
    wind_m_s: Wind = 0.0
    """Wind speed at the height of measurement."""
    pressure_pa: PressurePa | None = None
    """Air pressure. Default: that of the site's elevation."""


def _kind(values: Any) -> str | None:
    """`kind` as written, else what the keys imply: a bare `file` or `dataset` is CSV, or EPW by its suffix."""
    kind = values.get("kind") if isinstance(values, Mapping) else getattr(values, "kind", None)
    if kind is None and isinstance(values, Mapping):
        named = "file" in values or "dataset" in values
        epw = str(values.get("file")).lower().endswith(".epw")
        return ("epw" if epw else "csv") if named else "constant"
    return "tmy" if kind in ("tmy2", "tmy3") else kind if isinstance(kind, str) else None


WeatherSpec = Annotated[
    Annotated[TmyWeather, Tag("tmy")]
    | Annotated[EpwWeather, Tag("epw")]
    | Annotated[CsvWeather, Tag("csv")]
    | Annotated[ConstantWeather, Tag("constant")],
    Discriminator(_kind),
]
_ADAPTER: TypeAdapter[TmyWeather | EpwWeather | CsvWeather | ConstantWeather] = TypeAdapter(WeatherSpec)


def weather_of(values: dict[str, Any]) -> TmyWeather | EpwWeather | CsvWeather | ConstantWeather:
    """Validate a weather table whose catalogue entry has been merged in."""
    return _ADAPTER.validate_python(values)
