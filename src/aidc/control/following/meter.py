"""What a watt of accelerators is at the meter: servers, lineups and the transformer at once, cooling later.

Both shares are known of the site: `SiteView.pod_meter_per_w`, and `pod_meter_settled_per_w` from a commissioning test.
Where no test was made, what cooling adds is learned from what the meter shows while nothing is asked: changes of the
site's load from one quarter of an hour to the next are regressed on the changes that its accelerators should have
made of it, and on those of the dry bulb, by recursive least squares with forgetting (L. Ljung, System
Identification, 2nd ed., 1999, section 11.2). Changes and not levels: weather and demand follow the same clock, and a
day's levels cannot tell one from the other. It knows one factor for all pods, so that a cut of other pods than those
that usually move is some hundredths off: a test is better, and is not corrected by it.
"""

from __future__ import annotations

import math

import numpy as np

from aidc.contract import FloatArray, SiteView

__all__ = ["Meter"]

_WINDOW_S = 900.0
_FORGOTTEN_S = 2 * 86_400.0
_UNKNOWN_COOLING = 1.06  # where no test was made; estimate without a checked source
_UNKNOWN_BARE = 1.2  # servers, lineup, transformer; the same
_SPREAD = np.array([0.08, 0.05])  # of the prior: factor on what is known, share of the rating for 10 K
_NOISE = 1e-3  # of a change from window to window, over rated power
_BEYOND = 1.3  # of the last step between dry bulbs: compressors and fans steepen in heat
_LEAST, _MOST = 0.8, 1.25  # of the factor


class Meter:
    """Knows and learns the slope at the meter."""

    def __init__(self, site: SiteView) -> None:
        pods = len(site.pods)
        known = len(site.pod_meter_per_w) == pods
        self.bare = np.array(site.pod_meter_per_w) if known else np.full(pods, _UNKNOWN_BARE)
        tested = len(site.meter_dry_bulb_k) > 0 and site.pod_meter_settled_per_w.shape[1] == pods
        self._dry_k = site.meter_dry_bulb_k if tested else np.array([290.0])
        self._settled = site.pod_meter_settled_per_w if tested else _UNKNOWN_COOLING * self.bare[None]
        rated = float((self.bare * site.pod_rated_w).sum()) if len(site.pod_rated_w) == pods else 0.0
        self._scale_w = max(rated, 1.0)
        self._tested = tested
        self._spread = _SPREAD**2
        self._theta = np.array([1.0, 0.0])
        self._covariance = np.diag(self._spread)
        self._sums = [
            0.0,
            0.0,
            0.0,
        ]  # load, what accelerators should make of it, dry bulb, each times seconds
        self._span_s = 0.0
        self._before: FloatArray | None = None

    def learn(self, span_s: float, load_w: float, accelerators_w: FloatArray, dry_bulb_k: float) -> None:
        """Take in one window without an event: the site's load without storage, PV and wind, and its pods.

        `span_s` is the length of the window [s], `load_w` that load and `accelerators_w` the power of each pod's
        accelerators [W], `dry_bulb_k` the outdoor air.
        """
        if self._tested:
            return
        weighed = float(self._of_site(dry_bulb_k) @ accelerators_w)
        if not span_s > 0 or math.isnan(load_w + weighed + dry_bulb_k):
            return
        for place, value in enumerate((load_w, weighed, dry_bulb_k)):
            self._sums[place] += span_s * value
        self._span_s += span_s
        if self._span_s >= _WINDOW_S:
            window = np.array(self._sums) / self._span_s
            if self._before is not None:
                self._update(window - self._before, self._span_s)
            self.skip()
            self._before = window

    def skip(self) -> None:
        """Throw the window at hand away: something was asked in it."""
        self._sums = [0.0, 0.0, 0.0]
        self._span_s = 0.0
        self._before = None

    def per_w(self, dry_bulb_k: float) -> FloatArray:
        """Power at the meter for a watt of each pod's accelerators once cooling has answered, (pod,)."""
        return self._of_site(dry_bulb_k) * min(max(float(self._theta[0]), _LEAST), _MOST)

    def _of_site(self, dry_bulb_k: float) -> FloatArray:
        """The slopes of the test, between its dry bulbs."""
        if len(self._dry_k) == 1 or math.isnan(dry_bulb_k):
            return self._settled[len(self._dry_k) // 2]
        high = min(max(int(np.searchsorted(self._dry_k, dry_bulb_k)), 1), len(self._dry_k) - 1)
        low_k, high_k = float(self._dry_k[high - 1]), float(self._dry_k[high])
        share = min(max((dry_bulb_k - low_k) / max(high_k - low_k, 1e-9), 0.0), _BEYOND)
        return self._settled[high - 1] + share * (self._settled[high] - self._settled[high - 1])

    def _update(self, change: FloatArray, span_s: float) -> None:
        load, weighed, warmer = change[0] / self._scale_w, change[1] / self._scale_w, change[2] / 10.0
        row = np.array([weighed, warmer])
        forgotten = math.exp(-span_s / _FORGOTTEN_S)
        spread = self._covariance @ row
        gain = spread / (forgotten * _NOISE**2 + row @ spread)
        self._theta = self._theta + gain * (load - row @ self._theta)
        self._covariance = (self._covariance - np.outer(gain, spread)) / forgotten
        # what is not excited would be forgotten without end
        excess = np.sqrt(np.minimum(1.0, self._spread / np.maximum(np.diag(self._covariance), 1e-15)))
        self._covariance *= np.outer(excess, excess)
