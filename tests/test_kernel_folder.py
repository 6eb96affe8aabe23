"""Compiled kernels are read from a folder of this user's alone, or from a new one that nobody can guess."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from aidc import kernel_folder
from aidc.kernel_folder import private_folder


@pytest.fixture(autouse=True)
def _fresh(monkeypatch) -> None:
    monkeypatch.setattr(kernel_folder, "_told", set())


def test_a_folder_of_ones_own_is_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = private_folder("k")
    assert made == str(tmp_path / "cache" / "aidc" / "k") == private_folder("k")
    assert Path(made).stat().st_mode & 0o777 == 0o700
    assert Path(made).parent.stat().st_mode & 0o777 == 0o700


def test_an_open_folder_above_is_closed_and_its_kernels_are_not_trusted(
    tmp_path, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "aidc" / "k"
    folder.mkdir(parents=True)
    (tmp_path / "aidc").chmod(0o777)
    assert private_folder("k") == str(folder)
    assert (tmp_path / "aidc").stat().st_mode & 0o022 == 0
    folder.chmod(0o777)
    (folder / "planted.nbi").write_bytes(b"")
    for _ in range(2):  # nor in the next process
        assert list(Path(private_folder("k")).iterdir()) == []
    assert "not this user's alone" in caplog.text


def spoil_link(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    other = folder.parent / "elsewhere"
    other.mkdir()
    folder.symlink_to(other)


def spoil_file(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("")


@pytest.mark.parametrize("spoil", [spoil_link, spoil_file])
def test_what_is_no_folder_of_ones_own_gives_one_that_cannot_be_guessed(spoil, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    spoil(tmp_path / "aidc" / "k")
    first, second = private_folder("k"), private_folder("k")
    assert first != second
    for made in map(Path, (first, second)):
        assert made.parent == Path(tempfile.gettempdir())
        assert made.stat().st_mode & 0o777 == 0o700
        assert made.stat().st_uid == os.geteuid()


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "aidc" / "k").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert not private_folder("k").startswith(str(tmp_path / "aidc"))


def test_without_a_home_nothing_is_left_behind(tmp_path) -> None:
    """In a process of its own: its folder goes when it ends."""
    code = "from aidc.kernel_folder import private_folder; print(private_folder('k'))"
    outcome = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": "/proc/nowhere", "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    made = Path(outcome.stdout.strip())
    assert made.parent == tmp_path
    assert not made.exists()
    assert "XDG_CACHE_HOME" in outcome.stderr
