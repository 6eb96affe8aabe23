"""What a converter that follows the grid does at low voltage and after it: one set of keys for front ends and storage."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from aidc.schema.base import NonNegative, Positive, Shape

__all__ = ["FaultBehaviour"]

_Voltage = Annotated[float, Field(gt=0, lt=1)]


class FaultBehaviour(Shape):
    """Current at low voltage, loss of synchronism, and the way back. A key that is left out is not known.

    Active current: up to the whole limit above `active_current_full_pu`, none below `active_current_zero_pu`, linear
    in between (the low voltage active current management of WECC's converter model REGC_A: A. Ellis, M. Behnke and
    R. Elliott, Generic Solar Photovoltaic System Dynamic Simulation Model Specification, SAND2013-8876).

    Reactive current: below `reactive_priority_below_pu` it goes first, and is `reactive_gain` times the voltage that is
    missing (of rated current per pu); active current has what the limit leaves.

    Synchronism: a PLL that has less than `sync_lost_below_pu` of positive sequence, or to which the network has no
    solution, is lost, and the converter gives no current. It is locked `resync_s` after the voltage is back.

    `cease_after_s` is the least time at low voltage before it gives up, whatever else is stated: no relay, no loss of
    synchronism and no cessation acts sooner. Where the network cannot carry its current within that time, nobody
    knows what happens.

    Active power then rises by `recovery_ramp_frac_per_s` of the rating, from where the fault left it.

    A current that is held at its limit whatever the voltage asks a network of reactance X behind E for more than it can
    carry once it exceeds E/X; its greatest power is at E/(√2·X). Where neither a voltage at which the current is zero
    nor one at which synchronism is lost is stated, nobody knows what happens then, and `aidc check` says so.
    """

    active_current_full_pu: _Voltage | None = None
    """Above this voltage active current may reach the whole limit."""
    active_current_zero_pu: _Voltage | None = None
    """Below this voltage there is no active current; linear in between."""
    reactive_priority_below_pu: _Voltage | None = None
    """Below this voltage reactive current goes first."""
    reactive_gain: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Reactive current per missing voltage (rated current per pu)."""
    sync_lost_below_pu: _Voltage | None = None
    """Positive sequence below which the PLL loses the grid and no current flows."""
    resync_s: NonNegative | None = None
    """From the return of the voltage until the PLL is locked again."""
    cease_after_s: Annotated[float, Field(ge=0, le=60)] | None = None
    """Least time at too little voltage before it gives up."""
    recovery_ramp_frac_per_s: Positive | None = None
    """Rise of active power after a fault, of the rating."""

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        full, zero = self.active_current_full_pu, self.active_current_zero_pu
        if (full is None) != (zero is None):
            raise ValueError("active_current_full_pu and active_current_zero_pu belong together; give both")
        if full is not None and zero is not None and zero >= full:
            raise ValueError(
                f"active_current_zero_pu ({zero:g}) must lie below active_current_full_pu ({full:g})"
            )
        if (self.sync_lost_below_pu is None) != (self.resync_s is None):
            raise ValueError("sync_lost_below_pu and resync_s belong together; give both")
        if (self.reactive_priority_below_pu is None) != (self.reactive_gain <= 0):
            raise ValueError("reactive_priority_below_pu and reactive_gain belong together; give both")
        return self

    @property
    def states_deep_faults(self) -> bool:
        """Whether what happens is stated where the network cannot carry the whole current limit."""
        return self.active_current_zero_pu is not None or self.sync_lost_below_pu is not None
