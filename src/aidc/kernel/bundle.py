"""Named tuples of arrays as arguments of kernels: a pointer to them, not all their parts.

Numba hands every array of a tuple on as its nine parts. An engine whose bundles hold a hundred arrays then has
a thousand arguments to each of its hundreds of calls, which is most of what compiling it takes. Here a kernel has
the address of the tuple, which lies in the frame of the wrapper that Python called, and loads what it names.

Nothing writes to such a tuple while a kernel runs (tuples do not change, and none is made within a kernel), so LLVM is
told that its loads are invariant: they may be moved, kept and done again as suits. That holds as long as the wrapper,
which has written it, is another function: so what is not inlined into a kernel by order is not inlined at all.
"""

from __future__ import annotations

from typing import Any, TypeVar

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.boxing import unbox_tuple
from numba.core.datamodel.models import PrimitiveModel, TupleModel
from numba.core.datamodel.registry import register_default
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.pythonapi import NativeValue, unbox
from numba.core.typing.typeof import typeof_impl

from aidc.kernel.inside import known_inside

__all__ = ["bundle"]

T = TypeVar("T", bound=tuple[Any, ...])
_WORD_BYTES = 8  # of every part of an array, and of every number


class BundleType(types.NamedTuple):
    """A named tuple that kernels know by its address."""

    def plain(self) -> types.NamedTuple:
        """The same as numba has it."""
        return types.NamedTuple(self.types, self.instance_class)


@register_default(BundleType)
class _BundleModel(PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: BundleType) -> None:
        super().__init__(dmm, fe_type, TupleModel(dmm, fe_type).get_value_type().as_pointer())

    def from_argument(self, builder: Any, value: Any) -> Any:
        function = builder.function
        if "alwaysinline" not in function.attributes:
            function.attributes.add("noinline")
        return value


@unbox(BundleType)
def _unbox(kind: BundleType, value: Any, context: Any) -> Any:
    """Lay the tuple out in the frame of the wrapper."""
    whole = unbox_tuple(kind.plain(), value, context)
    place = cgutils.alloca_once_value(context.builder, whole.value)
    return NativeValue(place, cleanup=whole.cleanup, is_error=whole.is_error)


def _load(builder: Any, place: Any) -> Any:
    """The value at an address, part by part, as one that never changes."""
    kind = place.type.pointee
    if not isinstance(kind, (ir.LiteralStructType, ir.ArrayType)):
        loaded = builder.load(place)
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded
    value = ir.Constant(kind, ir.Undefined)
    for k in range(len(kind.elements) if isinstance(kind, ir.LiteralStructType) else kind.count):
        part = _load(builder, cgutils.gep_inbounds(builder, place, 0, k))
        value = builder.insert_value(value, part, k)
    return value


@lower_getattr_generic(BundleType)
def _get(context: Any, builder: Any, kind: BundleType, value: Any, name: str) -> Any:
    number = kind.fields.index(name)
    loaded = _load(builder, cgutils.gep_inbounds(builder, value, 0, number))
    return impl_ret_borrowed(context, builder, kind[number], loaded)


def bundle(kind: type[T]) -> type[T]:
    """Let kernels know instances of a named tuple by their address; for Python they are what they were."""
    if not known_inside():
        return kind

    def type_of(value: Any, context: Any) -> BundleType:
        return BundleType([typeof_impl(one, context) for one in value], kind)

    typeof_impl.register(kind, type_of)
    return kind
