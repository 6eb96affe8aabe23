"""The phases of a change of width, one after the other, and what they never do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aidc.plant.width import RUNS, STARTS, STOPS, step_width


def play(wanted: list[float], stop: int, start: int, width: float = 1.0) -> list[tuple[int, float]]:
    """Phase and width of each step of a job that has begun."""
    phase, left, seen = RUNS, 0, []
    for asked in wanted:
        phase, left, width = step_width(
            phase, left, width, asked, begun=True, stop_ticks=stop, start_ticks=start
        )
        seen.append((phase, width))
        left = max(left - 1, 0)
    return seen


def test_a_change_stops_on_the_old_width_and_starts_on_the_new_one() -> None:
    assert play([0.5] * 8, 2, 3) == [(STOPS, 1.0)] * 2 + [(STARTS, 0.5)] * 3 + [(RUNS, 0.5)] * 3


def test_to_no_accelerator_it_only_stops_and_from_none_it_only_starts() -> None:
    assert play([0.0] * 3 + [1.0] * 4, 2, 3) == (
        [(STOPS, 1.0)] * 2 + [(RUNS, 0.0)] + [(STARTS, 1.0)] * 3 + [(RUNS, 1.0)]
    )


def test_another_width_while_it_starts_begins_the_start_again() -> None:
    assert play([0.5] * 3 + [0.25] * 4, 2, 3) == (
        [(STOPS, 1.0)] * 2 + [(STARTS, 0.5)] + [(STARTS, 0.25)] * 3 + [(RUNS, 0.25)]
    )


def test_a_change_that_is_taken_back_while_it_stops_costs_the_stop_alone() -> None:
    assert play([0.5] + [1.0] * 3, 2, 3) == [(STOPS, 1.0)] * 2 + [(RUNS, 1.0)] * 2


def test_before_it_has_begun_a_width_costs_nothing() -> None:
    assert step_width(RUNS, 0, 1.0, 0.25, begun=False, stop_ticks=5, start_ticks=5) == (RUNS, 0, 0.25)


@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=80),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_a_request_that_lasts_is_met_within_its_phases_and_then_kept(
    before: list[float], stop: int, start: int
) -> None:
    for asked in (0.0, 0.5, 1.0):
        seen = play(before + [asked] * (stop + start + 2), stop, start)
        assert seen[-1] == (RUNS, asked)
        working = [width for phase, width in seen if phase == RUNS]
        assert set(working) <= {1.0, *before, asked}
