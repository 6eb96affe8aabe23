"""A recording's sidecar: which columns of a measured file are which channels, and in what unit."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Positive, Shape
from aidc.schema.source import TimeUnit

__all__ = ["ChannelSource", "PhaseColumns", "RecordingFile"]

_Scale = Annotated[float, Field(gt=-1e15, lt=1e15)]


class ChannelSource(Shape):
    """One channel: a column, or the sum of all columns that a pattern such as `cdu_*_w` matches.

    The channel is `scale` times that, plus `offset`, in the channel's own unit.
    """

    column: str | None = None
    sum_of: str | None = None
    scale: _Scale = 1.0
    offset: _Scale = 0.0

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.column is None) == (self.sum_of is None):
            raise ValueError("names no single source; give column or sum_of")
        if self.scale == 0:
            raise ValueError("a scale of zero leaves nothing; give another")
        return self


class PhaseColumns(Shape):
    """Three phase-neutral voltages and, where measured, three currents towards the site.

    `voltage_scale` makes volts of the columns, `current_scale` amperes (negative for a transformer that
    was mounted the other way round). `form` is told from the signs where it is not given.
    """

    va: str
    vb: str
    vc: str
    ia: str | None = None
    ib: str | None = None
    ic: str | None = None
    form: Literal["instantaneous", "rms"] | None = None
    voltage_scale: Positive = 1.0
    current_scale: _Scale = 1.0

    @model_validator(mode="after")
    def _all_currents_or_none(self) -> Self:
        if len({self.ia is None, self.ib is None, self.ic is None}) > 1:
            raise ValueError("names some currents and not others; give ia, ib and ic, or none")
        if self.current_scale == 0:
            raise ValueError("a current_scale of zero leaves nothing; give another")
        return self


class RecordingFile(Shape):
    """What `recording.toml` says of a measured file beside it, or of a file in a named dataset.

    Without `channels` and `phases` the columns are known by their names. `time` names the column of
    times; `step_s` replaces it in a file that has none. Numbers as times are seconds, or what their name or
    size tells (Unix time); `time_unit` says otherwise. `nominal_kv` is line-to-line.
    """

    title: str = ""
    file: str | None = None
    dataset: str | None = None
    location: Literal["poi", "ups-input", "psu-terminals"] = "poi"
    time: str | None = None
    time_unit: TimeUnit | None = None
    step_s: Positive | None = None
    nominal_hz: Literal[50, 60] | None = None
    nominal_kv: Positive | None = None
    skip_lines: Annotated[int, Field(ge=0, le=10_000)] = 0
    channels: dict[str, ChannelSource] = Field(default_factory=dict[str, ChannelSource])
    phases: PhaseColumns | None = None

    @model_validator(mode="after")
    def _names_a_file(self) -> Self:
        if self.file is None and self.dataset is None:
            raise ValueError("names no file; give file, or dataset")
        if self.time is not None and self.step_s is not None:
            raise ValueError("gives times twice; keep time or step_s")
        return self
