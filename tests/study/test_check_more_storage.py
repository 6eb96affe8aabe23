"""More of the same storage never turns a pass into a failure: fifty random sites, ramps and oscillation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from study_sites import four_chains, random_site

from aidc.measure.grid.verdict import worst
from aidc.schema.code import Oscillation, Ramp
from aidc.schema.converter import LoadSmoothing, RampLimit
from aidc.simulate.compiling.compile import compile_site
from aidc.simulate.transient.start import operating_point
from aidc.study.grid_check.check import connection_of
from aidc.study.grid_check.normal_operation import run_normal

STEP_S = Fraction(1, 500)
LENGTH_S = 60.0


def random_clauses(rng: np.random.Generator) -> list[Oscillation | Ramp]:
    limit_mw = float(np.exp(rng.uniform(np.log(2), np.log(40))))
    return [
        Oscillation(
            rule="oscillation",
            clause="swing",
            low_hz=0.1,
            high_hz=55,
            window_s=5,
            limit_mw=limit_mw,
            filter_defined=True,
        ),
        Ramp(rule="ramp", clause="change", form="change", window_s=15, limit_mw=limit_mw),
        Ramp(rule="ramp", clause="rate", form="rate", window_s=30, limit_mw_per_min=2 * limit_mw),
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    site = four_chains(tmp_path_factory.mktemp("site"))
    return site, operating_point(site)


def with_storage(site, point, power_mw, energy_mwh):
    """The site and its operating point with another size of the yard's storage."""
    shape = site.storage["yard"].model_copy(update={"power_mw": power_mw, "energy_mwh": energy_mwh})
    changed = site.model_copy(update={"storage": {"yard": shape}})
    return changed, replace(point, compiled=compile_site(changed))


def results(site, point, clauses):
    found = run_normal(site, point, clauses, connection_of(site), STEP_S, LENGTH_S)
    return [worst(found.verdicts[index]) for index in range(len(clauses))]


def test_more_power_and_energy_never_turns_a_pass_into_a_failure(base) -> None:
    site, point = base
    counted: Counter[tuple[str, str]] = Counter()
    for seed in range(50):
        rng = np.random.default_rng([seed, 7])
        one = random_site(site, rng)
        law = (
            RampLimit(use="ramp-limit", limit_mw_per_min=float(rng.uniform(5, 200)))
            if rng.random() < 0.6
            else LoadSmoothing(use="smoothing", time_constant_s=float(rng.uniform(5, 100)))
        )
        shape = one.storage["yard"]
        converter = shape.converter.model_copy(update={"law": law, "volt_var_frac": 0.0})
        one = one.model_copy(update={"storage": {"yard": shape.model_copy(update={"converter": converter})}})
        soc = float(rng.uniform(0.15, 0.9))
        here = replace(point, soc_frac=np.full_like(point.soc_frac, soc))
        clauses = random_clauses(rng)
        power_mw, energy_mwh = float(rng.uniform(2, 60)), float(np.exp(rng.uniform(np.log(0.05), np.log(40))))
        small = results(*with_storage(one, here, power_mw, energy_mwh), clauses)
        more_power, more_energy = (float(one) for one in rng.uniform(1, 4, 2))
        large = results(*with_storage(one, here, power_mw * more_power, energy_mwh * more_energy), clauses)
        for before, after in zip(small, large, strict=True):
            counted[before.result, after.result] += 1
            if before.result == "pass":
                assert after.result == "pass", (
                    seed,
                    soc,
                    law,
                    power_mw,
                    energy_mwh,
                    more_power,
                    more_energy,
                    before,
                    after,
                )
    assert counted["pass", "pass"] >= 10, counted
    assert counted["fail", "pass"] >= 3, counted
    assert counted["fail", "fail"] >= 10, counted
