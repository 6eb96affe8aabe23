"""Every table and key of the files that people write, walked from their shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aidc.reference.forms import ENTRIES, EXTRA, FORMS, FileKind, Form
from aidc.reference.hints import Hint, default_of, hint_of, hint_of_type, unit_of
from aidc.reference.words import meaning_of, shape_words

__all__ = ["Key", "Table", "entry_tables", "file_tables"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `default` is None where it must be given and "" where leaving it out means what `meaning` says.

    `table` is the path of the table that it opens, `entry` the kind of the catalogue's entry that it names or holds.
    """

    name: str
    path: str
    kind: str
    range: str
    unit: str
    default: str | None
    meaning: str
    from_entry: bool = False
    table: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of keys. `tag` tells one of several shapes that may stand at the same path (`kind = "pv"`).

    `uses` is the kind of the entry that its `use` names; with `beside` every figure of the entry may stand in it too,
    but for `filled`, which loading fills in.
    """

    path: str
    tag: str
    meaning: str
    keys: tuple[Key, ...]
    uses: str = ""
    beside: bool = False
    filled: tuple[str, ...] = ()


def file_tables(file: FileKind) -> Iterator[Table]:
    """The tables of a kind of file, the outer before the inner."""
    yield from _shape_tables(file.shape, file.prefix, "")


def entry_tables(kind: str) -> Iterator[Table]:
    """The tables of an entry of the catalogue."""
    yield from _hinted(hint_of_type(ENTRIES[kind]), f"catalogue.{kind}")


def _hinted(hint: Hint, path: str) -> Iterator[Table]:
    for shape in hint.shapes:
        yield from _shape_tables(shape, path, _tag(shape) if len(hint.shapes) > 1 else "")


def _shape_tables(shape: type[BaseModel], path: str, tag: str) -> Iterator[Table]:
    form = FORMS.get(shape, Form(""))
    itself = path in _ENTRY_PATHS  # an entry names no entry of its own kind
    uses = "" if itself else form.kind
    fields = {
        name: field
        for name, field in shape.model_fields.items()
        if not field.exclude and name not in form.hidden and not (itself and name == "use")
    }
    keys: list[Key] = []
    inner: list[tuple[Hint, str]] = []
    for name, field in fields.items():
        key, hint = _key(shape, name, field, path, form if uses or itself else Form(""))
        keys.append(key)
        if key.table:
            inner.append((hint, key.table))
    if uses and not any(key.name == "use" for key in keys):
        keys.insert(0, _use(path, form))
    keys += [
        Key(name, f"{path}.{name}", kind, "", "", "", told)
        for name, (kind, told) in EXTRA.get(shape, {}).items()
    ]
    yield Table(path, tag, shape_words(shape), tuple(keys), uses, form.apart and not itself, form.hidden)
    for hint, below in inner:
        yield from _hinted(hint, below)


_ENTRY_PATHS = frozenset(f"catalogue.{kind}" for kind in ENTRIES)


def _key(shape: type[BaseModel], name: str, field: FieldInfo, path: str, form: Form) -> tuple[Key, Hint]:
    hint = hint_of(field)
    written = field.alias or name
    place = f"{path}.{written}" if path else written
    entry = (form.named or {}).get(name, "")
    default = default_of(field)
    told = _first(shape_words(shape))
    key = Key(
        written,
        place,
        f"{hint.kind} or table" if entry else hint.kind,
        hint.range,
        unit_of(name) if hint.number else "",
        default,
        f"Chooses this table: {told[:1].lower()}{told[1:]}"
        if _only_a_tag(field)
        else meaning_of(shape, name),
        from_entry=default is None and bool(form.kind) and not form.apart and path not in _ENTRY_PATHS,
        table=f"{place}{hint.below}" if hint.shapes and not entry else "",
        entry=entry,
    )
    return key, hint


def _use(path: str, form: Form) -> Key:
    """The key that names an entry; a table whose shape is the entry's may be written out in full instead."""
    told = f"Entry of the catalogue (`aidc catalogue {form.kind}`)"
    rest = "." if form.apart else "; a table without it has every figure itself."
    return Key("use", f"{path}.use", "name", "", "", None if form.apart else "", told + rest)


def _tag(shape: type[BaseModel]) -> str:
    """What tells a shape from the others of its union."""
    for name, field in shape.model_fields.items():
        values = _literals(field)
        if name in ("use", "kind", "rule") and values:
            return " or ".join(f'{name} = "{value}"' for value in values)
    return ""


def _only_a_tag(field: FieldInfo) -> bool:
    """Whether a field can hold one text alone: it only tells which table this is."""
    values = _literals(field)
    return len(values) == 1 and isinstance(values[0], str)


def _literals(field: FieldInfo) -> tuple[Any, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _first(text: str) -> str:
    """The first sentence of a text."""
    line = text.partition("\n")[0]
    head, stop, _ = line.partition(". ")
    return head + "." if stop else line
