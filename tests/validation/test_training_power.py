"""The training-power case: its bars, its refusal to look ahead, and folders it has never seen."""

import csv
import shutil

import numpy as np
import pytest

from aidc.validation.training_power import cases

RUN = "gpt3_175b_64node_h100_run1"


def by_metric(found):
    return {case.metric.split(",")[0]: case for case in found}


def write_run(
    folder, name, *, cycles, train_s, pause_s, high_w=6800.0, low_w=6200.0, pause_w=5500.0, step_s=1.0
):
    """A synthetic run of two nodes: two-level iterations of a fifth of a block, then a pause."""
    folder.mkdir(parents=True, exist_ok=True)
    period_s = train_s + pause_s
    with (folder / f"{name}_events.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["t_s", "event", "cumulative_tokens", "note"])
        out.writerow([0, "run_start", "", ""])
        for k in range(cycles):
            for at, event in (
                (0, "block_start"),
                (train_s, "block_stop"),
                (train_s, "eval_start"),
                (period_s, "eval_stop"),
            ):
                out.writerow([k * period_s + at, event, "", ""])
        out.writerow([cycles * period_s, "run_stop", "", ""])
    times = np.arange(0, cycles * period_s, step_s)
    within = times % period_s
    iteration_s = train_s / 5
    low = within % iteration_s > 0.7 * iteration_s
    power = np.where(within >= train_s, pause_w, np.where(low, low_w, high_w))
    noise = np.random.default_rng(1).normal(0, 20, (2, times.size))
    with (folder / f"{name}_ac.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["t_s", "node_1_W", "node_2_W"])
        out.writerows(zip(times, power + noise[0], power + noise[1], strict=True))


def test_bars_are_met_on_the_measured_runs(aidc_data):
    found = cases(aidc_data)
    bars = [case for case in found if case.kind == "bar"]
    assert len(bars) == 4
    assert all(case.passed for case in bars), [(case.metric, case.value) for case in bars]
    files = {path.name for path in (aidc_data / "mlperf_training_power").glob("*node*.csv")}
    shown = {row.item.split()[0] for case in found for row in case.rows}
    assert {name for name in files if RUN not in name} <= shown


def test_later_cycles_do_not_enter_the_prediction(aidc_data, tmp_path):
    folder = tmp_path / "mlperf_training_power"
    folder.mkdir()
    source = aidc_data / "mlperf_training_power"
    shutil.copy(source / f"{RUN}_events.csv", folder)
    with (source / f"{RUN}_ac.csv").open(newline="") as stream:
        header, *lines = list(csv.reader(stream))
    for line in lines:
        if float(line[0]) > 425.6:
            line[1:] = [str(float(cell) * 0.5) for cell in line[1:]]
    with (folder / f"{RUN}_ac.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *lines])
    before = by_metric(cases(aidc_data))["energy of the rest of the run"].rows[0]
    after = by_metric(cases(tmp_path))["energy of the rest of the run"].rows[0]
    assert after.predicted == pytest.approx(before.predicted)
    assert after.measured == pytest.approx(before.measured / 2)


@pytest.mark.parametrize(
    ("train_s", "pause_s", "step_s"), [(100.0, 20.0, 1.0), (300.0, 60.0, 5.0), (47.3, 11.9, 1.0)]
)
def test_other_periods_are_learned(tmp_path, train_s, pause_s, step_s):
    write_run(
        tmp_path / "mlperf_training_power", "other_2node_h200_run9",
        cycles=14, train_s=train_s, pause_s=pause_s, step_s=step_s,
    )  # fmt: skip
    found = by_metric(cases(tmp_path))
    assert all(case.passed for case in found.values() if case.kind == "bar")
    drop = found["drop from training to evaluation"].rows[0]
    assert drop.measured == pytest.approx(2 * (0.7 * 6800 + 0.3 * 6200 - 5500), rel=0.06)


def test_a_run_with_three_cycles_is_named_and_not_predicted(tmp_path):
    write_run(tmp_path / "mlperf_training_power", "short_2node_h100_run1", cycles=3, train_s=60, pause_s=20)
    case = by_metric(cases(tmp_path))["energy of the rest of the run"]
    assert (case.value, case.n, case.n_unpredicted) == (None, 1, 1)
    assert "more than 3 are needed" in case.rows[0].reason


@pytest.mark.parametrize(
    "body",
    ["", "t_s,ac_W\n", "t_s,ac_W\n0,x\n1,y\n", "t_s,speed\n" + "1,2\n" * 20, "t_s,ac_W\n" + "1,5000\n" * 20],
)
def test_an_unreadable_file_is_a_row_with_a_reason(tmp_path, body):
    folder = tmp_path / "mlperf_training_power"
    folder.mkdir()
    (folder / "bert_1node_h100_run1_ac.csv").write_text(body)
    case = by_metric(cases(tmp_path))["one-node runs"]
    assert (case.value, case.n_unpredicted) == (None, 1)
    assert case.rows[0].reason


def test_an_accelerator_alone_is_predicted_by_rated_power_or_says_why(tmp_path):
    folder = tmp_path / "mlperf_training_power"
    folder.mkdir()
    for accelerator in ("h200", "tpu9"):
        rows = "".join(f"{k},6900\n" for k in range(40))
        (folder / f"bert_1node_{accelerator}_run1_ac.csv").write_text("t_s,ac_W\n" + rows)
    known, unknown = sorted(cases(tmp_path)[0].rows, key=lambda row: row.item)
    assert known.predicted == pytest.approx(6900, rel=0.10)
    assert unknown.predicted is None
    assert "rated power" in unknown.reason


def test_no_folder_no_case(tmp_path):
    assert list(cases(tmp_path)) == []
