"""Heat that is used elsewhere (a district network, a greenhouse) instead of rejected."""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["reused_heat_w"]


@scalar
def reused_heat_w(heat_w: float, return_k: float, frac: float, limit_w: float, min_k: float) -> float:
    """Heat that is used elsewhere instead of rejected [W].

    `heat_w` is what the loop gives away, `return_k` the temperature at which it comes back from the racks, `frac` the
    share that is taken at most and `limit_w` the most that the user takes [W]; none below `min_k`.
    """
    return min(max(heat_w, 0.0) * frac, limit_w) if return_k >= min_k else 0.0
