"""The smallest change that would pass, where a formula yields one; `check` then tries it on the twin.

Ramp and swing limits: a storage that lets the site's draw change by at most r. Its power is the largest
difference between the load and the limited draw, its energy the range of their integral; for one step of
ΔP the latter is ΔP²/(2r). A swing of L in any window of W seconds is met by r = 0.8·L/W.

Ride-through: settings of the front ends that lie outside the rule's curve, and a battery that fills in. A lineup on
bypass (eco mode) is taken off it, with the losses of the conversion that then works: relays that wait would let its
load hang on the fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aidc.catalogue import read
from aidc.firmware.smoothing import follow_ramp
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, Oscillation, Ramp, Recovery, VoltageRideThrough
from aidc.schema.converter import Converter, LoadSmoothing, NoLaw, RampLimit
from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.study.grid_check.eco_mode import off_bypass
from aidc.units import J_PER_MWH, MEGA, MINUTE_S

__all__ = ["Remedy", "ride_through_remedy", "storage_remedies"]

_SHARE_OF_LIMIT = 0.8
_POWER_MARGIN = 1.15
_ENERGY_MARGIN = 1.3
_USABLE_FRAC = 0.85
_LEAST_MINUTES = 2.0  # of full power: no storage of power electronics is sold with less
_LAGS_S = (0.02, 0.01, 0.005, 0.002)
_RATE_SHARES = (1.0, 0.85, 0.7)  # of the rate that would do without lag, loss and ripple
_TIME_MARGIN = 1.1
_LEAST_MARGIN_S = 0.05
_FRIENDLY = "ups-grid-friendly"  # of the catalogue, for a chain that names no front end


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change in words of the site file (each ready for `--set`), and the site with it; `note` is what else it means.

    `losses` says that stages lose other than before, so that the site's operating point is another.
    """

    settings: tuple[str, ...]
    site: Site
    note: str = ""
    losses: bool = False

    @property
    def text(self) -> str:
        return "; ".join(self.settings)


def storage_remedies(site: Site, clauses: Iterable[Clause], windows: Sequence[Waveform]) -> list[Remedy]:
    """Storages that would meet failed ramp and oscillation clauses, the slowest converter first.

    `windows` are records of the site's draw without the storage's help.
    """
    rates = [rate for clause in clauses if (rate := _rate_w_per_s(clause, site)) is not None]
    if not rates or not windows:
        return []
    return [
        _storage_remedy(site, windows, share * min(rates), lag_s)
        for share in _RATE_SHARES
        for lag_s in _LAGS_S
    ]


def _storage_remedy(site: Site, windows: Sequence[Waveform], rate: float, lag_s: float) -> Remedy:
    """A storage that limits the site's draw to a rate [W/s], no smaller than what the site has."""
    power_w, energy_j = _buffer(windows, rate)
    name, shape = _host(site)
    power_mw = max(_POWER_MARGIN * power_w / MEGA, 0.1)
    energy_mwh = max(_ENERGY_MARGIN * energy_j / J_PER_MWH / _USABLE_FRAC, power_mw * _LEAST_MINUTES / 60)
    law = RampLimit(use="ramp-limit", limit_mw_per_min=_round_down(rate * MINUTE_S / MEGA))
    changed = shape.model_copy(
        update={
            "power_mw": _round_up(max(power_mw, shape.power_mw or 0.0)),
            "energy_mwh": _round_up(max(energy_mwh, shape.energy_mwh or 0.0)),
            "soc_initial_frac": 0.5 * (shape.soc_min_frac + shape.soc_max_frac),
            "converter": shape.converter.model_copy(update={"law": law, "lag_s": lag_s}),
        }
    )
    changed_site = site.model_copy(update={"storage": {**site.storage, name: changed}})
    return Remedy(_storage_settings(site, name, changed), changed_site)


def _storage_settings(site: Site, name: str, shape: Storage) -> tuple[str, ...]:
    """What to write: key by key for a storage of the site, as a table for a new one."""
    law = shape.converter.law
    if not isinstance(law, RampLimit):
        return ()
    ramp = f'{{ use = "ramp-limit", limit_mw_per_min = {law.limit_mw_per_min:g} }}'
    size = [
        f"power_mw = {shape.power_mw:g}",
        f"energy_mwh = {shape.energy_mwh:g}",
        f"soc_initial_frac = {shape.soc_initial_frac:g}",
    ]
    if name not in site.storage:
        converter = f"converter = {{ lag_s = {shape.converter.lag_s:g}, law = {ramp} }}"
        table = ", ".join(['use = "lfp-site"', *size, converter])
        return (f"storage.{name} = {{ {table} }}",)
    found = [*size, f"converter.lag_s = {shape.converter.lag_s:g}", f"converter.law = {ramp}"]
    return tuple(f"storage.{name}.{one}" for one in found)


def _rate_w_per_s(clause: Clause, site: Site) -> float | None:
    """The rate of the site's draw that meets a clause [W/s]."""
    if isinstance(clause, Ramp):
        if clause.form == "rate" and clause.limit_mw_per_min is not None:
            return 0.95 * clause.limit_mw_per_min * MEGA / MINUTE_S
        return 0.9 * _limit_w(clause, site) / clause.window_s
    if isinstance(clause, Oscillation):
        return _SHARE_OF_LIMIT * _limit_w(clause, site) / clause.window_s
    return None


def _limit_w(clause: Ramp | Oscillation, site: Site) -> float:
    stated = [] if clause.limit_mw is None else [clause.limit_mw * MEGA]
    if clause.limit_frac is not None:
        stated.append(clause.limit_frac * site.grid.import_limit_mw * MEGA)
    return min(stated)


def _buffer(windows: Sequence[Waveform], rate_w_per_s: float) -> tuple[float, float]:
    """Power and energy that limit every window's ramp [W, J]."""
    power_w = energy_j = 0.0
    for window in windows:
        load = window["p_w"] - window.channels.get("storage_w", 0.0)
        step_s = float(window.step_s)
        difference = np.empty(load.size)
        target = float(load[: max(1, load.size // 20)].mean())
        for k, now in enumerate(load.tolist()):
            target = follow_ramp(target, now, rate_w_per_s * step_s)
            difference[k] = target - now
        stored = np.concatenate([[0.0], np.cumsum(difference) * step_s])
        power_w = max(power_w, float(np.abs(difference).max()))
        energy_j = max(energy_j, float(stored.max() - stored.min()))
    return power_w, energy_j


def _host(site: Site) -> tuple[str, Storage]:
    """A grid-following storage of the site bus, one without a law of its own first; else a new one."""
    for laws in (NoLaw, (RampLimit, LoadSmoothing)):
        for name, shape in site.storage.items():
            following = shape.node == "site" and shape.converter.control == "grid-following"
            if following and isinstance(shape.converter.law, laws):
                return name, shape
    entry = dict(read("storage", "lfp-site", (site.folder / "catalogue",)).values)
    fresh = Storage.model_validate({**entry, "power_mw": 0.1, "energy_mwh": 0.1, "converter": Converter()})
    name = "buffer"
    while name in site.storage:
        name += "-2"
    return name, fresh.model_copy(update={"power_mw": None, "energy_mwh": None})


def _round_up(value: float) -> float:
    """Two significant digits, upwards."""
    scale = 10.0 ** (np.floor(np.log10(max(value, 1e-9))) - 1)
    return float(np.round(np.ceil(value / scale - 1e-9) * scale, 9))


def _round_down(value: float) -> float:
    scale = 10.0 ** (np.floor(np.log10(max(value, 1e-9))) - 2)
    return float(np.round(np.floor(value / scale + 1e-9) * scale, 9))


def ride_through_remedy(site: Site, clauses: Iterable[Clause]) -> Remedy | None:
    """Front ends and drives set outside the curves of the clauses, with batteries that fill in."""
    curves = [clause for clause in clauses if isinstance(clause, VoltageRideThrough)]
    bands = [clause for clause in clauses if isinstance(clause, FrequencyRideThrough)]
    recoveries = [clause for clause in clauses if isinstance(clause, Recovery)]
    chains = dict(site.chains)
    lines: list[str] = []
    eco: list[str] = []
    for name, chain in site.chains.items():
        entry = chain.front or _FRIENDLY
        shipped = _shipped(entry, site)
        front = chain.front_entry or shipped
        converted = ""
        if front.transfer_s > 0:  # on bypass: what stays connected feeds the fault, so it must not wait
            entry = _FRIENDLY
            shipped = front = _shipped(entry, site)
            eco.append(name)
            chain, converted = off_bypass(name, chain, site)  # noqa: PLW2901
        changed = _outside(front, curves, bands, recoveries, float(site.grid.frequency_hz))
        if changed != front or chain.front_entry is None or name in eco:
            chains[name] = chain.model_copy(update={"front": entry, "front_entry": changed})
            lines += [converted] if converted else []
            lines.append(f'chains.{name}.front = {{ use = "{entry}"{_difference(shipped, changed)} }}')
    plants = dict(site.cooling)
    for name, plant in site.cooling.items():
        if curves and plant.drives.drop_below_pu > 0 and not plant.drives.on_ups:
            plants[name] = plant.model_copy(
                update={"drives": plant.drives.model_copy(update={"drop_below_pu": 0.0})}
            )
            lines.append(f"cooling.{name}.drives.drop_below_pu = 0")
    if not lines:
        return None
    found = site.model_copy(update={"chains": chains, "cooling": plants})
    note = (
        f"with {', '.join(eco)} out of eco mode: a load on bypass cannot stay through a fault that it feeds"
        if eco
        else ""
    )
    changed_losses = any(chains[name].stages != site.chains[name].stages for name in eco)
    return Remedy(tuple(lines), found, note, changed_losses)


def _shipped(entry: str, site: Site) -> FrontEnd:
    return FrontEnd.model_validate(dict(read("front-end", entry, (site.folder / "catalogue",)).values))


def _outside(
    front: FrontEnd,
    curves: Sequence[VoltageRideThrough],
    bands: Sequence[FrequencyRideThrough],
    recoveries: Sequence[Recovery],
    nominal_hz: float,
) -> FrontEnd:
    """A front end whose relays wait longer than any curve asks."""
    update: dict[str, object] = {}
    for side in ("below", "above"):
        asked = _asked(curves, side)
        levels, times = getattr(front, f"leave_{side}_pu"), getattr(front, f"leave_{side}_s")
        if asked is not None and not _lasts(levels, times, asked, below_side=side == "below"):
            update[f"leave_{side}_pu"] = (asked[0],)
            update[f"leave_{side}_s"] = (_longer(asked[1]),)
    low = min((hz for band in bands for hz in band.below_hz), default=None)
    high = max((hz for band in bands for hz in band.above_hz), default=None)
    if low is not None and front.leave_drop_hz < nominal_hz - low + 0.1:
        update["leave_drop_hz"] = nominal_hz - low + 0.5
    if high is not None and front.leave_rise_hz < high - nominal_hz + 0.1:
        update["leave_rise_hz"] = high - nominal_hz + 0.5
    if (curves or recoveries) and not front.supplements:
        update["supplements"] = True
    if (curves or recoveries) and front.battery_frac <= 0:
        update |= {"battery_frac": 1.1, "battery_s": 60.0}
    return front.model_copy(update=update)


def _longer(time_s: float) -> float:
    return round(max(_TIME_MARGIN * time_s, time_s + _LEAST_MARGIN_S), 4)


def _asked(curves: Sequence[VoltageRideThrough], side: str) -> tuple[float, float] | None:
    """The mildest level of all curves, and the longest time beyond it.

    A relay behind the site's transformers may see a phase that lies deeper than any voltage that the rule
    counts (a fault to earth of 0.67 pu positive sequence leaves it 0.33 pu), so depth must not shorten its time.
    """
    points = [
        (level, stay)
        for curve in curves
        for level, stay in zip(getattr(curve, f"{side}_pu"), getattr(curve, f"{side}_s"), strict=True)
        if stay > 0
    ]
    if not points:
        return None
    levels = [level for level, _ in points]
    return (max(levels) if side == "below" else min(levels)), max(stay for _, stay in points)


def _lasts(
    levels: Sequence[float], times: Sequence[float], asked: tuple[float, float], *, below_side: bool
) -> bool:
    """Whether every relay watches only what lies beyond the curve, for longer than it asks."""
    level, stay = asked
    return all(
        (one <= level if below_side else one >= level) and time_s >= stay + _LEAST_MARGIN_S
        for one, time_s in zip(levels, times, strict=True)
    )


def _difference(before: FrontEnd, after: FrontEnd) -> str:
    """The keys that are not as the catalogue has them, each after a comma."""
    known = before.model_dump()
    return "".join(
        f", {key} = {_toml(value)}"
        for key, value in after.model_dump(exclude_none=True).items()
        if value != known[key]
    )


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:g}" if isinstance(value, float) else str(value)
