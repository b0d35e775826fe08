"""What a spec's data has about its examples: classes counted, and keys of copies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mlpkit import Classes, ComponentFailure, Labels, Values
from mlpkit.jobs.spec_data import MOST_NUMBERS, count_classes, keys_of_examples, most_rows

NUMBERS = np.array([2, 0, 2, 2, 1])
WEIGHTS = np.array([0.5, 2, 0, 1, 0.25])
ONE_HOT = np.eye(4)[NUMBERS]
LABELS = np.array([[1, 0], [1, 1], [0, 0], [1, 0], [1, 1]])


@pytest.mark.parametrize(
    ("target", "t", "counts", "weighted"),
    [
        (Classes(4), NUMBERS, [1, 1, 3, 0], [2, 0.25, 1.5, 0]),
        (Classes(4, one_hot=True), ONE_HOT, [1, 1, 3, 0], [2, 0.25, 1.5, 0]),
        (Labels(2), LABELS, [4, 2], [3.75, 2.25]),
        (Values((2,)), LABELS, [], []),
    ],
)
def test_classes_and_labels_are_counted_or_their_weights_are_added(target, t, counts, weighted):
    assert count_classes(target, t).tolist() == counts
    assert count_classes(target, t, WEIGHTS).tolist() == weighted


def test_keys_are_known_if_each_split_has_them():
    keys = {"train": np.arange(3, dtype=np.uint64), "validation": np.arange(2, dtype=np.uint64), "test": None}
    dataset = SimpleNamespace(example_keys=keys.get, registered_name="acme.rows")
    splits = {"train": range(3), "validation": range(2), "test": range(1)}
    folded = {name: splits[name] for name in ("train", "validation")}
    assert keys_of_examples(dataset, folded) == {name: keys[name] for name in folded}
    assert keys_of_examples(dataset, splits) is None
    with pytest.raises(ComponentFailure) as caught:
        keys_of_examples(dataset, {"train": range(4)})
    assert str(caught.value) == (
        "dataset acme.rows failed in example_keys: ValueError: there must be a key for each example"
    )


@pytest.mark.parametrize(
    ("shapes", "rows"),
    [
        ([(3,), (2,)], 10_000),
        ([(MOST_NUMBERS // 10_000,)], 10_000),
        ([(3,), (MOST_NUMBERS // 5000,)], 5000),
        ([(64, 64, 4), (2,)], 2048),
        ([(MOST_NUMBERS + 1,)], 1),
    ],
)
def test_as_many_rows_are_predicted_as_have_few_numbers(shapes, rows):
    assert most_rows(*shapes) == rows
