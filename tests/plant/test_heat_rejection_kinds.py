"""The table of heat-rejection kinds: every kind stands in it, and what the documentation says about adding one works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from aidc.errors import InputError, SimulationError
from aidc.plant.cooling.column import COLUMN, Figure
from aidc.plant.cooling.rejection import KINDS, Kind, rejection_limit, rejection_power
from aidc.plant.cooling.rejection_build import hold_column, kind_of
from aidc.schema.cooling import DryCooler, HeatRejection

HOUSE = Path(__file__).parents[2]
FENCE = re.compile(r"```(diff|python)\n(.*?)```", re.DOTALL)

SCRIPT = """
from pydantic import TypeAdapter
from aidc.plant.cooling.rejection import reject
from aidc.plant.cooling.rejection_build import hold_column, rejection_column, rejection_units
from aidc.schema.cooling import HeatRejection

LAKE = {"kind": "lake-cooler", "rated_heat_mw": 2.0, "fan_kw": 30.0, "coolant_in_c": 30.0, "coolant_out_c": 20.0, "lake_c": 10.0}
unit = TypeAdapter(HeatRejection).validate_python(LAKE)
units = rejection_units(unit, 4e6, 4e5, 293.15)
column = rejection_column(unit, units, 4e5)
hold_column(unit.kind, column)
print(units, *reject(4e6, 293.15, 303.15, 310.0, 300.0, column))
"""


def test_every_kind_of_the_schema_has_a_row_and_a_branch_of_each_kernel():
    shapes = get_args(get_args(HeatRejection)[0])
    kinds = {shape.model_fields["kind"].default for shape in shapes}
    assert kinds == {kind.name.lower().replace("_", "-") for kind in KINDS}
    assert set(KINDS) == set(Kind)
    for kind in Kind:
        column = np.zeros(COLUMN)
        column[Figure.KIND] = kind
        hold_column(kind.name, column)  # without any unit, heat goes nowhere, in numbers


def test_an_unknown_kind_is_an_error_and_not_a_chiller():
    column = np.zeros(COLUMN)
    column[Figure.KIND] = max(Kind) + 1
    assert np.isnan(rejection_limit(300.0, 290.0, 310.0, 320.0, column)).all()
    assert np.isnan(rejection_power(1.0, 2.0, 310.0, 320.0, 300.0, 290.0, column)).all()
    with pytest.raises(SimulationError, match="no branch"):
        hold_column("lake-cooler", column)
    with pytest.raises(InputError, match="without a row"):
        kind_of(DryCooler.model_construct(kind="lake-cooler"))  # type: ignore[arg-type]


def documented() -> dict[str, list[tuple[str, str]]]:
    """What `docs/architecture.md` says to write: for each file, texts and what they become."""
    text = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    text = text[text.index("## A heat-rejection kind, worked") :]
    text = text[: text.index("## Your own controller")]
    found: dict[str, list[tuple[str, str]]] = {}
    for form, body in FENCE.findall(text):
        if form == "python":
            found["plant/cooling/lake.py"] = [("", body)]
            continue
        for part in re.split(r"^--- ", body, flags=re.MULTILINE)[1:]:
            name, *lines = part.splitlines()
            old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
            new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
            found.setdefault(name, []).append((old, new))
    return found


def outcome(folder: Path, forgotten: tuple[str, int] | None) -> subprocess.CompletedProcess[str]:
    """Add the kind to a copy of the house, all but one part, and use it without compiling."""
    house = folder / "aidc"
    shutil.copytree(HOUSE / "src" / "aidc", house, ignore=shutil.ignore_patterns("__pycache__"))
    for name, edits in documented().items():
        for number, (old, new) in enumerate(edits):
            if (name, number) == forgotten:
                continue
            file = house / name
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            assert not old or text.count(old) == 1, (
                f"{name} no longer has what the documentation shows:\n{old}"
            )
            file.write_text(text.replace(old, new) if old else new, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_documented_kind_works(tmp_path):
    """Counterflow of equal flows: a unit that cools 30 to 20 °C at a lake of 10 °C gives 2 MW, so two carry 4 MW."""
    done = outcome(tmp_path, None)
    assert done.returncode == 0, done.stderr
    units, heat_w, pump_w, compressor_w, water_kg_s = map(float, done.stdout.split())
    assert (units, compressor_w, water_kg_s) == (2, 0.0, 0.0)
    assert heat_w == pytest.approx(4e6)
    assert pump_w == pytest.approx(2 * 30e3, rel=1e-6)  # full speed at the rating


@pytest.mark.parametrize(
    ("place", "part", "told"),
    [
        ("schema/cooling.py", 1, "lake-cooler"),  # the union
        ("plant/cooling/lake.py", 0, "aidc.plant.cooling.lake"),
        ("plant/cooling/rejection.py", 2, "without a row in the table of kinds"),
        ("plant/cooling/rejection.py", 3, "no branch"),
        ("plant/cooling/rejection.py", 4, "no branch"),
    ],
)
def test_each_part_forgotten_is_noticed(tmp_path, place, part, told):
    done = outcome(tmp_path, (place, part))
    assert done.returncode != 0
    assert told in done.stderr


def test_three_places_are_all():
    assert set(documented()) == {"schema/cooling.py", "plant/cooling/lake.py", "plant/cooling/rejection.py"}
