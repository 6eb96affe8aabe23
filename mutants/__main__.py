"""`make mutants`, or `python -m mutants [--count 200] [--seed 1] [--rooms plant,measure] [--jobs 2]`.

Draws places of the source, changes one at a time in a copy of the checkout (`build/mutants`) and runs the tests
of its room and of the engines. What was found stands in `build/mutants/tried.jsonl`, a line for each mutant, so
that a run that was stopped goes on: what was killed stays so, and what survived is tried again once the source
or these tests have changed. Survivors that change no result are named in `mutants/equivalent.toml`, each with a
reason, at most one in ten.

Ends with 1 if fewer than 90 % of those not equivalent were killed.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from mutants.places import ROOMS, Mutant, drawn
from mutants.trial import Bench, Outcome

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "mutants"
TRIED = FOLDER / "tried.jsonl"
LEAST_KILLED = 0.9
MOST_EQUIVALENT = 0.1


def equivalent() -> dict[str, str]:
    """Reasons by key."""
    entries = tomllib.loads((ROOT / "mutants" / "equivalent.toml").read_text()).get("mutant", [])
    return {entry["key"]: entry["reason"] for entry in entries}


class Record:
    """What was tried before, and what is tried now, line by line in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.is_file() else []
        self._found = {entry["key"]: entry for entry in map(json.loads, lines)}

    def known(self, mutant: Mutant, digest: str) -> dict | None:
        """The result of a mutant, if it still holds."""
        entry = self._found.get(mutant.key)
        holds = entry is not None and (entry["result"] != "survived" or entry["digest"] == digest)
        return entry if holds else None

    def add(self, mutant: Mutant, outcome: Outcome, digest: str) -> dict:
        entry = asdict(mutant) | asdict(outcome) | {"digest": digest}
        self._found[mutant.key] = entry
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        return entry


def baselines(bench: Bench, rooms: list[str]) -> dict[str, float]:
    """How long the tests of each room take; they must pass."""
    path, found = FOLDER / "baselines.json", {}
    kept = json.loads(path.read_text()) if path.is_file() else {}
    for room in rooms:
        digest = bench.digest(room)
        if kept.get(room, {}).get("digest") != digest:
            print(f"{room}: the tests of its mutants run once without a change", flush=True)
            took_s, said = bench.baseline(room)
            if said:
                raise SystemExit(f"the tests of {room} fail without a change:\n{said[-3000:]}")
            kept[room] = {"digest": digest, "took_s": took_s}
            path.write_text(json.dumps(kept))
        found[room] = kept[room]["took_s"]
    return found


def try_all(mutants: list[Mutant], jobs: int, again: list[str]) -> list[dict]:
    """What became of each mutant; those that are not known yet are tried in `jobs` processes side by side.

    `again` is the command line that makes a process of its own draw the same.
    """
    bench = Bench(ROOT, FOLDER, "copy")
    digests = {room: bench.digest(room) for room in sorted({one.room for one in mutants})}

    def left() -> list[Mutant]:
        record = Record(TRIED)
        return [one for one in mutants if record.known(one, digests[one.room]) is None]

    baselines(bench, sorted({one.room for one in left()}))
    if jobs > 1 and left():
        command = [sys.executable, "-m", "mutants", *again, "--part"]
        parts = [subprocess.Popen([*command, f"{part}/{jobs}"], cwd=ROOT) for part in range(jobs)]
        codes = [part.wait() for part in parts]
        if any(codes):
            raise SystemExit("a process that tries mutants failed; what it had tried is kept")
    else:
        try_left(bench, left())
    record = Record(TRIED)
    known = [record.known(one, digests[one.room]) for one in mutants]
    found = [entry for entry in known if entry is not None]
    if len(found) < len(mutants):
        raise SystemExit(
            "the source or the tests were edited meanwhile: run it again, it goes on where it stopped"
        )
    return found


def try_left(bench: Bench, mutants: list[Mutant]) -> None:
    """Try mutants one after the other, and write down what became of each."""
    record = Record(TRIED)
    took_s = baselines(bench, sorted({one.room for one in mutants}))
    for number, mutant in enumerate(mutants, start=1):
        outcome = bench.attempt(mutant, took_s[mutant.room])
        record.add(mutant, outcome, bench.digest(mutant.room))
        place = f"{mutant.path}:{mutant.line}"
        print(f"{number}/{len(mutants)} {outcome.result:9} {outcome.took_s:6.1f} s  {place}", flush=True)


def try_part(mutants: list[Mutant], part: str) -> None:
    """Try every n-th mutant that is not known yet, in a copy of its own."""
    number, of = map(int, part.split("/"))
    bench = Bench(ROOT, FOLDER, f"copy-{number}")
    record = Record(TRIED)
    left = [one for one in mutants if record.known(one, bench.digest(one.room)) is None]
    try_left(bench, left[number::of])


def told(entries: list[dict], reasons: dict[str, str]) -> bool:
    """Print the survivors and the score; whether it is good enough."""
    survivors = [entry for entry in entries if entry["result"] == "survived"]
    excused = [entry for entry in survivors if entry["key"] in reasons]
    for entry in survivors:
        reason = reasons.get(entry["key"])
        print(f"\n{entry['path']}:{entry['line']} in {entry['where']}, {entry['change']}, key {entry['key']}")
        print(entry["diff"] + (f"\nequivalent: {reason}" if reason else ""))
    rooms = Counter(Path(entry["path"]).parts[2] for entry in entries)
    living = Counter(Path(one["path"]).parts[2] for one in survivors if one not in excused)
    print("\nroom       tried  survived")
    for room in sorted(rooms):
        print(f"{room:9} {rooms[room]:6} {living[room]:9}")
    counted = len(entries) - len(excused)
    killed = counted - (len(survivors) - len(excused))
    share = killed / counted if counted else 1.0
    print(f"\n{killed} of {counted} killed ({100 * share:.1f} %); {len(excused)} more called equivalent")
    return share >= LEAST_KILLED and len(excused) <= MOST_EQUIVALENT * len(entries)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m mutants")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", default=",".join(ROOMS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="say what is drawn, and try nothing")
    asked = parser.parse_args(arguments)
    mutants = drawn(ROOT, asked.count, asked.seed, asked.rooms.split(","))
    if asked.list:
        for one in mutants:
            print(f"{one.key} {one.path}:{one.line} {one.where} {one.change}")
        return 0
    if asked.part:
        try_part(mutants, asked.part)
        return 0
    return 0 if told(try_all(mutants, asked.jobs, arguments), equivalent()) else 1


def _end(number: int, _: object) -> None:
    """Told to end: leave through every `finally`, so that no tests run on."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
