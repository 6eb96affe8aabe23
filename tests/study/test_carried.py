"""A run folder runs again to the same figures, wherever it lies, and its hash covers all that it rests on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aidc.errors import InputError, SimulationError
from aidc.record.run import digest_of, read_run
from aidc.site import load
from aidc.study.site_run.carried import carried
from aidc.study.site_run.run import run

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"
CATALOGUE = Path(__file__).parents[2] / "src" / "aidc" / "catalogue"

CONTROLLER = """
import numpy as np
from pydantic import BaseModel
from aidc import Command, Controller, Knob


class Options(BaseModel):
    share: float = 0.7
    api_token: str = ""


class Mine(Controller):
    Options = Options

    def reset(self, site, options, rng):
        self.site, self.options = site, options

    def decide(self, observation):
        wanted = np.array([self.options.share * 1e6] * len(self.site.pods))
        return [Command(Knob.POD_CAP_W, wanted, 3600.0, "")]
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A site that rests on files, entries and code of its own."""
    site = tmp_path / "mine"
    (site / "data").mkdir(parents=True)
    text = STARTER.read_text()
    text = text.replace('tariff = { use = "tou-demand" }', 'prices = { file = "data/prices.csv" }')
    text = text.replace("days = 2", "days = 0.02")
    text += '\n[control]\nuse = "code/mine.py:Mine"\noptions = { api_token = "hunter2" }\n'
    (site / "site.toml").write_text(text)
    rows = "\n".join(f"2025-07-07T{h:02d}:00:00Z,{40 + h}" for h in range(24))
    (site / "data" / "prices.csv").write_text(f"time_utc,price_usd_per_mwh\n{rows}\n")
    (site / "code").mkdir()
    (site / "code" / "mine.py").write_text(CONTROLLER)
    for kind, name, figure in (
        ("powercap", "hopper", None),
        ("training", "h100", ("compute_frac = { value = ", "compute_frac = { value = 0.5, note = ")),
        ("ripple", "h100", None),
    ):
        (site / "catalogue" / kind).mkdir(parents=True)
        entry = (CATALOGUE / kind / f"{name}.toml").read_text()
        if figure is not None:
            before, _, rest = entry.partition(figure[0])
            value, _, rest = rest.partition(",")
            entry = f'{before}{figure[1]}"was {value}",{rest}'
        (site / "catalogue" / kind / f"{name}.toml").write_text(entry)
    return site


def figures(made) -> dict:
    return {key: value for key, value in made.summary.items() if key != "performance"}


def test_a_run_folder_runs_again_where_it_was_moved_to(folder, tmp_path) -> None:
    first = run(folder / "site.toml", out=tmp_path / "first")
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    shutil.copytree(first.folder, moved)
    shutil.rmtree(folder)
    again = run(moved / "site.toml", out=tmp_path / "again", settings=["control.options.api_token=hunter2"])
    assert figures(again) == figures(first)
    assert again.meta["input_hash"] == first.meta["input_hash"]
    assert again.series.equals(first.series)
    kept = {str(path.relative_to(moved)) for path in moved.rglob("*") if path.is_file()}
    assert kept >= {
        "inputs/prices.csv",
        "inputs/mine.py",
        "catalogue/powercap/hopper.toml",
        "catalogue/training/h100.toml",
        "catalogue/ripple/h100.toml",
    }
    told = {one["entry"] for one in first.meta["assumptions"]}
    assert told >= {"powercap/hopper", "training/h100", "ripple/h100"}
    own = next(
        one
        for one in first.meta["assumptions"]
        if one["entry"] == "training/h100" and one["key"] == "levels.compute_frac"
    )
    assert own["value"] == 0.5


def test_what_may_be_secret_stands_nowhere_in_the_folder(folder, tmp_path) -> None:
    from aidc.report import write

    made = run(
        folder / "site.toml",
        out=tmp_path / "run",
        finish=lambda done, place: write(done, place / "report.html"),
    )
    for path in made.folder.rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes(), path
    assert json.loads((made.folder / "run.json").read_text())["site"]["control"]["options"] == {
        "api_token": "(masked)"
    }
    with pytest.raises(InputError, match=r"control\.options\.api_token.*masked"):
        run(made.folder / "site.toml", out=tmp_path / "again")


def test_the_hash_follows_contents_and_nothing_else(folder, tmp_path) -> None:
    def found(place: Path = folder, *settings: str) -> str:
        return carried(load(place / "site.toml", settings), None).hash

    base = found()
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    assert found(moved) == base
    hashes = [base, found(folder, "scenario.seed=2"), found(folder, "grid.import_limit_mw=3")]
    for name in ("data/prices.csv", "code/mine.py"):
        kept = (folder / name).read_text()
        (folder / name).write_text(kept + "\n\n")
        site = load(folder / "site.toml")
        from aidc.control import controller_of

        hashes.append(carried(site, controller_of(site)[0] if name.endswith(".py") else None).hash)
        (folder / name).write_text(kept)
    for kind, name, before, after in (
        ("powercap", "hopper", "alpha = { value = 2", "alpha = { value = 3"),
        ("training", "h100", "value = 0.5,", "value = 0.6,"),
        ("ripple", "h100", "value = 0.35,", "value = 0.36,"),
    ):
        path = folder / "catalogue" / kind / f"{name}.toml"
        kept = path.read_text()
        assert before in kept
        path.write_text(kept.replace(before, after, 1))
        hashes.append(found())
        path.write_text(kept)
    assert len(set(hashes)) == len(hashes)
    assert found() == base


@pytest.mark.parametrize(
    ("kind", "name", "before", "after", "word"),
    [
        ("training", "h100", "mfu_8bit = { value = ", "mfu_8bit = { value = nan, x = ", "finite"),
        ("training", "h100", "compute_frac = ", "compute = ", "levels.compute"),
        ("powercap", "hopper", "knee = { value = ", "knee = { value = -", "knee"),
        ("powercap", "hopper", "knee = { value = ", "knee = { value = true, x = ", "knee"),
        ("ripple", "h100", "[law]", "[laws]", "law"),
    ],
)
def test_a_bad_figure_in_an_own_entry_is_found_when_the_site_is_loaded(
    folder, kind, name, before, after, word
) -> None:
    path = folder / "catalogue" / kind / f"{name}.toml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(InputError, match=word) as refused:
        load(folder / "site.toml")
    assert str(path) in str(refused.value)


def test_code_is_imported_last_and_not_at_all_where_it_is_unwanted(folder, tmp_path) -> None:
    mark = tmp_path / "ran"
    (folder / "code" / "mine.py").write_text(f"open({str(mark)!r}, 'w')\n{CONTROLLER}")
    (folder / "data" / "prices.csv").write_text("time_utc,price_usd_per_mwh\nyesterday,1\n")
    with pytest.raises(InputError, match=r"prices\.csv"):
        run(folder / "site.toml", out=tmp_path / "run")
    assert not mark.exists()
    with pytest.raises(InputError, match="--no-code"):
        run(folder / "site.toml", out=tmp_path / "run", own_code=False)
    with pytest.raises(InputError, match="--no-code"):
        run(folder / "site.toml", out=tmp_path / "run", own_code=False, settings=["control.use=os:path"])
    assert not mark.exists()
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    return run(
        STARTER, out=tmp_path_factory.mktemp("runs") / "short", settings=["scenario.days=0.005"]
    ).folder


@pytest.mark.parametrize(
    "name", ["series.parquet", "pods.parquet", "events.parquet", "summary.json", "run.json"]
)
def test_a_flipped_byte_is_told(short, name, tmp_path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(short, folder)
    assert read_run(folder).series.height > 0
    raw = (folder / name).read_bytes()
    for place in range(0, len(raw), max(1, len(raw) // 40)):
        (folder / name).write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(InputError, match=name):
            read_run(folder)


def test_a_folder_made_by_hand_is_told_too(short, tmp_path) -> None:
    """Checksums that agree with nonsense."""
    from aidc.cli.running import write_report

    folder = tmp_path / "copy"
    shutil.copytree(short, folder)
    whole = json.loads((folder / "run.json").read_text())
    refused = 0
    damaged = (("start", 3), ("pods", [1]), ("workloads", 3), ("repairs", 3), ("assumptions", [{"url": 3}]))
    for key, value in damaged:
        document = {"meta": {**whole["meta"], key: value}, "site": whole["site"], "files": whole["files"]}
        (folder / "run.json").write_text(json.dumps({**document, "sha256": digest_of(document)}))
        told = _told(lambda: write_report(folder, tmp_path / "report.html"))
        assert not told or str(folder) in told
        refused += bool(told)
    assert refused >= 2


def _told(action) -> str:
    """What is said where something is refused; anything but a refusal in words goes through."""
    try:
        action()
    except InputError as error:
        return str(error)
    return ""


def test_a_folder_with_brackets_and_stars_is_a_folder(tmp_path) -> None:
    from aidc.cli import main

    made = [
        run(STARTER, out=tmp_path / name, settings=["scenario.days=0.005"]).folder
        for name in ("results [final]", "a*", "ab", "q?")
    ]
    assert [read_run(folder).series.height for folder in made] == [
        8
    ] * 4  # 432 s: seven whole minutes and a part
    for arguments in (["report", str(made[0])], ["compare", *map(str, made)]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 0


def test_an_exception_of_a_controller_is_still_named(folder, tmp_path) -> None:
    (folder / "code" / "mine.py").write_text(CONTROLLER.replace("wanted = ", "wanted = 1 / 0 * "))
    with pytest.raises(SimulationError, match="ZeroDivisionError"):
        run(folder / "site.toml", out=tmp_path / "run")


@pytest.mark.parametrize(("factor", "outcome"), [(0.9, "silent"), (1.5, "told"), (46, "refused")])
def test_a_replay_far_above_the_rating_is_told_or_refused(factor, outcome, tmp_path) -> None:
    """Twelve racks of DGX H100 at their rating, from the catalogue, times a factor."""
    import tomllib

    rack = tomllib.loads((CATALOGUE / "rack" / "dgx-h100.toml").read_text())
    power_w = factor * 12 * rack["rated_power_kw"]["value"] * 1e3
    text = STARTER.read_text().replace("days = 2", "days = 0.005")
    job = text[text.index("[jobs.finetune]") : text.index("[scenario]")]
    replay = '[replays.old]\npods = ["train"]\ndemand = { kind = "power-replay", file = "p.csv" }\n'
    (tmp_path / "site.toml").write_text(text.replace(job, replay))
    rows = "\n".join(f"{k * 60},{power_w}" for k in range(20))
    (tmp_path / "p.csv").write_text(f"t_s,a_w\n{rows}\n")
    if outcome == "refused":
        with pytest.raises(InputError, match=r"times (the rating|what the accelerators)(.|\n)*unit"):
            run(tmp_path / "site.toml", out=tmp_path / "run")
        return
    made = run(tmp_path / "site.toml", out=tmp_path / "run")
    assert ("doubt" in made.events["kind"].to_list()) == (outcome == "told")
