"""What happened in a run, in words: decisions, clips, shed load, throttling, repairs of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from aidc.contract import Clip, Command
from aidc.simulate.compiled import Compiled

__all__ = ["EventLog"]

_SCHEMA = {
    "time": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    "subject": pl.String,
    "message": pl.String,
}
_MOST = 20_000  # of one kind: a week of a controller that clips every minute is 10,080


class EventLog:
    """Collects the events of a run; `frame` gives them in order of time."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._rows: list[tuple[datetime, str, str, str]] = []
        self._count: dict[str, int] = {}
        self._on: dict[tuple[str, str], bool] = {}

    def add(self, when: datetime, kind: str, subject: str, message: str) -> None:
        """Note one event; beyond many of one kind only their number is kept."""
        self._count[kind] = self._count.get(kind, 0) + 1
        if self._count[kind] <= _MOST:
            self._rows.append((when, kind, subject, message))

    def decided(self, tick: int, commands: Sequence[Command]) -> None:
        """Note commands that give a reason."""
        for command in commands:
            if command.reason:
                self.add(self._compiled.clock.at(tick), "command", command.knob.value, command.reason)

    def clipped(self, tick: int, clips: Sequence[Clip]) -> None:
        """Note what `admit` changed."""
        for clip in clips:
            message = f"asked {clip.asked:.6g}, given {clip.given:.6g} ({clip.why})"
            self.add(self._compiled.clock.at(tick), "clip", f"{clip.knob.value} {clip.row}", message)

    def announced(self) -> None:
        """Note the grid's events, and what was mended in the inputs."""
        clock = self._compiled.clock
        for signal in self._compiled.signals:
            self.add(
                clock.at(signal.start_tick),
                signal.kind,
                signal.name,
                f"until {clock.at(signal.end_tick):%Y-%m-%d %H:%M}Z",
            )
        for repair in self._compiled.meta.get("repairs", ()):
            self.add(clock.start, "repair", "input", str(repair))

    def built(self, plant: Mapping[str, Any]) -> None:
        """Note what is too small, what settings have resized, and what the site got beyond its file."""
        start = self._compiled.clock.start
        for finding in plant["findings"]:
            when = datetime.fromisoformat(finding["time"]) if finding["time"] else start
            self.add(when, "undersized", finding["where"], finding["text"])
        for kind, key in (("resized", "resized"), ("default", "defaults")):
            for text in plant[key]:
                subject, _, rest = str(text).partition(" ")
                self.add(start, kind, subject.rstrip(":"), rest)

    def seen(self, series: pl.DataFrame, pods: pl.DataFrame) -> None:
        """Note where load was shed or left unserved, where pods throttled, queues spilled."""
        self._spans(
            series,
            "unserved",
            "site",
            pl.col("unserved_w") > 0,
            "more was needed than the sources could give",
        )
        self._spans(
            series, "curtailed", "renewables", pl.col("curtailed_w") > 0, "the export limit was reached"
        )
        for (name,), frame in pods.group_by("pod", maintain_order=True):
            pod = str(name)
            self._spans(frame, "shed", pod, pl.col("shed_frac") > 0, "load shed for want of supply")
            self._spans(
                frame, "throttle", pod, pl.col("throttle_frac") > 0, "case temperature above its limit"
            )
            self._spans(frame, "dropped", pod, pl.col("tokens_dropped") > 0, "the queue was full")

    def _spans(self, frame: pl.DataFrame, kind: str, subject: str, test: pl.Expr, message: str) -> None:
        """One event where a condition begins and one where it ends, across blocks."""
        on = frame.select(test.alias("on"))["on"]
        before = self._on.get((kind, subject), False)
        if not on.any():
            if before:
                self.add(frame["time"][0], kind, subject, "ended")
            self._on[(kind, subject)] = False
            return
        for when, now in zip(frame["time"], on, strict=True):
            if now != before:
                self.add(when, kind, subject, message if now else "ended")
                before = now
        self._on[(kind, subject)] = before

    def frame(self) -> pl.DataFrame:
        """All events, in order of time."""
        for kind, count in self._count.items():
            if count > _MOST:
                text = f"{count - _MOST} more of this kind are not listed"
                self._rows.append((self._compiled.clock.end, kind, "", text))
        return pl.DataFrame(self._rows, schema=_SCHEMA, orient="row").sort("time", maintain_order=True)
