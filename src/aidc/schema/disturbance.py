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
    """From the start of the window."""
    name: str = ""
    """What the event is called in the record."""


class Sag(_Event):
    """A fault on the grid: the faulted phases fall to `residual_pu` at the point of interconnection.

    The residual is that of the unloaded grid; it defines the fault impedance Zs·r/(1-r) behind the source
    impedance (voltage divider, M. H. J. Bollen, Understanding Power Quality Problems, IEEE Press 2000,
    section 4.2). After `duration_s` the voltage returns at once, or over `recovery_s`. `repeat` sags
    follow each other every `every_s`.
    """

    use: Literal["sag"]
    residual_pu: Annotated[float, Field(ge=0, le=1)]
    """Voltage of the faulted phases at the point of interconnection, on the unloaded grid."""
    duration_s: Annotated[float, Field(gt=0, le=3600)]
    """From inception until clearing."""
    fault: FaultKind = "3ph"
    """Phases: three, one to ground, two, or two to ground."""
    phase_jump_deg: Annotated[float, Field(ge=-90, le=90)] = 0.0
    """Jump of the voltage's angle during the fault."""
    recovery_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """Linear return of the voltage; 0: at once."""
    repeat: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of sags."""
    every_s: Positive | None = None
    """From one sag to the next."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.repeat > 1 and (self.every_s is None or self.every_s <= self.duration_s + self.recovery_s):
            raise ValueError("sags overlap; give every_s longer than duration_s and recovery_s together")
        return self


class Swell(_Event):
    """The grid's voltage rises to `voltage_pu` on all phases."""

    use: Literal["swell"]
    voltage_pu: Annotated[float, Field(ge=1, le=2)]
    """Voltage of all phases."""
    duration_s: Annotated[float, Field(gt=0, le=3600)]
    """How long it lasts."""


class FrequencyStep(_Event):
    """Frequency changes by `change_hz` at once and stays for `duration_s`, or to the end."""

    use: Literal["frequency-step"]
    change_hz: Annotated[float, Field(ge=-5, le=5)]
    """Change of frequency."""
    duration_s: Positive | None = None
    """How long it lasts. Default: to the end."""


class FrequencyRamp(_Event):
    """Frequency moves by `change_hz` at `rocof_hz_per_s`, holds for `hold_s` and returns at the same rate."""

    use: Literal["frequency-ramp"]
    change_hz: Annotated[float, Field(ge=-5, le=5)]
    """Change of frequency."""
    rocof_hz_per_s: Annotated[float, Field(gt=0, le=100)]
    """Rate of the change, and of the return."""
    hold_s: Positive | None = None
    """How long it holds. Default: to the end."""


class FrequencyTrace(_Event):
    """A recorded frequency (and voltage) from a CSV file relative to the event file, or of a dataset.

    Columns `time_s` and `frequency_hz` or `frequency_pu`; `voltage_pu` where present.
    """

    use: Literal["frequency-trace"]
    file: str | None = None
    """Path relative to the event file, or inside the dataset."""
    dataset: str | None = None
    """A named dataset (`aidc data list`)."""
    from_s: NonNegative = 0.0
    """First instant of the recording that is used."""

    @model_validator(mode="after")
    def _names_a_source(self) -> Self:
        if self.file is None and self.dataset is None:
            raise ValueError("names no source; give file, or dataset with file")
        return self


class Islanding(_Event):
    """The grid connection opens for `duration_s` (default: to the end of the window)."""

    use: Literal["islanding"]
    duration_s: Positive | None = None
    """How long the connection is open. Default: to the end."""


class PumpLoss(_Event):
    """The pumps of a cooling plant stop; the racks that it serves warm up and throttle."""

    use: Literal["pump-loss"]
    plant: Name
    """Name of the plant in [cooling]."""
    duration_s: Positive | None = None
    """How long the pumps stand. Default: to the end."""


class LoadStep(_Event):
    """The load of pods (all where none is named) is multiplied by `load_frac` for a while."""

    use: Literal["load-step"]
    load_frac: Annotated[float, Field(ge=0, le=2)]
    """Factor of the load."""
    pods: tuple[Name, ...] = ()
    """Names of pods; empty: all."""
    duration_s: Positive | None = None
    """How long it lasts. Default: to the end."""


class JobStart(_Event):
    """A training job that was idle starts; its pods ramp from idle to work."""

    use: Literal["job-start"]
    job: Name
    """Name of the job in [jobs]."""


class JobAbort(_Event):
    """A training job is aborted: its pods fall to idle at once; it restarts after `restart_s` if given."""

    use: Literal["job-abort"]
    job: Name
    """Name of the job in [jobs]."""
    restart_s: Positive | None = None
    """From the abort until it starts again. Default: it does not."""


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
    """What the file is called in verdicts."""
    duration_s: Annotated[float, Field(gt=0, le=864_000)] | None = None
    """Length of the window."""
    step_ms: Annotated[float, Field(ge=0.1, le=10)] | None = None
    """Step of the transient engine."""
    events: Annotated[tuple[Disturbance, ...], Field(min_length=1, max_length=1000)]
    """What happens."""

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
