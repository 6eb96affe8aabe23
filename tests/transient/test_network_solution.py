"""The bus voltage of a step, against Kirchhoff's law in complex numbers, element by element."""

from __future__ import annotations

import cmath

import numpy as np
import pytest
from grids import body_of, forming, open_site
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from judge import asked_of, is_carried, load_va
from sites import loaded

from aidc.schema.disturbance import Islanding, Sag, Swell
from aidc.simulate.transient.fields import Converter, Segment, SiteState, StoreState
from aidc.simulate.transient.start import operating_point

FOLLOWING = {
    "yard": {
        "use": "lfp-site",
        "power_mw": 1.0,
        "energy_mwh": 2.0,
        "rule": {"use": "reserve"},
        "converter": {"volt_var_frac": 5.0, "lag_s": 0.001, "cease_below_pu": 0.3},
    }
}
BODIES = {
    "plain": body_of(pods=2, scr=4.0),
    "bare": body_of(pods=2, scr=20.0, front="psu-direct"),
    "idle": body_of(pods=1, scr=2.0, busy=False),
    "forming": body_of(pods=2, scr=3.0, storage=forming(1.0)),
    "droop": body_of(pods=2, scr=1.5, storage=forming(2.0, inertia_s=0.0)),
    "following": body_of(pods=2, scr=3.0, storage=FOLLOWING),
}
POINTS = {name: operating_point(loaded(body)) for name, body in BODIES.items()}


def kirchhoff(window, angle: float, deltas: np.ndarray, k: int) -> float:
    """Sum of the currents into the bus over the largest of them."""
    plan, state, draws = window.plan, window.state, window.draws()
    segment = plan.segment[:, np.searchsorted(plan.segment_tick, k, side="right") - 1]
    v = float(state.site[SiteState.V_BUS])
    if v == 0.0:
        return 0.0
    e = draws["source_pu"]
    source = complex(draws["source_r"], draws["source_x"])
    transformer = complex(draws["transformer_r"], draws["transformer_x"])
    no_load = draws["no_load_w"]
    wanted = (load_va(draws, v) / v).conjugate()
    forms = np.flatnonzero(plan.store[Converter.FORMING] > 0)
    if forms.size == 0:  # the angle is free: the source behind must have the right size
        poi = v + transformer * wanted
        behind = poi + source * (wanted + no_load * poi)
        return abs(abs(behind) - e) / max(abs((source + transformer) * wanted), e)
    bus = cmath.rect(v, float(state.site[SiteState.BUS_RAD]))
    current = 0j
    if segment[Segment.CLOSED] > 0.0:  # two equations for the voltage and the current between the impedances
        grid = cmath.rect(e, angle + segment[Segment.JUMP_RAD])
        poi = (grid * transformer + bus * source) / (source + transformer + source * transformer * no_load)
        current += (poi - bus) / transformer
    sizes = [abs(current), abs(wanted)]
    for store in forms:
        own = complex(plan.store[Converter.R, store], plan.store[Converter.X, store])
        one = state.store[StoreState.KAPPA, store] * (cmath.rect(1.0, deltas[store]) - bus) / own
        sizes.append(abs(one))
        current += one
    return abs(current - wanted * bus / v) / max(sizes)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(
    st.sampled_from(sorted(BODIES)),
    st.floats(0.0, 1.0),
    st.sampled_from(["3ph", "lg", "ll", "llg"]),
    st.floats(-40, 40),
    st.floats(1.0, 1.5),
    st.sampled_from(["sag", "swell", "island"]),
)
def test_currents_into_the_bus_add_to_nothing(name, residual, kind, jump, swell, what) -> None:
    events = {
        "sag": Sag(
            use="sag", start_s=0.01, residual_pu=residual, duration_s=0.03, fault=kind,
            phase_jump_deg=jump, recovery_s=0.02,
        ),
        "swell": Swell(use="swell", start_s=0.01, voltage_pu=swell, duration_s=0.03),
        "island": Islanding(use="islanding", start_s=0.01),
    }  # fmt: skip
    if what == "island" and name not in ("forming", "droop"):
        return
    window = open_site(BODIES[name], [events[what]], duration_s=0.08, point=POINTS[name])
    forms = window.plan.store[Converter.FORMING] > 0
    for k in range(window.steps):
        deltas = window.state.store[StoreState.DELTA_RAD].copy()
        angle = float(window.state.site[SiteState.FRAME_RAD])
        wave = window.advance(1)
        assert kirchhoff(window, angle, deltas, k) < 1e-9
        if forms.any():
            rated = window.plan.store[Converter.RATED_W, forms]
            power = np.hypot(window._work.formed_w, window._work.formed_var)[forms]
            limit = window.plan.store[Converter.CURRENT_LIMIT, forms] * rated
            assert (power <= limit * window.state.site[SiteState.V_BUS] * (1 + 1e-3) + 1.0).all()
        assert np.isfinite([wave[c][0] for c in wave.channels]).all()


@pytest.mark.parametrize("scr", [1.5, 1.2, 0.9])
def test_beyond_the_nose_the_load_is_said_to_collapse_and_nobody_says_what_follows(scr) -> None:
    window = open_site(body_of(scr=scr), duration_s=0.05)
    carried = []
    while not window.done:
        window.advance(1)
        draws = window.draws()
        carried.append(is_carried(asked_of(draws) if draws["let_go"] else draws))
    missing_s = 1e-3 * sum(not one for one in carried)
    assert window.unsolved_s == pytest.approx(missing_s)
    assert window.collapsed_s >= window.unsolved_s - 1e-9
    assert (missing_s > 0.0) is (scr < 1.3)


def test_the_upper_solution_comes_back_after_a_fault() -> None:
    """After a deep sag the voltage does not stay on the lower branch that the sag left it on."""
    events = [Sag(use="sag", start_s=0.1, residual_pu=0.05, duration_s=0.1)]
    window = open_site(body_of(scr=3.0), events, duration_s=0.5)
    wave = window.advance()
    assert wave["v_bus_pu"][150] < 0.2
    assert wave["v_bus_pu"][-1] > 0.9
