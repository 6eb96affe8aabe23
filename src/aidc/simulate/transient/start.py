"""Where a transient begins: the energy engine's state at a stated time (default: the peak hour)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aidc.clock import as_utc
from aidc.errors import InputError, Problem
from aidc.schema.site import Site
from aidc.simulate.compiling.compile import compile_site
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import Params
from aidc.simulate.energy.fields import Component, Pod, PodCell, PodFlow, PodNow, SiteNow, StoreNow
from aidc.simulate.gather import Block
from aidc.simulate.transient.arrays import FloatArray
from aidc.simulate.twin import Twin

__all__ = ["OperatingPoint", "operating_point"]

_STEP_S = 60.0  # the energy engine is stepped coarsely: its means over a minute are what is needed
_HOUR_S = 3600.0
_CHUNK_ROWS = 1440


@dataclass(frozen=True)
class OperatingPoint:
    """What the energy engine says of the site around the start of a window.

    `accelerator_w` is [lane, row] over rows of `row_s`, starting with the row of the window's start; the
    others are means of the first row: [lane], [plant] or scalars, in W and K.
    """

    compiled: Compiled
    start: datetime
    row_s: float
    accelerator_w: FloatArray
    batch: FloatArray
    case_k: FloatArray
    supply_k: FloatArray
    case_k_w: FloatArray
    cooling_w: FloatArray  # [plant] all of it, of which ...
    compressor_w: FloatArray  # ... compressors, ...
    drives_w: FloatArray  # ... pumps and fans of the plant, ...
    pump_w: FloatArray  # [lane] ... those of CDUs ...
    crah_w: FloatArray  # [lane] ... and of air handlers
    renewable_w: float
    auxiliary_w: float
    soc_frac: FloatArray
    import_w: float


def operating_point(site: Site, at: datetime | None = None, duration_s: float = _HOUR_S) -> OperatingPoint:
    """Step the energy engine through the scenario and read the site off at one time.

    Parameters
    ----------
    site
        The loaded site.
    at
        Start of the window; default: the start of the hour with the largest mean import.
    duration_s
        Length of the window [s], which the power of the services follows.

    Raises
    ------
    InputError
        `at` lies outside the scenario.
    """
    rows_s = min(_STEP_S, site.scenario.days * 86_400)
    plan = site.scenario.model_copy(update={"step_s": rows_s, "output_step_s": rows_s})
    compiled = compile_site(site.model_copy(update={"scenario": plan}))
    first = _peak_row(compiled) if at is None else _row_at(compiled, at)
    rows = max(2, int(np.ceil(duration_s / rows_s)) + 2)
    twin = Twin(compiled)
    for chunk in _chunks(first):
        twin.advance(chunk * compiled.steps_per_row)
    soc_frac = np.array(twin.state.soc_frac)
    block = twin.advance(rows * compiled.steps_per_row)
    return _read(compiled, block, rows, soc_frac)


def _chunks(rows: int) -> Iterator[int]:
    """A day of rows at a time: what they record is not needed, and a year of it would fill the memory."""
    for done in range(0, rows, _CHUNK_ROWS):
        yield min(_CHUNK_ROWS, rows - done)


def _row_at(compiled: Compiled, at: datetime) -> int:
    clock = compiled.clock
    tick = clock.tick_of(as_utc(at))
    if not 0 <= tick < clock.steps:
        raise InputError(
            Problem(
                f"lies outside the scenario, {clock.start.isoformat()} to {clock.end.isoformat()}",
                "Choose a time inside it, or move scenario.start.",
                key="--at",
                value=at.isoformat(),
            )
        )
    return tick // compiled.steps_per_row


def _peak_row(compiled: Compiled) -> int:
    """The row at which the hour with the largest mean import begins."""
    twin = Twin(compiled)
    imports: list[FloatArray] = []
    for chunk in _chunks(compiled.clock.steps // compiled.steps_per_row):
        block = twin.advance(chunk * compiled.steps_per_row)
        imports.append(block.records.site[:, SiteNow.NET_IMPORT_W, 0].copy())
    load = np.concatenate(imports)
    hour = round(_HOUR_S / (float(compiled.clock.step_s) * compiled.steps_per_row))
    window = min(load.size, max(1, hour))
    return int(np.argmax(np.convolve(load, np.ones(window), mode="valid")))


def _read(compiled: Compiled, block: Block, count: int, soc_frac: FloatArray) -> OperatingPoint:
    """The site in the first row of a block; a window beyond the scenario goes on as its last row."""
    out, params = block.records, compiled.params
    rows = np.minimum(np.arange(count), block.rows - 1)
    pod, here = out.pod[0], out.site[0, :, 0]
    plants = params.plant.shape[1]
    cooling = np.array(
        [
            out.plant[0, Component.PUMP_FACILITY_W, plant]
            + out.plant[0, Component.FAN_W, plant]
            + out.plant[0, Component.CHILLER_W, plant]
            + pod[PodNow.PUMP_W, params.pod[Pod.PLANT] == plant].sum()
            + pod[PodNow.CRAH_W, params.pod[Pod.AIR_PLANT] == plant].sum()
            for plant in range(plants)
        ]
    )
    return OperatingPoint(
        compiled=compiled,
        start=compiled.clock.at(block.first_tick),
        row_s=float(compiled.clock.step_s) * compiled.steps_per_row,
        accelerator_w=np.ascontiguousarray(out.pod[rows, PodNow.ACCELERATOR_W, :].T),
        batch=np.array(out.cell[0, PodCell.BATCH]),
        case_k=np.array(out.case_k[0]),
        supply_k=np.array(pod[PodNow.SUPPLY_K]),
        case_k_w=_plate_k_w(params),
        cooling_w=cooling,
        compressor_w=np.array(out.plant[0, Component.CHILLER_W]),
        drives_w=np.array(out.plant[0, Component.PUMP_FACILITY_W] + out.plant[0, Component.FAN_W]),
        pump_w=np.array(pod[PodNow.PUMP_W]),
        crah_w=np.array(pod[PodNow.CRAH_W]),
        renewable_w=float(here[SiteNow.PV_W] + here[SiteNow.WIND_W]),
        auxiliary_w=float(here[SiteNow.AUXILIARY_W]),
        soc_frac=soc_frac,
        import_w=float(
            here[SiteNow.NET_IMPORT_W]
            - (out.store[0, StoreNow.CHARGE_W] - out.store[0, StoreNow.DISCHARGE_W]).sum()
        ),
    )


def _plate_k_w(params: Params) -> FloatArray:
    """Resistance of each pod's plates or heat sinks at design flow [K/W]."""
    places = params.flow.shape[2] - 1
    most = params.pod[Pod.PER_LOOP_MOST]
    curves = params.flow[PodFlow.CASE_K_W]
    at_design = [
        np.interp(one * places, np.arange(places + 1), curve) for one, curve in zip(most, curves, strict=True)
    ]
    return np.array(at_design)
