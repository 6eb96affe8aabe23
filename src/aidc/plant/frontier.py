"""The Frontier supercomputer's power, node by node, as the published RAPS model computes it.

Constants and order of the conversions: RAPS (ExaDigiT/RAPS, `config/frontier.yaml` and `raps/power.py`;
Brewer et al., SC24, doi:10.1109/SC41406.2024.00029). A node's load passes its DC converter (SIVOC);
four nodes and a quarter of the chassis' switches load one rectifier; CDU pumps draw a constant.
Agreement with that model is a check of arithmetic. RAPS itself is 2-5 % from the machine's telemetry.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aidc.plant.conversion import StageLoss, input_power_w

__all__ = ["NODES", "RECTIFIER", "SIVOC", "FrontierPower", "node_load_w", "site_power"]

NODES: Final = 9472  # 74 racks of 128
NODES_PER_RECTIFIER: Final = 4
RECTIFIERS_PER_CHASSIS: Final = 4
SWITCHES_PER_CHASSIS: Final = 4
CDUS: Final = 25

CPU_W: Final = (90.0, 280.0)  # idle, full
GPU_W: Final = (88.0, 560.0)
GPUS: Final = 4
CONSTANT_W: Final = 74.26 + 4 * 20.0 + 30.0  # memory, network cards, NVMe
SWITCH_W: Final = 250.0
CDU_W: Final = 8473.47
STAGING_W: Final = 13_670.0  # load beyond which one more rectifier of a chassis is switched on

# RAPS writes input = (output + constant)/efficiency
SIVOC: Final = StageLoss(13.0 / 0.98, 1 / 0.98 - 1, 0.0, CPU_W[1] + GPUS * GPU_W[1] + CONSTANT_W)
RECTIFIER: Final = StageLoss(17.0 / 0.96, 1 / 0.96 - 1, 0.0, 15_000.0)


class FrontierPower(NamedTuple):
    """Site power, losses in SIVOCs and rectifiers, load behind them, cooling distribution [W]."""

    site_w: float
    loss_w: float
    load_w: float
    cdu_w: float

    @property
    def efficiency(self) -> float:
        """Share of the site's power that is not lost in conversion, as RAPS counts it."""
        return 1 - self.loss_w / self.site_w


def node_load_w(cpu_frac: float, gpu_frac: float) -> float:
    """Power of a node behind its SIVOC [W] at utilisations from 0 to 1."""
    cpu_w = CPU_W[0] + cpu_frac * (CPU_W[1] - CPU_W[0])
    gpu_w = GPU_W[0] + gpu_frac * (GPU_W[1] - GPU_W[0])
    return cpu_w + GPUS * gpu_w + CONSTANT_W


def site_power(busy_nodes: int, cpu_frac: float, gpu_frac: float, *, staged: bool = False) -> FrontierPower:
    """Power of the whole machine with its CDUs, without the cooling plant.

    Parameters
    ----------
    busy_nodes
        Nodes at the stated utilisations, filling whole chassis; the others idle.
    cpu_frac, gpu_frac
        Utilisation of the busy nodes, 0 to 1.
    staged
        Switch off the rectifiers that a chassis does not need.
    """
    per_chassis = NODES_PER_RECTIFIER * RECTIFIERS_PER_CHASSIS
    busy_chassis = busy_nodes / per_chassis
    chassis = NODES / per_chassis
    site_w = load_w = 0.0
    for count, node_w in (
        (busy_chassis, node_load_w(cpu_frac, gpu_frac)),
        (chassis - busy_chassis, node_load_w(0.0, 0.0)),
    ):
        switches_w = SWITCHES_PER_CHASSIS * SWITCH_W
        behind_rectifiers_w = per_chassis * input_power_w(node_w, *SIVOC[:3]) + switches_w
        on_line = RECTIFIERS_PER_CHASSIS
        if staged:
            on_line = min(on_line, int((behind_rectifiers_w - 1) // STAGING_W) + 1)
        site_w += count * on_line * input_power_w(behind_rectifiers_w / on_line, *RECTIFIER[:3])
        load_w += count * (per_chassis * node_w + switches_w)
    return FrontierPower(site_w + CDUS * CDU_W, site_w - load_w, load_w, CDUS * CDU_W)
