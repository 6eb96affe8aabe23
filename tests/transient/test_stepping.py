"""Blocks, boundaries, instability, and the compiled kernel against its own Python body."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from grids import MS, body_of, closed, forming, open_site

from aidc.errors import SimulationError
from aidc.schema.disturbance import FrequencyStep, Islanding, LoadStep, Sag
from aidc.simulate.transient.fields import SiteParam, StoreState, Total
from aidc.simulate.transient.initial import work_of
from aidc.simulate.transient.modes import machine_modes


def cooled_by_the_ups(body: dict) -> dict:
    for plant in body["cooling"].values():
        plant["drives"] = {"on_ups": True}
    return body


HERE = Path(__file__).parent
EVENTS = [
    Sag(use="sag", start_s=0.3, residual_pu=0.4, duration_s=0.1, fault="lg", repeat=3, every_s=0.25),
    FrequencyStep(use="frequency-step", start_s=0.5, change_hz=-0.4),
    LoadStep(use="load-step", start_s=0.6, load_frac=0.5, duration_s=0.2),
]
KINDS = {
    "plain": body_of(pods=2, front="ups-sag-counter"),
    "job": body_of(pods=2, job=True),
    "forming": body_of(pods=2, storage=forming(1.0)),
    "cooled": cooled_by_the_ups(body_of(pods=2)),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("sizes", [[1] * 1200, [300, 300, 600], [299, 2, 1, 298, 600], [7] * 172])
def test_blocks_give_what_the_whole_gives_bit_for_bit(kind, sizes) -> None:
    """Also with a block that begins or ends on an event."""
    whole = open_site(KINDS[kind], EVENTS, duration_s=1.2)
    wave = whole.advance()
    parts = open_site(KINDS[kind], EVENTS, duration_s=1.2)
    found = [parts.advance(size) for size in sizes if not parts.done]
    for name in wave.channels:
        joined = np.concatenate([one[name] for one in found])
        assert joined.tobytes() == wave[name].tobytes(), name
    assert parts.state.energy.tobytes() == whole.state.energy.tobytes()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_memory_of_a_step_holds_every_state(kind) -> None:
    """A kernel writes states there one after the other, and nothing stops it behind the end."""
    window = open_site(KINDS[kind], duration_s=0.01)
    states = sum(part.size for part in window.state[:-1])
    assert work_of(window.plan).before.size == states + len(Total)


def test_a_step_over_again_is_the_step_computed() -> None:
    """Blocks of one step repeat nothing; a quiet window hardly computes anything else, and an event ends that."""
    body = KINDS["job"] | {"storage": {"yard": {"use": "lfp-site", "power_mw": 1.0, "energy_mwh": 2.0}}}
    events = [Sag(use="sag", start_s=2.2, residual_pu=0.8, duration_s=0.05, phase_jump_deg=10.0)]
    whole, single = (open_site(body, events, duration_s=3.0) for _ in range(2))
    wave = whole.advance()
    found = [single.advance(1) for _ in range(3000)]
    for name in sorted(set(wave.channels) - {"v_pp_max_pu"}):  # it is made from angles outside the engine
        assert np.concatenate([one[name] for one in found]).tobytes() == wave[name].tobytes(), name
    assert single.state.energy.tobytes() == whole.state.energy.tobytes()
    assert whole.state.lane.tobytes() == single.state.lane.tobytes()
    assert not single._work.booked.any()
    assert whole._work.booked.any()
    assert np.ptp(wave["p_w"][2150:2300]) > 0.0


@pytest.mark.parametrize("start_s", [0.1, 0.1004, 0.1006, 0.10049999])
@pytest.mark.parametrize("step_s", [MS, Fraction(1, 300)])
def test_an_event_between_two_steps_happens_once_and_ends(start_s, step_s) -> None:
    event = Sag(use="sag", start_s=start_s, residual_pu=0.5, duration_s=0.05)
    wave = open_site(body_of(), [event], duration_s=0.4, step_s=step_s).advance()
    low = np.flatnonzero(wave["v1_pu"] < 0.9)
    assert low.size == pytest.approx(0.05 / float(step_s), abs=1.01)
    assert low[0] * float(step_s) == pytest.approx(start_s, abs=0.51 * float(step_s))


def test_an_event_shorter_than_a_step_lasts_one() -> None:
    event = Sag(use="sag", start_s=0.1, residual_pu=0.5, duration_s=1e-4)
    wave = open_site(body_of(), [event], duration_s=0.3).advance()
    assert (wave["v1_pu"] < 0.9).sum() == 1


def test_a_step_too_long_for_a_stiff_machine_is_refused() -> None:
    storage = forming(2.0, droop_frac=0.2, inertia_s=0.0, reactance_frac=0.02, power_lag_s=0.02)
    body = body_of(scr=100.0, storage=storage, grid={"transformer": {"reactance_frac": 0.01}})
    with pytest.raises(SimulationError, match="too long"):
        open_site(body, step_s=Fraction(1, 100))
    window = open_site(body, duration_s=1.0, step_s=Fraction(1, 2000))
    wave = window.advance()
    closed(window)
    assert np.ptp(wave["p_w"][1000:]) < 0.05 * wave["p_w"].mean()


def test_settings_that_are_unstable_by_themselves_are_named_as_such() -> None:
    # no power filter can do that, so the stiffness is turned round: a converter beyond its pull-out angle
    window = open_site(body_of(scr=5.0, storage=forming(2.0)))
    row = window.plan.site.copy()
    row[SiteParam.X] = -1e-6
    window.plan = window.plan._replace(site=row)
    with pytest.raises(SimulationError, match="unstable"):
        window.reset()


@pytest.mark.parametrize("inertia_s", [0.0, 0.5, 3.0])
def test_the_mode_of_a_machine_is_the_one_that_it_swings_with(inertia_s) -> None:
    body = body_of(scr=8.0, busy=False, storage=forming(2.0, inertia_s=inertia_s, droop_frac=0.02))
    event = Sag(use="sag", start_s=0.1, residual_pu=0.97, duration_s=10.0, phase_jump_deg=3.0)
    window = open_site(body, [event], duration_s=3.0)
    (mode,) = machine_modes(window.plan)
    power = window.advance()["storage_w"]
    power = power[101:] - power[-1]
    assert mode.step_growth < 1.0
    if mode.frequency_hz > 0.5:
        signs = np.flatnonzero(np.diff(np.sign(power[: round(2000 / mode.frequency_hz)])))
        half_s = np.diff(signs)[0] * 1e-3
        assert 0.5 / half_s == pytest.approx(mode.frequency_hz, rel=0.1)
    left = np.abs(power[round(3000 / mode.damping_per_s) : round(3000 / mode.damping_per_s) + 100]).max()
    assert left < 0.15 * np.abs(power).max()


def test_a_grid_forming_storage_without_energy_trips_and_makes_none() -> None:
    storage = forming(2.0, energy_mwh=2e-4)
    window = open_site(
        body_of(front={"use": "ups-double-conversion", "battery_s": 1.0}, storage=storage),
        [Islanding(use="islanding", start_s=0.2)],
        duration_s=6.0,
    )
    wave = window.advance()
    closed(window)
    assert window.state.store[StoreState.TRIPPED, 0] == 1.0
    assert wave["storage_w"][-1] == 0.0
    assert wave["v_bus_pu"][-1] == 0.0
    assert wave["it_served_w"][-1] == 0.0
    spent_j = -wave["storage_w"].sum() * 1e-3
    assert spent_j <= 2e-4 * 3.6e9


def test_a_window_may_be_run_again_and_branched() -> None:
    window = open_site(KINDS["forming"], EVENTS, duration_s=1.2)
    first = window.advance()
    window.reset()
    again = window.advance()
    assert all(first[name].tobytes() == again[name].tobytes() for name in first.channels)


PROGRAM = """
import sys
sys.path[:0] = {paths!r}
import numpy as np
from test_stepping import EVENTS, KINDS
from grids import open_site
wave = open_site(KINDS[{kind!r}], {events}, duration_s=0.2).advance()
np.savez({out!r}, **wave.channels)
"""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_compiled_kernel_equals_its_python_body(kind, tmp_path) -> None:
    """The same window in a process without a compiler."""
    moved = [one.model_copy(update={"start_s": one.start_s / 6}) for one in EVENTS]
    moved[0] = moved[0].model_copy(update={"duration_s": 0.02, "every_s": 0.04})
    expected = open_site(KINDS[kind], moved, duration_s=0.2).advance()
    events = (
        "[e.model_copy(update={'start_s': e.start_s / 6, **({'duration_s': 0.02, 'every_s': 0.04} "
        "if k == 0 else {})}) for k, e in enumerate(EVENTS)]"
    )
    out = tmp_path / "wave.npz"
    paths = [str(HERE), str(HERE.parent / "simulate")]
    program = PROGRAM.format(paths=paths, kind=kind, events=events, out=str(out))
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, env=env, timeout=300)
    with np.load(out) as found:
        for name in expected.channels:
            scale = max(float(np.abs(expected[name]).max()), 1e-3)
            assert np.abs(found[name] - expected[name]).max() <= 1e-9 * scale, name
