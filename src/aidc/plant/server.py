"""Server power from accelerator power: host, fans, and the loss of the power supplies.

    dc   = host_base + (1 + dynamic) · accelerators + fan(accelerators)
    fan  = idle + (rated - idle) · (accelerators / rated accelerators)^2
    wall = dc + psu_fixed + psu_frac · dc

`host_base` holds what hardly moves: processors, memory, NICs, NVSwitch, drives. `dynamic` is what
follows the accelerators: board regulators and host work. Fan power grows with the cube of the speed
(affinity law) and the speed less than in proportion to the heat, because the air also gets warmer;
the square stands between. The supplies of H100 servers lose a nearly constant power from idle to full
load, so their loss is a straight line with a large intercept.

Constants come from whole servers measured at the wall (`fit_server`), not from nameplates. Wall
measurements fix idle and loaded totals; how the total splits between `dynamic` and fans is not
identifiable from them and stands in the catalogue as estimated. Range: idle to rated power.
"""

from __future__ import annotations

from typing import NamedTuple

from aidc.jit import scalar
from aidc.schema.rack import Rack

__all__ = [
    "ServerParams",
    "dc_power_w",
    "fan_coefficients",
    "fan_power_w",
    "network_power_w",
    "overhead_coefficients",
    "psu_loss_w",
    "server_params",
    "server_power_w",
]


class ServerParams(NamedTuple):
    """Constants of one server, W; `accelerator_rated_w` is the sum over its accelerators."""

    host_base_w: float
    dynamic_frac: float
    fan_idle_w: float
    fan_rated_w: float
    accelerator_rated_w: float
    psu_fixed_w: float
    psu_frac: float


@scalar
def fan_power_w(accelerator_power_w: float, params: ServerParams) -> float:
    """Fans of one server, W, at the power of all its accelerators (W); zero where there are none."""
    load = min(max(accelerator_power_w / params.accelerator_rated_w, 0.0), 1.0)
    return params.fan_idle_w + (params.fan_rated_w - params.fan_idle_w) * load * load


@scalar
def dc_power_w(accelerator_power_w: float, params: ServerParams) -> float:
    """Power of one server behind its supplies, W."""
    return (
        params.host_base_w
        + (1.0 + params.dynamic_frac) * accelerator_power_w
        + fan_power_w(accelerator_power_w, params)
    )


@scalar
def psu_loss_w(dc_w: float, params: ServerParams) -> float:
    """Loss of the power supplies or of the share of a power shelf, W, at a DC power (W)."""
    return max(params.psu_fixed_w + params.psu_frac * dc_w, 0.0)


@scalar
def server_power_w(accelerator_power_w: float, params: ServerParams) -> float:
    """Power of one server at its inlet, W, from the power of all its accelerators (W)."""
    dc_w = dc_power_w(accelerator_power_w, params)
    return dc_w + psu_loss_w(dc_w, params)


def overhead_coefficients(params: ServerParams) -> tuple[float, float, float]:
    """`c0, c1, c2` of DC power less accelerator power of one server, `c0 + c1 P + c2 P²` with P in W.

    Equal to `dc_power_w` up to the rated power of the accelerators, where the fans reach their own.
    """
    rise_w = params.fan_rated_w - params.fan_idle_w
    return (
        params.host_base_w + params.fan_idle_w,
        params.dynamic_frac,
        rise_w / params.accelerator_rated_w**2,
    )


def fan_coefficients(params: ServerParams) -> tuple[float, float]:
    """`c0, c2` of the fans of one server, `c0 + c2 P²` with P in W: their part of `overhead_coefficients`."""
    rise_w = params.fan_rated_w - params.fan_idle_w
    return params.fan_idle_w, rise_w / params.accelerator_rated_w**2


def network_power_w(rack: Rack) -> float:
    """Switches and optics that a rack needs outside its servers, W; constant over load."""
    return rack.network_w * rack.accelerators


def server_params(rack: Rack, accelerator_tdp_w: float) -> ServerParams:
    """The constants of one server of a rack with accelerators of the given rated power (W)."""
    return ServerParams(
        host_base_w=rack.host_base_w,
        dynamic_frac=rack.dynamic_frac,
        fan_idle_w=rack.fan_idle_w,
        fan_rated_w=rack.fan_rated_w,
        accelerator_rated_w=accelerator_tdp_w * rack.accelerators_per_server,
        psu_fixed_w=rack.psu_fixed_w,
        psu_frac=rack.psu_frac,
    )
