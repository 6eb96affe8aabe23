"""What was bought: sizes that have been worked out once and stay, whatever a sensitivity changes.

A site file need not hold any of these: what is absent is sized (`plant/freeze.py`). `aidc equipment --write` and the
folder of a run hold all of them, so that such a file runs to the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from aidc.schema.base import NonNegative, Positive, Shape

__all__ = ["PlantBuilt", "PodBuilt"]

_Units = Annotated[int, Field(ge=0, le=100_000)]


class PodBuilt(Shape):
    """The lineup, the CDUs and the air handlers of one pod.

    `stage_kw` is what each stage of the chain may carry at N, spare modules not counted, by the stage's name.
    `liquid_kw` and `coolant_l_min` are heat and flow at which the rack loop runs at full flow, `air_kw` the heat at
    which the air handlers do.
    """

    stage_kw: Mapping[str, Positive] = {}
    """What each stage of the chain may carry at N, spare modules not counted, by the stage's name."""
    liquid_kw: NonNegative | None = None
    """Heat at which the rack loop runs at full flow."""
    coolant_l_min: NonNegative | None = None
    """Full flow of the rack loop."""
    cdu_units: _Units | None = None
    """CDUs of the pod, spares included."""
    air_kw: NonNegative | None = None
    """Heat at which the air handlers run at full flow."""
    crah_units: _Units | None = None
    """Air handlers of the pod, spares included."""


class PlantBuilt(Shape):
    """The outdoor units or chillers of a plant (spares included), its design heat and its full flow.

    `units` of the plant itself go before those here.
    """

    units: Annotated[int, Field(ge=1, le=200_000)] | None = None
    """Outdoor units or chillers, spares included; `units` of the plant itself go before it."""
    heat_mw: Positive | None = None
    """Design heat."""
    flow_m3_h: Positive | None = None
    """Full flow of the facility loop."""
