"""Class numbers that no example has, or none of the training examples."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.arrays.array_targets import WITHOUT_GAPS, counts_of_classes, warnings_about_classes

LEAVE = "leave it if there will be some"


def warnings(targets, training=None, remedy="set predict: values"):
    rows = range(len(targets)) if training is None else training
    found = list(warnings_about_classes(np.array(targets), rows, "t", "file", remedy))
    assert {each.parameter for each in found} <= {"file"}
    return [(each.message, each.remedy) for each in found]


@pytest.mark.parametrize(
    ("targets", "message", "remedy"),
    [
        ([2, 1], "no example of t has class 0, though the largest is 2", f"{WITHOUT_GAPS}, or {LEAVE}"),
        ([0, 2, 0], "no example of t has class 1, though the largest is 2", f"{WITHOUT_GAPS}, or {LEAVE}"),
        ([0, 3], "no example of t has class 1, 2, though the largest is 3", f"{WITHOUT_GAPS}, or {LEAVE}"),
        (
            [0, 4],
            "no example of t has class 1, 2, 3, though the largest is 4",
            f"{WITHOUT_GAPS}, or set predict: values",
        ),
        (
            [1, 8],
            "no example of t has class 0, 2, 3 and 4 more, though the largest is 8",
            f"{WITHOUT_GAPS}, or set predict: values",
        ),
    ],
)
def test_numbers_that_no_example_has(targets, message, remedy):
    assert warnings(targets) == [(message, remedy)]


def test_every_number_may_be_there():
    assert warnings([0, 2, 1, 1]) == []


@pytest.mark.parametrize("training", [range(2), range(1, 3), np.array([0, 1]), np.array([1, 2])])
def test_numbers_that_no_training_example_has(training):
    used = {1, 2} if 2 in training else {0, 1}
    (missing,) = {0, 1, 2} - used
    message = f"no training example of t has class {missing}, others do"
    remedy = "give more examples to training, or split them another way"
    assert warnings([0, 1, 2], training) == [(message, remedy)]
    assert warnings([0, 1, 2, 9, 10], training)[0][0].startswith("no example of t has class 3, 4, 5 and 3 more")


def test_values_naturally_miss_numbers_in_training():
    assert len(warnings([0, 9, 5], range(2))) == 1
    assert len(warnings([0, 9, 5], range(2), remedy="")) == 2


def test_classes_are_counted_by_split():
    parts = {"train": (np.array([7, 3, 7, 3]), np.array([0, 2])), "test": (np.array([5, 7]), range(2))}
    names, counts = counts_of_classes(parts)
    assert names == ["5", "7"]
    assert {split: each.tolist() for split, each in counts.items()} == {"train": [0, 2], "test": [1, 1]}
