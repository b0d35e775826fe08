"""Predictions and explanations as columns of a file, and as documents."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from requirements import Optional

import mlpkit
from mlpkit.groups.prediction_file import (
    documents,
    explanation_columns,
    explanations,
    prediction_columns,
    require_format,
    write_predictions,
)
from mlpkit.jobs.explanations import Explanation
from mlpkit.jobs.predict import Predictions

parquet = Optional("pyarrow.parquet")

SETS = np.array([[True, True, False], [False, False, False], [False, True, True]])
CLASSES = Predictions(
    np.array([[0.5, 0.25, 0.25], [np.nan] * 3, [0.125, 0.25, 0.625]], np.float32),
    np.array([0, 0, 2]),
    ("ant", "bee", "cat"),
    row_names=("a.png", "b.png", "c.png"),
    absent={1: ["age"]},
    regions={"set": SETS},
)
INPUTS = {"size": [1.5, None, 3.25], "town": np.array(["Ulm", "Bonn, Rhine", "Jena"])}


def plain(columns):
    return {name: np.asarray(values, object).tolist() for name, values in columns.items()}


def test_classes_have_their_probabilities_and_a_row_without_a_prediction_has_none(tmp_path):
    lines = """\
size,town,name,predicted,probability,probability_ant,probability_bee,probability_cat,set
1.5,Ulm,a.png,ant,0.5,0.5,0.25,0.25,ant|bee
,"Bonn, Rhine",b.png,,,,,,
3.25,Jena,c.png,cat,0.625,0.125,0.25,0.625,bee|cat
"""
    predictions = replace(CLASSES, inputs=INPUTS)
    write_predictions(tmp_path / "out.csv", predictions)
    assert (tmp_path / "out.csv").read_text() == lines
    write_predictions(tmp_path / "out.jsonl", predictions)
    assert (tmp_path / "out.jsonl").read_text().splitlines()[1] == (
        '{"size": null, "town": "Bonn, Rhine", "name": "b.png", "predicted": null, "probability": null, '
        '"probability_ant": null, "probability_bee": null, "probability_cat": null, "set": ""}'
    )


def test_in_parquet_what_is_missing_is_null(tmp_path):
    write_predictions(tmp_path / "out.parquet", replace(CLASSES, inputs=INPUTS))
    columns = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert (columns["size"], columns["predicted"]) == ([1.5, None, 3.25], ["ant", None, "cat"])
    assert (columns["probability"], columns["probability_bee"]) == ([0.5, None, 0.625], [0.25, None, 0.25])


def test_parquet_needs_pyarrow_before_anything_is_predicted(tmp_path, monkeypatch):
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    require_format(tmp_path / "out.csv", tmp_path / "new.csv")
    with pytest.raises(mlpkit.UsageError, match=r"^writing \.parquet needs pyarrow; install it with: pip install"):
        require_format(tmp_path / "out.parquet", tmp_path / "new.csv")


def test_documents_have_names_classes_and_regions():
    first, second, _ = documents(CLASSES)
    assert first == {
        "row": 0,
        "name": "a.png",
        "class": "ant",
        "probability": 0.5,
        "classes": ("ant", "bee", "cat"),
        "probabilities": [0.5, 0.25, 0.25],
        "set": "ant|bee",
    }
    assert (second["row"], second["class"], second["set"]) == (1, None, "")
    ends = {"low": np.array([[1.0], [2.0]]), "high": np.array([[3.0], [5.0]])}
    values = Predictions(np.array([[2.0], [4.0]]), None, None, ("price",), regions=ends)
    assert [*documents(values)][1] == {"row": 1, "values": {"price": 4.0}, "low": 2.0, "high": 5.0}


def test_labels_and_values_go_by_their_names():
    values = np.array([[0.5, 0.25], [0.125, 0.75]])
    labels = Predictions(values, None, None, ("rain", "fog"), are_labels=True)
    probabilities = {"probability_rain": [0.5, 0.125], "probability_fog": [0.25, 0.75]}
    assert plain(prediction_columns(labels)) == {"predicted_rain": [1, 0], "predicted_fog": [0, 1], **probabilities}
    values[1] = np.nan
    labels = Predictions(values, None, None, ("rain", "fog"), are_labels=True, absent=[1])
    assert plain(prediction_columns(labels))["predicted_fog"] == [0, None]
    assert plain(prediction_columns(Predictions(values[:1], None, None))) == {
        "predicted_0": [0.5],
        "predicted_1": [0.25],
    }
    for names, column in ((None, "predicted"), (("price",), "predicted_price")):
        assert plain(prediction_columns(Predictions(values[:1, 1:], None, None, names))) == {column: [0.25]}
    unnamed = Predictions(np.array([[0.25, 0.75]]), np.array([1]), None)
    assert plain(prediction_columns(unnamed))["predicted"] == [1]


COLUMNS, VALUES = ("age", "deck"), np.array([[1.0, -2.0], [3.0, 4.0]])
ONE = Explanation(VALUES, VALUES / 8, np.array([0.5, 0.25]), COLUMNS, ("price",))
SEVERAL = Explanation(
    np.stack([VALUES, VALUES * 10], axis=2),
    np.stack([VALUES / 8, VALUES / 4], axis=2),
    np.array([[0.5, 5], [0.25, 2]]),
    COLUMNS,
    ("a", "b"),
)


def test_an_explanation_has_a_column_for_each_mean_and_what_a_column_adds():
    assert plain(explanation_columns(ONE)) == {
        "mean": [0.5, 0.25],
        "adds_age": [1, 3],
        "adds_deck": [-2, 4],
        "error_age": [0.125, 0.375],
        "error_deck": [-0.25, 0.5],
    }
    found = plain(explanation_columns(SEVERAL))
    assert list(found)[:5] == ["mean_a", "adds_a_age", "adds_a_deck", "error_a_age", "error_a_deck"]
    assert (found["mean_b"], found["adds_b_age"], found["error_b_deck"]) == ([5, 2], [10, 30], [-0.5, 1])


def test_an_explanation_as_documents():
    assert explanations(ONE, 1) == [
        {"of": "price", "mean": 0.25, "adds": {"age": 3, "deck": 4}, "errors": {"age": 0.375, "deck": 0.5}}
    ]
    assert [(each["of"], each["mean"], each["adds"]["deck"]) for each in explanations(SEVERAL, 0)] == [
        ("a", 0.5, -2),
        ("b", 5, -20),
    ]
    by_row = Explanation(VALUES, VALUES, np.array([0.5, 0.25]), COLUMNS, ("ant", "cat"))
    assert [each["of"] for each in explanations(by_row, 1)] == ["cat"]


def test_a_column_that_the_inputs_have_already_is_refused(tmp_path):
    for name in ("probability", "mean"):
        predictions = replace(CLASSES, inputs={name: [1, 2, 3]})
        with pytest.raises(mlpkit.UsageError) as caught:
            write_predictions(tmp_path / "out.csv", predictions, ONE)
        needs = f"the inputs already have a column '{name}', which a prediction needs"
        assert str(caught.value) == f"{needs}; rename it, or leave out --keep-inputs"
    with pytest.raises(
        mlpkit.UsageError, match="the file changed while it was read; expected a row for each prediction"
    ):
        write_predictions(tmp_path / "out.csv", replace(CLASSES, inputs={"size": [1.5, 2.5]}))
    assert not [*tmp_path.iterdir()]


def test_many_rows_are_written_in_parts(tmp_path):
    for count in (999, 1000, 1001, 2500):
        write_predictions(tmp_path / "out.csv", Predictions(np.arange(count)[:, None] / 8, None, None))
        lines = (tmp_path / "out.csv").read_text().splitlines()
        assert lines == ["predicted", *(str(row / 8) for row in range(count))]
