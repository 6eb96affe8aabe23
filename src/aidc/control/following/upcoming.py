"""Requests that are announced and have not begun."""

from __future__ import annotations

from aidc.contract import Observation, Signal, SiteView
from aidc.contract.requests import is_request

__all__ = ["soonest", "until_s"]


def soonest(observation: Observation) -> Signal | None:
    """The announced request that begins next."""
    ahead = [one for one in observation.signals if is_request(one) and one.start_tick > observation.tick]
    return min(ahead, key=lambda one: one.start_tick) if ahead else None


def until_s(observation: Observation, tick: int, site: SiteView, least_s: float) -> float:
    """Seconds from now until a tick, at least `least_s`."""
    return max((tick - observation.tick) * site.step_s, least_s)
