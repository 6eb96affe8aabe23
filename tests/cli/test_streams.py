"""Readers that go, disks that are full, terminals that speak ASCII, signals: told in words, with the right code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aidc.cli import main
from aidc.cli.streams import EndedError, ending_signals

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"
ENTRY = """
title = "[/b] [link=javascript:alert(1)]all[/link] :boom: [g/kWh] é³"
tdp_w = { value = 700, source = "a", confidence = "estimated", note = "[/x]" }
[sources.a]
title = "A [/red]"
url = "javascript:alert(1)"
"""


def called(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `aidc …`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0), out.getvalue(), err.getvalue()


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    text = line.replace("aidc ", f"{sys.executable} -m aidc.cli ")
    return subprocess.run(
        ["bash", "-c", text],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )


def test_a_reader_that_has_gone_changes_no_exit_code(tmp_path) -> None:
    for command, code in (("codes", 0), ("catalogue", 0), (f"validate {tmp_path} --only server-power", 3)):
        done = shell(f"aidc {command} | true; exit ${{PIPESTATUS[0]}}")
        assert done.returncode == code, (command, done.stderr)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_full_disk_behind_the_output_is_told() -> None:
    done = shell("aidc catalogue > /dev/full")
    assert done.returncode == 5
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_closed_streams_are_no_failure() -> None:
    done = shell("aidc catalogue >&- 2>&-")
    assert done.returncode == 0
    assert shell("aidc run absent.toml 2>&-").returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_letters_is_no_failure(encoding, tmp_path) -> None:
    (tmp_path / "catalogue" / "accelerator").mkdir(parents=True)
    (tmp_path / "catalogue" / "accelerator" / "mine.toml").write_text(ENTRY)
    line = f"cd {tmp_path} && aidc catalogue accelerator mine && aidc catalogue accelerator mine --json"
    done = shell(line, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout[done.stdout.index("\n{") :])
    assert document["title"].endswith("é³")


def test_text_of_others_is_never_markup(tmp_path, monkeypatch) -> None:
    (tmp_path / "catalogue" / "accelerator").mkdir(parents=True)
    (tmp_path / "catalogue" / "accelerator" / "mine.toml").write_text(ENTRY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    code, shown, _ = called("catalogue", "accelerator", "mine")
    assert code == 0
    for text in ("[/b]", "[link=javascript:alert(1)]", ":boom:", "[g/kWh]", "[/x]", "A [/red]"):
        assert text in shown, text
    assert called("catalogue", "accelerator")[0] == 0
    code, shown, told = called("new", "fresh [/b]")
    assert (code, told) == (0, "")
    assert "fresh [/b]/site.toml" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", str(STARTER), "--duration", "-5", "--step", "nan"],
        ["check", str(STARTER), "--duration", "nan"],
        ["transient", str(STARTER), "--seed", "-1"],
        ["transient", str(STARTER), "--at", "0001-01-01T00:00:00+14:00"],
        ["transient", str(STARTER), "--seed", "9" * 5000],
        ["transient", str(STARTER), "--seed", "9" * 50],
        ["run", str(STARTER), "--days", "nan"],
        ["run", str(STARTER), "--step", "x"],
        ["run"],
        ["nonsense"],
        ["run", str(STARTER), "--set", "a" * 100_000],
        ["compare", "a\udcff", "b\x1b[2J"],
    ],
)
def test_what_cannot_be_asked_for_is_bad_input(arguments) -> None:
    code, shown, told = called(*arguments)
    assert (code, shown) == (2, "")
    assert told.startswith("aidc: ")
    assert "\x1b" not in told


def test_a_verdict_on_nothing_is_none(tmp_path) -> None:
    code, shown, _ = called("validate", str(tmp_path), "--only", "chains", "--only", "server-power")
    assert code == 3
    assert "No measured data" in shown


@pytest.fixture
def heeded():
    """Signals that a parent had ignored, as `nohup` and a shell's background do, are heeded here and by children."""
    before = {
        one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    }
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_raised_where_the_command_stands(number) -> None:
    def stand() -> None:
        with ending_signals():
            os.kill(os.getpid(), number)
            time.sleep(5)

    with pytest.raises(EndedError) as ended:
        stand()
    assert ended.value.number == number
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_run_in_words_and_leaves_nothing(number, tmp_path) -> None:
    out = tmp_path / "deep" / "er" / "long"
    command = [sys.executable, "-m", "aidc.cli", "run", str(STARTER), "--out", str(out), "--days", "3000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if list(tmp_path.glob("deep/er/.long.partial-*/series.parquet")):
                break
            time.sleep(0.1)
        process.send_signal(number)
        try:
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number, told
    assert "nothing was left" in told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())


# ---- names that would lose a finished run


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("dangling", "leads nowhere"),
        ("x" * 201, "longer than"),
        ("x" * 5000, "long"),
        ("not\udcff", "UTF-8"),
        ("bell\a", "control"),
        ("taken", "exists already"),
        ("file/run", "could not be written"),
        ("..", "names no folder"),
    ],
)
def test_a_name_that_cannot_be_is_told_before_the_run(name, word, tmp_path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(path.name for path in tmp_path.iterdir())
    began = time.perf_counter()
    code, _, told = called("run", str(STARTER), "--out", f"{tmp_path}/{name}", "--days", "3000")
    assert time.perf_counter() - began < 20
    assert code == 5, told
    assert word in told
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_only_a_report_is_replaced(tmp_path) -> None:
    from aidc.errors import OutputError
    from aidc.report.sheet import MARK, refuse_other, save

    ours = tmp_path / "report.html"
    save(f"<html>{MARK}</html>", ours)
    save(f"<html>{MARK} again</html>", ours)
    assert "again" in ours.read_text()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "link.html").symlink_to(ours)
    (tmp_path / "dangling.html").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    names = ["notes.txt", "link.html", "dangling.html", "folder", "pipe", "/dev/null", "x" * 300, "a\0b"]
    for name in names:
        with pytest.raises(OutputError):
            save("new", tmp_path / name)
        with pytest.raises(OutputError):
            refuse_other(tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert "again" in ours.read_text()
