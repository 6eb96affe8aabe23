"""The weather of a scenario: a typical year, a file, or a constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from aidc.schema.base import Percent, Shape, TempC
from aidc.schema.source import FileSource, Moment

__all__ = ["ConstantWeather", "CsvWeather", "EpwWeather", "TmyWeather", "WeatherSpec", "weather_of"]

Elevation = Annotated[float, Field(ge=-500, le=9000)]
PressurePa = Annotated[float, Field(ge=30_000, le=120_000)]
Wind = Annotated[float, Field(ge=0, le=120)]


class TmyWeather(Shape):
    """A typical meteorological year (TMY2 or TMY3), moved to the scenario's calendar years.

    `shipped` names a file inside pvlib, `file` one of the user's.
    """

    kind: Literal["tmy2", "tmy3"]
    use: str = ""
    shipped: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        if (self.shipped is None) == (self.file is None):
            raise ValueError("needs one file. Give `file` or `shipped`, one of them")
        return self


class EpwWeather(FileSource):
    """An EnergyPlus weather file, moved to the scenario's calendar years like a typical year."""

    kind: Literal["epw"] = "epw"
    use: str = ""


class CsvWeather(FileSource):
    """A CSV series.

    Columns are found by their usual names; `columns` maps a quantity to the name in this file.
    Quantities: `dry_bulb_c`, `wet_bulb_c`, `relative_humidity_percent`, `wind_m_s`, `pressure_pa`,
    `ghi_w_m2`, `dni_w_m2`, `dhi_w_m2`, `cloud_cover_percent`. Dry bulb with humidity, or dry and wet
    bulb, or wet bulb with a stated `relative_humidity_percent`, is enough.
    """

    kind: Literal["csv"] = "csv"
    use: str = ""
    time_column: str | None = None
    start: Moment | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    relative_humidity_percent: Annotated[float, Field(gt=0, le=100)] | None = None
    elevation_m: Elevation | None = None
    repeat: bool = False


class ConstantWeather(Shape):
    """The same weather in every second."""

    kind: Literal["constant"] = "constant"
    use: str = ""
    dry_bulb_c: TempC
    relative_humidity_percent: Percent
    wind_m_s: Wind = 0.0
    pressure_pa: PressurePa | None = None


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
