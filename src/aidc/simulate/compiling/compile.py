"""From a site and its scenario to the arrays of the engine.

One function per room of the site; `compile_site` only joins them. Numbers leave their human units
here, and names become positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aidc.clock import Clock, as_fraction, as_utc
from aidc.contract import Knob, Signal, SiteView
from aidc.plant.conversion import online_multiple
from aidc.plant.cooling.moist_air import ATMOSPHERE_PA, pressure_at_elevation_pa
from aidc.plant.freeze import frozen
from aidc.plant.lineup import lineup, transformer_rating_va
from aidc.plant.powercap import cap_curve
from aidc.plant.server import fan_coefficients, network_power_w, overhead_coefficients, server_params
from aidc.plant.storage import storage_params
from aidc.scenario.series import FloatArray, Series
from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Pod as PodShape
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.simulate.compiling.books import book_steps
from aidc.simulate.compiling.compiled import Compiled, Labels, Market
from aidc.simulate.compiling.cooling import Cooling, compile_cooling
from aidc.simulate.compiling.describe import describe
from aidc.simulate.compiling.inputs import Scenario, inputs_of, read_scenario
from aidc.simulate.compiling.jobs import Jobs, compile_jobs
from aidc.simulate.compiling.map_range import map_notes
from aidc.simulate.compiling.meter_share import USUAL_FRAC, meter_per_w
from aidc.simulate.compiling.operating import BATCH_SHARES, CAPS, LOADS, load_at_batch
from aidc.simulate.compiling.outages import Outages, compile_outages
from aidc.simulate.compiling.supply import (
    Lineups,
    Stores,
    compile_gensets,
    compile_stores,
    node_slot,
    start_gensets,
    store_places,
)
from aidc.simulate.compiling.workloads import Workload, workloads_of
from aidc.simulate.energy import fields as f
from aidc.simulate.energy.arrays import Params, State
from aidc.simulate.energy.pods import NEVER_LIMITED
from aidc.units import J_PER_MWH, MEGA, kelvin

__all__ = ["compile_site"]

_LONG_S = 1e9
_SLIP_STEPS = 1e-3  # what a decimal of days may miss of a whole step
_NEVER_K = 1e4


def compile_site(site: Site) -> Compiled:
    """Compile a site with its own scenario.

    Raises
    ------
    InputError
        Anything in the scenario's sources or in the combination of model and rack that cannot work.
    """
    site = frozen(site)
    clock = _clock(site)
    rng = np.random.default_rng(site.scenario.seed)
    scenario = read_scenario(site, clock, rng)
    workloads = workloads_of(site, scenario)
    jobs = compile_jobs(site, clock, workloads, rng)
    lineups, labels, server_stages = _lineups(site)
    pod, operating = _pods(site, workloads)
    caps = _caps(workloads, pod)
    cooling = compile_cooling(site, pod)
    placed = Lineups(labels, server_stages, lineups["output"])
    stores = compile_stores(site, placed)
    gensets = compile_gensets(site)
    outages = compile_outages(site, clock, labels, cooling.units)
    channels = _channels(scenario, site, outages)
    _place_inputs(site, pod, placed)
    _place_drives(site, cooling.plant, pod)
    params = Params(
        dt_s=float(clock.step_s),
        pod=pod,
        operating=operating,
        cap_frac=caps,
        batch_load=_batch_loads(site, workloads),
        flow=cooling.flow,
        stage_a_w=lineups["a"],
        stage_b=lineups["b"],
        stage_c_per_w=lineups["c"],
        stage_air_frac=lineups["air"],
        stage_liquid_frac=lineups["liquid"],
        server_stages=server_stages,
        shed_order=_shed_order(site),
        plant=cooling.plant,
        rejection=cooling.rejection,
        store=stores.store,
        storage=stores.storage,
        site=_site_params(site),
        genset=gensets,
        stage_full_w=lineups["full"],
        outage=outages.rows,
        first_outage=len(channels) - len(outages.shares),
        **jobs.params,
    )
    names = Labels(tuple(site.pods), tuple(site.cooling), stores.names, labels, tuple(site.gensets))
    output_step = as_fraction(site.scenario.output_step_s)
    market = _market(scenario)
    remarks = (*cooling.remarks, *map_notes(site, cooling, scenario.weather, clock))
    many = book_steps(clock, market, site.scenario.tariff, site.site.location.timezone)
    return Compiled(
        clock=clock,
        steps_per_output=int(output_step / clock.step_s),
        steps_per_book=many,
        params=params,
        inputs=inputs_of(channels, clock),
        start=_start(site, params, cooling, stores, jobs),
        labels=names,
        view=_view(site, params, clock, workloads),
        market=market,
        first_job=len(site.services) + _replayed(site),
        jobs=tuple(site.jobs),
        signals=_signals(scenario),
        withdrawn={one.name: one.withdrawn_tick for one in scenario.events if one.withdrawn_tick >= 0},
        weather=scenario.weather,
        meta={
            **describe(site, scenario, workloads, clock, remarks, stores.fronts),
            "books_step_s": float(many * clock.step_s),
        },
    )


def _clock(site: Site) -> Clock:
    plan = site.scenario
    step = as_fraction(plan.step_s)
    count = as_fraction(plan.days) * 86_400 / step
    whole = round(count)  # a twelfth of a day has no decimal: two hours are not a second short
    return Clock(as_utc(plan.start), step, whole if abs(count - whole) < _SLIP_STEPS else int(count))


def _replayed(site: Site) -> int:
    return sum(len(replay.pods) for replay in site.replays.values())


def _pods(site: Site, workloads: Mapping[str, Workload]) -> tuple[FloatArray, FloatArray]:
    """Pod parameters [Pod, lane] and operating tables [lane, cap, load, Point]."""
    pod = np.zeros((len(f.Pod), len(site.pods)))
    operating = np.zeros((len(site.pods), CAPS, LOADS, len(f.Point)))
    # for the same mass of thin air a server's fans turn faster: density x speed^3 at speed ~ 1 / density
    density = pressure_at_elevation_pa(site.site.location.elevation_m) / ATMOSPHERE_PA
    fans_thin = 1.0 / density**2
    for lane, (name, shape) in enumerate(site.pods.items()):
        work = workloads[name]
        rated_w = shape.accelerators * shape.accelerator.tdp_w
        curve = cap_curve(site.devices[name].powercap, shape.accelerator.tdp_w)
        pod[f.Pod.KIND, lane] = work.kind
        pod[f.Pod.WORKLOAD, lane] = work.number
        pod[f.Pod.SHARE_FRAC, lane] = work.share_frac
        pod[f.Pod.RATE_MAX_PER_S, lane] = work.rate_max_per_s
        pod[f.Pod.RATED_W, lane] = rated_w
        floor_frac = curve.floor_w / shape.accelerator.tdp_w
        pod[f.Pod.CAP_MIN_FRAC, lane] = floor_frac if work.caps_frac is None else work.cap_min_frac
        pod[f.Pod.SHARE_FROM, lane] = work.share_from
        pod[f.Pod.QUEUE_LIMIT_S, lane] = work.queue_limit_s
        pod[f.Pod.SLO_TTFT_S, lane] = work.slo_ttft_s
        pod[f.Pod.INPUT_PER_OUTPUT, lane] = work.input_per_output
        pod[f.Pod.OUTPUT_PER_REQUEST, lane] = work.output_per_request
        _server(pod, lane, shape, fans_thin, measured=work.kind == f.Kind.REPLAY)
        _limits(pod, lane, shape, measured=work.kind == f.Kind.REPLAY)
        pod[f.Pod.IDLE_W, lane] = (
            0.0 if work.kind == f.Kind.REPLAY else shape.accelerators * _idle_w(shape, work)
        )
        pod[f.Pod.PER_ACCELERATOR, lane] = 1.0 / max(shape.rack.cold_plates * shape.racks, shape.accelerators)
        pod[f.Pod.RESTART_S, lane] = shape.restart_s
        ramp = shape.ramp_up_mw_per_s
        pod[f.Pod.RAMP_UP_W_PER_S, lane] = NEVER_LIMITED if ramp is None else ramp * MEGA
        pod[f.Pod.LIQUID_FRAC, lane] = shape.rack.liquid_frac
        operating[lane] = work.table
    return pod, operating


def _caps(workloads: Mapping[str, Workload], pod: FloatArray) -> FloatArray:
    """Caps of the operating tables [lane, cap] over rated power."""
    return np.array(
        [
            np.linspace(least, 1.0, CAPS) if work.caps_frac is None else work.caps_frac
            for work, least in zip(workloads.values(), pod[f.Pod.CAP_MIN_FRAC], strict=True)
        ]
    )


def _idle_w(shape: PodShape, work: Workload) -> float:
    """An accelerator without work: with a model loaded where it serves one, bare elsewhere."""
    return shape.accelerator.idle_w if work.kind == f.Kind.SERVICE else shape.rack.accelerator_idle_w


def _server(pod: FloatArray, lane: int, shape: PodShape, fans_thin: float, *, measured: bool) -> None:
    """Host, fans and network; a measured power series has them inside."""
    if measured:
        return
    params = server_params(shape.rack, shape.accelerator.tdp_w)
    servers = shape.racks * shape.rack.servers
    base_w, slope, bend_per_w = overhead_coefficients(params)
    pod[f.Pod.OVERHEAD_0_W, lane] = base_w * servers
    pod[f.Pod.OVERHEAD_1, lane] = slope
    pod[f.Pod.OVERHEAD_2_PER_W, lane] = bend_per_w / servers
    pod[f.Pod.NETWORK_W, lane] = network_power_w(shape.rack) * shape.racks
    fan_w, rise_per_w2 = fan_coefficients(params)
    pod[f.Pod.FAN_0_W, lane] = fan_w * servers * fans_thin
    pod[f.Pod.FAN_2_PER_W, lane] = rise_per_w2 / servers * fans_thin
    pod[f.Pod.OVERHEAD_0_W, lane] += fan_w * servers * (fans_thin - 1.0)
    pod[f.Pod.OVERHEAD_2_PER_W, lane] += rise_per_w2 / servers * (fans_thin - 1.0)


def _limits(pod: FloatArray, lane: int, shape: PodShape, *, measured: bool) -> None:
    """What the pod's temperatures may be, and what leakage and fans make of them where power is modelled."""
    rack = shape.rack
    on_air = rack.cooling == "air"
    pod[f.Pod.THROTTLE_K, lane] = kelvin(rack.case_limit_c)
    pod[f.Pod.TRIP_K, lane] = kelvin(rack.case_trip_c)
    pod[f.Pod.PER_CASE_BAND, lane] = 1.0 / (rack.case_trip_c - rack.case_limit_c)
    pod[f.Pod.COOLANT_LIMIT_K, lane] = _NEVER_K if on_air else kelvin(rack.coolant_limit_c)
    pod[f.Pod.AIR_LIMIT_K, lane] = kelvin(rack.air_most_c)
    pod[f.Pod.PER_INLET_BAND, lane] = 1.0 / rack.inlet_band_k
    pod[f.Pod.CASE_ON_AIR, lane] = float(on_air)
    pod[f.Pod.REFERENCE_K, lane] = kelvin(rack.air_reference_c if on_air else rack.coolant_reference_c)
    pod[f.Pod.FAN_FROM_K, lane] = kelvin(rack.air_reference_c)
    pod[f.Pod.FAN_MOST, lane] = rack.fan_speed_most
    if not measured:
        pod[f.Pod.LEAKAGE_PER_K, lane] = rack.leakage_per_k
        pod[f.Pod.FAN_PER_K, lane] = rack.fan_speed_per_k
        pod[f.Pod.CEILING_W, lane] = pod[f.Pod.RATED_W, lane]


def _batch_loads(site: Site, workloads: Mapping[str, Workload]) -> FloatArray:
    return np.array(
        [
            load_at_batch(work.table) if work.kind == f.Kind.SERVICE else np.ones(BATCH_SHARES)
            for work in (workloads[name] for name in site.pods)
        ]
    )


def _lineups(site: Site) -> tuple[dict[str, FloatArray], tuple[tuple[str, ...], ...], int]:
    """Stage coefficients [stage, lane], their labels, and how many slots belong to the server.

    Server stages fill the first slots and site stages the ones behind, so that one loop serves
    chains of different length; an empty slot loses nothing.
    """
    sized = {name: lineup(site, name) for name in site.pods}
    split = {
        name: (
            [stage for stage in stages if stage.stage.boundary == "server"],
            [stage for stage in stages if stage.stage.boundary == "site"],
        )
        for name, stages in sized.items()
    }
    servers = max(len(server) for server, _ in split.values())
    slots = servers + max(1, *(len(rest) for _, rest in split.values()))
    keys = ("a", "b", "c", "air", "liquid", "output", "full")
    arrays = {key: np.zeros((slots, len(site.pods))) for key in keys}
    labels = [["" for _ in site.pods] for _ in range(slots)]
    for lane, (name, (server, rest)) in enumerate(split.items()):
        for slot, (stage, loss) in [*enumerate(server), *enumerate(rest, start=servers)]:
            arrays["a"][slot, lane] = loss.no_load_w
            arrays["b"][slot, lane] = loss.linear
            arrays["c"][slot, lane] = loss.quadratic_per_w
            arrays["output"][slot, lane] = loss.capacity_w / stage.sizing
            redundancy = stage.redundancy or site.chains[site.pods[name].chain].redundancy
            arrays["full"][slot, lane] = loss.capacity_w * online_multiple(redundancy, stage.modules)
            arrays["air"][slot, lane] = float(stage.heat_to == "air")
            arrays["liquid"][slot, lane] = float(
                stage.heat_to == "liquid" and site.pods[name].rack.cooling == "liquid"
            )
            if stage.heat_to == "liquid" and site.pods[name].rack.cooling != "liquid":
                arrays["air"][slot, lane] = 1.0  # no loop to take it
            labels[slot][lane] = f"{site.pods[name].chain}.{stage.name}"
    return arrays, tuple(tuple(row) for row in labels), servers


def _place_inputs(site: Site, pod: FloatArray, lineups: Lineups) -> None:
    """How each lineup comes back after its input was lost, and what cooling hangs on its UPS bus."""
    pods = list(site.pods.values())
    liquid_w = np.array([one.racks * one.rack.rated_power_kw * one.rack.liquid_frac for one in pods])
    air_w = np.array([one.racks * one.rack.rated_power_kw * (1.0 - one.rack.liquid_frac) for one in pods])
    for lane, shape in enumerate(pods):
        front = site.chains[shape.chain].front_entry or FrontEnd()
        pod[f.Pod.INPUT_RETURN_S, lane] = front.return_s
        pod[f.Pod.WALK_IN_S, lane] = front.walk_in_s
        pod[f.Pod.RETURN_WAIT_S, lane] = shape.restart_s + shape.return_s
        pod[f.Pod.RETURN_MARGIN_FRAC, lane] = shape.return_margin_frac
        pod[f.Pod.UPS_STAGE, lane] = max(node_slot(site, "ups", lane, lineups), lineups.server_stages)
        has_bus = _has_ups_bus(site, shape)
        pod[f.Pod.LOOP_ON_UPS, lane] = float(site.cooling[shape.cooling].drives.on_ups and has_bus)
        pod[f.Pod.AIR_ON_UPS, lane] = float(site.cooling[shape.air_plant].drives.on_ups and has_bus)
    for name in site.cooling:
        loop = np.array([one.cooling == name for one in pods]) * liquid_w
        air = np.array([one.air_plant == name for one in pods]) * air_w
        total = max(loop.sum() + air.sum(), 1e-9)
        pod[f.Pod.LOOP_DRIVES_FRAC] += loop / total * pod[f.Pod.LOOP_ON_UPS]
        pod[f.Pod.AIR_DRIVES_FRAC] += air / total * pod[f.Pod.AIR_ON_UPS]


def _has_ups_bus(site: Site, shape: PodShape) -> bool:
    """Whether a lineup has a bus behind a UPS on the site's side; else its cooling hangs on the site bus."""
    return any(
        stage.storage_node == "ups" and stage.boundary == "site" for stage in site.chains[shape.chain].stages
    )


def _place_drives(site: Site, plant: FloatArray, pod: FloatArray) -> None:
    """Where pumps and fans hang, and how they start again."""
    for number, shape in enumerate(site.cooling.values()):
        loop, air = pod[f.Pod.PLANT] == number, pod[f.Pod.AIR_PLANT] == number
        plant[f.Plant.ON_UPS, number] = (
            pod[f.Pod.LOOP_DRIVES_FRAC, loop].sum() + pod[f.Pod.AIR_DRIVES_FRAC, air].sum()
        )
        plant[f.Plant.RESTART_S, number] = shape.drives.restart_s
        plant[f.Plant.RAMP_S, number] = shape.drives.ramp_s
        plant[f.Plant.COMPRESSOR_RESTART_S, number] = shape.drives.compressor_restart_s


def _shed_order(site: Site) -> np.ndarray:
    """Pods, the highest priority number first; among equals the one named last."""
    order = sorted(range(len(site.pods)), key=lambda lane: (-list(site.pods.values())[lane].priority, -lane))
    return np.array([order], dtype=np.int64)


def _site_params(site: Site) -> FloatArray:
    grid, facts = site.grid, site.site
    rating_w = transformer_rating_va(site)
    values = np.zeros((len(f.Site), 1))
    values[f.Site.EXPORT_LIMIT_W] = grid.export_limit_mw * MEGA
    values[f.Site.AUXILIARY_W] = facts.auxiliary_mw * MEGA
    values[f.Site.AUXILIARY_FRAC] = facts.auxiliary_frac
    values[f.Site.TRANSFORMER_0_W] = grid.transformer.no_load_frac * rating_w
    values[f.Site.TRANSFORMER_2_PER_W] = grid.transformer.load_frac / rating_w
    values[f.Site.ON_UPS] = float(any(plant.drives.on_ups for plant in site.cooling.values()))
    return values


def _channels(scenario: Scenario, site: Site, outages: Outages) -> list[Series]:
    """Channels in the order of `fields.Channel`, then services, then replayed pods, then equipment in service."""
    return [
        scenario.weather.dry_bulb_k,
        scenario.weather.wet_bulb_k,
        scenario.pv_w,
        scenario.wind_w,
        scenario.import_limit_w,
        scenario.grid,
        *(scenario.demands[name].output_tokens_per_s for name in site.services),
        *(scenario.replays[pod] for replay in site.replays.values() for pod in replay.pods),
        *outages.shares,
    ]


def _start(site: Site, params: Params, cooling: Cooling, stores: Stores, jobs: Jobs) -> State:
    """Loops at their set points, racks idle, storages at their initial charge, no queue."""
    pod = np.zeros((len(f.PodState), len(site.pods)))
    pod[f.PodState.LOOP_K] = cooling.loop_k
    pod[f.PodState.AIR_K] = cooling.air_k
    pod[f.PodState.CASE_K] = np.where(params.pod[f.Pod.CASE_ON_AIR] > 0, cooling.air_k, cooling.loop_k)
    pod[f.PodState.ACCELERATOR_W] = params.pod[f.Pod.RATED_W]  # a ramp limit starts from rating
    plant = np.zeros((len(f.PlantState), len(site.cooling)))
    pod[f.PodState.INPUT_S] = _LONG_S
    plant[f.PlantState.SUPPLY_K] = params.plant[f.Plant.SET_K]
    plant[f.PlantState.BUS_S] = _LONG_S
    return State(
        pod=pod,
        plant=plant,
        soc_frac=stores.soc_frac.copy(),
        smooth_w=np.full(len(stores.names), np.nan),
        job_tick=np.zeros(jobs.count, dtype=np.int64),
        job_fault=np.zeros(jobs.count, dtype=np.int64),
        job_tokens=np.zeros(jobs.count),
        job_phase=np.zeros(jobs.count, dtype=np.int64),
        job_left=np.zeros(jobs.count, dtype=np.int64),
        job_width=np.ones(jobs.count),
        genset=start_gensets(site, params.genset),
        calm=np.zeros(1),  # the first step finds out
    )


def _view(site: Site, params: Params, clock: Clock, workloads: Mapping[str, Workload]) -> SiteView:
    """What a controller may know and set."""
    pods, plants, stores = len(site.pods), len(site.cooling), len(site.storage)
    rated = params.pod[f.Pod.RATED_W]
    caps = np.array([pod.power_cap_frac for pod in site.pods.values()])
    power = np.array([_power_w(site, storage) for storage in site.storage.values()]).reshape(stores)
    supply = params.plant[f.Plant.SET_K]
    ones = np.ones(pods)
    width = _widths(site)
    return SiteView(
        name=site.site.name,
        start=clock.start,
        step_s=float(clock.step_s),
        pods=tuple(site.pods),
        storages=tuple(site.storage),
        plants=tuple(site.cooling),
        **_job_views(site, params, clock),
        import_limit_w=site.grid.import_limit_mw * MEGA,
        export_limit_w=site.grid.export_limit_mw * MEGA,
        pod_workload=tuple(workloads[name].name for name in site.pods),
        pod_flex_tier=tuple(workloads[name].flex_tier for name in site.pods),
        pod_flex_window=tuple(workloads[name].flex_window for name in site.pods),
        pod_curtailment_usd_per_mwh=tuple(workloads[name].curtailment_usd_per_mwh for name in site.pods),
        pod_kind=tuple(f.Kind(workloads[name].kind).name.lower() for name in site.pods),
        pod_rated_w=rated,
        pod_idle_w=np.array(params.pod[f.Pod.IDLE_W]),
        pod_meter_per_w=meter_per_w(params, USUAL_FRAC * site.grid.import_limit_mw * MEGA),
        storage_power_w=power,
        storage_energy_j=np.array([_energy_j(site, s) for s in site.storage.values()]).reshape(stores),
        lower={
            Knob.POD_CAP_W: params.pod[f.Pod.CAP_MIN_FRAC] * rated,
            Knob.POD_PAUSE: 0 * ones,
            Knob.POD_BATCH_FRAC: 0.05 * ones,
            Knob.POD_REPLICA_FRAC: 0.05 * ones,
            Knob.STORAGE_W: -power,
            Knob.JOB_WIDTH: width[0],
            Knob.PLANT_SUPPLY_K: supply - 10.0,
        },
        upper={
            Knob.POD_CAP_W: rated,
            Knob.POD_PAUSE: ones,
            Knob.POD_BATCH_FRAC: ones,
            Knob.POD_REPLICA_FRAC: ones,
            Knob.STORAGE_W: power,
            Knob.JOB_WIDTH: width[2],
            Knob.PLANT_SUPPLY_K: supply + 10.0,
        },
        default={
            Knob.POD_CAP_W: np.maximum(caps, params.pod[f.Pod.CAP_MIN_FRAC]) * rated,
            Knob.POD_PAUSE: 0 * ones,
            Knob.POD_BATCH_FRAC: ones,
            Knob.POD_REPLICA_FRAC: ones,
            Knob.STORAGE_W: np.full(stores, np.nan),
            Knob.JOB_WIDTH: width[2],
            Knob.PLANT_SUPPLY_K: np.array(supply).reshape(plants),
        },
        step={Knob.JOB_WIDTH: width[1]},
    )


def _job_views(site: Site, params: Params, clock: Clock) -> dict[str, Any]:
    """What a controller knows of the jobs."""
    first = len(site.services) + _replayed(site)
    rates = [
        float(params.pod[f.Pod.RATE_MAX_PER_S, params.pod[f.Pod.WORKLOAD] == first + job].sum())
        for job in range(len(site.jobs))
    ]
    deadlines = [
        np.inf if job.deadline is None else clock.tick_of(job.deadline) for job in site.jobs.values()
    ]
    return {
        "jobs": tuple(site.jobs),
        "job_start_tick": tuple(float(tick) for tick in params.job_start),
        "job_deadline_tick": tuple(float(tick) for tick in deadlines),
        "job_target_tokens": tuple(float(tokens) for tokens in params.job_tokens),
        "job_tokens_per_s": tuple(rates),
    }


def _widths(site: Site) -> FloatArray:
    """Least width, step and all accelerators of each job, [3, job]; one that is not elastic has all or nothing to give."""
    found = np.zeros((3, len(site.jobs)))
    for number, job in enumerate(site.jobs.values()):
        every = sum(site.pods[pod].accelerators for pod in job.pods)
        least, step = (every, every) if job.width is None else (job.width.min, job.width.step)
        found[:, number] = least, step, every
    return found


def _power_w(site: Site, shape: Storage) -> float:
    places = store_places(site, shape)
    pods = list(site.pods.values())
    if shape.power_mw is not None:
        return shape.power_mw * MEGA
    return sum(storage_params(shape, pods[lane].accelerators).rated_w for lane, _, _ in places if lane >= 0)


def _energy_j(site: Site, shape: Storage) -> float:
    places = store_places(site, shape)
    pods = list(site.pods.values())
    if shape.energy_mwh is not None:
        return shape.energy_mwh * J_PER_MWH
    return sum(
        storage_params(shape, pods[lane].accelerators).capacity_j for lane, _, _ in places if lane >= 0
    )


def _signals(scenario: Scenario) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            name=one.name,
            kind=one.kind,
            announced_tick=one.announced_tick,
            start_tick=one.start_tick,
            end_tick=one.end_tick,
            reduce_frac=one.reduce_frac,
            limit_w=one.limit_w,
            reduce_w=one.reduce_w,
            price_usd_per_mwh=one.price_usd_per_mwh,
            carbon_kg_per_mwh=one.carbon_kg_per_mwh,
        )
        for one in scenario.events
    )


def _market(scenario: Scenario) -> Market:
    carbon = scenario.carbon
    return Market(
        price_usd_per_mwh=scenario.prices.energy_usd_per_mwh,
        export_price_usd_per_mwh=scenario.prices.export_usd_per_mwh,
        carbon_kg_per_mwh=carbon.average_kg_per_mwh if carbon else None,
        marginal_kg_per_mwh=carbon.marginal_kg_per_mwh if carbon else None,
    )
