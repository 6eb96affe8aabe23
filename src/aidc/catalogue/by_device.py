"""Which entries serve an accelerator that no site file names: its power cap, training levels and ripple."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aidc.catalogue.entry import Entry
from aidc.catalogue.shelf import names, read

__all__ = ["DEVICE_KINDS", "powercap_entry", "ripple_entry", "training_entry"]

DEVICE_KINDS: Final = ("powercap", "training", "ripple")
_GENERIC: Final = "generic"
_RIPPLE: Final = "h100"  # the one that was measured


def powercap_entry(accelerator: str, search: Sequence[Path] = ()) -> Entry:
    """The first entry, by name, that lists the accelerator; else the generic one.

    Raises
    ------
    InputError
        An entry on the way cannot be read.
    """
    for name in names("powercap", search):
        entry = read("powercap", name, search)
        listed = entry.values.get("accelerators")
        if isinstance(listed, list) and accelerator in listed:
            return entry
    return read("powercap", _GENERIC, search)


def training_entry(accelerator: str, search: Sequence[Path] = ()) -> Entry:
    """The entry with the longest name that begins the accelerator's; else the generic one.

    Raises
    ------
    InputError
        The entry cannot be read.
    """
    plain = accelerator.lower()
    known = [name for name in names("training", search) if plain == name or plain.startswith(f"{name}-")]
    return read("training", max(known, key=len, default=_GENERIC), search)


def ripple_entry(accelerator: str, search: Sequence[Path] = ()) -> Entry:
    """The accelerator's own entry, else that of the one that was measured.

    Raises
    ------
    InputError
        The entry cannot be read.
    """
    return read("ripple", accelerator if accelerator in names("ripple", search) else _RIPPLE, search)
