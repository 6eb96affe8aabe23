"""The compiled engine against its own Python body: the same arrays, step for step.

The body runs in a process of its own with `NUMBA_DISABLE_JIT=1`, so that every helper is Python
too. Kernels are compiled without fastmath, so sums and products are the same operations in the same
order, and the engine agreed to the bit where this was written. `exp`, `log` and powers come from
other libraries on the two sides and may differ in the last bit (they do in the operating table),
hence the bound: 1e-12 of the largest value of each field.
"""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import find, settings
from sites import documents, loaded

from aidc.contract import Command, Knob
from aidc.simulate import Twin, compile_site
from aidc.simulate.compiling.operating import _fill_service
from aidc.simulate.energy.engine import OK, advance
from aidc.simulate.energy.fields import PodState
from aidc.site import load

CAMPUS = Path(__file__).parents[2] / "examples" / "campus-100mw" / "site.toml"
STEPS = 90
TOLERANCE = 1e-12


def block(compiled, monkeypatch, *, hot: bool = False, capped: bool = False) -> tuple[tuple, tuple]:
    """The arguments of one call of the engine, before and after it ran compiled."""
    seen: list[tuple] = []

    def note(*arguments):
        seen.append(copy.deepcopy(arguments))
        status = advance(*arguments)
        seen.append(arguments)
        return status

    twin = Twin(compiled)
    if hot:  # throttled and tripped pods
        twin.state.pod[PodState.CASE_K] += np.linspace(20.0, 60.0, len(compiled.labels.pods))
    if capped:
        rated = twin.view.upper[Knob.POD_CAP_W]
        twin.apply(
            [
                Command(Knob.POD_CAP_W, 0.6 * rated, 1e6, ""),
                Command(Knob.POD_BATCH_FRAC, np.full(rated.size, 0.5), 1e6, ""),
                Command(Knob.POD_REPLICA_FRAC, np.full(rated.size, 0.7), 1e6, ""),
                Command(Knob.STORAGE_W, -0.5 * twin.view.storage_power_w, 1e6, ""),
            ]
        )
    with monkeypatch.context() as patch:
        patch.setattr("aidc.simulate.twin.advance", note)
        per_row = compiled.steps_per_row
        twin.advance(max(STEPS // per_row, 1) * per_row)
    return seen[0], seen[1]


def arrays(node, name: str = ""):
    """Every array in the arguments of a kernel, with its name."""
    if isinstance(node, np.ndarray):
        yield name, node.astype(float)
    elif isinstance(node, tuple):
        fields = getattr(node, "_fields", range(len(node)))
        for field, item in zip(fields, node, strict=True):
            yield from arrays(item, f"{name}.{field}")


def in_python(work: list[tuple[str, tuple]], folder: Path) -> list[tuple]:
    source, target = folder / "in.pickle", folder / "out.pickle"
    source.write_bytes(pickle.dumps(work))
    script = Path(__file__).with_name("python_body.py")
    done = subprocess.run(
        [sys.executable, str(script), str(source), str(target)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return pickle.loads(target.read_bytes())  # noqa: S301


def same(left: np.ndarray, right: np.ndarray, name: str) -> None:
    assert left.shape == right.shape
    assert np.array_equal(np.isfinite(left), np.isfinite(right)), name
    finite = np.isfinite(left)
    scale = np.abs(left[finite]).max(initial=0.0)
    assert np.abs(left[finite] - right[finite]).max(initial=0.0) <= TOLERANCE * scale, name


@pytest.fixture(scope="module")
def sites() -> dict:
    """The campus at its first hour, and random sites that have a storage, a job or a short grid."""
    campus = load(CAMPUS, ["scenario.days=0.01", "scenario.output_step_s=30"])
    found = {"campus": compile_site(campus)}
    still = settings(derandomize=True, database=None, max_examples=500)
    wanted = {
        "storage": lambda body: len(body["storage"]) == 3 and "services" in body,
        "job": lambda body: "jobs" in body and "services" in body and "gensets" in body,
        "short": lambda body: body["grid"]["import_limit_mw"] == 0.3 and len(body["pods"]) > 2,
    }
    for name, test in wanted.items():
        found[name] = compile_site(loaded(find(documents(), test, settings=still)))
    return found


def test_every_array_of_a_block_is_that_of_the_python_body(sites, tmp_path, monkeypatch) -> None:
    work = {
        **{name: block(compiled, monkeypatch) for name, compiled in sites.items()},
        "campus, hot": block(sites["campus"], monkeypatch, hot=True),
        "campus, capped": block(sites["campus"], monkeypatch, capped=True),
    }
    python = in_python([("advance", before) for before, _ in work.values()], tmp_path)
    for (name, (_, after)), (status, body) in zip(work.items(), python, strict=True):
        assert status == OK
        compared = 0
        for (field, mine), (_, theirs) in zip(arrays(after), arrays(body), strict=True):
            same(mine, theirs, f"{name}: {field}")
            compared += mine.size
        assert compared > 1000


def test_the_operating_table_is_that_of_the_python_body(tmp_path, monkeypatch) -> None:
    seen: list[tuple] = []

    def note(*arguments):
        seen.append(copy.deepcopy(arguments))
        return _fill_service(*arguments)

    monkeypatch.setattr("aidc.simulate.compiling.operating._fill_service", note)
    compile_site(load(CAMPUS, ["scenario.days=0.01"]))
    table, batches, caps, loads, *rest = seen[0]
    small = (table[::4, ::16].copy(), batches[::4].copy(), caps[::4].copy(), loads[::16].copy(), *rest)
    ((top, body),) = in_python([("table", copy.deepcopy(small))], tmp_path)
    assert _fill_service(*small) == pytest.approx(top, rel=TOLERANCE)
    for point in range(small[0].shape[2]):
        same(small[0][..., point], body[0][..., point], f"point {point}")
