"""Spoilt site files and inputs: a refusal in words or finite figures; no traceback, no hang, no NaN."""

from __future__ import annotations

import contextlib
import io
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mangle import WHOLE, damaged_documents, damaged_texts, document, stretched_documents

from aidc.cli import main
from aidc.errors import AidcError, InputError
from aidc.site import load
from aidc.study.site_run.run import run
from toml_tree import toml

FOLDER = Path(tempfile.mkdtemp(prefix="aidc-site-fuzz-"))
LONGEST_S = 20.0  # for one site of five minutes, on a busy machine

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

FIXED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)


(FOLDER / "whole.toml").write_text(WHOLE)
WHOLE_RESOLVED = load(FOLDER / "whole.toml").model_dump(mode="json", by_alias=True, exclude_none=True)


def finite(value) -> bool:
    if isinstance(value, dict):
        return all(finite(item) for item in value.values())
    if isinstance(value, list):
        return all(finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def loaded(raw: bytes):
    """The site, or None where it is refused as it should be."""
    path = FOLDER / "site.toml"
    path.write_bytes(raw)
    began = time.perf_counter()
    try:
        return load(path)
    except InputError as error:
        told = error.problems
    finally:
        assert time.perf_counter() - began < LONGEST_S
    assert told
    for problem in told:
        assert problem.what, problem
        assert problem.remedy, problem
        assert Path(str(problem.file)).suffix == ".toml", problem
        assert problem.key is not None or "TOML" in str(problem) or "UTF-8" in str(problem), problem
    return None


def refused(error: AidcError, folder: Path) -> None:
    """A refusal says what, where and what to do, and leaves nothing behind."""
    assert str(error)
    assert not list(folder.iterdir())
    if isinstance(error, InputError):
        assert all(problem.what and problem.remedy and problem.file for problem in error.problems)


def ran(site) -> None:
    """At most five minutes of a site: refused in words, or whole and finite books."""
    short = site.scenario.model_copy(update={"days": min(site.scenario.days, 300 / 86_400)})
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        began = time.perf_counter()
        try:
            made = run(site.model_copy(update={"scenario": short}), out=Path(folder) / "run")
        except AidcError as error:
            refused(error, Path(folder))
            return
        assert time.perf_counter() - began < LONGEST_S
        summary = json.loads((made.folder / "summary.json").read_text(), parse_constant=pytest.fail)
        assert finite(summary)
        for frame in (made.series, made.pods):
            for column in frame.columns:
                if frame[column].dtype.is_float():
                    assert frame[column].is_finite().all(), column
        for books in ("energy_mwh", "heat_mwh"):
            residual = summary[books]
            assert residual["closure_residual_frac"] <= 1e-9 or abs(residual["closure_residual"]) < 1e-9


def test_the_whole_site_runs_as_it_stands() -> None:
    site = loaded(WHOLE.encode())
    assert site is not None
    ran(site)


@settings(FIXED, max_examples=400)
@given(damaged_documents())
def test_a_spoilt_document_is_refused_in_words_or_loads(tables) -> None:
    loaded(toml(tables).encode())


@settings(FIXED, max_examples=200)
@given(damaged_texts())
def test_a_spoilt_file_is_refused_in_words_or_loads(raw) -> None:
    loaded(raw)


@settings(FIXED, max_examples=40)
@given(damaged_documents(most=1).map(toml).map(str.encode).map(loaded).filter(bool))
def test_a_site_that_loads_runs_to_finite_figures(site) -> None:
    ran(site)


@settings(FIXED, max_examples=50)
@given(stretched_documents(WHOLE_RESOLVED))
def test_figures_far_from_usual_are_refused_or_give_finite_figures(tables) -> None:
    site = loaded(toml(tables).encode())
    if site is not None:
        ran(site)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda site: site.clear(), ["site: is missing", "Add site"]),
        (lambda site: site["pods"]["llm"].update(racks="four"), ["pods.llm.racks", "whole number", "'four'"]),
        (lambda site: site["pods"]["llm"].update(racks=-4), ["pods.llm.racks", "-4", "range"]),
        (lambda site: site["pods"]["llm"].pop("chain"), ["pods.llm.chain: is missing", "Add chain"]),
        (lambda site: site["pods"]["llm"].update(chain="cd"), ["pods.llm.chain", "'cd'", "[chains]"]),
        (lambda site: site["pods"]["llm"].update(use="gb200"), ["pods.llm.use", "Did you mean 'gb200-nvl72'"]),
        (lambda site: site["pods"]["llm"].update(use="../x"), ["pods.llm.use", "'../x'"]),
        (lambda site: site["storage"]["yard"].pop("use"), ["storage.yard.use: is missing", "aidc catalogue storage"]),
        (lambda site: site["grid"].update(import_limit_mw=1e308), ["grid.import_limit_mw", "1e+308"]),
        (lambda site: site["grid"].update(voltage_kv=float("nan")), ["grid.voltage_kv", "finite", "nan"]),
        (lambda site: site["scenario"].update(start="noon"), ["scenario.start", "date and time", "'noon'"]),
        (lambda site: site["scenario"].update(step_s=1e-9), ["scenario.step_s", "1e-09"]),
        (lambda site: site["scenario"].update(days=3650, step_s=0.01), ["scenario.step_s", "steps of the run"]),
        (lambda site: site["scenario"]["events"][1].update(limt=3), ["scenario.events[1].limt", "'limit_mw'"]),
        (
            lambda site: site["services"]["chat"]["demand"].update(scale_to_peak_output_tokens_per_s=1),
            ["services.chat.demand.scale_to_peak_output_tokens_per_s", "Did you mean 'peak_output_tokens_per_s'"],
        ),
        (lambda site: site["cooling"]["hall"]["crah"].update(fan_kw=1e9), ["cooling.hall.crah", "fan_kw", "units"]),
        (lambda site: site["services"]["chat"].update(pods=["llm", "llm"]), ["pods.llm", "2 workloads"]),
    ],
)  # fmt: skip
def test_a_refusal_names_the_key_the_value_and_the_remedy(change, words) -> None:
    tables = document()
    change(tables)
    path = FOLDER / "one.toml"
    path.write_text(toml(tables))
    with pytest.raises(InputError) as refused:
        load(path)
    assert str(path) in str(refused.value)
    for word in words:
        assert word in str(refused.value)


def test_several_problems_are_told_at_once() -> None:
    tables = document()
    tables["pods"]["llm"]["racks"] = -1
    tables["grid"]["import_limit_mw"] = "lots"
    tables["scenario"]["dayz"] = 3
    (FOLDER / "three.toml").write_text(toml(tables))
    with pytest.raises(InputError) as refused:
        load(FOLDER / "three.toml")
    assert {problem.key for problem in refused.value.problems} == {
        "pods.llm.racks",
        "grid.import_limit_mw",
        "scenario.dayz",
    }


# ---- the files that a site names, through the command line ----

START = "2025-07-07T"
INPUTS = {
    "trace.csv": "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    + "\n".join(f"2023-11-16 18:{m:02d}:46.68,{m * 7 + 1},{m * 3 + 1}" for m in range(12)),
    "weather.csv": "time_utc,temp_air_c,relative_humidity_percent,wind_m_s\n"
    + "\n".join(f"{START}{h:02d}:00:00Z,{20 + h},60,3" for h in range(9)),
    "prices.csv": "time_utc,price_usd_per_mwh\n"
    + "\n".join(f"{START}{h:02d}:00:00Z,{40 + h}" for h in range(9)),
    "carbon.csv": "time_utc,direct_gco2_per_kwh\n"
    + "\n".join(f"{START}{h:02d}:00:00Z,{400 + h}" for h in range(9)),
    "power.csv": "t_s,a_w\n" + "\n".join(f"{k * 15},{k * 10000}" for k in range(12)),
}


def on_files() -> str:
    """A small site that reads all of its inputs from files."""
    tables = document()
    for section in ("renewables", "storage", "jobs", "gensets", "control"):
        del tables[section]
    tables["services"] = {"chat": tables["services"]["chat"]}
    tables["services"]["chat"]["demand"] = {
        "kind": "trace",
        "format": "azure",
        "file": "trace.csv",
        "scale": 1e3,
    }
    tables["replays"] = {
        "old": {"pods": ["lab"], "demand": {"kind": "power-replay", "file": "power.csv", "columns": "a_w"}}
    }
    scenario = tables["scenario"]
    scenario["weather"] = {"use": "csv", "file": "weather.csv"}
    scenario["prices"] = {"file": "prices.csv"}
    scenario["carbon"] = {"use": "csv", "file": "carbon.csv"}
    del scenario["events"]
    return toml(tables)


def write_inputs(folder: Path, **changed: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in INPUTS.items():
        (folder / name).write_bytes(changed.get(name.partition(".")[0], text.encode()))
    (folder / "site.toml").write_text(on_files())
    return folder / "site.toml"


def called(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `aidc …`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0), out.getvalue(), err.getvalue()


def test_the_site_on_files_runs() -> None:
    site = write_inputs(FOLDER / "files")
    with tempfile.TemporaryDirectory() as out:
        code, shown, told = called("run", str(site), "--out", f"{out}/run", "--json")
    assert code == 0, told
    assert json.loads(shown)["tokens"]["output"] > 0


@pytest.mark.parametrize("name", [name.partition(".")[0] for name in INPUTS])
@settings(FIXED, max_examples=12)
@given(data=st.data())
def test_spoilt_inputs_are_refused_or_mended(name, data) -> None:
    text = next(text for file, text in INPUTS.items() if file.startswith(name))
    site = write_inputs(FOLDER / "files", **{name: data.draw(damaged_texts(text))})
    with tempfile.TemporaryDirectory() as out:
        code, shown, told = called("run", str(site), "--out", f"{out}/run", "--json")
        left = [path.name for path in Path(out).iterdir()]
    assert "Traceback" not in told
    if code:
        assert code == 2, told
        assert f"{name}." in told
        assert not left
    else:
        assert finite(json.loads(shown, parse_constant=pytest.fail))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("site.toml", b"\xff\xfe"),
        ("site.toml", b""),
        ("trace.csv", b""),
        ("weather.csv", b"time_utc,temp_air_c\nyesterday,nan\n"),
        ("prices.csv", b"time_utc,price_usd_per_mwh\n2025-07-07T00:00:00Z,1e999\n"),
    ],
)
def test_the_real_command_line_leaves_with_2_and_no_traceback(name, raw, tmp_path) -> None:
    site = write_inputs(tmp_path / "files")
    (site.parent / name).write_bytes(raw)
    command = [sys.executable, "-m", "aidc.cli", "run", str(site), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert name in done.stderr
    assert not (tmp_path / "run").exists()
