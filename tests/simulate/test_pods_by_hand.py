"""What pods compute, step by step, against the laws written out in plain Python: load, queue, power, tokens, knobs.

Two pods serve one model, a third trains. Loads and caps lie on the nodes of the operating table, so that its own
interpolation (compared in `test_operating_table`) does not stand in the way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sites import document, loaded

from aidc.contract import Command, Knob
from aidc.simulate import Twin, compile_site
from aidc.simulate.energy.arrays import Inputs
from aidc.simulate.energy.fields import Channel, Hold, Pod, PodNow, Point

PODS = {
    "a": {"use": "dgx-h100", "racks": 4, "chain": "ac", "cooling": "hall"},
    "b": {"use": "dgx-h100", "racks": 2, "chain": "ac", "cooling": "hall"},
    "c": {"use": "dgx-h100", "racks": 3, "chain": "ac", "cooling": "hall"},
}
STEPS, QUEUE_S, DT_S = 60, 3.0, 2.0
LOADS = 128


def site(**pods) -> dict:
    body = document(
        {name: shape | pods for name, shape in PODS.items()}, minutes=STEPS * DT_S / 60, step_s=DT_S
    )
    body["services"] = {
        "chat": {
            "use": "llama-3.1-70b",
            "precision": "bf16",
            "pods": ["a", "b"],
            "accelerators_per_replica": 4,
            "batch_limit": 64,
            "queue_limit_s": QUEUE_S,
            "slo": {"ttft_p99_s": 2.0, "itl_p99_ms": 60.0},
            "demand": {"use": "constant", "output_tokens_per_s": 1.0},
        }
    }
    body["jobs"] = {
        "pre": {"use": "llama-3.1-8b", "pods": ["c"], "tokens_per_s": 4e4, "start": "2025-07-07T12:00:00Z"}
    }
    return body


def with_demand(inputs: Inputs, demand: np.ndarray) -> Inputs:
    """The same inputs with the service's demand of every step [tokens/s]."""
    values = [inputs.values[a : a + n] for a, n in zip(inputs.first, inputs.length, strict=True)]
    ticks, shift, hold, scale = (
        one.copy() for one in (inputs.ticks, inputs.shift, inputs.hold, inputs.scale)
    )
    channel = int(Channel.DEMAND)
    values[channel] = demand
    ticks[channel], shift[channel], hold[channel], scale[channel] = 1, 0, Hold.MEAN, 1.0
    lengths = np.array([len(one) for one in values], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    return Inputs(np.concatenate(values), first, lengths, ticks, shift, hold, scale)


class Judge:
    """One service pod, from its operating table alone."""

    def __init__(self, compiled, lane: int) -> None:
        column = compiled.params.pod[:, lane]
        self.table = compiled.params.operating[lane]
        self.share, self.most = column[Pod.SHARE_FRAC], column[Pod.RATE_MAX_PER_S]
        self.idle_w, self.least = column[Pod.IDLE_W], column[Pod.CAP_MIN_FRAC]
        self.queue = 0.0

    def at(self, load: float, cap: float, point: Point) -> float:
        """The table, linear in load and in cap."""
        caps = np.linspace(self.least, 1.0, self.table.shape[0])
        rows = [np.interp(load, np.linspace(0, 1, LOADS + 1), row[:, point]) for row in self.table]
        return float(np.interp(cap, caps, rows))

    def step(self, arrived: float, cap: float, replicas: float, batch: float) -> dict[str, float]:
        backlog = self.queue + arrived
        able = self.most * replicas * DT_S
        load = min(backlog / able, self.at_batch(batch)) if able > 0 else 0.0
        rate = self.at(load, cap, Point.RATE_PER_S) * replicas * DT_S
        power = self.at(load, cap, Point.ACCELERATOR_W) * replicas + self.idle_w * (1 - replicas)
        output, dropped, queue = backlog, 0.0, 0.0
        if backlog - rate > 1e-9 * backlog:
            output = rate
            dropped = max(backlog - rate - QUEUE_S * self.most, 0.0)
            queue = backlog - rate - dropped
        wait_s = min(queue / (rate / DT_S), QUEUE_S) if queue > 0 and rate > 0 else 0.0
        meets = self.at(load, cap, Point.MEETS_SLO_FRAC)
        if wait_s > 0:
            known = ([0.0, *(self.at(load, cap, p) for p in QUANTILES)], [0.0, 0.5, 0.9, 0.99])
            within = [np.interp(x, *known) if x < known[0][-1] else 1.0 for x in (2.0 - wait_s, 2.0)]
            meets *= max(within[0], 0.0) / within[1] if wait_s < 2.0 else 0.0
        self.queue = queue
        return {
            "ACCELERATOR_W": power,
            "UNCAPPED_W": self.at(load, cap, Point.UNCAPPED_W) * replicas + self.idle_w * (1 - replicas),
            "ARRIVED_TOKENS": arrived,
            "OUTPUT_TOKENS": output,
            "DROPPED_TOKENS": dropped,
            "USEFUL_TOKENS": output * meets,
            "WAIT_S": wait_s,
            "LOAD_FRAC": load,
        }

    def at_batch(self, share: float) -> float:
        """The highest load of a share of the batch limit, uncapped."""
        batch = np.maximum.accumulate(self.table[-1, :, Point.BATCH])
        known = np.interp(np.linspace(0, 1, 17) * batch[-1], batch, np.linspace(0, 1, LOADS + 1))
        return float(np.interp(share, np.linspace(0, 1, 17), known))


QUANTILES = (Point.TTFT_P50_S, Point.TTFT_P90_S, Point.TTFT_P99_S)
COURSES = {  # per step: demand over what both pods can do, cap of a and b, replicas of a, batch of a, pause of b
    "calm": lambda k: (0.4 + 0.3 * np.sin(k / 7), 1.0, 1.0, 1.0, 0.0),
    "queue": lambda k: (1.3 if 10 <= k < 25 else 0.5, 1.0, 1.0, 1.0, 0.0),
    "capped": lambda k: (0.7, 0.55 if 15 <= k < 40 else 1.0, 1.0, 1.0, 0.0),
    "fewer replicas": lambda k: (0.5, 1.0, 0.5 if k >= 20 else 1.0, 1.0, 0.0),
    "smaller batch": lambda k: (0.6, 0.8, 1.0, 0.25 if 20 <= k < 45 else 1.0, 0.0),
    "drained": lambda k: (0.45, 1.0, 1.0, 1.0, 1.0 if 20 <= k < 45 else 0.0),
    "all at once": lambda k: (0.9, 0.7, 0.75, 0.5 if k > 30 else 1.0, 1.0 if 40 <= k < 50 else 0.0),
}


def played(course, compiled):
    """The twin through a course, a step a block: what was set, and the record of every step."""
    twin = Twin(compiled)
    rated = compiled.view.upper[Knob.POD_CAP_W]
    records = []
    for k in range(STEPS):
        _, cap, replicas, batch, pause = course(k)
        rows = {
            Knob.POD_CAP_W: [cap * rated[0], cap * rated[1], rated[2]],
            Knob.POD_REPLICA_FRAC: [replicas, 1.0, 1.0],
            Knob.POD_BATCH_FRAC: [batch, 1.0, 1.0],
            Knob.POD_PAUSE: [0.0, pause, 0.0],
        }
        twin.apply([Command(knob, np.array(row), 1e6, "") for knob, row in rows.items()])
        block = twin.advance(1)
        records.append((block.records.pod[0].copy(), block.records.queue_tokens[0].copy()))
    return records


@pytest.mark.parametrize("name", list(COURSES))
def test_every_step_of_a_service_is_that_of_the_judge(name):
    course = COURSES[name]
    compiled = compile_site(loaded(site()))
    judges = [Judge(compiled, lane) for lane in range(2)]
    most = sum(judge.most for judge in judges)
    assert [judge.share for judge in judges] == pytest.approx([judge.most / most for judge in judges])
    demand = np.array([course(k)[0] * most for k in range(STEPS)])
    compiled = replace(compiled, inputs=with_demand(compiled.inputs, demand))
    compiled.params.pod[Pod.LEAKAGE_PER_K] = 0.0  # its own test: test_cooling_weather
    for k, (record, queues) in enumerate(played(course, compiled)):
        _, cap, replicas, batch, pause = course(k)
        open_frac = [replicas, 1.0 - pause]
        weights = [judge.share * share for judge, share in zip(judges, open_frac, strict=True)]
        for lane, judge in enumerate(judges):
            if lane == 1 and pause:
                assert record[PodNow.OUTPUT_TOKENS, 1] == 0.0
                assert queues[1] == pytest.approx(judge.queue, rel=1e-9)
                continue
            arrived = demand[k] * DT_S * weights[lane] / sum(weights)
            exact = judge.step(arrived, cap, [replicas, 1.0][lane], [batch, 1.0][lane])
            for row, value in exact.items():
                got = record[PodNow[row], lane]
                assert got == pytest.approx(value, rel=1e-8, abs=1e-6), (k, lane, row)
            assert queues[lane] == pytest.approx(judge.queue, rel=1e-8, abs=1e-6)


def test_the_courses_see_queues_drops_waits_and_missed_promises():
    """A course on which nothing happens would prove nothing."""
    compiled = compile_site(loaded(site()))
    judges = [Judge(compiled, lane) for lane in range(2)]
    most = sum(judge.most for judge in judges)
    seen = [
        judges[0].step(COURSES["queue"](k)[0] * most * DT_S * judges[0].share, 1.0, 1.0, 1.0)
        for k in range(30)
    ]
    assert max(one["DROPPED_TOKENS"] for one in seen) > 0
    assert 0 < max(one["WAIT_S"] for one in seen) <= QUEUE_S
    assert min(one["USEFUL_TOKENS"] / one["OUTPUT_TOKENS"] for one in seen) < 0.9
    assert max(one["LOAD_FRAC"] for one in seen) == pytest.approx(1.0)


def test_power_rises_no_faster_than_the_racks_may():
    """From idle to full load at 0.02 MW/s: what power lacks, work lacks in proportion."""
    compiled = compile_site(loaded(site()))
    judge = Judge(compiled, 0)
    ramp_w = 2e4
    compiled.params.pod[Pod.RAMP_UP_W_PER_S, 0] = ramp_w
    compiled.params.pod[Pod.LEAKAGE_PER_K] = 0.0
    most = sum(Judge(compiled, lane).most for lane in range(2))
    demand = np.where(np.arange(STEPS) < 5, 0.0, 0.99 * most)
    twin = Twin(replace(compiled, inputs=with_demand(compiled.inputs, demand)))
    pods = twin.advance(STEPS).records.pod[:, :, 0]
    power, output = pods[:, PodNow.ACCELERATOR_W], pods[:, PodNow.OUTPUT_TOKENS]
    idle_w, full_w = power[4], judge.at(1.0, 1.0, Point.ACCELERATOR_W)
    for k in range(5, 20):
        wanted = min(idle_w + ramp_w * DT_S * (k - 4), full_w)
        assert power[k] == pytest.approx(wanted, rel=1e-2 if wanted > 0.97 * full_w else 1e-9)
        if wanted < 0.97 * full_w and k > 6:  # saturated by its queue: the rate follows power
            full = judge.at(1.0, 1.0, Point.RATE_PER_S) * DT_S
            assert output[k] == pytest.approx(full * wanted / full_w, rel=1e-9)
    assert power[4] < 0.3 * full_w


def test_a_job_draws_and_trains_by_the_cap_law():
    """The pod of a job, whose own levels stand in the record of its load."""
    compiled = compile_site(loaded(site()))
    compiled.params.pod[Pod.LEAKAGE_PER_K] = 0.0
    table = compiled.params.operating[2]
    rated, caps = (
        compiled.view.upper[Knob.POD_CAP_W],
        np.linspace(compiled.params.pod[Pod.CAP_MIN_FRAC, 2], 1.0, 9),
    )
    twin = Twin(compiled)
    trained = []
    for cap in (caps[8], caps[4], caps[2]):
        twin.apply([Command(Knob.POD_CAP_W, np.array([np.nan, np.nan, cap * rated[2]]), 1e6, "")])
        pods = twin.advance(20).records.pod[:, :, 2]
        row = table[int(np.argmin(abs(caps - cap)))]
        for one in pods:
            load = one[PodNow.LOAD_FRAC]
            for column, value in (
                (PodNow.ACCELERATOR_W, Point.ACCELERATOR_W),
                (PodNow.UNCAPPED_W, Point.UNCAPPED_W),
            ):
                exact = np.interp(load, np.linspace(0, 1, LOADS + 1), row[:, value])
                assert one[column] == pytest.approx(exact, rel=1e-9)
        busy = pods[pods[:, PodNow.TRAINED_TOKENS] > 0]
        rates = np.interp(busy[:, PodNow.LOAD_FRAC], np.linspace(0, 1, LOADS + 1), row[:, Point.RATE_PER_S])
        share = busy[:, PodNow.TRAINED_TOKENS] / (rates * DT_S)
        assert (share <= 1 + 1e-9).all()
        trained.append((share.mean(), busy[:, PodNow.TRAINED_TOKENS].mean()))
    assert trained[0][1] > trained[1][1] > trained[2][1] > 0
    assert trained[0][0] == pytest.approx(1.0, abs=0.05)
