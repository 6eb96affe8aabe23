"""Energy from the sources to the tokens, for the Sankey diagram."""

from __future__ import annotations

from collections.abc import Mapping

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Drawing, Note, Section
from aidc.report.run.view import View
from aidc.report.sankey import Web, draw
from aidc.report.style import COLOURS, PODS
from aidc.report.text import tokens
from aidc.report.tree import pick

__all__ = ["flows", "flows_section"]

_BUS, _CHAINS, _IT, _ACCELERATORS = "Site bus", "Power chains", "IT equipment", "Accelerators"
_COMPONENTS = {
    "pump_facility": "facility pumps",
    "pump_cdu": "CDU pumps",
    "fan": "fans",
    "chiller": "chillers",
    "crah": "CRAH fans",
}


def flows_section(view: View) -> Section:
    """The chapter with the Sankey of the whole window."""
    web = flows(view)
    blocks: list[Block] = [Note("No energy flowed in this window.")]
    if sum(mwh for _, target, mwh in web.links if target == _BUS) > 0:
        note = (
            "Figures beside the names are MWh over the window. What ends under the power chains are the losses of "
            "their stages. Flows under 0.002 % of the total are left out."
        )
        blocks = [Drawing("sankey", "Energy flows, MWh", draw(web), note, min_width_px=900)]
    lead = (
        "Where every megawatt-hour of the window came from and where it went. A storage appears twice: what it "
        "gave on the left, what it took (its losses included) on the right."
    )
    return Section("flows", "Flows", "Energy from source to token", lead, blocks)


def flows(view: View) -> Web:
    """Every flow of the window, from the summary."""
    web = Web()
    _sources(web, view)
    _site(web, view)
    _equipment(web, view)
    return web


def _mwh(view: View, path: str) -> float:
    value = pick(view.summary, path)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _sources(web: Web, view: View) -> None:
    bus = web.node(_BUS, COLOURS["bus"], 1)
    for name, key, colour in (
        ("Grid", "grid_import", "bus"),
        ("PV", "pv", "pv"),
        ("Wind", "wind", "wind"),
        ("Gensets", "genset", "genset"),
    ):
        web.link(web.node(name, COLOURS[colour], 0), bus, _mwh(view, f"energy_mwh.{key}"))
    for name, facts in _storages(view).items():
        node = web.node(f"{name} discharge", COLOURS["storage"], 0)
        web.link(node, bus, float(pick(facts, "discharge_mwh") or 0.0))


def _site(web: Web, view: View) -> None:
    """From the site bus to the power chains, the cooling, the auxiliaries and what leaves the site."""
    it_mwh, loss_mwh = _mwh(view, "energy_mwh.it"), _mwh(view, "energy_mwh.conversion_loss")
    web.link(_BUS, web.node(_CHAINS, COLOURS["conversion"], 2), it_mwh + loss_mwh)
    web.link(_CHAINS, web.node(_IT, COLOURS["server"], 3), it_mwh)
    left_mwh = loss_mwh
    for chain, stages in mapping(view.summary.get("stages_mwh")).items():
        for stage, mwh in mapping(stages).items():
            web.link(_CHAINS, web.node(f"{chain} {stage}", COLOURS["conversion"], 3), mwh)
            left_mwh -= mwh
    web.link(_CHAINS, web.node("other conversion loss", COLOURS["conversion"], 3), left_mwh)
    _cooling(web, view)
    web.link(_BUS, web.node("Auxiliaries", COLOURS["auxiliary"], 2), _mwh(view, "energy_mwh.auxiliary"))
    for name, facts in _storages(view).items():
        node = web.node(f"{name} charge", COLOURS["storage"], 2)
        web.link(_BUS, node, float(pick(facts, "charge_mwh") or 0.0))
    web.link(_BUS, web.node("Load bank", COLOURS["genset"], 2), _mwh(view, "energy_mwh.load_bank"))
    web.link(_BUS, web.node("Grid export", COLOURS["bus"], 2), _mwh(view, "energy_mwh.grid_export"))


def _cooling(web: Web, view: View) -> None:
    cooling = web.node("Cooling", COLOURS["cooling"], 2)
    total_mwh = _mwh(view, "energy_mwh.cooling")
    web.link(_BUS, cooling, total_mwh)
    left_mwh = total_mwh
    plants = mapping(view.summary.get("cooling_mwh")).values()
    for component, text in _COMPONENTS.items():
        mwh = sum(float(mapping(plant).get(component) or 0.0) for plant in plants)
        web.link(cooling, web.node(text, COLOURS["cooling"], 3), mwh)
        left_mwh -= mwh
    web.link(cooling, web.node("other cooling", COLOURS["cooling"], 3), left_mwh)


def _equipment(web: Web, view: View) -> None:
    """From the racks to network, server overhead, accelerators and the workloads' tokens."""
    it_mwh, server_mwh, acc_mwh = (_mwh(view, f"energy_mwh.{key}") for key in ("it", "server", "accelerator"))
    web.link(_IT, web.node(_ACCELERATORS, COLOURS["accelerator"], 4), acc_mwh)
    web.link(_IT, web.node("Server overhead", COLOURS["server"], 4), server_mwh - acc_mwh)
    web.link(_IT, web.node("Network", COLOURS["network"], 4), it_mwh - server_mwh)
    left_mwh, place = acc_mwh, 0
    for group, key, verb in (
        ("services", "tokens_output", "made"),
        ("jobs", "tokens", "trained"),
        ("replays", "", ""),
    ):
        for name, facts in mapping(view.summary.get(group)).items():
            mwh = float(pick(facts, "energy_by_boundary_mwh.accelerator") or 0.0)
            count = pick(facts, key)
            note = f"{tokens(count)} {verb}" if count is not None else ""
            web.link(_ACCELERATORS, web.node(str(name), PODS[place % len(PODS)], 5, note), mwh)
            left_mwh -= mwh
            place += 1
    if left_mwh > 1e-6 * acc_mwh:
        web.link(_ACCELERATORS, web.node("unallocated", COLOURS["auxiliary"], 5), left_mwh)


def _storages(view: View) -> Mapping[str, object]:
    return mapping(view.summary.get("storage"))
