"""The server-power case: its bars, items that stay out of their own fit, and folders it has never seen."""

import csv

import pytest

from aidc.validation.server_power import cases, rack_of

HEAD = "round,system,benchmark,scenario,gpu_power_cap_W,duration_s,min_wall_W,mean_wall_W\n"


@pytest.fixture(scope="module")
def measured(aidc_data):
    return cases(aidc_data)


def by(found, metric):
    return next(case for case in found if metric in case.metric)


def write(folder, text):
    (folder / "mlperf_inference_power").mkdir()
    (folder / "mlperf_inference_power/summary.csv").write_text(HEAD + text)
    return folder


def test_bars_are_met(measured):
    bars = [case for case in measured if case.kind == "bar"]
    assert len(bars) == 3
    assert all(case.passed for case in bars), [(c.metric, c.value) for c in bars]


def test_no_row_is_dropped(measured):
    wall = by(measured, "wall under limit")
    assert wall.n == 14
    assert wall.n_unpredicted == 3  # runs without a limit
    assert all("limit" in row.reason for row in wall.rows if row.predicted is None)
    ac_dc = by(measured, "AC/DC")
    assert len({row.left_out for row in ac_dc.rows}) == 12
    assert ac_dc.n_unpredicted == 0


def test_idle_servers_are_within_two_percent(measured):
    assert by(measured, "idle").value < 2


def test_a_benchmark_does_not_enter_its_own_prediction(aidc_data, measured, tmp_path):
    with (aidc_data / "mlperf_inference_power/summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["benchmark"] == "gptj-99":
            row["mean_wall_W"] = str(1.3 * float(row["mean_wall_W"]))
            row["min_wall_W"] = str(1.3 * float(row["min_wall_W"]))
    (tmp_path / "mlperf_inference_power").mkdir()
    with (tmp_path / "mlperf_inference_power/summary.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    training = tmp_path / "mlperf_training_power"
    training.mkdir()
    for path in (aidc_data / "mlperf_training_power").glob("*_ac_dc.csv"):
        (training / path.name).write_bytes(path.read_bytes())
    before = {row.item: row.predicted for row in by(measured, "wall under limit").rows}
    after = {row.item: row.predicted for row in by(cases(tmp_path), "wall under limit").rows}
    mine = [item for item in before if "gptj" in item]
    assert len(mine) == 2
    assert [after[item] for item in mine] == [before[item] for item in mine]
    assert any(after[item] != before[item] for item in before if item not in mine)


def test_a_run_does_not_enter_its_own_efficiency(aidc_data, measured, tmp_path):
    training = tmp_path / "mlperf_training_power"
    training.mkdir()
    for path in (aidc_data / "mlperf_training_power").glob("*_ac_dc.csv"):
        text = path.read_text()
        if path.name.startswith("resnet_1node_h100_run2"):
            head, *rows = text.splitlines()
            cells = [row.split(",") for row in rows]
            text = "\n".join([head, *(f"{t},{1.1 * float(ac)},{dc}" for t, ac, dc in cells)])
        (training / path.name).write_text(text)
    before = {row.item: row for row in by(measured, "AC/DC").rows}
    after = {row.item: row for row in by(cases(tmp_path), "AC/DC").rows}
    mine = [item for item in before if "resnet_1node_h100_run2" in item and item in after]
    assert mine
    for item in mine:
        assert after[item].measured == pytest.approx(before[item].measured / 1.1, rel=0.01)
        assert after[item].predicted == pytest.approx(before[item].predicted, rel=1e-9)


def test_other_servers_get_the_constants_of_their_class(tmp_path):
    write(
        tmp_path,
        "r,SR680aV3-8xB200_SXM_180GB,llama2-70b-99,Offline,800,600,2800,9900\n"
        "r,SR780aV3-8xB200_SXM_180GB,llama2-70b-99,Offline,800,600,2360,8700\n"
        "r,SR780aV3-8xB200_SXM_180GB,llama2-70b-99,Server,,600,2360,8700\n"
        "r,GB200-NVL72x4,llama2-70b-99,Offline,800,600,2360,8700\n"
        "r,mystery,llama2-70b-99,Offline,800,600,2360,8700\n",
    )
    found = cases(tmp_path)
    rows = by(found, "wall under limit").rows
    assert [row.predicted is None for row in rows] == [False, False, True, True, True]
    assert rows[0].predicted > rows[1].predicted > 8 * 800
    assert all(row.reason for row in rows[2:])
    assert rows[0].left_out is None  # its own class, not a refit


def test_cooling_is_read_from_the_name():
    assert rack_of("SR780aV3-8xB200", "b200").cooling == "liquid"
    assert rack_of("SR680aV3-8xB200", "b200").cooling == "air"
    assert rack_of("H200-SXM-141GBx8", "h200").accelerator == "h200"
    assert rack_of("MI300X x8", "mi300x") is None


def test_cells_that_are_no_figures_are_counted(tmp_path):
    write(tmp_path, "r,H200x8,a,Offline,nan,1,2,3\nr,H200x8,b,Offline,400,1,2300,-1\n,,,,,,,\n")
    wall = by(cases(tmp_path), "wall under limit")
    assert wall.n == wall.n_unpredicted == 3
    assert wall.value is None


def test_a_run_without_a_steady_stretch_is_counted(tmp_path):
    (tmp_path / "mlperf_training_power").mkdir()
    path = tmp_path / "mlperf_training_power/x_1node_h100_run1_ac_dc.csv"
    path.write_text("t_s,ac_W,dc_W\n" + "".join(f"{k},{2000 + 200 * (k % 2)},1900\n" for k in range(40)))
    (row,) = by(cases(tmp_path), "worst").rows
    assert row.predicted is None
    assert "steady" in row.reason


def test_no_folder_no_case(tmp_path):
    assert list(cases(tmp_path)) == []
