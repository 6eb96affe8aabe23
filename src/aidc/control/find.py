"""Finding a controller: a shipped one by name, `file.py:Class` beside the site, or `package.module:Class`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from aidc.clock import as_fraction
from aidc.contract import Controller
from aidc.control.demand_response import DemandResponse
from aidc.control.peak_shaving import PeakShaving
from aidc.control.schedule import Schedule
from aidc.control.thresholds import CarbonThreshold, PriceThreshold
from aidc.errors import InputError, Problem
from aidc.schema.site import Site
from aidc.site.secrets import MASK, is_secret_name, masked, masked_paths

__all__ = ["controller_of", "options_of", "refuse_code", "shipped", "shipped_options"]

_SHIPPED: dict[str, type[Controller]] = {
    "demand-response": DemandResponse,
    "schedule": Schedule,
    "peak-shaving": PeakShaving,
    "price-threshold": PriceThreshold,
    "carbon-threshold": CarbonThreshold,
}


def shipped() -> list[str]:
    """Names for `control.use`, beside `none` and your own."""
    return ["none", *sorted(_SHIPPED)]


def refuse_code(site: Site, *, own_code: bool = True) -> None:
    """Refuse what would run code that is not wanted, or cannot run, before anything is computed.

    Nothing is imported here: a name alone tells whether it is shipped.

    Raises
    ------
    InputError
        `control.use` names code while `own_code` is false, or an option was masked when its run was written.
    """
    use = site.control.use
    if use != "none" and use not in _SHIPPED and not own_code:
        what = "names code of its own, which was not to be run"
        raise _refused(
            use, what, f"Leave --no-code out if you trust it, or use one of: {', '.join(shipped())}."
        )
    problems = [
        Problem(
            "was masked when the run was written",
            f"Give it again: --set control.options.{key}=…",
            site.file,
            f"control.options.{key}",
        )
        for key in masked_paths(site.control.options)
        if use != "none"
    ]
    if problems:
        raise InputError(problems)


def controller_of(site: Site) -> tuple[Controller | None, BaseModel | None]:
    """The site's controller with its validated options; None where nobody decides.

    Raises
    ------
    InputError
        The controller cannot be found or loaded, or its options are not what it takes.
    """
    use = site.control.use
    if use == "none":
        return None, None
    kind = _SHIPPED.get(use) or _own(use, site.folder)
    options = _beside(options_of(kind, site.control.options), site.folder)
    try:
        controller = kind()
    except Exception as error:  # a user's constructor may raise anything
        what = f"cannot be made: {type(error).__name__}: {error}"
        raise _refused(use, what, "A controller takes no arguments; set it up in reset.") from error
    controller.period_s = Fraction(as_fraction(site.control.period_s))
    return controller, options


def shipped_options(site: Site) -> BaseModel | None:
    """The options of a shipped controller that a site names, their files where they stand; None where it names none."""
    kind = _SHIPPED.get(site.control.use)
    return None if kind is None else _beside(options_of(kind, site.control.options), site.folder)


def options_of(kind: type[Controller], values: Mapping[str, Any]) -> BaseModel:
    """The validated options of a controller class.

    Raises
    ------
    InputError
        They are not what it takes.
    """
    shape: Any = kind.Options
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        what, remedy = "Options is not a pydantic model", "Make it one; without options, leave it out."
        raise InputError(Problem(what, remedy, key=f"{kind.__name__}.Options", value=shape))
    try:
        return shape.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(
            [
                Problem(
                    str(one["msg"]),
                    f"Known options: {', '.join(kind.Options.model_fields) or 'none'}.",
                    key=".".join(("control.options", *map(str, one["loc"]))),
                    value=_shown(one["loc"], one.get("input")),
                )
                for one in error.errors()
            ]
        ) from error


def _beside(options: BaseModel, folder: Path) -> BaseModel:
    """Options with their files where the site file stands."""
    files = {
        name: value
        for name in type(options).model_fields
        if isinstance(value := getattr(options, name), Path)
    }
    return options.model_copy(update={name: folder / path.expanduser() for name, path in files.items()})


def _shown(place: tuple[int | str, ...], value: Any) -> Any:
    """A refused value, masked where its key tells that it may be secret."""
    secret = any(is_secret_name(str(part)) for part in place)
    return MASK if secret else masked(value, str(place[-1]) if place else "")


def _own(use: str, folder: Path) -> type[Controller]:
    place, colon, name = use.rpartition(":")
    if not colon:
        close = get_close_matches(use, shipped(), n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Shipped: {', '.join(shipped())}."
        raise _refused(use, "no shipped controller of this name", f"{hint} Your own: file.py:Class.")
    try:
        module = _from_file(folder / place) if place.endswith(".py") else importlib.import_module(place)
    except Exception as error:  # a user's module may raise anything while it is imported
        raise _refused(
            use, f"cannot be imported: {type(error).__name__}: {error}", "Correct the module."
        ) from error
    kind: Any = getattr(module, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Controller)):
        raise _refused(use, f"has no class {name!r} that is a Controller", "Subclass aidc.Controller.")
    return kind


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"aidc_user_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _refused(use: str, what: str, remedy: str) -> InputError:
    return InputError(Problem(what, remedy, key="control.use", value=use))
