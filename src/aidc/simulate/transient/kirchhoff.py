"""Kirchhoff's laws at both ends of the main transformer, checked in every step against what was booked.

At the bus: the powers that lineups, motors, storages, auxiliaries and renewables were booked with, against the one
that the network was solved with. At the point of interconnection: the voltage behind the source's impedance at the
current that the meter shows, against the source's. Residuals are over the site's rating, and in per unit.
"""

from __future__ import annotations

from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import Segment, SiteParam, SiteState, Total

__all__ = ["check_bus", "check_source"]


@part
def check_bus(state: State, work: Work, others_w: float, others_var: float) -> None:
    """Note what the currents into the bus lack; `others_*` is what neither lineups nor storages draw, less the bus's own.

    `others_w` and `others_var` are powers at the bus [W, var].
    """
    lack_w = others_w + work.total[Total.DRAWN_W] + work.total[Total.STORED_W]
    lack_var = others_var + work.total[Total.DRAWN_VAR] + work.total[Total.STORED_VAR]
    lack = (abs(lack_w) + abs(lack_var) + work.total[Total.FORMED_LACK_W]) * work.per_rated
    state.site[SiteState.KIRCHHOFF_PU] = max(state.site[SiteState.KIRCHHOFF_PU], lack)


@part
def check_source(
    plan: Plan, state: State, segment: int, e_pu: float, poi_pu: float, poi_w: float, poi_var: float
) -> None:
    """Note by how much the source's voltage differs from the one behind its impedance at the metered current.

    `segment` is the number of the stretch of the grid's course, `e_pu` the source's voltage, `poi_pu` the voltage at
    the meter, `poi_w` and `poi_var` what flows there [W, var].
    """
    most = state.site[SiteState.KIRCHHOFF_PU]
    if poi_pu <= 0.0 or e_pu <= 0.0:
        state.site[SiteState.KIRCHHOFF_PU] = max(most, poi_pu + e_pu)
        return
    r = plan.segment[Segment.Z_FRAC, segment] * plan.site[SiteParam.R]
    x = plan.segment[Segment.Z_FRAC, segment] * plan.site[SiteParam.X]
    inverse = 1.0 / poi_pu
    along = poi_pu + (r * poi_w + x * poi_var) * inverse
    across = (x * poi_w - r * poi_var) * inverse
    lack = abs(along * along + across * across - e_pu * e_pu)
    if lack > most * 2.0 * e_pu:  # the difference of squares is that of the sizes times their sum
        state.site[SiteState.KIRCHHOFF_PU] = lack / (2.0 * e_pu)
