"""What the built-in encodings write for categories."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import (
    CategoryEncoding,
    FittedCategoryEncoding,
    Graph,
    InputColumn,
    ModelFileError,
    ParameterError,
    TrainingCategories,
)
from mlpkit.graph.evaluator import evaluate
from mlpkit_plugins.category_encodings.index import Index
from mlpkit_plugins.category_encodings.one_hot import OneHot
from mlpkit_plugins.category_encodings.ordinal import Ordinal
from mlpkit_plugins.category_encodings.sign import Sign

NAN = np.nan
CODES = np.array([1, -1, 0])


def fitted(encoding, *categories):
    return FittedCategoryEncoding.fit(encoding, TrainingCategories("c", categories, CODES[:0]))


@pytest.mark.parametrize(
    ("encoding", "rows", "features", "inputs"),
    [
        (OneHot(), [[0, 1], [0, 0], [1, 0]], ("c=a", "c=b"), [InputColumn("c", "one_hot", 2)]),
        (Sign(), [[-1], [0], [1]], ("c",), [InputColumn("c", "one_hot")]),
        (Index(), [[2], [0], [1]], ("c",), [InputColumn("c", "categories", values=3)]),
        (Ordinal(), [[1], [NAN], [0]], ("c",), [InputColumn("c", "numbers")]),
    ],
)
def test_what_is_written(encoding, rows, features, inputs):
    each = fitted(encoding, "a", "b")
    np.testing.assert_array_equal(each.encode(CODES), rows)
    assert each.features() == features
    assert each.inputs() == inputs
    assert each.state() == {}


@pytest.mark.parametrize("encoding", [OneHot(), Sign(), Index(), Ordinal()])
def test_a_column_without_categories(encoding):
    each = fitted(encoding)
    assert each.encode(np.array([-1, -1])).shape == (2, len(each.features()))
    assert sum(column.width for column in each.inputs()) == len(each.features())


def test_a_sign_is_for_two():
    with pytest.raises(ParameterError, match="the column 'c' has 3 categories, too many for a sign"):
        fitted(Sign(), "a", "b", "c")


class Codebook(CategoryEncoding):
    """What a state says."""

    def fit(self, column):
        return {"codebook": np.array([[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]])}


@pytest.mark.parametrize("encoding", [OneHot(), Sign(), Index(), Ordinal(), Codebook()])
def test_the_operators_give_what_is_written(encoding):
    graph = Graph(np.dtype(np.float64))
    each = fitted(encoding, "a", "b")
    graph.outputs["y"] = each.onnx(graph, graph.feed("codes", "int64"))
    np.testing.assert_array_equal(evaluate(graph, {"codes": CODES})["y"], each.encode(CODES))


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        {"codebook": [[1.0], [2.0]]},
        {"codebook": [[1.0], [2.0], [3.0], [4.0]]},
        {"codebook": [1.0, 2.0, 3.0]},
        {"codebook": [[1.0], ["a"], [3.0]]},
        {"codebook": [[1.0], [2.0], [float("nan")]]},
    ],
)
def test_a_damaged_state_is_refused(state):
    sound = FittedCategoryEncoding.from_state(Codebook(), "c", ["a", "b"], {"codebook": [[1.0], [2.0], [3.0]]})
    np.testing.assert_array_equal(sound.encode(CODES), [[2], [3], [1]])
    with pytest.raises(ModelFileError, match="what the encoding Codebook learned of the column 'c' is"):
        FittedCategoryEncoding.from_state(Codebook(), "c", ["a", "b"], state)


def test_the_targets_of_the_training_rows_are_known_only_where_they_are_given():
    assert TrainingCategories("c", ("a", "b"), CODES).targets() is None
    targets = np.array([0, 1, 1])
    assert TrainingCategories("c", ("a", "b"), CODES, lambda: targets).targets() is targets
