"""Splits that differ from what was asked for, or from each other, are doubted once, and what chance does isn't."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Doubt
from mlpkit_plugins.splits.alike import doubts_about_shares
from mlpkit_plugins.splits.shares import Shares


def doubts(train, validation, test, shares=(0.1, 0.1), files=(), classes=("no", "yes", "so")):
    counts = {"train": np.array(train), "validation": np.array(validation), "test": np.array(test)}
    return doubts_about_shares(counts, classes, Shares(*shares), files, "do that")


WHAT = "the splits aren't alike, so results and best weights may mislead: "


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
        (([700, 100], [80, 20], [88, 12]), None),
        (([700, 100], [50, 50], [88, 12]), "class 'yes' is 12% of train, 50% of validation"),
    ],
)
def test_a_doubt_about_shares(counts, expected):
    assert doubts(*counts) == (() if expected is None else (Doubt("split", WHAT + expected, "do that"),))


def test_a_file_of_other_shares_is_doubted_whatever_its_size():
    assert doubts([500, 300], [60, 40], [5000, 3000], (0.1, 0), ["test"]) == ()
    (doubt,) = doubts([500, 300], [60, 40], [5, 300], (0.1, 0), ["test"])
    assert doubt == Doubt(
        "test",
        f"{WHAT}class 'no' is 62% of train, 2% of test; 1 more class differs",
        "give test examples that are drawn as those for training are",
    )


def test_without_classes_sizes_are_compared():
    assert doubts([800], [100], [100], classes=()) == ()
    (doubt,) = doubts([950], [20], [30], classes=())
    assert doubt.message == f"{WHAT}validation has 2% of the rows, not 10%; test has 3% of the rows, not 10%"


def test_random_splits_are_rarely_doubted():
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        classes = rng.choice(10, 1000, p=0.5 / 10 + 0.5 * rng.dirichlet(np.ones(10)))
        parts = np.split(rng.permutation(classes), [800, 900])
        found += doubts(*(np.bincount(part, minlength=10) for part in parts), classes="abcdefghij")
    assert len(found) <= 3


def test_a_class_that_a_split_lacks_is_doubted_if_chance_would_give_some():
    (doubt,) = doubts([470, 30], [100, 0], [100, 0], (1 / 7, 1 / 7))
    assert "class 'yes' is 6% of train, 0% of validation, 0% of test" in doubt.message
    assert doubts([490, 10], [100, 0], [100, 0], (1 / 7, 1 / 7)) == ()
