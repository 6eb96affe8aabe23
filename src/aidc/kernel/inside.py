"""Whether this numba is one whose inner workings `bundle` and `linked` are known to fit.

Both reach into what numba does not promise to keep. With another version kernels are compiled as numba does it, which
takes twice the time and memory and gives the same results.
"""

from __future__ import annotations

from typing import Final

import numba

__all__ = ["TRIED", "known_inside"]

TRIED: Final = ("0.68.",)


def known_inside() -> bool:
    """Whether numba's version is one of those tried."""
    return numba.__version__.startswith(TRIED)
