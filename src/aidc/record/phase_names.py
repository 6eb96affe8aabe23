"""Names that people and recorders give to columns: plain ones, units in words or brackets, labels of phases."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["phase_in", "phase_of", "plain", "unit_of"]

_BRACKETS = re.compile(r"[\s_]*[\[(]\s*([^\])]*?)\s*[\])]\s*$")
_UNITS: Final = {
    "v": "v", "volt": "v", "volts": "v", "vrms": "v", "v rms": "v", "kv": "kv", "kilovolt": "kv", "kilovolts": "kv",
    "kvolt": "kv", "kvolts": "kv", "kvrms": "kv", "kv rms": "kv", "a": "a", "amp": "a", "amps": "a", "ampere": "a",
    "amperes": "a", "arms": "a", "a rms": "a", "ka": "ka", "kiloamp": "ka", "kiloamps": "ka", "kiloampere": "ka",
    "kiloamperes": "ka", "karms": "ka", "ka rms": "ka",
}  # fmt: skip
_LETTERS: Final = ("abc", "rst", "123")
_NEUTRAL: Final = {
    f"{before}{letter}{after}": place
    for letters in _LETTERS
    for place, letter in enumerate(letters)
    for before in ("", "l", "p", "ph")
    for after in ("", "n", "g")
}
_BETWEEN: Final = {
    f"{before}{letters[place]}{again}{letters[(place + 1) % 3]}": place
    for letters in _LETTERS
    for place in range(3)
    for before in ("", "l")
    for again in ("", "l")
}
_NAMED = re.compile(
    r"(?:^|.*[\s_.:/-])(?:(?P<word>voltage|volt|current)|(?P<letter>[vuie]))[\s_.:-]*(?P<label>[a-z0-9][a-z0-9\s_/-]{0,7})$"
)


def plain(name: str) -> str:
    """A name in small letters with underscores, its unit in brackets as its last word: `P [MW]` is `p_mw`."""
    lower = name.strip().lower()
    unit = _BRACKETS.search(lower)
    if unit is not None and unit.group(1):
        lower = f"{lower[: unit.start()]}_{unit.group(1)}"
    return re.sub(r"[\s.-]+", "_", lower).strip("_")


def unit_of(text: str) -> str:
    """A unit of voltage or current as `v`, `kv`, `a` or `ka`, however it is written; else empty.

    Millivolts and megavolts differ in the case of a letter that recorders do not keep: neither is taken.
    """
    return _UNITS.get(" ".join(text.strip().strip("[]()").lower().split()), "")


def phase_of(label: str) -> tuple[bool, int] | None:
    """Whether a label names two phases (`AB`, `L1-L2`), and the place of its phase, or of its pair; None if neither."""
    bare = re.sub(r"[\s_/.-]+", "", label.lower())
    if bare in _NEUTRAL:
        return False, _NEUTRAL[bare]
    return (True, _BETWEEN[bare]) if bare in _BETWEEN else None


def phase_in(name: str) -> tuple[bool, int] | None:
    """The same from the name of a channel, such as `Bus 1 VAB` or `U_L1`."""
    found = _NAMED.match(name.strip().lower())
    return None if found is None else phase_of(found.group("label"))
