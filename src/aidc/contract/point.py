"""What can be measured (points), what can be set (knobs), and over which rows of the site."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Knob", "Point", "Rows"]


class Rows(StrEnum):
    """The things a value has one row for; their names and order are in the `SiteView`."""

    SITE = "site"
    POD = "pod"
    STORAGE = "storage"
    PLANT = "plant"
    JOB = "job"


class Point(StrEnum):
    """A measurement: mean over the observed window unless its comment says otherwise."""

    GRID_IMPORT_W = "grid_import_w"  # negative at export
    PV_W = "pv_w"
    WIND_W = "wind_w"
    DRY_BULB_K = "dry_bulb_k"
    WET_BULB_K = "wet_bulb_k"
    PRICE_USD_PER_MWH = "price_usd_per_mwh"
    CARBON_KG_PER_MWH = "carbon_kg_per_mwh"
    POD_IT_W = "pod_it_w"
    POD_ACCELERATOR_W = "pod_accelerator_w"
    POD_UNCAPPED_W = "pod_uncapped_w"
    POD_TOKENS_PER_S = "pod_tokens_per_s"
    POD_QUEUE_TOKENS = "pod_queue_tokens"  # at the end of the window
    POD_SUPPLY_K = "pod_supply_k"
    POD_CASE_K = "pod_case_k"  # maximum in the window
    STORAGE_W = "storage_w"  # AC side, charging positive
    STORAGE_SOC_FRAC = "storage_soc_frac"  # at the end of the window
    PLANT_SUPPLY_K = "plant_supply_k"
    PLANT_HEAT_W = "plant_heat_w"
    JOB_WIDTH = "job_width"  # accelerators that it holds at the end of the window
    JOB_WORKING = "job_working"  # 1 where it makes tokens then: not stopping, starting, waiting or over
    JOB_TOKENS = "job_tokens"  # made up to then

    @property
    def rows(self) -> Rows:
        """Which rows this point has."""
        prefix = self.value.split("_", 1)[0]
        return Rows(prefix) if prefix in ("pod", "storage", "plant", "job") else Rows.SITE


class Knob(StrEnum):
    """A setting that a real device accepts; the unit is in the name."""

    POD_CAP_W = "pod_cap_w"  # limit of the accelerators' power, whole pod
    POD_PAUSE = "pod_pause"  # 1 pauses a training job or drains a service pod, 0 resumes
    POD_BATCH_FRAC = "pod_batch_frac"  # share of the configured batch limit
    POD_REPLICA_FRAC = "pod_replica_frac"  # share of the replicas that take requests
    STORAGE_W = "storage_w"  # AC set point, charging positive; replaces the device's own rule
    JOB_WIDTH = "job_width"  # accelerators; a change costs the job a stop, a restart and loading
    PLANT_SUPPLY_K = "plant_supply_k"  # facility supply temperature set point

    @property
    def rows(self) -> Rows:
        """Which rows this knob has."""
        return Rows(self.value.split("_", 1)[0])
