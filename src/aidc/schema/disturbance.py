"""What happens to a site within milliseconds to minutes: the events of the transient engine.

Times are seconds from the start of the window. An event file is TOML: `[[events]]` tables of these
shapes, and optionally `duration_s` and `step_ms` of the window at the top.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Name, NonNegative, Positive, Shape

__all__ = [
    "Disturbance",
    "EventFile",
    "FrequencyRamp",
    "FrequencyStep",
    "FrequencyTrace",
    "Islanding",
    "JobAbort",
    "JobStart",
    "LoadStep",
    "PumpLoss",
    "Sag",
    "Swell",
]

FaultKind = Literal["3ph", "lg", "ll", "llg"]
_Second = Annotated[float, Field(ge=0, le=864_000)]


class _Event(Shape):
    start_s: _Second
    name: str = ""


class Sag(_Event):
    """A fault on the grid: the faulted phases fall to `residual_pu` at the point of interconnection.

    The residual is that of the unloaded grid; it defines the fault impedance Zs·r/(1-r) behind the source
    impedance (voltage divider, M. H. J. Bollen, Understanding Power Quality Problems, IEEE Press 2000,
    section 4.2). After `duration_s` the voltage returns at once, or over `recovery_s`. `repeat` sags
    follow each other every `every_s`.
    """

    use: Literal["sag"]
    residual_pu: Annotated[float, Field(ge=0, le=1)]
    duration_s: Annotated[float, Field(gt=0, le=3600)]
    fault: FaultKind = "3ph"
    phase_jump_deg: Annotated[float, Field(ge=-90, le=90)] = 0.0
    recovery_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    repeat: Annotated[int, Field(ge=1, le=100)] = 1
    every_s: Positive | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.repeat > 1 and (self.every_s is None or self.every_s <= self.duration_s + self.recovery_s):
            raise ValueError("sags overlap; give every_s longer than duration_s and recovery_s together")
        return self


class Swell(_Event):
    """The grid's voltage rises to `voltage_pu` on all phases."""

    use: Literal["swell"]
    voltage_pu: Annotated[float, Field(ge=1, le=2)]
    duration_s: Annotated[float, Field(gt=0, le=3600)]


class FrequencyStep(_Event):
    """Frequency changes by `change_hz` at once and stays for `duration_s`, or to the end."""

    use: Literal["frequency-step"]
    change_hz: Annotated[float, Field(ge=-5, le=5)]
    duration_s: Positive | None = None


class FrequencyRamp(_Event):
    """Frequency moves by `change_hz` at `rocof_hz_per_s`, holds for `hold_s` and returns at the same rate."""

    use: Literal["frequency-ramp"]
    change_hz: Annotated[float, Field(ge=-5, le=5)]
    rocof_hz_per_s: Annotated[float, Field(gt=0, le=100)]
    hold_s: Positive | None = None


class FrequencyTrace(_Event):
    """A recorded frequency (and voltage) from a CSV file relative to the event file, or of a dataset.

    Columns `time_s` and `frequency_hz` or `frequency_pu`; `voltage_pu` where present.
    """

    use: Literal["frequency-trace"]
    file: str | None = None
    dataset: str | None = None
    from_s: NonNegative = 0.0

    @model_validator(mode="after")
    def _names_a_source(self) -> Self:
        if self.file is None and self.dataset is None:
            raise ValueError("names no source; give file, or dataset with file")
        return self


class Islanding(_Event):
    """The grid connection opens for `duration_s` (default: to the end of the window)."""

    use: Literal["islanding"]
    duration_s: Positive | None = None


class PumpLoss(_Event):
    """The pumps of a cooling plant stop; the racks that it serves warm up and throttle."""

    use: Literal["pump-loss"]
    plant: Name
    duration_s: Positive | None = None


class LoadStep(_Event):
    """The load of pods (all where none is named) is multiplied by `load_frac` for a while."""

    use: Literal["load-step"]
    load_frac: Annotated[float, Field(ge=0, le=2)]
    pods: tuple[Name, ...] = ()
    duration_s: Positive | None = None


class JobStart(_Event):
    """A training job that was idle starts; its pods ramp from idle to work."""

    use: Literal["job-start"]
    job: Name


class JobAbort(_Event):
    """A training job is aborted: its pods fall to idle at once; it restarts after `restart_s` if given."""

    use: Literal["job-abort"]
    job: Name
    restart_s: Positive | None = None


Disturbance = Annotated[
    Sag
    | Swell
    | FrequencyStep
    | FrequencyRamp
    | FrequencyTrace
    | Islanding
    | PumpLoss
    | LoadStep
    | JobStart
    | JobAbort,
    Field(discriminator="use"),
]


class EventFile(Shape):
    """A file of events with the window that they fall into."""

    title: str = ""
    duration_s: Annotated[float, Field(gt=0, le=864_000)] | None = None
    step_ms: Annotated[float, Field(ge=0.1, le=10)] | None = None
    events: Annotated[tuple[Disturbance, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _inside_the_window(self) -> Self:
        if self.duration_s is not None:
            for event in self.events:
                if event.start_s >= self.duration_s:
                    raise ValueError(
                        f"{event.use} at {event.start_s:g} s lies outside the window of {self.duration_s:g} s; "
                        "move it, or make duration_s longer"
                    )
        return self
