"""From what pydantic found to problems that a person can act on."""

from __future__ import annotations

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
    place: list[Any] = list(one["loc"])
    kind: str = one["type"]
    key = _key(place, hidden)
    value = None if kind == "missing" or isinstance(one.get("input"), Mapping) else one.get("input")
    if kind == "extra_forbidden":
        known = _fields_at(shape, place[:-1])
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
        return Problem("is missing", f"Add {name} = … .", file, f"{key}.{name}" if key else name)
    message = str(one["msg"]).removeprefix("Value error, ")
    what, _, remedy = message.partition(". ")
    if not remedy:  # a validator may also write "what is wrong; what to do"
        what, _, remedy = message.partition("; ")
        remedy = f"{remedy[:1].upper()}{remedy[1:]}." if remedy else ""
    what = what[:1].lower() + what[1:]
    return Problem(what.rstrip("."), remedy or _remedy(kind), file, key or None, value)


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


def _key(place: Sequence[Any], hidden: Sequence[str]) -> str:
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif str(part) not in hidden and not str(part).startswith("function-"):
            text += f".{part}" if text else str(part)
    return text


def _fields_at(shape: Any, place: Sequence[Any]) -> list[str]:
    """The keys that a model accepts at a place in the document."""
    models = [shape]
    for part in place:
        models = [inner for model in models for inner in _inside(model, part)]
    return sorted({name for model in models if _is_model(model) for name in _names(model)})


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
