"""The lineup of one pod: its nameplate, its stages, and the heat that it makes at nameplate.

Both engines, the sizing of the cooling plant and the equipment schedule take these from here.
"""

from __future__ import annotations

from typing import NamedTuple

from aidc.plant.conversion import ChainStage, chain_stages, loss_w, output_power_w
from aidc.plant.cooling.moist_air import ATMOSPHERE_PA, pressure_at_elevation_pa
from aidc.plant.server import network_power_w
from aidc.schema.site import Pod, Site

__all__ = [
    "NameplateFlow",
    "air_density_frac",
    "grid_side_w",
    "lineup",
    "nameplate_flows",
    "nameplate_heat_w",
    "nameplate_w",
    "network_w",
    "rated_out_w",
    "transformer_rating_va",
]

_ISLAND_MARGIN = 1.25  # a transformer that no import limit rates, over the pods' nameplate (assumed)


class NameplateFlow(NamedTuple):
    """A stage with what leaves it and what it loses when its pod draws its nameplate [W]."""

    stage: ChainStage
    output_w: float
    loss_w: float


def air_density_frac(site: Site) -> float:
    """Density of the air at the site's elevation over that at sea level, at the same temperature."""
    return pressure_at_elevation_pa(site.site.location.elevation_m) / ATMOSPHERE_PA


def nameplate_w(pod: Pod) -> float:
    """What the racks of a pod draw at their inlet at most [W]."""
    return pod.racks * pod.rack.rated_power_kw * 1e3


def network_w(site: Site, name: str) -> float:
    """Switches and optics of a pod outside its servers [W]; a measured series has them inside."""
    if any(name in replay.pods for replay in site.replays.values()):
        return 0.0
    return network_power_w(site.pods[name].rack) * site.pods[name].racks


def lineup(site: Site, name: str) -> tuple[ChainStage, ...]:
    """The stages of a pod, rack side first: as built, else sized for its nameplate."""
    pod = site.pods[name]
    built_w = {stage: kw * 1e3 for stage, kw in pod.built.stage_kw.items()} if pod.built else {}
    return chain_stages(site.chains[pod.chain], nameplate_w(pod), network_w(site, name), built_w)


def rated_out_w(sized: ChainStage) -> float:
    """The flow that a stage was sized for: its capacity at N without the margin of its sizing [W]."""
    return sized.loss.capacity_w / sized.stage.sizing


def nameplate_flows(site: Site, name: str) -> tuple[NameplateFlow, ...]:
    """What passes the stages of a pod at its nameplate, rack side first."""
    pod = site.pods[name]
    stages = lineup(site, name)
    found: list[NameplateFlow] = []
    power_w = max(nameplate_w(pod) - network_w(site, name), 0.0)
    for one in reversed([sized for sized in stages if sized.stage.boundary == "server"]):
        output_w = output_power_w(power_w, *one.loss[:3])
        found.insert(0, NameplateFlow(one, output_w, power_w - output_w))
        power_w = output_w
    power_w = nameplate_w(pod)
    for one in stages:
        if one.stage.boundary == "site":
            lost_w = loss_w(power_w, *one.loss[:3])
            found.append(NameplateFlow(one, power_w, lost_w))
            power_w += lost_w
    return tuple(found)


def grid_side_w(site: Site, name: str) -> float:
    """What a pod takes from the site bus at its nameplate [W]."""
    last = nameplate_flows(site, name)[-1]
    if last.stage.stage.boundary == "server":
        return nameplate_w(site.pods[name])
    return last.output_w + last.loss_w


def nameplate_heat_w(site: Site, name: str) -> tuple[float, float]:
    """Heat at nameplate into the cold plates and into the hall's air [W], as the energy engine books it."""
    pod = site.pods[name]
    flows = nameplate_flows(site, name)
    network = network_w(site, name)
    inside_w = max(nameplate_w(pod) - network, 0.0)
    inside_w -= sum(one.loss_w for one in flows if one.stage.stage.boundary == "server")
    liquid_w = inside_w * pod.rack.liquid_frac
    air_w = inside_w - liquid_w + network
    for one in flows:
        if one.stage.stage.heat_to == "liquid" and pod.rack.cooling == "liquid":
            liquid_w += one.loss_w
        elif one.stage.stage.heat_to != "ambient":
            air_w += one.loss_w
    return liquid_w, air_w


def transformer_rating_va(site: Site) -> float:
    """Rating of the main transformer [VA]: as stated, as built, the import limit, or what an island gets."""
    grid = site.grid
    stated_mva = grid.transformer.rating_mva or grid.transformer.built_mva
    if stated_mva:
        return stated_mva * 1e6
    if site.written is not None:
        return transformer_rating_va(site.written)
    if grid.import_limit_mw > 0:
        return grid.import_limit_mw * 1e6
    return _ISLAND_MARGIN * sum(nameplate_w(pod) for pod in site.pods.values())
