"""The TokEnergy Index: site energy per million useful output tokens, as a product of five factors.

    TEI = E_site / N_useful                                                        [kWh per million]
        = (E_acc/N_all) · (E_server/E_acc) · (E_IT/E_server) · (E_site/E_IT) · (N_all/N_useful)

`N_all` are output tokens delivered, late ones included; `N_useful` weighs each with the probability
that its request met the service level. Lower is better; 1 J/token = 0.2778 kWh per million. On-site
generation does not shrink the energy. The site's index is that of its services together: jobs have
their own (tokens processed), and what is unallocated has none. Total tokens (input and output) and an
input-weighted count stand beside the index and are never mixed into it.
"""

from __future__ import annotations

from typing import Any

from aidc.measure.allocation import Part
from aidc.units import J_PER_KWH, J_PER_MWH, MEGA

__all__ = ["BOUNDARIES", "INPUT_WEIGHT", "energy_by_boundary_mwh", "index", "per_mtok", "training_index"]

BOUNDARIES = ("accelerator", "server", "it", "site")

# What an input token counts beside an output token in the input-weighted count: the usual order of list
# prices of hosted models (output 3 to 5 times as dear). A convention without a checked source, no energy.
INPUT_WEIGHT = 0.25


def index(part: Part) -> dict[str, Any]:
    """The index of a part of the site, by boundary and as factors; None where it is not defined.

    Parameters
    ----------
    part
        Energies at the four boundaries [J] and tokens, as `Allocation.of` gives them.
    """
    made, useful = part["tokens_output"], part["tokens_useful"]
    total = made + part["tokens_input"]
    weighted = made + INPUT_WEIGHT * part["tokens_input"]
    return {
        "tokenergy_kwh_per_mtok": _by_boundary(part, useful),
        "tokenergy_factors": _factors(part, made, useful),
        "tokenergy_beside_kwh_per_mtok": {
            "site_per_delivered": _per_million(part["site_j"], made),
            "site_per_input_and_output": _per_million(part["site_j"], total),
            "site_per_input_weighted": _per_million(part["site_j"], weighted),
        },
    }


def training_index(part: Part) -> dict[str, Any]:
    """The index of training: energy per million tokens processed; every token counts as useful."""
    tokens = part["training_tokens"]
    return {
        "tokenergy_kwh_per_mtok": _by_boundary(part, tokens),
        "tokenergy_factors": _factors(part, tokens, tokens),
    }


def per_mtok(part: Part, tokens: float, *, carbon: bool, marginal: bool, priced: bool) -> dict[str, Any]:
    """Cost, carbon, water and the renewable share that stand beside the index, per million tokens.

    `energy_cost_usd` is that of energy and fuel. `cost_usd` carries monthly charges by the share of the month that the window covers: a week's
    tokens do not pay a month's demand charge.

    `part` is what was booked behind one boundary. `carbon`, `marginal` and `priced` say whether average emissions,
    marginal emissions and prices are known.
    """
    return {
        "energy_cost_usd": _each(part["energy_usd"] + part["fuel_usd"], tokens) if priced else None,
        "cost_usd": _each(part["prorated_usd"], tokens) if priced else None,
        "carbon_kg": _each(part["carbon_kg"], tokens) if carbon else None,
        "carbon_marginal_kg": _each(part["carbon_marginal_kg"], tokens) if marginal else None,
        "water_l": _each(part["water_kg"], tokens),
        "renewable_frac": _ratio(part["renewable_j"], part["site_j"]),
    }


def energy_by_boundary_mwh(part: Part) -> dict[str, float]:
    """Energy of a part of the site at each boundary [MWh]."""
    return {name: part[f"{name}_j"] / J_PER_MWH for name in BOUNDARIES}


def _by_boundary(part: Part, tokens: float) -> dict[str, float | None]:
    return {name: _per_million(part[f"{name}_j"], tokens) for name in BOUNDARIES}


def _factors(part: Part, made: float, useful: float) -> dict[str, float | None]:
    return {
        "accelerator_kwh_per_mtok": _per_million(part["accelerator_j"], made),
        "server": _ratio(part["server_j"], part["accelerator_j"]),
        "it": _ratio(part["it_j"], part["server_j"]),
        "site": _ratio(part["site_j"], part["it_j"]),
        "useful": _ratio(made, useful),
    }


def _per_million(energy_j: float, tokens: float) -> float | None:
    return energy_j / J_PER_KWH / (tokens / MEGA) if tokens > 0 else None


def _each(amount: float, tokens: float) -> float | None:
    return amount / (tokens / MEGA) if tokens > 0 else None


def _ratio(over: float, under: float) -> float | None:
    return over / under if under > 0 else None
