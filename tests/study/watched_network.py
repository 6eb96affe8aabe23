"""Steps a window and solves its steps again by brute force, closely in and after its faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from judge import residuals_pu
from two_ends import formers_wrong, nobody_states, solved_ends

from aidc.record.waveform import Waveform
from aidc.schema.disturbance import Sag, Swell
from aidc.simulate.transient.window import Window

__all__ = ["Watched"]

_CLOSE_PU = 1e-7  # of the site's rating, and of nominal voltage
_KIRCHHOFF_PU = 1e-9
_CLOSELY_S = 0.3  # after a fault, step by step; later every twentieth step
_AT_RANDOM = 24  # steps of the faults that are solved again, beside those at their edges
_LET_GO = 30  # steps at most in which it is asked whether nobody states what happens


class Watched:
    """One window on its way: `stepped` gives its waveform and everything in which the judge differs."""

    def __init__(self, window: Window, faults: Sequence[Sag | Swell], rng: np.random.Generator) -> None:
        self.window = window
        step_s = float(window.step_s)
        ends = [
            round((one.start_s + one.duration_s + getattr(one, "recovery_s", 0.0)) / step_s) for one in faults
        ]
        starts = [round(one.start_s / step_s) for one in faults]
        self.first, self.closely = min(starts), max(ends) + round(_CLOSELY_S / step_s)
        self.near = {at + k for at in (*starts, *ends) for k in range(-1, 3)}
        self.near |= set(rng.integers(self.first, self.closely, _AT_RANDOM).tolist())
        self.let_go, self.unsolved = 0, 0

    def stepped(self) -> tuple[Waveform, list[str]]:
        """The waveform from the start to the end of the window, and what is wrong with its network."""
        window, wrong = self.window, list[str]()
        blocks = [window.advance(self.first - 2)]
        draws = window.draws()
        while not window.done:
            tick, singly = window.tick, window.tick < self.closely
            former_rad = [one["next_rad"] for one in draws["formers"]]
            blocks.append(window.advance(1 if singly else 20))
            draws = window.draws()
            if singly or not former_rad:  # else the angle in the last of twenty steps is not known
                wrong += self._looked(
                    draws, blocks[-1].block(len(blocks[-1]) - 1, len(blocks[-1])), former_rad, tick
                )
        raw = Waveform.joined(blocks)
        if window.unsolved_s > 0.0 and not self.unsolved:
            wrong += self._unsolved_elsewhere()
        return raw, wrong

    def _looked(self, draws: dict, last: Waveform, former_rad: list[float], tick: int) -> Iterator[str]:
        if not draws["grid"]:
            if float(last["p_w"][0]) != 0.0 or float(last["q_var"][0]) != 0.0:
                yield f"step {tick}: power flows through an open breaker"
            if not former_rad:  # generators form the bus, or nothing does
                return
        solve = tick in self.near or (tick >= self.closely and tick % 500 < 20)
        self.unsolved += draws["unsolved"]
        if draws["let_go"] and self.let_go < (3 if former_rad else _LET_GO):
            self.let_go += 1
            solve = solve or self.let_go < 4
            told = nobody_states(draws, float(last["angle_rad"][0]), former_rad)
            if told is not draws["unsolved"]:
                yield f"step {tick}: unsolved is {draws['unsolved']}, and the judge says {told}"
        if not draws["formers"]:
            reported = [float(last[name][0]) for name in ("v1_pu", "p_w", "q_var", "v_bus_pu")]
            residual = max(residuals_pu(draws, *reported))
            if residual > _KIRCHHOFF_PU:
                yield f"step {tick}: Kirchhoff's residual is {residual:.2e}"
        if solve:
            yield from _differs(draws, last, former_rad, tick)

    def _unsolved_elsewhere(self) -> Iterator[str]:
        """Steps that were told as unsolved where nobody looked: the window is gone through again one by one."""
        window, seen = self.window, 0
        window.reset()
        draws = window.draws()
        while not window.done:
            former_rad = [one["next_rad"] for one in draws["formers"]]
            last = window.advance(1)
            draws = window.draws()
            if draws["unsolved"]:
                seen += 1
                if seen < 4 and not nobody_states(draws, float(last["angle_rad"][0]), former_rad):
                    yield f"step {window.tick}: told as unsolved, and the judge solves it"
        if not seen:
            yield "unsolved steps were told, and none was seen"


def _differs(draws: dict, last: Waveform, former_rad: list[float], tick: int) -> Iterator[str]:
    """Where the highest root has another voltage, power or reactive power at either end of the transformer."""
    ends = solved_ends(draws, float(last["angle_rad"][0]), former_rad)
    rated = sum(one["rated_w"] for one in draws["lineups"]) + sum(one["power_w"] for one in draws["motors"])
    motors = sum(complex(1.0, one["tan_phi"]) * _motor_w(one, ends.bus_pu) for one in draws["motors"])
    booked = complex(draws["drawn_w"] + draws["stored_w"], draws["drawn_var"] + draws["stored_var"]) + motors
    pairs = {
        "bus voltage": abs(float(last["v_bus_pu"][0]) - ends.bus_pu),
        "voltage at the point of interconnection": abs(float(last["v1_pu"][0]) - ends.poi_pu),
        "power at the point of interconnection": abs(float(last["p_w"][0]) - ends.poi_va.real) / rated,
        "reactive power at the point of interconnection": abs(float(last["q_var"][0]) - ends.poi_va.imag)
        / rated,
        "power out of the transformer": abs(booked + _others_w(draws, ends.bus_pu) - ends.bus_va) / rated,
    }
    for name, apart in pairs.items():
        if not apart <= _CLOSE_PU:
            yield f"step {tick}: {name} differs by {apart:.3e} (bus {ends.bus_pu:.6f} pu by the judge)"
    if not ends.carried and not draws["unsolved"]:
        yield f"step {tick}: reported as solved beyond the network's greatest power"
    if told := formers_wrong(draws, ends, former_rad):
        yield f"step {tick}: {told}"


def _motor_w(one: dict, v: float) -> float:
    return one["power_w"] * min(1.0, v / 0.85) * min(1.0, v / 0.5)


def _others_w(draws: dict, v: float) -> float:
    """Auxiliaries less gensets and renewables, which are booked apart."""
    passive = min(1.0, v / 0.9) * min(1.0, v / 0.5)
    fades = min(max((v - draws["renewable_cut_off_pu"]) / 0.02, 0.0), 1.0)
    renewable = draws["renewable_w"] * min(1.0, v / 0.9) * fades
    return (draws["auxiliary_w"] - draws["genset_w"]) * passive - renewable
