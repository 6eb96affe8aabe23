"""The contract suite: run it on your own controller before a site does.

    from aidc.contract.suite import check_controller
    check_controller(Mine)                      # or check_controller(Mine, {"margin_frac": 0.1})

It plays made-up observations (calm, a grid request, lost, missing and stale measurements) to the class on
a full and on a bare site and raises one `InputError` that lists every clause of the contract that
does not hold. What it cannot see is listed with `Controller`: it must not read the plant or the
scenario's future. Clipping is not a fault, `admit` does it, and says so in the events of a run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
from pydantic import BaseModel, ValidationError

from aidc.contract.controller import Controller
from aidc.contract.messages import Command, Observation, SiteView
from aidc.contract.point import Knob, Point
from aidc.contract.samples import bare_site, blind, busy_site, missing, observations, stale
from aidc.errors import InputError, Problem

__all__ = ["check_controller", "controller_faults"]

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
_AGES_S = (30.0, 7200.0)  # a value that came late, and one of hours ago
_UNKNOWN = "an_option_that_nobody_has"


class _Broken(Exception):  # noqa: N818  a clause, not an error of ours
    """One clause that does not hold: what, and what to do."""


def check_controller(kind: type[Controller], options: Mapping[str, Any] | None = None) -> None:
    """Hold a controller class against the contract.

    Parameters
    ----------
    kind
        The class; it must be constructible without arguments, as a site constructs it.
    options
        As in `[control.options]`; default none.

    Raises
    ------
    InputError
        Every clause that does not hold, each with what was seen and the remedy.
    """
    faults = controller_faults(kind, options)
    if faults:
        raise InputError(faults)


def controller_faults(
    kind: type[Controller], options: Mapping[str, Any] | None = None
) -> tuple[Problem, ...]:
    """The clauses that a controller class breaks; empty if it keeps the contract."""
    name = getattr(kind, "__name__", repr(kind))
    found = _shape_faults(kind, options or {})
    if not found:
        settings = kind.Options.model_validate(dict(options or {}))
        found = [
            (clause, text)
            for clause, check in _CHECKS.items()
            for site in (busy_site(), bare_site())
            if (text := _outcome(check, kind, settings, site))
        ]
    return tuple(
        Problem(what, remedy or "See aidc.Controller.", name, clause)
        for clause, text in dict.fromkeys(found)
        for what, _, remedy in [text.partition(" → ")]
    )


def _shape_faults(kind: Any, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What must hold before anything can be played."""
    if not (isinstance(kind, type) and issubclass(kind, Controller)):
        return [("class", "is not a Controller → Subclass aidc.Controller.")]
    left = sorted(getattr(kind, "__abstractmethods__", ()))
    if left:
        return [("class", f"lacks {', '.join(left)} → Define it.")]
    shape: Any = kind.Options
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return [("Options", "is not a pydantic model → Make it one; without options, leave it out.")]
    found: list[tuple[str, str]] = []
    try:
        shape.model_validate(dict(options))
    except ValidationError as error:
        text = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        found.append(
            ("Options", f"does not take {dict(options)!r}: {text} → Give defaults, or pass options.")
        )
    else:
        try:
            shape.model_validate({**options, _UNKNOWN: 1})
            found.append(("Options", 'takes unknown keys, so that a typo passes → Set extra="forbid".'))
        except ValidationError:
            pass
    try:
        period = float(kind().period_s)
    except Exception as error:  # noqa: BLE001  whatever a constructor raises
        return [*found, ("class", f"cannot be made without arguments: {error!r} → Use reset for set-up.")]
    if not 0.0 < period < float("inf"):
        found.append(("period_s", f"is {period} → Give a positive number of seconds."))
    return found


Check = Callable[[type[Controller], BaseModel, SiteView], None]


def _outcome(check: Check, kind: type[Controller], options: BaseModel, site: SiteView) -> str:
    try:
        check(kind, options, site)
    except _Broken as broken:
        return str(broken)
    except Exception as error:  # noqa: BLE001  whatever a controller raises is its fault
        return f"raises {type(error).__name__}: {error} (site {site.name!r}) → Handle this observation."
    return ""


# ---- the clauses -----------------------------------------------------------------------------


def _commands_are_legal(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    controller = _fresh(kind, options, site)
    for observation in _played(controller, site):
        _legal(controller.decide(observation), site)


def _missing_points_are_borne(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    for point in (None, *Point):
        controller = _fresh(kind, options, site)
        for observation in _played(controller, site):
            seen = blind(site, observation.tick) if point is None else missing(observation, point)
            _legal(controller.decide(seen), site)


def _stale_values_are_borne(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    for point, age_s in product(Point, _AGES_S):
        controller = _fresh(kind, options, site)
        for observation in _played(controller, site):
            _legal(controller.decide(stale(observation, point, age_s)), site)


def _nothing_is_changed(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    before = _fingerprint(site)
    controller = _fresh(kind, options, site)
    for observation in _played(controller, site):
        seen = _fingerprint(observation)
        controller.decide(observation)
        if _fingerprint(observation) != seen:
            raise _Broken("decide changed the observation → Copy what you want to change.")
        if _fingerprint(site) != before:
            raise _Broken("the site view was changed → Copy what you want to change.")


def _commands_stay_as_returned(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    controller = _fresh(kind, options, site)
    returned: list[tuple[Command, str]] = []
    for observation in _played(controller, site):
        returned += [(command, _fingerprint(command)) for command in controller.decide(observation)]
    if any(_fingerprint(command) != seen for command, seen in returned):
        raise _Broken("a command changed after it was returned → Return a new array each time.")


def _reset_forgets(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    controller = _fresh(kind, options, site)
    first = _decisions(controller, site)
    _decisions(controller, site, seed=8)
    controller.reset(site, options, np.random.default_rng(1))
    if _decisions(controller, site) != first:
        raise _Broken("decides otherwise after a reset → Set all state in reset, draw only from its rng.")
    if _decisions(_fresh(kind, options, site), site) != first:
        raise _Broken("another instance decides otherwise → Set all state in reset, draw only from its rng.")


def _instances_are_apart(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    alone = _decisions(_fresh(kind, options, site), site)
    one, other = _fresh(kind, options, site), _fresh(kind, options, site)
    together: list[str] = []
    for mine, theirs in zip(_played(one, site), _played(other, site, seed=8), strict=True):
        other.decide(theirs)
        together += [_fingerprint(command) for command in one.decide(mine)]
    if together != alone:
        raise _Broken("two instances disturb each other → Keep state on self, not on the class.")


def _clock_is_not_read(kind: type[Controller], options: BaseModel, site: SiteView) -> None:
    controller = _fresh(kind, options, site)
    for observation in _played(controller, site):
        with _watched() as read:
            controller.decide(observation)
        if read:
            raise _Broken(f"decide read the wall clock (time.{read[0]}) → Use observation.tick.")


_CHECKS: dict[str, Check] = {
    "decide": _commands_are_legal,
    "missing points": _missing_points_are_borne,
    "stale values": _stale_values_are_borne,
    "observation": _nothing_is_changed,
    "commands": _commands_stay_as_returned,
    "reset": _reset_forgets,
    "instances": _instances_are_apart,
    "clock": _clock_is_not_read,
}


# ---- how they are played ---------------------------------------------------------------------


def _fresh(kind: type[Controller], options: BaseModel, site: SiteView) -> Controller:
    controller = kind()
    controller.reset(site, options, np.random.default_rng(1))
    return controller


def _played(controller: Controller, site: SiteView, seed: int = 7) -> Iterator[Observation]:
    return observations(site, float(controller.period_s), seed)


def _decisions(controller: Controller, site: SiteView, seed: int = 7) -> list[str]:
    return [
        _fingerprint(command)
        for observation in _played(controller, site, seed)
        for command in controller.decide(observation)
    ]


def _legal(commands: Any, site: SiteView) -> None:
    """What `admit` refuses, and what it would trip over."""
    if isinstance(commands, (Command, str)) or not isinstance(commands, Sequence):
        raise _Broken(f"decide returned a {type(commands).__name__} → Return a list of Commands, or [].")
    knobs: list[Knob] = []
    for command in commands:  # a class from elsewhere returns what it likes, whatever it declares
        knob: Any = getattr(command, "knob", None)
        if not isinstance(command, Command) or not isinstance(knob, Knob):
            raise _Broken(f"decide returned {command!r} → Return Commands for members of Knob.")
        _legal_value(command, len(site.rows(command.knob)))
        knobs.append(command.knob)
    if len(set(knobs)) < len(knobs):
        raise _Broken("two commands for one knob in one decision → Merge them into one.")


def _legal_value(command: Command, rows: int) -> None:
    value: Any = command.value
    reason: Any = command.reason
    name = command.knob.value
    if not isinstance(value, np.ndarray) or value.dtype != np.float64:
        raise _Broken(f"{name}: the value is no float64 array → Use numpy.array(…, dtype=float).")
    if value.shape != (rows,):
        raise _Broken(
            f"{name}: shape {value.shape} where {(rows,)} belongs → One value per row; NaN = leave alone."
        )
    if np.isinf(value).any():
        raise _Broken(f"{name}: an infinite value → Use NaN to leave a row alone.")
    valid_s: Any = command.valid_s
    if isinstance(valid_s, bool) or not isinstance(valid_s, (int, float)) or not 0 < valid_s < float("inf"):
        raise _Broken(f"{name}: valid_s is {valid_s!r} → Say for how many seconds it holds.")
    if not isinstance(reason, str):
        raise _Broken(f"{name}: reason is {reason!r} → Give text, or ''.")


def _fingerprint(node: Any) -> str:
    """A text that changes with any value inside messages, mappings, sequences and arrays."""
    if isinstance(node, np.ndarray):
        return f"{node.dtype}{node.shape}{node.tobytes().hex()}"
    if isinstance(node, Mapping):
        return _listed(f"{key}={_fingerprint(value)}" for key, value in node.items())
    if isinstance(node, (list, tuple)):
        return _listed(_fingerprint(item) for item in node)
    if hasattr(node, "__dataclass_fields__"):
        return _listed(_fingerprint(getattr(node, field.name)) for field in fields(node))
    return repr(node)


def _listed(parts: Iterable[str]) -> str:
    return f"[{', '.join(parts)}]"


@contextmanager
def _watched() -> Generator[list[str]]:
    """Note which clocks of `time` are read meanwhile."""
    read: list[str] = []

    def noting(name: str, clock: Callable[[], float]) -> Callable[[], float]:
        def noted() -> float:
            read.append(name)
            return clock()

        return noted

    patches = [patch.object(time, name, noting(name, getattr(time, name))) for name in _CLOCKS]
    for one in patches:
        one.start()
    try:
        yield read
    finally:
        for one in reversed(patches):
            one.stop()
