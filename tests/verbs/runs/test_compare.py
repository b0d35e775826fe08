"""What differs between runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mlpkit
from mlpkit.verbs.runs.compare import Comparison, compare, lines_of


def test_the_same_run_twice_differs_in_nothing(train):
    train("a")
    train("b")
    found = compare([Path("a"), Path("b")])
    assert found.runs == ["a", "b"]
    assert found.spec == found.versions == found.results == found.curves == found.metrics == {}


def test_what_differs_has_a_value_a_run(train, work):
    first = train("a")
    second = train("b", seed=7, layers__Affine1__units=9, training__optimizer={"adam": {"learning_rate": 0.01}})
    lock = json.loads((work / "b/lock.json").read_text())
    lock["environment"]["numpy"] = "9.9"
    (work / "b/lock.json").write_text(json.dumps(lock))
    found = compare([Path("a"), Path("b")])
    assert found.spec["seed"] == [3, 7]
    assert found.spec["layers.Affine1.Affine.units"] == [16, 9]
    assert found.spec["training.optimizer"] == ["sgd", "adam"]
    assert found.spec["training.optimizer.learning_rate"] == [0.05, 0.01]
    assert "training.batch_size" not in found.spec
    assert list(found.versions) == ["environment.numpy"]
    assert found.versions["environment.numpy"][1] == "9.9"
    assert found.metrics["test.loss"] == [run.metrics["test"]["loss"] for run in (first, second)]
    assert found.curves["train_loss"] == [run.history[-1]["train_loss"] for run in (first, second)]
    assert found.curves["learning_rate"] == [0.05, 0.01]
    assert set(found.results) == {"history.jsonl", "metrics.json", "model.safetensors"}


def test_layers_go_by_their_names(train):
    train("a")
    train("b", layers=[{"Affine": {"units": 10, "name": "Affine2"}}, "SoftmaxWithLoss"])
    spec = compare([Path("a"), Path("b")]).spec
    assert spec["layers.Relu1"] == ["Relu", None]
    assert not any(key.startswith("layers.Affine2") for key in spec)


def test_a_run_that_was_stopped_has_no_metrics(train, work):
    train("a")
    train("b")
    (work / "b/metrics.json").unlink()
    found = compare([Path("a"), Path("b")])
    assert found.metrics["test.loss"][1] is None
    assert found.results["metrics.json"][1] is None


def test_a_folder_that_is_not_a_run_is_refused(train, work):
    train("a")
    with pytest.raises(mlpkit.RunFolderError, match="digits: is not a run folder"):
        compare([Path("a"), Path("digits")])


def test_on_a_narrow_terminal_long_keys_are_cut_and_headings_are_not():
    group = {"rows": 9, "metrics": {"loss": {"value": 0.5, "low": 0.25, "high": 0.75}}}
    by = {"split": "validation", "whole": group, "columns": {"a_column_with_a_long_name": {"x": group}}}
    spec = {"layers.Residual1.Affine1.Affine.units": [10, 20]}
    found = Comparison(["a", "b"], spec, {}, {}, {}, {}, by=[by, by])
    assert [line.rstrip() for line in lines_of(found, 64)] == [
        "                                a                b",
        "spec",
        "  layers.…Affine1.Affine.units  10               20",
        "versions: the same",
        "curves, last values: the same",
        "metrics: no run is finished",
        "results, SHA-256: the same",
        "by a_column_with_a_long_name, rows of validation",
        "  all rows: loss                0.5000 ± 0.2500  0.5000 ± 0.2500",
        "  x: loss                       0.5000 ± 0.2500  0.5000 ± 0.2500",
        "",
    ]


@pytest.mark.parametrize(
    ("width", "beside", "shown"),
    [
        (20, False, "a_…tters"),
        (50, False, "a_nam…f_20_letters"),
        (57, False, "a_name_of_20_letters"),
        (58, True, "a_n…_letters"),
        (72, True, "a_name…f_20_letters"),
        (74, True, "a_name_of_20_letters"),
    ],
)
def test_two_runs_are_side_by_side_if_there_is_room_for_a_key_and_twelve_letters_each(width, beside, shown):
    spec = {"layers.Residual1.Affine1.Affine.units": ["a_name_of_20_letters", None]}
    found = Comparison(["first", "second"], spec, {}, {}, {}, {}, finished=2)
    cells = [line.split()[1:] for line in lines_of(found, width) if "units" in line]
    assert cells == ([[shown, "-"]] if beside else [[shown], ["-"]])
