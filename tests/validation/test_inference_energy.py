"""The inference-energy case: its bars, models that stay left out, and folders it has never seen."""

import csv
import random

import pytest

from aidc.calibrate.inference import fit, main, predict_rows, shipped, usable
from aidc.calibrate.inference_priors import CALIBRATED_FAMILIES, CALIBRATED_MODELS, CONSTANTS
from aidc.calibrate.inference_rows import (
    accelerator_of,
    family_of,
    group_of,
    is_text,
    known_llm,
    read_v2,
    read_v3,
)
from aidc.schema.accelerator import InferenceConstants
from aidc.validation.inference_energy import cases

FILE = "mlenergy_v3/llm_configurations.csv"
MEASURED = ("avg_power_watts", "output_throughput_tokens_per_sec", "energy_per_token_joules", "median_itl_ms")


@pytest.fixture(scope="module")
def table(measured):
    path = measured(str(FILE))
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def put(folder, rows):
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder


def energy(folder, metric="J/token, median |error|, model left out"):
    return next(case for case in cases(folder) if case.metric == metric)


def test_bars_are_met_with_model_and_with_family_left_out(aidc_data, table):
    found = cases(aidc_data)
    bars = {case.metric: case for case in found if case.kind == "bar"}
    assert len(bars) == 6
    assert all(case.passed for case in bars.values()), {m: c.value for m, c in bars.items()}
    assert bars["J/token, median |error|, model left out"].value < 12
    assert bars["J/token, median |error|, family left out"].value < 13
    text = [row for row in table if is_text(row["task"])]
    assert all(case.n == len(text) and case.n_unpredicted == 0 for case in bars.values())
    baselines = [case.value for case in found if "baseline" in case.metric]
    assert min(baselines) > 2 * bars["J/token, median |error|, model left out"].value


def test_a_models_own_measurements_do_not_enter_its_prediction(table, tmp_path):
    rows = [row for row in table if "Dense" in row["architecture"] and is_text(row["task"])]
    spoiled = [
        {**row, **dict.fromkeys(MEASURED, "123.4")} if "Qwen3-14B" in row["model_id"] else row for row in rows
    ]
    before, after = (energy(put(tmp_path / name, some)) for name, some in (("a", rows), ("b", spoiled)))
    mine = [i for i, row in enumerate(rows) if "Qwen3-14B" in row["model_id"]]
    assert mine
    for i in mine:
        # the solver starts from a fit on all rows, so it may stop a hair elsewhere
        assert after.rows[i].predicted == pytest.approx(before.rows[i].predicted, rel=0.02)
        assert after.rows[i].left_out == "qwen3-14b"


def test_a_model_never_seen_is_predicted_with_the_constants_that_ship(table, tmp_path):
    rows = [{**row, "model_id": "acme/Newborn-14B"} for row in table if row["model_id"] == "Qwen/Qwen3-14B"]
    spoiled = [{**row, **dict.fromkeys(MEASURED, "5")} for row in rows]
    new = energy(put(tmp_path / "a", rows))
    assert new.n_unpredicted == 0
    assert new.value < 20
    assert {row.inputs["constants"] for row in new.rows} == {"shipped"}
    assert {row.inputs["architecture"] for row in new.rows} == {"from size"}
    again = energy(put(tmp_path / "b", spoiled))
    assert [row.predicted for row in again.rows] == [row.predicted for row in new.rows]


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("gpu_model", "MI300X", "no accelerator"),
        ("gpu_model", "", "no accelerator"),
        ("num_gpus", "nan", "num_gpus"),
        ("num_gpus", "1.5", "parallelism"),
        ("data_parallel", "3", "parallelism"),
        ("max_num_seqs", "-3", "max_num_seqs"),
        ("max_num_seqs", "1e9", "max_num_seqs"),
        ("weight_precision", "zzz", "weight_precision"),
        ("model_id", "", ""),
        ("total_params_billions", "1e300", "total_params"),
        ("activated_params_billions", "99999", "exceed"),
        ("avg_output_len", "", "avg_output_len"),
        ("energy_per_token_joules", "x", None),
        ("avg_power_watts", "inf", None),
        ("gpu_model", "NVIDIA H200 141GB", None),
        ("task", "some-new-text-task", None),
    ],
)
def test_an_odd_row_is_predicted_or_says_why(table, tmp_path, key, value, why):
    few = [dict(row) for row in table if row["model_id"] == "Qwen/Qwen3-14B"][:4]
    few[0][key] = value
    if key == "model_id":
        few[0]["nickname"] = ""
        why = "no model_id"
    found = energy(put(tmp_path, few))
    assert found.n == 4
    row = found.rows[0]
    if why is None:
        assert row.predicted is not None
        assert 0 < row.predicted < 1e3
    else:
        assert row.predicted is None
        assert why in row.reason
    assert found.n_unpredicted == (why is not None)


def test_a_folder_without_the_file_or_with_an_empty_one_gives_no_case(tmp_path):
    assert cases(tmp_path) == []
    (tmp_path / "llm_configurations.csv").write_text("")
    assert cases(tmp_path) == []


def test_mangled_cells_never_raise(table, tmp_path):
    rng = random.Random(7)  # noqa: S311 (mutations of test data, no secret)
    junk = ["", "nan", "-1", "0", "1e308", "abc", "∞", "inf", "1e-300", " 8 "]
    for trial in range(4):
        some = [dict(row) for row in rng.sample(table, 12)]
        for row in some:
            row[rng.choice(list(row))] = rng.choice(junk)
        for case in cases(put(tmp_path / str(trial), some)):
            assert all((row.predicted is None) == bool(row.reason) for row in case.rows)
            assert all(row.predicted is None or 0 < row.predicted < 1e9 for row in case.rows)


@pytest.mark.parametrize(
    ("model_id", "group", "family"),
    [
        ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "qwen3-235b-a22b", "qwen"),
        ("Qwen/Qwen3-VL-235B-A22B-Instruct", "qwen3-235b-a22b", "qwen"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3-30b-a3b", "qwen"),
        ("google/gemma-3-27b-it", "gemma-3-27b", "google"),
        ("nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-BF16", "nemotron-nano-12b-v2", "nvidia"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1", "deepseek-ai"),
    ],
)
def test_siblings_are_one_model(model_id, group, family):
    assert group_of(model_id) == group
    assert family_of(model_id) == family
    assert known_llm(model_id) is not None


def test_the_shipped_calibration_lists_the_models_it_knows(table):
    text = [row for row in table if is_text(row["task"])]
    assert {group_of(row["model_id"]) for row in text} == CALIBRATED_MODELS
    assert {family_of(row["model_id"]) for row in text} == CALIBRATED_FAMILIES
    assert set(CONSTANTS) == set(InferenceConstants.model_fields)


def test_accelerators_are_found_under_their_benchmark_names():
    assert accelerator_of("NVIDIA H100 80GB HBM3") == "h100"
    assert accelerator_of("NVIDIA A100-SXM4-40GB") == "a100-40gb"
    assert accelerator_of("GB200") == "gb200"
    assert accelerator_of("B200") == "b200"
    assert accelerator_of("MI300X") is None


def test_older_software_is_fitted_as_well(measured):
    """ML.ENERGY v2: other models, A100 and H100 of 2024; one model left out."""
    path = measured("mlenergy_v2/llm_configurations.csv")
    rows = [row for row in read_v2(path) if usable(row)]
    inside = [row for row in rows if row.group == "llama-3.1-70b"]
    others = [row for row in rows if row.group != "llama-3.1-70b"]
    assert inside
    rate, power, _ = predict_rows(inside, fit(others))
    error = [p / r / row.energy_j - 1 for p, r, row in zip(power, rate, inside, strict=True)]
    assert sorted(map(abs, error))[len(error) // 2] < 0.25


def test_the_fit_prints_the_constants_that_ship(table, capsys, tmp_path):
    few = [row for row in table if "Dense" in row["architecture"] and is_text(row["task"])]
    assert main([str(put(tmp_path, few))]) == 0
    out = capsys.readouterr().out
    assert "# b200" in out
    assert all(out.count(f"\n{name} = ") == 2 for name in CONSTANTS)
    assert main([]) == 2
    assert main([str(tmp_path / "absent")]) == 2


def test_shipped_constants_are_those_of_the_fit(aidc_data):
    rows = [row for row in read_v3(aidc_data / FILE) if is_text(row.task)]
    fresh, kept = fit(rows), shipped()
    for name in ("h100", "b200"):
        for key in CONSTANTS:
            assert kept.constants[name][key] == pytest.approx(fresh.constants[name][key], rel=0.08), key
