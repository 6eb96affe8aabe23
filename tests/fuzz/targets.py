"""Every kind of file that a person writes, each with a way to make a spoilt one and the reader that must bear it.

A target is a function of a folder and a generator. It writes one spoilt input, reads it as the product does, and
returns whether it was taken; a refusal in words is an `AidcError` with every problem complete. No kernel is compiled:
sites are loaded, their scenario is read, and what a run would rest on is gathered.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import shutil
import struct
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from spoil import CELLS, NASTY, spoilt_bytes, spoilt_json, spoilt_tables, spoilt_text

import aidc.catalogue
from aidc.errors import AidcError, InputError
from toml_tree import at, places, toml

__all__ = ["TARGETS", "WEIGHTS"]

PACKAGE = Path(aidc.catalogue.__file__).parents[1]
SHELF = PACKAGE / "catalogue"
SITES = (
    PACKAGE / "site" / "starter.toml",
    *sorted(
        path
        for path in (Path(__file__).parents[2] / "examples").glob("*/*.toml")
        if path.parent.name != "modular-campus" or path.name == "site.toml"
    ),
)
ENTRY_KINDS = (
    "accelerator", "carbon", "cdu", "chain", "cold-plate", "crah", "demand", "front-end", "genset", "heat-rejection", "llm",
    "module", "powercap", "rack", "renewable", "ripple", "storage", "tariff", "training", "weather",
)  # fmt: skip
START = "2025-07-07T"


# ---- what is true of everything that was read


def finite(node, seen: int = 0) -> None:
    """No number below a node is NaN or infinite."""
    if isinstance(node, dict):
        for item in node.values():
            finite(item, seen + 1)
    elif isinstance(node, (list, tuple)):
        for item in node:
            finite(item, seen + 1)
    elif isinstance(node, np.ndarray):
        assert np.isfinite(node).all()
    elif isinstance(node, float):
        assert math.isfinite(node)


def refused_in_words(error: AidcError) -> None:
    """What, and what to do, of every problem; short enough to be read."""
    text = str(error)
    assert text.strip()
    assert len(text) < 200_000
    if isinstance(error, InputError):
        assert error.problems
        for problem in error.problems:
            assert problem.what, problem
            assert problem.remedy, problem


# ---- sites


@cache
def _site(number: int) -> dict:
    return tomllib.loads(SITES[number].read_text())


def site(folder: Path, draw: Random) -> None:
    """A site file with values, keys, tables or letters spoilt."""
    tables = _site(draw.randrange(len(SITES)))
    path = folder / "site.toml"
    if draw.random() < 0.8:
        path.write_bytes(toml(spoilt_tables(tables, draw)).encode("utf-8", "replace"))
    else:
        path.write_bytes(spoilt_text(SITES[draw.randrange(len(SITES))].read_text(), draw))
    _read_site(path)


def setting(_: Path, draw: Random) -> None:
    """`--set` with keys and values of all sorts."""
    tables = _site(0)
    key = ".".join(str(part) for part in draw.choice(list(places(tables))))
    if draw.random() < 0.2:
        key = draw.choice(
            ["", ".", "a", "a..b", "pods", "pods.*", "=", "k." * 500, "\0", key + ".x", " " + key]
        )
    value = draw.choice(CELLS) if draw.random() < 0.4 else toml({"a": draw.choice(NASTY)})[6:].strip()
    _read_site(SITES[0], [f"{key}={value}" if draw.random() < 0.95 else key])


def _read_site(path: Path, settings=()) -> None:
    from aidc.clock import Clock, as_fraction, as_utc
    from aidc.site import load, site_toml
    from aidc.study.site_run.carried import carried

    found = load(path, settings)
    finite(found.model_dump(mode="json"))
    tomllib.loads(site_toml(found))
    carried(found, None)
    plan = found.scenario
    days = min(plan.days, 0.05)
    step = as_fraction(plan.step_s)
    steps = int(as_fraction(round(days * 86_400)) / step)
    if 0 < steps <= 10_000:
        _inputs(found, Clock(as_utc(plan.start), step, steps))


def _inputs(found, clock) -> None:
    """Every series that a run would read."""
    from aidc.scenario.demand import load_demand, load_replay
    from aidc.scenario.market import load_carbon, load_prices
    from aidc.scenario.weather import load_weather
    from aidc.schema.demand import PowerReplay

    plan, facts = found.scenario, found.site.location
    span = {"start": clock.start, "end": clock.end}
    if (
        getattr(plan.weather, "shipped", None) is None
    ):  # the shipped years are not spoilt, and take long to read
        weather = load_weather(plan.weather, **span, base_dir=found.folder, elevation_m=facts.elevation_m)
        finite(weather.dry_bulb_k.values)
        finite(weather.wet_bulb_k.values)
    prices = load_prices(plan.tariff, plan.prices, **span, timezone=facts.timezone, base_dir=found.folder)
    finite(prices.energy_usd_per_mwh.values)
    if plan.carbon:
        load_carbon(plan.carbon, **span, base_dir=found.folder)
    for service in found.services.values():
        demand = load_demand(
            service.demand,
            clock_start=clock.start,
            days=float(clock.duration_s) / 86_400,
            timezone=facts.timezone,
            rng=np.random.default_rng(1),
            base_dir=found.folder,
        )
        finite(demand.output_tokens_per_s.values)
    for replay in found.replays.values():
        if isinstance(replay.demand, PowerReplay):
            laid = load_replay(
                replay.demand, pods=replay.pods, clock_start=clock.start, base_dir=found.folder
            )
            for series in laid.values():
                finite(series.values)


# ---- entries of one's own


@cache
def _entries(kind: str) -> list[Path]:
    return sorted((SHELF / kind).glob("*.toml"))


USES = {
    "rack": ("pods", "llm"), "chain": ("chains", "dc"), "storage": ("storage", "yard"), "renewable": ("renewables", "roof"),
    "heat-rejection": ("cooling", "hall"), "llm": ("services", "chat"), "demand": ("services", "chat", "demand"),
    "weather": ("scenario", "weather"), "tariff": ("scenario", "tariff"), "carbon": ("scenario", "carbon"),
}  # fmt: skip


def entry(folder: Path, draw: Random) -> None:
    """A catalogue entry of the user's own, read, shown, and used by a site."""
    from aidc.catalogue import read
    from aidc.site import load

    kind = draw.choice(ENTRY_KINDS)
    shipped = draw.choice(_entries(kind))
    name = draw.choice([shipped.stem, "mine"])
    path = folder / "catalogue" / kind / f"{name}.toml"
    path.parent.mkdir(parents=True)
    if draw.random() < 0.8:
        path.write_bytes(
            toml(spoilt_tables(tomllib.loads(shipped.read_text()), draw)).encode("utf-8", "replace")
        )
    else:
        path.write_bytes(spoilt_text(shipped.read_text(), draw))
    tables = json.loads(json.dumps(_site(0), default=str))
    tables["gensets"] = {"standby": {"use": _entries("genset")[0].stem, "power_mw": 1}}
    if kind in USES:
        at(tables, USES[kind])["use"] = name
    elif kind in ("cdu", "crah"):
        tables["cooling"]["warm"][kind] = name
    elif kind == "genset":
        tables["gensets"]["standby"]["use"] = name
    elif kind == "front-end":
        tables["chains"]["dc"]["front"] = name
    (folder / "site.toml").write_text(toml(tables))
    refused = None
    try:
        found = read(kind, name, (folder / "catalogue",))
        _shown_entry(found)
    except AidcError as error:
        refused = error
    site = load(folder / "site.toml")
    finite(site.model_dump(mode="json"))
    if refused is not None:
        raise refused


def _shown_entry(found) -> None:
    from aidc.cli.shelves import _document, _figures

    json.dumps(_document(found), default=str)
    _printed(_figures(found))


def _printed(table) -> None:
    from aidc.cli.screen import screen

    with contextlib.redirect_stdout(io.StringIO()):
        screen().print(table)


# ---- rule sets


def rules(folder: Path, draw: Random) -> None:
    """A rule set of the user's own, perhaps including others, read and shown."""
    from aidc.cli.codes import _clauses, _document
    from aidc.study.grid_check.codes import read_code

    shipped = draw.choice(_entries("code"))
    search = (folder,)
    for name in ("mine", "other") if draw.random() < 0.2 else ("mine",):
        path = folder / "code" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        tables = tomllib.loads(shipped.read_text())
        if draw.random() < 0.2:
            tables["include"] = draw.choice([["other"], ["mine"], ["other", "other"], [shipped.stem], 3, [3]])
        if draw.random() < 0.85:
            path.write_bytes(toml(spoilt_tables(tables, draw)).encode("utf-8", "replace"))
        else:
            path.write_bytes(spoilt_text(shipped.read_text(), draw))
    found = read_code("mine", search)
    finite(found.model_dump(mode="json"))
    json.dumps(_document("mine", found, search), default=str)
    _printed(_clauses("mine", found))


# ---- tables that a site names

TABLES = {
    "trace.csv": "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    + "\n".join(f"2023-11-16 18:{m:02d}:46.68,{m * 7 + 1},{m * 3 + 1}" for m in range(12)),
    "mooncake.jsonl": "\n".join(
        json.dumps({"timestamp": 500 * k, "input_length": 10 * k + 1, "output_length": 7}) for k in range(12)
    ),
    "weather.csv": "time_utc,temp_air_c,relative_humidity_percent,wind_m_s\n"
    + "\n".join(f"{START}{h:02d}:00:00Z,{20 + h},60,3" for h in range(9)),
    "prices.csv": "time_utc,price_usd_per_mwh\n"
    + "\n".join(f"{START}{h:02d}:00:00Z,{40 + h}" for h in range(9)),
    "carbon.csv": "time_utc,direct_gco2_per_kwh\n"
    + "\n".join(f"{START}{h:02d}:00:00Z,{400 + h}" for h in range(9)),
    "power.csv": "t_s,a_w\n" + "\n".join(f"{k * 15},{k * 10000}" for k in range(12)),
    "rate.csv": "t_s,rate_req_per_s\n" + "\n".join(f"{k * 60},{k % 5}" for k in range(30)),
}  # fmt: skip


def table(folder: Path, draw: Random) -> None:
    """A table of prices, weather, carbon, requests or power, in a site that reads it."""
    name = draw.choice(sorted(TABLES))
    raw = spoilt_text(TABLES[name], draw)
    (folder / name).write_bytes(raw)
    tables = json.loads(json.dumps(_site(0), default=str))
    scenario, chat = tables["scenario"], tables["services"]["chat"]
    scenario["start"] = "2025-07-07T06:00:00Z"
    scenario["days"] = 0.01
    scenario["weather"] = {"use": "constant", "dry_bulb_c": 20, "relative_humidity_percent": 50}
    if name == "trace.csv":
        chat["demand"] = {"kind": "trace", "format": "azure", "file": name, "scale": 1e3}
    elif name == "mooncake.jsonl":
        chat["demand"] = {"kind": "trace", "format": "mooncake", "file": name}
    elif name == "rate.csv":
        chat["demand"] = {"kind": "rate", "file": name, "input_tokens": 100, "output_tokens": 50}
    elif name == "weather.csv":
        scenario["weather"] = {"use": "csv", "file": name}
    elif name == "prices.csv":
        scenario["prices"] = {"file": name}
        del scenario["tariff"]
    elif name == "carbon.csv":
        scenario["carbon"] = {"use": "csv", "file": name}
    else:
        del tables["jobs"]
        tables["replays"] = {"old": {"pods": ["train"], "demand": {"kind": "power-replay", "file": name}}}
    (folder / "site.toml").write_text(toml(tables))
    _read_site(folder / "site.toml")


# ---- recordings


@cache
def _samples() -> np.ndarray:
    turn = 2 * np.pi * 60 * np.arange(320) / 960
    shifts = (0, -2 * np.pi / 3, 2 * np.pi / 3)
    return np.stack([a * np.sin(turn + s) for a in (100.0, 5.0) for s in shifts])


def _recording_csv() -> str:
    rows = [f"{k / 100:.2f},{2 + 0.1 * math.sin(k):.6f},{60 + 0.01 * math.cos(k):.5f}" for k in range(60)]
    return "time_s,p_mw,frequency_hz\n" + "\n".join(rows)


def _phases_csv() -> str:
    data = _samples()
    rows = [",".join([f"{k / 960:.6f}", *(f"{v:.4f}" for v in data[:, k])]) for k in range(data.shape[1])]
    return "time_s,va,vb,vc,ia,ib,ic\n" + "\n".join(rows)


def _comtrade(form: str) -> tuple[str, bytes]:
    data = np.round(_samples() * 100)
    names = ("VA", "VB", "VC", "IA", "IB", "IC")
    lines = ["Station,Recorder,1999", "7,6A,1D"]
    lines += [
        f"{n},{name},{name[1]},,{'V' if name[0] == 'V' else 'A'},0.01,0,0,-32767,32767,1,1,P"
        for n, name in enumerate(names, 1)
    ]
    lines += ["1,D1,,,0", "60", "1", f"960,{data.shape[1]}"]
    lines += ["01/02/2026,10:00:00.000000", "01/02/2026,10:00:00.100000", form, "1"]
    rows = []
    for k in range(data.shape[1]):
        stamp = round(k / 960 * 1e6)
        values = [int(v) for v in data[:, k]]
        if form == "ASCII":
            rows.append(",".join(map(str, [k + 1, stamp, *values, 0])).encode() + b"\r\n")
        else:
            rows.append(struct.pack("<II6hH", k + 1, stamp, *values, 0))
    return "\r\n".join(lines) + "\r\n", b"".join(rows)


SIDECAR = {
    "title": "a recording", "file": "r.csv", "location": "poi", "time": "time_s", "nominal_hz": 60, "nominal_kv": 34.5,
    "channels": {"p_w": {"column": "p_mw", "scale": 1e6}, "frequency_hz": {"column": "frequency_hz"}},
}  # fmt: skip


def recording(folder: Path, draw: Random) -> None:
    """A recording: CSV, COMTRADE in two files or one, or a sidecar that names one."""
    from aidc.measure.grid.grid_faults import answered, found_faults
    from aidc.record.recording import read_recording
    from aidc.study.look import look

    how = draw.choice(["csv", "phases", "sidecar", "ascii", "binary", "cff"])
    if how in ("csv", "phases"):
        path = folder / "r.csv"
        path.write_bytes(spoilt_text(_recording_csv() if how == "csv" else _phases_csv(), draw))
    elif how == "sidecar":
        path = folder / "r.toml"
        path.write_bytes(toml(spoilt_tables(SIDECAR, draw)).encode("utf-8", "replace"))
        (folder / "r.csv").write_text(_recording_csv())
    else:
        cfg, dat = _comtrade("BINARY" if how == "binary" else "ASCII")
        head = cfg.encode()
        if draw.random() < 0.6:
            head = spoilt_text(cfg, draw)
        else:
            dat = spoilt_bytes(dat, draw) if how == "binary" else spoilt_text(dat.decode(), draw)
        if how == "cff":
            path = folder / "r.cff"
            whole = b"--- file type: CFG ---\r\n" + head + b"--- file type: DAT ASCII ---\r\n" + dat
            path.write_bytes(spoilt_bytes(whole, draw, odds=0.2))
        else:
            path = folder / "r.cfg"
            path.write_bytes(head)
            (folder / "r.dat").write_bytes(dat)
    found = read_recording(path, nominal_hz=60.0, nominal_kv=34.5)
    for channel in found.channels.values():
        finite(channel)
    for mark in answered(found, found_faults(found)):
        assert mark.start_s < mark.end_s
    look(path)


# ---- event files

EVENTS = {
    "title": "events", "duration_s": 10.0, "step_ms": 1.0,
    "events": [
        {"use": "sag", "start_s": 1.0, "duration_s": 0.15, "residual_pu": 0.2, "repeat": 2, "every_s": 3.0},
        {"use": "frequency-ramp", "start_s": 2.0, "change_hz": -0.5, "rocof_hz_per_s": 1.0},
        {"use": "job-start", "start_s": 3.0, "job": "finetune"},
    ],
}  # fmt: skip


def events(folder: Path, draw: Random) -> None:
    """An event file of the transient engine."""
    from aidc.scenario.disturbances import read_events

    path = folder / "events.toml"
    if draw.random() < 0.85:
        path.write_bytes(toml(spoilt_tables(EVENTS, draw)).encode("utf-8", "replace"))
    else:
        path.write_bytes(spoilt_text(toml(EVENTS), draw))
    finite(read_events(path).model_dump(mode="json"))


# ---- build plans

MODULAR = Path(__file__).parents[2] / "examples" / "modular-campus"


@cache
def _modular():
    """The example of a build: its site, the tables of its plan, and its network as a CSV."""
    from aidc.design.construction.network_csv import network_csv
    from aidc.design.construction.plan import load_plan
    from aidc.site import load

    made = load(MODULAR / "site.toml")
    plan = load_plan(made)
    return made, tomllib.loads((MODULAR / "build.toml").read_text()), network_csv(plan.tasks, plan.file.start)


def build_plan(folder: Path, draw: Random) -> None:
    """A build plan with values, keys, tables or letters spoilt, or with a spoilt network beside it."""
    from aidc.design.construction.draws import prepared
    from aidc.design.construction.plan import load_plan

    made, tables, network = _modular()
    path = folder / "build.toml"
    kind = draw.random()
    if kind < 0.15:
        _build_progress(folder, draw)
        return
    if kind < 0.3:
        (folder / "network.csv").write_bytes(spoilt_text(network, draw))
        path.write_bytes(toml({**tables, "network": "network.csv"}).encode())
    elif kind < 0.85:
        path.write_bytes(toml(spoilt_tables(tables, draw)).encode("utf-8", "replace"))
    else:
        path.write_bytes(spoilt_text((MODULAR / "build.toml").read_text(), draw))
    plan = load_plan(made, path)
    finite(plan.file.model_dump(mode="json"))
    net = prepared(plan.tasks, plan.tables, plan.file.crews, plan.file.correlation, plan.file.policy).net
    for array in (net.least, net.span, net.shares, net.release, net.rework):
        finite(array)


def _build_progress(folder: Path, draw: Random) -> None:
    """A progress file of the example, spoilt."""
    from datetime import date

    from aidc.design.construction.draws import prepared
    from aidc.design.construction.plan import load_plan
    from aidc.design.construction.progress import progressed, read_progress

    text = (MODULAR / "progress.toml").read_text()
    path = folder / "progress.toml"
    if draw.random() < 0.8:
        path.write_bytes(toml(spoilt_tables(tomllib.loads(text), draw)).encode("utf-8", "replace"))
    else:
        path.write_bytes(spoilt_text(text, draw))
    plan = progressed(load_plan(_modular()[0]), read_progress(path, date(2026, 11, 30)), path)
    net = prepared(plan.tasks, plan.tables, plan.file.crews, plan.file.correlation, known=plan.known).net
    for array in (net.least, net.span, net.shares, net.release):
        finite(array)


# ---- run folders


@cache
def _run() -> tuple[Path, dict]:
    """A run folder, made by the product's writer from made-up tables, so that nothing is compiled."""
    import tempfile

    from made_run import write_run

    folder = Path(tempfile.mkdtemp(prefix="aidc-fuzz-run-")) / "run"
    write_run(folder)
    return folder, json.loads((folder / "run.json").read_text())


def run_folder(folder: Path, draw: Random) -> None:
    """A run folder with bytes of a file changed, or written by hand with checksums that agree."""
    from aidc.cli.running import _damage
    from aidc.measure import compare
    from aidc.measure.meta import facts_of
    from aidc.record.run import digest_of, read_run
    from aidc.report.run.console import compare_table, summary_table
    from aidc.report.run.view import View

    whole, document = _run()
    target = folder / "run"
    shutil.copytree(whole, target)
    if draw.random() < 0.4:
        path = draw.choice(sorted(target.iterdir()))
        if draw.random() < 0.1:
            path.unlink()
        else:
            path.write_bytes(spoilt_bytes(path.read_bytes(), draw))
    else:
        parts = {key: document[key] for key in ("meta", "site", "files")}
        if draw.random() < 0.4:
            summary = spoilt_json(json.loads((target / "summary.json").read_text()), draw)
            (target / "summary.json").write_text(json.dumps(summary))
            from aidc.files import checksum

            parts["files"] = {**parts["files"], "summary.json": checksum(target / "summary.json")}
        else:
            parts = spoilt_json(parts, draw)
        (target / "run.json").write_text(json.dumps({**parts, "sha256": digest_of(parts)}))
    found = read_run(target)
    with _damage(target):
        facts_of(found.meta)
        View(found)
        _printed(compare_table(compare([found, found]), ["a", "b"]))
        _printed(summary_table(found.summary))
        if draw.random() < float(os.environ.get("AIDC_FUZZ_RENDER", "0.02")):
            from aidc.report.run.page import render

            render(found)


TARGETS: dict[str, Callable[[Path, Random], None]] = {
    "site": site,
    "setting": setting,
    "entry": entry,
    "rules": rules,
    "table": table,
    "recording": recording,
    "events": events,
    "run-folder": run_folder,
    "build-plan": build_plan,
}
WEIGHTS = {
    "site": 5, "setting": 2, "entry": 5, "rules": 3, "table": 5, "recording": 4, "events": 3, "run-folder": 3,
    "build-plan": 3,
}  # fmt: skip
