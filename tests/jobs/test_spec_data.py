"""What a spec's data has about its examples: classes counted, and keys of copies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import mlpkit
from mlpkit import Classes, ComponentFailure, Labels, Values
from mlpkit.jobs.spec_data import (
    MOST_NUMBERS,
    count_classes,
    describe_data,
    evenly_spaced,
    keys_of_examples,
    most_rows,
    names_of_target,
    no_column,
)

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


@pytest.mark.parametrize(
    ("count", "most", "positions"),
    [(4, 4, [0, 1, 2, 3]), (3, 9, [0, 1, 2]), (11, 3, [0, 5, 10]), (10, 4, [0, 3, 6, 9]), (7, 2, [0, 6]), (5, 1, [0])],
)
def test_positions_are_evenly_spaced(count, most, positions):
    assert evenly_spaced(count, most).tolist() == positions


@pytest.mark.parametrize(
    ("target", "names", "found"),
    [
        (Classes(2), ("no", "yes"), ("no", "yes")),
        (Classes(3), None, ("0", "1", "2")),
        (Labels(2), ("rain", "fog"), ("rain", "fog")),
        (Labels(2), None, ("0", "1")),
        (Values((2,)), ("a", "b"), ("a", "b")),
        (Values((2,)), None, ()),
    ],
)
def test_classes_and_labels_without_names_go_by_their_numbers(target, names, found):
    of_classes = isinstance(target, Classes)
    dataset = SimpleNamespace(
        class_names=lambda: names if of_classes else ("wrong",),
        target_names=lambda: ("wrong",) if of_classes else names,
    )
    assert names_of_target(dataset, target) == found


def test_an_unknown_column_is_answered_with_some_that_exist():
    assert no_column("joinned", ["age", "joined"]) == ("the data has no column 'joinned'", "did you mean 'joined'?")
    names = [f"x{i}" for i in range(21)]
    for there, listed in ((names[:20], ", ".join(names[:20])), (names, f"{', '.join(names[:20])}, ...")):
        assert no_column("other", there) == ("the data has no column 'other'", f"it has {listed}")
    assert no_column("age", []) == ("the data has no named columns to group rows by", "leave out by")


@pytest.mark.parametrize(
    ("folds", "member", "sizes"),
    [
        (7, None, {"train": 40, "test": 60}),
        (7, 3, {"train": 51, "validation": 9, "test": 60}),
        (7, 4, {"train": 52, "validation": 8, "test": 60}),
        (60, 59, {"train": 59, "validation": 1, "test": 60}),
        (61, None, "there are fewer rows than 61 folds"),
    ],
)
def test_as_many_folds_as_rows_can_be_cut(folds, member, sizes, work):
    """Of 40 rows for training and 20 for validation."""
    ensemble = {"folds": folds} | ({} if member is None else {"member": member})
    overrides = {"ensemble": ensemble, "data.mnist.train": 40, "data.mnist.validation": 20}
    spec = mlpkit.load_spec("tiny.yaml", overrides=overrides)
    if isinstance(sizes, dict):
        assert describe_data(spec, spec.new_dataset()).sizes == sizes
    else:
        with pytest.raises(mlpkit.SpecError, match=sizes):
            describe_data(spec, spec.new_dataset())
