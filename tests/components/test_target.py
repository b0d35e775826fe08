"""Targets: how they are kept, how they read, how they are saved."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mlpkit import Classes, Labels, Values, ValuesScaling
from mlpkit.components.target import target_from_plain, target_to_plain

FLOAT = np.dtype(np.float32)


@pytest.mark.parametrize(
    ("target", "shape", "dtype", "text"),
    [
        (Classes(10), (), "int64", "10 classes"),
        (Classes(10, one_hot=True), (10,), FLOAT, "10 classes"),
        (Labels(5), (5,), FLOAT, "5 labels"),
        (Values((3, 2)), (3, 2), FLOAT, "real values of shape (3, 2)"),
        (Values(()), (), FLOAT, "real values of shape ()"),
    ],
)
def test_a_target_says_how_it_is_kept(target, shape, dtype, text):
    assert target.array(FLOAT) == (shape, dtype)
    assert str(target) == text
    assert target_from_plain(json.loads(json.dumps(target_to_plain(target)))) == target


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"type": "Boxes"},
        {"type": "Classes"},
        {"type": "Classes", "count": 3, "colour": 1},
        {"type": "Values"},
        {"type": "Classes", "count": 3},
        {"type": "Classes", "count": "3", "one_hot": False},
        {"type": "Classes", "count": 3.0, "one_hot": False},
        {"type": "Classes", "count": -3, "one_hot": False},
        {"type": "Classes", "count": True, "one_hot": False},
        {"type": "Classes", "count": 3, "one_hot": 1},
        {"type": "Labels", "count": 0},
        {"type": ["Classes"], "count": 3, "one_hot": False},
        {"type": "Values", "shape": 3},
        {"type": "Values", "shape": "3"},
        {"type": "Values", "shape": [3, 0.5]},
        {"type": "Values", "shape": [3], "scaling": None},
        {"type": "Values", "shape": [3], "unit": "m"},
        None,
    ],
)
def test_other_plain_data_is_no_target(plain):
    with pytest.raises(ValueError, match=r"is not a target$"):
        target_from_plain(plain)


SCALED = {"means": [1.5, -2.0], "stds": [0.5, 3], "log": True, "bounds": [[0.25, 1.0], [8.0, 9.0]]}


def test_values_are_kept_with_their_scaling():
    scaling = ValuesScaling((1.5, -2.0), (0.5, 3), True, ((0.25, 1.0), (8.0, 9.0)))
    for left_out, expected in ((set(), scaling), ({"bounds"}, ValuesScaling((1.5, -2.0), (0.5, 3), True))):
        scaled = {key: value for key, value in SCALED.items() if key not in left_out}
        plain = {"type": "Values", "shape": [1, 2], "scaling": scaled}
        found = target_from_plain(plain)
        assert (found.shape, found.scaling) == ((1, 2), expected)
        assert json.loads(json.dumps(target_to_plain(found))) == plain


@pytest.mark.parametrize(
    "wrong",
    [
        {"means": [1.5]},
        {"means": [1.5, "2"]},
        {"means": [1.5, True]},
        {"means": [1.5, math.inf]},
        {"means": 1.5},
        {"stds": [0.5, 3, 1]},
        {"stds": [0.5, 0]},
        {"stds": [-1, 3]},
        {"log": 1},
        {"bounds": None},
        {"bounds": [[0.25, 1.0]]},
        {"bounds": [[0.25], [8.0, 9.0]]},
        {"bounds": [[0.25, 1.0], [8.0]]},
        {"unit": "m"},
    ],
)
def test_a_scaling_that_none_wrote_is_refused(wrong):
    with pytest.raises(ValueError, match=r"is not a scaling of values$"):
        target_from_plain({"type": "Values", "shape": [2], "scaling": SCALED | wrong})
    without = {key: value for key, value in SCALED.items() if key != "bounds"} | wrong
    with pytest.raises(ValueError, match=r"is not a scaling of values$"):
        target_from_plain({"type": "Values", "shape": [2], "scaling": without})


def test_made_up_examples_have_the_form_of_real_ones():
    rng = np.random.default_rng(0)
    for target, shape in ((Classes(3), (9,)), (Classes(3, one_hot=True), (9, 3)), (Labels(3), (9, 3))):
        predictions, targets = target.random_examples(9, rng)
        assert (predictions.shape, targets.shape) == ((9, 3), shape)
        assert predictions.min() > 0
        assert set(np.unique(targets)) == ({0, 1, 2} if shape == (9,) else {0, 1})
        if isinstance(target, Classes):
            np.testing.assert_allclose(predictions.sum(axis=1), 1)
            assert not target.one_hot or set(targets.sum(axis=1)) == {1}
    assert [each.shape for each in Values((2, 4)).random_examples(9, rng)] == [(9, 2, 4)] * 2
