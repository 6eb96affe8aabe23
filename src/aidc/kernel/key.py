"""The key of a compiled kernel: a hash of all that its machine code rests on, and of nothing else.

That is the code of every function that it reaches, with its options; the values of the globals, defaults and
closures that these read (constants, arrays, enumerations with all their members, named tuples with their
fields in order); the types of the arguments; numba, llvmlite, numpy, Python, compiler settings and processor.
What comes from Python's own library, numpy or numba is known by its name and their versions. A value of any
other kind is not guessed at: `UnkeyedError` says so, and the kernel is compiled in every process.

Not seen: an implementation that is registered from afar (`numba.extending.overload`); no kernel here has one.
"""

from __future__ import annotations

import builtins
import hashlib
import platform
import sys
from collections.abc import Callable
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config, types
from numba.core.compiler import CompilerBase
from numba.core.dispatcher import Dispatcher

from aidc.kernel.body import body_of, plain_text

__all__ = ["UnkeyedError", "kernel_key"]

_VERSIONED = frozenset(sys.stdlib_module_names) | {"numpy", "numba", "llvmlite"}
_SETTINGS = (
    "BOUNDSCHECK",
    "CPU_FEATURES",
    "CPU_NAME",
    "DEBUGINFO_DEFAULT",
    "DISABLE_INTEL_SVML",
    "ENABLE_AVX",
    "EXTEND_VARIABLE_LIFETIMES",
    "LLVM_REFPRUNE_FLAGS",
    "LLVM_REFPRUNE_PASS",
    "LOOP_VECTORIZE",
    "OPT",
    "SLP_VECTORIZE",
    "USING_SVML",
)
_SIMPLE_TYPES = (
    types.Boolean,
    types.DType,
    types.NoneType,
    types.Number,
    types.NumberClass,
    types.RangeIteratorType,
    types.RangeType,
    types.SliceType,
    types.UnicodeType,
)


class UnkeyedError(Exception):
    """A kernel reads something whose value no key can hold."""


def kernel_key(kernel: Any, arguments: tuple[Any, ...] = ()) -> str:
    """Key of a kernel.

    Parameters
    ----------
    kernel
        A dispatcher of numba.
    arguments
        numba's types of the arguments, and of the result where it is declared.

    Raises
    ------
    UnkeyedError
        Something it reads is of a kind that the key cannot hold.
    """
    return _Walk().key(kernel, arguments)


def _environment() -> str:
    """What compiles, and for which processor."""
    settings = [(name, repr(getattr(config, name, None))) for name in _SETTINGS]
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__, platform.machine())
    return repr((versions, settings))


class _Walk:
    """Goes from a kernel to all that it reaches; each function is described once, and known by its number."""

    def __init__(self) -> None:
        self._number: dict[int, int] = {}
        self._found: list[Any] = []
        self._classes: dict[type, str] = {}
        self._values: tuple[tuple[Any, Callable[[Any], str]], ...] = (
            (Dispatcher, self._reach),
            (Enum, self._member),
            (type, self._class),
            ((np.ndarray, np.generic), _array),
            (types.Type, self._type),
            (tuple, self._tuple),
            ((set, frozenset), self._set),
            (dict, self._dict),
        )
        self._types: tuple[tuple[Any, Callable[[Any], str]], ...] = (
            (types.Literal, lambda one: self._value(one.literal_value)),
            (types.Omitted, lambda one: self._value(one.value)),
            (types.BaseTuple, self._tuple_type),
            (types.Array, self._array_type),
            ((types.EnumMember, types.EnumClass), lambda one: self._class(one.instance_class)),
            (types.Dispatcher, lambda one: self._reach(one.dispatcher)),
            (types.Optional, lambda one: self._type(one.type)),
            (_SIMPLE_TYPES, str),
        )

    def key(self, kernel: Any, arguments: tuple[Any, ...]) -> str:
        text = [_environment(), repr(kernel.targetctx.codegen().magic_tuple()), self._reach(kernel)]
        text += [self._type(one) for one in arguments]
        done = 0
        while done < len(self._found):  # describing one function finds others
            text.append(self._function(self._found[done]))
            done += 1
        return hashlib.sha256("\n".join(text).encode()).hexdigest()

    def _reach(self, function: Any) -> str:
        if id(function) not in self._number:
            self._number[id(function)] = len(self._found)
            self._found.append(function)
        return f"function {self._number[id(function)]}"

    def _function(self, function: Any) -> str:
        """Code, options, defaults, closure and globals of a kernel or of a plain function that it names."""
        plain: Any = getattr(function, "py_func", function)
        body = body_of(plain.__code__)
        try:
            closure = [cell.cell_contents for cell in plain.__closure__ or ()]
        except ValueError:  # a name around it that is not bound yet
            raise UnkeyedError(f"a closure of {plain.__qualname__} that is empty") from None
        described = [body.text, self._options(function)]
        described += [self._value(one) for one in (plain.__defaults__, plain.__kwdefaults__, tuple(closure))]
        described += [f"{path}: {self._global(plain.__globals__, path)}" for path in body.reads]
        return "\n".join(described)

    def _options(self, function: Any) -> str:
        if not isinstance(function, Dispatcher):
            return "not compiled by itself"
        known: Any = function
        options = [(name, self._value(value)) for name, value in sorted(known.targetoptions.items())]
        local = [(name, self._type(one)) for name, one in sorted(known.locals.items())]
        pipeline = self._value(known._compiler.pipeline_class)  # noqa: SLF001
        return repr((options, local, pipeline))

    def _global(self, names: dict[str, Any], path: tuple[str, ...]) -> str:
        """A global by name; of a module, what is taken out of it."""
        name, *attributes = path
        value = names.get(name, getattr(builtins, name, _MISSING))
        while isinstance(value, ModuleType) and attributes:
            value = getattr(value, attributes.pop(0), _MISSING)
        if value is _MISSING:
            raise UnkeyedError(f"{'.'.join(path)}, which does not exist")
        try:
            return self._value(value)
        except UnkeyedError as missing:
            raise UnkeyedError(f"{missing} (as {'.'.join(path)})") from None

    def _value(self, value: Any) -> str:
        text = plain_text(value)
        if text is None:
            describe = next((way for kinds, way in self._values if isinstance(value, kinds)), self._named)
            text = describe(value)
        return text

    def _member(self, value: Enum) -> str:
        return f"{self._class(type(value))}.{value.name}"

    def _tuple(self, value: tuple[Any, ...]) -> str:
        return f"{self._class(type(value))}({','.join(self._value(one) for one in value)})"

    def _set(self, value: frozenset[Any]) -> str:
        return f"{type(value).__name__}{sorted(self._value(one) for one in value)}"

    def _dict(self, value: dict[Any, Any]) -> str:
        return f"{{{','.join(f'{self._value(key)}: {self._value(one)}' for key, one in value.items())}}}"

    def _named(self, value: Any) -> str:
        """What stands by its name in a library of a known version, or is a plain function: its code is followed."""
        home = "numpy" if isinstance(value, np.ufunc) else getattr(value, "__module__", None)
        name = getattr(value, "__qualname__", getattr(value, "__name__", None))
        if isinstance(value, ModuleType):
            home, name = value.__name__, ""
        if _stands_at(home, name, value):
            return f"{home} {name}"
        if isinstance(value, FunctionType):
            return self._reach(value)
        raise UnkeyedError(f"{value!r}, a {type(value).__name__}")

    def _class(self, one: type) -> str:
        if one not in self._classes:
            self._classes[one] = self._describe_class(one)
        return self._classes[one]

    def _describe_class(self, one: type) -> str:
        """An enumeration with all its members, a named tuple with its fields, in their order."""
        name = f"{one.__module__} {one.__qualname__}"
        if issubclass(one, Enum):
            kinds = [base.__name__ for base in one.__mro__]
            return (
                f"{name} {kinds} {[(key, self._value(each.value)) for key, each in one.__members__.items()]}"
            )
        fields: Any = getattr(one, "_fields", None)
        if issubclass(one, tuple) and fields is not None:
            defaults: Any = getattr(one, "_field_defaults", {})
            return f"{name} {fields} {self._value(defaults)}"
        if one.__module__.partition(".")[0] in _VERSIONED or issubclass(one, CompilerBase):
            return name  # of a compiler: it decides how fast a kernel is, not what it gives
        raise UnkeyedError(f"the class {one.__qualname__}")

    def _type(self, one: Any) -> str:
        """A type of numba, down to the classes and functions that it stands for."""
        for kinds, describe in self._types:
            if isinstance(one, kinds):
                return f"{type(one).__name__} {describe(one)}"
        raise UnkeyedError(f"an argument of type {one}")

    def _tuple_type(self, one: Any) -> str:
        own = getattr(one, "instance_class", tuple)
        return f"{self._class(own)}({','.join(self._type(item) for item in one)})"

    def _array_type(self, one: Any) -> str:
        return f"{(one.ndim, one.layout, one.mutable, one.aligned)} {self._type(one.dtype)}"


_MISSING = object()


def _stands_at(home: Any, name: Any, value: Any) -> bool:
    """Whether a value is what its library has by that name, and not something made with its help."""
    if not isinstance(home, str) or not isinstance(name, str) or home.partition(".")[0] not in _VERSIONED:
        return False
    there: Any = sys.modules.get(home)
    for part in name.split(".") if name else ():
        there = getattr(there, part, None)
    return there is value


def _array(value: np.ndarray[Any, Any] | np.generic) -> str:
    """A constant array by its content; numba freezes it into the code."""
    held = np.asarray(value)
    if held.dtype.hasobject:
        raise UnkeyedError(f"an array of {held.dtype}")
    return f"{type(value).__name__} {held.dtype!r} {held.shape} {held.strides} {held.tobytes().hex()}"
