"""How a job stands to its deadline, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.report.text import MISSING, tokens

__all__ = ["deadline"]


def deadline(facts: Mapping[str, Any]) -> str:
    """What was put off of a job's work and what became of it; a dash for a job without a deadline."""
    account = facts.get("deferral")
    if not isinstance(account, Mapping):
        return MISSING
    met = account.get("met")
    word = "still open" if met is None else "met" if met else "missed"
    if account.get("possible") is False:
        word += ", could not be met"
    if not account.get("put_off_tokens"):
        return word
    parts = [f"{tokens(account['put_off_tokens'])} put off"]
    parts += [
        f"{tokens(account[key])} {what}"
        for key, what in (
            ("made_up_tokens", "made up for"),
            ("missed_tokens", "missed"),
            ("open_tokens", "to be made up for"),
        )
        if account.get(key)
    ]
    return f"{word}: {', '.join(parts)}"
