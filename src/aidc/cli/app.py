"""The commands, their arguments and their exit codes.

Exit codes stand in `exit_codes.py`. A reader of the output that has gone changes none of them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from aidc.errors import AidcError

__all__ = ["app", "main"]

app = App(
    name="aidc",
    help="The digital twin of a grid-interactive AI data centre, from the grid meter to the token.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # told and counted below
)
data = App(name="data", help="Named public datasets: list them, fetch one.")
app.command(data)

Out = Annotated[Path | None, Parameter(name="--out", help="Folder of the run; must not exist.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON and nothing else.")]
Set = Annotated[
    list[str],
    Parameter(name="--set", negative="", help="Override a key: --set storage.yard.power_mw=50 (repeatable)."),
]

Resize = Annotated[
    bool,
    Parameter(
        negative="", help="Size the plant for the site with its settings, not for the file as written."
    ),
]


@app.command
def run(
    site: Path,
    *,
    out: Out = None,
    days: Annotated[float | None, Parameter(help="Length of the run in days.")] = None,
    step: Annotated[float | None, Parameter(help="Step in seconds.")] = None,
    controller: Annotated[
        str | None, Parameter(help="Who decides: a shipped name, or file.py:Class of your own.")
    ] = None,
    no_code: Annotated[
        bool, Parameter(name="--no-code", negative="", help="Refuse controllers that are not shipped.")
    ] = False,
    set_: Set = [],  # noqa: B006  cyclopts reads the default, nothing changes it
    resize: Resize = False,
    json: Json = False,
) -> int:
    """Run a site through its scenario and account for every joule.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.running import controller_settings, run_site

    settings = list(set_)
    if days is not None:
        settings.append(f"scenario.days={days}")
    if step is not None:
        settings.append(f"scenario.step_s={step}")
    if controller is not None:
        settings += controller_settings(site, controller, settings)
    return run_site(site, out, settings, own_code=not no_code, as_json=json, resize=resize)


@app.command
def equipment(
    site: Path,
    *,
    write: Annotated[
        Path | None,
        Parameter(
            help="Write a site file with every size in it, which runs to the same figures; must not exist."
        ),
    ] = None,
    set_: Set = [],  # noqa: B006  as above
    resize: Resize = False,
    json: Json = False,
) -> int:
    """List what a site has: units, ratings, design conditions, peak use, margin with one unit out.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.schedule import show_equipment

    return show_equipment(site, write, set_, as_json=json, resize=resize)


@app.command
def build(
    site: Path,
    *,
    plan: Annotated[
        Path | None, Parameter(help="How it is built (TOML). Default: build.toml beside the site.")
    ] = None,
    draws: Annotated[int, Parameter(help="Schedules to draw, 100 to 1,000,000.")] = 10_000,
    seed: Annotated[int | None, Parameter(help="Of the draws. Default: the plan's.")] = None,
    progress: Annotated[
        Path | None, Parameter(help="What has happened so far (TOML): forecast, what changed, what slips.")
    ] = None,
    against: Annotated[
        Path | None, Parameter(help="Another plan of the same site, to stand beside this one.")
    ] = None,
    bridges: Annotated[
        bool, Parameter(negative="", help="Try the plan's bridges on the energy model.")
    ] = False,
    value: Annotated[bool, Parameter(help="Work out values, if the plan asks for them.")] = True,
    follow: Annotated[
        bool, Parameter(negative="", help="Run every phase as a site: tokens, TokEnergy Index, PUE, limits.")
    ] = False,
    site_at: Annotated[
        datetime | None, Parameter(help="Write the site as it stands on this date into the file --out.")
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(name="--out", help="Folder for the figures, or file of --site-at; must not exist."),
    ] = None,
    set_: Set = [],  # noqa: B006  as above
    json: Json = False,
) -> int:
    """Say when each module of a site comes online, with which probability, and what holds it up.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.building import build_site

    day = None if site_at is None else site_at.date()
    options = {
        "draws": draws,
        "seed": seed,
        "value": value,
        "follow": follow,
        "bridges": bridges,
        "against": against,
        "actual": progress,
    }
    return build_site(site, plan, out, set_, options, site_at=day, as_json=json)


@app.command
def plan(
    site: Path,
    *,
    days: Annotated[float | None, Parameter(help="Length of the window in days.")] = None,
    wear: Annotated[float, Parameter(help="Ageing of the cells per MWh discharged, in USD.")] = 8.0,
    out: Out = None,
    set_: Set = [],  # noqa: B006  as above
    json: Json = False,
) -> int:
    """Find the cheapest schedule of a site's storage, and follow it in the twin to see what it saves.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.planning import plan_site

    settings = list(set_)
    if days is not None:
        settings.append(f"scenario.days={days}")
    return plan_site(site, out, settings, wear, as_json=json)


@app.command
def check(
    site: Path,
    *,
    code: Annotated[
        list[str], Parameter(negative="", help="Rule set (aidc codes); repeatable. Default: the site's own.")
    ] = [],  # noqa: B006  as above
    event: Annotated[
        list[Path], Parameter(negative="", help="Event file of your own, judged as well; repeatable.")
    ] = [],  # noqa: B006  as above
    recording: Annotated[
        list[Path], Parameter(negative="", help="Judge this record (CSV, COMTRADE) instead of the twin.")
    ] = [],  # noqa: B006  as above
    marks: Annotated[
        Path | None,
        Parameter(help="Disturbances of the grid in the record (TOML, CSV), beside those that are found."),
    ] = None,
    at: Annotated[datetime | None, Parameter(help="Start of the windows. Default: the peak hour.")] = None,
    duration: Annotated[float, Parameter(help="Seconds of normal operation.")] = 3600.0,
    step: Annotated[float, Parameter(help="Step in milliseconds, 0.1 to 10.")] = 1.0,
    suggest: Annotated[bool, Parameter(help="Look for the smallest change that would pass.")] = True,
    out: Out = None,
    set_: Set = [],  # noqa: B006  as above
    resize: Resize = False,
    json: Json = False,
) -> int:
    """Judge a site by a grid rule set: ride-through, recovery, oscillation, ramps, flicker and more.

    Exit code 0 pass, 1 fail, 3 when an applicable clause is not assessable.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.checking import CheckRequest, check_site

    return check_site(
        CheckRequest(
            site, code, event, recording, set_, out, zoned(at), duration, step, suggest, json, resize, marks
        )
    )


@app.command
def flex(site: Path, *, out: Out = None, set_: Set = [], json: Json = False) -> int:  # noqa: B006  as above
    """Say what a site can promise the grid: MW by notice, duration and hour, and what stands behind them.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.flexing import flex_site

    return flex_site(site, out, set_, as_json=json)


@app.command
def transient(
    site: Path,
    *,
    event: Annotated[Path | None, Parameter(help="Event file (TOML).")] = None,
    at: Annotated[datetime | None, Parameter(help="Start of the window. Default: the peak hour.")] = None,
    duration: Annotated[float | None, Parameter(help="Length of the window in seconds.")] = None,
    step: Annotated[float | None, Parameter(help="Step in milliseconds, 0.1 to 10.")] = None,
    seed: Annotated[int | None, Parameter(help="Of the load's ripple.")] = None,
    level: Annotated[str, Parameter(help="Short-circuit level: normal, max, min or n-1.")] = "normal",
    out: Out = None,
    set_: Set = [],  # noqa: B006  as above
    resize: Resize = False,
    json: Json = False,
) -> int:
    """Step a site through one window in milliseconds and record it.

    Parameters
    ----------
    site
        The site file (TOML).
    """
    from aidc.cli.checking import run_transient

    options = {
        "at": zoned(at),
        "duration_s": duration,
        "step_s": None if step is None else step / 1e3,
        "seed": seed,
        "level": level,
    }
    return run_transient(site, event, set_, options, out, as_json=json, resize=resize)


def zoned(moment: datetime | None) -> datetime | None:
    """A time without a zone is UTC, as everywhere in aidc."""
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@app.command
def compare(runs: list[Path], *, json: Json = False) -> int:
    """Compare runs figure by figure; indices that hold for different conditions are refused.

    Parameters
    ----------
    runs
        Folders of two runs or more; changes are against the first.
    """
    from aidc.cli.running import compare_runs

    return compare_runs(runs, as_json=json)


@app.command
def report(
    run: Path,
    *,
    out: Annotated[Path | None, Parameter(help="The HTML file to write.")] = None,
    csv: Annotated[
        Path | None,
        Parameter(help="Write figures, series, pods and events as CSV into this folder; must not exist."),
    ] = None,
) -> int:
    """Write the report of a run again, or its figures and series for a spreadsheet.

    Parameters
    ----------
    run
        The folder of the run.
    """
    from aidc.cli.running import write_report

    return write_report(run, out, csv)


@app.command
def look(
    file: Path,
    *,
    point: Annotated[
        str | None, Parameter(help="Settlement point, zone or series, where the file has several.")
    ] = None,
    plot: Annotated[Path | None, Parameter(help="Also draw every column into this SVG file.")] = None,
    json: Json = False,
) -> int:
    """Say what a file is taken for: columns, meaning, unit, time zone, gaps.

    Weather, prices, carbon, power and request traces in the formats of docs/formats.md, and recordings.

    Parameters
    ----------
    file
        The data file, or a recording's sidecar (TOML).
    """
    from aidc.cli.looking import look_at

    return look_at(file, point, plot, as_json=json)


@app.command
def catalogue(kind: str | None = None, name: str | None = None, *, json: Json = False) -> int:
    """List equipment and models with figures and sources: all kinds, one kind, or one entry.

    Parameters
    ----------
    kind
        Such as rack, llm or storage. Default: all kinds.
    name
        An entry of that kind. Default: all of them.
    """
    from aidc.cli.shelves import show

    return show(kind, name, as_json=json)


@app.command
def keys(path: str | None = None, *, json: Json = False) -> int:
    """Say what may stand in a file: every key with its unit, range, default and meaning.

    Parameters
    ----------
    path
        As in a site file (cooling.warm.supply_temp_c), a key alone, or another file (build, events, catalogue.rack).
    """
    from aidc.cli.keys import show_keys

    return show_keys(path, as_json=json)


@app.command
def codes(name: str | None = None, *, json: Json = False) -> int:
    """List the rule sets of grid operators, or the clauses of one with figures, sources and marks.

    Parameters
    ----------
    name
        A rule set. Default: all of them.
    """
    from aidc.cli.codes import show_codes

    return show_codes(name, as_json=json)


@app.command
def new(folder: Path) -> int:
    """Write a commented starter site into a new folder.

    Parameters
    ----------
    folder
        Where site.toml is written; nothing is overwritten.
    """
    from aidc.cli.shelves import starter

    return starter(folder)


@app.command
def validate(
    data_dir: Path,
    *,
    only: Annotated[list[str], Parameter(negative="", help="Case names; default all.")] = [],  # noqa: B006  as above
    document: Annotated[
        Path | None, Parameter(help="Also write validation.md and its pictures into this folder.")
    ] = None,
    json: Json = False,
) -> int:
    """Judge the models against measured data, with each item left out of the calibration.

    Parameters
    ----------
    data_dir
        The folder with the public data sets (aidc data list).
    """
    from aidc.cli.judging import validate_data

    return validate_data(data_dir, only, document, as_json=json)


@data.command(name="list")
def list_data(*, json: Json = False) -> int:
    """List the named datasets, and whether they are here."""
    from aidc.cli.shelves import list_datasets

    return list_datasets(as_json=json)


@data.command
def get(name: str) -> int:
    """Fetch a dataset from its publisher, checked against its checksum.

    Parameters
    ----------
    name
        Of the list.
    """
    from aidc.cli.shelves import get_dataset

    return get_dataset(name)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    from aidc.cli.streams import ending_signals, standard_streams

    with standard_streams() as (out, _), ending_signals():
        code = _code_of(arguments)
        out.flush()
        if out.error is not None:
            _tell(f"the output could not be written: {out.error.strerror}")
            code = 5
    sys.exit(code)


def _code_of(arguments: list[str] | None) -> int:
    """Run a command; whatever goes wrong is told in words."""
    from aidc.cli.streams import EndedError

    try:
        code = app(arguments, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _tell(f"{error} (see aidc --help)")
        return 2
    except AidcError as error:
        _tell(str(error))
        return error.exit_code
    except EndedError as ended:
        _tell(f"ended by {ended}; nothing was left half-written")
        return 128 + ended.number
    except KeyboardInterrupt:
        _tell("interrupted; nothing was left half-written")
        return 130
    except MemoryError:
        _tell("not enough memory; shorten the run or lengthen its output step")
        return 4
    return code if isinstance(code, int) else 0


def _tell(text: str) -> None:
    """A line on standard error; control characters of names and values stand there escaped."""
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text
    )
    sys.stderr.write(f"aidc: {shown}\n")
