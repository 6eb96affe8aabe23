"""A check in words and figures, for the page and the terminal alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aidc.measure.grid.verdict import Result, Verdict
from aidc.report.text import MISSING, duration, figure, instant, percent
from aidc.report.tree import flatten
from aidc.schema.code import Code
from aidc.study.windows.verdicts import CheckResult
from aidc.units import J_PER_MWH, KELVIN_AT_0C

__all__ = [
    "COUNTED",
    "ORDER",
    "WORDS",
    "capital",
    "caveats",
    "counts",
    "fact_rows",
    "is_tried",
    "margin_text",
    "number",
    "open_reasons",
    "ordered",
    "scope",
    "sentence",
    "warnings_of",
]

ORDER: Final[tuple[Result, ...]] = ("fail", "not_assessable", "pass", "not_applicable")
WORDS: Final[Mapping[Result, str]] = {
    "pass": "pass",
    "fail": "fail",
    "not_assessable": "not assessable",
    "not_applicable": "not applicable",
}
COUNTED: Final[Mapping[Result, str]] = {
    "pass": "passed",
    "fail": "failed",
    "not_assessable": "not assessable",
    "not_applicable": "not applicable",
}
_UNITS: Final[Mapping[str, tuple[float, str]]] = {
    "w": (1e-6, "MW"),
    "va": (1e-6, "MVA"),
    "var": (1e-6, "Mvar"),
    "v": (1e-3, "kV"),
    "j": (1 / J_PER_MWH, "MWh"),
    "mw": (1.0, "MW"),
    "mva": (1.0, "MVA"),
    "kv": (1.0, "kV"),
    "pu": (1.0, "pu"),
    "hz": (1.0, "Hz"),
    "deg": (1.0, "°"),
    "percent": (1.0, "%"),
    "rad": (1.0, "rad"),
}
_APART: Final = frozenset({"warnings", "load_model", "unsolved_cases"})
_LEAST_PLAIN: Final = 1e-6  # smaller ones are written with an exponent
_MODEL_LIMITS: Final = (
    (
        "Double-frequency ripple in unbalanced faults is not modelled: voltages and powers are those of phasors (one-cycle RMS where a rule counts it), "
        "converters see positive sequence and protection sees the magnitudes of the phases."
    ),
    (
        "Weak grids (grid-following converters below a short-circuit ratio of 3) and modes above 10 Hz need an "
        "electromagnetic transient (EMT) study with the makers' models; a clause that rests on them is not assessable "
        "here."
    ),
)


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def counts(verdicts: Sequence[Verdict]) -> dict[Result, int]:
    """How many clauses came out each way, the worst way first."""
    found = Counter(verdict.result for verdict in verdicts)
    return {result: found[result] for result in ORDER}


def ordered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts with the worst results first, otherwise as the rule set has them."""
    return sorted(verdicts, key=lambda verdict: ORDER.index(verdict.result))


def sentence(verdicts: Sequence[Verdict]) -> str:
    """The overall result in a sentence."""
    found = counts(verdicts)
    applicable = len(verdicts) - found["not_applicable"]
    if not applicable:
        return "No clause of this rule set applies to this site."
    if found["fail"]:
        more = f"; {found['not_assessable']} more cannot be judged" if found["not_assessable"] else ""
        return f"{found['fail']} of {_clauses(applicable)} that apply {_verb(found['fail'], 'fail')}{more}."
    if found["not_assessable"]:
        passed = f"{found['pass']} passed, none failed" if found["pass"] else "none failed"
        return f"{found['not_assessable']} of {_clauses(applicable)} that apply cannot be judged; {passed}."
    return (
        "The clause that applies passes." if applicable == 1 else f"All {applicable} clauses that apply pass."
    )


def _clauses(number: int) -> str:
    return f"{number} clause" if number == 1 else f"{number} clauses"


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb


def number(value: Any) -> str:
    """A value or limit of a verdict, with a true minus sign; a millisecond reads 0.001 s."""
    plain = _plain(value)
    if plain is not None and _LEAST_PLAIN <= abs(plain) < 1e-3:
        return f"{plain:.{3 - math.floor(math.log10(abs(plain)))}f}".rstrip("0").replace("-", "−")
    return figure(value).replace("-", "−")


def is_tried(verdict: Verdict) -> bool:
    """Whether a margin tells how much of a duty was left untried, and not how near a limit is."""
    return verdict.result == "pass" and verdict.rule in {"voltage-ride-through", "frequency-ride-through"}


def margin_text(verdict: Verdict) -> str:
    """The margin in percent of the limit; in the clause's unit where the limit is zero.

    Of a ride-through that passed, how much of the time that the rule asks the worst case tried.
    """
    margin = verdict.margin
    if is_tried(verdict) and verdict.value is not None and verdict.limit is not None:
        share = min(verdict.value / verdict.limit, 1.0) if verdict.limit > 0 else 1.0
        return f"tried {percent(share)}"
    if margin is None or not math.isfinite(margin):
        return MISSING
    text, unit = (
        (figure(100 * abs(margin), 3), "%") if verdict.limit else (figure(abs(margin), 3), verdict.unit)
    )
    return f"{'−' if margin < 0 else '+'}{text} {unit}".strip()


def open_reasons(verdicts: Sequence[Verdict]) -> list[tuple[str, list[str]]]:
    """Why clauses could not be judged, each reason once with its clauses."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.result == "not_assessable":
            found.setdefault(verdict.reason or "no reason was given", []).append(
                verdict.clause or verdict.rule
            )
    return list(found.items())


def scope(code: Code) -> str:
    """Who asks, and since when."""
    effect = (
        f", in effect from {code.effective.isoformat()}" if code.effective else ", no effective date captured"
    )
    return f"{code.authority}, {code.version} ({code.status}{effect})"


def uncaptured(code: Code) -> int:
    """How many clauses of the set exist without captured figures."""
    return sum(clause.rule == "uncaptured" for clause in code.clauses)


def caveats(results: Sequence[CheckResult]) -> list[str]:
    """What no verdict of these results says; without results, what no waveform says."""
    found: list[str] = []
    for result in results:
        missing = uncaptured(result.code)
        if missing:
            found.append(
                f"{result.code.title}: {_clauses(missing)} {'has' if missing == 1 else 'have'} figures that were "
                "not captured; a set with such a clause never passes as a whole."
            )
    if results and not found:
        found.append("A rule set with a clause whose figures were not captured never passes as a whole.")
    weak = [
        f"{result.code.title} ({result.code.confidence})"
        for result in results
        if result.code.confidence in {"secondary", "estimated"}
    ]
    if weak:
        found.append(
            f"Not all figures were read in the rule's own text: {'; '.join(weak)}. Hold them against it before relying "
            "on a result."
        )
    return [*found, *_MODEL_LIMITS]


def warnings_of(facts: Mapping[str, Any]) -> list[str]:
    """The warnings among the facts."""
    told = facts.get("warnings") or ()
    found = [told] if isinstance(told, str) else [str(one) for one in told]
    return [capital(text) for text in found]


def fact_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts but for those that stand apart, their units told by the ends of their names."""
    return [row for key, value in facts.items() if key not in _APART for row in _rows(str(key), value)]


def _rows(key: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        told: Mapping[Any, Any] = value
        return [row for name, part in told.items() for row in _rows(_joined(key, str(name)), part)]
    if value is None:
        return []
    if isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
        return [(_named(place), text) for place, text in flatten({key: value})]
    if isinstance(value, (list, tuple)):
        texts = [_told(key, item) for item in value]
        return [(_named(key), "; ".join(texts))] if texts else []
    return [(_named(key), _told(key, value))]


def _joined(key: str, name: str) -> str:
    """The key of a part: the parts of `levels_va` are in VA, those of `point` name their own units."""
    stem, _, ending = key.rpartition("_")
    return f"{stem} · {name}_{ending}" if stem and _known(ending) else f"{key} · {name}"


def _ending(key: str) -> str:
    """The last word of a key, which tells its unit."""
    return key.replace(" · ", "_").rpartition("_")[2]


def _known(ending: str) -> bool:
    return ending in _UNITS or ending in {"s", "ms", "frac", "k"}


def _named(key: str) -> str:
    """A key as people read it: no unit, no underscores."""
    ending = _ending(key)
    stem = key[: -len(ending)].rstrip("_· ") if ending else key
    return (stem if stem and _known(ending) else key).replace("_", " ").replace(".", " · ")


def _told(key: str, value: Any) -> str:
    """A fact in its human unit; what is no number as it reads."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{instant(value)} UTC"
    plain = _plain(value)
    return str(value) if plain is None else _quantity(plain, _ending(key))


def _quantity(plain: float, ending: str) -> str:
    if ending in {"s", "ms"}:
        return duration(plain if ending == "s" else plain / 1e3)
    if ending == "frac":
        return figure(plain, 3) if 0 < abs(plain) < 1e-4 else percent(plain)
    if ending == "k":
        return f"{figure(plain - KELVIN_AT_0C)} °C"
    factor, unit = _UNITS.get(ending, (1.0, ""))
    whole = not unit and plain.is_integer()  # a seed is no quantity
    return f"{plain:.0f}" if whole else f"{figure(factor * plain)} {unit}".strip()


def _plain(value: Any) -> float | None:
    """A number of another library as Python's own."""
    if isinstance(value, str):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
