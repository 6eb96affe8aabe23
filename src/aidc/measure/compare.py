"""Runs side by side: the same figures in rows, with what changed, and refusals where figures do not compare.

Two TokEnergy indices compare only for the same model, service level and window: otherwise a smaller
model, a looser promise or a milder month would look like an efficient site. Accelerator, precision
and engine may differ, since they are what one compares; they are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aidc.measure.meta import mapping, number

__all__ = ["CompareRow", "Summarised", "compare"]

_HEADLINES = (
    ("grid import", "energy_mwh.grid_import", "MWh"),
    ("grid export", "energy_mwh.grid_export", "MWh"),
    ("site energy", "energy_mwh.site", "MWh"),
    ("IT energy", "energy_mwh.it", "MWh"),
    ("conversion loss", "energy_mwh.conversion_loss", "MWh"),
    ("cooling", "energy_mwh.cooling", "MWh"),
    ("not supplied", "supply.energy_not_supplied_mwh", "MWh"),
    ("not supplied, time", "supply.time_not_supplied_h", "h"),
    ("availability", "supply.availability_frac", ""),
    ("PUE", "pue", ""),
    ("WUE", "wue_l_per_kwh", "l/kWh"),
    ("CUE", "cue_kg_per_kwh", "kg/kWh"),
    ("REF", "ref", ""),
    ("ERF", "erf", ""),
    ("peak import", "peak_import_mw", "MW"),
    ("peak import, billing interval", "peak_import_interval_mw", "MW"),
    ("load factor", "load_factor", ""),
    ("useful output tokens", "tokens.useful", "tokens"),
    ("output tokens", "tokens.output", "tokens"),
    ("training tokens", "tokens.training", "tokens"),
    ("energy cost", "cost_usd.energy", "USD"),
    ("demand charge", "cost_usd.demand", "USD"),
    ("fuel cost", "cost_usd.fuel", "USD"),
    ("total cost", "cost_usd.total", "USD"),
    ("carbon", "carbon_kg", "kg"),
    ("water", "water_m3", "m³"),
)
_SERVICE = (
    ("useful tokens", "tokens_useful", "tokens"),
    ("SLO attainment", "slo_attainment", ""),
    ("TTFT p99", "ttft_p99_s", "s"),
    ("ITL p99", "itl_p99_s", "s"),
)
_JOB = (("tokens", "tokens", "tokens"), ("energy", "energy_mwh", "MWh"))
_STORAGE = (("equivalent full cycles", "equivalent_full_cycles", ""), ("final SOC", "final_soc", ""))
_SUPPLIED = (
    ("not supplied", "energy_not_supplied_mwh", "MWh"),
    ("not supplied, time", "time_not_supplied_h", "h"),
    ("availability", "availability_frac", ""),
    ("times shed", "shed_count", ""),
)
_FOUL = (
    ("cooling not supplied", "supply.cooling_not_supplied_mwh", "MWh"),
    ("auxiliaries not supplied", "supply.auxiliary_not_supplied_mwh", "MWh"),
    ("site bus dead", "supply.bus_not_formed_h", "h"),
    ("load bank", "supply.load_bank_mwh", "MWh"),
    ("curtailed", "energy_mwh.curtailed", "MWh"),
)
_GENSETS = (
    ("energy", "energy_mwh", "MWh"),
    ("fuel", "fuel_mwh", "MWh"),
    ("fuel left", "fuel_left_mwh", "MWh"),
    ("running", "running_h", "h"),
    ("starts", "starts", ""),
    ("efficiency", "mean_efficiency_frac", ""),
)
_INDEX = "tokenergy_kwh_per_mtok.site"
_MUST_AGREE = ("model", "slo", "window")
_MAY_DIFFER = ("precision", "engine", "accelerator")


class Summarised(Protocol):
    """A run whose figures are known."""

    @property
    def summary(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One figure of every run; `deltas` are the others less the first, `ratios` over it less one.

    `refused` says why the figures of this row must not be compared; then there are no deltas.
    `note` names conditions that differ and may.
    """

    metric: str
    unit: str
    values: tuple[float | None, ...]
    refused: str | None = None
    note: str = ""

    @property
    def deltas(self) -> tuple[float | None, ...]:
        return tuple(self._change(value, relative=False) for value in self.values[1:])

    @property
    def ratios(self) -> tuple[float | None, ...]:
        return tuple(self._change(value, relative=True) for value in self.values[1:])

    def _change(self, value: float | None, *, relative: bool) -> float | None:
        first = self.values[0]
        if self.refused is not None or value is None or first is None:
            return None
        if not relative:
            return value - first
        return value / first - 1 if first else None


def compare(runs: Sequence[Summarised]) -> list[CompareRow]:
    """The figures that at least one run has, run by run in the order given."""
    told = [run.summary for run in runs]
    rows = [_row(name, key, unit, told) for name, key, unit in _HEADLINES]
    rows.append(_site_index(told))
    for group, wanted in (("services", _SERVICE), ("jobs", _JOB), ("storage", _STORAGE)):
        for name in _names(told, group):
            parts = [_dig(one, group, name) for one in told]
            rows += [_row(f"{name}: {label}", key, unit, parts) for label, key, unit in wanted]
            if group != "storage":
                rows.append(_index_row(name, parts))
    rows += _supply(told)
    return [row for row in rows if any(value is not None for value in row.values)]


def _supply(told: Sequence[Mapping[str, Any]]) -> Iterator[CompareRow]:
    """What gensets did, and who was not supplied: only what occurred in one of the runs."""
    yield from (row for row in (_row(*one, told) for one in _FOUL) if any(row.values))
    for name in _names(told, "gensets"):
        parts = [_dig(one, "gensets", name) for one in told]
        yield from (_row(f"gensets.{name}: {label}", key, unit, parts) for label, key, unit in _GENSETS)
    for group in ("services", "jobs", "pods"):
        for name in _names([_dig(one, "supply") for one in told], group):
            parts = [_dig(one, "supply", group, name) for one in told]
            values = [_figure(part, "availability_frac") for part in parts]
            if any(value is not None and value < 1.0 for value in values):
                yield from (
                    _row(f"{group}.{name}: {label}", key, unit, parts) for label, key, unit in _SUPPLIED
                )


def _row(name: str, key: str, unit: str, parts: Sequence[Mapping[str, Any]]) -> CompareRow:
    return CompareRow(name, unit, tuple(_figure(part, key) for part in parts))


def _index_row(name: str, parts: Sequence[Mapping[str, Any]]) -> CompareRow:
    """The index of one workload, refused where its conditions do not allow it."""
    values = tuple(_figure(part, _INDEX) for part in parts)
    given = [mapping(part.get("conditions")) for part, value in zip(parts, values, strict=True) if value]
    differing = list(_differences(given, _MUST_AGREE))
    refused = "not comparable: different " + ", ".join(differing) if differing else None
    note = "; ".join(f"{key} differs" for key in _differences(given, _MAY_DIFFER))
    return CompareRow(f"{name}: TokEnergy Index", "kWh/Mtok", values, refused, note)


def _site_index(told: Sequence[Mapping[str, Any]]) -> CompareRow:
    """The site's index, refused where any of its services may not be compared."""
    values = tuple(_figure(one, _INDEX) for one in told)
    names = [sorted(mapping(one.get("services"))) for one in told]
    reasons = ["different services"] if any(other != names[0] for other in names[1:]) else []
    for name in _names(told, "services"):
        row = _index_row(name, [_dig(one, "services", name) for one in told])
        reasons += [f"{name} {row.refused}"] if row.refused else []
    return CompareRow("TokEnergy Index", "kWh/Mtok", values, "; ".join(reasons) or None)


def _differences(given: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        if any(other.get(key) != given[0].get(key) for other in given[1:]):
            yield key


def _names(told: Sequence[Mapping[str, Any]], group: str) -> list[str]:
    return list(dict.fromkeys(str(name) for one in told for name in mapping(one.get(group))))


def _dig(tree: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        tree = mapping(tree.get(key))
    return tree


def _figure(tree: Mapping[str, Any], key: str) -> float | None:
    *path, last = key.split(".")
    return number(_dig(tree, *path).get(last))
