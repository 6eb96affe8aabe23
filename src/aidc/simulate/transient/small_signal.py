"""Small-signal modes of a site against its grid: the eigenvalues of the engine's own step.

The step maps the converters' states on those one step later. Its derivative along a calm window is a matrix, found
by moving each state a little either way; an eigenvalue z of it is the mode s = ln(z)/dt of the equations as they are
stepped, loads, transformer and source impedance included. What a ring-down of the same window shows is this to first
order. Buffers, relays and the load's own course are not moved, so that the modes are those of converters and machines.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from aidc.simulate.transient.arrays import FloatArray, State
from aidc.simulate.transient.engine import advance
from aidc.simulate.transient.fields import Converter, Out, SiteState, StoreState
from aidc.simulate.transient.initial import work_of
from aidc.simulate.transient.window import Window

__all__ = ["SiteMode", "site_modes", "step_matrix"]

_SHARE = 1e-5  # of a state's scale by which it is moved
_REAL = 1e-6  # rad per step below which a mode does not swing
_GONE = 1e-9  # of a step: what decays faster has no memory


class SiteMode(NamedTuple):
    """One mode: frequency [Hz], damping over critical (negative where it grows), decay [1/s], and who swings most."""

    frequency_hz: float
    damping_frac: float
    decay_per_s: float
    where: str


class _Place(NamedTuple):
    """A state that is moved: the array of `State`, its row and column, its scale, and a name."""

    array: str
    row: int
    column: int
    scale: float
    name: str


def site_modes(window: Window) -> list[SiteMode]:
    """Modes that swing at the present instant of a window, the least damped first; empty where none does."""
    matrix, places = step_matrix(window)
    if not places:
        return []
    dt_s = float(window.step_s)
    values, vectors = np.linalg.eig(matrix)
    found: list[SiteMode] = []
    for value, vector in zip(values, vectors.T, strict=True):
        if value.imag <= _REAL or abs(value) < _GONE:
            continue
        mode = np.log(value) / dt_s
        most = places[int(np.argmax(np.abs(vector)))].name
        found.append(
            SiteMode(
                float(mode.imag) / (2.0 * math.pi),
                float(-mode.real / abs(mode)),
                float(-mode.real),
                most,
            )
        )
    return sorted(found, key=lambda one: one.damping_frac)


def step_matrix(window: Window) -> tuple[FloatArray, list[_Place]]:
    """Derivative of the converters' states after a step by those before it, both over their scales."""
    places = _places(window)
    matrix = np.empty((len(places), len(places)))
    for column, place in enumerate(places):
        ahead = _stepped(window, places, place, _SHARE)
        back = _stepped(window, places, place, -_SHARE)
        matrix[:, column] = (ahead - back) / (2.0 * _SHARE)
    return matrix, places


def _places(window: Window) -> list[_Place]:
    """What is moved: each storage's converter, and the generators' speed where they carry."""
    plan, state = window.plan, window.state
    names = [name for name, shape in window.site.storage.items() if shape.node == "site"]
    found: list[_Place] = []
    for store, name in enumerate(names):
        if state.store[StoreState.TRIPPED, store] > 0:
            continue
        rated = float(plan.store[Converter.RATED_W, store])
        rows = [(StoreState.POWER_W, rated), (StoreState.HZ, 1.0), (StoreState.VAR, rated)]
        if plan.store[Converter.LAW, store] > 0:
            rows.append((StoreState.TARGET_W, rated))
        if plan.store[Converter.FORMING, store] > 0:
            rows += [(StoreState.DELTA_RAD, 1.0), (StoreState.OMEGA_PU, 0.01), (StoreState.MEASURED_W, rated)]
        found += [_Place("store", int(row), store, scale, f"storage.{name}") for row, scale in rows]
    if plan.genset.shape[1] and state.site[SiteState.CARRIES] > 0:
        found.append(_Place("site", int(SiteState.GENSET_OMEGA), -1, 0.01, "gensets"))
    return found


def _stepped(window: Window, places: list[_Place], moved: _Place, share: float) -> FloatArray:
    """The states after one step from the present one, `moved` being off by a share of its scale."""
    state = State(*(np.array(part) for part in window.state))
    _add(state, moved, share * moved.scale)
    work, out = work_of(window.plan), np.empty((len(Out), 1))
    where, no_faults = np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    advance(window.plan, state, work, out, where, no_faults, window.tick, 1)
    return np.array([_value(state, place) / place.scale for place in places])


def _value(state: State, place: _Place) -> float:
    array: FloatArray = getattr(state, place.array)
    return float(array[place.row] if place.column < 0 else array[place.row, place.column])


def _add(state: State, place: _Place, change: float) -> None:
    array: FloatArray = getattr(state, place.array)
    if place.column < 0:
        array[place.row] += change
    else:
        array[place.row, place.column] += change
