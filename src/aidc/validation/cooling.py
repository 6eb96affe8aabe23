"""Cooling: cold plate, CDUs, dry cooler, exchangers, moist air, coolants, and the tower on its published curve.

None of these needs measured data files: published design points and curves stand here with their source, and
the independent libraries `ht` and CoolProp are asked where they are installed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np

from aidc.catalogue import read
from aidc.plant.cooling.cdu import cdu_conductance_w_k, cdu_params
from aidc.plant.cooling.cold_plate import case_temp_k, resistance_k_w
from aidc.plant.cooling.coolant import density_kg_m3, heat_capacity_j_kg_k
from aidc.plant.cooling.exchanger import effectiveness
from aidc.plant.cooling.moist_air import enthalpy_j_kg, humidity_ratio, wet_bulb_k
from aidc.plant.cooling.rejection import reject
from aidc.plant.cooling.rejection_build import rejection_column, unit_conductance_w_k
from aidc.plant.cooling.tower import TowerParams, tower_heat_w, tower_params
from aidc.schema.cooling import Cdu, ColdPlate, CoolingTower, DryCooler
from aidc.units import celsius, kelvin
from aidc.validation.case import Case, Row
from aidc.validation.published_tower import york_approach_k

__all__ = ["cases"]

ATMOSPHERE_PA: Final = 101_325.0

# OCP OAI System Liquid Cooling Guidelines (2023), figure 7, 1 kW plate with PG25: l/min and K/W
COLD_PLATE: Final = (
    (0.4, 0.0389), (0.5, 0.0325), (0.6, 0.0300), (0.7, 0.0280), (0.8, 0.0265), (0.9, 0.0255), (1.0, 0.0245),
    (1.2, 0.0230), (1.4, 0.0220), (1.6, 0.0214), (1.8, 0.0209), (2.0, 0.0204), (2.2, 0.0200), (2.4, 0.0197),
)  # fmt: skip


def cases(data_dir: Path) -> Sequence[Case]:
    """Cases that need no measured data, so that every folder has them."""
    _ = data_dir
    return [
        *_cold_plate_cases(),
        _cdu_case("deschutes-2mw", 3.0, 46.1, 41.6),
        _cdu_case("xdu1350", 4.0, None, None),
        *_dry_cooler_cases(),
        _exchanger_case(),
        *_moist_air_cases(),
        _coolant_case(),
        *_tower_cases(),
        _frontier_case(),
    ]


def _case(
    metric: str,
    dataset: str,
    rows: Sequence[Row],
    limit: float | None,
    unit: str,
    note: str,
    kind: str = "bar",
) -> Case:
    """A case whose value is the worst deviation of its rows, in percent of the published or in the unit."""
    deviations = [
        100 * (row.predicted / row.measured - 1) if unit == "percent" else row.predicted - row.measured
        for row in rows
        if row.predicted is not None and row.measured is not None
    ]
    value = max(deviations, key=abs) if deviations else None
    return Case("cooling", dataset, metric, value, limit, unit, rows, note, kind)


def _library(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _cold_plate_cases() -> list[Case]:
    plate = ColdPlate.model_validate(read("cold-plate", "ocp-1kw-pg25").values)
    curve = (plate.a_k_per_w, plate.b_k_per_w, plate.exponent)
    case_c = celsius(case_temp_k(kelvin(30.0), 1000.0, 1.0, *curve))
    dataset = "OCP OAI System Liquid Cooling Guidelines, figure 7"
    rows: list[Row] = []
    for flow, published in COLD_PLATE:
        inside = plate.flow_min_l_min <= flow <= plate.flow_max_l_min
        predicted = resistance_k_w(flow, *curve) if inside else None
        reason = (
            None
            if inside
            else f"the curve holds from {plate.flow_min_l_min:g} to {plate.flow_max_l_min:g} l/min"
        )
        rows.append(Row(f"{flow:g} l/min [K/W]", published, predicted, reason, inputs={"flow_l_min": flow}))
    point = Row("1 kW, 1 l/min PG25, 30 °C at the inlet [°C]", 54.5, case_c)
    return [
        _case("cold plate: case temperature", dataset, [point], 0.5, "K", "Fitted to the same figure."),
        _case(
            "cold plate: resistance over flow, worst point", dataset, rows, 1.0, "percent",
            "Fitted to these points: the error of the form a + b·V^-n.",
        ),
    ]  # fmt: skip


def _cdu_case(name: str, approach_k: float, return_c: float | None, facility_out_c: float | None) -> Case:
    cdu = Cdu.model_validate(read("cdu", name).values)
    params = cdu_params(cdu)
    approach = params.rated_heat_w / cdu_conductance_w_k(1.0, 1.0, params)
    supply_c = cdu.facility_in_c + approach
    rows = [Row("approach [K]", approach_k, approach)]
    if return_c is not None:
        rows.append(Row("rack return [°C]", return_c, supply_c + params.rated_heat_w / params.secondary_w_k))
    if facility_out_c is not None:
        out_c = cdu.facility_in_c + params.rated_heat_w / params.primary_w_k
        rows.append(Row("facility return [°C]", facility_out_c, out_c))
    warm = heat_capacity_j_kg_k(cdu.secondary_coolant, kelvin(supply_c + 8))
    return _case(
        f"{name}: temperatures at the design point, worst",
        read("cdu", name).title,
        rows,
        0.1,
        "K",
        "The unit's UA follows from the approach, so that row checks the equations. The expected returns rest on"
        f" the entry's heat capacity; the coolant's own at mean temperature is {warm:.0f} J/(kg·K).",
    )


def _dry_cooler_cases() -> list[Case]:
    unit = DryCooler.model_validate(read("heat-rejection", "dry-cooler").values)
    heat_w = unit.rated_heat_mw * 1e6
    flow_w_k = heat_w / (unit.coolant_in_c - unit.coolant_out_c)
    leaving_c = unit.air_in_c + heat_w / unit_conductance_w_k(unit, 1.0, 1.0)
    column = rejection_column(unit, 1, flow_w_k)
    supply_k, air_k = kelvin(unit.coolant_out_c), kelvin(unit.air_in_c)
    fan_w = reject(heat_w, supply_k, kelvin(unit.coolant_in_c), air_k, air_k - 10, column)[1]
    note = "The rated point fixes UA and fan power: a check of the equations and tables, not of off-design operation."
    dataset = "BAC TrilliumSeries TDFS1238N-C60ET40B"
    return [
        _case(
            "dry cooler: coolant leaving at 35 °C air", dataset,
            [Row("2.931 MW, 46.11 °C in [°C]", 40.55, leaving_c)], 0.05, "K", note,
        ),
        _case("dry cooler: fans", dataset, [Row("at rated heat [kW]", 117.68, fan_w / 1e3)], 1.0, "percent", note),
    ]  # fmt: skip


def _exchanger_case() -> Case:
    library = _library("ht")
    rows: list[Row] = []
    for ntu in (0.1, 0.5, 1.0, 2.0, 3.73, 4.42, 8.0):
        for ratio in (0.0, 0.25, 0.5, 0.9, 0.999, 1.0):
            item, inputs = f"N = {ntu:g}, C = {ratio:g}", {"ntu": ntu, "capacity_ratio": ratio}
            if library is None:
                rows.append(Row(item, None, None, "ht is not installed", inputs=inputs))
            else:
                theirs = float(library.effectiveness_from_NTU(NTU=ntu, Cr=ratio, subtype="counterflow"))
                rows.append(Row(item, theirs, effectiveness(ntu, ratio), inputs=inputs))
    return _case("effectiveness of a counterflow exchanger, worst", "ht", rows, 0.01, "percent", "")


def _moist_air_cases() -> list[Case]:
    library = _library("CoolProp.HumidAirProp")
    found: dict[str, list[Row]] = {"wet bulb": [], "humidity ratio": [], "enthalpy": []}
    for temp_c in (-20.0, -10.0, 0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0):
        for rh in (0.1, 0.3, 0.6, 0.9, 1.0):
            temp_k, item = kelvin(temp_c), f"{temp_c:g} °C, {100 * rh:g} %"
            if library is None:
                for rows in found.values():
                    rows.append(Row(item, None, None, "CoolProp is not installed"))
                continue
            state = ("T", temp_k, "P", ATMOSPHERE_PA, "R", rh)
            ratio = humidity_ratio(np.array(temp_k), np.array(rh), ATMOSPHERE_PA)
            wet_c = celsius(float(wet_bulb_k(np.array(temp_k), np.array(rh), ATMOSPHERE_PA)))
            own_kj = float(enthalpy_j_kg(np.array(temp_k), ratio)) / 1e3
            asked = library.HAPropsSI
            found["wet bulb"].append(Row(item + " [°C]", celsius(float(asked("B", *state))), wet_c))
            found["humidity ratio"].append(
                Row(item + " [g/kg]", 1e3 * float(asked("W", *state)), 1e3 * float(ratio))
            )
            found["enthalpy"].append(Row(item + " [kJ/kg]", float(asked("H", *state)) / 1e3, own_kj))
    note = "−20 to 50 °C at sea level. Air and vapour as ideal gases; CoolProp has their interaction, 0.4 %."
    limits = {
        "wet bulb": (0.1, "K", note, "bar"),
        "humidity ratio": (0.8, "percent", note, "bar"),
        "enthalpy": (None, "kJ/kg", note, "shown"),
    }
    return [
        _case(f"moist air: {name}, worst", "CoolProp", rows, *limits[name]) for name, rows in found.items()
    ]


def _coolant_case() -> Case:
    library = _library("CoolProp.CoolProp")
    fluids = {"water": "Water", "pg25": "INCOMP::MPG[0.2575]", "pg20": "INCOMP::MPG[0.2061]"}
    own: dict[str, Callable[[float], float]] = {}
    rows: list[Row] = []
    for name in ("water", "pg25", "pg20"):
        own = {
            "D": lambda temp_k, name=name: density_kg_m3(name, temp_k),
            "C": lambda temp_k, name=name: heat_capacity_j_kg_k(name, temp_k),
        }
        for temp_c in (5.0, 20.0, 35.0, 50.0, 65.0):
            for figure, unit in (("D", "kg/m³"), ("C", "J/(kg·K)")):
                item = f"{name} at {temp_c:g} °C [{unit}]"
                if library is None:
                    rows.append(Row(item, None, None, "CoolProp is not installed"))
                    continue
                theirs = library.PropsSI(figure, "T", kelvin(temp_c), "P", 3e5, fluids[name])
                rows.append(Row(item, float(theirs), own[figure](kelvin(temp_c))))
    return _case(
        "coolants: density and heat capacity, worst", "CoolProp", rows, 0.1, "percent", "Fitted to these."
    )


def _approach_k(wet_bulb_c: float, range_k: float, water: float, air: float, params: TowerParams) -> float:
    """Approach at which the tower rejects just the heat of this range [K]."""
    heat_w = range_k * water * params.water_w_k
    low, high = 0.0, 80.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        wet_k = kelvin(wet_bulb_c)
        if tower_heat_w(water, air, wet_k + middle + range_k, wet_k, params) > heat_w:
            high = middle
        else:
            low = middle
    return high


def _published_tower() -> TowerParams:
    """The catalogue's tower without its exchanger, at the design point of the published curve."""
    values = dict(read("heat-rejection", "cooling-tower").values)
    design = {"coolant_out_c": 25.56 + 3.89, "coolant_in_c": 25.56 + 3.89 + 5.56, "exchanger_approach_k": 0.0}
    return tower_params(CoolingTower.model_validate({**values, **design}))


def _tower_cases() -> list[Case]:
    params = _published_tower()
    full: list[Row] = []
    wide: list[Row] = []
    for wet_c in (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0):
        for range_k in (3.0, 5.56, 8.0, 11.0, 15.0):
            for air in (0.4, 0.7, 1.0):
                published = york_approach_k(wet_c, range_k, 1.0, air)
                row = Row(
                    f"wet bulb {wet_c:g} °C, range {range_k:g} K, {100 * air:g} % of air [K]",
                    published,
                    _approach_k(wet_c, range_k, 1.0, air, params),
                )
                (full if wet_c >= 10.0 and air == 1.0 and range_k <= 11.0 else wide).append(row)
    dataset = "YorkCalc correlation, as in EnergyPlus and Modelica Buildings"
    return [
        _case(
            "tower: approach at full flow, worst", dataset, full, 1.0, "K",
            "Wet bulb 10 to 25 °C, range 3 to 11 K. One point of the curve, its design, fixes UA.",
        ),
        _case(
            "tower: approach in cold weather, at wide range and at part air flow, worst", dataset, wide, None, "K",
            "Corrections of UA at EnergyPlus' default coefficients, not fitted to this curve. The curve itself is"
            " extrapolated by its polynomial where air is below 70 %.",
            "shown",
        ),
    ]  # fmt: skip


def _frontier_case() -> Case:
    """Fans over fans and pumps at mean load: published 73 %, but what it counts as cooling is not told."""
    tower = CoolingTower.model_validate(read("heat-rejection", "frontier-towers").values)
    cells, heat_w, rise_k = 20, 16.9e6 * 0.945, 8.0
    supply_k, wet_k = 290.0 + 5.6, 290.0
    flow_w_k = cells * tower.rated_heat_mw * 1e6 / rise_k
    column = rejection_column(tower, cells, flow_w_k)
    flow = heat_w / (flow_w_k * rise_k)
    fan_w = reject(heat_w, supply_k, supply_k + rise_k, wet_k + 5, wet_k, column, flow)[1]
    cdu_w = 25 * Cdu.model_validate(read("cdu", "frontier-cdu").values).pump_kw * 1e3
    rows = [
        Row(
            "tower fans over fans and CDUs at 16.9 MW, all cells on line [%]",
            73.0,
            100 * fan_w / (fan_w + cdu_w),
        ),
        Row("tower fans at 16.9 MW [kW]", None, fan_w / 1e3),
    ]
    return Case(
        "cooling",
        "Frontier, arXiv 2603.01198 and sustain-lc",
        "Frontier: share of tower fans in cooling power",
        None,
        None,
        "points",
        rows,
        "Fans at the cube of speed with every cell on line draw little at part load; the published share implies"
        " fewer cells at higher speed, and its boundary is not known. Shown, not judged.",
        "shown",
    )
