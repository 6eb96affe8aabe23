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
from aidc.errors import InputError, Problem
from aidc.schema.site import Site

__all__ = ["controller_of", "options_of", "shipped"]

_SHIPPED: dict[str, type[Controller]] = {"demand-response": DemandResponse}


def shipped() -> list[str]:
    """Names for `control.use`, beside `none` and your own."""
    return ["none", *sorted(_SHIPPED)]


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
    options = options_of(kind, site.control.options)
    try:
        controller = kind()
    except Exception as error:  # a user's constructor may raise anything
        what = f"cannot be made: {type(error).__name__}: {error}"
        raise _refused(use, what, "A controller takes no arguments; set it up in reset.") from error
    controller.period_s = Fraction(as_fraction(site.control.period_s))
    return controller, options


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
                    value=one.get("input"),
                )
                for one in error.errors()
            ]
        ) from error


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
            use, f"cannot be imported: {type(error).__name__}: {error}", "Mend the module."
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
