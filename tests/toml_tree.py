"""Tables as TOML text, broken ones too, and the places in them, for tests that spoil them."""

from __future__ import annotations

from datetime import date, datetime, time


def toml(tables: dict) -> str:
    """Any tables as TOML text."""
    return "".join(f"{_value(str(key))} = {_value(value)}\n" for key, value in tables.items())


def _value(value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_value(str(key))} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in plain) + '"'
    return repr(value)


def places(node, path=()):
    """The path of every value and table below a node."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def at(node, path):
    for part in path:
        node = node[part]
    return node
