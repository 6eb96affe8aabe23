"""A slice of the fuzz: a thousand spoilt inputs of every kind, refused in words or taken with finite figures."""

from __future__ import annotations

import pytest
from targets import TARGETS

from fuzz import inputs, tried

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


def test_the_fuzz_itself_can_fail(monkeypatch) -> None:
    """A traceback, a silent refusal, a figure that is none and a hang are all failures."""
    import targets

    import fuzz
    from aidc.errors import InputError, Problem

    def hangs(*_) -> None:
        while True:
            pass

    def traceback(*_) -> None:
        raise KeyError("x")

    def silent(*_) -> None:
        raise InputError(Problem("wrong", ""))

    def no_figure(*_) -> None:
        targets.finite({"a": [1.0, {"b": float("nan")}]})

    def fine(*_) -> None:
        raise InputError(Problem("wrong", "Mend it."))

    monkeypatch.setattr(fuzz, "LONGEST_S", 0.2)
    for bad in (hangs, traceback, silent, no_figure):
        monkeypatch.setitem(TARGETS, "bad", bad)
        assert tried("bad", 0, 1)[1] is not None, bad
    monkeypatch.setitem(TARGETS, "bad", fine)
    assert tried("bad", 0, 1) == (False, None)
