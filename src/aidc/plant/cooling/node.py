"""Thermal nodes advanced by backward Euler, stable at any step, first-order accurate.

    C (T' − T)/dt = Q + G (T_o − T')     gives     T' = (C T/dt + Q + G T_o) / (C/dt + G)

Each flux is computed once, from end-of-step temperatures, and applied to both its ends, so that heat in equals
heat out plus heat stored to rounding. Source: any text on numerical heat transfer, e.g. Patankar, Numerical Heat
Transfer and Fluid Flow (1980), section 4.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine, scalar

__all__ = ["implicit_node", "star_step"]

FloatArray = NDArray[np.float64]


@scalar
def implicit_node(
    temp_k: float,
    capacity_j_k: float,
    conductance_w_k: float,
    other_temp_k: float,
    heat_w: float,
    dt_s: float,
) -> tuple[float, float]:
    """Advance one node.

    Parameters
    ----------
    temp_k, capacity_j_k
        Temperature at the start [K] and heat capacity [J/K] (above 0).
    conductance_w_k, other_temp_k
        To a neighbour at a known end-of-step temperature.
    heat_w
        Heat put in.
    dt_s
        Length of the step.

    Returns
    -------
    tuple
        Temperature at the end [K] and the flux to the neighbour [W].
    """
    store = capacity_j_k / dt_s
    end_k = (store * temp_k + heat_w + conductance_w_k * other_temp_k) / (store + conductance_w_k)
    return end_k, conductance_w_k * (end_k - other_temp_k)


@engine
def star_step(
    centre_k: float,
    centre_j_k: float,
    centre_heat_w: float,
    sink_w_k: float,
    sink_k: float,
    leaf_k: FloatArray,
    leaf_j_k: FloatArray,
    leaf_heat_w: FloatArray,
    leaf_w_k: FloatArray,
    dt_s: float,
    flux_w: FloatArray,
) -> tuple[float, float]:
    """Advance a facility loop and all nodes that hang on it, exactly, in one step.

    Each leaf is eliminated (its flux to the centre is linear in the centre's temperature), the centre is
    solved, and the leaves follow from their fluxes. A sink warmer than the centre would end up takes no
    part: the bypass closes.

    Parameters
    ----------
    centre_k, centre_j_k, centre_heat_w
        Start temperature [K], heat capacity [J/K] and heat put in [W] of the facility loop.
    sink_w_k, sink_k
        Conductance [W/K] to the weather at `sink_k` [K].
    leaf_k, leaf_j_k, leaf_heat_w, leaf_w_k
        The same of each leaf, with its conductance to the centre; `leaf_k` is overwritten.
    dt_s
        Length of the step.
    flux_w
        Out: flux from each leaf to the centre [W].

    Returns
    -------
    tuple
        Temperature of the centre at the end [K] and heat rejected [W].
    """
    store = centre_j_k / dt_s
    inflow = store * centre_k + centre_heat_w
    weight = store
    for i in range(leaf_k.shape[0]):
        own = leaf_j_k[i] / dt_s
        passed = leaf_w_k[i] / (own + leaf_w_k[i])
        inflow += passed * (own * leaf_k[i] + leaf_heat_w[i])
        weight += passed * own
    end_k = (inflow + sink_w_k * sink_k) / (weight + sink_w_k)
    out_w_k = sink_w_k
    if end_k < sink_k:
        out_w_k = 0.0
        end_k = inflow / weight
    rejected_w = out_w_k * (end_k - sink_k)
    total_w = centre_heat_w - rejected_w
    for i in range(leaf_k.shape[0]):
        own = leaf_j_k[i] / dt_s
        leaf_end_k = (own * leaf_k[i] + leaf_heat_w[i] + leaf_w_k[i] * end_k) / (own + leaf_w_k[i])
        flux_w[i] = leaf_w_k[i] * (leaf_end_k - end_k)
        leaf_k[i] += (leaf_heat_w[i] - flux_w[i]) / own
        total_w += flux_w[i]
    return centre_k + total_w / store, rejected_w
