"""`server-power`: whole servers at the wall under a power limit, and their AC against their DC.

At the wall, the accelerators are taken to sit at their limit (the only figure about them that the
runs give) and the benchmark is left out of the fit; a system with too few other runs gets the
catalogue's constants. AC/DC efficiency is judged on means over steady stretches, the run left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from aidc import catalogue
from aidc.calibrate.powercap_rows import rated_power_w
from aidc.calibrate.server import IDLE_W, PsuLoss, fit_psu, fit_server
from aidc.calibrate.server_rows import Stretch, WallRow, read_ac_dc, read_walls
from aidc.errors import InputError
from aidc.plant.server import ServerParams, server_params, server_power_w
from aidc.schema.rack import Rack
from aidc.validation.case import Case, Row

__all__ = ["cases"]

NAME: Final = "server-power"
WALL_SET: Final = "mlperf_inference_power"
AC_DC_SET: Final = "mlperf_training_power"
FEWEST_BENCHMARKS: Final = 2  # other benchmarks of the system, at two limits, that a refit needs
LIQUID_MARKS: Final = ("liquid", "neptune", "sr780", "_lc", "-lc", "_dlc", "-dlc")
RACKS: Final = {"a100": "hgx-a100", "h100": "dgx-h100", "h200": "hgx-h200"}
DEFAULT_PSU: Final = "dgx-h100"


def cases(data_dir: Path) -> Sequence[Case]:
    """Walls under limits and at idle, and AC/DC efficiencies, predicted against measured."""
    walls = read_walls(data_dir / WALL_SET)
    stretches = read_ac_dc(data_dir / AC_DC_SET)
    found: list[Case] = []
    if walls:
        found += _wall_cases(walls, _psu(stretches))
    if stretches:
        found += _ac_dc_cases(stretches)
    return found


def _wall_cases(walls: Sequence[WallRow], psu: PsuLoss) -> list[Case]:
    params_of = _left_out_params(walls, psu)
    loaded = [_wall_row(row, params_of) for row in walls]
    idle = [_idle_row(row, params_of) for row in walls if row.idle_w is not None]
    errors = _relative(loaded)
    note = "accelerators at their limit; the benchmark left out of the fit"
    mean, worst = (float(np.mean(errors)), float(np.max(errors))) if errors else (None, None)
    idle_errors = _relative(idle)
    idle_mean = float(np.mean(idle_errors)) if idle_errors else None
    return [
        Case(NAME, WALL_SET, "wall under limit, mean |error|", mean, 5.0, "percent", loaded, note),
        Case(NAME, WALL_SET, "wall under limit, worst |error|", worst, 7.0, "percent", loaded, note),
        Case(NAME, WALL_SET, "idle wall, mean |error|", idle_mean, None, "percent", idle, note, "shown"),
    ]


class _Params(NamedTuple):
    params: ServerParams | None
    left_out: str | None = None
    reason: str | None = None


_ParamsOf = Callable[[WallRow], _Params]


def _left_out_params(walls: Sequence[WallRow], psu: PsuLoss) -> _ParamsOf:
    """The constants for a row, fitted without its benchmark, or the reason why there are none."""
    known = [row for row in walls if row.problem is None]

    @cache
    def fitted(system: str, device: str, benchmark: str) -> _Params:
        tdp_w = rated_power_w(device)
        if tdp_w is None:
            return _Params(None, None, f"the rated power of the accelerator in {system!r} is not known")
        others = [row for row in known if row.system == system and row.benchmark != benchmark]
        limits = {row.cap_w for row in others}
        if len({row.benchmark for row in others}) >= FEWEST_BENCHMARKS and len(limits) > 1:
            return _Params(fit_server(others, tdp_w, psu), benchmark)
        rack = rack_of(system, device)
        if rack is None:
            reason = f"no measured server with accelerators of {system!r}, and too few runs to fit one"
            return _Params(None, None, reason)
        return _Params(server_params(rack, tdp_w))

    return lambda row: fitted(row.system, row.device, row.benchmark)


def rack_of(system: str, device: str) -> Rack | None:
    """The catalogue's rack for a measured system, by its accelerator and cooling."""
    name = RACKS.get(device)
    if device == "b200":
        name = "8xb200-liquid" if any(mark in system.lower() for mark in LIQUID_MARKS) else "8xb200-air"
    if name is None:
        return None
    try:
        return Rack.model_validate(catalogue.read("rack", name).values)
    except InputError:
        return None


def _wall_row(row: WallRow, params_of: _ParamsOf) -> Row:
    inputs = {"cap_w": row.cap_w, "accelerators": row.accelerators}
    found = _Params(None, None, row.problem) if row.problem else params_of(row)
    if found.params is None:
        return Row(row.item, row.wall_w, None, found.reason, None, inputs)
    predicted = server_power_w(float(row.accelerators or 0) * (row.cap_w or 0.0), found.params)
    return Row(row.item, row.wall_w, predicted, None, found.left_out, inputs)


def _idle_row(row: WallRow, params_of: _ParamsOf) -> Row:
    found = params_of(row)
    if found.params is None or row.accelerators is None:
        return Row(row.item, row.idle_w, None, found.reason or row.problem)
    rack = rack_of(row.system, row.device)
    idle_w = rack.accelerator_idle_w if rack else IDLE_W
    predicted = server_power_w(row.accelerators * idle_w, found.params)
    return Row(row.item, row.idle_w, predicted, None, found.left_out, {"accelerator_w": idle_w})


def _relative(rows: Sequence[Row]) -> list[float]:
    return [
        100.0 * abs(row.predicted / row.measured - 1.0)
        for row in rows
        if row.predicted is not None and row.measured
    ]


def _psu(stretches: Sequence[Stretch]) -> PsuLoss:
    """The loss of the supplies, fitted where the folder has both sides, else the catalogue's."""
    known = [row for row in stretches if row.problem is None]
    if known:
        return fit_psu(known)
    rack = Rack.model_validate(catalogue.read("rack", DEFAULT_PSU).values)
    return PsuLoss(rack.psu_fixed_w, rack.psu_frac)


def _ac_dc_cases(stretches: Sequence[Stretch]) -> list[Case]:
    rows = [_ac_dc_row(row, stretches) for row in stretches]
    errors = [abs(row.predicted - row.measured) for row in rows if row.predicted is not None and row.measured]
    mean, worst = (float(np.mean(errors)), float(np.max(errors))) if errors else (None, None)
    note = "efficiency of means over steady stretches of at least 20 s; the run left out of the fit"
    return [
        Case(NAME, AC_DC_SET, "AC/DC efficiency, worst |error|", worst, 1.0, "points", rows, note),
        Case(NAME, AC_DC_SET, "AC/DC efficiency, mean |error|", mean, None, "points", rows, note, "shown"),
    ]


def _ac_dc_row(row: Stretch, stretches: Sequence[Stretch]) -> Row:
    item = f"{row.run} from sample {row.first}"
    if row.ac_w is None or row.dc_w is None:
        return Row(item, None, None, row.problem)
    measured = 100.0 * row.dc_w / row.ac_w
    psu = _psu([other for other in stretches if other.run != row.run])
    predicted = 100.0 * row.dc_w / (row.dc_w + psu.fixed_w + psu.frac * row.dc_w)
    return Row(item, measured, predicted, None, row.run, {"dc_w": row.dc_w})
