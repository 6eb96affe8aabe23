"""Runs a pickled block with the engine's Python body: `NUMBA_DISABLE_JIT=1 python python_body.py IN OUT`."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numba


def main(source: str, target: str) -> None:
    if not numba.config.DISABLE_JIT:
        raise SystemExit("run it with NUMBA_DISABLE_JIT=1")
    from aidc.simulate.energy import advance
    from aidc.simulate.operating import _fill_service

    done = []
    for kind, arguments in pickle.loads(Path(source).read_bytes()):  # noqa: S301  the test wrote it
        result = {"advance": advance, "table": _fill_service}[kind](*arguments)
        done.append((result, arguments))
    Path(target).write_bytes(pickle.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
