"""Runs a pickled block with the engine's Python body: `NUMBA_DISABLE_JIT=1 python python_body.py IN OUT`."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numba
import numpy as np

SUMMED = ("pod", "stage", "plant", "store", "site", "genset")  # parts of one flat array, see layout.py


def joined(scratch):
    """The scratch with its parts as views again: pickling made copies of them."""

    def views(flat, shapes):
        ends = np.cumsum([shape[0] * shape[1] for shape in shapes.values()])[:-1]
        return {
            name: part.reshape(shape)
            for (name, shape), part in zip(shapes.items(), np.split(flat, ends), strict=True)
        }

    step, total = scratch.step.copy(), scratch.total.copy()
    shapes = {name: getattr(scratch, name).shape for name in SUMMED}
    totals = views(total, {**shapes, "cell": scratch.cell_total.shape})
    return scratch._replace(
        step=step,
        **views(step, shapes),
        total=total,
        pod_total=totals["pod"],
        cell_total=totals["cell"],
    )


def main(source: str, target: str) -> None:
    if not numba.config.DISABLE_JIT:
        raise SystemExit("run it with NUMBA_DISABLE_JIT=1")
    from aidc.simulate.compiling.operating import _fill_service
    from aidc.simulate.energy.engine import advance

    done = []
    for kind, given in pickle.loads(Path(source).read_bytes()):  # noqa: S301  the test wrote it
        arguments = given
        if kind == "advance":
            arguments = (*given[:4], joined(given[4]), *given[5:])
        result = {"advance": advance, "table": _fill_service}[kind](*arguments)
        done.append((result, arguments))
    Path(target).write_bytes(pickle.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
