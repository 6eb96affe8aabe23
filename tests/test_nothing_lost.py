"""A killed run, a full disk, a read-only folder and a taken name lose nothing."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aidc.errors import InputError, OutputError
from aidc.record.run import read_run
from aidc.record.writer import RunWriter, free_folder
from aidc.site import load
from aidc.study.site_run.run import run

CAMPUS = Path(__file__).parents[1] / "examples" / "campus-100mw" / "site.toml"
STARTER = Path(__file__).parents[1] / "src" / "aidc" / "site" / "starter.toml"
SHORT = ["scenario.days=0.01"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def aidc(*arguments, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aidc.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, **options)


@pytest.fixture(scope="module")
def site():
    return load(STARTER, SHORT)


@pytest.fixture
def killed(tmp_path) -> Path:
    """What a run leaves that is killed while it writes its series."""
    command = [sys.executable, "-m", "aidc.cli", "run", CAMPUS, "--out", tmp_path / "long", "--days", "365"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        for _ in range(1200):
            if list(tmp_path.glob(".long.partial-*/series.parquet")):
                break
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
    (left,) = tmp_path.glob(".long.partial-*")
    return left


def test_a_killed_run_is_recognised_named_and_swept_by_the_next(killed, site, caplog) -> None:
    folder = killed.parent
    assert (killed / "series.parquet").exists()
    assert not (folder / "long").exists()
    made = run(site, out=folder / "next")
    assert not killed.exists()
    assert str(killed) in caplog.text
    assert [path.name for path in folder.iterdir()] == ["next"]
    assert read_run(made.folder).summary == made.summary


def test_a_run_that_is_still_alive_is_left_alone(site, tmp_path, caplog) -> None:
    with RunWriter(tmp_path / "slow") as other:
        other.text("note", "half a run")
        run(site, out=tmp_path / "quick")
        assert (other.folder / "note").read_text() == "half a run"
        assert other.finish() == tmp_path / "slow"
    assert not caplog.text
    assert [path.name for path in (tmp_path / "slow").iterdir()] == ["note"]


def test_a_folder_of_that_pattern_which_no_run_made_is_left_alone(site, tmp_path) -> None:
    (tmp_path / ".mine.partial-1").mkdir()
    run(site, out=tmp_path / "made")
    assert (tmp_path / ".mine.partial-1").is_dir()


def test_a_name_taken_while_a_run_went_on_costs_neither_run(tmp_path, caplog) -> None:
    with RunWriter(tmp_path / "a") as late:
        late.text("summary.json", "late")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "summary.json").write_text("early")
        place = late.finish()
    assert place == tmp_path / "a-1"
    assert str(place) in caplog.text
    assert (place / "summary.json").read_text() == "late"
    assert (tmp_path / "a" / "summary.json").read_text() == "early"


def test_an_existing_folder_is_refused_before_any_work(site, tmp_path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "notes.txt").write_text("mine")
    began = time.perf_counter()
    with pytest.raises(OutputError, match="exists already"):
        run(site, out=tmp_path / "kept")
    assert time.perf_counter() - began < 1.0
    assert contents(tmp_path / "kept") == {"notes.txt": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert free_folder(tmp_path, "kept") == tmp_path / "kept-1"


def test_a_file_where_the_parent_should_be_is_refused(site, tmp_path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="could not be written"):
        run(site, out=tmp_path / "file" / "run")
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.fixture
def tiny(tmp_path):
    """A disk of 96 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_and_leaves_what_was_there(tiny) -> None:
    (tiny / "old").mkdir()
    (tiny / "old" / "summary.json").write_text("{}")
    done = aidc("run", CAMPUS, "--out", tiny / "new", "--days", "1")
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr
    assert "--out" in done.stderr
    assert [path.name for path in tiny.iterdir()] == ["old"]
    assert (tiny / "old" / "summary.json").read_text() == "{}"


def _no_file_above_64_kib() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


def test_a_file_that_may_not_grow_is_told_too(tmp_path) -> None:
    """The same without the right to mount: the kernel refuses to write on (EFBIG)."""
    done = aidc(
        "run", STARTER, "--out", tmp_path / "new", "--days", "0.2",
        preexec_fn=_no_file_above_64_kib,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "could not be written" in done.stderr
    assert not [path for path in tmp_path.iterdir() if path.name.endswith("new") or ".new." in path.name]


@pytest.mark.parametrize("fails", ["series", "run.json", "report"])
def test_a_disk_that_fills_up_at_any_moment(fails, site, tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    finish = None
    if fails == "series":
        monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
        monkeypatch.setattr(pq.ParquetWriter, "close", full)
    elif fails == "run.json":
        monkeypatch.setattr(Path, "write_text", full)
    else:
        finish = full
    with pytest.raises(OutputError, match="No space left"):
        run(site, out=tmp_path / "new", finish=finish)
    assert not list(tmp_path.iterdir())


def test_a_read_only_folder_is_told(site, tmp_path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    if os.geteuid():
        tmp_path.chmod(0o555)
    else:  # root may write anywhere
        monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(OutputError, match=r"Permission denied.*--out"):
        run(site, out=tmp_path / "new")
    tmp_path.chmod(0o755)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("series.parquet", b"PAR1"),
        ("pods.parquet", b""),
        ("run.json", b"{"),
        ("run.json", b"[]"),
        ("summary.json", b"\xff"),
        ("events.parquet", None),
    ],
)
def test_a_damaged_run_folder_is_refused_in_words(name, content, site, tmp_path) -> None:
    made = run(site, out=tmp_path / "made").folder
    if content is None:
        (made / name).unlink()
    else:
        (made / name).write_bytes(content)
    with pytest.raises(InputError, match=str(made)):
        read_run(made)


def test_a_lock_is_not_part_of_a_finished_run(site, tmp_path) -> None:
    made = run(site, out=tmp_path / "made").folder
    assert not [name for name in contents(made) if name.startswith(".")]
    assert json.loads((made / "summary.json").read_text())["window"]["steps"] > 0
