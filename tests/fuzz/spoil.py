"""Seeded ways to spoil what a person writes: tables of a TOML, lines and cells of a text, bytes of a file.

Everything is drawn from one `random.Random`, so that an input is made again from its kind, seed and number alone.
"""

from __future__ import annotations

import copy
import math
from datetime import UTC, date, datetime, time
from random import Random

from toml_tree import at, places

__all__ = ["spoilt_bytes", "spoilt_json", "spoilt_tables", "spoilt_text"]

_AWARE = datetime(2025, 7, 7, 6, tzinfo=UTC)
NASTY = [
    float("nan"), float("inf"), float("-inf"), -1, -0.5, 0, 1, 2, 0.5, 7, 60, 1e9, -1e9, 1e308, -1e308, 1e-308, 1e-9, 1e15,
    5e-324, 10**9, 10**18, -(10**18), 2**63 - 1, -9999, -999.0, True, False, "", " ", "x" * 3000, "nan", "1", "１", "2_0",
    "../../etc/passwd", "/dev/zero", "/dev/null", "\0", "é\u2028", "\x1b[2J", "[/b]", "[red]", "{{ 7 * 7 }}", "<script>", "none",
    "javascript:alert(1)", "http://[", "https://x y", "10.1/x", "localtime", "Factory", "posix/UTC", "UTC", "dc", "llm", "chat",
    "generic", "h100", "mine", "N+1", "mine.py:Mine", "os:path", ":", "a:b:c", "(masked)", "*", "a[1]", "p.csv", "site.toml",
    [], [[]], [{}], {}, {"use": "dry-cooler"}, {"use": 3}, {"use": []}, {"kind": {}}, {"a": {"b": 1}}, {"value": 1, "source": "x"},
    {"value": float("nan"), "source": "x", "confidence": "estimated"}, {"value": [], "source": [], "confidence": {}},
    {"value": {"value": 1, "source": 2}, "source": "x"}, ["llm"], ["llm", "llm"], [1, "a"], [float("nan")], [True, 1], [[1], 2],
    list(range(300)), _AWARE, datetime(2025, 7, 7, 6), datetime(1, 1, 1, tzinfo=UTC),  # noqa: DTZ001
    datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), date(2025, 7, 7), date(1, 1, 1), time(6),
]  # fmt: skip
_KEYS = [
    "unknown", "use", "kind", "folder", "file", "entries", "assumptions", "", "a.b", "é", "\0", "value", "source", "title",
    "rule", "include", "sources", "rack", "model", "start", "x" * 300, "[/b]", "clauses", "confidence", "note",
]  # fmt: skip
_FACTORS = [-1, 0, 1e-12, 1e-3, 0.5, 2, 1e3, 1e6, 1e9, 1e300]
CELLS = [
    "", " ", "nan", "inf", "-inf", "-1", "0", "1e9", "1e308", "1e400", "-9999", "abc", '"', "'", "2025-07-07T06:00:00", "２", "1_0",
    "2025-07-07T06:00:00+02:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2025-02-30T00:00:00Z", "2025-07-07T24:00:00Z",
    "null", "9" * 400, "9" * 5000, "1,5", "1;2", "0x10", "1e-999999999", "1751868000", "1751868000000", "-", "[", "{", "=1+1",
    "2025-07-07T06:00:60Z", "07/07/2025", "true", "\ufeff1", "\u00a01", "1e", "+", ".", "1.", ".5", "--1", "1/2",
]  # fmt: skip
_PIECES = [
    "=", "]", '"', "\0", "[[", "\ufeff", "nan", "#", "{", "é", "[pods]", "'''", '"""', "\\", ".", "\r", "\x1a", ",", ";", "\t",
    "k." * 100, "[" * 100, "{a=" * 100, "9" * 5000, "_", "\u2028", "--- file type: DAT ---",
]  # fmt: skip
_BYTES = [
    b"\xff",
    b"\xfe\xff",
    b"\xff\xfe",
    b"\x80",
    b"\r",
    b"\0" * 50,
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\n" * 20,
]


def spoilt_tables(tables: dict, draw: Random, most: int = 3) -> dict:
    """A copy with one to `most` values, keys or tables spoilt."""
    made = copy.deepcopy(tables)
    for _ in range(draw.choice([1, 1, 1, 2, most])):
        everywhere = list(places(made))
        if not everywhere:
            return made
        path = draw.choice(everywhere)
        _spoil(made, path, draw)
    return made


def _spoil(tables: dict, path: tuple, draw: Random) -> None:  # noqa: C901  one line a way
    parent, last = at(tables, path[:-1]), path[-1]
    there = parent[last]
    how = draw.choice(
        ["value"] * 5 + ["scale"] * 3 + ["drop", "rename", "add", "wrap", "move", "twice", "deep", "text"]
    )
    if how == "drop":
        del parent[last]
    elif how == "rename" and isinstance(parent, dict):
        parent[draw.choice([f"{last}x", draw.choice(_KEYS)])] = parent.pop(last)
    elif how == "add" and isinstance(parent, dict):
        parent[draw.choice(_KEYS)] = copy.deepcopy(draw.choice(NASTY))
    elif how == "scale" and isinstance(there, (int, float)) and not isinstance(there, bool):
        parent[last] = there * draw.choice(_FACTORS)
        if isinstance(there, int) and draw.random() < 0.5 and abs(parent[last]) < 1e18:
            parent[last] = int(parent[last])
    elif how == "wrap":
        parent[last] = draw.choice([[there], {str(last): there}, [there, there]])
    elif how == "move":
        parent[last] = copy.deepcopy(draw.choice(list(tables.values())))
    elif how == "twice" and isinstance(parent, list):
        parent[last:last] = [copy.deepcopy(there)] * draw.choice([1, 3, 300])
    elif how == "deep":
        for _ in range(draw.choice([3, 30, 70])):
            there = draw.choice([[there], {"a": there}])
        parent[last] = there
    elif how == "text" and isinstance(there, str):
        cut = draw.randint(0, len(there))
        parent[last] = there[:cut] + str(draw.choice(_PIECES)) + there[cut:]
    else:
        parent[last] = copy.deepcopy(draw.choice(NASTY))


def spoilt_text(text: str, draw: Random, mark: str = ",") -> bytes:  # noqa: C901  as above
    """A text with lines cut, doubled, shuffled or overwritten, as bytes."""
    lines = text.split("\n")
    for _ in range(draw.choice([1, 1, 2, 3])):
        where = draw.randrange(len(lines))
        how = draw.choice(
            ["drop", "twice", "cut", "swap", "piece", "head", "cell", "cell", "cell", "column", "many"]
        )
        if how == "drop":
            del lines[where : where + draw.randint(1, 4)]
        elif how == "twice":
            lines[where:where] = lines[where : where + draw.randint(1, 6)]
        elif how == "cut":
            lines[where] = lines[where][: draw.randint(0, 30)]
        elif how == "swap":
            other = draw.randrange(len(lines))
            lines[where], lines[other] = lines[other], lines[where]
        elif how == "head":
            lines = lines[:where]
        elif how == "piece":
            cut = draw.randint(0, len(lines[where]))
            lines[where] = lines[where][:cut] + draw.choice(_PIECES) + lines[where][cut:]
        elif how == "many":
            lines[where:where] = lines[where : where + 1] * draw.choice([10, 2000])
        else:
            rows = [where] if how == "cell" else range(where, len(lines))
            column, cell = draw.randint(0, 6), draw.choice(CELLS)
            for row in rows:
                cells = lines[row].split(mark)
                if column < len(cells):
                    cells[column] = cell
                lines[row] = mark.join(cells)
        lines = lines or [""]
    return spoilt_bytes("\n".join(lines).encode(), draw, odds=0.15)


def spoilt_bytes(raw: bytes, draw: Random, odds: float = 1.0) -> bytes:
    """Bytes with some flipped, put in, cut off or doubled."""
    if draw.random() >= odds:
        return raw
    for _ in range(draw.randint(1, 4)):
        where = draw.randint(0, len(raw))
        how = draw.choice(["flip", "flip", "put", "cut", "tail", "twice", "zero"])
        if how == "flip" and where < len(raw):
            raw = raw[:where] + bytes([raw[where] ^ (1 << draw.randrange(8))]) + raw[where + 1 :]
        elif how == "put":
            raw = raw[:where] + draw.choice(_BYTES) + raw[where:]
        elif how == "cut":
            raw = raw[:where] + raw[where + draw.choice([1, 7, 100]) :]
        elif how == "tail":
            raw = raw[:where]
        elif how == "twice":
            raw = raw[:where] + raw
        elif how == "zero":
            raw = raw[:where] + b"\0" * len(raw[where : where + 16]) + raw[where + 16 :]
    return raw


def spoilt_json(tree: dict, draw: Random) -> dict:
    """As `spoilt_tables`, with what JSON holds."""
    return _plain(spoilt_tables(tree, draw))


def _plain(node):
    if isinstance(node, dict):
        return {str(key): _plain(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node if isinstance(node, (bool, int, float, str)) or node is None else str(node)
