"""What every TOML shape has in common: frozen, no unknown keys, no NaN, no silent coercion."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

__all__ = ["Frac", "Name", "NonNegative", "Percent", "Positive", "Shape", "TempC"]


_EXACT = ("float", "int", "bool")
_NOT_SCHEMAS = ("metadata", "serialization", "cls", "config", "default", "function", "expected")


def _make_exact(node: Any) -> None:
    """Change a core schema in place: no coercion to numbers, truth values, times and literals."""
    if isinstance(node, (list, tuple)):
        for item in node:
            _make_exact(item)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind in _EXACT:
        node["strict"] = True
    elif kind in ("datetime", "date"):
        _put_before(node, _no_number)
    elif kind == "literal":
        if any(isinstance(value, int) and not isinstance(value, bool) for value in node["expected"]):
            _put_before(node, _no_truth)
    else:
        for key, item in node.items():
            if key not in _NOT_SCHEMAS:
                _make_exact(item)


def _put_before(node: dict[str, Any], check: Any) -> None:
    inner = dict(node)
    node.clear()
    node.update(core_schema.no_info_before_validator_function(check, inner))  # type: ignore[arg-type]


def _no_number(value: Any) -> Any:
    """Numbers are no times: nobody can tell what they count, and from when."""
    if isinstance(value, date):  # a datetime is one
        return value
    if isinstance(value, str) and len(value) <= 64 and "-" in value[1:]:
        return value
    raise ValueError("is no date and time. Write it as 2025-07-07T00:00:00Z")


def _no_truth(value: Any) -> Any:
    if isinstance(value, (bool, float)):  # a ValueError is what pydantic takes for a refusal
        raise ValueError(  # noqa: TRY004
            "should be one of the numbers that are known here, not a truth value or a fraction"
        )
    return value


class Shape(BaseModel):
    """Base of every shape: frozen, unknown keys refused, NaN and infinity refused, nothing taken for something else.

    pydantic alone would run `import_limit_mw = true` as 1 MW, `racks = "6"` as 6 and `start = 1751868000` as a
    date. A whole number may stand where a number with a fraction may, and a quoted ISO 8601 time for a time.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        str_strip_whitespace=True,
        validate_default=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _make_exact(schema)
        return schema


_LARGE = 1e15  # beyond any physical quantity here; keeps products finite

Positive = Annotated[float, Field(gt=0, lt=_LARGE)]
NonNegative = Annotated[float, Field(ge=0, lt=_LARGE)]
Frac = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
TempC = Annotated[float, Field(gt=-90, lt=200)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
