"""The page: sections into one HTML file that needs nothing else.

plotly.js stands in it once; arrays stand in it once each, as base64, however many traces share them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from plotly.offline import get_plotlyjs

from aidc.errors import OutputError
from aidc.report.blocks import Chart, Section
from aidc.report.flows import flows_section
from aidc.report.head import head
from aidc.report.money import cost_section, efficiency_section
from aidc.report.power import power_section
from aidc.report.record_tables import assumptions_section, events_section, inputs_section
from aidc.report.service import service_section
from aidc.report.storage import storage_section
from aidc.report.thermal import thermal_section
from aidc.report.tokenergy import tokenergy_section
from aidc.report.view import RunLike, View

__all__ = ["render", "write"]


def render(run: RunLike) -> str:
    """The report of a run as one HTML text."""
    view = View(run)
    sections = [
        build(view)
        for build in (
            flows_section,
            power_section,
            tokenergy_section,
            service_section,
            thermal_section,
            storage_section,
            efficiency_section,
            cost_section,
            events_section,
            assumptions_section,
            inputs_section,
        )
    ]
    environment = Environment(
        loader=PackageLoader("aidc.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        head=head(view), sections=sections, charts=_charts_json(sections), plotly_js=get_plotlyjs()
    )


def write(run: RunLike, path: Path) -> None:
    """Write the report; the file appears whole or not at all.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    """
    text = render(run)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: the report could not be written ({error.strerror}). Free some space or choose another place with --out, and run again."
        ) from error


def _charts_json(sections: Sequence[Section]) -> str:
    """All figures as JSON that is safe inside a script element."""
    arrays: dict[str, int] = {}
    figures: dict[str, Any] = {}
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Chart):
                plain = json.loads(str(block.figure.to_json()))
                plain["layout"].pop("template", None)
                figures[block.key] = _share(plain, arrays)
    text = json.dumps({"arrays": list(arrays), "figures": figures}, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _share(node: Any, arrays: dict[str, int]) -> Any:
    """The tree with each base64 array replaced by its place in the common list."""
    if isinstance(node, dict):
        if "bdata" in node:
            return {**node, "bdata": arrays.setdefault(node["bdata"], len(arrays))}
        return {key: _share(value, arrays) for key, value in node.items()}
    if isinstance(node, list):
        return [_share(value, arrays) for value in node]
    return node
