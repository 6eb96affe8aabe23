"""Options of a controller that may be secret, and what stands in their place wherever a run is written down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from aidc.schema.site import Site

__all__ = ["MASK", "is_secret_name", "masked", "masked_paths", "without_secrets"]

MASK: Final = "(masked)"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET = frozenset(
    {"token", "key", "apikey", "password", "passwd", "passphrase", "pass", "pwd", "pin", "secret", "secrets"}
    | {"credential", "credentials", "auth", "authorization", "bearer", "cookie", "passwords", "keys"}
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_IN_QUERY = re.compile(r"(?<=[?&])([\w.-]+)=[^&\s#]*")


def is_secret_name(name: str) -> bool:
    """Whether an option's name has a word such as token, key or password in it.

    `tokens` counts with text alone (see `masked`): here tokens are what models make.
    """
    return any(word.lower() in _SECRET for word in _WORD.findall(name))


def masked(value: Any, name: str = "") -> Any:
    """The value with what may be secret replaced by `MASK`, tables and lists below it likewise."""
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret_name(str(key)) and item is not None else masked(item, str(key))
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [masked(item, name) for item in value]
    if not isinstance(value, str):
        return value
    if "tokens" in (word.lower() for word in _WORD.findall(name)):
        return MASK
    value = _IN_ADDRESS.sub(MASK, value)
    return _IN_QUERY.sub(lambda part: f"{part[1]}={MASK}" if is_secret_name(part[1]) else part[0], value)


def masked_paths(value: Any, path: str = "") -> list[str]:
    """Dotted keys whose value was masked when a run was written."""
    if isinstance(value, Mapping):
        return [key for name, item in value.items() for key in masked_paths(item, f"{path}.{name}")]
    if isinstance(value, (list, tuple)):
        return [key for place, item in enumerate(value) for key in masked_paths(item, f"{path}[{place}]")]
    return [path.removeprefix(".")] if isinstance(value, str) and MASK in value else []


def without_secrets(site: Site) -> Site:
    """The same site with its controller's options masked."""
    control = site.control.model_copy(update={"options": masked(site.control.options)})
    return site.model_copy(update={"control": control})
