"""With which code a command leaves, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["EXIT_CODES", "SIGNALLED"]

EXIT_CODES: Final[Mapping[int, str]] = {
    0: "Done; of `aidc check` and `aidc validate`: judged and passed.",
    1: "Judged and not passed: `aidc check`, `aidc validate`.",
    2: "Bad input: an argument, a file, a key. Everything that is wrong is named with file, key, value and remedy.",
    3: "Judged, and something that applies is not assessable: `aidc check`; `aidc validate` on a folder without data.",
    4: "The model could not go on, or memory did not suffice.",
    5: "A result could not be written: a full disk, a name that is taken.",
}
SIGNALLED: Final = "128 and the signal's number: ended by a signal (130 interrupted, 143 SIGTERM)."
