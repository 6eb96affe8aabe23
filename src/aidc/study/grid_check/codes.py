"""Rule sets by name: catalogue entries `code/NAME.toml` made into `Code`, each clause with its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError

from aidc.catalogue import CONFIDENCE, Entry, names, read
from aidc.errors import InputError, Problem
from aidc.schema.code import Clause, Code
from aidc.site.refuse import problems_of

__all__ = ["DEFAULT_CODE", "KIND", "known_codes", "read_code", "weakest"]

KIND: Final = "code"
DEFAULT_CODE: Final = "ercot-nogrr-282"
"""What a site is judged by that names no rule set of its own."""

_RULES = tuple(
    get_args(member.model_fields["rule"].annotation)[0] for member in get_args(get_args(Clause)[0])
)
_SHARED = ("min_mw", "max_mw", "frequency_hz")
_DEEPEST = 8
_MOST_CLAUSES = 1000


def known_codes(search: Sequence[Path] = ()) -> list[str]:
    """Every rule set on the search path, sorted."""
    return names(KIND, search)


def read_code(name: str, search: Sequence[Path] = ()) -> Code:
    """A rule set, the user's own before the shipped one of the same name.

    Each clause gets the title of its figures' source, the weakest of their confidence marks, and the
    status of the set, where it states none itself. `include = ["a", "b"]` takes over the clauses of
    other sets; sizes of site and frequency come from them unless stated, and must then agree.

    Parameters
    ----------
    name
        The name of the file without `.toml`.
    search
        Folders that hold `code/`, before the shipped catalogue: `(site.folder / "catalogue",)`.

    Raises
    ------
    InputError
        There is no such set, or it is not one: with file, key, value and remedy.
    """
    return _read(name, search, ())


def weakest(marks: Sequence[str]) -> str:
    """The weakest of several confidence marks; "estimated" where there is none."""
    order = list(CONFIDENCE)
    return max(marks, key=order.index, default=order[-1])


def _read(name: str, search: Sequence[Path], above: tuple[str, ...]) -> Code:
    entry = _entry(name, search)
    if name in above:
        raise InputError(
            Problem("includes itself", "Break the circle.", entry.path, "include", " > ".join((*above, name)))
        )
    if len(above) >= _DEEPEST:
        what = f"is included by more than {_DEEPEST} sets, one in the other"
        raise InputError(Problem(what, "Name the clauses here.", entry.path, "include"))
    included = [_read(other, search, (*above, name)) for other in _included(entry)]
    if sum(len(code.clauses) for code in included) > _MOST_CLAUSES:
        what = f"takes over more than {_MOST_CLAUSES} clauses"
        raise InputError(Problem(what, "Include fewer sets.", entry.path, "include"))
    body: dict[str, Any] = {key: value for key, value in entry.values.items() if key != "include"}
    body["title"] = entry.title
    body.setdefault("confidence", weakest(_marks(entry, "") + [code.confidence for code in included]))
    _refuse_mark(body["confidence"], entry, "confidence")
    clauses = body.get("clauses", [])
    if isinstance(clauses, list):
        body["clauses"] = [
            _with_provenance(clause, entry, f"clauses[{i}]") for i, clause in enumerate(clauses)
        ]
    if included:
        _take_over(body, included, entry)
    try:
        return Code.model_validate(body)
    except ValidationError as error:
        raise InputError(problems_of(error, Code, entry.path, tags=_RULES)) from error


def _entry(name: str, search: Sequence[Path]) -> Entry:
    try:
        return read(KIND, name, search)
    except InputError as error:
        unknown = [problem for problem in error.problems if problem.file is None]
        if not unknown:
            raise
        raise InputError(
            Problem("is not a known rule set", unknown[0].remedy, key="code", value=name)
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            Problem(f"cannot be read: {error}", "Check the name and the file.", key="code", value=name)
        ) from error


def _included(entry: Entry) -> list[str]:
    found = entry.values.get("include", [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise InputError(
            Problem("is not a list of names", 'Write include = ["a", "b"].', entry.path, "include", found)
        )
    if len(set(found)) != len(found):
        raise InputError(Problem("names a set twice", "Name each once.", entry.path, "include", found))
    return [str(name) for name in found]


def _take_over(body: dict[str, Any], included: Sequence[Code], entry: Entry) -> None:
    """Put the clauses of other sets first; what those sets share must agree, or be stated here."""
    own = body["clauses"] if isinstance(body.get("clauses"), list) else []
    body["clauses"] = [*(clause.model_dump() for code in included for clause in code.clauses), *own]
    noted = body.get("note", "")
    if isinstance(noted, str):  # anything else is refused by the schema
        body["note"] = " ".join(text for text in (noted, *(code.note for code in included)) if text)
    for key in _SHARED:
        values = {getattr(code, key) for code in included if key in code.model_fields_set}
        if key in body or not values:
            continue
        if len(values) > 1:
            raise InputError(
                Problem(
                    "differs between the included sets", f"State {key} here.", entry.path, key, sorted(values)
                )
            )
        body[key] = values.pop()


def _with_provenance(clause: Any, entry: Entry, key: str) -> Any:
    """Fill what a clause leaves to its figures and its set."""
    if not isinstance(clause, Mapping):
        return clause  # refused by the schema
    made: dict[str, Any] = dict(clause)
    marks = _marks(entry, f"{key}.")
    titles = [entry.sources[figure.source].title for figure in _figures(entry, f"{key}.")]
    named = made.get("source")
    if isinstance(named, str) and named in entry.sources:
        titles = [entry.sources[named].title]
    if titles:
        made["source"] = "; ".join(dict.fromkeys(titles))
    if marks:
        made.setdefault("confidence", weakest(marks))
    if "status" in entry.values:
        made.setdefault("status", entry.values["status"])
    if "confidence" in made:
        _refuse_mark(made["confidence"], entry, f"{key}.confidence")
    return made


def _refuse_mark(mark: Any, entry: Entry, key: str) -> None:
    if not isinstance(mark, str) or mark not in CONFIDENCE:
        remedy = f"Use one of {', '.join(CONFIDENCE)}."
        raise InputError(Problem("has an unknown confidence mark", remedy, entry.path, key, mark))


def _figures(entry: Entry, prefix: str) -> list[Any]:
    return [figure for key, figure in entry.figures.items() if key.startswith(prefix)]


def _marks(entry: Entry, prefix: str) -> list[str]:
    return [figure.confidence for figure in _figures(entry, prefix)]
