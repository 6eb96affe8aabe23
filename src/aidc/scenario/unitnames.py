"""Units that the names of columns tell, and the factors to ours.

Factors: 1 lb = 0.45359237 kg and 1 mile = 1609.344 m (exact, NIST SP 811, appendix B.8), 1 kn = 1852 m/h.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Unit", "carbon_unit", "power_unit", "price_unit", "weather_unit"]

_LB_KG: Final = 0.45359237
_CURRENCIES: Final = [
    "usd",
    "eur",
    "gbp",
    "cad",
    "aud",
    "nzd",
    "chf",
    "jpy",
    "cny",
    "rmb",
    "inr",
    "brl",
    "mxn",
    "clp",
    "dkk",
    "sek",
    "nok",
    "pln",
    "czk",
    "huf",
    "ron",
    "bgn",
    "try",
    "zar",
    "krw",
    "twd",
    "sgd",
    "hkd",
    "thb",
    "idr",
    "php",
    "myr",
    "ils",
    "aed",
    "sar",
]
_ENERGY: Final = {"kwh": 1e3, "mwh": 1.0, "gwh": 1e-3}  # per MWh
_PER_ENERGY = re.compile(r"(?:/|(?:^|[^a-z])per(?:[^a-z]|$))[^a-z]*(kwh|mwh|gwh)(?![a-z])")
_CENTS = re.compile(r"(?<![a-z])(?:cts?|cents?|c|p|pence|øre|ore)(?![a-z])")
_MASS = re.compile(
    r"(?<![a-z])(kg|g|lbs?|pounds?|metric[ _]tons?|short[ _]tons?|tonnes?|tons?|t)[ _.]*(?:of[ _])?"
    r"(?:co2[ _.-]*(?:equivalents?|eq|e)?)?[ _.]*$"
)
_MASS_KG: Final = {"kg": 1.0, "g": 1e-3, "l": _LB_KG, "p": _LB_KG, "m": 1e3, "s": 2000 * _LB_KG, "t": 1e3}
_POWER = re.compile(r"(?:^|[^a-z])(w|kw|mw|gw|watts?|kilowatts?|megawatts?)(?:[^a-z]*)$")
_POWER_W: Final = {"w": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as `factor · value + offset` in ours; `currency` where it is one of money."""

    label: str
    factor: float
    offset: float = 0.0
    currency: str = ""


def price_unit(text: str) -> Unit | None:
    """`EUR/kWh`, `price_usd_per_mwh`, `LMP ($/MWh)`, `ct/kWh` to money per MWh."""
    lower = _plain(text)
    match = _PER_ENERGY.search(lower)
    if match is None:
        return None
    currency = next((one for one in _CURRENCIES if re.search(rf"(?<![a-z]){one}(?![a-z])", lower)), "")
    cents = bool(_CENTS.search(lower[: match.start()])) or "¢" in lower
    if cents and not currency:
        currency = "gbp" if re.search(r"(?<![a-z])(?:p|pence)(?![a-z])", lower) else ""
    factor = _ENERGY[match.group(1)] * (0.01 if cents else 1.0)
    shown = f"{'cents ' if cents else ''}{currency.upper() or 'money'}/{_shown_energy(match.group(1))}"
    return Unit(shown, factor, currency=currency.upper())


def carbon_unit(text: str) -> Unit | None:
    """`gco2_per_kwh`, `gCO₂eq/kWh`, `lb/MWh`, `MOER (lbs/MWh)` to kg/MWh."""
    lower = _plain(text)
    match = _PER_ENERGY.search(lower)
    if match is None:
        return None
    mass = _MASS.search(lower[: match.start()].rstrip(" _(["))
    if mass is None:
        return None
    word = mass.group(1)
    key = word if word in ("kg", "g") else word[0]
    label = {"l": "lb", "p": "lb", "m": "t", "s": "short ton"}.get(key, key)
    factor = _MASS_KG[key] * _ENERGY[match.group(1)]
    return Unit(f"{label}/{_shown_energy(match.group(1))}", factor)


def power_unit(text: str) -> Unit | None:
    """`p_kw`, `Power (MW)`, `W` to watts."""
    match = _POWER.search(_plain(text))
    if match is None:
        return None
    key = match.group(1)[0] if match.group(1) != "watts" else "w"
    return Unit({"w": "W", "k": "kW", "m": "MW", "g": "GW"}[key], _POWER_W[key])


_TEMP: Final = {"c": Unit("°C", 1.0), "f": Unit("°F", 5 / 9, -160 / 9), "k": Unit("K", 1.0, -273.15)}
_SPEED: Final = {
    "m_s": Unit("m/s", 1.0),
    "km_h": Unit("km/h", 1 / 3.6),
    "mph": Unit("mph", 1609.344 / 3600),
    "kn": Unit("kn", 1852 / 3600),
}
_PRESSURE: Final = {
    "pa": Unit("Pa", 1.0),
    "hpa": Unit("hPa", 100.0),
    "kpa": Unit("kPa", 1000.0),
}
_SHARE: Final = {"percent": Unit("%", 1.0), "frac": Unit("share", 100.0)}
_CLOUD: Final = {**_SHARE, "tenths": Unit("tenths", 10.0), "oktas": Unit("oktas", 12.5)}
_IRRADIANCE: Final = {"w_m2": Unit("W/m²", 1.0), "kw_m2": Unit("kW/m²", 1000.0)}
_BY_QUANTITY: Final = {
    "dry_bulb_c": _TEMP,
    "wet_bulb_c": _TEMP,
    "dew_point_c": _TEMP,
    "relative_humidity_percent": _SHARE,
    "cloud_cover_percent": _CLOUD,
    "wind_m_s": _SPEED,
    "pressure_pa": _PRESSURE,
    "ghi_w_m2": _IRRADIANCE,
    "dni_w_m2": _IRRADIANCE,
    "dhi_w_m2": _IRRADIANCE,
}
_SAME: Final = {
    "degc": "c", "celsius": "c", "deg_c": "c", "degf": "f", "fahrenheit": "f", "deg_f": "f", "kelvin": "k",
    "ms": "m_s", "mps": "m_s", "m_per_s": "m_s", "kmh": "km_h", "kph": "km_h", "km_per_h": "km_h", "mi_h": "mph",
    "mp_h": "mph", "knots": "kn", "kt": "kn", "kts": "kn", "mbar": "hpa", "mb": "hpa", "millibar": "hpa",
    "pct": "percent", "%": "percent", "fraction": "frac", "w_m_2": "w_m2", "wm2": "w_m2", "w_per_m2": "w_m2",
    "w_sqm": "w_m2", "w_m_m": "w_m2", "kw_per_m2": "kw_m2", "wh_m2": "w_m2", "kwh_m2": "kw_m2", "tenth": "tenths",
    "okta": "oktas", "eighths": "oktas",
}  # fmt: skip


def weather_unit(quantity: str, text: str) -> Unit | None:
    """The unit that a name or a statement tells for a quantity of the weather (`temp_f`, `GHI (W/m²)`, `mph`)."""
    units = _BY_QUANTITY[quantity]
    words = _words(text)
    for count in range(min(3, len(words)), 0, -1):
        tail = "_".join(words[-count:])
        tail = _SAME.get(tail, tail)
        if tail in units:
            return units[tail]
    return None


def _words(text: str) -> list[str]:
    lower = (
        _plain(text).replace("m²", "m2").replace("m^2", "m2").replace("°", "deg").replace("%", " percent ")
    )
    return [word for word in re.split(r"[^a-z0-9]+", lower) if word]


def _plain(text: str) -> str:
    lower = text.lower().replace("₂", "2").replace("€", " eur ").replace("£", " gbp ").replace("$", " usd ")
    return lower.replace("_", " ").strip()


def _shown_energy(word: str) -> str:
    return word[0] + "Wh" if word[0] == "k" else word[0].upper() + "Wh"
