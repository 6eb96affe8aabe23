"""A resolved site written back as TOML, so that a run folder can be run again on its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aidc.schema.site import Site

__all__ = ["site_toml"]


def site_toml(site: Site) -> str:
    """The resolved site as TOML: every default filled in, every catalogue figure written out."""
    body = site.model_dump(mode="json", by_alias=True, exclude_none=True)
    lines = ["# A resolved site: every default filled in, every catalogue figure written out."]
    lines += [f"{key} = {_inline(value)}" for key, value in body.items() if not isinstance(value, Mapping)]
    for key, value in body.items():
        if isinstance(value, Mapping) and value:
            lines += ["", f"[{key}]", *(f"{_key(name)} = {_inline(item)}" for name, item in value.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else json.dumps(name)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_inline(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
