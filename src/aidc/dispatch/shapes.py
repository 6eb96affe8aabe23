"""What a dispatch programme is given, and what it answers. Arrays in, arrays out: no site, no clock, no tariff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "DemandCharge", "FloatArray", "IntArray", "Plan", "Programme", "StorageUnit"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StorageUnit:
    """A storage with its converter: power at its AC terminals, energy in its cells.

    `charge_efficiency_frac` is cells over AC while charging, `discharge_efficiency_frac` AC over cells;
    `wear_usd_per_mwh` is charged on AC energy discharged. With `final_mwh` of None it ends as full as it began,
    and with `initial_mwh` of None too the programme chooses where that is.
    """

    name: str
    charge_mw: float
    discharge_mw: float
    least_mwh: float
    most_mwh: float
    charge_efficiency_frac: float
    discharge_efficiency_frac: float
    wear_usd_per_mwh: float = 0.0
    initial_mwh: float | None = None
    final_mwh: float | None = None


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """A charge on the highest import of some steps, over what was reached before them.

    `at` marks the steps (n,); `carried_mw` is the peak so far in the billing period, which is paid anyway.
    """

    name: str
    usd_per_mw: float
    at: BoolArray
    carried_mw: float = 0.0


@dataclass(frozen=True, slots=True)
class Programme:
    """A site over n steps of `step_h` hours; arrays have the shape (n,).

    `load_mw` is what the site draws without storage and renewables; `renewable_mw` what sun and wind could give.
    `interval` numbers the metering interval that each step lies in, from 0 on without gaps; None: each step is one.
    """

    step_h: float
    load_mw: FloatArray
    renewable_mw: FloatArray
    import_limit_mw: FloatArray
    export_limit_mw: FloatArray
    buy_usd_per_mwh: FloatArray
    sell_usd_per_mwh: FloatArray
    storages: tuple[StorageUnit, ...] = ()
    demand_charges: tuple[DemandCharge, ...] = ()
    interval: IntArray | None = None

    @property
    def steps(self) -> int:
        return int(self.load_mw.size)


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest way through a programme.

    Powers have the shape (n,), those of storages (n_storage, n); energy is that at the end of each step. `cost_usd` is
    that of the schedule, `bound_usd` no schedule can be below, and `gap_frac` is the distance over the bound.
    `import_value_usd_per_mwh` is what one more MWh of import limit in a step would be worth, and so on for the other
    limits: never negative; 0 where the limit is not met.
    """

    import_mw: FloatArray
    export_mw: FloatArray
    renewable_mw: FloatArray
    charge_mw: FloatArray
    discharge_mw: FloatArray
    energy_mwh: FloatArray
    peak_mw: FloatArray
    cost_usd: float
    bound_usd: float
    energy_price_usd_per_mwh: FloatArray
    import_value_usd_per_mwh: FloatArray
    export_value_usd_per_mwh: FloatArray
    binaries: int = 0

    @property
    def gap_frac(self) -> float:
        return max(self.cost_usd - self.bound_usd, 0.0) / max(abs(self.bound_usd), 1.0)
