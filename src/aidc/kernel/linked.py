"""Functions that only other kernels call: kept as LLVM's code and linked into the engine, which alone is compiled.

Numba makes machine code of every function that it compiles, and of all that the function calls, before a caller gets
to see it: what lies five calls below an engine would be optimised and assembled six times, five of them for nothing.
"""

# ruff: noqa: SLF001 - what numba's own libraries do in `finalize` has no public name
from __future__ import annotations

from typing import Any, Literal

from numba._dynfunc import make_function  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult  # pyright: ignore[reportPrivateUsage]
from numba.core.compiler_machinery import register_pass
from numba.core.funcdesc import PythonFunctionDescriptor
from numba.core.typed_passes import NativeLowering

__all__ = ["LinkedCompiler"]


class _LinkedLibrary(JITCodeLibrary):
    """Code to be linked into that of a caller; LLVM sees each function once by itself, and all in the engine."""

    def finalize(self) -> None:
        """Take in what the function calls; nothing is optimised as a whole, and no machine code made."""
        library: Any = self
        library._raise_if_finalized()
        for called in dict.fromkeys(library._linking_libraries):
            library._reload_init.update(called._reload_init)
            library._final_module.link_in(called._get_module_for_linking(), preserve=True)
        library._final_module.verify()
        library._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(NativeLowering):
    """`NativeLowering` into a `_LinkedLibrary`, without an entry for Python."""

    _name = "linked_lowering"

    def run_pass(self, state: Any) -> Literal[True]:
        """Lower the function, and register it for its callers."""
        target, flags = state.targetctx, state.flags
        library: Any = _LinkedLibrary(target.codegen(), state.func_id.func_qualname)
        library._reload_init.update(state.reload_init)
        described: Any = PythonFunctionDescriptor.from_specialized_function(
            state.func_ir,
            state.typemap,
            state.return_type,
            state.calltypes,
            mangler=target.mangler,
            inline=flags.forceinline,
            noalias=flags.noalias,
            abi_tags=[flags.get_mangle_string()],
        )
        with target.push_code_library(library):
            lower: Any = self.lowering_class(
                target, library, described, state.func_ir, metadata=state.metadata
            )
            lower.lower()
        library.finalize()
        name = described.qualname.split(".")[-1]
        entry: Any = make_function(described.lookup_module(), name, "", 0, lower.env, (library,))
        target.insert_user_function(entry, described, [library])
        state.reload_init.extend(library._reload_init)
        state["cr"] = _LowerResult(described, lower.call_helper, cfunc=entry, env=lower.env)
        return True


class LinkedCompiler(CompilerBase):
    """Numba's pipeline, up to LLVM's code."""

    def define_pipelines(self) -> list[Any]:
        """One pipeline, as numba's own but for its last step."""
        passes: Any = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (_LinkedLowering, text) if one is NativeLowering else (one, text) for one, text in passes.passes
        ]
        passes.finalize()
        return [passes]
