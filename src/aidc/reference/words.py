"""What the schema says of its keys: the text under each field, read from the source when somebody asks.

pydantic can do this at import (`use_attribute_docstrings`), by reading the source of every shape; that would cost
every command what only the reference needs.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel

__all__ = ["meaning_of", "shape_words"]


def meaning_of(shape: type[BaseModel], name: str) -> str:
    """What a field means, in words: its description, or the text under it in the nearest shape that has one."""
    described = shape.model_fields[name].description
    if described:
        return _sentence(described)
    for base in shape.__mro__:
        text = _texts(base.__module__).get((base.__qualname__, name)) if issubclass(base, BaseModel) else None
        if text:
            return text
    return ""


def shape_words(shape: type[BaseModel]) -> str:
    """The docstring of a shape, its paragraphs as lines."""
    text = inspect.cleandoc(shape.__dict__.get("__doc__") or "")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


@cache
def _texts(module: str) -> Mapping[tuple[str, str], str]:
    """The text under each field of each class of a module."""
    if not module.startswith("aidc."):
        return {}
    found: dict[tuple[str, str], str] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for one, after in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(one, ast.AnnAssign)
                and isinstance(one.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[node.name, one.target.id] = " ".join(after.value.value.split())
    return found


def _sentence(text: str) -> str:
    """A description as a sentence, as the texts under fields are."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith(".") else f"{whole}."
