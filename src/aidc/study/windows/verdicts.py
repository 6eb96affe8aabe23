"""What `check` and `transient` return: verdicts, the windows that they rest on, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aidc.measure.grid.verdict import Result, Verdict, overall
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import Code

__all__ = ["CheckResult", "NamedWindow", "TransientResult"]


@dataclass(frozen=True)
class NamedWindow:
    """A stretch of waveform worth looking at.

    `key` is unique in a result ("normal", "worst-voltage-ride-through", "job-start-pretrain", …). The waveform
    may be decimated (see its step); `reference` is the same window without the event, where there is one.
    """

    key: str
    title: str
    waveform: Waveform
    marks: tuple[Mark, ...] = ()
    reference: Waveform | None = None
    note: str = ""


@dataclass(frozen=True)
class CheckResult:
    """One rule set against one site (or one recording).

    Attributes
    ----------
    site, code_name, code
        Name of the site or recording, of the rule set, and the set itself.
    verdicts
        Every clause, the worst case of each.
    windows
        Waveforms for the report.
    facts
        What an engineer must know beside the verdicts: operating point, short-circuit levels, cases run,
        energy residual, step, warnings. Plain values.
    assumptions
        Figures with their sources (the site's, and the rule set's).
    """

    site: str
    code_name: str
    code: Code
    verdicts: tuple[Verdict, ...]
    windows: tuple[NamedWindow, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    assumptions: tuple[Mapping[str, Any], ...] = ()

    @property
    def result(self) -> Result:
        """The rule set as a whole; a set with a clause that is not captured never passes."""
        return overall(self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "site": self.site,
            "code": self.code_name,
            "result": self.result,
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "facts": dict(self.facts),
        }


@dataclass(frozen=True)
class TransientResult:
    """One window of a site: its waveform at the point of interconnection, its books, what happened."""

    site: str
    title: str
    window: NamedWindow
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    events: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "title": self.title,
            "facts": dict(self.facts),
            "events": list(self.events),
        }
