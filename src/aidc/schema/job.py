"""`[jobs.NAME]`: a training job of one model on whole pods, with its schedule of checkpoints and so on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from aidc.schema.base import Frac, Name, NonNegative, Positive, Shape
from aidc.schema.flexibility import Flexible, FlexTier
from aidc.schema.sweep import SweepShape

__all__ = ["CheckpointShape", "EvaluationShape", "FaultShape", "JobShape", "WidthShape"]


def _fits(duration_s: float, period_min: float) -> None:
    if duration_s >= 60 * period_min:
        raise ValueError("lasts as long as its period; make duration_s shorter than period_min")


class CheckpointShape(Shape):
    """Saving the state: training stops for `duration_s` at the end of every `period_min`.

    Both defaults are estimates without a checked source: large runs save every 15 to 30 min, and the
    training that this blocks lasts from a few seconds (asynchronous) to minutes (synchronous).
    """

    period_min: Positive = 30.0
    """From the end of one checkpoint to the end of the next (estimate, no checked source)."""
    duration_s: NonNegative = 30.0
    """How long training stops (estimate, no checked source)."""

    @model_validator(mode="after")
    def _fits(self) -> CheckpointShape:
        _fits(self.duration_s, self.period_min)
        return self


class EvaluationShape(Shape):
    """Validation passes: forward only, `duration_s` at the end of every `period_min` (from one to the next).

    There is no default schedule; MLPerf GPT-3 175B on 512 H100 evaluates for 13 s every 142 s.
    """

    period_min: Positive
    """From one validation pass to the next."""
    duration_s: Positive
    """How long a pass lasts."""

    @model_validator(mode="after")
    def _fits(self) -> EvaluationShape:
        _fits(self.duration_s, self.period_min)
        return self


class FaultShape(Shape):
    """Failures that stop the whole job: exponential gaps, work since the last checkpoint lost, a restart.

    Default 5.8 accelerator-years between failures: 419 unexpected interruptions of 16,384 H100 in 54 days
    (The Llama 3 Herd of Models, section 3.3.4, arXiv 2407.21783). The restart time is an estimate without
    a checked source. The times come from the scenario's seed.
    """

    accelerator_mtbf_years: Positive = 5.8
    """Accelerator-years between failures that stop the job (Llama 3 report, arXiv 2407.21783)."""
    restart_min: NonNegative = 10.0
    """From a failure until training goes on (estimate, no checked source)."""


class WidthShape(Shape):
    """Elastic width: the job can work on `min` accelerators or more of its own, in multiples of `step`, or on all.

    The accelerators that it works on are the first ones of its pods, in the order of `pods`; the others idle. A change
    costs `stop_s` (the state is saved; nothing where it saves none: `checkpoint.duration_s = 0`), `restart_s` (processes start) and
    `loading_s`, in which the accelerators draw `loading_power_frac` of their rated power. Tokens are proportional to
    the width. The three times and the default power, that of the device's restarts, are estimates without a checked
    source: one record of jobs on 24 to 48 A100 shows stops of 1 to 2 min and starts of 3 to 7 min at 80 to 110 W each
    (arXiv 2507.00909, data of 1 May).
    """

    min: Annotated[int, Field(ge=0, le=1_000_000)]
    """Fewest accelerators that it can work on; 0: it can be stopped."""
    step: Annotated[int, Field(ge=1, le=1_000_000)] = 8
    """Widths are multiples of it."""
    stop_s: NonNegative = 90.0
    """Saving the state before a change."""
    restart_s: NonNegative = 60.0
    """From the stop until processes run again."""
    loading_s: NonNegative = 240.0
    """Loading the state before work goes on."""
    loading_power_frac: Frac | None = None
    """Power of the accelerators while loading, over rated. Default: that of the device's restarts."""


class JobShape(Flexible):
    """A training job. `use` names the model; it takes its pods whole from `start` until it is finished.

    Instead of a model, `sweep` may say what the work draws and does under each power limit; then `tokens_per_s` is
    what it does without one, because a sweep tells how much slower, not how much.

    It ends at `end`, after `duration_h`, or once it has trained on `total_tokens`, whichever is first;
    with none of them it runs to the end of the scenario. `faults` are off unless the table is written.
    """

    use: Name | None = None
    """Model of the catalogue that is trained (`aidc catalogue llm`)."""
    sweep: SweepShape | None = None
    """Measured power and rate under power limits, in place of a model."""
    pods: Annotated[list[Name], Field(min_length=1)]
    """Names of the pods that it takes whole."""
    start: AwareDatetime
    """When it starts, with its zone."""
    end: AwareDatetime | None = None
    """When it ends at the latest."""
    duration_h: Positive | None = None
    """How long it lasts at the most."""
    total_tokens: Positive | None = None
    """It ends once it has trained on these."""
    deadline: AwareDatetime | None = Field(
        default=None, description="By then `total_tokens` are to be done; work may be put off until then."
    )
    precision: Literal["bf16", "fp16", "fp8"] = "bf16"
    """Precision of the arithmetic."""
    flex_tier: FlexTier = 2
    """How far it may be slowed down: 0 not at all, 1 by 10 %, 2 by 25 %, 3 by 50 %, over `flex_window`."""
    tokens_per_s: Positive | None = Field(
        default=None, description="Uncapped rate of the whole job while it trains; predicted if absent."
    )
    iteration_s: Positive = Field(
        default=10.8, description="One optimiser step; 10.77 s in MLPerf GPT-3 175B on 512 H100."
    )
    communication_frac: Frac | None = Field(
        default=None, description="Share of an iteration at the low power level; the device's own if absent."
    )
    compute_power_frac: Frac | None = Field(
        default=None, description="Accelerator power over rated while computing; the device's own if absent."
    )
    communication_power_frac: Frac | None = Field(
        default=None,
        description=(
            "The same while communicating. Measured levels come from samples of 2 s, which average deeper "
            "and shorter dips out: state what your own job does, where you know it."
        ),
    )
    edge_ms: NonNegative = Field(
        default=20.0,
        description="Time constant of the power's edges within an iteration (estimate, no checked source).",
    )
    width: WidthShape | None = None
    """Elastic width. Default: it works on all accelerators or none."""
    checkpoint: CheckpointShape | None = CheckpointShape()
    """When the state is saved."""
    evaluation: EvaluationShape | None = None
    """When validation passes are made. Default: none."""
    faults: FaultShape | None = None
    """Failures that stop the job. Default: none."""

    @model_validator(mode="after")
    def _one_kind_of_work(self) -> JobShape:
        if (self.use is None) == (self.sweep is None):
            raise ValueError("needs a model or a measured sweep. Give `use` or `sweep`, one of them")
        if self.sweep is not None and self.tokens_per_s is None:
            raise ValueError(
                "has a sweep, which tells how much slower the work gets and not how much it does."
                " Give tokens_per_s, the rate of the whole job without a limit"
            )
        return self

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> JobShape:
        if self.end is not None and self.duration_h is not None:
            raise ValueError("has both end and duration_h; keep one of them")
        if self.end is not None and self.end <= self.start:
            raise ValueError("ends before it starts; put end after start")
        if self.deadline is not None and self.total_tokens is None:
            raise ValueError("has a deadline and nothing that is due by then. Give total_tokens as well")
        if self.deadline is not None and self.deadline <= self.start:
            raise ValueError("is due before it starts; put deadline after start")
        if len(set(self.pods)) != len(self.pods):
            raise ValueError("names a pod twice; list each pod once")
        return self
