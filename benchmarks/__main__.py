"""`make bench`, or `python -m benchmarks NAME …`: one JSON object a line.

Each case runs in a process of its own, pinned to one core. A group of cases is a file beside this one
with a dictionary `CASES` of names and functions (see `measure.timed`), and maybe `UNCOMPILED`, names to be
run without the compiler, and `NEEDS`, what must be installed for a name. Peers run under the Python named
by AIDC_PEERS, else that of `.venv-peers`, else this one.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import installed

ROOT = Path(__file__).parents[1]
BASELINES = {
    "energy": "energy-python-body",
    "transient": "transient-python-body",
    "build": "build-draws",
}  # what ratios are over


def groups() -> list:
    """The files of this package that hold cases."""
    names = sorted(one.name for one in pkgutil.iter_modules([str(Path(__file__).parent)]))
    found = [importlib.import_module(f"benchmarks.{name}") for name in names if not name.startswith("_")]
    return [group for group in found if hasattr(group, "CASES")]


def run_here(name: str) -> None:
    """Run one case in this process, on one core, and print what it measured."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    group = next(group for group in groups() if name in group.CASES)
    needed = getattr(group, "NEEDS", {}).get(name)
    if needed and not installed(needed):
        print(json.dumps({"skipped": f"{needed} is not installed (make bench-peers)"}))
        return
    print(json.dumps(group.CASES[name]()))


def python_for(name: str, group) -> str:
    if name not in getattr(group, "NEEDS", {}):
        return sys.executable
    own = ROOT / ".venv-peers" / "bin" / "python"
    return os.environ.get("AIDC_PEERS") or (str(own) if own.is_file() else sys.executable)


def run_apart(name: str, group) -> dict:
    """Run one case in a process of its own."""
    plain = {"NUMBA_DISABLE_JIT": "1"} if name in getattr(group, "UNCOMPILED", ()) else {}
    done = subprocess.run(
        [python_for(name, group), "-m", "benchmarks", "--case", name],
        env={**os.environ, **plain, "POLARS_MAX_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.splitlines()[-1])


def main(wanted: list[str]) -> int:
    if len(wanted) == 2 and wanted[0] == "--case":
        run_here(wanted[1])
        return 0
    known = {name: group for group in groups() for name in group.CASES}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no such case: {', '.join(unknown)}. Known: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = False
    firsts: dict[str, dict] = {}
    for name in wanted or known:
        baseline = BASELINES[name.partition("-")[0]]
        if baseline not in firsts:
            firsts[baseline] = run_apart(baseline, known[baseline])
        first = firsts[baseline]
        row = first if name == baseline else run_apart(name, known[name])
        failed |= "failed" in row
        if "steps_per_cpu_s" in row and "steps_per_cpu_s" in first:  # CPU time: a busy machine shows less
            row = row | {"ratio_to_baseline": row["steps_per_cpu_s"] / first["steps_per_cpu_s"]}
        shown = {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}
        print(json.dumps({"name": name, **shown}), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
