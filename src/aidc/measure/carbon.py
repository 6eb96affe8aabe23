"""Carbon of the energy that the site drew: location-based, average and marginal.

Import is multiplied by the grid's intensity in the same output step; export earns no credit. On-site
gensets add their own factor where the site gives one; PV and wind count as zero at the point of use
(operation only, no manufacture).
"""

from __future__ import annotations

import polars as pl

from aidc.measure.frames import Frames
from aidc.units import J_PER_MWH

__all__ = ["AVERAGE", "MARGINAL", "carbon_kg", "carbon_known"]

AVERAGE = "carbon_kg_per_mwh"
MARGINAL = "marginal_carbon_kg_per_mwh"


def carbon_known(frames: Frames, column: str = AVERAGE) -> bool:
    """Whether the run has an intensity of this kind."""
    return column in frames.series_columns and frames.facts.raw.get("has_carbon") is not False


def carbon_kg(frames: Frames, column: str = AVERAGE) -> pl.Expr:
    """Carbon dioxide (equivalent) of each output step [kg]."""
    own = frames.facts.number("genset_kg_per_mwh") or 0.0
    imported = frames.flow("grid_import_w") * frames.flow(column)
    return (imported + frames.flow("genset_w") * own) * frames.dt_s / J_PER_MWH
