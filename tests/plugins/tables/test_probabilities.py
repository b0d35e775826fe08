"""Targets of a table that are the probabilities of classes, such as another model's predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpkit
from mlpkit import Classes, DataError, ParameterError
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.losses.ordinal import Ordinal
from mlpkit_plugins.losses.sigmoid_with_loss import SigmoidWithLoss
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

NONE = {"validation": 0, "test": 0}
COLUMNS = ("probability_no", "probability_yes")
TABLE = "a,probability_no,probability_yes\n1,0.25,0.75\n2,1,0\n3,0.33333,0.66666\n"


def soft(file, **parameters):
    return Csv(file, COLUMNS, **{"predict": "probabilities", **NONE, **parameters})


def targets(dataset):
    description = dataset.describe()
    part = dataset.open(0)["train"]
    x, t = np.empty((len(part), *description.input_shape)), np.empty((len(part), 2))
    part.take(np.arange(len(part)), (x, t))
    return t


def test_targets_are_rows_that_sum_to_1_and_classes_are_named_by_their_columns(write):
    dataset = soft(write(TABLE))
    assert dataset.describe().target == Classes(2, one_hot=True)
    assert dataset.class_names() == ("no", "yes")
    t = targets(dataset)
    assert t[:2].tolist() == [[0.25, 0.75], [1, 0]]
    np.testing.assert_allclose(t[2], [1 / 3, 2 / 3], atol=1e-5)
    assert (t.sum(axis=1) == 1).all()


def test_classes_names_the_class_of_each_column(write):
    dataset = soft(write(TABLE), classes=("bad", "good"))
    dataset.describe()
    assert dataset.class_names() == ("bad", "good")


def test_a_row_without_a_probability_is_left_out(write):
    assert soft(write(TABLE + "4,,0.5\n")).describe().sizes == {"train": 3}


@pytest.mark.parametrize(
    ("row", "column", "found"),
    [
        ("4,1.5,-0.5", "probability_no", "1.5 is not a probability; expected 0 to 1"),
        ("4,0.5,-0.5", "probability_yes", "-0.5 is not a probability; expected 0 to 1"),
        ("4,0.5,0.25\n5,0.125,0.5", "probability_no", "the probabilities of the 2 classes sum to 0.75; expected 1"),
    ],
)
def test_other_numbers_are_errors_at_their_place(write, row, column, found):
    with pytest.raises(DataError) as caught:
        soft(write(TABLE + row + "\n")).describe()
    assert (caught.value.path, caught.value.row, caught.value.column) == ("data.csv", 5, column)
    assert found in caught.value.message


@pytest.mark.parametrize(("yes", "is_valid"), [(0.7509, True), (0.7491, True), (0.7511, False), (0.7489, False)])
def test_probabilities_may_be_rounded_to_three_digits(write, yes, is_valid):
    dataset = soft(write(f"a,probability_no,probability_yes\n1,0.25,{yes}\n2,0,1\n"))
    if is_valid:
        np.testing.assert_allclose(targets(dataset)[0], np.array([0.25, yes]) / (0.25 + yes), rtol=1e-15)
        return
    with pytest.raises(DataError, match=f"of the 2 classes sum to {0.25 + yes:g}; expected 1; name the columns of all"):
        dataset.describe()


@pytest.mark.parametrize(
    ("target", "classes", "parameter"),
    [(("probability_yes",), None, "target"), (COLUMNS, ("a", "b", "c"), "classes")],
)
def test_each_class_needs_a_column(write, target, classes, parameter):
    with pytest.raises(ParameterError) as caught:
        Csv(write(TABLE), target, predict="probabilities", classes=classes, **NONE)
    assert caught.value.parameter == parameter


@pytest.mark.parametrize(("loss", "inputs"), [(SoftmaxWithLoss, 3), (SigmoidWithLoss, 1), (Ordinal, 1)])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_loss_and_its_gradient_are_means_over_the_probabilities_of_classes(loss, inputs, data):
    count = 3 if loss is not SigmoidWithLoss else 2
    weights = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count)))
    x = np.array([data.draw(st.lists(st.floats(-3, 3), min_size=inputs, max_size=inputs))])

    def found(row):
        layer = loss()
        network = mlpkit.Sequential([layer], input_shape=(inputs,), target=Classes(count, one_hot=True), dtype="f8")
        value = network.replicas[0].loss.forward(x, np.array([row]))
        return value, network.replicas[0].loss.backward()

    p = weights / weights.sum()
    of_classes = [found(row) for row in np.eye(count)]
    value, gradient = found(p)
    assert value == pytest.approx(sum(share * of for share, (of, _) in zip(p, of_classes, strict=True)))
    expected = sum(share * of for share, (_, of) in zip(p, of_classes, strict=True))
    np.testing.assert_allclose(gradient, expected, atol=1e-12)


def test_predictions_kept_with_their_inputs_are_a_table_to_learn_from(invoke, write):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, 2)).round(3)
    kinds = ["yes" if a > b else "no" for a, b in rows]
    table = [f"{a},{b},{kind}" for (a, b), kind in zip(rows, kinds, strict=True)]
    write("\n".join(["a,b,kind", *table]), "rows.csv")
    layers = [{"Affine": {"units": 8}}, "Tanh", {"Affine": {"units": "auto"}}, "SoftmaxWithLoss"]
    training = {"optimizer": {"adam": {"learning_rate": 0.02}}, "epochs": 20, "metrics": ["accuracy"]}
    spec = {"mlpkit": 1, "data": {"csv": {"file": "rows.csv", "target": "kind", **NONE}}, "layers": layers}
    write(yaml.safe_dump(spec | {"training": training}), "teacher.yaml")
    assert invoke("run", "teacher.yaml").code == 0
    assert invoke("predict", "runs/teacher", "rows.csv", "--out", "soft.csv", "--keep-inputs").code == 0
    with Path("soft.csv").open() as file:
        predicted = [row["predicted"] for row in csv.DictReader(file)]
    given = {"target": [*COLUMNS], "predict": "probabilities", "inputs": ["a", "b"], **NONE}
    spec["data"] = {"csv": {"file": "soft.csv", **given}}
    write(yaml.safe_dump(spec | {"training": training}), "pupil.yaml")
    assert invoke("run", "pupil.yaml").code == 0
    pupil = mlpkit.load("runs/pupil")
    classes = pupil.predict({"a": rows[:, 0], "b": rows[:, 1]})
    assert set(classes) == {"no", "yes"}
    agreement = float(np.mean(classes == np.array(predicted)))
    results = json.loads(Path("runs/pupil/metrics.json").read_text())["train"]
    assert agreement > 0.9
    assert results["accuracy"] == pytest.approx(agreement)  # the most probable class of each row counts
    evaluated = invoke("evaluate", "runs/pupil", "--data", "soft.csv", "--json")
    assert json.loads(evaluated.out)["data"] == pytest.approx(results, rel=1e-5)
