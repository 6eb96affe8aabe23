"""Carbon of the energy that the site drew: location-based, average and marginal.

Import is multiplied by the grid's intensity in the same row of the books; export earns no credit. Gensets add the
carbon of the fuel that they burn; PV and wind count as zero at the point of use (operation only, no manufacture).
A site that imports nothing needs no intensity of the grid.
"""

from __future__ import annotations

import polars as pl

from aidc.measure.frames import Frames
from aidc.measure.gensets import CARBON, fuel_rates, per_fuel
from aidc.units import J_PER_MWH

__all__ = ["AVERAGE", "MARGINAL", "carbon_kg", "carbon_known"]

AVERAGE = "carbon_kg_per_mwh"
MARGINAL = "marginal_carbon_kg_per_mwh"


def carbon_known(frames: Frames, column: str = AVERAGE) -> bool:
    """Whether the run has an intensity of this kind, or needs none: all that it draws comes from its own fuel."""
    if column not in frames.series_columns:
        return False
    if frames.facts.raw.get("has_carbon") is not False:
        return True
    return bool(fuel_rates(frames, CARBON)) and frames.amount("grid_import_w") <= 0


def carbon_kg(frames: Frames, column: str = AVERAGE) -> pl.Expr:
    """Carbon dioxide (equivalent) of each row of the books [kg]."""
    imported = frames.flow("grid_import_w") * frames.flow(column) / J_PER_MWH
    return (imported + _gensets_kg_per_s(frames)) * frames.dt_s


def _gensets_kg_per_s(frames: Frames) -> pl.Expr:
    """Carbon of the fuel burnt; of the output in records that told no fuel [kg/s]."""
    if fuel_rates(frames, CARBON):
        return per_fuel(frames, CARBON)
    own = frames.facts.number("genset_kg_per_mwh") or 0.0
    return frames.flow("genset_w") * (own / J_PER_MWH)
