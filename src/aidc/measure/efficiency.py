"""The key performance indicators of ISO/IEC 30134, over the window of the run.

The standards define them over twelve months; over a shorter window they are interim figures, and
from a model they are designed ones. Common terms, in kWh over the same window:

* E_DC, total data centre energy consumption: everything that crossed the boundary from any source and
  was used inside. Here E_site = import − export + PV + wind + gensets − Δ(stored energy). Two choices
  of ours: electricity made on the site counts at its AC output (the standard counts a genset's fuel),
  and the change of charge between the first and the last state is not consumption, which vanishes
  over a year.
* E_IT, energy of the IT equipment (servers, storage, network) at its inlet: here the rack inlet, so
  rack power shelves and server power supplies are inside.
"""

from __future__ import annotations

from aidc.measure.boundaries import renewable_w, site_energy_j
from aidc.measure.frames import Frames
from aidc.units import J_PER_KWH

__all__ = ["cue", "erf", "pue", "ref", "renewable_j", "wue"]


def pue(frames: Frames) -> float | None:
    """Power usage effectiveness, ISO/IEC 30134-2: E_DC / E_IT."""
    return _ratio(site_energy_j(frames), frames.amount("it_w"))


def wue(frames: Frames) -> float | None:
    """Water usage effectiveness, ISO/IEC 30134-9: water drawn for the data centre / E_IT [l/kWh].

    Counted is the water of heat rejection on the site; water behind the electricity is not.
    """
    return _ratio(frames.amount("water_kg_s"), frames.amount("it_w") / J_PER_KWH)


def cue(frames: Frames, carbon_kg: float | None) -> float | None:
    """Carbon usage effectiveness, ISO/IEC 30134-8: CO₂ of the data centre's energy / E_IT [kg/kWh].

    Location-based average intensity of the grid in each step, plus gensets on the site.
    """
    return None if carbon_kg is None else _ratio(carbon_kg, frames.amount("it_w") / J_PER_KWH)


def renewable_j(frames: Frames) -> float:
    """Energy from the site's own PV and wind that was used on the site [J]."""
    return frames.series.sums({"renewable_j": renewable_w(frames) * frames.dt_s})["renewable_j"]


def ref(frames: Frames) -> float | None:
    """Renewable energy factor, ISO/IEC 30134-3: E_ren / E_DC, at most 1.

    E_ren is renewable energy that the data centre owns and controls: here that of PV and wind on the site, whose
    certificates are taken as retained, less what is exported, which the standard leaves out. The grid's own
    renewable share does not count without certificates.
    """
    share = _ratio(renewable_j(frames), site_energy_j(frames))
    return None if share is None else min(share, 1.0)


def erf(frames: Frames) -> float | None:
    """Energy reuse factor, ISO/IEC 30134-6: energy reused outside the data centre / E_DC.

    Counted is heat handed over for use at the site's boundary.
    """
    return _ratio(frames.amount("heat_reused_w"), site_energy_j(frames))


def _ratio(over: float, under: float) -> float | None:
    return over / under if under > 0 else None
