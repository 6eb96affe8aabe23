"""Which places of a source file may be changed, how, and which of them a seed draws.

The changes are cosmic-ray's: numbers one up or down, arithmetic and comparisons exchanged, conditions and
truth values turned, `break` for `continue`. Those of its changes that no compiled kernel survives (bit
operations on floats, taken away decorators, loops over nothing) are left out: they would count as found
without a test having looked.

Not drawn: docstrings, annotations, text and what is put into it, the arguments of what is raised or told to a
person, decorators, imports and `__all__`.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mutant", "drawn", "mutants_of"]

ROOMS = ("control", "measure", "plant", "simulate", "study")
ARITHMETIC = ("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow")
EXCHANGED = {"Add": ("Sub", "Mul"), "Sub": ("Add", "Div"), "Mul": ("Div", "Add"), "Div": ("Mul", "Sub")} | {
    "FloorDiv": ("Mul", "Div"),
    "Mod": ("FloorDiv", "Add"),
    "Pow": ("Mul", "Add"),
}
COMPARED = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
CHANGES = (
    *(f"ReplaceBinaryOperator_{old}_{new}" for old in ARITHMETIC for new in EXCHANGED[old]),
    *(f"ReplaceComparisonOperator_{old}_{new}" for old in COMPARED for new in COMPARED if new != old),
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "AddNot",
    "NumberReplacer",
)
TOLD = ("Problem", "InputError", "SimulationError", "warn")  # calls whose arguments are words for a person

Span = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one place.

    `key` names it for as long as the line and the function around it stay as they are, wherever they stand.
    """

    key: str
    path: str
    line: int
    where: str
    change: str
    occurrence: int

    @property
    def room(self) -> str:
        return Path(self.path).parts[2]


def quiet_spans(tree: ast.AST) -> list[Span]:
    """Where nothing is drawn, as (line, column) of start and end, columns counted in bytes."""
    return [_span(quiet) for node in ast.walk(tree) for quiet in _quiet(node)]


def _quiet(node: ast.AST) -> list[ast.AST]:
    """A node or those parts of it that say something, or say what type something has."""
    if _is_told(node):
        return [node]
    parts: list[ast.AST | None] = [
        getattr(node, "annotation", None),
        getattr(node, "returns", None),
        node.msg if isinstance(node, ast.Assert) else None,
        *getattr(node, "decorator_list", ()),
    ]
    return [part for part in parts if part is not None]


def _is_told(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    if isinstance(node, ast.Call):
        return _name(node.func) in TOLD
    if isinstance(node, ast.Assign):
        return _name(node.targets[0]) == "__all__"
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _span(node: ast.AST) -> Span:
    place = [node.lineno, node.col_offset, node.end_lineno, node.end_col_offset]  # type: ignore[attr-defined]
    return (place[0], place[1]), (place[2], place[3])


def functions(tree: ast.AST) -> list[tuple[int, int, str]]:
    """First line, last line and name of each function and class, outer ones first."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]


def operator_spans(tree: ast.AST) -> list[Span]:
    """Where the operators of arithmetic stand: between the two sides of each."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp)]
    return [(_span(node.left)[1], _span(node.right)[0]) for node in found]


def mutants_of(root: Path, path: Path) -> Iterator[list[Mutant]]:
    """For each place of a file that may be changed, its changes."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator

    text = path.read_text()
    tree = ast.parse(text)
    quiet, named, lines = quiet_spans(tree), functions(tree), text.split("\n")
    operators = operator_spans(tree)
    name = path.relative_to(root).as_posix()
    nodes = list(ast_nodes(get_ast(text)))
    places: dict[tuple[int, int], list[Mutant]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for change in CHANGES:
        operator = get_operator(f"core/{change}")()
        positions = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(positions):
            start = (line, len(lines[line - 1][:column].encode()))
            if any(first <= start < last for first, last in quiet):
                continue
            if "Binary" in change and not any(first <= start < last for first, last in operators):
                continue  # the star of a signature or of a call
            where = next((own for first, last, own in reversed(named) if first <= line <= last), "module")
            written = (where, lines[line - 1].strip(), change)
            seen[written] = seen.get(written, 0) + 1
            key = _digest(name, *written, str(seen[written]))[:12]
            places.setdefault(start, []).append(Mutant(key, name, line, where, change, occurrence))
    yield from (places[start] for start in sorted(places))


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def drawn(root: Path, count: int, seed: int, rooms: Sequence[str] = ROOMS) -> list[Mutant]:
    """As many mutants as asked for: each place has the same chance, and at most one of its changes is drawn.

    The places with the smallest hashes are taken, so that an edit elsewhere moves no other place in or out.
    """
    ranked: list[tuple[str, Mutant]] = []
    for room in rooms:
        for path in sorted((root / "src" / "aidc" / room).rglob("*.py")):
            for changes in mutants_of(root, path):
                chosen = min((_digest(str(seed), "change", one.key), one) for one in changes)[1]
                ranked.append((_digest(str(seed), "place", changes[0].key), chosen))
    ranked.sort(key=lambda pair: (pair[0], pair[1].key))
    return [mutant for _, mutant in ranked[:count]]
