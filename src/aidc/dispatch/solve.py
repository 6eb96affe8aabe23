"""Solving a programme: HiGHS, the two directions that must not flow at once, and what the optimum proves.

A linear programme may import and export, or charge and discharge, in one step, which no meter and no converter can.
It does so where energy has a negative value. Such steps are repaired: the lesser of the two flows is fixed at 0 and the
programme is solved again from its basis. The first optimum is a bound that no schedule can be below, so the distance to
it certifies the repair. Where it is more than a millionth and few steps are at risk, binaries decide instead.

HiGHS: Q. Huangfu, J. A. J. Hall, Parallelizing the dual revised simplex method, Mathematical Programming Computation
10 (2018), doi:10.1007/s12532-017-0130-5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from aidc.dispatch.matrix import Matrix, matrix_of
from aidc.dispatch.shapes import BoolArray, FloatArray, Plan, Programme
from aidc.errors import SimulationError

__all__ = ["CERTIFIED_FRAC", "InfeasibleError", "Solver", "solve"]

CERTIFIED_FRAC = 1e-6
MOST_BINARIES = 200
_FLOW_MW = 1e-6  # less than this is no flow
_SECONDS = 60.0


class InfeasibleError(Exception):
    """No schedule meets the limits; `rows` and `columns` are HiGHS's irreducible set."""

    def __init__(self, rows: list[int], columns: list[int]) -> None:
        super().__init__("no schedule meets the limits")
        self.rows, self.columns = rows, columns


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two columns of a step that must not both flow, by their blocks."""

    first: int
    second: int


class _Quiet(highspy.Highs):
    """HiGHS without the callbacks that nobody uses here: setting them up writes a banner to the standard output."""

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's own name
        """Leave them out."""


class Solver:
    """A programme with its basis kept, so that one that changed a little is solved again from where it stood."""

    def __init__(self) -> None:
        self._highs = _Quiet()
        self._highs.silent()
        for key, value in (("threads", 1), ("solver", "simplex")):
            self._highs.setOptionValue(key, value)
        self._basis: Any = None

    def plan(self, programme: Programme) -> Plan:
        """The cheapest schedule.

        Raises
        ------
        InfeasibleError
            No schedule meets the limits.
        """
        matrix = matrix_of(programme)
        self._pass(matrix)
        self._run()
        bound = self._highs.getObjectiveValue()
        self._basis = self._highs.getBasis()
        found = _read(programme, self._highs, bound)
        clashes = _clashes(programme, found)
        if not any(one.any() for one in clashes.values()):
            return found
        repaired = self._repaired(programme, found, clashes, bound)
        risky = sum(int(one.sum()) for one in _risky(programme, clashes).values())
        if repaired is not None and (repaired.gap_frac <= CERTIFIED_FRAC or risky > MOST_BINARIES):
            return repaired
        return self._decided(programme, _risky(programme, clashes), bound, repaired)

    def _pass(self, matrix: Matrix) -> None:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = matrix.columns, matrix.low.size
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = matrix.cost, matrix.lower, matrix.upper
        lp.row_lower_, lp.row_upper_ = matrix.low, matrix.high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = (
            matrix.start,
            matrix.index,
            matrix.value,
        )
        self._highs.passModel(lp)
        if self._basis is not None:
            self._highs.setBasis(self._basis)  # of another shape it is refused, and the solver starts cold

    def _run(self) -> None:
        self._highs.run()
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            raise self._why()
        raise SimulationError(f"HiGHS found no schedule: {self._highs.modelStatusToString(status)}.")

    def _why(self) -> InfeasibleError:
        self._highs.setOptionValue(
            "iis_strategy", 2 + 4
        )  # irreducible, from the rows of an elastic programme
        _, iis = self._highs.getIis()
        return InfeasibleError(list(iis.row_index_), list(iis.col_index_))

    def _fix(self, programme: Programme, clashes: dict[_Pair, BoolArray], found: Plan) -> None:
        n = programme.steps
        values = _blocks(programme, found)
        for pair, at in clashes.items():
            for step in np.flatnonzero(at):
                lesser = pair.first if values[pair.first][step] <= values[pair.second][step] else pair.second
                self._highs.changeColBounds(lesser * n + int(step), 0.0, 0.0)

    def _repaired(
        self, programme: Programme, found: Plan, clashes: dict[_Pair, BoolArray], bound: float
    ) -> Plan | None:
        """Fix the lesser flow of each clash until there is none; None where that leaves nothing feasible."""
        for _ in range(20):
            self._fix(programme, clashes, found)
            try:
                self._run()
            except InfeasibleError:
                return None
            found = _read(programme, self._highs, bound)
            clashes = _clashes(programme, found)
            if not any(one.any() for one in clashes.values()):
                return found
        return None

    def _decided(
        self, programme: Programme, risky: dict[_Pair, BoolArray], bound: float, repaired: Plan | None
    ) -> Plan:
        """Let binaries choose the direction in the steps at risk; the repaired schedule where they find none better."""
        matrix = matrix_of(programme)
        self._highs.clearModel()
        self._basis, kept = None, self._basis
        self._pass(matrix)
        self._basis = kept
        many = 0
        for pair, at in risky.items():
            for step in np.flatnonzero(at):
                many += 1
                self._choose(matrix, pair, int(step), programme.steps)
        for key, value in (("mip_rel_gap", 0.5 * CERTIFIED_FRAC), ("time_limit", _SECONDS)):
            self._highs.setOptionValue(key, value)
        self._highs.run()
        info = self._highs.getInfo()
        proven = max(bound, float(info.mip_dual_bound))
        best = _read(programme, self._highs, proven) if info.primal_solution_status == 2 else None
        self._highs.setOptionValue("time_limit", float("inf"))
        self._highs.clearModel()
        if best is None or any(one.any() for one in _clashes(programme, best).values()):
            if repaired is None:
                raise InfeasibleError([], [])
            return replace(repaired, bound_usd=proven, binaries=many)
        if repaired is not None and repaired.cost_usd < best.cost_usd:
            best = repaired
        return replace(best, bound_usd=proven, binaries=many)

    def _choose(self, matrix: Matrix, pair: _Pair, step: int, n: int) -> None:
        """First ≤ its limit · z and second ≤ its limit · (1 - z), z of {0, 1}."""
        first, second = pair.first * n + step, pair.second * n + step
        self._highs.addCol(0.0, 0.0, 1.0, 0, np.zeros(0, np.int32), np.zeros(0))
        z = self._highs.getNumCol() - 1
        self._highs.changeColIntegrality(z, highspy.HighsVarType.kInteger)
        low = -highspy.kHighsInf
        most = matrix.upper
        self._highs.addRow(low, 0.0, 2, np.array([first, z], np.int32), np.array([1.0, -most[first]]))
        self._highs.addRow(
            low, most[second], 2, np.array([second, z], np.int32), np.array([1.0, most[second]])
        )


def solve(programme: Programme) -> Plan:
    """The cheapest schedule of one programme; see `Solver.plan`."""
    return Solver().plan(programme)


def _pairs(programme: Programme) -> list[_Pair]:
    return [_Pair(0, 1), *(_Pair(3 + 3 * k, 4 + 3 * k) for k in range(len(programme.storages)))]


def _blocks(programme: Programme, plan: Plan) -> dict[int, FloatArray]:
    """Values by number of their block of columns."""
    found = {0: plan.import_mw, 1: plan.export_mw}
    for number in range(len(programme.storages)):
        found |= {3 + 3 * number: plan.charge_mw[number], 4 + 3 * number: plan.discharge_mw[number]}
    return found


def _clashes(programme: Programme, plan: Plan) -> dict[_Pair, BoolArray]:
    """Where both flows of a pair are there."""
    values = _blocks(programme, plan)
    return {
        pair: (values[pair.first] > _FLOW_MW) & (values[pair.second] > _FLOW_MW) for pair in _pairs(programme)
    }


def _risky(programme: Programme, clashes: dict[_Pair, BoolArray]) -> dict[_Pair, BoolArray]:
    """Steps in which energy may have a negative value, and those that clashed."""
    negative = np.minimum(programme.buy_usd_per_mwh, programme.sell_usd_per_mwh) < 0.0
    return {pair: at | negative for pair, at in clashes.items()}


def _read(programme: Programme, highs: Any, bound: float) -> Plan:
    n, stores = programme.steps, len(programme.storages)
    solution = highs.getSolution()
    x = np.asarray(solution.col_value, dtype=np.float64)
    blocks = x[: (3 + 3 * stores) * n].reshape(3 + 3 * stores, n)
    rest = x[blocks.size : blocks.size + len(programme.demand_charges)]
    dual = np.asarray(solution.row_dual, dtype=np.float64)[:n] if solution.dual_valid else np.full(n, np.nan)
    reduced = (
        np.asarray(solution.col_dual, dtype=np.float64) if solution.dual_valid else np.full(x.size, np.nan)
    )
    step_h = programme.step_h
    return Plan(
        *(blocks[k].copy() for k in range(3)),
        charge_mw=blocks[3::3].copy(),
        discharge_mw=blocks[4::3].copy(),
        energy_mwh=blocks[5::3].copy(),
        peak_mw=rest.copy(),
        cost_usd=highs.getObjectiveValue(),
        bound_usd=bound,
        energy_price_usd_per_mwh=dual / step_h,
        import_value_usd_per_mwh=np.maximum(-reduced[:n], 0.0) / step_h,
        export_value_usd_per_mwh=np.maximum(-reduced[n : 2 * n], 0.0) / step_h,
    )
