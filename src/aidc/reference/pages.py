"""The reference of keys as words and as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aidc.reference.forms import FILES
from aidc.reference.keys import Key, Table
from aidc.reference.lookup import tables

__all__ = ["HEAD", "cell", "default_words", "keys_page", "uses_words", "value_words"]

HEAD = "<!-- Written by `make reference` from the schema. Do not edit. -->\n"


def value_words(key: Key) -> str:
    """What may stand there: type and range."""
    if key.kind == "one of":
        return key.range
    if key.table:
        return f"{key.kind} → {key.table.replace('[]', '')}"
    if key.entry:
        return f"{key.kind} of catalogue.{key.entry}"
    return f"{key.kind}, {key.range}" if key.range else key.kind


def default_words(key: Key) -> str:
    """What holds where the key is left out: the value, the entry's, nothing; or that it must be given."""
    if key.from_entry:
        return "the entry's"
    return "required" if key.default is None else key.default


def uses_words(table: Table) -> str:
    """What `use` brings to a table; "" where it has none."""
    if not table.uses:
        return ""
    if table.beside:
        return (
            f"`use` names an entry of the catalogue (`aidc catalogue {table.uses}`); every key of "
            f"catalogue.{table.uses} may stand beside it and overrides the entry's."
        )
    return f"`use` names an entry of the catalogue (`aidc catalogue {table.uses}`), whose figures the keys here override."


def keys_page() -> str:
    """`docs/reference/keys.md`: every key of every file."""
    parts = [HEAD, "# Keys\n", _INTRODUCTION]
    told: dict[tuple[tuple[str, ...], str], str] = {}
    for title, words, mine in _files():
        parts.append(f"## {title}\n\n{words}\n")
        parts += [_section(table, told) for table in mine]
    return "\n".join(parts)


_INTRODUCTION = """\
Every key of every file that people write. `aidc keys PATH` prints the same at the terminal (`aidc keys cooling.warm`,
`aidc keys supply_temp_c`), `aidc keys --json` for programs. NAME stands for a name of your own and `[]` for a table of a
list. An empty default means what the last column says, or nothing at all. "The entry's" is the figure of the catalogue's
entry that `use` names; `aidc catalogue KIND NAME` shows it with its source and its mark. Where the text of a table or a key
names a source, defaults come from it; other defaults are engineering choices without a checked source.
"""


def _files() -> Iterator[tuple[str, str, Sequence[Table]]]:
    others = {file.prefix for file in FILES if file.prefix}
    for file in FILES:
        mine = [
            table
            for table in tables()
            if (first := table.path.partition(".")[0]) == file.prefix
            or (not file.prefix and first not in others and first != "catalogue")
        ]
        yield file.title, file.told, mine
    entries = [table for table in tables() if table.path.startswith("catalogue.")]
    told = (
        "Your own lie in `catalogue/KIND/NAME.toml` beside the site. Every figure is written `{ value = …, source = …, "
        "confidence = … }`, and `title` and `[sources.NAME]` with `title`, `url` or `doi` say where it is from."
    )
    yield "Catalogue entries", told, entries


def _section(table: Table, told: dict[tuple[tuple[str, ...], str], str]) -> str:
    """A table; one that has stood before at another path is only named."""
    path = table.path or "the top of the file"
    title = f"### `{path}`" + (f", {table.tag}" if table.tag else "")
    names = (tuple(key.name for key in table.keys if key.name != "use"), table.meaning)
    if names in told and table.keys:
        return f"{title}\n\nKeys as in `{told[names]}`.\n"
    told[names] = table.path or "site file"
    rows = [
        f"| `{key.name}` | {cell(value_words(key))} | {key.unit} | {cell(default_words(key))} | {cell(key.meaning)} |"
        for key in table.keys
    ]
    words = "\n\n".join(part for part in (table.meaning, uses_words(table)) if part)
    head = "| key | value | unit | default | meaning |\n|---|---|---|---|---|"
    return "\n".join([title, "", words, "", head, *rows, ""])


def cell(text: str) -> str:
    """Text in a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
