"""`[jobs.NAME]`: a training job of one model on whole pods, with its schedule of checkpoints and so on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from aidc.schema.base import Frac, Name, NonNegative, Positive, Shape
from aidc.schema.flexibility import Flexible, FlexTier

__all__ = ["CheckpointShape", "EvaluationShape", "FaultShape", "JobShape"]


def _fits(duration_s: float, period_min: float) -> None:
    if duration_s >= 60 * period_min:
        raise ValueError("lasts as long as its period; make duration_s shorter than period_min")


class CheckpointShape(Shape):
    """Saving the state: training stops for `duration_s` at the end of every `period_min`.

    Both defaults are estimates without a checked source: large runs save every 15 to 30 min, and the
    training that this blocks lasts from a few seconds (asynchronous) to minutes (synchronous).
    """

    period_min: Positive = 30.0
    duration_s: NonNegative = 30.0

    @model_validator(mode="after")
    def _fits(self) -> CheckpointShape:
        _fits(self.duration_s, self.period_min)
        return self


class EvaluationShape(Shape):
    """Validation passes: forward only, `duration_s` at the end of every `period_min` (from one to the next).

    There is no default schedule; MLPerf GPT-3 175B on 512 H100 evaluates for 13 s every 142 s.
    """

    period_min: Positive
    duration_s: Positive

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
    restart_min: NonNegative = 10.0


class JobShape(Flexible):
    """A training job. `use` names the model; it takes its pods whole from `start` until it is finished.

    It ends at `end`, after `duration_h`, or once it has trained on `total_tokens`, whichever is first;
    with none of them it runs to the end of the scenario. `faults` are off unless the table is written.
    """

    use: Name
    pods: Annotated[list[Name], Field(min_length=1)]
    start: AwareDatetime
    end: AwareDatetime | None = None
    duration_h: Positive | None = None
    total_tokens: Positive | None = None
    precision: Literal["bf16", "fp16", "fp8"] = "bf16"
    flex_tier: FlexTier = 2
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
    checkpoint: CheckpointShape | None = CheckpointShape()
    evaluation: EvaluationShape | None = None
    faults: FaultShape | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> JobShape:
        if self.end is not None and self.duration_h is not None:
            raise ValueError("has both end and duration_h; keep one of them")
        if self.end is not None and self.end <= self.start:
            raise ValueError("ends before it starts; put end after start")
        if len(set(self.pods)) != len(self.pods):
            raise ValueError("names a pod twice; list each pod once")
        return self
