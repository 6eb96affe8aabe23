"""Training jobs: schedule by conservation and convergence, faults against Daly's formula, published figures."""

from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.calibrate.training import fit_waveform, main, read_cycles, read_series
from aidc.clock import Clock
from aidc.errors import InputError
from aidc.plant.training import (
    NEVER,
    PHASES,
    TrainingLevels,
    fault_ticks,
    job_mtbf_s,
    job_schedule,
    phase_shares,
    predicted_mfu,
    progress,
    schedule,
    step_job,
    steps_in_phase,
    tokens_per_s,
    training_levels,
)
from aidc.schema.job import JobShape
from aidc.site.devices import training_of

LEVELS = TrainingLevels(0.86, 0.75, 0.74, 0.2, 0.19, 0.1)
NO_FAULTS = np.empty(0, dtype=np.int64)


PLAIN = {
    "start_tick": 0, "end_tick": NEVER, "restart_ticks": 600, "step_s": 1.0,
    "iteration_s": 10.77, "communication_s": 2.7, "offset_s": 0.0,
    "evaluation_period_s": 142.1, "evaluation_s": 12.94, "checkpoint_period_s": 1800.0, "checkpoint_s": 30.0,
}  # fmt: skip


def clock(**changes):
    *ticks, step_s, length, low, offset, e_period, e_s, c_period, c_s = {**PLAIN, **changes}.values()
    return schedule(*ticks, step_s, (length, low, offset), (e_period, e_s), (c_period, c_s))


def without_checkpoints(job):
    return job._replace(checkpoint_s=0.0, checkpoint_period_s=1e12, per_checkpoint=1e-12)


def shares(job, ticks):
    return np.array([phase_shares(tick, 0, job) for tick in range(ticks)])


schedules = st.builds(
    clock,
    iteration_s=st.floats(0.3, 40),
    offset_s=st.floats(0, 5),
    communication_s=st.floats(0, 0.3),
    evaluation_period_s=st.floats(30, 400),
    evaluation_s=st.floats(0, 25),
    checkpoint_period_s=st.floats(100, 900),
    checkpoint_s=st.floats(0, 90),
)


@settings(max_examples=40, deadline=None)
@given(schedules)
def test_shares_fill_every_step(job):
    each = shares(job, 1500)
    assert each.sum(axis=1) == pytest.approx(np.ones(1500))
    assert (each > -1e-12).all()


@settings(max_examples=30, deadline=None)
@given(schedules)
def test_shares_over_a_long_time_are_the_schedule(job):
    job = without_checkpoints(job)
    each = shares(job, 20_000).mean(axis=0)
    slack = 1.0 * job.evaluation_period_s / 20_000
    assert each[2] == pytest.approx(job.evaluation_s / job.evaluation_period_s, abs=slack)
    assert each[3] == 0.0


@settings(max_examples=20, deadline=None)
@given(schedules, st.sampled_from([2, 5, 60]))
def test_a_longer_step_has_the_mean_of_the_shorter_ones(job, factor):
    job = without_checkpoints(job)  # overlap of the two schedules is resolved within a step
    fine = shares(job, 60 * factor).reshape(60, factor, 4).mean(axis=1)
    coarse = shares(job._replace(step_s=float(factor)), 60)
    assert coarse == pytest.approx(fine, abs=1e-9)


def test_checkpoints_and_evaluations_stop_training_for_their_time():
    job = clock(evaluation_period_s=600.0, evaluation_s=60.0, checkpoint_period_s=1000.0, checkpoint_s=50.0)
    each = shares(job, 3000)
    assert each[:, 3].sum() == pytest.approx(150.0)
    assert each[:, 2].sum() == pytest.approx(5 * 60.0 - 50.0)  # 2940 to 3000 overlaps 2950 to 3000
    assert each[540:600, 2] == pytest.approx(np.ones(60))
    assert each[950:1000, 3] == pytest.approx(np.ones(50))


def test_strongest_line_of_the_published_schedule_is_the_measured_one():
    """MLPerf GPT-3 175B on 512 H100 (MLCommons training results v4.0): 12 iterations of 10.77 s, then 12.94 s
    of evaluation; measured strongest line at 0.0915 Hz, which is not the iteration's 0.0929 Hz."""
    job = clock(evaluation_period_s=142.15, iteration_s=(142.15 - 12.94) / 12, checkpoint_s=0.0, step_s=2.0)
    power = progress(job, LEVELS, NO_FAULTS, 1480)[0]
    spectrum = np.abs(np.fft.rfft(power - power.mean()))
    line_hz = np.fft.rfftfreq(power.size, 2.0)[np.argmax(spectrum)]
    assert line_hz == pytest.approx(0.0915, rel=0.005)


def test_jitted_step_equals_its_python_body():
    job = clock(end_tick=900, start_tick=20)
    faults = np.array([300, 700], dtype=np.int64)
    index = plain_index = 0
    for tick in range(950):
        compiled = step_job(tick, index, faults, job, LEVELS)
        plain = step_job.py_func(tick, plain_index, faults, job, LEVELS)
        assert compiled == pytest.approx(plain)
        index, plain_index = compiled[4], plain[4]


def test_work_after_the_last_checkpoint_is_lost_and_the_restart_makes_none():
    job = clock(end_tick=10_000, evaluation_s=0.0, checkpoint_period_s=1000.0, checkpoint_s=100.0)
    faults = np.array([2500], dtype=np.int64)
    power, share, counted = progress(job, LEVELS, faults, 10_000)
    assert share[2000:2500].sum() == pytest.approx(500.0)
    assert counted[2000:2500].sum() == 0.0
    assert counted[:2000].sum() == pytest.approx(1800.0)
    assert share[2500:3100].sum() == 0.0
    assert power[2500:3100] == pytest.approx(np.full(600, LEVELS.restart_frac))
    assert counted[3100:10_000].sum() == pytest.approx(share[3100:10_000].sum())


def test_without_checkpoints_a_fault_loses_everything():
    job = clock(end_tick=5000, evaluation_s=0.0, checkpoint_s=0.0)
    counted = progress(job, LEVELS, np.array([3000], dtype=np.int64), 5000)[2]
    assert counted[:3000].sum() == 0.0
    assert counted.sum() == pytest.approx(5000 - 3600)


def test_idle_before_and_after():
    job = clock(start_tick=5, end_tick=9)
    phases = [PHASES[step_job(tick, 0, NO_FAULTS, job, LEVELS)[3]] for tick in (4, 5, 8, 9)]
    assert phases == ["idle", "train", "train", "idle"]
    assert step_job(4, 0, NO_FAULTS, job, LEVELS)[0] == LEVELS.idle_frac


def test_useful_share_under_faults_agrees_with_daly():
    """Daly, A higher order estimate of the optimum checkpoint interval, FGCS 22 (2006) 303, DOI
    10.1016/j.future.2004.11.016: a segment of length τ takes (M + R)(exp(τ/M) - 1) with restart R."""
    ticks, mtbf_s, restart_s, period_s, save_s = 2_000_000, 3000.0, 400, 1000.0, 100.0
    job = clock(
        end_tick=ticks,
        restart_ticks=restart_s,
        evaluation_s=0.0,
        checkpoint_period_s=period_s,
        checkpoint_s=save_s,
    )
    faults = fault_ticks(np.random.default_rng(11), mtbf_s, job)
    counted = progress(job, LEVELS, faults, ticks)[2]
    expected = (period_s - save_s) / ((mtbf_s + restart_s) * np.expm1(period_s / mtbf_s))
    assert counted.mean() == pytest.approx(expected, rel=0.04)


def test_faults_are_reproducible_and_inside_the_job():
    job = clock(start_tick=100, end_tick=50_000)
    first, second = (fault_ticks(np.random.default_rng(2), 2000.0, job) for _ in range(2))
    assert (first == second).all()
    assert first.min() > 100
    assert first.max() < 50_000
    assert (np.diff(first) > job.restart_ticks).all()


def test_mtbf_of_a_large_job_is_the_published_one():
    """419 unexpected interruptions in 54 days on 16,384 H100: one in 3.1 h (arXiv 2407.21783, section 3.3.4)."""
    assert job_mtbf_s(5.8, 16_384) / 3600 == pytest.approx(54 * 24 / 419, rel=0.02)


def test_compute_of_a_large_job_is_the_published_one():
    """Llama 3 405B: 3.8e25 FLOPs on 15.6 T tokens (arXiv 2407.21783, section 1), 30.84 M GPU hours (model card)."""
    _, rate = training_levels(training_of("h100-sxm"))
    mfu = predicted_mfu(rate["mfu_16bit"], rate["mfu_16bit_accelerators"], rate["mfu_decay"], 16_384)
    per_s = tokens_per_s(405e9, 16_384, 989e12, mfu)
    seconds = 15.6e12 / per_s
    assert seconds * 16_384 * 989e12 * mfu == pytest.approx(3.8e25, rel=0.01)
    effective = 0.9  # "higher than 90% effective training time", section 3.3.4
    assert seconds * 16_384 / 3600 / effective == pytest.approx(30.84e6, rel=0.10)


def test_eight_bit_rate_is_the_measured_one():
    """MLPerf GPT-3 175B: 50,331,648 tokens in each block of 129.2 s on 512 H100, in FP8 at 1,979 TFLOP/s dense."""
    _, rate = training_levels(training_of("h100"))
    assert tokens_per_s(175e9, 512, 1979e12, rate["mfu_8bit"]) == pytest.approx(50_331_648 / 129.2, rel=0.01)


@pytest.mark.parametrize(
    ("accelerator", "like"), [("h100", "h100"), ("H100-SXM5", "h100"), ("b200", "b200"), ("910c", "generic")]
)
def test_device_classes(accelerator, like):
    assert training_levels(training_of(accelerator)) == training_levels(training_of(like))


@pytest.mark.parametrize("name", ["h100", "b200", "generic"])
def test_levels_are_ordered(name):
    levels, rate = training_levels(training_of(name))
    assert 1 > levels.compute_frac > levels.communication_frac > levels.checkpoint_frac >= levels.restart_frac
    assert levels.restart_frac > levels.idle_frac > 0.05
    assert 0.3 < rate["mfu_8bit"] < 0.5


def test_fit_finds_the_iteration_of_the_measured_run(aidc_data):
    """Iterations of 10.77 s, from power samples alone; 12 of them make the logged block of 129.2 s."""
    folder = aidc_data / "mlperf_training_power"
    cycles, _ = read_cycles(folder / "gpt3_175b_64node_h100_run1_events.csv")
    series = read_series(folder / "gpt3_175b_64node_h100_run1_ac.csv")["ac"]
    assert fit_waveform(series, cycles[:3]).iterations == 12
    wave = fit_waveform(series, cycles)
    assert wave.iterations == 12
    assert wave.clock.iteration_s == pytest.approx(10.77, abs=0.02)
    shipped, _ = training_levels(training_of("h100"))
    for learned_w, frac in zip(wave.levels_w[:3], shipped[:3], strict=True):
        assert (learned_w / series.nodes - 1560) / 1.15 / 5600 == pytest.approx(frac, abs=0.005)


def test_a_job_table_becomes_a_schedule():
    run = Clock(datetime(2025, 7, 7, tzinfo=UTC), Fraction(60), 10_000)
    table = {
        "use": "llama-3.1-70b",
        "pods": ["b"],
        "start": "2025-07-07T06:00:00Z",
        "duration_h": 24,
        "evaluation": {"period_min": 120, "duration_s": 300},
        "faults": {"restart_min": 15},
    }
    made = job_schedule(JobShape.model_validate(table), run, 0.25)
    assert (made.start_tick, made.end_tick, made.restart_ticks) == (360, 1800, 15)
    assert (made.evaluation_period_s, made.evaluation_s, made.checkpoint_s) == (7200.0, 300.0, 30.0)
    assert made.communication_s == pytest.approx(0.25 * 10.8)


@pytest.mark.parametrize(
    "change",
    [
        {"start": "2025-07-07T06:00:00"},
        {"end": "2025-07-07T05:00:00Z"},
        {"end": "2025-07-08T05:00:00Z", "duration_h": 3},
        {"checkpoint": {"period_min": 1, "duration_s": 60}},
        {"evaluation": {"period_min": 1}},
        {"pods": []},
        {"pods": ["b", "b"]},
        {"flex_tier": 4},
        {"iteration_s": 0},
        {"faults": {"accelerator_mtbf_years": float("nan")}},
        {"speed": 3},
    ],
)
def test_a_job_table_that_makes_no_sense_is_refused(change):
    table = {"use": "llama-3.1-70b", "pods": ["b"], "start": "2025-07-07T06:00:00Z"}
    JobShape.model_validate(table)
    with pytest.raises(ValidationError):
        JobShape.model_validate({**table, **change})


def test_fit_needs_a_folder():
    with pytest.raises(InputError, match="DATA_DIR"):
        main([])


def test_a_sweep_gives_the_mean_of_an_iteration_and_the_device_its_swing() -> None:
    from aidc.plant.training import TrainingLevels, job_levels
    from aidc.schema.job import JobShape

    job = JobShape.model_validate(
        {
            "pods": ["a"], "start": "2025-01-01T00:00:00Z", "tokens_per_s": 1.0,
            "sweep": {"cap_w": [200.0, 400.0], "power_w": [195.0, 340.0], "throughput": [0.8, 1.0]},
        }
    )  # fmt: skip
    device = TrainingLevels(0.9, 0.6, 0.8, 0.2, 0.2, 0.1)
    flat = job_levels(job, device, 400.0)
    assert flat.compute_frac == flat.communication_frac == pytest.approx(340 / 400)
    swinging = job_levels(job, device, 400.0, 0.25)
    assert 0.75 * swinging.compute_frac + 0.25 * swinging.communication_frac == pytest.approx(340 / 400)
    assert swinging.communication_frac / swinging.compute_frac == pytest.approx(0.6 / 0.9)


@settings(max_examples=60, deadline=None)
@given(job=schedules, tick=st.integers(-50, 4000), step_s=st.sampled_from([0.001, 0.02, 0.3, 1.0]))
def test_steps_in_a_phase_are_those_whose_shares_stay_whole(job, tick, step_s):
    """None of the steps that are promised may be mixed, nor of another phase."""
    job = job._replace(step_s=step_s)
    many = steps_in_phase(tick, job)
    if tick < 0:
        assert many == -tick
    elif many:
        whole = np.eye(4)[np.argmax(phase_shares(tick, 0, job))]
        for later in {tick, tick + many // 3, tick + many - 1}:
            assert phase_shares(later, 0, job) == pytest.approx(whole, abs=1e-5)


def test_phases_are_walked_in_few_strides():
    """200 s hold 19 iterations of two phases and an evaluation: each takes a stride, and a step at its edge."""
    job, tick, strides = clock(step_s=0.001), 0, 0
    while tick < 200_000:
        tick += max(steps_in_phase(tick, job), 1)
        strides += 1
    assert strides < 2 * (2 * 19 + 2) + 4
