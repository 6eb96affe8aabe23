"""Holds the record of a run against the judge of supply, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from supply_judge import Judge
from supply_play import Played
from supply_shapes import Step, Told

__all__ = ["disagreements"]

FLOW = 1e-6  # of the site's rating
BOOKS = 1e-9  # of all flows


def disagreements(played: Played, *, most: int = 1, leave_out: tuple[str, ...] = ()) -> list[str]:
    """What differs in the first steps that differ, in words; empty where judge and engine agree.

    `leave_out` names columns that are not looked at.
    """
    judge = Judge(played.plan)
    found: list[str] = []
    for k, step in enumerate(played.steps):
        told = judge.step(step)
        bad = [line for line in _of_step(played, k, step, told) if line and not line.startswith(leave_out)]
        if bad:
            found.append(f"{played.case.name} step {k}: " + "; ".join(bad))
            if len(found) >= most:
                break
    return found


def _of_step(played: Played, k: int, step: Step, told: Told) -> Iterator[str]:
    site, pods = played.site, played.pods
    flow_w = FLOW * played.case.rating_w
    expected = {
        "net_import_w": told.net_w,
        "pv_w": told.pv_w,
        "wind_w": told.wind_w,
        "curtailed_w": told.curtailed_w,
        "load_bank_w": told.bank_w,
        "cooling_w": told.cooling_w,
        "auxiliary_w": told.auxiliary_w if told.formed else 0.0,
        "bus_formed_frac": float(told.formed),
        "wanted_w": told.wanted_w,
    }
    names = list(played.case.body["gensets"])
    for number, name in enumerate(names):
        expected[f"genset.{name}.power_w"] = told.genset_w[number]
        expected[f"genset.{name}.fuel_w"] = told.fuel_w[number]
        expected[f"genset.{name}.running_frac"] = float(told.running[number])
    for name, value in expected.items():
        got = site[{"bus_formed_frac": "formed_frac"}.get(name, name)][k]
        yield _differs(name, got, value, flow_w if name.endswith("_w") else 1e-9)
    unserved = 0.0
    for pod in range(len(step.consumed_w)):
        off = pod in told.off
        missing = pods["wanted_w"][k, pod] if off else 0.0
        unserved += missing
        yield _differs(f"pod {pod} shed", pods["shed_frac"][k, pod], float(off), 1e-9)
        yield _differs(f"pod {pod} not_supplied", pods["not_supplied_w"][k, pod], missing, flow_w)
        yield _differs(f"pod {pod} bus_w", pods["bus_w"][k, pod], told.bus_w[pod], flow_w)
        yield _differs(
            f"pod {pod} bus_wanted_w", pods["bus_wanted_w"][k, pod], told.bus_wanted_w[pod], flow_w
        )
    yield _differs("unserved_w", site["unserved_w"][k], unserved, flow_w)
    for kind, residual in played.books.items():
        yield _differs(f"books of {kind}", residual[k], 0.0, BOOKS)
    for number, name in enumerate(played.store_names):
        yield _differs(f"storage {name}", played.store_w[k, number], told.store_w[number], flow_w)
        yield _differs(f"charge {name}", played.soc[k, number], told.soc[number], 1e-6)


def _differs(name: str, got: float, wanted: float, tolerance: float) -> str:
    return "" if abs(got - wanted) <= tolerance else f"{name} {got:.9g} for {wanted:.9g}"
