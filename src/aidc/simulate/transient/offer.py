"""An offered frequency service in the arrays: who gives how much of it."""

from __future__ import annotations

import numpy as np

from aidc.firmware.lag import lag_gain
from aidc.schema.site import Site
from aidc.simulate.transient.arrays import FloatArray
from aidc.simulate.transient.converters import site_stores
from aidc.simulate.transient.fields import Converter, Lane, SiteParam
from aidc.simulate.transient.start import OperatingPoint
from aidc.units import MEGA

__all__ = ["offer_service"]

_MEASURE_S = 0.05  # lag of the site's frequency measurement (estimate without a checked source)


def offer_service(
    site: Site, point: OperatingPoint, lane: FloatArray, store: FloatArray, row: FloatArray, step_s: float
) -> FloatArray:
    """Share the site's service out over storages, lineup batteries and accelerators; returns its curve.

    Fills rows of `lane`, `store` and `row` in place. What a battery or an accelerator gives is divided by what
    its lineup loses in front of it, so that the offer is met at the meter.

    `step_s` is the step of the window [s].
    """
    offer = site.grid.service
    if offer is None:
        return np.zeros((2, 1))
    row[SiteParam.SERVICE_GAIN] = lag_gain(step_s, _MEASURE_S)
    row[SiteParam.LOAD_GAIN] = lag_gain(step_s, offer.load_lag_s)
    offered_w = offer.offered_mw * MEGA
    free = np.array([shape.converter.law.use == "none" for _, shape in site_stores(site, point)], dtype=bool)
    if free.any():
        rated = np.where(free, store[Converter.RATED_W], 0.0)
        store[Converter.SERVICE_W] = np.minimum(offered_w * offer.storage_share * rated / rated.sum(), rated)
    batteries = lane[Lane.BATTERY_W]
    if batteries.sum() > 0:
        given = offered_w * offer.ups_share * batteries / batteries.sum()
        lane[Lane.SERVICE_UPS_W] = np.minimum(given, batteries) * lane[Lane.BUFFER_W] / lane[Lane.INPUT_W]
    flexible = np.where(_flexible(site), lane[Lane.RATED_W], 0.0)
    if flexible.sum() > 0:
        given = offered_w * offer.load_share * flexible / flexible.sum()
        racks_w = np.array([pod.racks * pod.rack.rated_power_kw * 1e3 for pod in site.pods.values()])
        per_watt = (1.0 + lane[Lane.OVERHEAD_1]) * lane[Lane.INPUT_W] / racks_w
        lane[Lane.SERVICE_LOAD_W] = given / per_watt
    return np.array([offer.deviation_hz, offer.response_frac])


def _flexible(site: Site) -> np.ndarray:
    """Pods whose workload may slow down."""
    able = {pod for service in site.services.values() if service.flex_tier >= 1 for pod in service.pods}
    able |= {pod for job in site.jobs.values() if job.flex_tier >= 1 for pod in job.pods}
    return np.array([pod in able for pod in site.pods])
