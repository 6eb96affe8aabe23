"""What every room's tests share: the folder of measured public data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # a busy machine is no failure; hangs are tested as such
settings.load_profile("house")

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def aidc_data() -> Path:
    """The folder of measured data: `$AIDC_DATA`, else `../shared/data` beside the checkout.

    A folder that was named and is absent fails the test: a typo must not pass for a missing download.
    """
    named = os.environ.get("AIDC_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    if named:
        pytest.fail(f"AIDC_DATA names {named}, which is not a folder")
    pytest.skip(f"needs measured data: set AIDC_DATA (looked in {folder})")


@pytest.fixture(scope="session")
def measured(aidc_data: Path) -> Callable[[str], Path]:
    """A file or folder of the measured data; missing from a folder that `AIDC_DATA` names, it fails the test."""

    def find(name: str) -> Path:
        path = aidc_data / name
        if path.exists():
            return path
        if os.environ.get("AIDC_DATA"):
            pytest.fail(f"AIDC_DATA names {aidc_data}, which has no {name}")
        pytest.skip(f"needs {name} of the measured data")

    return find
