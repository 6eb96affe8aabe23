"""From a site at its operating point to the arrays of the transient engine.

The lineups are those of the energy engine, cut at their buffer: losses behind it follow the racks, losses
in front of it follow what is drawn from the grid.
"""

from __future__ import annotations

import math

import numpy as np

from aidc.plant.conversion import ChainStage, input_power_w
from aidc.plant.freeze import frozen
from aidc.plant.lineup import lineup, nameplate_w, rated_out_w, transformer_rating_va
from aidc.plant.network.source import Impedance, impedance_of
from aidc.plant.storage import StorageParams
from aidc.schema.site import Pod as PodShape
from aidc.schema.site import Site
from aidc.simulate.energy.fields import Kind, Pod
from aidc.simulate.transient.arrays import FloatArray, Plan
from aidc.simulate.transient.converters import converter_rows, fault_figures, transient_storage
from aidc.simulate.transient.course import Course, is_island, seen_source
from aidc.simulate.transient.fields import CURVE, Drive, Lane, SiteParam
from aidc.simulate.transient.offer import offer_service
from aidc.simulate.transient.reserves import (
    fill_battery,
    fill_shelf,
    front_of,
    genset_rows,
    has_battery,
    stacked,
    ups_cooling_w,
)
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.waveforms import Waveforms
from aidc.units import MEGA

__all__ = ["compile_plan"]

_NEVER = 1e15
_PLATE_J_PER_W = 0.3  # heat capacity of chip and plate: about 300 J/K per kW (derived, assumed)
_GENSET_REACTANCE = 0.2  # subtransient, per unit of rating (engineering knowledge without a checked source)
_GENSET_INERTIA_S = 1.5
_GENSET_DROOP = 0.04
_LEAST_REACTANCE = 1e-4  # between a bolted fault at the point of interconnection and the site bus


def compile_plan(
    site: Site,
    point: OperatingPoint,
    course: Course,
    waveforms: Waveforms,
    step_s: float,
    short_circuit_va: float,
) -> Plan:
    """Join the lineups, converters, motors, the grid's course and the load's waveforms.

    Parameters
    ----------
    site, point
        What is built, and how it stands at the start of the window.
    course, waveforms
        From `course_of` and `waveforms_of`.
    step_s
        Step [s].
    short_circuit_va
        Level at the point of interconnection [VA].
    """
    site = frozen(site)
    lane, cut, cells = _lanes(site, point, step_s)
    curves = _curves(site, step_s)
    lane[Lane.WATCH_BELOW_PU] = curves["below_pu"].max(axis=0)
    lane[Lane.WATCH_ABOVE_PU] = curves["above_pu"].min(axis=0)
    store = converter_rows(site, point, step_s)
    row = _site(site, point, step_s, short_circuit_va)
    service = offer_service(site, point, lane, store, row, step_s)
    return Plan(
        lane=lane,
        order=np.argsort(lane[Lane.PRIORITY], kind="stable").astype(np.int64),
        leave_below_pu=curves["below_pu"],
        leave_below_ticks=curves["below_ticks"],
        leave_above_pu=curves["above_pu"],
        leave_above_ticks=curves["above_ticks"],
        down_a_w=cut["down"][0],
        down_b=cut["down"][1],
        down_c_per_w=cut["down"][2],
        server_stages=int(cut["servers"][0, 0, 0]),
        up_a_w=cut["up"][0],
        up_b=cut["up"][1],
        up_c_per_w=cut["up"][2],
        service_w=waveforms.service_w,
        sample_ticks=waveforms.sample_ticks,
        job_start=waveforms.job_start,
        job_clock=waveforms.job_clock,
        job_levels=waveforms.job_levels,
        job_edge=waveforms.job_edge,
        drive=_drives(site, point, lane, step_s),
        battery=cells["battery"],
        shelf=cells["shelf"],
        genset=genset_rows(site, step_s),
        store=store,
        storage=transient_storage(site, point),
        site=row,
        service=service,
        segment_tick=course.segment_tick,
        segment=seen_source(course.segment, row),
        action_tick=course.action_tick,
        action=course.action,
    )


def _cut(
    site: Site, point: OperatingPoint, number: int, name: str
) -> tuple[list[ChainStage], list[ChainStage]]:
    """Stages behind and in front of the buffer, rack side first.

    A battery hangs on the output of the stage that is marked as the "ups" node; without one the
    capacitors of the supplies are the buffer, at the "rack" node.
    """
    pod = site.pods[name]
    stages = lineup(site, name)
    wanted = "ups" if has_battery(site, point, number, front_of(site, pod)) else "rack"
    marked = [k for k, one in enumerate(stages) if one.stage.storage_node == wanted]
    place = marked[0] if marked else 0
    return list(stages[:place]), list(stages[place:])


def _lanes(
    site: Site, point: OperatingPoint, step_s: float
) -> tuple[FloatArray, dict[str, FloatArray], dict[str, FloatArray]]:
    """Lineups, their stages on both sides of the buffer, and the cells of batteries and capacitors."""
    pods = list(site.pods.values())
    halves = [_cut(site, point, number, name) for number, name in enumerate(site.pods)]
    servers = max(sum(one.stage.boundary == "server" for one in down) for down, _ in halves)
    behind = max(sum(one.stage.boundary == "site" for one in down) for down, _ in halves)
    front = max(len(up) for _, up in halves)
    down = np.zeros((3, servers + behind, len(pods)))
    up = np.zeros((3, front, len(pods)))
    lane = np.zeros((len(Lane), len(pods)))
    lane[Lane.UPS_LOOP_W], lane[Lane.UPS_AIR_W] = ups_cooling_w(site, point)
    batteries: list[StorageParams] = []
    shelves: list[StorageParams] = []
    for number, (pod, (near, far)) in enumerate(zip(pods, halves, strict=True)):
        near_server = [one for one in near if one.stage.boundary == "server"]
        near_site = [one for one in near if one.stage.boundary == "site"]
        for slot, one in [*enumerate(near_server), *enumerate(near_site, start=servers)]:
            down[:, slot, number] = one.loss.no_load_w, one.loss.linear, one.loss.quadratic_per_w
        for slot, one in enumerate(far):
            up[:, slot, number] = one.loss.no_load_w, one.loss.linear, one.loss.quadratic_per_w
        row = lane[:, number]
        row[Lane.BUFFER_W] = rated_out_w(far[0])
        row[Lane.PER_IT] = _into(far[-1]) / nameplate_w(pod)
        row[Lane.INPUT_W] = _through(row[Lane.BUFFER_W] + row[Lane.UPS_LOOP_W] + row[Lane.UPS_AIR_W], far)
        _lane(row, site, point, number, pod, step_s)
        batteries.append(fill_battery(site, point, number, front_of(site, pod), row))
        shelves.append(fill_shelf(site, point, number, pod, row, step_s))
    cut = {"down": down, "up": up, "servers": np.full((1, 1, 1), float(servers))}
    return lane, cut, {"battery": stacked(batteries), "shelf": stacked(shelves)}


def _through(power_w: float, stages: list[ChainStage]) -> float:
    """What stages take in to put out a power behind the last of them [W]."""
    for _, loss in stages:
        power_w = input_power_w(power_w, loss.no_load_w, loss.linear, loss.quadratic_per_w)
    return power_w


def _into(last: ChainStage) -> float:
    """What the stage at the grid side takes in at the flow that it was sized for [W]."""
    return input_power_w(rated_out_w(last), *last.loss[:3])


def _lane(
    row: FloatArray,
    site: Site,
    point: OperatingPoint,
    number: int,
    pod: PodShape,
    step_s: float,
) -> None:
    """Fill one lineup's parameters, but those of its battery and its capacitors."""
    front = front_of(site, pod)
    known = point.compiled.params.pod[:, number]
    rated_w = known[Pod.RATED_W]
    kind = int(known[Pod.KIND])
    jobs = [index for index, job in enumerate(site.jobs.values()) if list(site.pods)[number] in job.pods]
    row[Lane.KIND] = kind
    row[Lane.JOB] = jobs[0] if kind == Kind.JOB and jobs else 0
    row[Lane.RATED_W] = rated_w
    row[Lane.IDLE_W] = known[Pod.IDLE_W]
    row[Lane.OVERHEAD_0_W] = known[Pod.OVERHEAD_0_W]
    row[Lane.OVERHEAD_1] = known[Pod.OVERHEAD_1]
    row[Lane.OVERHEAD_2_PER_W] = known[Pod.OVERHEAD_2_PER_W]
    row[Lane.NETWORK_W] = known[Pod.NETWORK_W]
    _smoothing(row, pod, rated_w, step_s)
    row[Lane.CURRENT_LIMIT] = front.current_limit_frac
    row[Lane.TAN_PHI] = math.tan(math.acos(front.power_factor))
    row[Lane.X_PER_W] = front.transformer_reactance_frac / row[Lane.INPUT_W]
    row[Lane.HAS_UNIT] = float(front.winding in ("Dy", "Yd"))
    row[Lane.LEAVE_LOW_HZ] = site.grid.frequency_hz - front.leave_drop_hz
    row[Lane.LEAVE_HIGH_HZ] = site.grid.frequency_hz + front.leave_rise_hz
    row[Lane.LEAVE_HZ_TICKS] = round(front.leave_hz_s / step_s)
    row[Lane.RETURN_PU] = front.return_above_pu
    row[Lane.RETURN_TICKS] = round(front.return_s / step_s)
    row[Lane.WALK_STEP] = step_s / max(front.walk_in_s, step_s)
    row[Lane.HOLD_UP_J] = front.hold_up_s * row[Lane.BUFFER_W]
    row[Lane.LEAVE_DC_FRAC] = front.leave_dc_frac
    row[Lane.BATTERY_TICKS] = round(max(front.battery_start_s, front.transfer_s) / step_s)
    row[Lane.SUPPLEMENTS] = float(front.supplements)
    if front.sag_counter is not None:
        row[Lane.SAG_COUNT] = front.sag_counter.count
        row[Lane.SAG_WINDOW_TICKS] = front.sag_counter.window_s / step_s
    for name, value in fault_figures(front, row[Lane.INPUT_W], step_s).items():
        row[Lane[name]] = value
    row[Lane.RESTART_TICKS] = (pod.restart_s + pod.return_s) / step_s
    row[Lane.RETURN_MARGIN] = 1.0 + pod.return_margin_frac
    row[Lane.PRIORITY] = pod.priority
    row[Lane.PLANT] = known[Pod.PLANT]
    row[Lane.AIR_PLANT] = known[Pod.AIR_PLANT]
    row[Lane.THROTTLE_K] = known[Pod.THROTTLE_K]
    row[Lane.TRIP_K] = known[Pod.TRIP_K]
    row[Lane.CASE_K_W] = point.case_k_w[number]
    row[Lane.CASE_J_K] = _PLATE_J_PER_W * pod.accelerator.tdp_w
    row[Lane.PER_ACCELERATOR] = known[Pod.PER_ACCELERATOR]
    row[Lane.CAP_MIN_FRAC] = known[Pod.CAP_MIN_FRAC]
    row[Lane.AMBIENT_K] = point.supply_k[number]


def _smoothing(row: FloatArray, pod: PodShape, rated_w: float, step_s: float) -> None:
    shape = pod.power_smoothing
    rise = _NEVER if shape is None else shape.ramp_up_frac_per_s * rated_w * step_s
    if pod.ramp_up_mw_per_s is not None:
        rise = min(rise, pod.ramp_up_mw_per_s * MEGA * step_s)
    row[Lane.RISE_W] = rise
    row[Lane.FALL_W] = _NEVER if shape is None else shape.ramp_down_frac_per_s * rated_w * step_s
    row[Lane.FLOOR_W] = 0.0 if shape is None else shape.floor_frac * rated_w
    row[Lane.HOLD_TICKS] = 0.0 if shape is None else shape.hysteresis_s / step_s


def _curves(site: Site, step_s: float) -> dict[str, FloatArray]:
    """Leave curves of all lineups; a point that does not exist can never be passed."""
    count = len(site.pods)
    curves = {
        "below_pu": np.zeros((CURVE, count)),
        "below_ticks": np.full((CURVE, count), _NEVER),
        "above_pu": np.full((CURVE, count), np.inf),
        "above_ticks": np.full((CURVE, count), _NEVER),
    }
    for number, pod in enumerate(site.pods.values()):
        front = front_of(site, pod)
        for side in ("below", "above"):
            levels, times = getattr(front, f"leave_{side}_pu"), getattr(front, f"leave_{side}_s")
            curves[f"{side}_pu"][: len(levels), number] = levels
            least_s = (front.cease_after_s or 0.0) if side == "below" else 0.0
            curves[f"{side}_ticks"][: len(times), number] = [round(max(t, least_s) / step_s) for t in times]
    return curves


def _drives(site: Site, point: OperatingPoint, lane: FloatArray, step_s: float) -> FloatArray:
    """Motors on the site bus: compressors, and the pumps and fans that hang on no lineup."""
    own, air = lane[Lane.PLANT].astype(int), lane[Lane.AIR_PLANT].astype(int)
    rows = np.zeros((len(Drive), len(site.cooling)))
    for number, plant in enumerate(site.cooling.values()):
        drives = plant.drives
        on_ups_w = lane[Lane.UPS_LOOP_W, own == number].sum() + lane[Lane.UPS_AIR_W, air == number].sum()
        compressors_w = point.compressor_w[number]
        rows[Drive.POWER_W, number] = max(point.cooling_w[number] - compressors_w - on_ups_w, 0.0)
        rows[Drive.COMPRESSOR_W, number] = compressors_w
        wait_s = drives.compressor_restart_s if compressors_w > 0 else 0.0
        rows[Drive.COMPRESSOR_TICKS, number] = max(wait_s, drives.restart_s) / step_s
        rows[Drive.TAN_PHI, number] = math.tan(math.acos(drives.power_factor))
        rows[Drive.DROP_PU, number] = drives.drop_below_pu
        rows[Drive.DROP_TICKS, number] = max(drives.drop_after_s / step_s, 1.0)
        rows[Drive.RESTART_TICKS, number] = drives.restart_s / step_s
        rows[Drive.RAMP_STEP, number] = step_s / max(drives.ramp_s, step_s)
        rows[Drive.ON_UPS, number] = float(on_ups_w > 0)
    return rows


def _site(site: Site, point: OperatingPoint, step_s: float, short_circuit_va: float) -> FloatArray:
    grid = site.grid
    rating_va = transformer_rating_va(site)
    island = is_island(site)
    source = Impedance(0.0, 0.0) if island else impedance_of(short_circuit_va, grid.x_over_r)
    row = np.zeros(len(SiteParam))
    row[SiteParam.DT_S] = step_s
    row[SiteParam.NOMINAL_HZ] = grid.frequency_hz
    row[SiteParam.R] = source.r
    row[SiteParam.X] = source.x
    row[SiteParam.R_T] = grid.transformer.load_frac / rating_va
    row[SiteParam.X_T] = max(grid.transformer.reactance_frac, _LEAST_REACTANCE) / rating_va
    row[SiteParam.IRON_W] = grid.transformer.no_load_frac * rating_va
    row[SiteParam.AUXILIARY_W] = point.auxiliary_w
    row[SiteParam.GENSET_X] = _GENSET_REACTANCE
    row[SiteParam.GENSET_R] = 0.1 * _GENSET_REACTANCE
    row[SiteParam.GENSET_DROOP] = _GENSET_DROOP
    row[SiteParam.GENSET_INERTIA_S] = _GENSET_INERTIA_S
    row[SiteParam.PV_W] = point.renewable_w
    row[SiteParam.ISLAND] = float(island)
    row[SiteParam.EXPORT_W] = grid.export_limit_mw * MEGA
    row[SiteParam.PV_CUT_OFF_PU] = 0.5
    return row
