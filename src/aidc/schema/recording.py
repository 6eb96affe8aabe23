"""A recording's sidecar: which columns of a measured file are which channels, and in what unit."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import NonNegative, Positive, Shape
from aidc.schema.source import TimeUnit

__all__ = ["ChannelSource", "MarkedStretch", "MarksFile", "PhaseColumns", "RecordingFile"]

_Scale = Annotated[float, Field(gt=-1e15, lt=1e15)]


class ChannelSource(Shape):
    """One channel: a column, or the sum of all columns that a pattern such as `cdu_*_w` matches.

    The channel is `scale` times that, plus `offset`, in the channel's own unit.
    """

    column: str | None = None
    """Name of the column."""
    sum_of: str | None = None
    """Pattern of the columns that are added up (`cdu_*_w`)."""
    scale: _Scale = 1.0
    """Factor of the column."""
    offset: _Scale = 0.0
    """Added after scaling, in the channel's own unit."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.column is None) == (self.sum_of is None):
            raise ValueError("names no single source; give column or sum_of")
        if self.scale == 0:
            raise ValueError("a scale of zero leaves nothing; give another")
        return self


class PhaseColumns(Shape):
    """Three voltages and, where measured, three currents towards the site.

    Voltages are phase-neutral (`va`, `vb`, `vc`) or phase-phase (`vab`, `vbc`, `vca`, of which two do).
    `voltage_scale` makes volts of the columns, `current_scale` amperes (negative for a transformer that
    was mounted the other way round). `form` is told from the signs where it is not given.
    """

    va: str | None = None
    """Column of phase a to neutral."""
    vb: str | None = None
    """Column of phase b to neutral."""
    vc: str | None = None
    """Column of phase c to neutral."""
    vab: str | None = None
    """Column of phase a to b."""
    vbc: str | None = None
    """Column of phase b to c."""
    vca: str | None = None
    """Column of phase c to a."""
    ia: str | None = None
    """Column of the current of phase a, towards the site."""
    ib: str | None = None
    """Column of the current of phase b, towards the site."""
    ic: str | None = None
    """Column of the current of phase c, towards the site."""
    form: Literal["instantaneous", "rms"] | None = None
    """Waveforms or values over a cycle. Default: told from the signs."""
    voltage_scale: Positive = 1.0
    """Makes volts of the columns."""
    current_scale: _Scale = 1.0
    """Makes amperes of the columns; negative for a transformer mounted the other way round."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        neutral = sum(name is not None for name in (self.va, self.vb, self.vc))
        between = sum(name is not None for name in (self.vab, self.vbc, self.vca))
        if not (neutral == 3 and between == 0) and not (neutral == 0 and between >= 2):
            raise ValueError("names no three voltages; give va, vb and vc, or vab, vbc and vca")
        if len({self.ia is None, self.ib is None, self.ic is None}) > 1:
            raise ValueError("names some currents and not others; give ia, ib and ic, or none")
        if self.current_scale == 0:
            raise ValueError("a current_scale of zero leaves nothing; give another")
        return self


class RecordingFile(Shape):
    """What `recording.toml` says of a measured file beside it, or of a file in a named dataset.

    Without `channels` and `phases` the columns are known by their names. `time` names the column of
    times; `step_s` replaces it in a file that has none. Numbers as times are seconds, or what their name or
    size tells (Unix time); `time_unit` says otherwise. `nominal_kv` is line-to-line. `averaged` says whether
    voltages that are no instantaneous values are values over a cycle (flicker above 8 Hz is lost in them).
    `trusted` says that levels, units and directions have been checked: what looks wrong is told, not refused.
    """

    title: str = ""
    """What the record is called in verdicts."""
    file: str | None = None
    """Path relative to this file, or inside the dataset."""
    dataset: str | None = None
    """A named dataset (`aidc data list`)."""
    location: Literal["poi", "ups-input", "psu-terminals"] = "poi"
    """Where it was measured."""
    time: str | None = None
    """Name of the column of times."""
    time_unit: TimeUnit | None = None
    """What numbers in that column are. Default: told by name and size."""
    step_s: Positive | None = None
    """Spacing of the rows, in a file without times."""
    nominal_hz: Literal[50, 60] | None = None
    """Nominal frequency."""
    nominal_kv: Positive | None = None
    """Nominal line-to-line voltage."""
    averaged: bool | None = None
    """Whether voltages are values over a cycle."""
    trusted: bool = False
    """Whether levels, units and directions have been checked: what looks wrong is told, not refused."""
    skip_lines: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Lines before the header."""
    channels: dict[str, ChannelSource] = Field(default_factory=dict[str, ChannelSource])
    """Channel to its source."""
    phases: PhaseColumns | None = None
    """Columns of three phases."""

    @model_validator(mode="after")
    def _names_a_file(self) -> Self:
        if self.file is None and self.dataset is None:
            raise ValueError("names no file; give file, or dataset")
        if self.time is not None and self.step_s is not None:
            raise ValueError("gives times twice; keep time or step_s")
        return self


class MarkedStretch(Shape):
    """A stretch of a record, in seconds from its first sample.

    `kind`: a disturbance of the grid (sag, swell, fault, interruption, frequency, islanding) or the site's answer to
    one (transfer, retransfer, reconnection); a start or an abort of a job, which oscillation rules judge apart; or
    "own", the site's own doing, where no disturbance is to be found.
    """

    kind: Literal[
        "sag", "swell", "fault", "interruption", "frequency", "islanding",
        "transfer", "retransfer", "reconnection", "start", "abort", "own",
    ]  # fmt: skip
    """Which it is: a disturbance of the grid, the site's answer, a job's start or abort, or the site's own
    doing.
    """
    start_s: NonNegative
    """From the first sample."""
    end_s: Positive
    """From the first sample."""
    label: str = ""
    """What it is called."""

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError("ends before it begins; swap start_s and end_s")
        return self


class MarksFile(Shape):
    """What `--marks FILE` says of a recording."""

    marks: Annotated[tuple[MarkedStretch, ...], Field(min_length=1, max_length=10_000)]
    """Stretches of the record."""
