"""Taking a UPS out of eco mode: the front end of a double conversion has the losses of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.catalogue import read
from aidc.schema.chain import Chain, Stage
from aidc.schema.site import Site
from aidc.units import MEGA

__all__ = ["off_bypass", "priced"]

_DOUBLE = "415vac-double-conversion"  # of the catalogue: its UPS stage is a double conversion
_AT_LOAD = 0.65  # where the two loss curves are held against each other
_HOURS = 8760.0


def off_bypass(name: str, chain: Chain, site: Site) -> tuple[Chain, str]:
    """A chain with the loss curve of a double conversion in its UPS stage, and the setting that writes it.

    The setting is empty where nothing changes: no stage is marked as the UPS, or its loss at 65 % load is already that
    of a double conversion or more.
    """
    double = _chain(site)
    ups = next(stage for stage in double.stages if stage.storage_node == "ups")
    changed = tuple(_converted(stage, ups) for stage in chain.stages)
    if changed == chain.stages:
        return chain, ""
    found = chain.model_copy(update={"stages": changed})
    if changed == double.stages:
        return found, f'chains.{name}.use = "{_DOUBLE}"'
    tables = ", ".join(_table(stage.model_dump(exclude_defaults=True)) for stage in changed)
    return found, f"chains.{name}.stages = [{tables}]"


def _chain(site: Site) -> Chain:
    values: Mapping[str, Any] = read("chain", _DOUBLE, (site.folder / "catalogue",)).values
    return Chain.model_validate({**values})


def _converted(stage: Stage, ups: Stage) -> Stage:
    if stage.storage_node != "ups" or _loss(stage) >= _loss(ups):
        return stage
    return stage.model_copy(update={"a": ups.a, "b": ups.b, "c": ups.c})


def _loss(stage: Stage) -> float:
    """Loss at the load of comparison, over rating."""
    return stage.a + stage.b * _AT_LOAD + stage.c * _AT_LOAD**2


def _table(values: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in values.items()) + " }"


def _value(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:.12g}"


def priced(before_w: float, after_w: float, site: Site) -> str:
    """What the change of losses costs in words: power at the moment of the check, a year of it, and its price.

    Cooling is in it, as the powers are those of the site's connection. The price is the tariff's where it has one
    for all hours.
    """
    more_w = after_w - before_w
    told = (
        f"double conversion draws {more_w / MEGA:.3g} MW more at the moment of the check, "
        f"{more_w * _HOURS / MEGA:.3g} MWh in a year of it"
    )
    tariff = site.scenario.tariff
    if tariff is None or tariff.periods or site.scenario.prices is not None or not tariff.base_usd_per_kwh:
        return f"{told}; the tariff has no price that holds for all hours"
    price = tariff.base_usd_per_kwh
    return f"{told}, {more_w / 1e3 * _HOURS * price:,.0f} USD at {price:g} USD/kWh"
