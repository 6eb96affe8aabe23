"""One window of a transient: set it up, step it in blocks, close its books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from aidc.errors import InputError, Problem, SimulationError
from aidc.record.waveform import Waveform
from aidc.schema.disturbance import Disturbance, FrequencyTrace
from aidc.schema.site import Site
from aidc.simulate.energy.fields import Cells
from aidc.simulate.transient.arrays import FloatArray, IntArray, Plan, State
from aidc.simulate.transient.compile import compile_plan
from aidc.simulate.transient.course import Trace, course_of, is_island, seen_source
from aidc.simulate.transient.draws import exported_draws
from aidc.simulate.transient.engine import OK, advance
from aidc.simulate.transient.fields import (
    Converter,
    Energy,
    Genset,
    GensetState,
    Lane,
    LaneState,
    Mode,
    Out,
    Segment,
    SiteParam,
    SiteState,
    StoreState,
)
from aidc.simulate.transient.initial import at_rest, work_of
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.waveforms import waveforms_of
from aidc.units import MEGA

__all__ = ["Books", "Window", "open_window", "short_circuit_levels"]

_CHANNELS = {
    "v1_pu": Out.V1_PU,
    "p_w": Out.P_W,
    "q_var": Out.Q_VAR,
    "frequency_hz": Out.FREQUENCY_HZ,
    "angle_rad": Out.ANGLE_RAD,
    "connected_frac": Out.CONNECTED,
    "it_demand_w": Out.IT_DEMAND_W,
    "it_served_w": Out.IT_SERVED_W,
    "dc_bus_pu": Out.DC_BUS_PU,
    "storage_w": Out.STORAGE_W,
    "soc_frac": Out.SOC_FRAC,
    "cooling_w": Out.COOLING_W,
    "battery_w": Out.BATTERY_W,
    "v_bus_pu": Out.V_BUS_PU,
    "genset_w": Out.GENSET_W,
    "in_operation_frac": Out.IN_OPERATION,
    "storage_connected_frac": Out.STORES_CONNECTED,
    "storage_in_operation_frac": Out.STORES_IN_OPERATION,
}
_PHASES = {
    "v_pn_min_pu": Segment.PN_MIN,
    "v_pn_max_pu": Segment.PN_MAX,
    "v_pp_min_pu": Segment.PP_MIN,
    "v_pp_max_pu": Segment.PP_MAX,
}


@dataclass(frozen=True, slots=True)
class Books:
    """Energies of a window [J] and what is missing between them."""

    energy_j: Mapping[str, float]
    stored_change_j: float
    residual_j: float
    throughput_j: float

    @property
    def residual_frac(self) -> float:
        """Residual over the sum of absolute flows."""
        return self.residual_j / self.throughput_j if self.throughput_j > 0 else 0.0


def short_circuit_levels(site: Site) -> dict[str, float]:
    """Short-circuit levels that the site file gives [VA]: normal, and where stated max, min and N-1.

    A site that may neither import nor export has no grid behind it: its level is nothing.

    Raises
    ------
    InputError
        There is none: without it no voltage can be computed.
    """
    grid = site.grid
    if is_island(site):
        return {"normal": 0.0}
    given = {
        "normal": grid.short_circuit_mva,
        "max": grid.short_circuit_max_mva,
        "min": grid.short_circuit_min_mva,
        "n-1": grid.short_circuit_n1_mva,
    }
    levels = {name: value * MEGA for name, value in given.items() if value is not None}
    if "normal" not in levels:
        raise InputError(
            Problem(
                "is missing: a transient needs the strength of the grid",
                "Ask the network operator for the three-phase short-circuit level at the point of "
                "interconnection and write short_circuit_mva = … under [grid].",
                key="grid.short_circuit_mva",
            )
        )
    return levels


def open_window(
    site: Site,
    point: OperatingPoint,
    events: Sequence[Disturbance] = (),
    *,
    duration_s: float = 10.0,
    step_s: Fraction = Fraction(1, 1000),
    seed: int | None = None,
    short_circuit_va: float | None = None,
    phase: tuple[float, float] | None = None,
    storage_frac: float = 0.0,
    trace_of: Callable[[FrequencyTrace], Trace] | None = None,
) -> Window:
    """Set a window up at an operating point.

    Parameters
    ----------
    site, point
        The site, and where it stands at the start.
    events
        What happens.
    duration_s, step_s
        Length and step [s]; the step from 0.1 to 10 ms.
    seed
        Of the ripple; default: the scenario's.
    short_circuit_va
        Level at the point of interconnection [VA]; default: the site's normal one.
    phase
        See `waveforms_of`.
    storage_frac
        Share of their rated power that storages without a law of their own are set to, charging positive.
    trace_of
        Reads a frequency trace.

    Raises
    ------
    InputError
        An event outside the window, a name the site does not know, no short-circuit level.
    """
    _check_window(events, duration_s, step_s)
    _check_former(site)
    dt = float(step_s)
    level = short_circuit_levels(site)["normal"] if short_circuit_va is None else short_circuit_va
    waveforms = waveforms_of(
        site, point, step_s, duration_s, site.scenario.seed if seed is None else seed, phase
    )
    quiet = compile_plan(site, point, course_of(site, (), dt, 1.0), waveforms, dt, level)
    source_pu = _source_for_nominal(quiet, point)
    course = course_of(site, events, dt, source_pu, trace_of)
    plan = compile_plan(site, point, course, waveforms, dt, level)
    plan.store[Converter.SET_W] = storage_frac * plan.store[Converter.RATED_W]
    return Window(site, plan, point, round(duration_s / dt), step_s, source_pu)


def _check_window(events: Sequence[Disturbance], duration_s: float, step_s: Fraction) -> None:
    problems: list[Problem] = []
    if not Fraction(1, 10_000) <= step_s <= Fraction(1, 100):
        problems.append(
            Problem(
                "lies outside 0.1 to 10 ms", "Choose a step in that range.", key="step_s", value=float(step_s)
            )
        )
    if not 0 < duration_s <= 864_000:
        problems.append(
            Problem("must lie between 0 and ten days", "Choose a window.", key="duration_s", value=duration_s)
        )
    for number, event in enumerate(events):
        if event.start_s >= duration_s:
            problems.append(
                Problem(
                    f"lies outside the window of {duration_s:g} s",
                    "Move the event, or make the window longer.",
                    key=f"events[{number}].start_s",
                    value=event.start_s,
                )
            )
    if problems:
        raise InputError(problems)


def _check_former(site: Site) -> None:
    """An island has gensets, or a storage that forms its bus."""
    forming = any(
        shape.node == "site" and shape.converter.control == "grid-forming" for shape in site.storage.values()
    )
    if is_island(site) and not site.gensets and not forming:
        raise InputError(
            Problem(
                "nothing forms the bus of a site that may neither import nor export",
                'Give it [gensets], a storage with converter = { control = "grid-forming" }, or an import limit.',
                key="grid.import_limit_mw",
                value=site.grid.import_limit_mw,
            )
        )


def _source_for_nominal(plan: Plan, point: OperatingPoint) -> float:
    """Source voltage that gives 1 pu at the point of interconnection under the load of the start.

    Beyond a short-circuit ratio of 1 there is none: 1 pu would be the lower of the two solutions. The source
    then has nominal voltage, and the load collapses it. Behind an island's open breaker there is no voltage.
    """
    if plan.site[SiteParam.ISLAND] > 0.0:
        return 0.0
    p = point.import_w
    x, r = plan.site[SiteParam.X], plan.site[SiteParam.R]
    q = (
        float((plan.lane[Lane.TAN_PHI] * plan.lane[Lane.INPUT_W]).sum())
        / max(float(plan.lane[Lane.INPUT_W].sum()), 1.0)
        * p
        + plan.site[SiteParam.X_T] * p * p
    )
    if np.hypot(r, x) * np.hypot(p, q) >= 1.0:
        return 1.0
    return float(np.hypot(1.0 + r * p + x * q, x * p - r * q))


class Window:
    """Steps a transient block by block; each block comes out as a waveform at the point of interconnection."""

    def __init__(
        self,
        site: Site,
        plan: Plan,
        point: OperatingPoint,
        steps: int,
        step_s: Fraction,
        source_pu: float,
    ) -> None:
        self.site, self.plan, self.point, self.steps, self.step_s = site, plan, point, steps, step_s
        self.source_pu = source_pu
        self.nominal_hz, self.start = float(site.grid.frequency_hz), point.start
        self.reset()

    def branch(self, events: Sequence[Disturbance], duration_s: float) -> Window:
        """A window that goes on from here with other events on the grid, and leaves this one as it is.

        Times of the events count from the start of this window, and none may lie behind it.
        """
        course = course_of(self.site, events, float(self.step_s), self.source_pu)
        segment = seen_source(course.segment, self.plan.site)
        plan = self.plan._replace(segment_tick=course.segment_tick, segment=segment)
        other = Window.__new__(Window)
        other.__dict__.update(self.__dict__)
        other.plan, other.steps = plan, round(duration_s / float(self.step_s))
        other.state = State(*(np.array(part) for part in self.state))
        other.state.site[SiteState.SEGMENT] = 0.0
        other.__dict__["_work"] = work_of(plan)
        return other

    def reset(self) -> None:
        """Go back to the start of the window, with every filter and buffer at rest."""
        self.tick = 0
        self._work = work_of(self.plan)
        self._no_faults: IntArray = np.zeros(0, dtype=np.int64)
        self.state = at_rest(self.plan, self.point)
        self._first = self._stored()

    @property
    def done(self) -> bool:
        return self.tick >= self.steps

    @property
    def collapsed_s(self) -> float:
        """Time in which the source could not carry the load's constant power [s]."""
        return float(self.state.site[SiteState.COLLAPSED]) * float(self.step_s)

    @property
    def unsolved_s(self) -> float:
        """Time in which the network had no solution, and nobody states what the converters then do [s]."""
        return float(self.state.site[SiteState.UNSOLVED]) * float(self.step_s)

    @property
    def kirchhoff_pu(self) -> float:
        """Largest residual of Kirchhoff's laws at both ends of the main transformer so far, over the site's rating."""
        return float(self.state.site[SiteState.KIRCHHOFF_PU])

    def draws(self) -> dict[str, Any]:
        """Source and consumers of the last step, see `exported_draws`."""
        return exported_draws(self.plan, self.state, self._work, self.tick - 1)

    def modes(self) -> dict[str, str]:
        """Where each pod's power comes from now."""
        now = self.state.lane[LaneState.MODE].astype(int)
        return {
            pod: Mode(int(now[lane])).name.lower().replace("_", " ")
            for lane, pod in enumerate(self.site.pods)
        }

    def gensets(self) -> dict[str, str]:
        """What each group of generator sets does now: at rest, starting, carries, beside another source."""
        found: dict[str, str] = {}
        site = self.state.site
        for column, name in enumerate(self.site.gensets):
            clock = self.state.genset[GensetState.LACK_TICKS, column]
            row = self.plan.genset[:, column]
            if site[SiteState.GENSET_TRIPPED] > 0:
                found[name] = "tripped"
            elif clock < max(row[Genset.CALL_TICKS], 1.0):
                found[name] = "at rest"
            elif clock < row[Genset.READY_TICKS]:
                found[name] = "starting"
            else:
                found[name] = "forms the bus" if site[SiteState.CARRIES] > 0 else "runs beside"
        return found

    def advance(self, steps: int | None = None) -> Waveform:
        """Step on, to the end of the window by default.

        Raises
        ------
        SimulationError
            A state that no site can be in was reached.
        """
        count = min(self.steps - self.tick, self.steps if steps is None else steps)
        out = np.empty((len(Out), count))
        where = np.zeros(count, dtype=np.int64)
        status = advance(self.plan, self.state, self._work, out, where, self._no_faults, self.tick, count)
        if status != OK:
            at_s = self.tick * float(self.step_s)
            raise SimulationError(
                f"The transient became unstable after {at_s:.3f} s: voltages or powers that no site reaches. "
                "Check the converter's settings ([storage.….converter]) or choose a shorter step."
            )
        first, self.tick = self.tick, self.tick + count
        return self._waveform(out, where, first)

    def _waveform(self, out: FloatArray, where: IntArray, first: int) -> Waveform:
        channels = {name: out[row] for name, row in _CHANNELS.items()}
        if where.size and where[0] == where[-1] and not np.any(self.plan.segment[Segment.PN_MIN] != 1.0):
            channels |= dict.fromkeys(_PHASES, channels["v1_pu"])  # a balanced grid: all phases alike
        else:
            for name, row in _PHASES.items():
                channels[name] = channels["v1_pu"] * self.plan.segment[row][where]
        return Waveform(self.step_s, channels, "poi", self.nominal_hz, first)

    def books(self) -> Books:
        """Energy balance since the start of the window."""
        energy = self.state.energy
        change = self._stored() - self._first
        supplied = energy[Energy.IMPORT] + energy[Energy.PV] + energy[Energy.GENERATOR]
        used = (
            energy[Energy.IT]
            + energy[Energy.DOWNSTREAM_LOSS]
            + energy[Energy.UPSTREAM_LOSS]
            + energy[Energy.GRID_LOSS]
            + energy[Energy.COOLING]
            + energy[Energy.AUXILIARY]
            + energy[Energy.STORAGE_LOSS]
            + energy[Energy.BATTERY_LOSS]
            + energy[Energy.LOAD_BANK]
        )
        return Books(
            {member.name.lower(): float(energy[member]) for member in Energy},
            change,
            float(supplied - used - change),
            float(np.abs(energy).sum() + abs(change)),
        )

    def _stored(self) -> float:
        lane, store = self.state.lane, self.state.store
        cells = (
            (self.plan.storage[Cells.CAPACITY_J] * store[StoreState.SOC_FRAC]).sum()
            if store.shape[1]
            else 0.0
        )
        return float(
            (self.plan.shelf[0] * lane[LaneState.SHELF_FRAC]).sum()
            + lane[LaneState.HOLD_UP_J].sum()
            + (self.plan.battery[0] * lane[LaneState.BATTERY_FRAC]).sum()
            + cells
        )
