"""Every catalogue figure that a run rests on stands in its list of assumptions.

Each figure that is read on the way to a run is changed by a percent, one at a time: either nothing that the engine or
the summary is given changes (arrays, market, facts of workloads and storages), or the figure is listed.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sites import document

from aidc.catalogue import shelf
from aidc.errors import InputError
from aidc.simulate import compile_site
from aidc.site import load, site_of
from aidc.site.resolve import Resolver

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"
SAMPLE = 14  # figures of each site
STEP = re.compile(r"\[\d+\]|[^.\[\]]+")  # of a dotted key with places in lists
APART = {"assumptions", "input_hash", "sources", "version"}
PARSED = shelf._parsed.__wrapped__


def starter():
    return load(STARTER, settings=["scenario.days=0.02"])


def training():
    """A job of eight-bit training on a rack of its own, whose rate follows from the catalogue."""
    body = document({"a": {"use": "dgx-h100", "racks": 12, "chain": "ac", "cooling": "hall"}})
    job = {"use": "llama-3.1-70b", "pods": ["a"], "start": "2025-07-07T12:00:00Z", "precision": "fp8"}
    return site_of({**body, "jobs": {"pretrain": job}}, Path("training.toml"))


SITES = {"starter": starter, "training": training}


class Shelf:
    """The catalogue as it is, remembering every entry that is read, with one figure changed."""

    def __init__(self, changed=None):
        self.changed, self.seen = changed, {}

    def __call__(self, kind, name, path, raw):
        entry = PARSED(kind, name, path, raw)
        self.seen[kind, name] = entry
        if self.changed is None or (kind, name) != self.changed[:2]:
            return entry
        return dataclasses.replace(entry, values=nudged(entry.values, STEP.findall(self.changed[2])))


def nudged(values, key):
    """The values with the figure at a dotted key a percent larger."""
    step, *rest = key
    name = int(step[1:-1]) if step.startswith("[") else step
    made = list(values) if isinstance(values, list) else dict(values)
    made[name] = nudged(made[name], rest) if rest else larger(made[name])
    return made


def larger(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 1.01
    if isinstance(value, list):
        return [larger(value[0]), *value[1:]]
    if isinstance(value, Mapping):
        first = next(iter(value))
        return {**value, first: larger(value[first])}
    return value


def leaves(node, key=""):
    """Everything that a compiled site gives to the engine and to the summary, as comparable leaves."""
    if isinstance(node, np.ndarray):
        yield key, node.shape, node.tobytes()
    elif isinstance(node, Mapping):
        for name, child in node.items():
            if name not in APART:
                yield from leaves(child, f"{key}.{name}")
    elif dataclasses.is_dataclass(node):
        for field in dataclasses.fields(node):
            yield from leaves(getattr(node, field.name), f"{key}.{field.name}")
    elif isinstance(node, (list, tuple)):
        for place, child in enumerate(node):
            yield from leaves(child, f"{key}[{place}]")
    else:
        yield key, repr(node)


def given(made):
    return list(leaves([made.params, made.inputs, made.start, made.market, made.meta, made.view]))


def unlisted(monkeypatch, build, draw):
    """Which of the drawn figures change what a run is given and are not in its list; and how many do change it."""
    shelf_now = Shelf()
    monkeypatch.setattr(shelf, "_parsed", shelf_now)
    site = build()
    before = given(compile_site(site))
    listed = {(one.entry, one.key) for one in site.assumptions}
    figures = sorted(
        (kind, name, key) for (kind, name), entry in shelf_now.seen.items() for key in entry.figures
    )
    lacking, moved = [], 0
    for kind, name, key in draw(figures):
        monkeypatch.setattr(shelf, "_parsed", Shelf((kind, name, key)))
        try:
            changed = given(compile_site(build())) != before
        except InputError:
            continue  # a figure that is refused is looked at, and moves nothing
        moved += changed
        if changed and (f"{kind}/{name}", key) not in listed:
            lacking.append((kind, name, key))
    return lacking, moved


@pytest.mark.parametrize("name", SITES)
def test_every_figure_that_a_run_rests_on_is_listed(monkeypatch, name):
    rng = np.random.default_rng(20251201)

    def draw(figures):
        return [figures[place] for place in rng.choice(len(figures), SAMPLE, replace=False)]

    lacking, moved = unlisted(monkeypatch, SITES[name], draw)
    assert lacking == []
    assert moved >= SAMPLE // 4


def test_a_figure_past_the_resolver_would_be_noticed(monkeypatch):
    """Power-cap constants that nobody notes: they move the run, and the list lacks them."""
    note = Resolver.note

    def silent(self, entry, *rest, **more):
        if entry.kind != "powercap":
            note(self, entry, *rest, **more)

    monkeypatch.setattr(Resolver, "note", silent)
    lacking, _ = unlisted(
        monkeypatch,
        training,
        lambda figures: [one for one in figures if one == ("powercap", "hopper", "floor_frac")],
    )
    assert [kind for kind, _, _ in lacking] == ["powercap"]
