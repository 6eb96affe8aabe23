"""A loop with the nodes that hang on it, put together from the laws of `plant.cooling.node` as the engine does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.plant.cooling.node import flux_w, hub_k, node_k, passed_frac

FloatArray = NDArray[np.float64]


def one_node(
    temp_k: float, capacity_j_k: float, conductance_w_k: float, other_k: float, heat_w: float, dt_s: float
) -> tuple[float, float]:
    """End temperature of a node [K] and its flux to a neighbour at `other_k` [W]."""
    end_k = node_k(temp_k, capacity_j_k / dt_s, heat_w, conductance_w_k, other_k)
    return end_k, conductance_w_k * (end_k - other_k)


def star(
    centre: tuple[float, float, float],
    sink: tuple[float, float],
    leaves: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    dt_s: float,
) -> tuple[float, float, FloatArray, FloatArray]:
    """A step: end of the centre [K], heat rejected [W], ends of the leaves [K], their fluxes to the centre [W].

    `centre` is temperature, heat capacity and heat put in; `leaves` the same and the conductance to the centre.
    """
    temp_k, capacity_j_k, heat_w, conductance_w_k = leaves
    store = capacity_j_k / dt_s
    passed = np.array([passed_frac(*pair) for pair in zip(store, conductance_w_k, strict=True)])
    rows = list(zip(passed, store, heat_w, temp_k, strict=True))
    inflow = centre[1] / dt_s * centre[0] + centre[2] + sum(flux_w(*row) for row in rows)
    end_k, rejected_w = hub_k(inflow, centre[1] / dt_s + float(passed @ store), *sink)
    flux = np.array([flux_w(a, c, q, t - end_k) for a, c, q, t in rows])
    return end_k, rejected_w, temp_k + (heat_w - flux) / store, flux
