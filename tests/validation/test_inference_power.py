"""The inference-power case: its bars, held-out rows that stay out, and folders it has never seen."""

import shutil

import numpy as np
import pytest

from aidc.validation.inference_power import cases

FOLDER = "openg2g_h100_traces"


@pytest.fixture(scope="module")
def some(aidc_data, tmp_path_factory):
    """A folder of eight measured traces, without the list of them."""
    folder = tmp_path_factory.mktemp("some") / FOLDER
    folder.mkdir()
    for label, gpus in (("Llama-3.1-8B", 1), ("Llama-3.1-70B", 4)):
        for batch in (32, 64, 128, 256):
            shutil.copy(aidc_data / FOLDER / f"{label}_num_gpus_{gpus}_max_num_seqs_{batch}.csv", folder)
    return folder.parent


def write(folder, name, power_w):
    rows = "".join(f"{k / 10:.1f},{value:.1f}\n" for k, value in enumerate(power_w))
    (folder / name).write_text("relative_time_s,power_total_W\n" + rows)


def test_bars_are_met_on_the_measured_traces(aidc_data):
    found = cases(aidc_data)
    bars = [case for case in found if case.kind == "bar"]
    assert len(bars) == 5
    assert all(case.passed for case in bars), [(case.metric, case.value) for case in bars]
    assert all(case.n == 38 and case.n_unpredicted == 0 for case in found)
    repeatability = found[-1]
    assert repeatability.kind == "shown"
    assert repeatability.value == pytest.approx(16, abs=1)


def test_the_held_out_trace_does_not_enter_its_prediction(some, tmp_path):
    shutil.copytree(some, tmp_path / "changed")
    changed = tmp_path / "changed" / FOLDER / "Llama-3.1-70B_num_gpus_4_max_num_seqs_128.csv"
    changed.chmod(0o644)
    write(changed.parent, changed.name, np.full(300, 900.0))
    item = "Llama-3.1-70B x4 batch 128"
    found = [cases(place) for place in (some, tmp_path / "changed")]
    for index in (0, 1, 2, 3, 5):  # every judged figure, both ways of leaving out
        before, after = (next(row for row in case[index].rows if row.item == item) for case in found)
        assert after.predicted == pytest.approx(before.predicted, rel=1e-6)
        assert after.measured != pytest.approx(before.measured, rel=0.05)


def test_a_folder_of_other_traces(some, tmp_path):
    shutil.copytree(some, tmp_path / "more")
    folder = tmp_path / "more" / FOLDER
    power = 1200 + np.random.default_rng(1).normal(0, 60, 400)
    write(folder, "Brand-New-34B_num_gpus_2_max_num_seqs_48.csv", power)
    write(folder, "mystery_num_gpus_2_max_num_seqs_48.csv", power)
    write(folder, "Llama-3.1-8B_num_gpus_1_max_num_seqs_48.csv", power[:5])
    found = cases(folder.parent)
    rows = {row.item: row for row in found[0].rows}
    assert rows["Brand-New-34B x2 batch 48"].predicted == pytest.approx(1200, rel=0.25)
    assert rows["mystery x2 batch 48"].predicted is None
    assert "no size in its name" in rows["mystery x2 batch 48"].reason
    assert rows["Llama-3.1-8B x1 batch 48"].measured is None
    assert found[0].n == 11
    assert found[0].n_unpredicted == 2


@pytest.mark.parametrize(
    "listing",
    [
        "",
        "model_label,num_gpus,max_num_seqs,trace_file\nLlama-3.1-8B,one,8,absent.csv\n",
        "model_label,num_gpus,max_num_seqs,trace_file\nLlama-3.1-8B,1,8,absent.csv\n",
        "trace_file\n\n",
    ],
)
def test_a_list_of_nothing_readable_neither_fails_nor_predicts(tmp_path, listing):
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "traces_summary.csv").write_text(listing)
    for case in cases(tmp_path):
        assert case.value is None
        assert case.n == case.n_unpredicted


def test_no_folder_no_case(tmp_path):
    assert list(cases(tmp_path)) == []
