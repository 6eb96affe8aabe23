"""A run folder written by the product's own writer from the made-up run of the report tests: no engine, no kernel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from aidc.record.run import CHECKED
from aidc.record.writer import RunWriter

__all__ = ["write_run"]


def write_run(folder: Path) -> Path:
    """Write a day of a campus of eight pods into a new folder."""
    made = _sample().sample_run(days=0.1)
    with RunWriter(folder) as writer:
        for name in ("series", "pods", "events"):
            writer.append(name, getattr(made, name))
        writer.close_tables()
        writer.document("summary.json", made.summary)
        writer.text("site.toml", "schema = 1\n")
        site = made.site if isinstance(made.site, dict) else made.site.model_dump(mode="json")
        writer.manifest("run.json", {"meta": made.meta, "site": site}, CHECKED)
        return writer.finish()


def _sample():
    path = Path(__file__).parents[1] / "report" / "sample_run.py"
    spec = importlib.util.spec_from_file_location("aidc_fuzz_sample_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
