"""Fit server constants on measured walls: `python -m aidc.calibrate.server DATA_DIR`.

Two fits. The loss of the power supplies, `fixed + frac · DC`, on the steady stretches of servers
metered on both sides, every run with the same weight. Then the wall of a server whose accelerators
sit at their power limit, with the idle wall as an anchor: the host (with idling fans) and the rise
of the fans. The share that follows the accelerators is held at 8 %, because wall readings cannot
tell it from the fans.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from aidc.calibrate.powercap_rows import rated_power_w
from aidc.calibrate.server_rows import Stretch, WallRow, read_ac_dc, read_walls
from aidc.plant.server import ServerParams, server_power_w

__all__ = ["PsuLoss", "fit_psu", "fit_server"]

DYNAMIC_FRAC: Final = 0.08
"""Board regulators and host work over accelerator power; estimated."""

IDLE_W: Final = 79.0
"""An idle Hopper GPU: 78.8 W, nvidia-smi on a 700 W part (stackhpc/ansible-slurm-appliance#975)."""

FAN_IDLE_W: Final = 150.0
"""Fans of an idle 8-GPU server; estimated. Only its sum with the host is measured."""

PSU_FRAC_SPREAD: Final = 0.02  # keeps the slope near zero where no idle stretch pins it


class PsuLoss(NamedTuple):
    """Loss of the supplies: fixed part in W, and share of the DC power."""

    fixed_w: float
    frac: float


def fit_psu(stretches: Sequence[Stretch]) -> PsuLoss:
    """Fit the loss line; an error counts by its effect on the efficiency."""
    known = [
        (row.run, row.ac_w, row.dc_w) for row in stretches if row.ac_w is not None and row.dc_w is not None
    ]
    per_run = Counter(run for run, _, _ in known)
    ac = np.array([ac for _, ac, _ in known])
    dc = np.array([dc for _, _, dc in known])
    weight = np.array([per_run[run] ** -0.5 for run, _, _ in known]) / dc
    left = np.column_stack([weight, dc * weight])
    typical = 0.004  # a run's efficiency repeats to about 0.4 points
    left = np.vstack([left / typical, [0.0, 1.0 / PSU_FRAC_SPREAD]])
    right = np.append((ac - dc) * weight / typical, 0.0)
    fixed_w, frac = np.linalg.lstsq(left, right, rcond=None)[0]
    return PsuLoss(float(fixed_w), float(frac))


def fit_server(rows: Sequence[WallRow], accelerator_tdp_w: float, psu: PsuLoss) -> ServerParams:
    """Fit host and fans on runs under a limit and on their idle walls; relative errors."""
    from scipy.optimize import nnls

    points = [(float(row.accelerators or 0), row.cap_w, row.wall_w) for row in rows]
    points += [(float(row.accelerators or 0), IDLE_W, row.idle_w) for row in rows if row.idle_w is not None]
    count = np.array([n for n, _, _ in points])
    power = count * np.array([watts or 0.0 for _, watts, _ in points])
    wall = np.array([watts or 0.0 for _, _, watts in points])
    dc = (wall - psu.fixed_w) / (1.0 + psu.frac)
    rated = float(count[0]) * accelerator_tdp_w
    weight = 1.0 / wall
    left = np.column_stack([weight, weight * np.minimum(power / rated, 1.0) ** 2])
    (host_w, fan_rise_w), _ = nnls(left, (dc - (1.0 + DYNAMIC_FRAC) * power) * weight)
    fan_idle_w = min(FAN_IDLE_W, float(host_w))
    return ServerParams(
        host_base_w=float(host_w) - fan_idle_w,
        dynamic_frac=DYNAMIC_FRAC,
        fan_idle_w=fan_idle_w,
        fan_rated_w=fan_idle_w + float(fan_rise_w),
        accelerator_rated_w=rated,
        psu_fixed_w=psu.fixed_w,
        psu_frac=psu.frac,
    )


def main(arguments: Sequence[str]) -> int:
    """Print the loss of the supplies and the constants of each capped system in the folder."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m aidc.calibrate.server DATA_DIR\n")
        return 2
    folder = Path(arguments[0])
    stretches = [row for row in read_ac_dc(folder / "mlperf_training_power") if row.problem is None]
    walls = [row for row in read_walls(folder / "mlperf_inference_power") if row.problem is None]
    if not stretches or not walls:
        sys.stderr.write("this folder needs mlperf_training_power and mlperf_inference_power\n")
        return 2
    psu = fit_psu(stretches)
    runs = len({row.run for row in stretches})
    sys.stdout.write(
        f"psu: fixed {psu.fixed_w:.1f} W, frac {psu.frac:.5f}  ({len(stretches)} stretches, {runs} runs)\n"
    )
    for system in sorted({row.system for row in walls}):
        _show(system, [row for row in walls if row.system == system], psu)
    return 0


def _show(system: str, rows: Sequence[WallRow], psu: PsuLoss) -> None:
    tdp_w = rated_power_w(rows[0].device)
    if tdp_w is None:
        sys.stdout.write(f"{system}: the rated power of its accelerators is not known\n")
        return
    params = fit_server(rows, tdp_w, psu)
    idle_w = server_power_w(IDLE_W * float(rows[0].accelerators or 0), params)
    sys.stdout.write(f"{system}: {params}\n  idle wall {idle_w:.0f} W\n")
    for row in rows:
        wall_w = server_power_w(float(row.accelerators or 0) * (row.cap_w or 0.0), params)
        error = 100.0 * (wall_w / (row.wall_w or 1.0) - 1.0)
        sys.stdout.write(
            f"  {row.item}: {row.cap_w:.0f} W -> {wall_w:.0f} W, measured {row.wall_w:.0f}, {error:+.1f} %\n"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
