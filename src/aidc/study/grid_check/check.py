"""`check`: a site, or a recording, against a rule set; every clause gets a verdict or a reason why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from aidc.measure.grid.harmonics import screen_harmonics
from aidc.measure.grid.load_loss import load_loss
from aidc.measure.grid.load_model import fit_load_model
from aidc.measure.grid.verdict import Connection, Verdict, not_applicable, not_assessable, worst
from aidc.plant.freeze import frozen
from aidc.record.waveform import Mark
from aidc.schema.code import (
    Clause,
    Code,
    FaultCurrent,
    FaultSequence,
    FrequencyRideThrough,
    FrequencyService,
    Harmonics,
    LoadLoss,
    Recovery,
    Uncaptured,
    VoltageRideThrough,
)
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint, operating_point
from aidc.simulate.transient.window import short_circuit_levels
from aidc.site import load
from aidc.study.faults.battery import BEFORE_S, BatteryResult, TriedCase, run_battery
from aidc.study.faults.cases import PHASES, fault_cases
from aidc.study.faults.frequency import run_frequency
from aidc.study.faults.sequences import run_sequences
from aidc.study.faults.users_events import run_events
from aidc.study.faults.verdicts import both_ways
from aidc.study.grid_check.codes import DEFAULT_CODE, read_code
from aidc.study.grid_check.facts import collapse_told, mode_facts, model_facts, point_facts, result_facts
from aidc.study.grid_check.harmonic_sources import harmonic_sources
from aidc.study.grid_check.normal_operation import NormalResult, run_normal
from aidc.study.grid_check.not_assessable import beyond_the_twin, refusals
from aidc.study.grid_check.remedy_trial import RemedyTrial
from aidc.study.grid_check.service_cases import run_service
from aidc.study.grid_check.stated import unstated
from aidc.study.windows.bounds import asked_moment, asked_window
from aidc.study.windows.solved import unstated_recovery
from aidc.study.windows.verdicts import CheckResult, NamedWindow
from aidc.units import MEGA

__all__ = ["check", "connection_of", "not_concerned", "rule_set", "tagged"]

NORMAL_S = 3600.0

Progress = Callable[[str, int, int], None]


def check(
    site: Site | Path | str,
    *,
    code: str | None = None,
    events: Sequence[Path | str] = (),
    at: datetime | None = None,
    duration_s: float = NORMAL_S,
    step_s: float | Fraction = Fraction(1, 1000),
    settings: Sequence[str] = (),
    suggest: bool = True,
    load_model: bool = False,
    progress: Progress | None = None,
) -> CheckResult:
    """Judge a site by a rule set.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    code
        Name of a rule set (`aidc codes`); default: the site's own `[grid] code`, else ercot-nogrr-282.
    events
        Event files of your own, judged beside the battery of the rule set.
    at
        When the windows begin; default: the hour with the largest mean import of the scenario.
    duration_s
        Length of normal operation [s]. Flicker needs twelve minutes, a long-term flicker two hours.
    step_s
        Step of the transient engine [s].
    settings
        `key.path=value` overrides, where `site` is a path.
    suggest
        Look for the smallest change that turns a failure into a pass, and try it on the twin.
    load_model
        Fit the utility's load model to the ride-through cases.
    progress
        Called with what is being done, and how far it is.

    Raises
    ------
    InputError, SimulationError
    """
    site = frozen(site if isinstance(site, Site) else load(site, settings))
    step, moment = asked_window(duration_s, step_s), asked_moment(at)
    name, rules = rule_set(site, code)
    reason = not_concerned(rules, site)
    if reason:
        return CheckResult(
            site.site.name, name, rules, tagged([not_applicable(c, reason) for c in rules.clauses], name)
        )
    files = tuple(Path(one) for one in events)
    return _Check(site, name, rules, files, moment, duration_s, step, suggest, load_model, progress).run()


def rule_set(site: Site, code: str | None) -> tuple[str, Code]:
    """Name and clauses of the set that is asked for: the site's own, where none is named."""
    name = code or site.grid.code or DEFAULT_CODE
    return name, read_code(name, (site.folder / "catalogue",))


def connection_of(site: Site) -> Connection:
    """What evaluators must know of a site."""
    grid = site.grid
    return Connection(
        site_w=grid.import_limit_mw * MEGA,
        voltage_v=grid.voltage_kv * 1e3,
        frequency_hz=float(grid.frequency_hz),
        short_circuit_va=None if grid.short_circuit_mva is None else grid.short_circuit_mva * MEGA,
        x_over_r=grid.x_over_r,
        system_va=None if grid.system_mva is None else grid.system_mva * MEGA,
        demand_w=(grid.demand_mw or grid.import_limit_mw) * MEGA,
        modes_hz=tuple((mode.name, mode.frequency_hz) for mode in grid.modes),
    )


def not_concerned(rules: Code, site: Site) -> str:
    """Why a rule set as a whole does not concern a site; empty where it does."""
    size = site.grid.import_limit_mw
    if size <= 0:
        return "the set concerns what a site draws from the grid; this one may import nothing"
    if not rules.min_mw <= size <= rules.max_mw:
        span = (
            f"from {rules.min_mw:g} MW"
            if rules.max_mw >= 1e6
            else f"from {rules.min_mw:g} to {rules.max_mw:g} MW"
        )
        return f"the set concerns sites {span}; this one has {size:g} MW"
    if rules.frequency_hz is not None and rules.frequency_hz != site.grid.frequency_hz:
        return f"the set is for a grid of {rules.frequency_hz} Hz; this one has {site.grid.frequency_hz} Hz"
    return ""


def tagged(verdicts: Sequence[Verdict], code: str) -> tuple[Verdict, ...]:
    return tuple(replace(verdict, code=code) for verdict in verdicts)


@dataclass
class _Check:
    """One check on its way: gathers verdicts by clause, windows and facts."""

    site: Site
    name: str
    rules: Code
    files: Sequence[Path]
    at: datetime | None
    duration_s: float
    step_s: Fraction
    suggest: bool
    load_model: bool
    progress: Progress | None
    windows: list[NamedWindow] = field(default_factory=list[NamedWindow])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    served: list[Verdict] = field(default_factory=list[Verdict])

    def run(self) -> CheckResult:
        clauses = self.rules.clauses
        levels = short_circuit_levels(self.site)
        self._say("operating point", 0, 1)
        point = operating_point(self.site, self.at, self.duration_s)
        self.facts |= point_facts(self.site, point, levels, self.step_s, self.duration_s)
        self.facts |= mode_facts(self.site, point, levels, self.step_s)
        told = {
            index: [early]
            for index, clause in enumerate(clauses)
            if (early := _without_simulation(clause, self.site)) is not None
        }
        for index, why in refusals(self.site, clauses, levels).items():
            told.setdefault(index, [not_assessable(clauses[index], why)])
        asked = [index for index in range(len(clauses)) if index not in told]
        open_ = [clauses[index] for index in asked]
        battery = self._faults(point, open_, levels)
        normal = self._normal(point, open_)
        own = run_events(
            self.site, open_, self.files, self.step_s, connection_of(self.site), self.at or point.start
        )
        self.windows += own.windows
        for place, index in enumerate(asked):
            told[index] = [*self._of(point, place, open_, battery, normal), *own.verdicts.get(place, [])]
        verdicts = [
            worst(told[index]) if told[index] else not_assessable(clauses[index], "no evaluator")
            for index in range(len(clauses))
        ]
        served = [
            *self.served,
            *own.served,
            *([battery.served] if battery is not None and battery.served else []),
        ]
        if served and any(clause.applies_to == "load" for clause in open_):
            verdicts.append(worst(served))
        if self.suggest:
            verdicts = self._with_remedies(point, verdicts, normal, levels)
        self.facts |= result_facts(battery, normal, own.collapsed, self._weakest())
        if any(isinstance(clause, Recovery) for clause in open_) and (
            told_not := unstated_recovery(self.site)
        ):
            self.facts["warnings"].append(told_not)
        if self.load_model and battery is not None and battery.model_cases:
            self.facts["load_model"] = model_facts(fit_load_model(battery.model_cases))
        return CheckResult(
            self.site.site.name,
            self.name,
            self.rules,
            tagged(verdicts, self.name),
            tuple(self.windows),
            self.facts,
            tuple(one.model_dump(mode="json") for one in self.site.assumptions),
        )

    def _say(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _faults(
        self, point: OperatingPoint, clauses: Sequence[Clause], levels: dict[str, float]
    ) -> BatteryResult | None:
        wanted = [c for c in clauses if isinstance(c, (VoltageRideThrough, Recovery, LoadLoss, FaultCurrent))]
        if not wanted:
            return None
        phases = PHASES if self.site.jobs else (0.0,)
        cases = fault_cases(wanted, levels, phases, 1.0 / self.site.grid.frequency_hz, float(self.step_s))
        if not cases:  # a limit on lost load alone: try what any rule would
            cases = fault_cases(
                [_ANY_FAULT], levels, phases, 1.0 / self.site.grid.frequency_hz, float(self.step_s)
            )
        result = run_battery(
            self.site,
            point,
            clauses,
            cases,
            self.step_s,
            lambda done, total: self._say("faults", done, total),
        )
        for key, tried in result.worst.items():
            self.windows.append(_fault_window(key, tried))
        return result

    def _normal(self, point: OperatingPoint, clauses: Sequence[Clause]) -> NormalResult:
        result = run_normal(
            self.site,
            point,
            clauses,
            connection_of(self.site),
            self.step_s,
            self.duration_s,
            lambda done, total: self._say("normal operation", done, total),
        )
        self.windows += result.windows
        return result

    def _of(
        self,
        point: OperatingPoint,
        index: int,
        open_: Sequence[Clause],
        battery: BatteryResult | None,
        normal: NormalResult,
    ) -> list[Verdict]:
        """The verdicts of one clause that has been simulated, `index` counting these alone."""
        clause = open_[index]
        if isinstance(clause, (FrequencyRideThrough, FaultSequence)):
            return self._windowed(point, clause, open_)
        if isinstance(clause, Harmonics):
            return screen_harmonics(clause, connection_of(self.site), harmonic_sources(self.site))
        if isinstance(clause, FrequencyService):
            cases = run_service(self.site, point, clause, self.step_s)
            self.windows += cases.windows
            self.facts.setdefault("services", {})[clause.clause] = cases.facts
            return [cases.verdict]
        if isinstance(clause, LoadLoss) and battery is not None and battery.loss is not None:
            loss = load_loss(clause, [battery.loss], self._weakest())
            return [loss, *(not_assessable(clause, why, case) for case, why in battery.unsolved.items())]
        if battery is not None and index in battery.verdicts:
            verdict = both_ways(clause, battery.verdicts[index], battery.by_sequence.get(index))
            return [replace(verdict, reason=f"worst of {battery.cases} cases; {verdict.reason}")]
        return [_uncollapsed(clause, one, normal.collapsed_s) for one in normal.verdicts.get(index, [])]

    def _windowed(
        self, point: OperatingPoint, clause: FrequencyRideThrough | FaultSequence, open_: Sequence[Clause]
    ) -> list[Verdict]:
        """Verdicts of clauses that are tried in windows of their own."""
        if isinstance(clause, FrequencyRideThrough):
            verdict, windows, _ = run_frequency(self.site, point, clause, self.step_s, open_)
            self.windows += windows
            return [verdict]
        tried = run_sequences(self.site, point, clause, self.step_s, open_, short_circuit_levels(self.site))
        self.windows += tried.windows
        self.served += tried.served
        return tried.verdicts

    def _weakest(self) -> Connection:
        """The connection at its lowest short-circuit level, where a loss of load lifts the voltage most."""
        lowest = min(short_circuit_levels(self.site).values())
        return replace(connection_of(self.site), short_circuit_va=lowest)

    def _with_remedies(
        self,
        point: OperatingPoint,
        verdicts: list[Verdict],
        normal: NormalResult,
        levels: dict[str, float],
    ) -> list[Verdict]:
        """Attach to each failure the smallest change that was found to pass."""
        trial = RemedyTrial(
            self.site, point, self.rules.clauses, connection_of(self.site), levels, self.step_s, self.at,
            lambda what: self._say(what, 0, 1),
        )  # fmt: skip
        texts = trial.suggestions(verdicts, normal)
        return [
            replace(verdict, suggestion=texts[index]) if index in texts else verdict
            for index, verdict in enumerate(verdicts)
        ]


_ANY_FAULT = VoltageRideThrough(
    rule="voltage-ride-through",
    clause="any fault",
    below_pu=(0.9, 0.5),
    below_s=(0.5, 0.15),
    quantity_defined=True,
)


def _without_simulation(clause: Clause, site: Site) -> Verdict | None:
    """Verdicts that need no run: clauses not captured, not for loads, or not seen from the twin."""
    if isinstance(clause, Uncaptured):
        return not_assessable(
            clause, f"the figures of this clause are not captured ({clause.judges or clause.note})"
        )
    if clause.applies_to == "storage" and not any(shape.node == "site" for shape in site.storage.values()):
        return not_applicable(clause, "for storage at the point of interconnection; the site has none")
    if clause.applies_to == "equipment" or clause.location != "poi":
        return not_assessable(
            clause,
            f"judges the voltage at {clause.location}; the twin records the point of interconnection: give a recording",
        )
    reason = unstated(clause, site) or beyond_the_twin(clause, site)
    return not_assessable(clause, reason) if reason else None


def _uncollapsed(clause: Clause, verdict: Verdict, collapsed_s: float) -> Verdict:
    """No pass rests on a stretch in which the network had no solution."""
    if verdict.result != "pass" or collapsed_s <= 0:
        return verdict
    return not_assessable(clause, collapse_told(f"for {collapsed_s:g} s of normal operation"), verdict.case)


def _fault_window(key: str, tried: TriedCase) -> NamedWindow:
    event = tried.case.event
    mark = Mark(event.use, BEFORE_S, BEFORE_S + event.duration_s, tried.case.name)
    return NamedWindow(
        f"worst-{key}", f"Worst case of {key.rsplit('-', 1)[0]}: {tried.case.name}",
        replace(tried.with_fault, marks=(mark,)), (mark,), tried.without_fault,
    )  # fmt: skip
