"""aidc: the open digital twin, planner and operator of a grid-interactive AI data centre.

    import aidc

    site = aidc.load("site.toml")
    run = aidc.run(site)
    run.summary["tokenergy_kwh_per_mtok"]
    run.series                                   # a polars frame, one row per output step
    run.report()                                 # report.html in its folder

Names load on first use, so that `import aidc` stays instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from aidc.contract import Command, Controller, Knob, Observation, Point, SiteView
    from aidc.design.construction.build import build
    from aidc.errors import AidcError, InputError, OutputError, SimulationError
    from aidc.measure import compare
    from aidc.record.run import Run, read_run
    from aidc.report.run.page import write_report
    from aidc.schema.site import Site
    from aidc.simulate import Twin
    from aidc.site import load
    from aidc.study.equipment import equipment
    from aidc.study.grid_check.check import check
    from aidc.study.planning.plan import plan
    from aidc.study.site_run.run import run
    from aidc.study.windows.transient import transient
    from aidc.validation.runner import run as validate

__all__ = [
    "AidcError",
    "Command",
    "Controller",
    "InputError",
    "Knob",
    "Observation",
    "OutputError",
    "Point",
    "Run",
    "SimulationError",
    "Site",
    "SiteView",
    "Twin",
    "__version__",
    "build",
    "check",
    "compare",
    "equipment",
    "load",
    "plan",
    "read_run",
    "run",
    "transient",
    "validate",
    "write_report",
]

_WHERE = {
    "AidcError": "errors",
    "Command": "contract",
    "Controller": "contract",
    "InputError": "errors",
    "Knob": "contract",
    "Observation": "contract",
    "OutputError": "errors",
    "Point": "contract",
    "Run": "record.run",
    "SimulationError": "errors",
    "Site": "schema.site",
    "SiteView": "contract",
    "Twin": "simulate",
    "build": "design.construction.build",
    "check": "study.grid_check.check",
    "compare": "measure",
    "equipment": "study.equipment",
    "load": "site",
    "plan": "study.planning.plan",
    "read_run": "record.run",
    "run": "study.site_run.run",
    "transient": "study.windows.transient",
    "validate": "validation.runner",
    "write_report": "report.run.page",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":  # stands in pyproject.toml alone
        from importlib.metadata import version

        return version("aidc")
    if name not in _WHERE:
        raise AttributeError(f"module 'aidc' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"aidc.{_WHERE[name]}")
    return getattr(module, "run" if name == "validate" else name)


def __dir__() -> list[str]:
    return __all__
