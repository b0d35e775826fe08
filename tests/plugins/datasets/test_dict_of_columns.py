"""What is said of the columns of a dict, as of a data frame, in the parameters of a spec."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import DataError
from mlpkit_plugins.datasets.frame import Frame

COLUMNS = {
    "n": [1.5, 2.0, None],
    "colour": ["red", None, "blue"],
    "born": ["31.1.2003", "1.2.2004", "3.3.2005"],
    "egg": np.array(["2007-11-01", "2007-11-02", "2007-11-05"], "datetime64[D]"),
    "old": [True, False, True],
    "y": ["a", "b", "a"],
}


def parameters_for(t="y", *weights, columns=COLUMNS, **given):
    return Frame.parameters_for({"train": (columns, t, *weights)}, given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"categorical": ["colour", "born"], "dates": ["egg"]}),
        ({"dates": ["born"]}, {"categorical": ["colour"], "dates": ["born", "egg"]}),
        ({"dates": {"born": "%d.%m.%Y"}}, {"categorical": ["colour"], "dates": {"born": "%d.%m.%Y", "egg": "iso"}}),
        ({"categorical": ["old", "born"]}, {"categorical": ["old", "born", "colour"], "dates": ["egg"]}),
        ({"ordinal": {"colour": ["red", "blue"]}}, {"categorical": ["born"], "dates": ["egg"]}),
        ({"inputs": ["n", "egg"]}, {"dates": ["egg"]}),
        ({"ignore": ["colour", "egg"]}, {"categorical": ["born"]}),
        ({"split": {"time": "egg"}}, {"categorical": ["colour", "born"]}),
    ],
)
def test_columns_are_what_they_hold_unless_they_are_given(given, expected):
    assert parameters_for(**given) == {**given, "target": "y", "predict": "classes", **expected}


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        ("old", {"target": "old", "predict": "classes"}),
        (["n"], {"target": "n", "predict": "values"}),
        (["n", "old"], {"target": ["n", "old"]}),
        ([0.5, 1.5, None], {"target": "target", "predict": "values"}),
        (np.ones((3, 1)), {"target": "target"}),
        (np.ones((3, 2)) / 2, {"target": ["target 0", "target 1"], "predict": "values"}),
    ],
)
def test_targets_are_named_and_what_they_hold_is_predicted(t, expected):
    found = parameters_for(t, columns={name: COLUMNS[name] for name in ("old", "y")} | {"n": [0.5, 1.5, 2.5]})
    assert {key: found[key] for key in expected} == expected


def test_weights_are_a_column_or_get_a_name_that_none_has():
    written = parameters_for("y", "w", columns=COLUMNS | {"w": ["1", "2", "3"]})
    assert (written["weight"], written["categorical"]) == ("w", ["colour", "born"])
    assert parameters_for("y", [1, 2, 3])["weight"] == "weight"
    assert parameters_for("y", [1, 2, 3], columns=COLUMNS | {"weight": [1, 2, 3]})["weight"] == "weight (given)"
    twice = COLUMNS | {"weight": [1, 2, 3], "weight (given)": [1, 2, 3], "target": [1, 2, 3]}
    assert parameters_for([1, 2, 1], [1, 2, 3], columns=twice).items() >= {
        "weight": "weight (given) (given)", "target": "target (given)",
    }.items()  # fmt: skip


def test_classes_in_an_order_are_texts_and_are_predicted():
    assert parameters_for("n", classes=[2.0, 1.5]).items() >= {"predict": "classes", "classes": ["2.0", "1.5"]}.items()


def test_what_is_no_frame_has_no_such_parameters():
    assert parameters_for(columns=np.ones((3, 2))) is None


@pytest.mark.parametrize("wrong", [[1, 2], [[1], [2], [3]]])
def test_a_column_has_a_value_for_each_row(wrong):
    with pytest.raises(DataError, match="the frame, column 'wrong': the column has the shape"):
        parameters_for(columns=COLUMNS | {"wrong": wrong})
