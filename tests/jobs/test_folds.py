"""Cutting rows into folds: laws that hold for any number of rows, folds and classes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.components.dataset import Description
from mlpkit.components.target import Classes, Values
from mlpkit.jobs.folds import Folds, Rows, fold_sizes, of_rows


class Memory:
    """A split whose inputs are the numbers of its rows."""

    def __init__(self, x, t):
        self.x, self.t = np.asarray(x, np.float32), np.asarray(t)

    def __len__(self):
        return len(self.x)

    def take(self, indices, out):
        out[0][:, 0], out[1][...] = self.x[indices], self.t[indices]


def made(rows, validation, target, folds, seed=0):
    numbers = np.random.default_rng(rows).integers(0, 3, rows + validation)
    t = numbers if isinstance(target, Classes) else numbers.astype(np.float32)
    x = np.arange(rows + validation)
    splits = {"train": Memory(x[:rows], t[:rows]), "test": Memory([-1.0], t[:1])}
    if validation:
        splits["validation"] = Memory(x[rows:], t[rows:])
    sizes = {name: len(split) for name, split in splits.items()}
    return Folds(splits, Description((1,), target, sizes), np.dtype("float32"), folds, seed), sizes, t


def taken(split, description_target, indices=None):
    indices = np.arange(len(split)) if indices is None else indices
    dtype = np.int64 if isinstance(description_target, Classes) else np.float32
    out = (np.empty((len(indices), 1), np.float32), np.empty(len(indices), dtype))
    split.take(indices, out)
    return out[0][:, 0].astype(int), out[1]


@given(
    rows=st.integers(2, 60),
    validation=st.integers(0, 20),
    folds=st.integers(2, 6),
    target=st.sampled_from([Classes(3), Values(())]),
    seed=st.integers(0, 3),
)
def test_each_row_is_held_out_once_and_trained_on_by_all_others(rows, validation, folds, target, seed):
    cut, sizes, t = made(rows, validation, target, folds, seed)
    held_out = []
    for member in range(folds):
        splits = cut.splits(member)
        if member >= rows + validation:
            continue
        x, targets = taken(splits["validation"], target)
        np.testing.assert_array_equal(targets, t[x])
        held_out += x.tolist()
        trained, _ = taken(splits["train"], target)
        assert sorted([*x, *trained]) == list(range(rows + validation))
        assert fold_sizes(sizes, folds, member) == {name: len(split) for name, split in splits.items()}
    assert sorted(held_out) == list(range(rows + validation))


@given(rows=st.integers(10, 80), folds=st.integers(2, 5))
def test_each_fold_has_its_share_of_every_class(rows, folds):
    cut, _, t = made(rows, 5, Classes(3), folds)
    for number in range(3):
        counts = np.bincount(cut.numbers[t == number], minlength=folds)
        assert counts.max() - counts.min() <= 1


def test_another_seed_cuts_otherwise_and_the_same_one_alike():
    numbers = [made(40, 0, Values(()), 4, seed)[0].numbers.tolist() for seed in (0, 0, 1)]
    assert numbers[0] == numbers[1] != numbers[2]


def test_the_ensemble_itself_has_the_training_rows_as_they_are():
    cut, sizes, _ = made(20, 5, Values(()), 4)
    splits = cut.splits(None)
    assert taken(splits["train"], Values(()))[0].tolist() == list(range(20))
    assert {name: len(split) for name, split in splits.items()} == {"train": 20, "test": 1}
    assert fold_sizes(sizes, 4, None) == {"train": 20, "test": 1}


@given(indices=st.lists(st.integers(0, 24), min_size=1), kind=st.sampled_from(["array", "list", "columns", "nothing"]))
def test_what_a_data_set_has_about_rows_comes_in_their_order(indices, kind):
    cut, _, _ = made(20, 5, Values(()), 4)
    rows, order = cut.splits(1)["train"], np.random.default_rng(0).permutation(25)
    assert isinstance(rows, Rows)
    rows.indices = order

    def get(split, positions):
        found = positions + (20 if split == "validation" else 0)
        return {"array": found, "list": found.tolist(), "columns": {"a": found.tolist()}, "nothing": None}[kind]

    found = of_rows(get, "train", np.array(indices), rows)
    if kind == "nothing":
        assert found is None
    else:
        assert list(found["a"] if kind == "columns" else found) == order[indices].tolist()
    assert of_rows(lambda split, at: (split, at), "test", "these") == ("test", "these")


@given(
    copies=st.lists(st.integers(1, 4), min_size=12, max_size=40),
    folds=st.integers(2, 4),
    target=st.sampled_from([Classes(2), Values(())]),
    seed=st.integers(0, 3),
)
def test_copies_are_in_one_fold_if_rows_without_copies_can_take_their_places(copies, folds, target, seed):
    copies += [1] * 2 * sum(copies)
    keys = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(copies)), copies)).astype(np.uint64)
    t = (keys % 2).astype(np.int64 if isinstance(target, Classes) else np.float32)
    splits = {"train": Memory(keys[:9], t[:9]), "validation": Memory(keys[9:], t[9:])}
    description = Description((1,), target, {name: len(split) for name, split in splits.items()})
    cut = [
        Folds(splits, description, np.dtype("float32"), folds, seed, given).numbers
        for given in ({"train": keys[:9], "validation": keys[9:]}, None)
    ]
    assert all(len(set(cut[0][keys == key])) == 1 for key in set(keys.tolist()))
    for kind in (0, 1) if isinstance(target, Classes) else (slice(None),):
        rows = t == kind if isinstance(kind, int) else kind
        np.testing.assert_array_equal(np.bincount(cut[0][rows]), np.bincount(cut[1][rows]))


def test_without_copies_folds_are_those_without_keys():
    splits = {"train": Memory(np.arange(30), np.arange(30) % 3)}
    description = Description((1,), Classes(3), {"train": 30})
    keys = {"train": np.arange(30, dtype=np.uint64)}
    cut, plain = (Folds(splits, description, np.dtype("float32"), 3, 1, given).numbers for given in (keys, None))
    np.testing.assert_array_equal(cut, plain)


def test_the_folds_of_a_seed_are_those_of_earlier_runs():
    values, classes = (made(12, 5, target, 3, seed=2)[0].numbers.tolist() for target in (Values(()), Classes(3)))
    assert values == [1, 2, 0, 1, 1, 2, 0, 2, 1, 2, 1, 0, 0, 1, 0, 0, 2]
    assert classes == [2, 1, 1, 1, 1, 0, 2, 1, 2, 0, 0, 2, 2, 0, 1, 0, 0]
