"""A load that ceases and reconnects, in the manner of the PERC1 model, as equations.

PERC1 (Power Electronic Reconnecting and Ceasing) represents an aggregate of power-electronic loads in
positive-sequence studies: PowerWorld Simulator help, "Load Characteristic Model: PERC1"
(https://www.powerworld.com/WebHelp/Content/TransientModels_HTML/Load%20Characteristic%20PERC1.htm), which
derives it from LDEV1 and that from EPRI, "A Positive Sequence Model for Aggregated Representation [of]
Electric Vehicle Chargers", project 1-116982, November 2022. Read from that page: ceasing of a fraction
`Fcease`, the share after reconnecting 1 - Fcease + Frecon*Fcease, lead/lags `Tap, Tbp, Taq, Tbq`, washouts
`Kvp/Tvp, Kvq/Tvq` by which the load falls with falling voltage, and frequency deadbands `Dbfl, Dbfh`. Its
block diagram and its full parameter list were not available: how the voltage thresholds, delays, ramp and
current limit act, and their names, are ours (marked in `load_model`), so that this is PERC1-like.

    P/P0 = F(t) * lead-lag(1 + s Ta)/(1 + s Tb) [ min(1, V/Vlim)/min(1, V0/Vlim) + Kv sTv/(1 + sTv) (V - V0) ]

F is 1 until V has been below Vcease for Tcease, then 1 - Fcease; once V has been above Vrecon for Trecon it
rises on a straight line to 1 - Fcease + Frecon*Fcease within Tramp, pausing while V is below Vrecon. Above
Vlim the load is of constant power, below of constant current. Valid for voltage excursions; the load's
response to frequency is not represented.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aidc.jit import engine, scalar
from aidc.record.waveform import FloatArray

__all__ = ["Perc1", "response_pu"]


@dataclass(frozen=True, slots=True)
class Perc1:
    """Parameters of the load: voltages [pu], times [s], fractions; gains [pu of P0 or Q0 per pu of voltage]."""

    fcease_frac: float = 0.0
    frecon_frac: float = 1.0
    cease_pu: float = 0.5
    cease_s: float = 0.02
    recon_pu: float = 0.9
    recon_s: float = 0.5
    ramp_s: float = 1.0
    limit_pu: float = 0.9
    kvp: float = 0.0
    tvp_s: float = 0.05
    tap_s: float = 0.0
    tbp_s: float = 0.0
    kvq: float = 0.0
    tvq_s: float = 0.05
    taq_s: float = 0.0
    tbq_s: float = 0.0


def response_pu(
    parameters: Perc1, voltage_pu: FloatArray, step_s: float, *, reactive: bool = False
) -> FloatArray:
    """P/P0 (or Q/Q0) for a course of voltage that starts at rest, shape (n_step,).

    `voltage_pu` has a sample every `step_s` [s]; `reactive` asks for Q.
    """
    p = parameters
    voltage_pu = np.ascontiguousarray(voltage_pu, dtype=np.float64)
    out = np.empty(voltage_pu.size)
    gain, washout_s, lead_s, lag_s = (
        (p.kvq, p.tvq_s, p.taq_s, p.tbq_s) if reactive else (p.kvp, p.tvp_s, p.tap_s, p.tbp_s)
    )
    _path(voltage_pu, step_s, p.limit_pu, gain, washout_s, lead_s, lag_s, out)
    _switch(
        voltage_pu, step_s, p.fcease_frac, p.frecon_frac, p.cease_pu, p.cease_s,
        p.recon_pu, p.recon_s, p.ramp_s, out,
    )  # fmt: skip
    return out


@engine
def _path(
    v: FloatArray,
    step_s: float,
    limit_pu: float,
    gain: float,
    washout_s: float,
    lead_s: float,
    lag_s: float,
    out: FloatArray,
) -> None:
    """Voltage dependence without switching; first-order blocks are exact for inputs straight between samples."""
    v0 = v[0]
    base = min(1.0, v0 / limit_pu)
    washout_s = max(washout_s, 1e-6 * step_s)
    block_s = max(lag_s, 1e-6 * step_s)
    keep_wash, mean_wash = (
        np.exp(-step_s / washout_s),
        washout_s / step_s * (1.0 - np.exp(-step_s / washout_s)),
    )
    keep_lag, mean_lag = np.exp(-step_s / block_s), block_s / step_s * (1.0 - np.exp(-step_s / block_s))
    ratio = lead_s / lag_s if lag_s > 0.0 else 1.0
    slow = 0.0
    state = old = 1.0
    change = 0.0
    for i in range(v.size):
        now = v[i] - v0
        slow = keep_wash * slow + (mean_wash - keep_wash) * change + (1.0 - mean_wash) * now
        change = now
        x = min(1.0, v[i] / limit_pu) / base + gain * (now - slow)
        state = keep_lag * state + (mean_lag - keep_lag) * old + (1.0 - mean_lag) * x
        old = x
        out[i] = state + ratio * (x - state)


@engine
def _switch(
    v: FloatArray,
    step_s: float,
    fcease: float,
    frecon: float,
    cease_pu: float,
    cease_s: float,
    recon_pu: float,
    recon_s: float,
    ramp_s: float,
    out: FloatArray,
) -> None:
    """Multiply by the share that is connected, its mean over the step that ends at each sample.

    Timers run between samples, so that the response moves smoothly with every delay.
    """
    low = high = 0.0
    back = 0.0
    ceased = False
    for i in range(1, v.size):
        share = 1.0 - fcease + frecon * fcease * back if ceased else 1.0
        mean = share
        entered = _time_beyond(cease_pu - v[i - 1], cease_pu - v[i], step_s)
        fresh = v[i - 1] >= cease_pu
        reached = (0.0 if fresh else low) + entered
        if entered > 0.0 and reached >= cease_s and not (ceased and back == 0.0):
            before = max(cease_s - (0.0 if fresh else low), 0.0) + (step_s - entered if fresh else 0.0)
            ceased = True
            back = 0.0
            high = 0.0
            mean = (share * before + (1.0 - fcease) * (step_s - before)) / step_s
        elif ceased:
            above = _time_beyond(v[i - 1] - recon_pu, v[i] - recon_pu, step_s)
            since = 0.0 if v[i - 1] <= recon_pu else high
            high = since + above if v[i] > recon_pu else 0.0
            grown = max(0.0, min(above, since + above - recon_s))
            after = min(back + grown / max(ramp_s, 1e-6), 1.0)
            mean = 1.0 - fcease + frecon * fcease * 0.5 * (back + after)
            back = after
        low = reached if v[i] < cease_pu else 0.0
        out[i] = max(out[i] * mean, 0.0)


@scalar
def _time_beyond(first: float, last: float, step_s: float) -> float:
    """Part of a step in which a straight line from `first` to `last` is positive."""
    if first > 0.0 and last > 0.0:
        return step_s
    if first <= 0.0 and last <= 0.0:
        return 0.0
    top = max(first, last)
    return step_s * top / (abs(first) + abs(last))
