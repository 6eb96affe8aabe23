"""Better no verdict than a wrong one: what a phasor model, a rule's gaps or a short window cannot say."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from study_sites import example

import aidc
from aidc.schema.code import FrequencyRideThrough, Recovery, VoltageRideThrough
from aidc.schema.converter import Converter
from aidc.schema.site import Site
from aidc.simulate.transient.window import short_circuit_levels
from aidc.study.grid_check.check import rule_set
from aidc.study.grid_check.not_assessable import beyond_the_twin, combined_ratio, forming_mode_hz, refusals
from aidc.study.windows.verdicts import CheckResult

PASSES = Path(__file__).parents[2] / "examples" / "interconnection" / "passes.toml"

HEAD = """
title = "A set of the user's own"
authority = "nobody"
version = "1"
status = "draft"
"""
SOURCES = """
[sources.mine]
title = "Written for this test"
"""


def figure(value: object) -> str:
    return f'{{ value = {value}, source = "mine", confidence = "estimated" }}'


RAMP = f"""
[[clauses]]
rule = "ramp"
clause = "change"
form = "change"
window_s = {figure(5)}
limit_mw = {figure(90)}
"""


def own(site: Site, folder: Path, body: str) -> Site:
    """The site with a rule set of its own beside it."""
    (folder / "catalogue" / "code").mkdir(parents=True, exist_ok=True)
    (folder / "catalogue" / "code" / "mine.toml").write_text(HEAD + body + SOURCES)
    return site.model_copy(update={"folder": folder})


def grid(site: Site, **update: object) -> Site:
    return site.model_copy(update={"grid": site.grid.model_copy(update=update)})


def quick(site: Site, code: str, duration_s: float = 60.0, **options: object) -> CheckResult:
    return aidc.check(site, code=code, duration_s=duration_s, suggest=False, **options)


@pytest.fixture(scope="module")
def site() -> Site:
    return example("passes")


def test_a_weak_grid_is_not_judged_by_phasors(site: Site) -> None:
    weak = grid(site, short_circuit_mva=2.5 * site.grid.import_limit_mw)
    found = quick(weak, "ercot")
    told = {verdict.rule: verdict for verdict in found.verdicts}
    for rule in ("voltage-ride-through", "recovery", "oscillation"):
        assert told[rule].result == "not_assessable"
        assert "short-circuit ratio 2.50" in told[rule].reason
        assert "EMT" in told[rule].reason
        assert told[rule].value is None
    assert found.result != "pass"


def test_the_weakest_stated_level_decides(site: Site) -> None:
    weak = grid(site, short_circuit_n1_mva=2.9 * site.grid.import_limit_mw)
    levels = short_circuit_levels(weak)
    reasons = refusals(weak, rule_set(weak, "ercot")[1].clauses, levels)
    assert reasons
    assert all("n-1 level" in why for why in reasons.values())
    assert not refusals(site, rule_set(site, "ercot")[1].clauses, {"normal": 2500e6})


def test_a_converter_too_large_for_its_grid_is_not_judged(site: Site) -> None:
    shape = site.storage["yard"]
    large = shape.model_copy(update={"power_mw": 900.0})
    reasons = refusals(
        site.model_copy(update={"storage": {"yard": large}}),
        rule_set(site, "ercot")[1].clauses,
        {"normal": 2500e6},
    )
    assert all("converter of storage.yard" in why for why in reasons.values())
    assert len(reasons) == 4


@pytest.mark.parametrize(
    ("short_circuit_mva", "power_mw", "control", "scr_min", "ratio"),
    [
        (300.0, 80.0, "grid-following", 3.0, "1.76"),  # 3.33 and 3.75 apart
        (509.0, 80.0, "grid-following", 3.0, "2.99"),
        (511.0, 80.0, "grid-following", 3.0, ""),
        (300.0, 80.0, "grid-forming", 3.0, ""),
        (300.0, 5.0, "grid-following", 3.0, ""),
        (600.0, 80.0, "grid-following", 4.0, "3.53"),  # the highest that any of them asks for
    ],
)
def test_converters_that_follow_the_grid_are_weighed_together(
    site: Site, short_circuit_mva, power_mw, control, scr_min, ratio
) -> None:
    """Short-circuit level over 90 MW of site and the storages that follow the grid, by hand."""
    converter = Converter(control=control, scr_min=scr_min, inertia_s=4.0)
    shape = site.storage["yard"].model_copy(update={"converter": converter, "power_mw": power_mw})
    weak = site.model_copy(update={"storage": {"yard": shape}})
    levels = {"normal": 2500e6, "min": short_circuit_mva * 1e6}
    reasons = refusals(weak, rule_set(weak, "ercot")[1].clauses, levels)
    assert bool(reasons) is bool(ratio)
    assert all(f"combined short-circuit ratio {ratio} at the min level" in why for why in reasons.values())


def test_inverters_of_renewables_count_in_the_combined_ratio(site: Site) -> None:
    pv = aidc.load(PASSES, ['renewables.pv={use="pv-fixed",dc_power_mw=60,dc_ac_ratio=1.2}'])
    assert combined_ratio(pv, 2500e6) == pytest.approx(2500.0 / (90.0 + 80.0 + 50.0))
    assert combined_ratio(site, 2500e6) == pytest.approx(2500.0 / 170.0)


def test_a_fast_mode_of_a_virtual_machine_is_not_judged(site: Site) -> None:
    """sqrt(K·ω0/2H)/2π with K = 1/X: halving H lifts it by sqrt(2)."""

    def with_inertia(inertia_s: float) -> Site:
        converter = Converter(control="grid-forming", inertia_s=inertia_s, reactance_frac=0.1)
        shape = site.storage["yard"].model_copy(update={"converter": converter})
        return site.model_copy(update={"storage": {"yard": shape}})

    slow, fast = with_inertia(4.0), with_inertia(0.05)
    assert forming_mode_hz(slow, "yard", 2500e6) * 80**0.5 == pytest.approx(
        forming_mode_hz(fast, "yard", 2500e6)
    )
    clauses = rule_set(site, "ercot")[1].clauses
    assert not refusals(slow, clauses, {"normal": 2500e6})
    reasons = refusals(fast, clauses, {"normal": 2500e6})
    assert all("Hz, above 10 Hz" in why for why in reasons.values())
    assert reasons


def test_bands_of_minutes_are_judged_on_a_weak_grid_but_not_a_rate_or_a_jump() -> None:
    bands = FrequencyRideThrough(
        rule="frequency-ride-through", clause="b", below_hz=(58.8,), below_s=(299.0,)
    )
    rate = FrequencyRideThrough(rule="frequency-ride-through", clause="r", rocof_hz_per_s=5)
    weak = grid(example("passes"), short_circuit_mva=200.0)
    assert list(refusals(weak, [bands, rate], {"normal": 200e6})) == [1]


def test_a_set_with_a_clause_that_was_not_captured_never_passes(site: Site, tmp_path: Path) -> None:
    body = (
        RAMP
        + '[[clauses]]\nrule = "uncaptured"\nclause = "lost"\nsource = "mine"\nconfidence = "estimated"\njudges = "something"\n'
    )
    found = quick(own(site, tmp_path, body), "mine")
    assert [verdict.result for verdict in found.verdicts] == ["pass", "not_assessable"]
    assert found.result == "not_assessable"
    assert "not captured" in found.verdicts[1].reason


def test_a_set_for_larger_sites_does_not_concern_a_small_one(site: Site) -> None:
    found = quick(grid(site, import_limit_mw=60.0), "ercot-nogrr-282")
    assert found.result == "not_applicable"
    assert {verdict.result for verdict in found.verdicts} == {"not_applicable"}
    assert "60 MW" in found.verdicts[0].reason
    assert found.windows == ()  # nothing was run


def test_a_set_of_fifty_hertz_does_not_concern_a_site_of_sixty(site: Site) -> None:
    found = quick(site, "eu-dcc")
    assert found.result == "not_applicable"
    assert "50 Hz" in found.verdicts[0].reason


def test_flicker_without_the_rating_of_the_system_has_no_limit(site: Site) -> None:
    found = quick(site, "iec-61000-3-7")
    high = next(verdict for verdict in found.verdicts if "high" in verdict.clause)
    assert high.result == "not_assessable"
    assert "system" in high.reason
    assert next(v for v in found.verdicts if "medium" in v.clause).result == "not_applicable"  # 138 kV


def test_a_window_too_short_for_flicker_says_so(site: Site) -> None:
    found = quick(grid(site, system_mva=5000.0), "iec-61000-3-7")
    high = next(verdict for verdict in found.verdicts if "high" in verdict.clause)
    assert high.result == "not_assessable"
    assert "needs" in high.reason


def test_rules_for_storage_alone_do_not_judge_the_load(site: Site, tmp_path: Path) -> None:
    """An event of the user's own must not bring in a verdict that the clause does not ask for."""
    without = site.model_copy(update={"storage": {}})
    event = tmp_path / "deep.toml"
    event.write_text(
        'duration_s = 3\n[[events]]\nuse = "sag"\nstart_s = 1\nresidual_pu = 0.1\nduration_s = 0.1\n'
    )
    found = quick(without, "ieee-2800", events=[event])
    by_rule = {verdict.rule: verdict.result for verdict in found.verdicts if verdict.rule != "it-served"}
    assert set(by_rule.values()) == {"not_applicable"}
    stored = quick(site, "ieee-2800")
    assert {v.result for v in stored.verdicts if v.rule != "it-served"} == {"not_assessable"}


def test_equipment_curves_need_a_record_at_the_equipment(site: Site) -> None:
    found = quick(site, "itic")
    assert found.result == "not_assessable"
    assert "psu-terminals" in found.verdicts[0].reason


def test_a_collapse_is_reported_and_no_pass_rests_on_it(site: Site, tmp_path: Path) -> None:
    """Half of the short-circuit power beside the load: no solution at constant power (E²·SCR/2 < P)."""
    body = RAMP + '[[clauses]]\nrule = "power-factor"\nclause = "pf"\n' + f"least_pf = {figure(0.01)}\n"
    poor = grid(own(site, tmp_path, body), short_circuit_mva=90.0, x_over_r=20.0)
    found = quick(poor, "mine")
    assert any("voltage collapse" in warning for warning in found.facts["warnings"])
    assert {verdict.result for verdict in found.verdicts} <= {"fail", "not_assessable"}
    assert "voltage collapse" in next(v for v in found.verdicts if v.result == "not_assessable").reason


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        (
            VoltageRideThrough(rule="voltage-ride-through", clause="c", above_pu=(2.0,), above_s=(0.001,)),
            "beyond what the twin can try",
        ),
        (
            VoltageRideThrough(rule="voltage-ride-through", clause="c", below_pu=(0.9,), below_s=(7200.0,)),
            "no transient",
        ),
        (
            VoltageRideThrough(rule="voltage-ride-through", clause="c", below_pu=(1.05,), below_s=(1.0,)),
            "nominal voltage",
        ),
        (
            FrequencyRideThrough(
                rule="frequency-ride-through", clause="c", below_hz=(47.5,), below_s=(20.0,)
            ),
            "12.5 Hz off",
        ),
        (
            FrequencyRideThrough(rule="frequency-ride-through", clause="c", phase_jump_deg=120.0),
            "90 degrees",
        ),
        (Recovery(rule="recovery", clause="c", within_s=1.0, hold_s=5000.0), "no transient"),
    ],
    ids=["overvoltage", "an hour", "nominal", "far", "jump", "hold"],
)
def test_what_no_event_of_the_twin_can_try_is_not_assessable(site, clause, words) -> None:
    assert words in beyond_the_twin(clause, site)


def test_every_clause_of_every_shipped_set_can_be_tried_or_says_why(site: Site) -> None:
    """No set crashes the making of its cases."""
    from aidc.study.faults.cases import fault_cases
    from aidc.study.faults.frequency import frequency_events
    from aidc.study.grid_check.codes import known_codes, read_code

    made = 0
    for name in known_codes():
        for clause in read_code(name).clauses:
            if beyond_the_twin(clause, site):
                continue
            made += len(fault_cases([clause], {"normal": 2.5e9}, (0.0,), 1 / 60, 1e-3))
            if isinstance(clause, FrequencyRideThrough):
                made += len(frequency_events(clause, 60.0))
    assert made > 500


def test_droop_without_inertia_has_a_mode_of_its_own_filter() -> None:
    """The mode of the engine's own linear equations, which know the resistance too."""
    from aidc.simulate.transient.modes import machine_modes
    from aidc.simulate.transient.start import operating_point
    from aidc.simulate.transient.window import open_window

    droop = aidc.load(
        PASSES,
        ['storage.yard.converter.control="grid-forming"', "storage.yard.converter.inertia_s=0",
         "storage.yard.converter.droop_frac=0.05", "storage.yard.converter.resistance_frac=0"],
    )  # fmt: skip
    window = open_window(droop, operating_point(droop, duration_s=60), duration_s=1)
    (mode,) = machine_modes(window.plan)
    assert forming_mode_hz(droop, "yard", 2500e6) == pytest.approx(mode.frequency_hz, rel=0.02)


def test_a_site_that_may_not_import_still_has_a_mode() -> None:
    none = aidc.load(PASSES, ['storage.yard.converter.control="grid-forming"', "grid.import_limit_mw=0"])
    assert 0 < forming_mode_hz(none, "yard", 2500e6) < 100


def test_no_remedy_leaves_a_lineup_on_bypass_in_a_fault(tmp_path: Path) -> None:
    """The load of an eco mode hangs on the bypass: relays that wait would keep it on the fault that it feeds."""
    from study_sites import four_chains

    from aidc.study.grid_check.codes import read_code
    from aidc.study.grid_check.remedy import ride_through_remedy

    built = four_chains(tmp_path)
    for code in ("ercot-nogrr-282", "caiso-2026"):
        remedy = ride_through_remedy(built, read_code(code).clauses)
        assert remedy is not None
        for chain in remedy.site.chains.values():
            front = chain.front_entry
            assert front is not None
            waits_s = max(front.leave_below_s, default=float("inf"))
            assert front.transfer_s == 0 or waits_s <= front.hold_up_s, front
        assert any(
            line.startswith('chains.eco.front = { use = "ups-grid-friendly"') for line in remedy.settings
        )
        assert "eco out of eco mode" in remedy.note
        assert remedy.losses
        assert 'chains.eco.use = "415vac-double-conversion"' in remedy.settings
        again = aidc.load(tmp_path / "site.toml", remedy.settings)  # what is offered can be written
        assert {name: one.stages for name, one in again.chains.items()} == {
            name: one.stages for name, one in remedy.site.chains.items()
        }
        changed = built.model_copy(update={"chains": {"dc": built.chains["dc"]}})
        other = ride_through_remedy(changed, read_code(code).clauses)
        assert other is not None
        assert not other.note


def test_double_conversion_is_priced_by_its_own_loss_curve(tmp_path: Path) -> None:
    """The UPS stage alone changes; the loss of the curves at the load of each pod is what the meter sees more, with cooling."""
    from study_sites import four_chains

    from aidc.simulate.transient.start import operating_point
    from aidc.study.grid_check.eco_mode import off_bypass, priced

    site = four_chains(tmp_path)
    chain, setting = off_bypass("eco", site.chains["eco"], site)
    assert setting == 'chains.eco.use = "415vac-double-conversion"'
    before, after = site.chains["eco"].stages, chain.stages
    assert [one.name for one, two in zip(before, after, strict=True) if one != two] == ["ups"]
    ups = after[[one.name for one in after].index("ups")]
    assert (ups.a, ups.b, ups.c) == (0.006, 0.0076, 0.0227)  # 97.0 % at half load, see the catalogue
    assert off_bypass("ac", site.chains["ac"], site) == (site.chains["ac"], "")
    other = site.chains["eco"].model_copy(
        update={"stages": (before[0].model_copy(update={"a": 0.001}), *before[1:])}
    )
    own, text = off_bypass("eco", other, site)
    assert text.startswith("chains.eco.stages = [")
    again = aidc.load(tmp_path / "site.toml", [text])
    assert again.chains["eco"].stages == own.stages
    changed = site.model_copy(update={"chains": {**site.chains, "eco": chain}})
    point = operating_point(site)
    more_w = operating_point(changed, point.start).import_w - point.import_w
    racks_w = (
        110 * 132e3
    )  # of chat-b at most; the curves differ by 1.9 % of it at the most, by 0.4 % at the least
    assert 0.004 * 0.2 * racks_w < more_w < 0.03 * racks_w
    told = priced(1e6, 2e6, site)
    assert "1 MW more" in told
    assert "8.76e+03 MWh" in told


LEAVER = {
    "leave_below_pu": (0.88, 0.45),
    "leave_below_s": (2.3, 0.3),
    "leave_drop_hz": 3.2,
    "leave_hz_s": 0.1,
}
HELD = "duration_s = 20\nstep_ms = 2\n[[events]]\n"


@pytest.mark.parametrize(
    ("event", "voltage", "frequency"),
    [
        # 0.3 pu for a second where 0.25 s are asked, left after 0.3 s
        ('use = "sag"\nstart_s = 3\nresidual_pu = 0.3\nduration_s = 1.0', "pass", "not_applicable"),
        # 56.5 Hz, where nothing is asked below 57 Hz
        (
            'use = "frequency-ramp"\nstart_s = 3\nchange_hz = -3.5\nrocof_hz_per_s = 1\nhold_s = 5',
            "not_applicable",
            "pass",
        ),
        # 0.3 pu for 0.2 s: shorter than the relay
        ('use = "sag"\nstart_s = 3\nresidual_pu = 0.3\nduration_s = 0.2', "pass", "not_applicable"),
    ],
    ids=["deep and long", "below 57 Hz", "short"],
)
def test_what_one_clause_allows_is_no_breach_of_another(
    site: Site, tmp_path: Path, event: str, voltage: str, frequency: str
) -> None:
    from aidc.study.faults.users_events import run_events
    from aidc.study.grid_check.check import connection_of

    chains = {
        name: chain.model_copy(update={"front_entry": chain.front_entry.model_copy(update=LEAVER)})
        for name, chain in site.chains.items()
    }
    left = site.model_copy(update={"chains": chains})
    path = tmp_path / "event.toml"
    path.write_text(HELD + event + "\n")
    clauses = rule_set(left, "ercot-nogrr-282")[1].clauses
    found = run_events(left, clauses, [path], Fraction(1, 500), connection_of(left))
    assert [found.verdicts[index][0].result for index in range(2)] == [voltage, frequency]
