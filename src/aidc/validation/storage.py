"""Storage: ten years of lithium iron phosphate by two published models, and the converter's efficiency."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from aidc.catalogue import read
from aidc.plant.ageing import (
    MODELS,
    after_repeats,
    calendar_loss_pct,
    cycle_loss_pct,
    graphite_potential_v,
    summarise_all,
)
from aidc.plant.rainflow import Cycles
from aidc.plant.storage import StorageParams, charge_stored_w, discharge_drawn_w, storage_params
from aidc.schema.storage import Storage
from aidc.units import DAY_S, YEAR_S
from aidc.validation.case import Case, Row

__all__ = ["cases"]

YEARS: Final = 10.0
TEMP_K: Final = 298.15
DEPTH_FRAC: Final = 0.8
C_RATE_PER_H: Final = 0.5
EXPECTED_PCT: Final = 21.0
LIMIT_POINTS: Final = 1.0

# Rest at which each model meets its usual stress: half charged; graphite at 0.1 V against lithium
GRAPHITE_V: Final = 0.1

# AC load and efficiency of the Sungrow SC1000TL by its field fit in SimSES (a, c of the Notton form)
FIELD_FIT: Final = {
    "charge": ((0.25, 96.6), (0.50, 97.7), (1.00, 97.6)),
    "discharge": ((0.25, 97.4), (0.50, 98.0), (1.00, 97.6)),
}
EFFICIENCY_LIMIT_POINTS: Final = 0.1


def cases(data_dir: Path) -> Sequence[Case]:
    """Cases that need no measured data, so that every folder has them."""
    _ = data_dir
    ageing = [_ageing_case(model) for model in MODELS]
    return [*ageing, _profile_case(), _field_fit_case(), _simses_case()]


def _rest_frac(model: str) -> float:
    if model == "naumann":
        return 0.5
    soc = np.linspace(0.5, 1.0, 5001)
    return float(np.interp(-GRAPHITE_V, -graphite_potential_v(soc), soc))


def _ageing_case(model: str) -> Case:
    rest = _rest_frac(model)
    days = YEARS * YEAR_S / DAY_S
    daily = Cycles(np.array([DEPTH_FRAC]), np.array([days]), np.array([C_RATE_PER_H]))
    calendar = calendar_loss_pct(np.array([rest]), YEARS * YEAR_S, TEMP_K, model)
    cycle = cycle_loss_pct(daily, TEMP_K, model)
    inputs = {
        "years": YEARS,
        "temp_c": 25,
        "depth_frac": DEPTH_FRAC,
        "c_rate": C_RATE_PER_H,
        "soc_frac": rest,
    }
    rows = [
        Row(f"{model}: loss of capacity [%]", EXPECTED_PCT, calendar + cycle, inputs=inputs),
        Row(f"{model}: by time [%]", {"naumann": 13.0, "blast": 5.0}[model], calendar),
        Row(f"{model}: by use [%]", {"naumann": 8.0, "blast": 16.0}[model], cycle),
    ]
    return Case(
        name="storage",
        dataset="published LFP ageing models",
        metric=f"{model}: ten-year loss of capacity",
        value=calendar + cycle - EXPECTED_PCT,
        limit=LIMIT_POINTS,
        unit="points",
        rows=rows,
        note="25 °C, one cycle a day of 80 % depth at 0.5 C, at rest half charged (naumann) or where graphite"
        " is at 0.1 V (blast, 75 % charged). The models split the loss differently; both extrapolate.",
    )


def _profile_case() -> Case:
    """The same use as a series, resting half charged, through rainflow counting."""
    minutes = np.arange(1440)
    swing = DEPTH_FRAC / C_RATE_PER_H * 60  # minutes from one end to the other
    phase = np.clip(minutes - 300, 0, 2 * swing)
    wave = np.interp(phase, [0, swing / 2, 1.5 * swing, 2 * swing], [0, DEPTH_FRAC / 2, -DEPTH_FRAC / 2, 0])
    series = np.tile(0.5 + wave, 10)
    found = summarise_all(series, 60.0, 1.0, TEMP_K)
    totals = {model: after_repeats(found[model], 365.0, model).total_pct for model in MODELS}
    rows = [Row(f"{model}: loss of capacity [%]", EXPECTED_PCT, total) for model, total in totals.items()]
    return Case(
        name="storage",
        dataset="published LFP ageing models",
        metric="ten-year loss from a series of state of charge, worst deviation",
        value=max(abs(total - EXPECTED_PCT) for total in totals.values()),
        limit=None,
        unit="points",
        rows=rows,
        note="10 to 90 % and back in 3.2 h a day, at rest half charged, where graphite is at 0.12 V:"
        " blast then ages less with time.",
        kind="shown",
    )


def _site_params() -> StorageParams:
    values = dict(read("storage", "lfp-site").values) | {"power_mw": 1.0, "energy_mwh": 2.0}
    return storage_params(Storage.model_validate(values))


def _efficiency_pct(direction: str, load_frac: float, params: StorageParams) -> float:
    """Efficiency of the converter alone, the cells' taken out [%]."""
    power_w = load_frac * params.rated_w
    if direction == "charge":
        return 100 * charge_stored_w(power_w, params) / power_w / params.cell_charge_frac
    return 100 * power_w / (discharge_drawn_w(power_w, params) * params.cell_discharge_frac)


def _field_fit_case() -> Case:
    params = _site_params()
    rows = [
        Row(f"{direction} at {load:.0%} [%]", stated, _efficiency_pct(direction, load, params))
        for direction, points in FIELD_FIT.items()
        for load, stated in points
    ]
    return Case(
        name="storage",
        dataset="SimSES field fit, Sungrow SC1000TL",
        metric="converter efficiency, worst deviation",
        value=max(abs((row.predicted or 0.0) - (row.measured or 0.0)) for row in rows),
        limit=EFFICIENCY_LIMIT_POINTS,
        unit="points",
        rows=rows,
        note="The catalogue's coefficients are those of the fit, rounded: a check of the equations.",
    )


def _simses_converter() -> tuple[Callable[[float], float], Callable[[float], float]] | str:
    """SimSES' own converter, AC to DC and DC to AC, or why there is none."""
    try:
        module = importlib.import_module("simses.model.converter.sungrow")
    except ImportError:
        return "SimSES is not installed (it needs Python 3.12)"
    for name in ("SungrowSC1000TL", "Sungrow"):
        if hasattr(module, name):
            model = getattr(module, name)()
            return model.ac_to_dc, model.dc_to_ac
    return "this version of SimSES has no Sungrow converter"


def _simses_case() -> Case:
    found = _simses_converter()
    params = _site_params()
    rows: list[Row] = []
    for direction, points in FIELD_FIT.items():
        for load, _ in points:
            ours = _efficiency_pct(direction, load, params)
            if isinstance(found, str):
                rows.append(Row(f"{direction} at {load:.0%} [%]", None, ours, reason=found))
                continue
            dc = found[0](load if direction == "charge" else -load)
            theirs = 100 * (dc / load if direction == "charge" else -load / dc)
            rows.append(Row(f"{direction} at {load:.0%} [%]", theirs, ours))
    deviations = [abs((row.predicted or 0.0) - row.measured) for row in rows if row.measured is not None]
    return Case(
        name="storage",
        dataset="SimSES",
        metric="converter efficiency against SimSES itself, worst deviation",
        value=max(deviations) if deviations else None,
        limit=EFFICIENCY_LIMIT_POINTS,
        unit="points",
        rows=rows,
        note="" if deviations else f"Not compared: {found}.",
    )
