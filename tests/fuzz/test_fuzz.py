"""A slice of the fuzz: a thousand spoilt inputs of every kind, refused in words or taken with finite figures."""

from __future__ import annotations

import pytest
from fuzz import inputs, tried
from targets import TARGETS

COUNT, SEED, PARTS = 1000, 20_250_707, 10


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.filterwarnings("default")
def test_spoilt_inputs_are_refused_in_words_or_taken(part) -> None:
    mixed = list(inputs(COUNT, SEED))[part::PARTS]
    failures = [failure for kind, number in mixed if (failure := tried(kind, number, SEED)[1])]
    assert not failures, "\n".join(f"{one.kind} {one.number}: {one.told}" for one in failures[:3])


def test_every_kind_is_among_them_and_inputs_are_made_again() -> None:
    first, again = list(inputs(COUNT, SEED)), list(inputs(COUNT, SEED))
    assert first == again
    assert {kind for kind, _ in first} == set(TARGETS)
