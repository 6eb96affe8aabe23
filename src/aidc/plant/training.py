"""Training jobs: phases by an integer tick clock, power of the accelerators, tokens, faults.

A job repeats an evaluation cycle (train, then evaluate at its end) and a checkpoint cycle (train, then
save at its end). While it trains it repeats iterations: compute at the high power level, then
communication at the low one. The iteration clock starts anew after each evaluation, which is why
the strongest spectral line of a measured run is a harmonic of the evaluation cycle. Where a checkpoint and
an evaluation overlap the checkpoint goes first and the rest of the evaluation is skipped.

Shares of a step are differences of closed-form cumulative times, so a step of any length has the exact
mean and nothing is accumulated. After a fault the job restarts, and every clock starts anew from its last
checkpoint's state; the tokens since that checkpoint are not counted. Faults are drawn beforehand, so
whether a step's work will be lost is known when the step is taken.

Measured on MLPerf GPT-3 175B on 64 nodes of 8 H100 (MLCommons training results v4.0). Tokens: 6 FLOPs per
activated parameter and token (Kaplan et al., Scaling Laws for Neural Language Models, section 2.1,
arXiv 2001.08361), attention left out.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.clock import Clock, as_fraction
from aidc.jit import engine, scalar
from aidc.schema.device import TrainingShape
from aidc.schema.job import JobShape
from aidc.units import MINUTE_S, YEAR_S

__all__ = [
    "NEVER",
    "PHASES",
    "TrainingClock",
    "TrainingLevels",
    "end_tick",
    "fault_ticks",
    "job_levels",
    "job_mtbf_s",
    "job_schedule",
    "phase_shares",
    "predicted_mfu",
    "progress",
    "schedule",
    "step_job",
    "steps_in_phase",
    "tokens_per_s",
    "training_levels",
    "training_power_frac",
    "work_is_lost",
]

NEVER: Final = 1 << 62
PHASES: Final = ("idle", "train", "evaluate", "checkpoint", "restart")
IDLE, TRAIN, EVALUATE, CHECKPOINT, RESTART = range(5)
FOREVER_S: Final = 1e12  # the period of a phase that never comes: 30,000 years
FLOPS_PER_PARAM: Final = 6.0


class TrainingClock(NamedTuple):
    """When a job does what, built by `schedule`; a phase that never comes has a duration of 0."""

    start_tick: int
    end_tick: int
    restart_ticks: int
    step_s: float
    iteration_s: float
    communication_s: float
    offset_s: float
    evaluation_period_s: float
    evaluation_s: float
    checkpoint_period_s: float
    checkpoint_s: float
    block_s: float  # training between two evaluations
    before_s: float  # communication before the offset, and in a whole block
    block_communication_s: float
    per_iteration: float  # reciprocals, 1/s
    per_evaluation: float
    per_checkpoint: float


class TrainingLevels(NamedTuple):
    """Power of the accelerators in each phase over their rated power."""

    compute_frac: float
    communication_frac: float
    evaluation_frac: float
    checkpoint_frac: float
    restart_frac: float
    idle_frac: float


@scalar
def _tail_time(time_s: float, period_s: float, tail_s: float) -> float:
    """Time up to `time_s` spent in the last `tail_s` of every period."""
    if tail_s <= 0.0:
        return 0.0
    whole = np.floor(time_s / period_s)
    return whole * tail_s + max(0.0, time_s - whole * period_s - (period_s - tail_s))


def schedule(
    start_tick: int,
    end_tick: int,
    restart_ticks: int,
    step_s: float,
    iteration: tuple[float, float, float],
    evaluation: tuple[float, float] = (0.0, 0.0),
    checkpoint: tuple[float, float] = (0.0, 0.0),
) -> TrainingClock:
    """A schedule with what the kernel needs precomputed.

    Parameters
    ----------
    start_tick, end_tick, restart_ticks, step_s
        First tick, the one after the last, ticks from a fault to running again, and the step, s.
    iteration
        Length, communication at its end, and the offset at which each block begins, s.
    evaluation, checkpoint
        Period and duration at its end, s; a duration of 0 switches it off.
    """
    iteration_s, communication_s, offset_s = iteration
    evaluation_period_s, evaluation_s = evaluation if evaluation[1] > 0 else (FOREVER_S, 0.0)
    checkpoint_period_s, checkpoint_s = checkpoint if checkpoint[1] > 0 else (FOREVER_S, 0.0)
    block_s = evaluation_period_s - evaluation_s
    before_s = _tail_time(offset_s, iteration_s, communication_s)
    block_communication_s = _tail_time(block_s + offset_s, iteration_s, communication_s) - before_s
    return TrainingClock(
        start_tick, end_tick, restart_ticks, float(step_s), float(iteration_s), float(communication_s),
        float(offset_s), float(evaluation_period_s), float(evaluation_s), float(checkpoint_period_s),
        float(checkpoint_s), float(block_s), float(before_s), float(block_communication_s),
        1.0 / iteration_s, 1.0 / evaluation_period_s, 1.0 / checkpoint_period_s,
    )  # fmt: skip


def end_tick(job: JobShape, clock: Clock) -> int:
    """The step at which a job ends at the latest; `NEVER` where only its tokens end it."""
    if job.end is not None:
        return clock.tick_of(job.end)
    if job.duration_h is not None:
        return clock.tick_of(job.start) + int(as_fraction(job.duration_h) * 3600 / clock.step_s)
    return NEVER


def job_schedule(job: JobShape, clock: Clock, communication_share: float) -> TrainingClock:
    """The schedule of a `[jobs.NAME]` table on the clock of a run.

    `communication_share` is the device's own share of an iteration, used where the job has none.
    """
    step_s = float(clock.step_s)
    start = clock.tick_of(job.start)
    end = end_tick(job, clock)
    share = communication_share if job.communication_frac is None else job.communication_frac
    restart_s = 0.0 if job.faults is None else job.faults.restart_min * MINUTE_S
    pauses = [
        (0.0, 0.0) if pause is None else (pause.period_min * MINUTE_S, pause.duration_s)
        for pause in (job.evaluation, job.checkpoint)
    ]
    iteration = (job.iteration_s, share * job.iteration_s, 0.0)
    return schedule(start, end, math.ceil(restart_s / step_s), step_s, iteration, *pauses)


@scalar
def _spent(time_s: float, clock: TrainingClock) -> tuple[float, float, float]:
    """Time up to `time_s` spent communicating, evaluating and saving.

    The iteration clock is reset by each evaluation. Each cumulative time is continuous, so the rounding of
    `time · (1 / period)` at a whole number of periods does not show.
    """
    cycles = np.floor(time_s * clock.per_evaluation)
    within = time_s - cycles * clock.evaluation_period_s
    evaluating = cycles * clock.evaluation_s + max(0.0, within - clock.block_s)
    trained = min(within, clock.block_s) + clock.offset_s
    turns = np.floor(trained * clock.per_iteration)
    low = max(0.0, trained - turns * clock.iteration_s - (clock.iteration_s - clock.communication_s))
    communicating = (
        cycles * clock.block_communication_s + turns * clock.communication_s + low - clock.before_s
    )
    saves = np.floor(time_s * clock.per_checkpoint)
    busy_s = clock.checkpoint_period_s - clock.checkpoint_s
    saving = saves * clock.checkpoint_s + max(0.0, time_s - saves * clock.checkpoint_period_s - busy_s)
    return communicating, evaluating, saving


@scalar
def phase_shares(tick: int, origin_tick: int, clock: TrainingClock) -> tuple[float, float, float, float]:
    """Shares of one step in each phase of a running job.

    Parameters
    ----------
    tick, origin_tick
        The step, and the step at which the job last started or restarted.
    clock
        The schedule.

    Returns
    -------
    tuple
        Compute, communication, evaluation and checkpoint shares; they add to 1.
    """
    first = _spent((tick - origin_tick) * clock.step_s, clock)
    last = _spent((tick + 1 - origin_tick) * clock.step_s, clock)
    per_s = 1.0 / clock.step_s
    saving = min(1.0, max(0.0, (last[2] - first[2]) * per_s))
    evaluating = min(1.0 - saving, max(0.0, (last[1] - first[1]) * per_s))
    training = 1.0 - saving - evaluating
    communicating = min(training, max(0.0, (last[0] - first[0]) * per_s))
    return training - communicating, communicating, evaluating, saving


@scalar
def steps_in_phase(tick: int, clock: TrainingClock) -> int:
    """Steps from `tick` on, itself included, that lie wholly in the phase in which it begins.

    Of a job without faults that is yet to come or runs; 0 where the phase changes within the step. A boundary within
    a millionth of a step of the next counts as there.
    """
    if tick < clock.start_tick:
        return clock.start_tick - tick
    time_s = (tick - clock.start_tick) * clock.step_s
    within = time_s - np.floor(time_s * clock.per_evaluation) * clock.evaluation_period_s
    left_s = clock.evaluation_period_s - within
    if within < clock.block_s:
        trained = within + clock.offset_s
        turn = trained - np.floor(trained * clock.per_iteration) * clock.iteration_s
        busy_s = clock.iteration_s - clock.communication_s
        left_s = min(clock.block_s - within, (busy_s if turn < busy_s else clock.iteration_s) - turn)
    since = time_s - np.floor(time_s * clock.per_checkpoint) * clock.checkpoint_period_s
    busy_s = clock.checkpoint_period_s - clock.checkpoint_s
    left_s = min(left_s, (busy_s if since < busy_s else clock.checkpoint_period_s) - since)
    return max(int(left_s / clock.step_s - 1e-6), 0)


@scalar
def training_power_frac(
    compute: float, communication: float, evaluation: float, checkpoint: float, levels: TrainingLevels
) -> float:
    """Mean power of the accelerators over rated in a step with these phase shares, uncapped.

    `compute`, `communication`, `evaluation` and `checkpoint` are the shares of the step in each phase; what is left
    is idle.
    """
    return (
        compute * levels.compute_frac
        + communication * levels.communication_frac
        + evaluation * levels.evaluation_frac
        + checkpoint * levels.checkpoint_frac
    )


@scalar
def work_is_lost(tick: int, origin_tick: int, next_fault_tick: int, clock: TrainingClock) -> bool:
    """Whether the work of this step comes after the last checkpoint before the next fault.

    `tick` counts steps on the job's own clock, `origin_tick` is where its first checkpoint interval begins, and
    `next_fault_tick` is the first fault at or after `tick`.
    """
    if next_fault_tick >= clock.end_tick:
        return False
    kept_s = 0.0
    if clock.checkpoint_s > 0.0:
        elapsed_s = (next_fault_tick - origin_tick) * clock.step_s
        kept_s = math.floor(elapsed_s / clock.checkpoint_period_s) * clock.checkpoint_period_s
    return (tick - origin_tick) * clock.step_s >= kept_s


@scalar
def step_job(
    tick: int,
    fault_index: int,
    faults: NDArray[np.int64],
    clock: TrainingClock,
    levels: TrainingLevels,
) -> tuple[float, float, float, int, int]:
    """One step of a job.

    Parameters
    ----------
    tick
        The step.
    fault_index
        Faults that lie behind, as returned by the step before (0 at first).
    faults
        Ticks of the faults, ascending, shape (n_fault,).
    clock, levels
        Schedule and power levels.

    Returns
    -------
    power_frac
        Mean uncapped power of the accelerators over rated.
    training_share
        Share of the step that makes tokens.
    counted_share
        The part of it that no fault will undo.
    phase
        Index in `PHASES` of the phase that takes most of the step.
    fault_index
        To hand to the next step.
    """
    while fault_index < faults.size and faults[fault_index] <= tick:
        fault_index += 1
    if tick < clock.start_tick or tick >= clock.end_tick:
        return levels.idle_frac, 0.0, 0.0, IDLE, fault_index
    origin = clock.start_tick
    if fault_index > 0:
        origin = max(origin, faults[fault_index - 1] + clock.restart_ticks)
        if tick < origin:
            return levels.restart_frac, 0.0, 0.0, RESTART, fault_index
    compute, communication, evaluation, checkpoint = phase_shares(tick, origin, clock)
    power_frac = training_power_frac(compute, communication, evaluation, checkpoint, levels)
    share = compute + communication
    counted = share
    if fault_index < faults.size and work_is_lost(tick, origin, faults[fault_index], clock):
        counted = 0.0
    phase = TRAIN
    if evaluation > share or checkpoint > share:
        phase = EVALUATE if evaluation >= checkpoint else CHECKPOINT
    return power_frac, share, counted, phase, fault_index


def progress(
    clock: TrainingClock, levels: TrainingLevels, faults: NDArray[np.int64], ticks: int
) -> NDArray[np.float64]:
    """Power over rated, training share and counted share of the first `ticks` steps, shape (3, ticks).

    `faults` are the ticks of the faults on the job's own clock, rising.
    """
    out = np.zeros((3, ticks))
    _progress(out, clock, levels, faults)
    return out


@engine
def _progress(
    out: NDArray[np.float64], clock: TrainingClock, levels: TrainingLevels, faults: NDArray[np.int64]
) -> None:
    index = 0
    for tick in range(out.shape[1]):
        out[0, tick], out[1, tick], out[2, tick], _, index = step_job(tick, index, faults, clock, levels)


def job_mtbf_s(accelerator_mtbf_years: float, accelerators: int) -> float:
    """Mean time between failures of a job that any one accelerator can stop, s."""
    return accelerator_mtbf_years * YEAR_S / max(accelerators, 1)


def fault_ticks(
    rng: np.random.Generator, mtbf_s: float, clock: TrainingClock, most: int = 1_000_000
) -> NDArray[np.int64]:
    """Ticks at which the job fails: exponential gaps of running time, none while it restarts.

    Parameters
    ----------
    rng
        The scenario's generator.
    mtbf_s
        Mean running time between failures of the whole job, s.
    clock
        The schedule; the job is at risk from its start (or restart) to its end.
    most
        Give up beyond this many: the job would do nothing but restart.

    Returns
    -------
    NDArray
        Ascending ticks, at least one tick of running between restart and fault, shape (n_fault,).
    """
    faults: list[int] = []
    tick = clock.start_tick
    while len(faults) < most:
        gap_ticks = max(1, math.ceil(rng.exponential(mtbf_s) / clock.step_s))
        if gap_ticks >= clock.end_tick - tick:
            break
        faults.append(tick + gap_ticks)
        tick += gap_ticks + clock.restart_ticks
    return np.array(faults, dtype=np.int64)


def tokens_per_s(active_params: float, accelerators: int, flops_per_s: float, mfu: float) -> float:
    """Training rate from the FLOPs of the model.

    Parameters
    ----------
    active_params
        Parameters that work on a token (all of them in a dense model).
    accelerators, flops_per_s
        How many, and the peak dense FLOP/s of one in the precision of the job.
    mfu
        Model FLOPs utilisation of that peak.

    Returns
    -------
    float
        Tokens per second while training (evaluations and checkpoints not averaged in).
    """
    return mfu * accelerators * flops_per_s / (FLOPS_PER_PARAM * active_params)


def predicted_mfu(reference: float, reference_accelerators: float, decay: float, accelerators: int) -> float:
    """Utilisation at another size: flat up to the reference, then falling as a power of the size.

    The Llama 3 Herd of Models (arXiv 2407.21783), table 4: 43 % on 8,192 H100 and 41 % on 16,384, thus
    a decay of 0.07. Valid to about 16,384 accelerators.

    `reference` is the utilisation that was measured at `reference_accelerators`, `decay` the exponent and
    `accelerators` the size asked for.
    """
    return float(reference * min(1.0, (max(accelerators, 1) / reference_accelerators) ** -decay))


def job_levels(
    job: JobShape, levels: TrainingLevels, tdp_w: float, communication_share: float = 0.0
) -> TrainingLevels:
    """A device's power levels with what the job itself states.

    A sweep tells only the mean while a job works. With a `communication_share` its two levels lie about that mean as
    the device's own do; without one, both are the mean.

    `tdp_w` is the rated power of one accelerator, of which levels are shares.
    """
    if job.sweep is not None:
        mean = job.sweep.power_w[-1] / tdp_w
        low = levels.communication_frac / levels.compute_frac if communication_share > 0.0 else 1.0
        high = mean / (1.0 - communication_share * (1.0 - low))
        levels = levels._replace(compute_frac=high, communication_frac=high * low)
    own = {"compute_frac": job.compute_power_frac, "communication_frac": job.communication_power_frac}
    return levels._replace(**{key: value for key, value in own.items() if value is not None})


def training_levels(shape: TrainingShape) -> tuple[TrainingLevels, dict[str, float]]:
    """Power levels and utilisation figures of a device class, from its entry."""
    return TrainingLevels(
        *(getattr(shape.levels, key) for key in TrainingLevels._fields)
    ), shape.rate.model_dump()
