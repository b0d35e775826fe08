"""Class numbers that no training example has."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.arrays.array_targets import WITHOUT_GAPS, counts_of_classes, warnings_about_classes


@pytest.mark.parametrize(
    ("trained", "largest", "classes"),
    [
        ([1, 2], 2, "0"),
        ([0, 2], 2, "1"),
        ([0], 3, "1, 2, 3"),
        ([1, 8], 8, "0, 2, 3 and 4 more"),
        ([1, 5], 5, "0, 2, 3 and 1 more"),
        ([0, 1], 2, "2"),
    ],
)
def test_numbers_that_no_training_example_has(trained, largest, classes):
    (warning,) = warnings_about_classes(trained, largest, "t", "file", "")
    assert (warning.parameter, warning.message) == (
        "file",
        f"no training example of t has class {classes}, though the largest is {largest}",
    )
    assert warning.remedy == f"give more examples to training, or {WITHOUT_GAPS}"


def test_every_number_may_be_there():
    assert warnings_about_classes([0, 1, 2], 2, "t", "file", "") == []


def test_classes_are_counted_by_split():
    parts = {"train": (np.array([7, 3, 7, 3]), np.array([0, 2])), "test": (np.array([5, 7]), range(2))}
    names, counts = counts_of_classes(parts)
    assert names == [5, 7]
    assert {split: each.tolist() for split, each in counts.items()} == {"train": [0, 2], "test": [1, 1]}
