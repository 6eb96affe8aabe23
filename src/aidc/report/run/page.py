"""The report of a run: its sections on one sheet."""

from __future__ import annotations

from pathlib import Path

from aidc.report.run.flows import flows_section
from aidc.report.run.head import head
from aidc.report.run.money import cost_section, efficiency_section
from aidc.report.run.power import power_section
from aidc.report.run.record_tables import assumptions_section, events_section, inputs_section
from aidc.report.run.requests import asked_section
from aidc.report.run.service import service_section
from aidc.report.run.storage import storage_section
from aidc.report.run.supply import supply_section
from aidc.report.run.thermal import thermal_section
from aidc.report.run.tokenergy import tokenergy_section
from aidc.report.run.view import RunLike, View
from aidc.report.schedule import equipment_section
from aidc.report.sheet import compose, refuse_other, save

__all__ = ["render", "write", "write_report"]


def render(run: RunLike) -> str:
    """The report of a run as one HTML text."""
    view = View(run)
    built = [
        build(view)
        for build in (
            flows_section,
            power_section,
            asked_section,
            supply_section,
            tokenergy_section,
            service_section,
            thermal_section,
            storage_section,
            efficiency_section,
            cost_section,
            equipment_section,
            events_section,
            assumptions_section,
            inputs_section,
        )
    ]
    return compose(head(view), [one for one in built if one is not None])


def write(run: RunLike, path: Path) -> None:
    """Write the report; the file appears whole or not at all.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    """
    save(render(run), path)


def write_report(run: RunLike, path: Path) -> None:
    """Write the report of a run; only a report, or nothing, is replaced.

    Raises
    ------
    OutputError
        Something else lies there, or the file cannot be written.
    """
    refuse_other(path)
    write(run, path)
