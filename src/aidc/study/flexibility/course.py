"""The course of a site when nobody asks anything of it: what it draws, and what each part could give at any time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aidc.contract import FloatArray, Knob, Point, SiteView
from aidc.contract.requests import REQUESTS
from aidc.schema.flexibility import SLOWDOWN_FRAC
from aidc.schema.site import Site
from aidc.simulate import Twin, compile_site
from aidc.simulate.commissioning import commissioned
from aidc.simulate.compiling.compiled import Compiled

__all__ = ["DAY_S", "Course", "course_of", "unasked"]

DAY_S = 86_400.0
_ROW_S = 300.0
_ENFORCED = {"import-limit"}


@dataclass(frozen=True)
class Course:
    """Rows of about five minutes, (n,) and (n, pod) or (n, storage); powers in W at the meter unless said otherwise."""

    view: SiteView
    start: datetime
    row_s: float
    import_w: FloatArray
    draw_w: FloatArray  # accelerators
    tokens_per_s: FloatArray
    per_w: FloatArray  # slope at the meter, cooling included, (n, pod)
    soc_frac: FloatArray
    given_w: FloatArray  # by the storages' own rules, discharging positive

    @property
    def rows(self) -> int:
        return len(self.import_w)

    def tolerated(self, duration_s: float) -> FloatArray:
        """Slowdown that each pod may have in an event of this length, (pod,).

        Over a day, or a life of which a day is what is sure, a tier bounds the mean: a shorter event may cut deeper.
        """
        tier = np.array(SLOWDOWN_FRAC)[np.array(self.view.pod_flex_tier, dtype=int)]
        longer = np.array([one != "event" for one in self.view.pod_flex_window], dtype=bool)
        return np.where(longer, np.minimum(1.0, tier * DAY_S / max(duration_s, 1.0)), tier)

    def room_w(self, duration_s: float) -> FloatArray:
        """What each pod could give by a cap at any time [W of accelerators], (n, pod)."""
        least = self.view.lower[Knob.POD_CAP_W]
        by_cap = np.minimum(self.tolerated(duration_s) * self.draw_w, np.maximum(self.draw_w - least, 0.0))
        paused = np.where(self.tolerated(duration_s) >= 1.0, self.draw_w - self.view.pod_idle_w, 0.0)
        return np.maximum(by_cap, np.maximum(paused, 0.0))


def unasked(site: Site) -> Site:
    """The site under its scenario without requests, and with nobody deciding."""
    kept = tuple(one for one in site.scenario.events if one.use not in REQUESTS - _ENFORCED)
    control = site.control.model_copy(update={"use": "none"})
    return site.model_copy(
        update={"scenario": site.scenario.model_copy(update={"events": kept}), "control": control}
    )


def course_of(site: Site) -> Course:
    """Run a site without requests."""
    compiled = compile_site(unasked(site))
    return _stepped(compiled, commissioned(compiled))


def _stepped(compiled: Compiled, view: SiteView) -> Course:
    twin = Twin(compiled)
    steps = max(1, round(_ROW_S / view.step_s))
    seen = list[dict[Point, FloatArray]]()
    while not twin.done:
        if compiled.clock.steps - twin.tick < steps and seen:
            break  # a shorter last row would count for more than it is
        twin.advance(steps)
        seen.append(dict(twin.observe().value))

    def of(point: Point) -> FloatArray:
        return np.array([one[point] for one in seen])

    dry = of(Point.DRY_BULB_K)[:, 0]
    per_w = np.repeat(1.06 * view.pod_meter_per_w[None], len(seen), axis=0)
    if len(view.meter_dry_bulb_k):
        per_w = np.stack(
            [np.interp(dry, view.meter_dry_bulb_k, slope) for slope in view.pod_meter_settled_per_w.T], axis=1
        )
    return Course(
        view=view,
        start=compiled.clock.start,
        row_s=steps * view.step_s,
        import_w=of(Point.GRID_IMPORT_W)[:, 0],
        draw_w=of(Point.POD_UNCAPPED_W),
        tokens_per_s=of(Point.POD_TOKENS_PER_S),
        per_w=per_w,
        soc_frac=of(Point.STORAGE_SOC_FRAC),
        given_w=np.maximum(-of(Point.STORAGE_W), 0.0),
    )
