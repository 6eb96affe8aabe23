"""Capacity loss of lithium iron phosphate cells by two published models, from a series of SOC.

Both models are power laws, `q = k·t^n` on the calendar and `q = k·EFC^n` in use, whose rates k depend
on the stress of the moment. Under changing stress a loss continues on the new law from the loss
reached so far, so `q^(1/n) = Σ k_i^(1/n)·Δ_i`: sums without order, hence plain array arithmetic.

naumann
    Sony/Murata 3 Ah cell. Naumann et al., J. Energy Storage 17 (2018) 153, doi:10.1016/j.est.2018.01.019
    (calendar, 0-60 °C); J. Power Sources 451 (2020) 227666, doi:10.1016/j.jpowsour.2019.227666 (cycles,
    to 1 C); as used in SimSES (tum-ees/simses, `sony_lfp_calendar`, `sony_lfp_cyclic`).
blast
    Prismatic cell > 250 Ah. Gasper et al., J. Energy Storage 73 (2023) 109042,
    doi:10.1016/j.est.2023.109042, table A.5, as in BLAST-Lite (NREL/BLAST-Lite,
    `lfp_gr_250AhPrismatic_2019`); fitted on 10-45 °C, DOD 0.8-1, charge ≤ 0.65 C. Cells made since 2023
    age more slowly, so its figure is on the safe side.

Neither predicts a knee, and neither was fitted on ten years: both extrapolate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.plant.rainflow import Cycles, cycles
from aidc.units import DAY_S

__all__ = [
    "MODELS",
    "AgeingModel",
    "AgeingResult",
    "after_repeats",
    "calendar_loss_pct",
    "calendar_stress",
    "cycle_loss_pct",
    "cycle_stress",
    "graphite_potential_v",
    "summarise",
    "summarise_all",
]

FloatArray = NDArray[np.float64]

GAS_CONSTANT_J_PER_MOL_K: Final = 8.3144598


class AgeingResult(NamedTuple):
    """Equivalent full cycles, energy through the cells one way [J], and loss of capacity [%]."""

    equivalent_full_cycles: float
    throughput_j: float
    calendar_pct: float
    cycle_pct: float

    @property
    def total_pct(self) -> float:
        """Loss of capacity in all [%]."""
        return self.calendar_pct + self.cycle_pct


@dataclass(frozen=True, slots=True)
class AgeingModel:
    """Rates of loss (fraction per day^n, per cycle^n) over stress, and the exponents n.

    `calendar_rate(soc_frac, temp_k)` and `cycle_rate(depth_frac, c_rate_per_h, temp_k)` take arrays.
    """

    calendar_rate: Callable[[FloatArray, FloatArray], FloatArray]
    calendar_exponent: float
    cycle_rate: Callable[[FloatArray, FloatArray, float], FloatArray]
    cycle_exponent: float


def graphite_potential_v(soc_frac: FloatArray) -> FloatArray:
    """Potential of the graphite electrode against lithium [V].

    Safari and Delacourt, J. Electrochem. Soc. 158 (2011) A562, doi:10.1149/1.3567007; stoichiometry over
    SOC by Schimpe et al., J. Electrochem. Soc. 165 (2018) A181, doi:10.1149/2.1181714jes.
    """
    x = 8.5e-3 + soc_frac * (0.78 - 8.5e-3)
    return (
        0.6379
        + 0.5416 * np.exp(-305.5309 * x)
        + 0.044 * np.tanh(-(x - 0.1958) / 0.1088)
        - 0.1978 * np.tanh((x - 1.0571) / 0.0854)
        - 0.6875 * np.tanh((x + 0.0117) / 0.0529)
        - 0.0175 * np.tanh((x - 0.5692) / 0.0875)
    )


def _naumann_calendar(soc_frac: FloatArray, temp_k: FloatArray) -> FloatArray:
    arrhenius = np.exp(-17126.0 / GAS_CONSTANT_J_PER_MOL_K * (1 / temp_k - 1 / 298.15))
    return 1.2571e-5 * np.sqrt(DAY_S) * arrhenius * (2.8575 * (soc_frac - 0.5) ** 3 + 0.60225)


def _naumann_cycle(depth_frac: FloatArray, c_rate_per_h: FloatArray, temp_k: float) -> FloatArray:
    _ = temp_k  # the cycle tests of this model showed no clear dependence on temperature
    return 0.01 * (0.0630 * c_rate_per_h + 0.0971) * (4.0253 * (depth_frac - 0.6) ** 3 + 1.0923)


def _blast_calendar(soc_frac: FloatArray, temp_k: FloatArray) -> FloatArray:
    return 8.37e4 * np.exp(-5210.0 / temp_k - 3560.0 * graphite_potential_v(soc_frac) / temp_k)


def _blast_cycle(depth_frac: FloatArray, c_rate_per_h: FloatArray, temp_k: float) -> FloatArray:
    temperature = np.exp(2190.0 / temp_k) + np.exp(-1.55e5 / temp_k)
    return (4.38e-8 + 1.55e-8 * depth_frac + 1.68e-7 * c_rate_per_h) * temperature


MODELS: Final[Mapping[str, AgeingModel]] = {
    "naumann": AgeingModel(_naumann_calendar, 0.5, _naumann_cycle, 0.5),
    "blast": AgeingModel(_blast_calendar, 0.526, _blast_cycle, 0.828),
}


def calendar_loss_pct(
    soc_frac: FloatArray, step_s: float, temp_k: float | FloatArray, model: str = "naumann"
) -> float:
    """Loss of capacity by the passing of time [%].

    Parameters
    ----------
    soc_frac
        State of charge, one value per step, shape (n_step,).
    step_s
        Length of a step [s].
    temp_k
        Cell temperature [K], one value or one per step.
    model
        "naumann" or "blast".
    """
    law = MODELS[model]
    virtual_days = calendar_stress(soc_frac, temp_k, model).sum() * step_s / DAY_S
    return float(100 * virtual_days**law.calendar_exponent)


def calendar_stress(soc_frac: FloatArray, temp_k: float | FloatArray, model: str) -> FloatArray:
    """k^(1/n) of the calendar at each state of charge: what a day adds to the sum behind the loss."""
    law = MODELS[model]
    rate = law.calendar_rate(soc_frac, np.asarray(temp_k, dtype=np.float64))
    return np.maximum(rate, 0.0) ** (1 / law.calendar_exponent)


def cycle_stress(found: Cycles, temp_k: float, model: str) -> float:
    """Σ k^(1/n) over equivalent full cycles: what these cycles add to the sum behind the loss."""
    law = MODELS[model]
    rate = law.cycle_rate(found.depth_frac, found.c_rate_per_h, temp_k)
    full_cycles = found.weight * found.depth_frac
    return float((np.maximum(rate, 0.0) ** (1 / law.cycle_exponent) * full_cycles).sum())


def cycle_loss_pct(found: Cycles, temp_k: float, model: str = "naumann") -> float:
    """Loss of capacity by the cycles found [%], at the mean cell temperature `temp_k` [K]."""
    return 100 * cycle_stress(found, temp_k, model) ** MODELS[model].cycle_exponent


def summarise(
    soc_frac: FloatArray,
    step_s: float,
    capacity_j: float,
    temp_k: float | FloatArray = 298.15,
    model: str = "naumann",
) -> AgeingResult:
    """Ageing of a fresh storage over a series, by one model.

    Parameters
    ----------
    soc_frac
        State of charge at the end of each step, share of `capacity_j`, shape (n_step,).
    step_s
        Length of a step [s].
    capacity_j
        Energy of the cells from empty to full [J].
    temp_k
        Cell temperature [K], one value or one per step.
    model
        "naumann" or "blast".

    Returns
    -------
    AgeingResult
        The laws are concave: a week of a fresh battery says little about its tenth year. For that,
        `after_repeats` continues the same use.
    """
    return _summarise(np.asarray(soc_frac, np.float64), step_s, capacity_j, temp_k, [model])[model]


def summarise_all(
    soc_frac: FloatArray, step_s: float, capacity_j: float, temp_k: float | FloatArray = 298.15
) -> dict[str, AgeingResult]:
    """Ageing by every model, with one count of the cycles; arguments as in `summarise`.

    `soc_frac` is the state of charge over time, `step_s` the spacing of its samples [s], `capacity_j` the storage's
    rated energy [J] and `temp_k` the temperature of its cells [K], one or one a sample.
    """
    return _summarise(np.asarray(soc_frac, np.float64), step_s, capacity_j, temp_k, list(MODELS))


def _summarise(
    soc_frac: FloatArray, step_s: float, capacity_j: float, temp_k: float | FloatArray, models: list[str]
) -> dict[str, AgeingResult]:
    found = cycles(soc_frac, step_s)
    full_cycles = float((found.weight * found.depth_frac).sum())
    mean_k = float(np.mean(temp_k))
    return {
        model: AgeingResult(
            full_cycles,
            full_cycles * capacity_j,
            calendar_loss_pct(soc_frac, step_s, temp_k, model),
            cycle_loss_pct(found, mean_k, model),
        )
        for model in models
    }


def after_repeats(result: AgeingResult, repeats: float, model: str) -> AgeingResult:
    """Ageing after `repeats` runs of the series behind `result` (a day, 3650 times, is ten years)."""
    law = MODELS[model]
    return AgeingResult(
        result.equivalent_full_cycles * repeats,
        result.throughput_j * repeats,
        result.calendar_pct * repeats**law.calendar_exponent,
        result.cycle_pct * repeats**law.cycle_exponent,
    )
