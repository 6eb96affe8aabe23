"""A TOML that a person writes is read in bounded time and depth, and every refusal has its line or key."""

from __future__ import annotations

import contextlib
import os
import time
import tomllib
from pathlib import Path

import pytest

from aidc.catalogue import read
from aidc.errors import InputError
from aidc.scenario.disturbances import read_events
from aidc.site.read import apply_settings
from aidc.toml_file import parse_toml, read_toml

LONGEST_S = 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\n" + ".".join("k" * 60_000) + " = 1", ["more than 64 parts", "line 2"]),
        ("[" + ".".join("k" * 7_000) + "]", ["more than 64 parts"]),
        ("[" + " . ".join(['"k"'] * 7_000) + "]", ["more than 64 parts"]),
        ("a = " + "[" * 7_000, ["deeper than 64"]),
        ("a = " + "{ b = " * 7_000, ["deeper than 64"]),
        ("a = " + "9" * 5_000, ["more than 400 digits"]),
        ("a = 0x" + "f" * 5_000, ["more than 400 digits"]),
        ("a = 1." + "9" * 5_000, ["more than 400 digits"]),
        ("a = 0x" + "f" * 100, ["larger than a number"]),
        ("a.b = 9223372036854775808", ["a.b", "larger than a number"]),
        (
            "[" + ".".join("k" * 40) + "]\n" + ".".join("k" * 40) + " = 1",
            ["deeper than 64"],
        ),
        ('a.b = "x\\u0000"', ["a.b", "control character"]),
        ('a = ["\\u001b[2J"]', ["a[0]", "control character"]),
        ('"a\\u0007" = 1', ["control character"]),
        ("a = 2025-02-30", ["not valid TOML", "line 1"]),
        ("a = 1\na = 2\n", ["not valid TOML", "line 2"]),
        ('a = "open', ["not valid TOML"]),
        ('a = """open', ["not valid TOML"]),
    ],
)
def test_what_has_no_bound_is_refused_at_once(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(text)
    began = time.perf_counter()
    with pytest.raises(InputError) as refused:
        read_toml(path)
    assert time.perf_counter() - began < LONGEST_S
    assert str(path) in str(refused.value)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + "x." * 500 + '" # ' + "y." * 500,
        "a = '''\n" + "x.y." * 500 + "\n'''\nb = 2",
        'a = """\n' + "[" * 500 + '\\""" still \n"""\nb = "' + "9" * 500 + '"',
        "a = '''''two quotes'''''\nb = \"\"\"\"\"two quotes\"\"\"\"\"",
        "# " + "[" * 1000 + "\n" + "k" * 3000 + " = 1",
        ".".join("k" * 60) + " = [[[[1]]]]",
        'a = "tab\\t line\\n return\\r é \\u2028"',
        "a = 9223372036854775807\nb = -9223372036854775808\nc = 1e308",
    ],
)
def test_strings_and_comments_hold_anything(text: str) -> None:
    assert parse_toml(text, None) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text", ['"""', "'''", '"', "a.", "a ", "-", "1.", '\\"""', '"\\', "x\n", "'", "[a]\n"]
)
def test_time_grows_with_the_text_alone(text: str) -> None:
    began = time.perf_counter()
    with contextlib.suppress(InputError):
        parse_toml(text * (200_000 // len(text)), None)
    assert time.perf_counter() - began < LONGEST_S


def test_settings_have_the_same_bounds() -> None:
    for setting in (".".join("k" * 9_000) + "=1", "a=" + "9" * 9_000, "a=" + "[" * 9_000):
        with pytest.raises(InputError, match="--set"):
            apply_settings({}, [setting])
    assert apply_settings({}, ["a.b=bare word"]) == {"a": {"b": "bare word"}}


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    for path in (Path("/dev/zero"), pipe, tmp_path, tmp_path / "absent", tmp_path / "a\0b"):
        began = time.perf_counter()
        with pytest.raises(InputError, match="cannot be read"):
            read_events(path)
        assert time.perf_counter() - began < LONGEST_S


# ---- catalogue entries of one's own

ENTRY = """
title = "mine"
tdp_w = { value = 700, source = "a", confidence = "estimated" }
[sources.a]
title = "A"
"""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (ENTRY.replace("700", "nan"), "finite"),
        (ENTRY.replace("700", "[1, inf]"), "finite"),
        (ENTRY.replace('"mine"', "[1]"), "title"),
        (ENTRY + "url = 3", "sources.a.url"),
        (ENTRY + "doi = [1]", "sources.a.doi"),
        (ENTRY + "note = { a = 1 }", "sources.a.note"),
        (ENTRY.replace('"estimated"', "[]"), "confidence"),
        (ENTRY.replace('source = "a"', "source = [1]"), "source"),
        (ENTRY.replace("[sources.a]", "[[sources]]"), "sources"),
        ("x = " + "[" * 5_000, "deeper"),
        ("x = " + "9" * 5_000, "digits"),
        ("\0", "TOML"),
    ],
)
def test_an_entry_of_ones_own_is_refused_in_words(text: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "accelerator").mkdir()
    (tmp_path / "accelerator" / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=word) as refused:
        read("accelerator", "mine", (tmp_path,))
    assert "mine.toml" in str(refused.value)


def test_an_edited_entry_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "accelerator" / "mine.toml"
    path.parent.mkdir()
    path.write_text(ENTRY)
    stamp = path.stat()
    assert read("accelerator", "mine", (tmp_path,)).values["tdp_w"] == 700
    path.write_text(ENTRY.replace("700", "800"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # same size, same time
    assert read("accelerator", "mine", (tmp_path,)).values["tdp_w"] == 800
