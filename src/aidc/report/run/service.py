"""Services and jobs: demand against delivery, queue, latency, service level, training progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from aidc.measure.meta import Workload
from aidc.report.blocks import Block, Chart, Column, Note, Section, Table, trimmed
from aidc.report.lines import FloatArray, budget, limit, trace
from aidc.report.run.deadlines import deadline
from aidc.report.run.view import View, conditions
from aidc.report.style import COLOURS, PODS, layout
from aidc.report.text import MISSING, duration, figure, money, percent, scaled, tokens
from aidc.report.tree import pick

__all__ = ["service_section"]

_PODS_SHOWN = 12
_POINTS = 1600
_LINES_PER_POD = 5
_LINES_PER_SERVICE = 4
_ROWS = 5


@dataclass(frozen=True, slots=True)
class _Measure:
    """A row of a service's chart that has lines for each pod: columns with their dashes, in what unit."""

    row: int
    columns: Mapping[str, str]
    scale: float
    unit: str


_MEASURES = (
    _Measure(2, {"queue_tokens": "solid"}, 1e-6, "Mtok"),
    _Measure(3, {"ttft_p50_s": "dot", "ttft_p99_s": "solid"}, 1.0, "s"),
    _Measure(4, {"itl_p50_s": "dot", "itl_p99_s": "solid"}, 1e3, "ms"),
)


def service_section(view: View) -> Section:
    """One chart of five rows for each service, the training progress, and both tables."""
    blocks: list[Block] = []
    services, jobs = view.facts.of_kind("service"), view.facts.of_kind("job")
    if services:
        blocks.append(_services_table(view, services))
    lines = sum(_LINES_PER_SERVICE + _LINES_PER_POD * min(len(load.pods), _PODS_SHOWN) for load in services)
    points = budget(lines, _POINTS)
    blocks += [chart for load in services if (chart := _service_chart(view, load, points)) is not None]
    if jobs:
        blocks.append(_jobs_table(view, jobs))
        blocks += [chart for load in jobs if (chart := _job_chart(view, load)) is not None]
    if not blocks:
        blocks.append(Note("No service and no job ran on this site."))
    use = _use_table(view)
    if use is not None:
        blocks.insert(1, use)
    lead = (
        "TTFT is the time to the first token of a request, ITL the time between two tokens of its answer. A token "
        "is useful when its request meets the service level."
    )
    return Section("service", "Services", "Services and jobs", lead, blocks)


def _service_chart(view: View, load: Workload, points: int) -> Chart | None:
    pods = [pod for pod in load.pods if view.pod(pod, "tokens_output") is not None]
    if not pods:
        return None
    drawn = make_subplots(rows=_ROWS, shared_xaxes=True, vertical_spacing=0.028)
    _add_rates(drawn, view, pods, points)
    for measure in _MEASURES:
        for place, pod in enumerate(pods[:_PODS_SHOWN]):
            _add_pod(drawn, view, pod, measure, PODS[place % len(PODS)], points)
    for row, bound, scale in ((3, load.ttft_p99_s, 1.0), (4, load.itl_p99_s, 1e3)):
        if bound is not None:
            level = limit(view.time_ms, bound * scale, "p99 target", COLOURS["limit"], legendgroup="slo")
            level.showlegend = row == 3
            drawn.add_trace(level, row=row, col=1)
    _add_attainment(drawn, view, pods, points)
    drawn.update_yaxes(rangemode="tozero")
    drawn.update_yaxes(rangemode="normal", row=_ROWS, col=1)
    height = 860
    layout(drawn, height, y_titles=("tokens/s", "queue, Mtok", "TTFT, s", "ITL, ms", "useful, %"))
    note = "Latency lines: p99 solid, p50 dotted, for each pod. Useful: share of the delivered tokens in each step."
    if len(pods) > _PODS_SHOWN:
        note += f" The first {_PODS_SHOWN} of {len(pods)} pods are drawn; the rest is in pods.parquet."
    title = ": ".join(part for part in (load.name, conditions(load)) if part)
    return Chart(f"service-{load.name}", title, drawn, height, note, linked=True)


def _add_rates(drawn: go.Figure, view: View, pods: Sequence[str], points: int) -> None:
    for name, column, colour, width in (
        ("arrived", "tokens_arrived", COLOURS["pv"], 3.2),
        ("delivered", "tokens_output", COLOURS["accelerator"], 1.5),
        ("dropped", "tokens_dropped", COLOURS["limit"], 1.5),
    ):
        values = view.pod_sum(pods, column)
        if values is not None and (values.any() or name != "dropped"):
            rate = values / view.dt_s
            drawn.add_trace(
                trace(
                    view.time_ms, rate, name, colour, unit="tok/s", points=points, width=width, form=".4~s"
                ),
                row=1,
                col=1,
            )


def _add_pod(drawn: go.Figure, view: View, pod: str, measure: _Measure, colour: str, points: int) -> None:
    for column, dash in measure.columns.items():
        values = view.pod(pod, column)
        if values is None:
            continue
        line = trace(
            view.time_ms,
            values * measure.scale,
            f"pod {pod} {column[-5:-2]}" if len(measure.columns) > 1 else f"pod {pod}",
            colour,
            unit=measure.unit,
            points=points,
            dash=dash,
            width=1.3,
            legendgroup=f"pod {pod}",
            showlegend=measure.row == _MEASURES[0].row,
        )
        drawn.add_trace(line, row=measure.row, col=1)


def _add_attainment(drawn: go.Figure, view: View, pods: Sequence[str], points: int) -> None:
    useful, made = view.pod_sum(pods, "tokens_useful"), view.pod_sum(pods, "tokens_output")
    if useful is None or made is None:
        return
    share = 100 * _ratio(useful, made)
    drawn.add_trace(
        trace(
            view.time_ms, share, "useful share", COLOURS["good"], unit="%", points=points, showlegend=False
        ),
        row=_ROWS,
        col=1,
    )


def _job_chart(view: View, load: Workload) -> Chart | None:
    pods = [pod for pod in load.pods if view.pod(pod, "training_tokens") is not None]
    made = view.pod_sum(pods, "training_tokens")
    power = view.pod_sum(pods, "it_w")
    if made is None or power is None:
        return None
    drawn = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.05)
    rate = trace(view.time_ms, made / view.dt_s, "trained", COLOURS["accelerator"], unit="tok/s", form=".4~s")
    drawn.add_trace(rate, row=1, col=1)
    drawn.add_trace(trace(view.time_ms, power / 1e6, "IT power", COLOURS["server"], unit="MW"), row=2, col=1)
    drawn.update_yaxes(rangemode="tozero")
    layout(drawn, 360, y_titles=("tokens/s", "MW"))
    title = ": ".join(part for part in (load.name, conditions(load)) if part)
    return Chart(
        f"job-{load.name}", title, drawn, 360, "Tokens processed in training, not produced.", linked=True
    )


def _services_table(view: View, loads: Sequence[Workload]) -> Table:
    columns = [Column("service"), Column("model, accelerator, service level", wrap=True), Column("pods")] + [
        Column(title, numeric=True)
        for title in (
            "delivered",
            "useful",
            "SLO attainment",
            "TTFT p99, s",
            "ITL p99, ms",
            "TokEnergy, kWh/Mtok",
            "cost",
            "carbon, kg",
        )
    ]
    rows: list[list[str]] = []
    for load in loads:
        facts = view.told("services", load.name)
        itl_s = facts.get("itl_p99_s")
        rows.append(
            [
                load.name,
                conditions(load) or MISSING,
                ", ".join(load.pods) or MISSING,
                tokens(facts.get("tokens_output")),
                tokens(facts.get("tokens_useful")),
                percent(facts.get("slo_attainment")),
                figure(facts.get("ttft_p99_s")),
                figure(None if itl_s is None else 1e3 * itl_s),
                figure(pick(facts, "tokenergy_kwh_per_mtok.site")),
                money(pick(facts, "cost_usd.total")),
                figure(facts.get("carbon_kg")),
            ]
        )
    return trimmed(Table("services", "Services", columns, rows))


def _use_table(view: View) -> Table | None:
    """Demand against what the service level allows, batch against its limit, idle shares, of services and pods."""
    told = pick(view.summary, "utilisation")
    services, pods = pick(told, "services") or {}, pick(told, "pods") or {}
    if not services and not pods:
        return None
    columns = [Column("service or pod")] + [
        Column(title, numeric=True)
        for title in (
            "within the level",
            "demand, mean",
            "peak",
            "used, mean",
            "peak",
            "batch, peak of limit",
            "idle",
            "of nameplate",
        )
    ]
    rows: list[list[str]] = []
    for name, facts in [*services.items(), *((f"pod {pod}", facts) for pod, facts in pods.items())]:
        batch, limit = facts.get("batch_peak"), facts.get("batch_limit")
        rows.append(
            [
                str(name),
                *(
                    " ".join(scaled(facts.get(f"{key}_tokens_per_s"), "tok/s"))
                    for key in ("capacity", "demand_mean", "demand_peak")
                ),
                percent(facts.get("used_frac"), 3),
                percent(facts.get("peak_used_frac"), 3),
                MISSING if not limit else f"{figure(batch, 3)} of {figure(limit, 3)}",
                percent(facts.get("idle_frac"), 3),
                percent(facts.get("power_mean_frac"), 3),
                str(facts.get("word") or MISSING),
            ]
        )
    columns.append(Column("in words", wrap=True))
    note = (
        "Within the level: the largest demand at which 99 % of the tokens meet the service level without a queue. "
        "Idle: share of the time without a request in work (or without training)."
    )
    return trimmed(Table("utilisation", "Utilisation and headroom", columns, rows, note))


def _jobs_table(view: View, loads: Sequence[Workload]) -> Table:
    columns = [Column("job"), Column("model, accelerator", wrap=True), Column("pods")] + [
        Column(title, numeric=True)
        for title in (
            "tokens trained",
            "energy, MWh",
            "kWh per Mtok trained",
            "lost to faults",
            "finished",
            "deadline",
            "cost",
        )
    ]
    rows: list[list[str]] = []
    for load in loads:
        facts = view.told("jobs", load.name)
        made, energy = facts.get("tokens"), facts.get("energy_mwh")
        finished = facts.get("finished")
        rows.append(
            [
                load.name,
                conditions(load) or MISSING,
                ", ".join(load.pods) or MISSING,
                tokens(made),
                figure(energy),
                figure(pick(facts, "tokenergy_kwh_per_mtok.site")),
                duration(facts.get("lost_s")),
                ("yes" if finished else "no") if isinstance(finished, bool) else MISSING,
                deadline(facts),
                money(pick(facts, "cost_usd.total")),
            ]
        )
    note = (
        "Training tokens are processed, not produced; they stand in their own index. What is put off is counted against"
        " the same job without hindrance."
    )
    return trimmed(Table("jobs", "Jobs", columns, rows, note))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.full(whole.size, np.nan), where=whole > 0)
