"""What every TOML shape has in common: frozen, no unknown keys, no NaN, no silent coercion."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Frac", "Name", "NonNegative", "Percent", "Positive", "Shape", "TempC"]


class Shape(BaseModel):
    """Base of every shape: frozen, unknown keys refused, NaN and infinity refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        str_strip_whitespace=True,
        validate_default=True,
    )


_LARGE = 1e15  # beyond any physical quantity here; keeps products finite

Positive = Annotated[float, Field(gt=0, lt=_LARGE)]
NonNegative = Annotated[float, Field(ge=0, lt=_LARGE)]
Frac = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
TempC = Annotated[float, Field(gt=-90, lt=200)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
