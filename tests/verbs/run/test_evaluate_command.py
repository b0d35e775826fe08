"""``mlpkit evaluate``."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from mlpkit.verbs.run.evaluate_command import _table


@pytest.fixture
def run(invoke):
    assert invoke("run", "tiny.yaml", "--quiet").code == 0
    return "runs/tiny"


def test_every_split_is_evaluated(run, cwd, invoke):
    metrics = json.loads((cwd / run / "metrics.json").read_text())
    done = invoke("evaluate", run)
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["split", "loss", "accuracy"]
    assert [row[0] for row in rows[1:]] == ["train", "validation", "test"]
    for split, loss, accuracy in rows[1:]:
        assert float(loss) == pytest.approx(metrics[split]["loss"], abs=6e-5)
        assert float(accuracy) == pytest.approx(metrics[split]["accuracy"], abs=6e-5)


def test_columns_are_aligned(run, invoke):
    lines = invoke("evaluate", run).out.splitlines()
    assert len({len(line) for line in lines}) == 1


def test_a_calibrated_run_has_log_loss_and_calibration_error(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--quiet", "--set", "calibration=temperature").code == 0
    header, *rows = (line.split() for line in invoke("evaluate", "runs/tiny").out.splitlines())
    assert header == ["split", "loss", "accuracy", "log_loss", "calibration_error"]
    for _, loss, _, log_loss, error in rows:
        assert loss == log_loss
        assert 0 <= float(error) <= 1


def test_only_the_splits_asked_for(run, cwd, invoke):
    done = invoke("evaluate", run, "--split", "test", "--split", "train", "--json")
    found = json.loads(done.out)
    assert list(found) == ["test", "train"]
    assert found["test"] == json.loads((cwd / run / "metrics.json").read_text())["test"]


def test_an_unknown_split_is_wrong_usage(run, invoke):
    done = invoke("evaluate", run, "--split", "tset")
    assert (done.code, done.out) == (2, "")
    assert "train, validation, test" in done.err


def test_a_damaged_model_is_a_failure_of_the_work(run, cwd, invoke):
    model = cwd / run / "model.safetensors"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    done = invoke("evaluate", run)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: ")


def test_a_model_of_a_plugins_layer_needs_the_plugin(invoke):
    layers = "layers=[acme.Slow: {seconds: 0}, Affine: {units: 10}, SoftmaxWithLoss]"
    assert invoke("run", "tiny.yaml", "--quiet", "--plugin", "acme.py", "--set", layers).code == 0
    assert invoke("evaluate", "runs/tiny").code == 2
    assert invoke("evaluate", "runs/tiny", "--plugin", "acme.py").code == 0


def test_a_table_is_shown_class_by_class(cwd, invoke):
    metrics = "training.metrics=[accuracy, confusion_matrix]"
    assert invoke("run", "tiny.yaml", "--quiet", "--set", metrics).code == 0
    done = invoke("evaluate", "runs/tiny", "--split", "test")
    lines = done.out.splitlines()
    assert lines[0].split() == ["split", "loss", "accuracy"]
    assert lines[2:4] == ["", "test confusion_matrix: rows target, columns predicted"]
    assert lines[4].split() == [str(digit) for digit in range(10)]
    rows = [[int(cell) for cell in line.split()] for line in lines[5:]]
    assert [row[0] for row in rows] == list(range(10))
    stored = json.loads((cwd / "runs/tiny/metrics.json").read_text())["test"]["confusion_matrix"]
    assert [row[1:] for row in rows] == stored
    assert json.loads(invoke("evaluate", "runs/tiny", "--json").out)["test"]["confusion_matrix"] == stored


def test_a_table_has_the_names_of_the_classes(cwd, invoke):
    assert invoke("init", "flowers").code == 0
    short = ("--set", "training.metrics=[confusion_matrix]", "--quiet", "--out", "flowers")
    assert invoke("run", "flowers.mlpkit.yaml", *short).code == 0
    lines = invoke("evaluate", "flowers", "--split", "test").out.splitlines()
    assert lines[4].split() == ["bellflower", "foxglove", "hellebore"]
    assert [line.split()[0] for line in lines[5:8]] == lines[4].split()


@pytest.mark.parametrize("change", ["a row more", "a row less"])
def test_a_change_of_data_is_reported_beside_the_results(cwd, invoke, change):
    generator = np.random.default_rng(0)
    rows = [f"{x:.3f},{'b' if x > 0 else 'a'}" for x in generator.normal(size=100)]
    (cwd / "points.csv").write_text("\n".join(["x,class", *rows]))
    options = ("--set", "data={csv: {file: points.csv, target: class}}", "--set", "layers.Affine2.units=2")
    assert invoke("run", "tiny.yaml", "--quiet", *options, "--set", "training.batch_size=10").code == 0
    assert invoke("evaluate", "runs/tiny").err == ""
    rows = [*rows, "0.5,b"] if change == "a row more" else rows[:-1]
    (cwd / "points.csv").write_text("\n".join(["x,class", *rows]))
    done = invoke("evaluate", "runs/tiny")
    then = json.loads((cwd / "runs/tiny/lock.json").read_text())["data_checksum"]
    now = hashlib.sha256((cwd / "points.csv").read_bytes()).hexdigest()
    assert done.err == (
        "warning: runs/tiny: the data is not what the network was trained on: "
        f"data_checksum: {then[:12]}... then, {now[:12]}... now\n"
    )
    assert (done.code, done.out.splitlines()[0].split()) == (0, ["split", "loss", "accuracy"])
    as_json = invoke("evaluate", "runs/tiny", "--json")
    assert (as_json.code, as_json.err) == (0, done.err)
    assert list(json.loads(as_json.out)) == ["train", "validation", "test"]


def test_without_a_lock_the_figures_are_printed_with_a_warning(run, cwd, invoke):
    expected = invoke("evaluate", run).out
    (cwd / run / "lock.json").unlink()
    done = invoke("evaluate", run)
    assert (done.code, done.out) == (0, expected)
    assert done.err.startswith(f"warning: {run}: can't check whether the data is what the network was trained on: ")


def test_rows_and_columns_of_a_table_have_the_names_of_classes_if_they_are_as_many():
    assert _table([[1, 20], [300, 4]], ("a", "bcd")) == ["         a  bcd", "  a      1   20", "  bcd  300    4"]
    assert _table([[1, 20], [300, 4]], ("a",)) == ["       0   1", "  0    1  20", "  1  300   4"]
    assert _table([[1, 2, 3], [4, 5, 6]], ("a", "b")) == ["     0  1  2", "  a  1  2  3", "  b  4  5  6"]
    assert _table([[1], [2]], ("a", "b")) == ["     0", "  a  1", "  b  2"]


def test_seeds_without_a_lock_are_evaluated_with_a_warning(cwd, invoke):
    assert invoke("run", "tiny.yaml", "--quiet", "--out", "seeds", "--seeds", "2").code == 0
    expected = invoke("evaluate", "seeds")
    assert expected.err == ""
    for lock in (cwd / "seeds").glob("*/lock.json"):
        lock.unlink()
    done = invoke("evaluate", "seeds")
    assert (done.code, done.out) == (0, expected.out)
    assert done.err.startswith("warning: seeds: can't check whether the data is what the network was trained on: ")
    assert done.err.count("\n") == 1
