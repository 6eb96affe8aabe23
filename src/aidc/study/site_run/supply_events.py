"""What happened to the supply, in words: the bus, gensets, storages that bridge, load shed and back, curtailment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.schema.event import AnyEvent, EquipmentOutage
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.fields import Cells, Genset, Store
from aidc.study.site_run.spans import FloatArray, Span, Spans
from aidc.units import HOUR_S, J_PER_MWH, MINUTE_S

__all__ = ["SupplyEvents"]

Add = Callable[[datetime, str, str, str], None]
BoolArray = NDArray[np.bool_]

_SOC_NEAR = 1e-3  # of the state of charge: nearer to its floor, a storage is empty
_ROUNDING = 1e-9


class SupplyEvents:
    """Follows the supply of a run from block to block, and adds its events."""

    def __init__(self, compiled: Compiled, add: Add, planned: Sequence[AnyEvent] = ()) -> None:
        self._compiled, self._add = compiled, add
        self._row_s = float(compiled.clock.step_s * compiled.steps_per_book)
        self._spans = Spans(self._row_s)
        self._rows = 0
        self._burnt_j = dict.fromkeys(compiled.labels.gensets, 0.0)
        self._faulty = {one.of for one in planned if isinstance(one, EquipmentOutage)}

    def seen(self, series: pl.DataFrame, pods: pl.DataFrame) -> None:
        """Note what began and ended within a block."""
        times_s = series["time"].dt.timestamp("us").to_numpy() / 1e6
        self._bus(series, times_s)
        self._curtailed(series, times_s)
        for name in self._compiled.labels.gensets:
            self._genset(name, series, times_s)
        gone, limit_w = self._grid(len(times_s))
        made_w = _column(series, "pv_w") + _column(series, "wind_w")
        lacking = _column(series, "wanted_w") - made_w > limit_w * (1.0 + _ROUNDING) + 1.0
        for name in dict.fromkeys(self._compiled.labels.stores):
            self._store(name, series, times_s, gone, lacking)
        for (name,), frame in pods.group_by("pod", maintain_order=True):
            self._pod(str(name), frame, times_s)
        self._rows += len(times_s)

    def close(self) -> None:
        """Note what pods that are still off have cost so far."""
        for name in self._compiled.labels.pods:
            span = self._spans.still(f"shed {name}")
            if span is not None:
                self._at(span.end_s, "back", name, f"not back by the end of the run: {_cost(span)}")

    def _at(self, seconds: float, kind: str, subject: str, message: str) -> None:
        self._add(datetime.fromtimestamp(seconds, UTC), kind, subject, message)

    def _bus(self, series: pl.DataFrame, times_s: FloatArray) -> None:
        dead = 1.0 - _column(series, "bus_formed_frac")
        dead[dead < _ROUNDING] = 0.0
        text = "nothing forms the bus: photovoltaics, wind and grid-following storage stop"

        def begun(span: Span) -> None:
            self._at(self._outage_s(span.start_s), "bus", "site bus", text)

        def ended(span: Span) -> None:
            last_s = (
                self._outage_s(span.start_s) if span.length_s <= self._row_s else span.end_s - self._row_s
            )
            back = f"formed again, after {_long(span.sums[0] * self._row_s)} without a former"
            self._at(last_s + span.last * self._row_s, "bus", "site bus", back)

        self._spans.feed("bus", times_s, dead > 0.0, (dead,), begun, ended)
        for kind, column, text in (
            ("cooling-unserved", "cooling_unserved_w", "pumps, fans or compressors have no supply"),
            ("auxiliary-unserved", "auxiliary_unserved_w", "auxiliaries have no supply"),
        ):
            self._told(
                (kind, kind.split("-")[0]),
                times_s,
                _watts(series, column),
                text,
                self._ended("not supplied"),
            )
        self._told(
            ("load-bank", "gensets"),
            times_s,
            _watts(series, "load_bank_w"),
            "gensets at their least load: a load bank takes what nothing else does",
            self._ended("burnt in the load bank"),
        )

    def _outage_s(self, row_start_s: float) -> float:
        """When the supply went within an output step; its start where it did not go in it."""
        clock = self._compiled.clock
        starts = (
            clock.at(one.start_tick).timestamp()
            for one in self._compiled.signals
            if one.kind == "supply-outage"
        )
        return max((at for at in starts if 0.0 <= at - row_start_s < self._row_s), default=row_start_s)

    def _curtailed(self, series: pl.DataFrame, times_s: FloatArray) -> None:
        """Curtailment by its reason: nothing forms the bus, gensets keep their least load, the export limit."""
        curtailed_w = _watts(series, "curtailed_w")
        dead = _column(series, "bus_formed_frac") < 1.0 - _ROUNDING
        running = _column(series, "genset_w") > 0.0
        for reason, holds in (
            ("nothing forms the bus", dead),
            ("gensets at their least load leave no room", ~dead & running),
            ("the export limit was reached", ~dead & ~running),
        ):
            self._told(
                ("curtailed", "renewables"),
                times_s,
                np.where(holds, curtailed_w, 0.0),
                reason,
                self._ended("curtailed"),
                reason,
            )

    def _told(
        self,
        what: tuple[str, str],
        times_s: FloatArray,
        amount: FloatArray,
        begun: str,
        ended: Callable[[Span], str],
        key: str = "",
    ) -> None:
        """Two events for each span in which an amount is above zero; `what` is their kind and subject."""
        kind, subject = what
        self._spans.feed(
            f"{kind} {subject} {key}",
            times_s,
            amount > 0.0,
            (amount,),
            lambda span: self._at(span.start_s, kind, subject, begun),
            lambda span: self._at(span.end_s, kind, subject, ended(span)),
        )

    def _ended(self, verb: str) -> Callable[[Span], str]:
        return lambda span: f"ended: {_short(span.sums[0] * self._row_s / J_PER_MWH)} MWh {verb}"

    def _genset(self, name: str, series: pl.DataFrame, times_s: FloatArray) -> None:
        running = _column(series, f"genset.{name}.running_frac")
        fuel_j = _column(series, f"genset.{name}.fuel_w") * self._row_s
        subject = f"gensets.{name}"

        def begun(span: Span) -> None:
            self._running(name, span.start_s, running[span.row])

        def ended(span: Span) -> None:
            ran_s, burnt_mwh = span.sums[0] * self._row_s, span.sums[1] / J_PER_MWH
            text = f"stopped: ran {_long(ran_s)}, burnt {_short(burnt_mwh)} MWh of fuel"
            self._at(span.end_s - (1.0 - span.last) * self._row_s, "genset-stopped", subject, text)

        self._spans.feed(subject, times_s, running > 0.0, (running, fuel_j), begun, ended)
        self._fuel(name, fuel_j, times_s)

    def _running(self, name: str, row_start_s: float, frac: float) -> None:
        """They began to run within an output step; when they were called follows from their own times."""
        subject = f"gensets.{name}"
        if (
            self._rows == 0
            and row_start_s <= self._compiled.clock.start.timestamp()
            and frac >= 1.0 - _ROUNDING
        ):
            self._at(row_start_s, "genset-running", subject, "running from the start of the run")
            return
        began_s = row_start_s + self._row_s * (1.0 - frac)
        fixed = self._compiled.params.genset[:, self._compiled.labels.gensets.index(name)]
        ready_s, call_s = float(fixed[Genset.READY_S]), float(fixed[Genset.CALL_S])
        text = "running and carrying"
        if subject not in self._faulty:  # with sets out of service they may have been called long before
            lack = f"photovoltaics, wind and the grid have lacked power for {_long(call_s)}"
            self._at(began_s - ready_s + call_s, "genset-called", subject, f"called: {lack}")
            text += f", {_long(ready_s)} after the lack began"
        self._at(began_s, "genset-running", subject, text)

    def _fuel(self, name: str, fuel_j: FloatArray, times_s: FloatArray) -> None:
        """One event where the tank runs empty: what is left would not run the sets without load for a step."""
        tank_j = self._compiled.meta.get("gensets", {}).get(name, {}).get("fuel_j")
        if tank_j is None:
            return
        fixed = self._compiled.params.genset[:, self._compiled.labels.gensets.index(name)]
        idle_w = fixed[Genset.FUEL_A] * fixed[Genset.UNIT_W] * fixed[Genset.UNITS]
        least_j = max(1e-6 * tank_j, float(idle_w) * float(self._compiled.clock.step_s))
        left_j = tank_j - self._burnt_j[name] - np.cumsum(fuel_j)
        self._burnt_j[name] += float(fuel_j.sum())

        def begun(span: Span) -> None:
            self._at(
                span.start_s + self._row_s, "fuel-empty", f"gensets.{name}", "the tank is empty: they stop"
            )

        first = left_j <= least_j
        self._spans.feed(f"fuel {name}", times_s, first, (), begun, lambda _: None)

    def _grid(self, rows: int) -> tuple[BoolArray, FloatArray]:
        """For each output step of a block: whether the grid is gone at some time of it, and its least limit [W]."""
        base_w = float(self._compiled.meta.get("import_limit_w", np.inf))
        gone, limit_w = np.full(rows, base_w <= 0.0), np.full(rows, base_w)
        per_row = self._compiled.steps_per_book
        first = (self._rows + np.arange(rows)) * per_row
        for signal in self._compiled.signals:
            inside = (first < signal.end_tick) & (first + per_row > signal.start_tick)
            if signal.kind == "supply-outage":
                gone |= inside
                limit_w[inside] = 0.0
            elif signal.kind == "import-limit":
                limit_w[inside] = np.minimum(limit_w[inside], signal.limit_w)
        return gone, limit_w

    def _store(
        self, name: str, series: pl.DataFrame, times_s: FloatArray, gone: BoolArray, lacking: BoolArray
    ) -> None:
        """A storage that bridges: it discharges because the grid is gone or gives too little, not by its rule."""
        place = self._compiled.labels.stores.index(name)
        fixed = self._compiled.params.store[:, place]
        lineup = fixed[Store.LANE] >= 0.0
        if not lineup and float(self._compiled.meta.get("import_limit_w", np.inf)) <= 0.0:
            return  # on an island that is what a storage at the site does all day
        given_w = _watts(series, f"storage.{name}.discharge_w")
        forced = gone | lacking
        if fixed[Store.SMOOTH_S] > 0.0:
            forced &= _column(series, "genset_w") <= 0.0
        if lineup and fixed[Store.STAYS_FULL] > 0.0:
            forced |= given_w > 0.0
        on = np.where(forced, given_w, 0.0)
        text = "lineups on battery" if lineup else "the site bus is on storage"
        soc = _column(series, f"storage.{name}.soc_frac")
        self._told(("on-battery", f"storage.{name}"), times_s, on, text, self._ended("given"))
        self._empty(name, soc, times_s, forced, np.where(gone, 0.0, fixed[Store.RESERVE_FRAC]))

    def _empty(
        self, name: str, soc: FloatArray, times_s: FloatArray, forced: BoolArray, reserve: FloatArray
    ) -> None:
        place = self._compiled.labels.stores.index(name)
        floor = self._compiled.params.storage[Cells.SOC_MIN_FRAC, place] + reserve

        def begun(span: Span) -> None:
            why = "down to its reserve" if reserve[span.row] > 0.0 else "empty"
            text = f"{why}: at {100.0 * soc[span.row]:.1f} % of its charge"
            self._at(times_s[span.row] + self._row_s, "storage-empty", f"storage.{name}", text)

        on = (soc <= floor + _SOC_NEAR) & forced
        self._spans.feed(f"empty {name}", times_s, on, (), begun, lambda _: None)

    def _pod(self, name: str, frame: pl.DataFrame, times_s: FloatArray) -> None:
        shed = frame["shed_frac"].to_numpy()
        amounts = (shed * self._row_s, frame["not_supplied_w"].to_numpy() * self._row_s)
        self._spans.feed(
            f"shed {name}",
            times_s,
            shed > 0.0,
            amounts,
            lambda span: self._at(span.start_s, "shed", name, "load shed for want of supply"),
            lambda span: self._at(span.end_s, "back", name, f"back: {_cost(span)}"),
        )


def _column(series: pl.DataFrame, name: str) -> FloatArray:
    return series[name].to_numpy()


def _watts(series: pl.DataFrame, name: str) -> FloatArray:
    """A power of which less than a watt is rounding."""
    power = series[name].to_numpy()
    return np.where(power >= 1.0, power, 0.0)


def _cost(span: Span) -> str:
    """What a span of being shed has cost, in words."""
    return f"off for {_long(span.sums[0])}, {_short(span.sums[1] / J_PER_MWH)} MWh not supplied"


def _short(value: float) -> str:
    return f"{_even(value):.4g}"


def _even(value: float) -> float:
    """The value to ten digits: rounding on the way to it shall not decide a tie in what is shown."""
    return float(f"{value:.10g}")


def _long(seconds: float) -> str:
    """A length of time in the unit that reads well."""
    for unit_s, unit in ((HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= unit_s:
            return f"{_even(seconds / unit_s):.3g} {unit}"
    return f"{_even(seconds):.3g} s"
