"""What happened in a run, in words: decisions, clips, supply, heat, equipment, repairs of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from aidc.clock import as_utc
from aidc.contract import Clip, Command
from aidc.measure.set_point import Excursion, Watch
from aidc.schema.event import AnyEvent, EquipmentOutage
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.fields import Pod
from aidc.study.site_run.supply_events import SupplyEvents
from aidc.units import KELVIN_AT_0C, MINUTE_S

__all__ = ["EventLog"]

_SCHEMA = {
    "time": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    "subject": pl.String,
    "message": pl.String,
}
_EQUIPMENT = "equipment-outage"
_MOST = 20_000  # of one kind: a week of a controller that clips every minute is 10,080


class EventLog:
    """Collects the events of a run; `frame` gives them in order of time."""

    def __init__(self, compiled: Compiled, planned: Sequence[AnyEvent] = ()) -> None:
        self._compiled, self._planned = compiled, planned
        self._rows: list[tuple[datetime, str, str, str]] = []
        self._count: dict[str, int] = {}
        self._on: dict[tuple[str, str], bool] = {}
        self._watch = {name: Watch() for name in compiled.labels.plants}
        self._supply = SupplyEvents(compiled, self.add, planned)

    def add(self, when: datetime, kind: str, subject: str, message: str) -> None:
        """Note one event; beyond many of one kind only their number is kept.

        `when` is its time, `subject` the equipment or workload and `message` the words.
        """
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
        """Note the events of the scenario, and what was mended in the inputs."""
        clock = self._compiled.clock
        for signal in self._compiled.signals:
            if signal.kind != _EQUIPMENT:
                until = f"until {clock.at(signal.end_tick):%Y-%m-%d %H:%M}Z"
                self.add(clock.at(signal.start_tick), signal.kind, signal.name, until)
                if signal.name in self._compiled.withdrawn:
                    self.add(
                        clock.at(self._compiled.withdrawn[signal.name]), signal.kind, signal.name, "withdrawn"
                    )
        for event in self._planned:
            if isinstance(event, EquipmentOutage):
                self._equipment(event)
        for repair in self._compiled.meta.get("repairs", ()):
            self.add(clock.start, "repair", "input", str(repair))

    def _equipment(self, event: EquipmentOutage) -> None:
        """Note an equipment outage that touches the run, at its beginning and its end."""
        clock = self._compiled.clock
        begin = as_utc(event.start)
        end = begin + timedelta(minutes=event.duration_min)
        if end <= clock.start or begin >= clock.end:
            return
        what = f"{event.name}: {event.units}" if event.name else str(event.units)
        units = "unit" if event.units == 1 else "units"
        text = f"{what} {units} out of service until {end:%Y-%m-%d %H:%M}Z"
        self.add(max(begin, clock.start), _EQUIPMENT, event.of, text)
        if end < clock.end:
            self.add(end, _EQUIPMENT, event.of, f"{what} {units} back in service")

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
        """Note what happened to the supply, where pods throttled, queues spilled."""
        self._supply.seen(series, pods)
        self._cooling(series)
        for (name,), frame in pods.group_by("pod", maintain_order=True):
            pod = str(name)
            place = self._compiled.labels.pods.index(pod)
            self._spans(
                frame,
                "throttle",
                pod,
                pl.col("throttle_frac") > 0,
                lambda row, place=place: f"{self._limit(place, row)}: accelerators throttle",
            )
            self._spans(
                frame,
                "shutdown",
                pod,
                pl.col("tripped_frac") > 0,
                lambda row, place=place: f"{self._limit(place, row)}: the pod shuts down",
            )
            self._spans(frame, "dropped", pod, pl.col("tokens_dropped") > 0, "the queue was full")

    def _cooling(self, series: pl.DataFrame) -> None:
        """Note where a plant did not hold its set point, once that is over."""
        times = series["time"].dt.timestamp("us").to_numpy() / 1e6
        row_s = float(self._compiled.clock.step_s * self._compiled.steps_per_book)
        lengths = np.minimum(row_s, self._compiled.clock.end.timestamp() - times)
        for name, watch in self._watch.items():
            above_k = series[f"cooling.{name}.above_k"].to_numpy()
            for one in watch.feed(times, lengths, above_k):
                self._not_held(name, one)

    def _not_held(self, plant: str, one: Excursion) -> None:
        if one.counts:
            message = (
                f"set point not held for {one.duration_s / MINUTE_S:,.0f} min,"
                f" up to {one.worst_k:.1f} K above it"
            )
            self.add(datetime.fromtimestamp(one.start_s, UTC), "set-point", f"cooling.{plant}", message)

    def _limit(self, place: int, row: dict[str, Any]) -> str:
        """Which limit a pod is above in a row: of those that it has, the one that it is furthest beyond."""
        pod = self._compiled.params.pod[:, place]
        inlet = 1.0 / pod[Pod.PER_INLET_BAND]
        tried = [
            ("case", row["case_k"], pod[Pod.THROTTLE_K], pod[Pod.TRIP_K] - pod[Pod.THROTTLE_K]),
            ("air at the inlet", row["air_k"], pod[Pod.AIR_LIMIT_K], inlet),
        ]
        if not pod[Pod.CASE_ON_AIR]:
            tried.append(("coolant at the inlet", row["supply_k"], pod[Pod.COOLANT_LIMIT_K], inlet))
        name, _, limit_k, _ = max(tried, key=lambda one: (one[1] - one[2]) / one[3])
        return f"{name} above its limit of {limit_k - KELVIN_AT_0C:.4g} °C"

    def _spans(
        self,
        frame: pl.DataFrame,
        kind: str,
        subject: str,
        test: pl.Expr,
        message: str | Callable[[dict[str, Any]], str],
    ) -> None:
        """One event where a condition begins and one where it ends, across blocks."""
        on = frame.select(test.alias("on"))["on"]
        before = self._on.get((kind, subject), False)
        if not on.any():
            if before:
                self.add(frame["time"][0], kind, subject, "ended")
            self._on[(kind, subject)] = False
            return
        for place, (when, now) in enumerate(zip(frame["time"], on, strict=True)):
            if now != before:
                text = message if isinstance(message, str) else message(frame.row(place, named=True))
                self.add(when, kind, subject, text if now else "ended")
                before = now
        self._on[(kind, subject)] = before

    def frame(self) -> pl.DataFrame:
        """All events, in order of time."""
        self._supply.close()
        for name, watch in self._watch.items():
            for one in watch.close():
                self._not_held(name, one)
        for kind, count in self._count.items():
            if count > _MOST:
                text = f"{count - _MOST} more of this kind are not listed"
                self._rows.append((self._compiled.clock.end, kind, "", text))
        told = pl.DataFrame(self._rows, schema=_SCHEMA, orient="row")
        return told.sort(
            "time", "kind", "subject", maintain_order=True
        )  # not by the blocks they were found in
