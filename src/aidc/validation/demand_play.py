"""The twin of a measured cluster under the shipped demand-response controller, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np

from aidc.contract import Observation, Point
from aidc.control import options_of
from aidc.control.demand_response import DemandResponse
from aidc.scenario.series import FloatArray
from aidc.simulate import Twin
from aidc.simulate.compiling.compile import compile_site
from aidc.validation.cluster_files import Measured
from aidc.validation.cluster_twin import LEAD_S, ClusterJob, cluster_site
from aidc.validation.demand_events import Asked, ramped

__all__ = ["RAMP_FRAC_PER_MIN", "Played", "play", "policies"]

RAMP_FRAC_PER_MIN: Final = 0.05
"""How fast the twin answers and comes back: the follower's default limit of snap-back, taken both ways."""


@dataclass(frozen=True, slots=True)
class Played:
    """Power of each job in each sample [W], (n_job, n_sample), and what each has made in the record by its end."""

    power_w: FloatArray
    tokens: FloatArray

    @property
    def total_w(self) -> FloatArray:
        return self.power_w.sum(axis=0)


def policies() -> tuple[str, ...]:
    """Allocation policies of the shipped controller; one without a name where it has no choice."""
    field = DemandResponse.Options.model_fields.get("policy")
    choices = getattr(field.annotation, "__args__", ()) if field is not None else ()
    return tuple(str(one) for one in choices) or ("",)


def play(
    jobs: Sequence[ClusterJob], asked: Asked, power: Measured, policy: str = "", *, answers: bool = True
) -> Played:
    """The jobs over the window of a record, with the event or, unless it `answers`, without it.

    The controller sees the power of the accelerators as its meter, because that is what was measured and what the
    request is a share of. It takes no margin beyond what is asked.

    `policy` is the allocation's name, by default the controller's own.
    """
    first, last = float(power.times_s[0]), float(power.times_s[-1] + power.step_s)
    events = ramped(asked, last, RAMP_FRAC_PER_MIN) if answers else []
    site = cluster_site(jobs, first, last - first, events=events)
    twin = Twin(compile_site(site))
    controller = DemandResponse()
    wanted: dict[str, Any] = {"margin_frac": 0.0, "meter_correction": False, "policy": policy}
    known = DemandResponse.Options.model_fields
    options = {key: value for key, value in wanted.items() if key in known and value != ""}
    controller.period_s = Fraction(round(power.step_s))
    controller.reset(twin.view, options_of(DemandResponse, options), np.random.default_rng(1))
    twin.advance(round(LEAD_S))
    begun = twin.observe().value[Point.JOB_TOKENS].copy()
    drawn: list[FloatArray] = []
    made: list[FloatArray] = []
    for _ in power.times_s:
        if answers:
            twin.apply(controller.decide(_metered(twin.observe())))
        twin.advance(round(power.step_s))
        seen = twin.observe().value
        drawn.append(seen[Point.POD_ACCELERATOR_W].copy())
        made.append(seen[Point.JOB_TOKENS] - begun)
    return Played(np.array(drawn).T, np.array(made).T)


def _metered(observation: Observation) -> Observation:
    """The same observation with the accelerators' power in the place of the site's import."""
    accelerators = observation.value[Point.POD_ACCELERATOR_W].sum(keepdims=True)
    return replace(observation, value={**observation.value, Point.GRID_IMPORT_W: accelerators})
