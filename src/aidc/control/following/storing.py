"""Storage under a request: charged beforehand, given as far as it lasts to the end, charged again gently."""

from __future__ import annotations

import numpy as np

from aidc.contract import FloatArray, Observation, Point, SiteView

__all__ = ["EFFICIENCY", "FULL_SOC", "LEAST_SOC", "charged_by", "recharge_w", "sustained_w"]

LEAST_SOC, FULL_SOC, EFFICIENCY = 0.1, 0.98, 0.9


def sustained_w(site: SiteView, observation: Observation, left_s: float) -> FloatArray:
    """What each storage can give until the end of a request, `left_s` away [W].

    Down to a tenth of its charge, at an efficiency of 0.9: on the safe side for cells in the catalogue.
    """
    soc = np.nan_to_num(observation.value[Point.STORAGE_SOC_FRAC])
    stored_j = np.maximum(soc - LEAST_SOC, 0.0) * site.storage_energy_j
    return np.minimum(site.storage_power_w, EFFICIENCY * stored_j / max(left_s, site.step_s))


def charged_by(site: SiteView, observation: Observation, until_s: float, room_w: float) -> FloatArray:
    """Charging power with which storages are full when a request begins, within `room_w` together [W].

    `until_s` is the time until the request [s].
    """
    soc = np.nan_to_num(observation.value[Point.STORAGE_SOC_FRAC], nan=1.0)
    missing_j = np.maximum(FULL_SOC - soc, 0.0) * site.storage_energy_j / EFFICIENCY
    return _within(np.minimum(site.storage_power_w, missing_j / max(until_s, site.step_s)), room_w)


def recharge_w(
    site: SiteView, observation: Observation, to_soc: FloatArray, share: float, room_w: float
) -> FloatArray:
    """Charging power back to a state of charge, at a share of the rating and within `room_w` together [W].

    `to_soc` is that state of charge of each storage.
    """
    soc = np.nan_to_num(observation.value[Point.STORAGE_SOC_FRAC], nan=1.0)
    wanted = np.where(soc < to_soc - 1e-3, share * site.storage_power_w, 0.0)
    return _within(wanted, room_w)


def _within(wanted_w: FloatArray, room_w: float) -> FloatArray:
    total = float(wanted_w.sum())
    return wanted_w * min(1.0, max(room_w, 0.0) / total) if total > 0 else np.zeros(len(wanted_w))
