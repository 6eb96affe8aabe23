"""Numbers that stand for "no value": -9999 and its like, which no price and no measured power comes near."""

from __future__ import annotations

from typing import Final

import numpy as np

from aidc.scenario.series import FloatArray

__all__ = ["sentinel_row"]

_MARKS: Final = (-999.0, -9999.0, -99999.0, -999999.0, -9999999.0)


def sentinel_row(values: FloatArray) -> int | None:
    """The first row that holds a mark of missing data, None where there is none.

    A mark is one of the usual ones that lies far below everything else in its column: watts that pass through
    -9999 on their way are values.

    Parameters
    ----------
    values : ndarray (n,)
        A column; NaN is passed over.
    """
    if values.size == 0:
        return None
    low = float(np.fmin.reduce(values))
    if low not in _MARKS:
        return None
    marked = values == low
    others = values[~marked]
    if others.size and np.isfinite(others).any() and float(np.fmin.reduce(others)) <= low / 2:
        return None
    return int(np.argmax(marked))
