"""What hung on the bus in the last step, and behind which source: enough to solve the step again by other means."""

from __future__ import annotations

from typing import Any

from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import (
    Converter,
    Drive,
    Lane,
    Segment,
    SiteParam,
    SiteState,
    StoreState,
    Total,
)

__all__ = ["exported_draws"]

_FAULT = ("FULL_PU", "ZERO_PU", "PRIORITY_PU", "REACTIVE_GAIN", "LOST_PU")


def exported_draws(plan: Plan, state: State, work: Work, tick: int) -> dict[str, Any]:
    """Source and consumers of the step at `tick`, which was the last one, as plain numbers.

    Powers in W and var at nominal voltage, voltages in pu, impedances in pu voltage squared over VA. Each of `lineups`
    draws what it wants as far as its current allows, each of `storages` (grid-following ones) likewise with both
    signs; `motors`, `auxiliary_w` and `genset_w` follow `network.passive_share`, `renewable_w` `renewable_share`.
    Where `let_go` is set the network had no solution to what was asked for: `asked_*` of each converter is that,
    and the others what was left of it. `unsolved` says that nobody had stated it so. `grid` is False behind an open
    breaker, where the source is whatever forms the bus and is not told here. `drawn_*` and `stored_*` are what lineups
    and grid-following storages were booked with. Each of `formers` is a voltage of 1 pu behind an impedance that its
    current limit raises by 1/`kappa`; its angle `next_rad` is that of the step to come.
    """
    segment = int(state.site[SiteState.SEGMENT])
    here = plan.segment[:, segment]
    site = plan.site
    return {
        "grid": bool(state.site[SiteState.CLOSED] > 0.0),
        "source_pu": float(
            here[Segment.E_PU] + (tick - plan.segment_tick[segment]) * here[Segment.E_PER_TICK]
        ),
        "source_r": float(here[Segment.Z_FRAC] * site[SiteParam.R]),
        "source_x": float(here[Segment.Z_FRAC] * site[SiteParam.X]),
        "transformer_r": float(site[SiteParam.R_T]),
        "transformer_x": float(site[SiteParam.X_T]),
        "no_load_w": float(site[SiteParam.IRON_W]),
        "auxiliary_w": float(site[SiteParam.AUXILIARY_W]),
        "renewable_w": float(site[SiteParam.PV_W]),
        "renewable_cut_off_pu": float(site[SiteParam.PV_CUT_OFF_PU]),
        "genset_w": float(work.total[Total.GIVEN_W]),
        "lineups": [_lineup(plan, work, lane) for lane in range(plan.lane.shape[1])],
        "motors": [
            {"power_w": float(work.drive_w[plant]), "tan_phi": float(plan.drive[Drive.TAN_PHI, plant])}
            for plant in range(plan.drive.shape[1])
        ],
        "storages": [
            _storage(plan, work, store)
            for store in range(plan.store.shape[1])
            if plan.store[Converter.FORMING, store] <= 0.0
        ],
        "formers": [
            _former(plan, state, work, store)
            for store in range(plan.store.shape[1])
            if plan.store[Converter.FORMING, store] > 0.0
        ],
        "drawn_w": float(work.total[Total.DRAWN_W]),
        "drawn_var": float(work.total[Total.DRAWN_VAR]),
        "stored_w": float(work.total[Total.STORED_W]),
        "stored_var": float(work.total[Total.STORED_VAR]),
        "let_go": bool(state.site[SiteState.LET_GO_NOW] > 0.0),
        "unsolved": bool(state.site[SiteState.UNSOLVED_NOW] > 0.0),
        "bus_pu": float(state.site[SiteState.V_BUS]),
    }


def _lineup(plan: Plan, work: Work, lane: int) -> dict[str, float]:
    return {
        "want_w": float(work.want_w[lane]),
        "asked_w": float(work.let_go[0, lane]),
        "asked_support": float(work.let_go[1, lane]),
        "rated_w": float(plan.lane[Lane.INPUT_W, lane]),
        "current_limit": float(plan.lane[Lane.CURRENT_LIMIT, lane]),
        "tan_phi": float(plan.lane[Lane.TAN_PHI, lane]),
        "x_per_w": float(plan.lane[Lane.X_PER_W, lane]),
        "supports": float(work.supports[lane]),
        **{name.lower(): float(plan.lane[Lane[name], lane]) for name in _FAULT},
    }


def _storage(plan: Plan, work: Work, store: int) -> dict[str, float]:
    return {
        "want_w": float(work.store_w[store]),
        "asked_w": float(work.store_let_go[0, store]),
        "asked_var": float(work.store_let_go[1, store]),
        "asked_var_per_pu": float(work.store_let_go[2, store]),
        "asked_support": float(work.store_let_go[3, store]),
        "want_var": float(work.store_var[store]),
        "var_per_pu": float(work.var_per_pu[store]),
        "rated_w": float(plan.store[Converter.RATED_W, store]),
        "current_limit": float(plan.store[Converter.CURRENT_LIMIT, store]),
        "cease_pu": float(work.cease_pu[store]),
        "supports": float(work.store_supports[store]),
        **{name.lower(): float(plan.store[Converter[name], store]) for name in _FAULT},
    }


def _former(plan: Plan, state: State, work: Work, store: int) -> dict[str, float]:
    return {
        "kappa": float(state.store[StoreState.KAPPA, store]),
        "next_rad": float(state.store[StoreState.DELTA_RAD, store]),
        "r": float(plan.store[Converter.R, store]),
        "x": float(plan.store[Converter.X, store]),
        "rated_w": float(plan.store[Converter.RATED_W, store]),
        "current_limit": float(plan.store[Converter.CURRENT_LIMIT, store]),
        "power_w": float(work.formed_w[store]),
        "power_var": float(work.formed_var[store]),
        "tripped": float(state.store[StoreState.TRIPPED, store]),
    }
