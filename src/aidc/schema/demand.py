"""What the users of a service ask for, or the power that was measured.

`use` names a catalogue entry (`diurnal`, `trace-azure`, `servegen-m-large`, …); the entry brings
`kind`, which chooses the shape here, and defaults that the other keys override.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from aidc.schema.base import Name, Positive, Shape
from aidc.schema.source import FileSource, Meaning, Moment, TimedSource

__all__ = ["Constant", "DemandSpec", "Diurnal", "PowerReplay", "RateSeries", "Trace", "demand_of"]

Hour = Annotated[float, Field(ge=0, lt=24)]
Tokens = Annotated[float, Field(gt=0, le=1e7)]
TokenRate = Annotated[float, Field(ge=0, le=1e12)]  # a thousand times the largest site one can imagine


class Diurnal(Shape):
    """Generated demand: a day shape in local time, a weekly pattern, seeded noise.

    The ratio of the highest 10-minute mean to the mean over `reference_days` from the start of the
    run is `peak_to_mean`; that highest 10-minute mean is `peak_output_tokens_per_s`.
    """

    kind: Literal["diurnal"]
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    peak_output_tokens_per_s: TokenRate
    """Highest 10-minute mean of generated tokens that users ask for."""
    peak_to_mean: Annotated[float, Field(ge=1, le=20)]
    """That mean over the mean of `reference_days`."""
    peak_hour: Hour = 15.0
    """Local hour of the day's highest demand."""
    trough_hour: Hour = 4.0
    """Local hour of the day's lowest demand."""
    weekend_frac: Annotated[float, Field(gt=0, le=2)] = 1.0
    """Demand of Saturday and Sunday over that of other days."""
    noise_frac: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Size of the slow, correlated noise over the demand."""
    noise_correlation_h: Annotated[float, Field(ge=0.05, le=72)] = 1.5
    """Correlation time of that noise."""
    jitter_frac: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Size of the noise from step to step over the demand."""
    reference_days: Annotated[int, Field(ge=1, le=31)] = 7
    """Days from the start over which `peak_to_mean` is met."""
    input_tokens: Tokens
    """Mean prompt of a request."""
    output_tokens: Tokens
    """Mean answer of a request."""

    @model_validator(mode="after")
    def _hours_differ(self) -> Self:
        if self.peak_hour == self.trough_hour:
            raise ValueError("`peak_hour` and `trough_hour` are the same hour. Set them apart")
        return self


class Constant(Shape):
    """The same demand in every second."""

    kind: Literal["constant"]
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    output_tokens_per_s: TokenRate
    """Generated tokens that users ask for."""
    input_tokens: Tokens
    """Mean prompt of a request."""
    output_tokens: Tokens
    """Mean answer of a request."""


class _Laid(FileSource):
    """A recorded series, laid on `start` (default: the start of the run), scaled, and tiled.

    `scale` multiplies it; `scale_to_peak_output_tokens_per_s` sets its highest 10-minute mean.
    """

    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    start: Moment | None = None
    """Where the first row is laid. Default: the start of the run."""
    scale: Positive | None = None
    """Multiplies the recorded demand."""
    scale_to_peak_output_tokens_per_s: Annotated[float, Field(gt=0, le=1e12)] | None = None
    """Scales the recorded demand so that its highest 10-minute mean is this."""

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if self.scale is not None and self.scale_to_peak_output_tokens_per_s is not None:
            raise ValueError("has two scales. Give `scale` or `scale_to_peak_output_tokens_per_s`, not both")
        return self


class Trace(_Laid):
    """Single requests with a time and token counts.

    `format` is one of docs/formats.md or a plug-in's; left out, the file is known by its header.
    """

    kind: Literal["trace"]
    format: Name | None = None
    """Layout of the file (docs/formats.md). Default: known by its header."""
    resolution_s: Annotated[int, Field(ge=1, le=3600)] = 10
    """Width of the bins into which requests are counted."""


class RateSeries(_Laid, TimedSource):
    """Request arrivals per second at a fixed spacing, as published with ServeGen.

    A rate holds from its time until the next, unless `meaning` says otherwise.
    """

    kind: Literal["rate"]
    time_column: str | None = None
    """Name of the column of times. Default: that of the layout."""
    meaning: Meaning | None = None
    """What a row stands for. Default: a rate holds until the next."""
    rate_column: str = "rate_req_per_s"
    """Name of the column of arrivals."""
    input_tokens: Tokens
    """Mean prompt of a request."""
    output_tokens: Tokens
    """Mean answer of a request."""


class PowerReplay(TimedSource):
    """Measured power, one or more columns of a file; a value holds until the next, unless `meaning` differs.

    The unit is told by the columns' names (`p_kw`, `Power (MW)`) or by `unit`, and is W where neither tells;
    `scale` multiplies. `columns` is a name for one pod, a list (one name per pod, in order; all summed when
    there is one pod), or a table from pod to name or names. Left out, every column ending in `_w` is used,
    else every one whose name tells a unit of power; `point` keeps the series of a telemetry file that bear it
    in their name. Beyond its end the file is repeated.
    """

    kind: Literal["power-replay"]
    use: str = ""
    """Entry of the catalogue; its figures hold where this table has none."""
    start: Moment | None = None
    """Where the first row is laid. Default: the start of the run."""
    scale: Positive = 1.0
    """Multiplies the power."""
    unit: Literal["W", "kW", "MW", "GW"] | None = None
    """Unit of the columns. Default: told by their names, else W."""
    time_column: str | None = None
    """Name of the column of times. Default: that of the layout."""
    columns: str | list[str] | dict[str, str | list[str]] | None = None
    """A name for one pod, a list (one per pod, in order), or a table from pod to names. Default: every
    column of power.
    """
    meaning: Meaning | None = None
    """What a row stands for. Default: a value holds until the next."""
    point: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Keeps the series of a telemetry file that bear this in their name."""
    repeat: bool = True
    """Whether the file is repeated beyond its end."""


DemandSpec = Annotated[
    Diurnal | Constant | Trace | RateSeries | PowerReplay,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[Diurnal | Constant | Trace | RateSeries | PowerReplay] = TypeAdapter(DemandSpec)


def demand_of(values: dict[str, Any]) -> Diurnal | Constant | Trace | RateSeries | PowerReplay:
    """Validate a demand table whose catalogue entry has been merged in."""
    return _ADAPTER.validate_python(values)
