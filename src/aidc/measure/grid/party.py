"""Whom a clause concerns, and which channels of a waveform are theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from aidc.record.waveform import Waveform

__all__ = ["PARTIES", "Party", "seen_by"]

Party = Literal["load", "storage"]
PARTIES: Final[tuple[Party, ...]] = ("load", "storage")

_THEIRS: Final = ("connected_frac", "in_operation_frac")


def seen_by(w: Waveform, party: Party) -> Waveform:
    """The waveform with what is connected and in operation of one party: evaluators know `connected_frac` alone."""
    if party == "load":
        return w
    channels = {name: values for name, values in w.channels.items() if name not in _THEIRS}
    for name in _THEIRS:
        own = f"{party}_{name}"
        if own in w:
            channels[name] = w[own]
    return replace(w, channels=channels)
