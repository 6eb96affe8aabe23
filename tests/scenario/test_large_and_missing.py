"""Long tables take little memory, marks of missing data are no values, and odd digits are no numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.record.recording import read_recording
from aidc.scenario.cells import Cells, Rows, lines_of
from aidc.scenario.sentinel import sentinel_row
from aidc.scenario.table import read_table

PEAK = """
import resource, sys
from pathlib import Path
from aidc.scenario.table import read_table
import polars, numpy
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = read_table(Path(sys.argv[1]))
a, b = table.numbers("t_s", 0, 1e15), table.numbers("a_w", 0, 1e15)
assert a[-1] == len(table) - 1 and b[7] == 100007.25
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_row_takes_less_than_ninety_bytes(tmp_path) -> None:
    """A fifth of a million rows; ten million then take 0.9 GB."""
    rows = 200_000
    path = tmp_path / "long.csv"
    path.write_text("t_s,a_w\n" + "\n".join(f"{k},{100000 + k}.25" for k in range(rows)) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    spent_kb = int(done.stdout)
    assert spent_kb * 1024 / rows < 90 + 60  # and what little a short table has of its own


def test_cells_read_like_a_list() -> None:
    rows = Rows(2)
    for k in range(150_000):
        rows.add([f" {k} ", "x" * (k % 40)], k + 2)
    first, second = rows.columns()
    assert isinstance(first, Cells)
    assert len(first) == len(second) == 150_000
    assert (first[0], first[-1], first[65_536], first[140_000]) == ("0", "149999", "65536", "140000")
    assert first[65_534:65_538] == ["65534", "65535", "65536", "65537"]
    assert list(first) == [str(k) for k in range(150_000)]
    assert second[79] == "x" * 39
    with pytest.raises(IndexError):
        first[150_000]


def test_rows_of_another_length_are_named() -> None:
    rows = Rows(3)
    for k in range(10):
        rows.add(["1"] * (k % 4), k)
    assert rows.ragged == [(0, 0), (1, 1), (2, 2), (4, 0), (5, 1)]
    assert [len(column) for column in rows.columns()] == [10, 10, 10]


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\r\nb", "a\rb", "\n\n", "a\n\rb\n"])
def test_lines_are_those_of_a_file(text) -> None:
    assert "".join(lines_of(text)) == text


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ([40, 41, -9999, 42], 2),
        ([40, -999.0, 42], 1),
        ([-9999, -9999], 0),
        ([float("nan"), -99999, 3], 1),
        ([40, -9998, 42], None),
        ([-9000, -9999, -9500], None),
        ([-600, -999, 3], None),
        ([float("nan")], None),
        ([], None),
        ([9999], None),
    ],
)
def test_a_mark_of_missing_data_is_far_from_everything_else(values, row) -> None:
    assert sentinel_row(np.array(values, dtype=float)) == row


@pytest.mark.parametrize("cell", ["１", "2_0", "١", "-9999", "0x10", "1e999", "nan"])
def test_such_a_cell_is_no_number(cell, tmp_path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"time_s,p_mw\n0,1\n1,{cell}\n2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 3, column p_mw"):
        read_table(path).numbers("p_mw", -1e15, 1e15)
    with pytest.raises(InputError, match="line 3, column p_mw"):
        read_recording(Path(path), nominal_hz=60.0, nominal_kv=34.5)
