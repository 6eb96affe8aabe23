"""Small sites of known power behind a known grid, and windows of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from sites import document, loaded

from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import Window, open_window

MS = Fraction(1, 1000)
STEPS = [Fraction(1, 1000), Fraction(1, 2000), Fraction(1, 4000)]


def body_of(
    *,
    front: str | dict = "ups-grid-friendly",
    racks: int = 10,
    pods: int = 1,
    scr: float = 20.0,
    job: bool = False,
    busy: bool = True,
    storage: dict | None = None,
    grid: dict | None = None,
    chain: dict | None = None,
    more: dict | None = None,
) -> dict:
    """Pods of 8xb200 racks (about 0.1 MW each): serving at full throughput, or one training job."""
    shape = {"use": "8xb200-liquid", "racks": racks, "chain": "dc", "cooling": "warm", "air_cooling": "hall"}
    body = document({f"p{number}": dict(shape) for number in range(pods)}, minutes=2.0, step_s=5.0)
    names = list(body["pods"])
    body["chains"]["dc"] = {"use": "800vdc-central-rectifier", "redundancy": "N+1", "front": front}
    body["chains"]["dc"] |= chain or {}
    body["grid"] |= {"short_circuit_mva": scr * pods * racks * 0.1, "import_limit_mw": pods * racks * 0.2}
    body["grid"] |= grid or {}
    if job:
        body["jobs"] = {"train": {"use": "llama-3.1-70b", "pods": names, "start": "2025-07-07T11:00:00Z"}}
    elif busy:
        demand = {"use": "constant", "output_tokens_per_s": 1e9}
        body["services"] = {"chat": {"use": "llama-3.1-8b", "pods": names, "demand": demand}}
    if storage is not None:
        body["storage"] = storage
    return body | (more or {})


def open_site(body: dict, events=(), *, duration_s=3.0, step_s=MS, point=None, **kwargs) -> Window:
    site = loaded(body)
    return open_window(
        site, point or operating_point(site), events, duration_s=duration_s, step_s=step_s, **kwargs
    )


def ran(body: dict, events=(), **kwargs):
    """The window after its end, and its waveform; the books are closed on the way out."""
    window = open_site(body, events, **kwargs)
    wave = window.advance()
    closed(window)
    for name, values in wave.channels.items():
        assert np.isfinite(values).all(), name
    return window, wave


def closed(window: Window) -> None:
    books = window.books()
    assert abs(books.residual_j) <= 1e-9 * books.throughput_j + 1e-6


def forming(power_mw: float, *, energy_mwh: float = 10.0, **converter) -> dict:
    """A grid-forming storage at the site bus that otherwise rests."""
    return {
        "yard": {
            "use": "lfp-site",
            "power_mw": power_mw,
            "energy_mwh": energy_mwh,
            "rule": {"use": "reserve"},
            "converter": {"control": "grid-forming", **converter},
        }
    }


def calm(window: Window) -> Window:
    """The same window with services that hold their power of the start, without ripple."""
    still = np.repeat(window.plan.service_w[:, :1], window.plan.service_w.shape[1], axis=1)
    window.plan = window.plan._replace(service_w=np.ascontiguousarray(still))
    window.reset()
    return window


def crossing_s(wave, channel: str, level: float, *, falling: bool, after_s: float = 0.0) -> float:
    """End of the first step in which a channel is beyond a level."""
    step_s = float(wave.step_s)
    first = round(after_s / step_s)
    values = wave[channel][first:]
    beyond = values < level if falling else values > level
    assert beyond.any(), f"{channel} never passes {level}"
    return (first + int(np.argmax(beyond)) + 1) * step_s
