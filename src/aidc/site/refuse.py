"""From what pydantic found to problems that a person can act on."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from aidc.errors import Problem

__all__ = ["problems_of"]


def problems_of(
    error: ValidationError,
    shape: type[BaseModel],
    file: Path | str | None,
    hidden: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> list[Problem]:
    """Translate each error: where (file and dotted key), what, the value, and what to do.

    `hidden` are keys that the resolver put in (such as `rack` in a pod): a reader never wrote them,
    so they are left out of the dotted key; `tags` of unions likewise, which stand in no document.

    `shape` is the model that refused, `file` where the values stood.
    """
    errors = [dict(one) for one in error.errors()]
    found = [_problem(one, shape, file, hidden) for one in errors if not _echoes(one)]
    return [replace(one, key=_without(one.key, tags)) for one in found] if tags else found


def _echoes(one: Mapping[str, Any]) -> bool:
    """A list counts as too short where its items are refused: the items' own problems say it."""
    given: Any = one.get("input")
    return (
        one["type"] == "too_short"
        and isinstance(given, (list, tuple))
        and len(given) > one["ctx"]["actual_length"]
    )


def _problem(
    one: dict[str, Any], shape: type[BaseModel], file: Path | str | None, hidden: Sequence[str]
) -> Problem:
    kind: str = one["type"]
    place = _written(list(one["loc"]), shape, added=kind == "extra_forbidden")
    key = _key(place, hidden)
    value = None if kind == "missing" or isinstance(one.get("input"), Mapping) else one.get("input")
    if kind == "extra_forbidden":
        known = sorted(set(_fields_at(shape, one["loc"][:-1])) - _NEVER_WRITTEN - {str(place[-1])})
        if len(place) > 1 and place[-2] in hidden:  # the user may have meant a key of the outer table
            known = sorted({*known, *_fields_at(shape, place[:-2])} - set(hidden))
        close = get_close_matches(str(place[-1]), known, n=1, cutoff=0.5)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(sorted(known))}."
        return Problem("unknown key", remedy, file, key, value)
    if kind == "missing":
        return Problem("is missing", f"Add {place[-1]} = … .", file, key)
    if kind == "union_tag_invalid":
        return _unknown_tag(one["ctx"], file, key)
    if kind == "union_tag_not_found":
        name = str(one["ctx"]["discriminator"]).strip("'")
        return Problem(
            "does not say what it is", f'Name it: {name} = "…".', file, f"{key}.{name}" if key else name
        )
    message = _in_words(str(one["msg"]))
    what, _, remedy = message.partition(". " if ". " in message else "; ")
    remedy = remedy[:1].upper() + remedy[1:]
    what = what[:1].lower() + what[1:]
    remedy = f"{remedy.rstrip('.')}." if remedy else _remedy(kind)
    return Problem(what.rstrip("."), remedy, file, key or None, value)


def _unknown_tag(context: Mapping[str, Any], file: Path | str | None, key: str) -> Problem:
    """A union's tag that no member bears: the nearest, or all of them."""
    name = str(context["discriminator"]).strip("'")
    known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
    close = get_close_matches(str(context["tag"]), known, n=1, cutoff=0.5)
    remedy = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
    return Problem(f"is not a known {name}", remedy, file, f"{key}.{name}" if key else name, context["tag"])


def _without(key: str | None, tags: Sequence[str]) -> str | None:
    if key is None:
        return None
    for tag in tags:
        key = f"{key}.".replace(f"].{tag}.", "].").removesuffix(".")
    return key


def _remedy(kind: str) -> str:
    if "type" in kind or "parsing" in kind:
        return "Write a value of that type."
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"):
        return "Give a value within the range."
    return "Correct the value."


_NEVER_WRITTEN = {  # the loader's own
    "folder",
    "assumptions",
    "entries",
    "defaults",
    "resized",
    "changed",
    "written",
}
_A_NAME = "is no name. Use up to 64 letters, digits, dots, hyphens and underscores"
_WORDS = {
    "Value error, ": "",
    "a valid dictionary or object to extract fields from": "a table",
    "a valid dictionary": "a table",
    "a valid mapping": "a table",
    "a valid tuple": "a list",
    "Tuple should": "list should",
    " after validation": "",
    r"String should match pattern '^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$'": _A_NAME,
    "a valid list": "a list",
    "a valid string": "text in quotes",
    "a valid boolean": "true or false",
    "a valid number": "a number",
    "a valid integer": "a whole number",
    "a valid datetime": "a date and time",
    "timezone info": "a time zone (write Z at the end for UTC)",
    "unable to parse string as a number": "not text",
    "unable to parse string as an integer": "not text",
}


def _in_words(message: str) -> str:
    """The message in the words of TOML, not of Python."""
    message = re.sub(r"a valid dictionary or instance of \w+", "a table", message)
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return message


def _written(place: Sequence[Any], shape: Any, *, added: bool) -> list[Any]:
    """The location as it stands in the document: without the tags of unions.

    `added` tells that the last part is a key that no shape knows, not a tag.
    """
    found: list[Any] = []
    models = [shape]
    for number, part in enumerate(place):
        inner = [option for model in models for option in _inside(model, part)]
        last = number == len(place) - 1
        is_tag = isinstance(part, str) and models and all(_is_model(m) for m in models) and inner == models
        if not is_tag or (last and added):
            found.append(part)
        models = inner
    return found


def _key(place: Sequence[Any], hidden: Sequence[str]) -> str:
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif str(part) not in hidden and not str(part).startswith("function-"):
            name = str(part).removesuffix("_entry")
            text += f".{name}" if text else name
    return text


def _fields_at(shape: Any, place: Sequence[Any]) -> list[str]:
    """The keys that a model accepts at a place in the document."""
    models = [shape]
    for part in place:
        tagged = [model for model in models if _bears(model, part)]  # a union's tag: one shape of several
        models = tagged or [inner for model in models for inner in _inside(model, part)]
    return sorted({name for model in models if _is_model(model) for name in _names(model)})


def _bears(model: Any, tag: Any) -> bool:
    """Whether a shape is told from others by this tag in `kind` or `use`."""
    fields = model.model_fields if _is_model(model) else {}
    return any(tag in get_args(fields[name].annotation) for name in ("kind", "use") if name in fields)


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _inside(annotation: Any, part: Any) -> list[Any]:
    """The types behind one step of a location: a field, a table's value, a list's item, a union's tag."""
    if _is_model(annotation):
        for name, field in annotation.model_fields.items():
            if part in (name, field.alias):
                return _options(field.annotation)
        return [annotation]  # a union's tag stands in the location, but not in the document
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (dict, Mapping) or (origin and _is_kind_of(origin, Mapping)):
        return _options(arguments[1])
    if origin in (list, tuple, Sequence) or (origin and _is_kind_of(origin, Sequence)):
        return _options(arguments[0])
    return [annotation]


def _is_kind_of(candidate: Any, parent: type) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, parent)


def _options(annotation: Any) -> list[Any]:
    """Take annotations and unions apart."""
    if hasattr(annotation, "__metadata__"):
        return _options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [option for each in get_args(annotation) for option in _options(each)]
    return [annotation]
