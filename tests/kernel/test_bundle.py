"""Bundles known by their address, and functions that are linked: they give what the same in numpy gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numba import types

from aidc.jit import bundle, engine, inner, part, scalar
from aidc.kernel.bundle import BundleType
from aidc.kernel.linked import LinkedCompiler


@bundle
class Mixed(NamedTuple):
    """Arrays of several shapes and types, and numbers between them."""

    rows: np.ndarray
    share: float
    places: np.ndarray
    count: int
    cube: np.ndarray
    on: bool


@bundle
class Second(NamedTuple):
    total: np.ndarray
    gain: float


@part
def _add(mixed: Mixed, second: Second, row: int) -> None:
    for column in range(mixed.rows.shape[1]):
        second.total[mixed.places[column]] += mixed.share * mixed.rows[row, column]
        mixed.rows[row, column] += 1.0  # what lies behind the address may change; where it lies does not


@inner
def _twice(mixed: Mixed, second: Second, row: int) -> float:
    _add(mixed, second, row)
    _add(mixed, second, row)
    return second.gain * mixed.cube[row, 1, 1] if mixed.on else -1.0


@scalar
def _scaled(second: Second, value: float) -> float:
    return second.gain * value


@engine
def run(mixed: Mixed, second: Second, out: np.ndarray) -> int:
    for row in range(mixed.count):
        out[row] = _twice(mixed, second, row) + _scaled(second, second.total[0])
        for one in (mixed.rows, mixed.cube[row]):
            out[row] += one[0, 0]
    return mixed.count


def expected(mixed: Mixed, second: Second, out: np.ndarray) -> None:
    """The same in numpy."""
    for row in range(mixed.count):
        for _ in range(2):
            np.add.at(second.total, mixed.places, mixed.share * mixed.rows[row])
            mixed.rows[row] += 1.0
        drawn = second.gain * mixed.cube[row, 1, 1] if mixed.on else -1.0
        out[row] = drawn + second.gain * second.total[0] + mixed.rows[0, 0] + mixed.cube[row, 0, 0]


def made(seed: int, *, wide: int = 4, on: bool = True) -> tuple[Mixed, Second, np.ndarray]:
    rng = np.random.default_rng(seed)
    mixed = Mixed(
        rng.random((3, wide)), rng.random(), rng.integers(0, 5, wide), 3, rng.random((3, 2, 2 + wide)), on
    )
    return mixed, Second(np.zeros(5), rng.random()), np.zeros(3)


@pytest.mark.parametrize(("seed", "wide", "on"), [(1, 4, True), (2, 1, True), (3, 9, False), (4, 4, True)])
def test_a_kernel_gives_what_numpy_gives(seed: int, wide: int, on: bool) -> None:
    """The same kernel on bundles of other addresses, shapes and values: nothing is kept from call to call."""
    compiled, plain = made(seed, wide=wide, on=on), made(seed, wide=wide, on=on)
    assert run(*compiled) == 3
    expected(*plain)
    assert compiled[2] == pytest.approx(plain[2], rel=1e-14)
    assert compiled[1].total == pytest.approx(plain[1].total, rel=1e-14)
    assert np.array_equal(compiled[0].rows, plain[0].rows)


def test_replaced_fields_are_seen_and_turned_arrays_are_read_by_their_strides() -> None:
    mixed, second, out = made(5)
    run(mixed, second, out)
    strided = {name: np.repeat(getattr(mixed, name), 2, axis=-1)[..., ::2] for name in ("rows", "cube")}
    turned = mixed._replace(**strided, share=0.25)
    again = mixed._replace(rows=mixed.rows.copy(), share=0.25)
    fresh, other, plain = made(5)[1], made(5)[1], np.zeros(3)
    run(turned, fresh, out)
    expected(again, other, plain)
    assert out == pytest.approx(plain, rel=1e-14)
    assert fresh.total == pytest.approx(other.total, rel=1e-14)


def test_bundles_are_passed_by_address_and_parts_have_no_machine_code() -> None:
    run(*made(1))
    assert all(isinstance(kind, BundleType) for kind in run.signatures[0][:2])
    assert {one._compiler.pipeline_class for one in (_add, _twice)} == {LinkedCompiler}
    _add.compile((*run.signatures[0][:2], types.int64))
    made_of = run.targetctx.codegen()._engine
    names = [one.fndesc.mangled_name for one in _add.overloads.values()]
    assert names
    assert not any(made_of.is_symbol_defined(name) for name in names)
