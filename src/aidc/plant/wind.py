"""Wind power by a power curve and a power law for the wind at hub height.

The curve is that of an undisturbed turbine in steady wind at 1.225 kg/m³; wakes, turbulence,
availability and electrical losses are one factor. Outside the curve's speeds the turbine stands.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.schema.renewables import Wind
from aidc.units import MEGA

__all__ = ["hub_speed_m_s", "wind_power_w"]

FloatArray = NDArray[np.float64]

STANDARD_DENSITY_KG_M3: Final = 1.225


def hub_speed_m_s(
    speed_m_s: FloatArray, measured_height_m: float, hub_height_m: float, shear_exponent: float
) -> FloatArray:
    """Wind speed at hub height [m/s] by the power law `v·(z/z0)^α` (IEC 61400-1, section 6.3).

    `speed_m_s` was measured at `measured_height_m` above ground [m]; `hub_height_m` is that of the turbine and
    `shear_exponent` is α.
    """
    return speed_m_s * (hub_height_m / measured_height_m) ** shear_exponent


def wind_power_w(
    speed_m_s: FloatArray, farm: Wind, density_kg_m3: FloatArray | float = STANDARD_DENSITY_KG_M3
) -> FloatArray:
    """Power of a wind farm [W].

    Parameters
    ----------
    speed_m_s
        Wind at `farm.measured_height_m` [m/s], shape (n_step,).
    farm
        Turbines.
    density_kg_m3
        Air density; it scales the speed by (ρ/1.225)^⅓ (IEC 61400-12-1, for pitch-controlled turbines).
    """
    hub = hub_speed_m_s(speed_m_s, farm.measured_height_m, farm.hub_height_m, farm.shear_exponent)
    equivalent = hub * np.cbrt(np.asarray(density_kg_m3) / STANDARD_DENSITY_KG_M3)
    share = np.interp(equivalent, farm.curve_speed_m_s, farm.curve_power_frac, left=0.0, right=0.0)
    return share * farm.power_mw * MEGA * (1 - farm.losses_frac)
