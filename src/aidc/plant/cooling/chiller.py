"""Chillers as a fraction of Carnot, behind an economiser that shares their outdoor units.

    COP = η · T_e / max(T_c − T_e, lift),   P = Q_chiller/COP · (a + b·x + c·x²)/x

T_e lies a pinch below the supply, T_c a pinch above the water (or air) that comes from outdoors. The return is
first cooled by that water as far as it goes; the chiller lifts the rest: none where the economiser reaches the
supply. η of 0.5 to 0.6 is engineering knowledge
without a checked source; published biquadratic curves stop near 13 °C leaving water, so that a supply of 20 to 40 °C
would extrapolate them. The Carnot form stays plausible there.
"""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["carnot_cop", "lifted_w", "part_load_factor", "part_load_work"]


@scalar
def carnot_cop(evaporating_k: float, condensing_k: float, carnot_frac: float, lift_min_k: float) -> float:
    """Cooling per electricity at full load, from evaporating and condensing temperature [K].

    `evaporating_k` and `condensing_k` are those temperatures [K], `carnot_frac` is the share of Carnot's COP that the
    machine reaches, and `lift_min_k` the least difference of the two that counts.
    """
    return carnot_frac * evaporating_k / max(condensing_k - evaporating_k, lift_min_k)


@scalar
def part_load_factor(load_frac: float, a: float, b: float, c: float, least: float) -> float:
    """Electricity per cooling over that at full load; machines are staged so that none runs below `least`.

    `load_frac` is cooling over the most there is; power over that at full load is `a` + `b` x + `c` x² at load x.
    """
    x = min(max(load_frac, least), 1.0)
    return (a + b * x + c * x * x) / x


@scalar
def part_load_work(load_frac: float, a: float, b: float, c: float, least: float, per_least: float) -> float:
    """Load times `part_load_factor`, without a division; `per_least` is 1 / `least`.

    `load_frac`, `a`, `b` and `c` as in `part_load_factor`.
    """
    x = min(max(load_frac, least), 1.0)
    return (a + b * x + c * x * x) * min(load_frac * per_least, 1.0) * max(load_frac, 1.0)


@scalar
def lifted_w(heat_w: float, missing_k: float, flow_w_k: float) -> float:
    """Heat [W] that the economiser leaves to the chillers, of `heat_w` in all.

    `missing_k` is how far the water that the economiser gives stays above the supply [K]; the loop's heat capacity
    flow [W/K] times that is left. The rise of the loop does not come in, so that a command above or below the
    present heat is shared by the same rule.
    """
    return min(max(flow_w_k * missing_k, 0.0), heat_w)
