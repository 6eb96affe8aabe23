"""The twin: a site compiled to arrays, an engine that steps them, and one class around both."""

from aidc.simulate.compiling.compile import compile_site
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.twin import Twin

__all__ = ["Compiled", "Twin", "compile_site"]
