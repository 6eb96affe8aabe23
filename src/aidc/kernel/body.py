"""What a Python function compiles to, as text: the same for every layout, comment and docstring.

The text is made from the byte code, which is what numba compiles, and not from the source file: a file
that was edited after it was imported cannot lend its key to the code that was imported before.
"""

from __future__ import annotations

import dis
import sys
from functools import cache
from types import CodeType, EllipsisType
from typing import Any, NamedTuple

__all__ = ["Body", "body_of", "plain_text"]

_EXTENDED = dis.EXTENDED_ARG
_GLOBAL = dis.opmap["LOAD_GLOBAL"]
_ATTRIBUTE = dis.opmap["LOAD_ATTR"]
_METHOD = dis.opmap.get("LOAD_METHOD", _ATTRIBUTE)
_ATTRIBUTE_SHIFT = (
    1 if sys.version_info >= (3, 12) else 0
)  # the lowest bit then tells methods from attributes
_CACHE = dis.opmap["CACHE"]
_CONSTANTS = frozenset(dis.hasconst)
_HAS_DOCSTRING = 0x4000000  # a flag since Python 3.13
_PLAIN = (int, float, complex, str, bytes, bool, type(None), EllipsisType, range)


class Body(NamedTuple):
    """The text of a function's code, and the globals that it reads, each with the attributes taken from it."""

    text: str
    reads: tuple[tuple[str, ...], ...]


@cache
def body_of(code: CodeType) -> Body:
    """Read a code object, and those of the functions inside it."""
    plain = bytearray(code.co_code)
    constants: list[str] = []
    reads: list[tuple[str, ...]] = []
    chain = False  # whether what came last was a global, or an attribute of one
    high = 0
    for place in range(0, len(plain), 2):
        op, argument = plain[place], plain[place + 1] | high
        high = 0
        if op == _EXTENDED:
            high = argument << 8
        elif op in _CONSTANTS:
            constants.append(_constant(code.co_consts[argument], reads))
            _blank(plain, place)
            chain = False
        elif op == _GLOBAL:
            reads.append((code.co_names[argument >> 1],))
            chain = True
        elif chain and op in (_ATTRIBUTE, _METHOD):
            shift = _ATTRIBUTE_SHIFT if op == _ATTRIBUTE else 0
            reads[-1] = (*reads[-1], code.co_names[argument >> shift])
        elif op != _CACHE:
            chain = False
    return Body(f"{_shape(code)}{plain.hex()}{constants}", tuple(dict.fromkeys(reads)))


def _shape(code: CodeType) -> str:
    """What the instructions refer to by number, and how the function is called."""
    return repr(
        (
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_flags & ~_HAS_DOCSTRING,
            code.co_names,
            code.co_varnames,
            code.co_cellvars,
            code.co_freevars,
            code.co_exceptiontable,
        )
    )


def _blank(plain: bytearray, place: int) -> None:
    """Forget the number of a constant, which a docstring before it moves; the constant itself is kept."""
    plain[place + 1] = 0
    while place >= 2 and plain[place - 2] == _EXTENDED:
        place -= 2
        plain[place + 1] = 0


def _constant(value: Any, reads: list[tuple[str, ...]]) -> str:
    """A constant as text; a function inside gives its code, and what it reads is added to `reads`."""
    if isinstance(value, CodeType):
        inner = body_of(value)
        reads += inner.reads
        return inner.text
    if isinstance(value, tuple):
        parts: tuple[Any, ...] = value
        return f"({','.join(_constant(one, reads) for one in parts)})"
    if isinstance(value, frozenset):
        members: frozenset[Any] = value
        return f"{{{','.join(sorted(_constant(one, reads) for one in members))}}}"
    return plain_text(value) or repr(value)


def plain_text(value: Any) -> str | None:
    """A number, a string and the like with its type, so that 1, 1.0 and True differ; None for all else."""
    return f"{type(value).__name__} {value!r}" if type(value) in _PLAIN else None
