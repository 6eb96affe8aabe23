"""A field's type, range, unit and default in words, from its annotation."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

__all__ = ["UNITS", "Hint", "default_of", "hint_of", "hint_of_type", "unit_of"]

_LARGE: Final = 1e15  # a bound that only keeps products finite is no range
_BASES: Final[Mapping[Any, str]] = {
    float: "number", int: "whole number", bool: "true or false", str: "text", date: "date",
    datetime: "time with a zone", AwareDatetime: "time with a zone", Any: "anything",
}  # fmt: skip
_NAME_PATTERN: Final = r"^[A-Za-z0-9]"

# Endings of names and their units, the longest first. A number whose name ends in none of these is a pure number.
UNITS: Final[Mapping[str, str]] = {
    "usd_per_kw_month": "USD/kW per month", "kwh_per_mtok": "kWh/Mtok", "usd_million_per_mw": "million USD/MW",
    "usd_per_million_tokens": "USD per million tokens", "usd_per_unit": "USD per unit", "usd_per_month": "USD per month",
    "usd_per_mwh": "USD/MWh", "usd_per_kwh": "USD/kWh", "usd_per_day": "USD per day", "usd_million": "million USD", "usd": "USD",
    "kg_per_mwh": "kg/MWh", "kg_per_kwh": "kg/kWh", "tokens_per_s": "tokens/s", "j_per_accelerator": "J", "w_per_accelerator": "W",
    "kj_per_k_per_kw": "kJ/K per kW", "kj_per_kg_k": "kJ/(kg·K)", "l_min_per_kw": "l/min per kW", "l_per_kwh": "l/kWh",
    "l_per_kw": "l/kW", "k_per_w": "K/W", "j_per_k": "J/K", "mw_per_min": "MW/min", "mw_per_s": "MW/s",
    "hz_per_s": "Hz/s", "frac_per_s": "1/s", "frac_per_year": "1/year", "gain_per_h": "1/h", "coefficient_per_k": "1/K",
    "leakage_per_k": "1/K", "fan_speed_per_k": "1/K", "gb_per_s": "GB/s", "tb_per_s": "TB/s", "bandwidth_b_s": "B/s",
    "parameters_b": "10⁹", "activated_b": "10⁹", "memory_b": "B", "m3_h": "m³/h", "l_min": "l/min", "kg_s": "kg/s", "m_s": "m/s",
    "w_m2": "W/m²", "m2": "m²", "m3": "m³", "mwh": "MWh", "kwh": "kWh", "mw": "MW", "kw": "kW", "mva": "MVA", "kv": "kV",
    "kpa": "kPa", "pa": "Pa", "hz": "Hz", "deg": "°", "pu": "pu", "percent": "%", "tflops": "TFLOP/s", "gb": "GB",
    "mb": "MB", "us": "µs", "ms": "ms", "min": "min", "days": "days", "years": "years", "hour": "h of the day",
    "tokens": "tokens", "flops_16bit": "FLOP/s", "flops_8bit": "FLOP/s", "frac": "share", "share": "share", "payments": "share", "samples": "days", "kg": "kg",
    "w": "W", "j": "J", "k": "K", "c": "°C", "s": "s", "h": "h", "m": "m", "v": "V", "t": "t", "l": "l",
}  # fmt: skip

# Keys whose ending looks like a unit and is none.
_PURE: Final = frozenset({"a", "b", "c"})


@dataclass(frozen=True, slots=True)
class Hint:
    """What a key may hold: words for its type and range, and the shapes of tables below it.

    `shapes` are the tables that may stand there (several for a union), `below` what is added to the path to come to
    them: "" for a table, ".NAME" for tables by name, "[]" for a list of tables.
    """

    kind: str
    range: str = ""
    number: bool = False
    shapes: tuple[type[BaseModel], ...] = ()
    below: str = ""


def hint_of(field: FieldInfo) -> Hint:
    """The hint of a pydantic field."""
    return _hint(field.annotation, tuple(field.metadata))


def hint_of_type(annotation: Any) -> Hint:
    """The hint of a bare annotation, such as a union of shapes."""
    return _hint(annotation, ())


def _hint(annotation: Any, metadata: tuple[Any, ...]) -> Hint:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *more = get_args(annotation)
        return _hint(base, (*metadata, *_flat(more)))
    read = next((read for kinds, read in _READERS if origin in kinds), None)
    if read is not None:
        return read(get_args(annotation), metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Hint("table", shapes=(annotation,))
    words = "name" if _pattern(metadata).startswith(_NAME_PATTERN) else _BASES.get(annotation, "value")
    return Hint(words, _range(metadata), annotation in (int, float))


def _literal(values: tuple[Any, ...], metadata: tuple[Any, ...]) -> Hint:
    del metadata
    return Hint("one of", ", ".join(_toml(value) for value in values), isinstance(values[0], int))


def _union(options: tuple[Any, ...], metadata: tuple[Any, ...]) -> Hint:
    members = [one for one in options if one is not type(None)]
    hints = [_hint(one, metadata if len(members) == 1 else ()) for one in members]
    if len(hints) == 1:
        return hints[0]
    if all(one.shapes for one in hints):
        return Hint("table", shapes=tuple(shape for one in hints for shape in one.shapes))
    return Hint(" or ".join(dict.fromkeys(one.kind for one in hints)))


def _list(items: tuple[Any, ...], metadata: tuple[Any, ...]) -> Hint:
    one = _hint(items[0], ())
    fixed = len(items) if Ellipsis not in items and len(items) > 1 else None
    length = f"{fixed} of them" if fixed else _length(metadata)
    words = f"list of {_plural(one.kind)}" if one.kind != "one of" else "list of"
    each = f"each {one.range}" if one.range and one.kind != "one of" else one.range
    text = "; ".join(part for part in (each, length) if part)
    return replace(one, kind=words, range=text, below=f"[]{one.below}")


def _mapping(items: tuple[Any, ...], metadata: tuple[Any, ...]) -> Hint:
    key, one = _hint(items[0], ()), _hint(items[1], ())
    named = f" by {key.range}" if key.kind == "one of" else " by name"
    words = f"{_plural(one.kind)}{named}" if one.kind != "one of" else f"one of{named}"
    text = "; ".join(part for part in (one.range, _length(metadata)) if part)
    return replace(one, kind=words, range=text, below=f".NAME{one.below}")


_Reader = Callable[[tuple[Any, ...], tuple[Any, ...]], Hint]
_READERS: Final[tuple[tuple[tuple[Any, ...], _Reader], ...]] = (
    ((Literal,), _literal),
    ((Union, types.UnionType), _union),
    ((tuple, list), _list),
    ((dict, Mapping), _mapping),
)


def _plural(words: str) -> str:
    known = {
        "whole number": "whole numbers",
        "true or false": "truth values",
        "text": "texts",
        "anything": "anything",
    }
    return known.get(words, f"{words}s" if " " not in words else words)


def _flat(metadata: list[Any]) -> list[Any]:
    """Constraints of an annotation; those of a `Field(...)` lie within it."""
    return [part for one in metadata for part in (one.metadata if isinstance(one, FieldInfo) else (one,))]


def _pattern(metadata: tuple[Any, ...]) -> str:
    return next((str(one.pattern) for one in metadata if getattr(one, "pattern", None)), "")


def _bound(metadata: tuple[Any, ...], name: str) -> Any:
    value = next((getattr(one, name) for one in metadata if getattr(one, name, None) is not None), None)
    return None if isinstance(value, (int, float)) and abs(value) >= _LARGE else value


def _range(metadata: tuple[Any, ...]) -> str:
    """`0 to 1`, `above 0`, `above 0, to 5`; of two bounds on a side the tighter one."""
    least, above = _bound(metadata, "ge"), _bound(metadata, "gt")
    most, below = _bound(metadata, "le"), _bound(metadata, "lt")
    if least is not None and above is not None:
        least, above = (None, above) if above >= least else (least, None)
    if most is not None and below is not None:
        most, below = (None, below) if below <= most else (most, None)
    if least is not None and most is not None:
        return f"{_number(least)} to {_number(most)}"
    sides = (("from", least), ("above", above), ("to", most), ("below", below))
    return ", ".join(f"{word} {_number(value)}" for word, value in sides if value is not None)


def _length(metadata: tuple[Any, ...]) -> str:
    least, most = _bound(metadata, "min_length"), _bound(metadata, "max_length")
    if least and most:
        return f"{least} to {most:,} of them"
    if least:
        return f"at least {least}"
    return f"at most {most:,}" if most else ""


def _number(value: Any) -> str:
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < _LARGE):
        return f"{int(value):,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def default_of(field: FieldInfo) -> str | None:
    """The default as TOML has it; "" where there is one that TOML cannot say, None where the key must be given."""
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", (), [], {}) or isinstance(value, BaseModel):
        return ""  # a table's default is told by its own keys
    return _toml(value)


def _toml(value: Any) -> str:
    """A value as it is written in a TOML file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(one)}' for key, one in value.items())} }}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LARGE else f"{value:g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def unit_of(name: str) -> str:
    """The unit that a name ends in; "" for a pure number."""
    if name in _PURE:
        return ""
    for ending, unit in UNITS.items():
        if name == ending or name.endswith(f"_{ending}"):
            return unit
    return ""
