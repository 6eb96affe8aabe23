"""A verdict: what one clause of a rule set says of one waveform, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from aidc.schema.code import Clause

__all__ = ["Connection", "Result", "Verdict", "judge", "not_applicable", "not_assessable", "overall", "worst"]

Result = Literal["pass", "fail", "not_applicable", "not_assessable"]

_ORDER: dict[Result, int] = {"not_applicable": 0, "pass": 1, "not_assessable": 2, "fail": 3}


@dataclass(frozen=True, slots=True)
class Connection:
    """What an evaluator must know of the site beside its waveform.

    Powers in W and VA, voltage line-to-line in V. `system_va` is the rating that flicker limits are
    shared over; None where the network operator has not stated it.
    """

    site_w: float
    voltage_v: float = 138e3
    frequency_hz: float = 60.0
    short_circuit_va: float | None = None
    x_over_r: float = 10.0
    system_va: float | None = None
    demand_w: float | None = None
    modes_hz: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the verdict table.

    `margin` is (limit - value) / |limit|, signed so that a positive margin passes. `status` and
    `confidence` are the rule's own, apart from the result. `suggestion` is the smallest change that would
    pass, where a formula gives one; `case` names the worst case.
    """

    rule: str
    clause: str
    result: Result
    limit: float | None = None
    value: float | None = None
    unit: str = ""
    margin: float | None = None
    reason: str = ""
    status: str = ""
    confidence: str = ""
    source: str = ""
    case: str = ""
    suggestion: str = ""
    code: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def judge(
    clause: Clause,
    value: float,
    limit: float,
    unit: str,
    *,
    at_least: bool = False,
    reason: str = "",
    case: str = "",
    suggestion: str = "",
) -> Verdict:
    """Compare a value with a limit (at most, or `at_least`); the limit itself passes.

    `unit` is that of both; `reason`, `case` and `suggestion` go into the verdict's words.

    `clause` is the one that the verdict answers.
    """
    sign = -1.0 if at_least else 1.0
    margin = sign * (limit - value) / abs(limit) if limit else sign * (limit - value)
    return Verdict(
        clause.rule,
        clause.clause,
        "pass" if margin >= 0 else "fail",
        limit,
        value,
        unit,
        margin,
        reason,
        clause.status,
        clause.confidence,
        clause.source,
        case,
        suggestion if margin < 0 else "",
    )


def not_assessable(clause: Clause, reason: str, case: str = "") -> Verdict:
    """No honest verdict can be given; the reason says what is missing."""
    return _without_value(clause, "not_assessable", reason, case)


def not_applicable(clause: Clause, reason: str) -> Verdict:
    """The clause does not concern this site."""
    return _without_value(clause, "not_applicable", reason, "")


def _without_value(clause: Clause, result: Result, reason: str, case: str) -> Verdict:
    return Verdict(
        clause.rule, clause.clause, result, reason=reason, case=case,
        status=clause.status, confidence=clause.confidence, source=clause.source,
    )  # fmt: skip


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that counts among many cases of one clause: the worst result, then the least margin."""

    def rank(verdict: Verdict) -> tuple[int, float]:
        return _ORDER[verdict.result], -(float("inf") if verdict.margin is None else verdict.margin)

    found = list(verdicts)
    chosen = max(found, key=rank)
    return (
        replace(chosen, reason=chosen.reason or f"worst of {len(found)} cases") if len(found) > 1 else chosen
    )


def overall(verdicts: Iterable[Verdict]) -> Result:
    """The result of a rule set: fail if any fails, not assessable if any applicable clause is not, else pass."""
    results = {verdict.result for verdict in verdicts}
    for result in ("fail", "not_assessable", "pass"):
        if result in results:
            return result
    return "not_applicable"
