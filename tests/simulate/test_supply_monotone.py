"""More never serves less, where it must not; where it can, with the example; and how long a battery lasts."""

from __future__ import annotations

import numpy as np
import pytest
from supply_cases import IDEAL, case_of, event, play_case, served_j
from supply_play import Played

OUTAGE = event("supply-outage", 10, 70)
LIMIT = event("import-limit", 10, 70, limit_mw=0.35)
SETS = {
    "use": "diesel-standby",
    "power_mw": 1.0,
    "call_s": 3.0,
    "start_time_s": 10.0,
    "synchronise_s": 2.0,
    "stop_s": 10.0,
    "ramp_frac_per_s": 0.1,
}
POD = {"a": {"restart_s": 20.0, "return_s": 5.0, "return_margin_frac": 0.05}}
CHAINS = ("415vac-double-conversion", "415vac-eco", "800vdc-central-rectifier", "800vdc-sst")
FULL = {"use": "lfp-site", "rule": {"use": "reserve"}, **IDEAL, "soc_initial_frac": 1.0}
STRING = {"use": "ups-battery-string", "rule": {"use": "reserve"}, "soc_initial_frac": 1.0}


def rises(served: list[float]) -> None:
    """Never falls, but in the last digits; and something rises at all."""
    assert (np.diff(served) >= -1e-9 * max(served)).all(), served
    assert served[-1] > 1.05 * served[0]


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(OUTAGE, id="outage"),
        pytest.param(LIMIT, id="limit"),
    ],
)
def test_one_pod_more_battery_never_serves_less(chain, happens) -> None:
    served = []
    for kwh in (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0):
        ups = STRING | {"power_mw": 1.0, "energy_mwh": kwh * 1e-3}
        case = case_of(
            {"a": 6e5},
            steps=130,
            chain={"use": chain},
            events=[happens],
            storage={"ups": ups},
            pods=POD,
            import_mw=2.0,
        )
        served.append(served_j(play_case(case)))
    rises(served)


@pytest.mark.parametrize("happens", [OUTAGE, LIMIT], ids=["outage", "limit"])
def test_one_pod_more_storage_at_the_site_never_serves_less(happens) -> None:
    served = []
    for kwh in (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0):
        yard = FULL | {"power_mw": 1.0, "energy_mwh": kwh * 1e-3, "converter": {"control": "grid-forming"}}
        case = case_of({"a": 6e5}, steps=130, events=[happens], storage={"yard": yard}, pods=POD)
        served.append(served_j(play_case(case)))
    rises(served)


@pytest.mark.parametrize("loads", [{"a": 6e5}, {"a": 4e5, "b": 3e5, "c": 1e5}], ids=["one", "three"])
def test_more_fuel_never_serves_less(loads) -> None:
    pods = {name: {"priority": rank, **POD["a"]} for rank, name in enumerate(loads)}
    served = []
    for kwh in (5.0, 10.0, 20.0, 30.0, 60.0):
        sets = {"g": SETS | {"fuel_mwh": kwh * 1e-3, "minimum_load_frac": 0.3}}
        case = case_of(loads, steps=180, events=[event("supply-outage", 10, 150)], gensets=sets, pods=pods)
        served.append(served_j(play_case(case)))
    rises(served)


@pytest.mark.parametrize(
    "loads",
    [{"a": 6e5}, {"a": 4e5, "b": 3e5, "c": 1e5}, {"a": 1e5, "b": 5e5, "c": 2e5, "d": 3e5}],
    ids=["one", "three", "four"],
)
def test_a_higher_limit_never_serves_less_without_storage(loads) -> None:
    pods = {name: {"priority": rank % 3, **POD["a"]} for rank, name in enumerate(loads)}
    served = []
    for limit in np.linspace(0.0, 1.3, 14):
        limits = event("import-limit", 10, 100, limit_mw=float(limit))
        served.append(served_j(play_case(case_of(loads, steps=140, events=[limits], pods=pods))))
    rises(served)


# ---- where more can serve less ---------------------------------------------------------------------------


def _twice(kwh: float, loads: dict[str, float], *limits: dict) -> Played:
    """A storage at the site through two limits, with a restart of a minute."""
    yard = FULL | {"power_mw": 1.0, "energy_mwh": kwh * 1e-3}
    pods = {"plain": {"priority": 9, "restart_s": 60.0}, "vital": {"priority": 0, "restart_s": 60.0}}
    return play_case(case_of(loads, steps=260, events=limits, storage={"yard": yard}, pods=pods))


def test_with_several_pods_a_larger_battery_can_serve_less() -> None:
    """The example of docs/supply.md.

    0.9 MW are there for 1.0 MW and cooling until 100 s. The small battery gives up the unimportant pod at 40 s; it is
    back at 100 s, and the battery is full again when little comes at 140 s. The large one gives it up at 95 s only, may not
    charge while it is off, and has nothing left: there goes the important one.
    """
    loads = {"plain": 2e5, "vital": 8e5}
    limits = (event("import-limit", 10, 100, limit_mw=0.9), event("import-limit", 140, 150, limit_mw=0.75))
    small, large = (_twice(kwh, loads, *limits) for kwh in (1.0, 2.8))
    assert small.pods["shed_frac"][:, 1].max() == 0.0
    assert large.pods["shed_frac"][140, 1] == 1.0
    assert served_j(large) < served_j(small) - 3e7


def test_even_one_pod_can_be_served_less_by_more_when_limits_follow_each_other() -> None:
    """The larger battery gives up later, so the restart falls into the second limit, from which nothing comes back.

    Small: off from 50 to 110 s, full again at 150 s, carries the second limit. Large: off from 95 s, its minute ends
    in the second limit, which has no room before 170 s.
    """
    loads = {"vital": 8e5}
    limits = (event("import-limit", 10, 101, limit_mw=0.1), event("import-limit", 150, 170, limit_mw=0.1))
    small, large = (_twice(kwh, loads, *limits) for kwh in (8.0, 17.5))
    assert small.pods["shed_frac"][150:170].max() == 0.0
    assert large.pods["shed_frac"][150:170].min() == 1.0
    assert served_j(large) < served_j(small)


# ---- how long a battery lasts ----------------------------------------------------------------------------


@pytest.mark.parametrize("chain", CHAINS)
def test_an_outage_shorter_than_the_battery_loses_nothing(chain) -> None:
    """Cells above their least charge, less losses, over the load of the node: the last whole second before and after.

    The string's cells hold 95 % of 4 kWh above their least charge and lose `(P + R (a + c x^2)) / 0.95` (x = P/R).
    """
    power_w, rated_w, held_j = 6e5, 1.0e6, 0.95 * 4e-3 * 3.6e9
    ups = STRING | {"power_mw": 1.0, "energy_mwh": 4e-3}

    def through(outage_s: int) -> Played:
        case = case_of(
            {"a": power_w},
            steps=40 + outage_s,
            chain={"use": chain},
            storage={"ups": ups},
            events=[event("supply-outage", 10, 10 + outage_s)],
        )
        return play_case(case)

    first = through(1)
    pod = first.plan.pods[0]
    node_w = power_w
    for stage in pod.stages[: first.plan.stores[0].stage]:
        node_w += stage.a_w + stage.b * node_w + stage.c_per_w * node_w * node_w
    x = node_w / rated_w
    lasts_s = held_j / ((node_w + rated_w * (0.004 + 0.012 * x * x)) / 0.95)
    # then the walk-in still needs what is left: the wait of the front end and half its walk
    wait_s = pod.return_s + 0.5 * pod.walk_in_s
    whole = through(int(lasts_s - wait_s) - 1)
    assert whole.pods["shed_frac"].max() == 0.0
    assert whole.pods["not_supplied_w"].max() == 0.0
    long = through(int(lasts_s) + 5)
    assert int(np.argmax(long.pods["shed_frac"][:, 0])) == 10 + int(lasts_s)
