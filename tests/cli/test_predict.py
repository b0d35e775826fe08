"""``mlpkit predict``."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from mlpkit.cli.predict import _document, _lines
from mlpkit.jobs.predict import Predictions


@pytest.fixture
def run(invoke):
    assert invoke("run", "tiny.yaml", "--quiet", "--set", "training.iterations=300").code == 0
    return "runs/tiny"


def test_a_line_a_row_names_class_and_probability(run, digits, invoke):
    done = invoke("predict", run, digits / "t10k-images-idx3-ubyte")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["row", "class", "probability"]
    assert [int(line[0]) for line in lines[1:]] == list(range(60))
    assert all(0.1 <= float(line[2]) <= 1 for line in lines[1:])
    labels = list((digits / "t10k-labels-idx1-ubyte").read_bytes()[8:])
    right = sum(int(line[1]) == label for line, label in zip(lines[1:], labels, strict=True))
    accuracy = json.loads(invoke("evaluate", run, "--split", "test", "--json").out)["test"]["accuracy"]
    assert right / 60 == pytest.approx(accuracy)


def test_json_is_a_line_a_row_with_all_probabilities(run, work, invoke):
    np.save(work / "x.npy", np.zeros((2, 16), np.uint8))
    done = invoke("predict", run, "x.npy", "--json")
    documents = [json.loads(line) for line in done.out.splitlines()]
    assert [document["row"] for document in documents] == [0, 1]
    for document in documents:
        assert sum(document["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert document["probability"] == max(document["probabilities"])
        assert document["class"] == str(int(np.argmax(document["probabilities"])))


def test_a_file_that_does_not_fit_is_an_error(run, work, invoke):
    np.save(work / "x.npy", np.zeros((2, 3), np.uint8))
    for file in ("x.npy", "missing.npy", "acme.py"):
        done = invoke("predict", run, file)
        assert done.code in (1, 2)
        assert done.out == ""
        assert done.err.startswith("error: ")


def test_values_are_written_where_no_classes_are_predicted():
    predictions = Predictions(np.array([[1.5, -2.0], [0.25, 1e-9]]), None, None)
    assert _lines(predictions) == ["row  values", "  0  1.5000 -2.0000", "  1  0.2500 1.00e-09"]
    assert _document(predictions, 0) == {"row": 0, "values": [1.5, -2.0]}


def test_classes_go_by_their_names():
    predictions = Predictions(np.array([[0.25, 0.75]]), np.array([1]), ("cat", "dog"))
    assert _lines(predictions) == ["row  class  probability", "  0  dog         0.7500"]
    assert _document(predictions, 0)["class"] == "dog"
    assert SimpleNamespace(**_document(predictions, 0)).probability == 0.75
