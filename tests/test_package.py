"""What is built is what runs: a wheel in a folder of its own, outside the checkout and without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

import aidc

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory):
    """Run the command from the unpacked wheel: nothing of the checkout is on its path."""
    target = tmp_path_factory.mktemp("target")
    (wheel,) = built.glob("*.whl")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        "--target",
        target,
        wheel,
    ]
    subprocess.run(install, check=True, capture_output=True)
    place = tmp_path_factory.mktemp("elsewhere")
    env = {**os.environ, "PYTHONPATH": str(target)}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, *words]
        return subprocess.run(whole, cwd=place, env=env, capture_output=True, text=True, check=False)

    where = call("-c", "import aidc; print(aidc.__file__)")
    assert where.stdout.startswith(str(target))
    return call


def test_one_version(built: Path) -> None:
    """pyproject.toml has it; the wheel, `aidc.__version__` and `--version` show it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert aidc.__version__ == version
    assert {path.name for path in built.iterdir()} == {
        f"aidc-{version}-py3-none-any.whl",
        f"aidc-{version}.tar.gz",
    }


def test_the_wheel_runs_away_from_the_checkout(installed) -> None:
    assert installed("-m", "aidc", "new", "mine").returncode == 0
    ran = installed("-m", "aidc", "run", "mine/site.toml", "--days", "0.01", "--out", "run", "--json")
    assert ran.returncode == 0, ran.stderr
    checked = installed(
        "-m", "aidc", "check", "mine/site.toml", "--duration", "2", "--no-suggest", "--code", "itic"
    )
    assert checked.returncode in (0, 1, 3), checked.stderr


def test_the_source_holds_what_its_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "LICENSE", "README.md", "tests/test_package.py", "src/aidc/py.typed"} <= names
    assert not any(name.startswith((".venv", "build/", "runs/", "dist/")) for name in names)


def test_the_controller_of_the_readme_runs(tmp_path) -> None:
    """Half the power while energy is dear: dear is the whole of a run at 100 USD/MWh."""
    (code,) = re.findall(r"```python\n(# mine\.py.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 11
    names: dict[str, type] = {}
    exec(code, names)  # noqa: S102  ours
    site = aidc.load(
        str(ROOT / "src/aidc/site/starter.toml"),
        ["scenario.days=0.02", "scenario.tariff={base_usd_per_kwh=0.1}"],
    )
    free = aidc.run(site, out=tmp_path / "free")
    held = aidc.run(site, out=tmp_path / "held", controller=names["Mine"]())
    accelerator = [one.summary["energy_mwh"]["accelerator"] for one in (free, held)]
    assert accelerator[1] < 0.8 * accelerator[0]
