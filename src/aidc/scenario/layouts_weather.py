"""Layouts."""

from __future__ import annotations

from typing import Final

from aidc.scenario.layouts import Layout

__all__ = ["LAYOUTS"]

LAYOUTS: Final[tuple[Layout, ...]] = ()
