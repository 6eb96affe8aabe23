"""A frozen plant: every size of a site worked out once, and written into it.

Sizes follow the site as written. Settings that are laid over it change how the plant is run, not what was bought,
except for a plant, chain or pod whose own equipment they name. `frozen` gives a site in which nothing is left to size;
both engines, the design check and the equipment schedule start from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from aidc.errors import InputError, Problem
from aidc.plant.cooling.sizing import RackLoop, air_loop, rack_loop, size_plant
from aidc.plant.lineup import air_density_frac, lineup, nameplate_heat_w, transformer_rating_va
from aidc.schema.built import PlantBuilt, PodBuilt
from aidc.schema.cooling import CoolingPlant
from aidc.schema.renewables import Genset
from aidc.schema.site import Pod, Site
from aidc.schema.storage import Storage
from aidc.units import HOUR_S, MEGA

__all__ = ["PlantHeat", "frozen", "plant_heat"]

_Rated = Storage | Genset

# keys of a cooling plant that do not ask for other equipment; all others do
_RUN_KEYS = frozenset(CoolingPlant.model_fields) - {
    *("rejection", "cdu", "cdu_entry", "crah", "crah_entry", "units", "redundancy", "margin_frac"),
    *("design_dry_bulb_c", "design_wet_bulb_c", "return_rise_k", "built"),
}
_SPARE_KEYS = ("cdu", "cdu_entry", "crah", "crah_entry", "redundancy")  # of a plant: change its pods' units
_POD_KEYS = ("use", "rack", "chain", "cooling", "air_cooling", "accelerator", "built")
_CHAIN_KEYS = ("use", "stages", "redundancy")


class PlantHeat(NamedTuple):
    """Heat of a plant's pods at nameplate, pumps and fans included [W], and the flow that their units draw [W/K].

    With the density of the air at the site over that at sea level: what a plant is sized by.
    """

    heat_w: float
    facility_w_k: float
    air_density_frac: float


def frozen(site: Site) -> Site:
    """The site with every size in it; `resized` tells what settings have changed in the plant.

    Raises
    ------
    InputError
        A set point that no number of units reaches in the design weather.
    """
    if site.written is None:
        return site if _whole(site) else _sized(site)
    try:
        bought = frozen(site.written)
    except InputError as error:
        why = "; ".join(problem.what for problem in error.problems)
        told = (f"all of the plant: the site file without the settings cannot be sized ({why})",)
        return _sized(site).model_copy(update={"written": None, "resized": told})
    now = _sized(_laid_on(site, bought))
    return now.model_copy(update={"written": None, "resized": _told(bought, now)})


def plant_heat(site: Site, name: str) -> PlantHeat:
    """What a cooling plant has to carry at the nameplate of its pods, which need no sizes."""
    heat_w = drawn_w_k = 0.0
    density = air_density_frac(site)
    for pod_name, pod in site.pods.items():
        liquid_w, air_w = nameplate_heat_w(site, pod_name)
        built = _pod_built(site, pod_name)
        if pod.cooling == name and built.liquid_kw:
            loop = _rack_loop(site, pod, built)
            heat_w += liquid_w + loop.design_pump_w
            drawn_w_k += loop.facility_w_k
        crah = site.cooling[name].crah_entry
        if pod.air_plant == name and crah is not None and built.air_kw:
            redundancy = site.cooling[name].redundancy
            air = air_loop(crah, built.air_kw * 1e3, redundancy, built.crah_units, density)
            heat_w += air_w + air.design_fan_w
            drawn_w_k += air.facility_w_k
    return PlantHeat(heat_w, drawn_w_k, density)


def _whole(site: Site) -> bool:
    """Whether nothing is left to size."""
    transformer = site.grid.transformer
    return (
        bool(transformer.rating_mva or transformer.built_mva)
        and all(_pod_whole(site, pod) for pod in site.pods.values())
        and all(
            plant.built is not None
            and (plant.units or plant.built.units)
            and plant.built.heat_mw
            and plant.built.flow_m3_h
            for plant in site.cooling.values()
        )
    )


def _pod_whole(site: Site, pod: Pod) -> bool:
    built = pod.built
    sizes = (
        (built.liquid_kw, built.coolant_l_min, built.cdu_units, built.air_kw, built.crah_units)
        if built
        else (None,)
    )
    stages = {stage.name for stage in site.chains[pod.chain].stages}
    return built is not None and None not in sizes and stages <= set(built.stage_kw)


def _sized(site: Site) -> Site:
    """The site with what it lacks sized; what it has stays."""
    pods = {name: pod.model_copy(update={"built": _pod_built(site, name)}) for name, pod in site.pods.items()}
    site = site.model_copy(update={"pods": pods})
    plants: dict[str, CoolingPlant] = {}
    for name, plant in site.cooling.items():
        try:
            size = size_plant(plant, *plant_heat(site, name))
        except InputError as error:
            raise InputError([_placed(one, f"cooling.{name}") for one in error.problems]) from error
        known = plant.built or PlantBuilt()
        built = PlantBuilt(
            units=known.units if plant.units else size.units,
            heat_mw=known.heat_mw or size.heat_w / MEGA,
            flow_m3_h=known.flow_m3_h or size.flow_m3_s * HOUR_S,
        )
        plants[name] = plant.model_copy(update={"built": built})
    grid = site.grid
    if not (grid.transformer.rating_mva or grid.transformer.built_mva):
        rating = {"built_mva": transformer_rating_va(site) / MEGA}
        grid = grid.model_copy(update={"transformer": grid.transformer.model_copy(update=rating)})
    return site.model_copy(update={"cooling": plants, "grid": grid})


def _pod_built(site: Site, name: str) -> PodBuilt:
    """The sizes of a pod's own equipment: those that it has, and the rest."""
    pod = site.pods[name]
    known = pod.built or PodBuilt()
    if pod.built is not None and _pod_whole(site, pod):
        return known
    plant, hall = site.cooling[pod.cooling], site.cooling[pod.air_plant]
    liquid_w, air_w = nameplate_heat_w(site, name)
    if plant.cdu_entry is None or pod.rack.cooling == "air":
        liquid_w = 0.0
    if hall.crah_entry is None:
        air_w = 0.0
    liquid_kw = liquid_w / 1e3 if known.liquid_kw is None else known.liquid_kw
    litres = liquid_kw * pod.rack.coolant_l_min_per_kw if known.coolant_l_min is None else known.coolant_l_min
    air_kw = air_w / 1e3 if known.air_kw is None else known.air_kw
    built = PodBuilt(
        stage_kw={one.stage.name: one.loss.capacity_w / 1e3 for one in lineup(site, name)},
        liquid_kw=liquid_kw,
        coolant_l_min=litres,
        cdu_units=known.cdu_units,
        air_kw=air_kw,
        crah_units=known.crah_units,
    )
    cdus = _rack_loop(site, pod, built).units if liquid_kw else 0
    crahs = (
        air_loop(
            hall.crah_entry, air_kw * 1e3, hall.redundancy, known.crah_units, air_density_frac(site)
        ).units
        if hall.crah_entry
        else 0
    )
    return built.model_copy(update={"cdu_units": cdus, "crah_units": crahs})


def _rack_loop(site: Site, pod: Pod, built: PodBuilt) -> RackLoop:
    plant = site.cooling[pod.cooling]
    if plant.cdu_entry is None:
        raise InputError(Problem("has no CDU", 'Add cdu = "…".', key=f"cooling.{pod.cooling}.cdu"))
    heat_w, flow_m3_s = (built.liquid_kw or 0.0) * 1e3, (built.coolant_l_min or 0.0) / 60_000.0
    try:
        return rack_loop(plant.cdu_entry, heat_w, flow_m3_s, plant.redundancy, built.cdu_units)
    except InputError as error:
        raise InputError([_placed(one, f"cooling.{pod.cooling}.cdu") for one in error.problems]) from error


def _placed(problem: Problem, place: str) -> Problem:
    key = f"{place}.{problem.key}" if problem.key else place
    return Problem(problem.what, problem.remedy, problem.file, key, problem.value)


def _laid_on(site: Site, bought: Site) -> Site:
    """The site with the sizes that were bought, but for equipment that the settings name."""
    named = _Named(site.changed)
    plants = {
        name: plant.model_copy(
            update={"built": _plant_of(plant, bought.cooling.get(name), named.plant(name))}
        )
        for name, plant in site.cooling.items()
    }
    pods = {
        name: pod.model_copy(update={"built": _pod_of(site, name, bought.pods.get(name), named)})
        for name, pod in site.pods.items()
    }
    grid, had = site.grid, bought.grid.transformer
    built_mva = site.grid.transformer.built_mva or had.built_mva or had.rating_mva
    transformer = grid.transformer.model_copy(update={"built_mva": built_mva})
    grid = grid.model_copy(update={"transformer": transformer})
    return site.model_copy(update={"cooling": plants, "pods": pods, "grid": grid, "written": None})


def _plant_of(plant: CoolingPlant, had: CoolingPlant | None, keys: frozenset[str]) -> PlantBuilt | None:
    """What stays of a plant: all of it, or its heat and flow where other units stand there."""
    if had is None or had.built is None:
        return plant.built
    if "built" in keys:
        return plant.built
    if not keys:
        return had.built.model_copy(update={"units": had.built.units or had.units})
    flow = None if "return_rise_k" in keys else had.built.flow_m3_h
    return PlantBuilt(units=None, heat_mw=had.built.heat_mw, flow_m3_h=flow)


def _pod_of(site: Site, name: str, had: Pod | None, named: _Named) -> PodBuilt | None:
    """What stays of a pod's own equipment."""
    pod = site.pods[name]
    keys = named.keys(f"pods.{name}")
    if had is None or had.built is None or keys & set(_POD_KEYS) or named.whole(f"pods.{name}"):
        return pod.built if "built" in keys else None
    update: dict[str, object] = {}
    if named.keys(f"chains.{pod.chain}") & set(_CHAIN_KEYS) or named.whole(f"chains.{pod.chain}"):
        update["stage_kw"] = {}
    for plant, unit in ((pod.cooling, "cdu_units"), (pod.air_plant, "crah_units")):
        if named.plant(plant) & set(_SPARE_KEYS):
            update[unit] = None
    return had.built.model_copy(update=update)


class _Named:
    """Which equipment the keys of settings name."""

    def __init__(self, changed: tuple[str, ...]) -> None:
        self._paths = [tuple(key.split(".")) for key in changed]

    def keys(self, place: str) -> frozenset[str]:
        """The keys that were set right below a place."""
        at = tuple(place.split("."))
        return frozenset(
            path[len(at)] for path in self._paths if path[: len(at)] == at and len(path) > len(at)
        )

    def whole(self, place: str) -> bool:
        """Whether the place itself, or a table that holds it, was set."""
        at = tuple(place.split("."))
        return any(path == at[: len(path)] for path in self._paths)

    def plant(self, name: str) -> frozenset[str]:
        """The keys of a cooling plant that ask for other equipment."""
        if self.whole(f"cooling.{name}"):
            return frozenset({"use", *_SPARE_KEYS})
        return self.keys(f"cooling.{name}") - _RUN_KEYS


def _told(bought: Site, now: Site) -> tuple[str, ...]:
    """What differs from what was bought, one line each."""
    found: list[str] = []
    for name, plant in now.cooling.items():
        had = bought.cooling.get(name)
        if had is None:
            found.append(f"cooling.{name}: none to {_outdoors(plant)}")
        elif _units(had) != _units(plant) or had.rejection != plant.rejection:
            found.append(f"cooling.{name}: {_outdoors(had)} to {_outdoors(plant)}")
    for name, pod in now.pods.items():
        had_pod = bought.pods.get(name)
        found += _pod_told(name, had_pod.built if had_pod else None, pod.built or PodBuilt())
    before, after = (transformer_rating_va(one) / MEGA for one in (bought, now))
    if before != after:
        found.append(f"grid.transformer: {before:.4g} to {after:.4g} MVA")
    found += _sources_told("storage", bought.storage, now.storage)
    found += _sources_told("gensets", bought.gensets, now.gensets)
    return tuple(found)


def _sources_told(section: str, had: Mapping[str, _Rated], now: Mapping[str, _Rated]) -> list[str]:
    """Storages or gensets of which settings have changed the rating, one line each."""
    found: list[str] = []
    for name in dict.fromkeys([*had, *now]):
        before, after = _rating(had.get(name)), _rating(now.get(name))
        if before != after:
            found.append(f"{section}.{name}: {before} to {after}")
    return found


def _rating(one: _Rated | None) -> str:
    """Power, energy and units of a storage or genset, as far as it has them."""
    if one is None:
        return "none"
    if one.power_mw is None:
        return "as the racks have it"
    text = f"{one.power_mw:.4g} MW"
    if isinstance(one, Storage):
        return text if one.energy_mwh is None else f"{text}, {one.energy_mwh:.4g} MWh"
    return f"{text} in {one.units} units, {one.redundancy}"


def _units(plant: CoolingPlant) -> int:
    return plant.units or (plant.built.units if plant.built else None) or 0


def _outdoors(plant: CoolingPlant) -> str:
    name = plant.rejection_name or plant.rejection.kind
    return f"{_units(plant)} x {name} of {plant.rejection.rated_heat_mw:.4g} MW"


def _pod_told(name: str, had: PodBuilt | None, now: PodBuilt) -> list[str]:
    if had is None:
        return [f"pods.{name}: new lineup, {now.cdu_units} CDUs, {now.crah_units} air handlers"]
    found: list[str] = []
    for what, before, after in (
        ("CDUs", had.cdu_units, now.cdu_units),
        ("air handlers", had.crah_units, now.crah_units),
    ):
        if before != after:
            found.append(f"pods.{name}: {before} to {after} {what}")
    if had.stage_kw != now.stage_kw:
        found.append(f"pods.{name}: lineup, {_stages(had.stage_kw)} to {_stages(now.stage_kw)}")
    return found


def _stages(stage_kw: Mapping[str, float]) -> str:
    return " + ".join(f"{stage} {kw:.4g} kW" for stage, kw in stage_kw.items())
