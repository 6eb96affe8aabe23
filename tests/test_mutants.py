"""What `make mutants` draws: laws and decisions, and no words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]

TEXT = '''
"""Title of 1 + 2."""

from __future__ import annotations

from typing import Annotated

import aidc.errors as e2

__all__ = ["law", "told"] + [1 * "x"]
LIMIT = 3.5


@decorated(7)
def law(x: Annotated[float, 11 + 1], steps: int = 2) -> Annotated[float, 12]:
    """Of 13 * 14."""
    other: Annotated[float, 15] = x
    if x > LIMIT and steps:
        return other * 2.0
    return -other - 1.0


def told(x: float) -> str:
    if not x:
        raise ValueError(16 * "no", 17)
    if x == 4.0:
        raise InputError(Problem(f"is {x + 18:.1f}", value=19 * x))
    problem = Problem("is 20", "Choose " + f"{x * 21}", value=22)
    warn("x", 23)
    assert x > 5.0, 24
    return f"{x - 25} {problem}" + " % " * 26
'''
WORDS = {"Title", "import", "__all__", "@decorated", "def law", "raise", "problem =", "warn(", "return f"}


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("cosmic_ray")
    monkeypatch.syspath_prepend(str(CHECKOUT))
    monkeypatch.delitem(sys.modules, "mutants", raising=False)
    from mutants import places

    return places


def write(root: Path, text: str) -> Path:
    path = root / "src" / "aidc" / "plant" / "law.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def changed_texts(places, root: Path, path: Path) -> list[tuple[str, str]]:
    """Each line that may be changed, and what it is changed to."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    found = []
    old = path.read_text()
    for changes in places.mutants_of(root, path):
        for one in changes:
            new = mutate_code(old, get_operator(f"core/{one.change}")(), one.occurrence)
            pairs = zip(old.split("\n"), new.split("\n"), strict=True)
            ((before, after),) = [(before, after) for before, after in pairs if before != after]
            assert before == old.split("\n")[one.line - 1]
            found.append((before.strip(), after.strip()))
    return found


def test_laws_and_decisions_are_drawn_and_words_are_not(places, tmp_path: Path) -> None:
    found = changed_texts(places, tmp_path, write(tmp_path, TEXT))
    lines = {before for before, _ in found}
    assert not [line for line in lines if any(word in line for word in WORDS - {"def law"})]
    assert {after for before, after in found if before.startswith("def law")} == {
        "def law(x: Annotated[float, 11 + 1], steps: int = 3) -> Annotated[float, 12]:",
        "def law(x: Annotated[float, 11 + 1], steps: int = 1) -> Annotated[float, 12]:",
    }
    assert ("LIMIT = 3.5", "LIMIT = 4.5") in found
    assert ("return other * 2.0", "return other / 2.0") in found
    assert ("return -other - 1.0", "return +other - 1.0") in found
    assert ("if x > LIMIT and steps:", "if x > LIMIT or steps:") in found
    assert ("if x > LIMIT and steps:", "if x >= LIMIT and steps:") in found
    assert ("assert x > 5.0, 24", "assert x > 6.0, 24") in found
    assert not [after for _, after in found if after.startswith("assert") and not after.endswith(", 24")]
    assert not [line for line in lines if line.startswith("other:")]


def test_a_draw_is_the_same_again_and_moves_with_its_function(places, tmp_path: Path) -> None:
    """An edit elsewhere neither renames a mutant nor changes which of the old places are drawn first."""
    write(tmp_path, TEXT)
    first = places.drawn(tmp_path, 100, 1, ("plant",))
    assert places.drawn(tmp_path, 100, 1, ("plant",)) == first
    assert [one.key for one in places.drawn(tmp_path, 5, 1, ("plant",))] == [one.key for one in first[:5]]
    assert [one.key for one in places.drawn(tmp_path, 100, 2, ("plant",))] != [one.key for one in first]
    write(tmp_path, TEXT.replace("LIMIT = 3.5", "\nMORE = 3 * 7\n\nLIMIT = 3.5"))
    keys = [one.key for one in first]
    assert [one.key for one in places.drawn(tmp_path, 100, 1, ("plant",)) if one.key in keys] == keys


def test_each_place_is_drawn_once(places, tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    count = len(list(places.mutants_of(tmp_path, path)))
    found = places.drawn(tmp_path, 1000, 1, ("plant",))
    assert len(found) == count == len({one.key for one in found})


def test_what_was_killed_stays_so_and_what_survived_is_tried_again(places, tmp_path: Path) -> None:
    from mutants.__main__ import Record
    from mutants.trial import Outcome

    assert places is not None
    path = tmp_path / "tried.jsonl"
    one, other = [places.Mutant(key, "src/aidc/plant/law.py", 1, "law", "AddNot", 0) for key in ("a", "b")]
    record = Record(path)
    assert record.known(one, "tests 1") is None
    record.add(one, Outcome("killed", 1.0, "-x\n+y"), "tests 1")
    record.add(other, Outcome("survived", 1.0, "-x\n+y"), "tests 1")
    again = Record(path)
    assert again.known(one, "tests 2")["result"] == "killed"
    assert again.known(other, "tests 1")["result"] == "survived"
    assert again.known(other, "tests 2") is None
    again.add(other, Outcome("killed", 1.0, "-x\n+y"), "tests 2")
    assert Record(path).known(other, "tests 3")["result"] == "killed"


LAW = """
def law(x):
    if x > 2.0:
        return x
    return 3.0


def unseen():
    return 4.0
"""
CHECK = """
from aidc.plant.law import law


def test_law():
    assert [law(x) for x in (1.0, 2.0, 2.5, 9.0)] == [3.0, 3.0, 2.5, 9.0]
"""


def test_a_sample_is_tried_in_a_copy_and_goes_on_where_it_stopped(
    places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout of one law and one test: what the test looks at is killed, what it does not survives."""
    from mutants import __main__ as command

    assert places is not None
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "FOLDER", tmp_path / "build")
    monkeypatch.setattr(command, "TRIED", tmp_path / "build" / "tried.jsonl")
    for name in ("PYTHONPATH", "NUMBA_CACHE_DIR", "AIDC_DATA"):
        monkeypatch.setenv(name, "")
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, LAW)
    (tmp_path / "src" / "aidc" / "__init__.py").touch()
    for name, text in {"tests/plant/test_law.py": CHECK, "mutants/equivalent.toml": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert command.main(["--count", "9", "--rooms", "plant"]) == 1
    said = capsys.readouterr().out
    assert said.count("killed ") == 5  # x > 2.0 (its operator, its number, the condition), 3.0, and the total
    assert "-    return 4.0\n+    return" in said
    assert "4 of 5 killed (80.0 %); 0 more called equivalent" in said
    assert path.read_text() == LAW

    assert command.main(["--count", "9", "--rooms", "plant"]) == 1
    assert "run once" not in (again := capsys.readouterr().out)
    assert "4 of 5 killed" in again

    test = tmp_path / "tests" / "plant" / "test_law.py"
    test.write_text(CHECK.replace("import law", "import law, unseen") + "    assert unseen() == 4.0\n")
    assert command.main(["--count", "9", "--rooms", "plant"]) == 0
    assert "1/1 killed" in (mended := capsys.readouterr().out)
    assert "5 of 5 killed" in mended


def test_the_score_leaves_out_the_equivalent_and_refuses_too_many(places, capsys) -> None:
    from mutants.__main__ import told

    assert places is not None
    entry = {"path": "src/aidc/plant/law.py", "line": 1, "where": "law", "change": "AddNot", "diff": "-x\n+y"}
    killed = [entry | {"key": f"k{n}", "result": "killed"} for n in range(18)]
    living = [entry | {"key": f"s{n}", "result": "survived"} for n in range(2)]
    assert told(killed + living, {})  # 18 of 20
    assert told(killed[:9] + living, {"s0": "the same"})  # 9 of 10
    assert "equivalent: the same" in capsys.readouterr().out
    assert not told(killed[:8] + living, {"s0": "the same"})  # 8 of 9
    assert not told(killed[:9] + living, {"s0": "the same", "s1": "too"})  # 9 of 9, but two of eleven excused


def test_the_stars_of_signatures_and_calls_are_no_arithmetic(places, tmp_path):
    path = write(tmp_path, "def law(x, *, y, **more):\n    return max(*x, law(y, y=0, **more)) * y ** x\n")
    changes = {one.change for alike in places.mutants_of(tmp_path, path) for one in alike}
    assert {name for name in changes if "Binary" in name} == {
        f"ReplaceBinaryOperator_{old}_{new}" for old in ("Mul", "Pow") for new in places.EXCHANGED[old]
    }
    stars = [one for alike in places.mutants_of(tmp_path, path) for one in alike if "Mul_Div" in one.change]
    assert len(stars) == 1
