"""Power chains: end-to-end efficiency at 65 % output, and the Frontier site against the RAPS model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aidc.catalogue import read
from aidc.plant.conversion import chain_efficiency, stage_efficiency
from aidc.plant.frontier import site_power
from aidc.schema.chain import Chain
from aidc.units import MEGA
from aidc.validation.case import Case, Row

__all__ = ["cases"]

LOAD_FRAC: Final = 0.65
LIMIT_POINTS: Final = 0.3
FRONTIER_LIMIT_PCT: Final = 0.5

# Efficiency from medium voltage to the 50 V bus: its expected range, and the same by stage, grid side first [%]
CHAINS: Final = {
    "415vac-double-conversion": ((92.8, 92.8), (99.35, 97.0, 99.5, 97.3, 99.5)),
    "415vac-eco": ((94.7, 94.7), (99.35, 98.7, 99.5, 97.3, 99.5)),
    "800vdc-central-rectifier": ((95.5, 95.5), (99.35, 98.5, 99.7, 98.0, 99.9)),
    "800vdc-sst": ((95.7, 96.1), (98.25, 99.7, 98.0, 99.9)),
}

# State: busy nodes, CPU and GPU utilisation; site power by RAPS, and by telemetry as the SC24 paper is cited [MW]
FRONTIER: Final = {
    "idle": (0, 0.0, 0.0, 7.307, 7.4),
    "HPL": (9216, 0.33, 0.79, 22.53, 21.3),
    "full load": (9472, 1.0, 1.0, 28.228, 27.4),
}


def cases(data_dir: Path) -> Sequence[Case]:
    """Cases that need no measured data, so that every folder has them."""
    _ = data_dir
    return [*(_chain_case(name) for name in CHAINS), *_frontier_cases()]


def _chain_case(name: str) -> Case:
    (low, high), parts = CHAINS[name]
    chain = Chain.model_validate(read("chain", name).values)
    total = 100 * chain_efficiency(chain, LOAD_FRAC)
    rows = [Row(f"{name}: end to end", (low + high) / 2, total, inputs={"load_frac": LOAD_FRAC})]
    rows += [
        Row(f"{name}: {stage.name}", expected, 100 * stage_efficiency(stage, LOAD_FRAC))
        for stage, expected in zip(chain.stages, parts, strict=True)
    ]
    return Case(
        name="chains",
        dataset="component efficiencies",
        metric=f"{name}: efficiency at 65 % output",
        value=total - min(max(total, low), high),
        limit=LIMIT_POINTS,
        unit="points",
        rows=rows,
        note=f"Deviation from {low} %" + (f" to {high} %" if high > low else "") + ". The stages' figures are"
        " vendor-class values, partly without a checked source: agreement shows that the curves give the"
        " intended efficiency, not that a built chain has it.",
    )


def _frontier_cases() -> list[Case]:
    found: list[Case] = []
    for state, (nodes, cpu, gpu, published_mw, _) in FRONTIER.items():
        predicted_mw = site_power(nodes, cpu, gpu).site_w / MEGA
        inputs = {"nodes": nodes, "cpu_frac": cpu, "gpu_frac": gpu}
        found.append(
            Case(
                name="chains",
                dataset="RAPS (ExaDigiT), Frontier",
                metric=f"Frontier site power, {state}",
                value=100 * (predicted_mw / published_mw - 1),
                limit=FRONTIER_LIMIT_PCT,
                unit="%",
                rows=[Row(f"{state} [MW]", published_mw, predicted_mw, inputs=inputs)],
                note="Agreement with a published model of the same equations, not accuracy.",
            )
        )
    rows = [
        Row(f"{state} [MW]", measured_mw, site_power(nodes, cpu, gpu).site_w / MEGA)
        for state, (nodes, cpu, gpu, _, measured_mw) in FRONTIER.items()
    ]
    worst = max(abs(100 * ((row.predicted or 0.0) / (row.measured or 1.0) - 1)) for row in rows)
    found.append(
        Case(
            name="chains",
            dataset="Frontier telemetry as cited by Brewer et al., SC24",
            metric="Frontier site power, worst deviation",
            value=worst,
            limit=None,
            unit="%",
            rows=rows,
            note="Telemetry at second hand; the utilisations of the HPL run are an assumption.",
            kind="shown",
        )
    )
    return found
