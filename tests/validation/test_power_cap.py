"""The power-cap case: its bars, workloads that stay out of their own fit, and folders it has never seen."""

import csv
import shutil

import pytest

from aidc.validation.power_cap import cases

SETS = {
    "emerald_2025": ("dvfs_sweep.csv",),
    "mlperf_inference_power": ("summary.csv",),
    "zeus_power_limit": ("summary_power_a40.csv", "summary_power_v100.csv"),
}


def copy(aidc_data, folder, names=tuple(SETS)):
    for name in names:
        (folder / name).mkdir()
        for file in SETS[name]:
            (folder / name / file).write_bytes((aidc_data / name / file).read_bytes())
    return folder


def edit(path, change, target=None):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [row for row in rows if change(row) is not False]
    with (target or path).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)


def left_out(found, dataset):
    return next(c for c in found if c.dataset == dataset and c.kind == "bar")


@pytest.fixture(scope="module")
def measured(aidc_data):
    return cases(aidc_data)


def test_bars_are_met_on_every_set_and_pooled(measured):
    bars = [case for case in measured if case.kind == "bar"]
    assert len(bars) == 10
    assert all(case.passed for case in bars), [(c.dataset, c.metric, c.value) for c in bars]


def test_predicting_one_scores_far_worse(measured):
    for dataset in {case.dataset for case in measured}:
        value = left_out(measured, dataset).value
        one = next(c for c in measured if c.dataset == dataset and "1.0" in c.metric)
        assert one.kind == "shown"
        assert one.value > 3 * value


def test_no_row_is_dropped(measured):
    pooled = left_out(measured, "all")
    loose = next(c for c in measured if "not binding" in c.metric)
    highest = 68 + 53 + 8  # the uncapped rows that the others are relative to
    assert pooled.n + loose.n == 476 + 453 + 48 + 14 - highest
    assert pooled.n_unpredicted == 3  # MLPerf runs without a limit
    assert all(row.reason for row in pooled.rows if row.predicted is None)


@pytest.mark.parametrize(
    ("dataset", "file", "is_it", "column"),
    [
        ("zeus_power_limit/v100", "summary_power_v100.csv", ("network", "resnet50"), "time_per_epoch"),
        ("emerald_2025", "dvfs_sweep.csv", ("Workload", "infer_llama_8b"), "throughput"),
        ("mlperf_inference_power", "summary.csv", ("benchmark", "mixtral-8x7b"), "throughput_ratio_capped"),
    ],
)
def test_a_workload_does_not_enter_its_own_prediction(
    aidc_data, measured, tmp_path, dataset, file, is_it, column
):
    """Spoil the measured figures of one workload: its predictions stay, others' change."""
    folder = copy(aidc_data, tmp_path)
    top = {"summary_power_v100.csv": ("power_limit", 250), "dvfs_sweep.csv": ("GPU power cap", 400)}.get(file)

    def spoil(row):
        mine = row[is_it[0]].startswith(is_it[1])
        if mine and not (top and float(row[top[0]]) == top[1]):
            row[column] = str(0.4 * float(row[column]))

    edit(folder / dataset.split("/")[0] / file, spoil)
    before = {row.item: row.predicted for row in left_out(measured, dataset).rows}
    after = {row.item: row.predicted for row in left_out(cases(folder), dataset).rows}
    mine = [item for item in before if is_it[1] in item]
    assert mine
    assert {item: after[item] for item in mine} == {item: before[item] for item in mine}
    assert any(after[item] != before[item] for item in before if item not in mine)


def test_an_unknown_accelerator_is_predicted(aidc_data, tmp_path):
    folder = tmp_path / "zeus_power_limit"
    folder.mkdir()
    shutil.copy(aidc_data / "zeus_power_limit/summary_power_a40.csv", folder / "summary_power_rtx6000.csv")
    case = left_out(cases(tmp_path), "zeus_power_limit/rtx6000")
    assert case.n == 186
    assert case.n_unpredicted == 0
    assert case.value < 8


def test_an_unknown_accelerator_with_one_workload_gets_the_generic_constants(aidc_data, tmp_path):
    (tmp_path / "zeus_power_limit").mkdir()
    edit(
        aidc_data / "zeus_power_limit/summary_power_v100.csv",
        lambda row: row["dataset"] == "squad",
        tmp_path / "zeus_power_limit/summary_power_p100.csv",
    )
    case = left_out(cases(tmp_path), "zeus_power_limit/p100")
    assert case.n_unpredicted == 0
    assert {row.inputs["constants"] for row in case.rows} == {"shipped"}
    assert case.value < 15


def test_too_few_rows_of_a_workload_that_the_constants_know_are_not_predicted(aidc_data, tmp_path):
    (tmp_path / "zeus_power_limit").mkdir()
    edit(
        aidc_data / "zeus_power_limit/summary_power_v100.csv",
        lambda row: row["dataset"] == "squad",
        tmp_path / "zeus_power_limit/summary_power_v100.csv",
    )
    case = left_out(cases(tmp_path), "zeus_power_limit/v100")
    assert case.value is None
    assert case.n_unpredicted == case.n > 0
    assert all("refit" in row.reason for row in case.rows)


def test_too_few_rows_of_a_new_workload_are_predicted(tmp_path):
    (tmp_path / "zeus_power_limit").mkdir()
    (tmp_path / "zeus_power_limit/summary_power_v100.csv").write_text(
        "dataset,network,batch_size,optimizer,power_limit,time_per_epoch,average_power\n"
        "wiki,gpt2,8,adam,250,10,220\nwiki,gpt2,8,adam,150,12,149\n"
    )
    (row,) = left_out(cases(tmp_path), "zeus_power_limit/v100").rows
    assert row.predicted == pytest.approx(83, abs=8)
    assert row.left_out == "wiki/gpt2"


def test_cells_that_are_no_figures_are_counted(aidc_data, tmp_path):
    folder = copy(aidc_data, tmp_path, ("zeus_power_limit",))
    path = folder / "zeus_power_limit/summary_power_a40.csv"
    spoiled = []

    def spoil(row):
        if row["dataset"] == "squad" and row["power_limit"] == "150":
            row["time_per_epoch"] = ("", "nan", "-3", "inf", "abc")[len(spoiled) % 5]
            spoiled.append(row)

    edit(path, spoil)
    case = left_out(cases(folder), "zeus_power_limit/a40")
    assert case.n == 186
    assert case.n_unpredicted == len(spoiled) > 4
    assert case.value < 8


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\xff", "power_limit\n\n\n"])
def test_files_without_rows_give_no_trouble(tmp_path, content):
    (tmp_path / "zeus_power_limit").mkdir()
    (tmp_path / "zeus_power_limit/summary_power_x.csv").write_text(content)
    (tmp_path / "emerald_2025").mkdir()
    (tmp_path / "emerald_2025/dvfs_sweep.csv").write_text(content)
    (tmp_path / "mlperf_inference_power").mkdir()
    (tmp_path / "mlperf_inference_power/summary.csv").write_text(content)
    for case in cases(tmp_path):
        assert case.n_unpredicted == case.n or "1.0" in case.metric


def test_no_folder_no_case(tmp_path):
    assert list(cases(tmp_path)) == []
