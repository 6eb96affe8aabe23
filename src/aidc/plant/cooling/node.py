"""Thermal nodes advanced by backward Euler, stable at any step, first-order accurate.

    C (T' − T)/dt = Q + G (T_o − T')     gives     T' = (C T/dt + Q + G T_o) / (C/dt + G)

A node that hangs on another passes on the share a = G / (C/dt + G) of what it would have kept: its flux to a
neighbour that ends the step at T_o is a (Q + C/dt (T − T_o)). So the nodes around a loop are eliminated, the loop is
solved, and the nodes follow from their fluxes; each flux is applied to both its ends, so that heat in equals heat out
plus heat stored to rounding. Source: any text on numerical heat transfer, e.g. Patankar, Numerical Heat Transfer and
Fluid Flow (1980), section 4.3.
"""

from __future__ import annotations

from typing import Any

from aidc.jit import scalar

__all__ = ["flux_w", "hub_k", "node_k", "passed_frac", "passed_fracs", "passed_of_share"]


@scalar
def node_k(temp_k: float, store_w_k: float, heat_w: float, conductance_w_k: float, other_k: float) -> float:
    """Temperature of a node at the end of a step [K].

    `temp_k` is its temperature at the start, `store_w_k` its heat capacity over the step [W/K] (above 0), `heat_w`
    the heat put in [W], and `conductance_w_k` leads to a neighbour that ends the step at `other_k`.
    """
    return (store_w_k * temp_k + heat_w + conductance_w_k * other_k) / (store_w_k + conductance_w_k)


def passed_fracs(store_w_k: Any, conductance_w_k: Any) -> Any:
    """Share that a node passes on to its neighbour: G / (C/dt + G); floats or arrays [W/K]."""
    return conductance_w_k / (store_w_k + conductance_w_k)


passed_frac = scalar(passed_fracs)


@scalar
def passed_of_share(passed: float, share: float) -> float:
    """`passed_frac` where only a share of the conductance is there."""
    return share * passed / (1.0 - passed + share * passed)


@scalar
def flux_w(passed: float, store_w_k: float, heat_w: float, above_k: float) -> float:
    """Heat that a node gives to its neighbour in a step [W].

    `passed` as `passed_frac`, `store_w_k` its heat capacity over the step [W/K], `heat_w` the heat put in [W], and
    `above_k` by how much it begins above the neighbour's end [K].
    """
    return passed * (heat_w + store_w_k * above_k)


@scalar
def hub_k(inflow_w: float, weight_w_k: float, sink_w_k: float, sink_k: float) -> tuple[float, float]:
    """End temperature of a loop [K] and the heat that it gives to a sink [W].

    `inflow_w` is the sum of C/dt T + Q of the loop and of what its nodes pass on, `weight_w_k` that of C/dt of the
    loop and of what the nodes pass on of theirs. A sink (`sink_w_k`, at `sink_k`) that is warmer than the loop would
    end up takes no part: the bypass closes.
    """
    end_k = (inflow_w + sink_w_k * sink_k) / (weight_w_k + sink_w_k)
    if end_k < sink_k:
        return inflow_w / weight_w_k, 0.0
    return end_k, sink_w_k * (end_k - sink_k)
