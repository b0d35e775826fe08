"""Splits that differ from what was asked for, or from each other, give one warning, unless chance explains it."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import DataWarning
from mlpkit_plugins.splits.shares import Shares, warnings_about_shares, warnings_about_sizes


def warnings(train, validation, test, shares=(0.1, 0.1), files=(), classes=("no", "yes", "so")):
    counts = {"train": np.array(train), "validation": np.array(validation), "test": np.array(test)}
    return warnings_about_shares(counts, classes, Shares(*shares), files, "do that")


WHAT = "the splits differ, so results and best weights may mislead: "


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (([450, 350], [55, 45], [60, 40]), None),
        (
            ([349, 270], [0, 118], [304, 11]),
            "test has 30% of the rows, not 10%; class 'yes' is 44% of train, 100% of validation, 3% of test; "
            "1 more class differs",
        ),
        (([450, 350], [55, 45], [6, 5]), "test has 1% of the rows, not 10%"),
        (([450, 350], [55, 45], [2, 2]), "test has 0.44% of the rows, not 10%"),
        (([790, 10], [100, 0], [100, 0]), None),
        (([760, 40], [100, 0], [96, 4]), "class 'yes' is 5% of train, 0% of validation"),
        (([900, 700], [110, 90], [115, 85]), None),
        (([420, 330], [83, 67], [55, 45]), None),
        (([420, 329], [84, 67], [55, 45]), "validation has 15% of the rows, not 10%"),
        (([777, 23], [100, 0], [97, 3]), None),
        (([776, 24], [100, 0], [97, 3]), "class 'yes' is 3% of train, 0% of validation"),
        (([768, 32], [84, 16], [96, 4]), None),
        (([768, 32], [83, 17], [96, 4]), "class 'yes' is 4% of train, 17% of validation"),
        (([700, 100], [80, 20], [88, 12]), None),
        (([700, 100], [50, 50], [88, 12]), "class 'yes' is 12% of train, 50% of validation"),
    ],
)
def test_a_warning_about_shares(counts, expected):
    assert warnings(*counts) == (() if expected is None else (DataWarning("split", WHAT + expected, "do that"),))


def test_a_file_of_other_shares_is_warned_about_whatever_its_size():
    assert warnings([500, 300], [60, 40], [5000, 3000], (0.1, 0), ["test"]) == ()
    (warning,) = warnings([500, 300], [60, 40], [5, 300], (0.1, 0), ["test"])
    assert warning == DataWarning(
        "test",
        f"{WHAT}class 'no' is 62% of train, 2% of test; 1 more class differs",
        "give test examples that are drawn like the training examples",
    )


def test_without_classes_sizes_are_compared():
    assert warnings([800], [100], [100], classes=()) == ()
    (warning,) = warnings([950], [20], [30], classes=())
    assert warning.message == f"{WHAT}validation has 2% of the rows, not 10%; test has 3% of the rows, not 10%"


def test_random_splits_are_rarely_warned_about():
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        classes = rng.choice(10, 1000, p=0.5 / 10 + 0.5 * rng.dirichlet(np.ones(10)))
        parts = np.split(rng.permutation(classes), [800, 900])
        found += warnings(*(np.bincount(part, minlength=10) for part in parts), classes="abcdefghij")
    assert len(found) <= 3


def test_a_class_that_a_split_lacks_is_warned_about_if_chance_would_give_some():
    (warning,) = warnings([470, 30], [100, 0], [100, 0], (1 / 7, 1 / 7))
    assert "class 'yes' is 6% of train, 0% of validation, 0% of test" in warning.message
    assert warnings([490, 10], [100, 0], [100, 0], (1 / 7, 1 / 7)) == ()


def test_splits_of_fewer_than_ten_examples_are_warned_about():
    assert warnings_about_sizes({"train": 5}, []) == warnings_about_sizes({"train": 5, "validation": 10}, []) == ()
    assert warnings_about_sizes({"train": 5, "validation": 1, "test": 9}, ["test"]) == (
        DataWarning(
            "validation",
            "the validation results will mean little, with 1 example",
            "set a larger share in validation",
        ),
        DataWarning("test", "the test results will mean little, with 9 examples", "name a file with more in test"),
    )
