"""Site files with something wrong in them: a whole small site, and the ways to spoil it."""

from __future__ import annotations

import copy
import tomllib
from datetime import UTC, date, datetime, time

from hypothesis import strategies as st

from toml_tree import at, places

__all__ = ["WHOLE", "damaged_documents", "damaged_texts", "document", "stretched_documents"]

# every table and every way to write one, as small as it gets: five minutes at 1 s
WHOLE = """
schema = 1
[site]
name = "whole"
location = { latitude_deg = 36.1, longitude_deg = -79.95, timezone = "America/New_York", elevation_m = 273 }
auxiliary_mw = 0.01
auxiliary_frac = 0.005
[grid]
import_limit_mw = 4
export_limit_mw = 1
voltage_kv = 34.5
short_circuit_mva = 300
transformer = { rating_mva = 5, no_load_frac = 0.0004, load_frac = 0.003 }
[chains]
dc = { use = "800vdc-central-rectifier", redundancy = "N+1" }
ac = { use = "415vac-double-conversion", redundancy = "2N" }
[chains.own]
voltage_v = 400
stages = [
  { name = "ups", a = 0.01, b = 0.02, c = 0.01, sizing = 1.2, boundary = "site", heat_to = "air", storage_node = "ups" },
  { name = "shelf", a = 0.01, boundary = "server", heat_to = "air" },
]
[cooling]
warm = { use = "dry-cooler", cdu = "xdu1350", supply_temp_c = 40, heat_reuse_limit_mw = 0.1, heat_reuse_min_c = 35 }
hall = { use = "chiller-economiser", crah = { use = "crah-chilled-water", fan_kw = 6 }, supply_temp_c = 20, units = 3 }
[pods]
llm = { use = "gb200-nvl72", racks = 4, chain = "dc", cooling = "warm", air_cooling = "hall", priority = 1 }
train = { use = "dgx-h100", racks = 6, chain = "ac", cooling = "hall", priority = 2, power_cap_frac = 0.9, restart_s = 60 }
lab = { use = "hgx-h200", racks = 2, chain = "own", cooling = "hall", ramp_up_mw_per_s = 0.1 }
[storage]
yard = { use = "lfp-site", power_mw = 1, energy_mwh = 2, rule = { use = "peak-shaving", target_mw = 1.3 } }
ups = { use = "ups-battery-string", at = ["ac"], power_mw = 0.5, energy_mwh = 0.1, rule = { use = "reserve" } }
shelf = { use = "rack-capacitor-shelf", at = ["llm"], rule = { use = "smoothing", window_min = 2 } }
[renewables]
roof = { use = "pv-fixed", dc_power_mw = 0.8, tilt_deg = 20 }
hill = { use = "wind-iec2", power_mw = 1.0 }
[gensets]
standby = { use = "diesel-standby", power_mw = 1.0 }
[services.chat]
use = "llama-3.1-8b"
precision = "fp8"
pods = ["llm"]
flex_tier = 1
batch_limit = 64
queue_limit_s = 30
accelerators_per_replica = 4
slo = { ttft_p99_s = 2, itl_p99_ms = 100 }
demand = { use = "diurnal", peak_output_tokens_per_s = 2e5, peak_to_mean = 1.8 }
[services.code]
use = "llama-3.1-70b"
pods = ["lab"]
demand = { use = "constant", output_tokens_per_s = 1e4, input_tokens = 100, output_tokens = 50 }
[jobs.finetune]
use = "llama-3.1-8b"
pods = ["train"]
start = 2025-07-07T06:00:00Z
total_tokens = 1e12
checkpoint = { period_min = 1, duration_s = 5 }
evaluation = { period_min = 2, duration_s = 4 }
faults = { accelerator_mtbf_years = 0.01, restart_min = 1 }
[scenario]
start = 2025-07-07T06:00:00Z
days = 0.00347222222
step_s = 1
output_step_s = 30
seed = 3
weather = { use = "tmy3-greensboro" }
tariff = { use = "tou-demand", demand_usd_per_kw_month = 12 }
carbon = { use = "us-average-2023" }
events = [
  { use = "demand-response", start = 2025-07-07T06:02:00Z, notice_min = 1, duration_min = 2, reduce_frac = 0.25 },
  { use = "import-limit", start = 2025-07-07T06:01:00Z, duration_min = 1, limit_mw = 0.9 },
  { use = "price-spike", start = 2025-07-07T06:03:00Z, duration_min = 1, price_usd_per_mwh = 5000 },
]
[control]
use = "demand-response"
period_s = 60
options = { margin_frac = 0.05 }
"""

_AWARE = datetime(2025, 7, 7, 6, tzinfo=UTC)
_NASTY = [
    float("nan"), float("inf"), float("-inf"), -1, -0.5, 0, 1, 2, 0.5, 1e9, -1e9, 1e308, -1e308, 1e-308, 1e-9, 1e15, 10**9,
    10**18, -(10**18), True, False, "", " ", "x" * 3000, "nan", "1", "../../etc", "\0", "é\u2028", "none", "dc", "llm", "chat",
    "N+1", "mine.py:Mine", "os:path", [], [[]], [{}], {}, {"use": "dry-cooler"}, {"use": 3}, {"a": {"b": 1}},
    ["llm"], ["llm", "llm"], [1, "a"], [float("nan")], [float("inf"), 1],
    _AWARE, datetime(2025, 7, 7, 6), datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC),  # noqa: DTZ001
    datetime(2020, 1, 1, tzinfo=UTC), date(2025, 7, 7), time(6),
]  # fmt: skip


def document() -> dict:
    """The whole site as tables."""
    return tomllib.loads(WHOLE)


_PLACES = list(places(document()))

_CELLS = [
    "", "nan", "inf", "-inf", "-1", "0", "1e9", "1e308", "1e400", "abc", '"', "2025-07-07T06:00:00", "2025-07-07T06:00:00+02:00",
    "9999-12-31T23:59:59Z", "2025-02-30T00:00:00Z", "null", "9" * 400,
]  # fmt: skip


@st.composite
def damaged_documents(draw, most: int = 2) -> dict:
    """The whole site with one or two values, keys or tables spoilt."""
    tables = document()
    for _ in range(draw(st.integers(1, most))):
        path = draw(st.sampled_from(_PLACES))
        how = draw(
            st.sampled_from(["value", "value", "value", "scale", "drop", "rename", "add", "wrap", "move"])
        )
        _spoil(tables, path, how, draw)
    return tables


def _spoil(tables, path, how, draw) -> None:
    try:
        parent, last = at(tables, path[:-1]), path[-1]
        there = parent[last]
    except (KeyError, IndexError, TypeError):
        return  # an earlier edit took it away
    if how == "drop":
        del parent[last]
    elif how in ("rename", "add") and isinstance(parent, dict):
        new = draw(st.sampled_from(["unknown", "use", "folder", "", "a.b", "é", "kind"]))
        if how == "rename":
            parent[f"{last}x"] = parent.pop(last)
        else:
            parent[new] = draw(st.sampled_from(_NASTY))
    elif how == "scale" and _is_number(there):
        parent[last] *= draw(st.sampled_from([-1, 0, 1e-12, 1e-3, 1e3, 1e6, 1e9, 1e300]))
    elif how == "wrap":
        parent[last] = draw(st.sampled_from([[there], {str(last): there}]))
    elif how == "move":
        parent[last] = copy.deepcopy(draw(st.sampled_from(list(tables.values()))))
    else:
        parent[last] = draw(st.sampled_from(_NASTY))


@st.composite
def stretched_documents(draw, resolved: dict) -> dict:
    """A resolved site, catalogue figures and all, with one to three of its numbers far from usual."""
    tables = copy.deepcopy(resolved)
    numbers = [path for path in places(resolved) if _is_number(at(resolved, path))]
    for path in draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=3)):
        parent, last = at(tables, path[:-1]), path[-1]
        factor = draw(st.sampled_from([0, -1, 1e-9, 1e-3, 0.1, 0.5, 2, 10, 1e3, 1e6, 1e9, 1e13, None]))
        whole = isinstance(parent[last], int)
        stretched = (
            draw(st.sampled_from([0.999999, 1, 1e-15, 100])) if factor is None else parent[last] * factor
        )
        parent[last] = int(stretched) if whole else stretched
    return tables


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@st.composite
def damaged_texts(draw, text: str = WHOLE) -> bytes:
    """A file with lines cut, doubled, shuffled or overwritten, as bytes."""
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["drop", "twice", "cut", "swap", "piece", "head", "cell", "cell"]))
        if how == "drop":
            del lines[at : at + draw(st.integers(1, 4))]
        elif how == "twice":
            lines[at:at] = lines[at : at + draw(st.integers(1, 6))]
        elif how == "cut":
            lines[at] = lines[at][: draw(st.integers(0, 30))]
        elif how == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif how == "head":
            lines = lines[:at]
        elif how == "cell":
            cells = lines[at].split(",")
            cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(_CELLS))
            lines[at] = ",".join(cells)
        else:
            lines[at] += draw(
                st.sampled_from(["=", "]", '"', "\0", "[[", "\ufeff", "nan", "#", "{", "é", "[pods]"])
            )
        lines = lines or [""]
    raw = "\n".join(lines).encode()
    if draw(st.integers(0, 9)) == 0:
        where = draw(st.integers(0, len(raw)))
        raw = (
            raw[:where]
            + draw(st.sampled_from([b"\xff", b"\xfe\xff", b"\x80", b"\r", b"\0" * 50]))
            + raw[where:]
        )
    return raw
