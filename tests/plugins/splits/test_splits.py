"""Splits: every example in one part, as many as the shares say, and the same again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlpkit import ParameterError
from mlpkit_plugins.splits.positions import (
    scattered,
    split_at_random,
    split_by_class,
    split_by_group,
    split_by_key,
    split_by_time,
    split_in_order,
)
from mlpkit_plugins.splits.shares import Shares

shares = st.builds(Shares, st.sampled_from([0, 0.1, 0.25]), st.sampled_from([0, 0.2, 0.5]))
seeds = st.integers(0, 2**63)


@given(st.integers(20, 300), shares, seeds)
def test_each_example_comes_into_one_part(examples, shares, seed):
    keys = np.random.default_rng(0).integers(0, 2**63, examples).astype(np.uint64)
    for split in (lambda: split_at_random(examples, shares, seed), lambda: split_by_key(keys, shares, seed)):
        try:
            parts = split()
        except ParameterError:
            assume(False)
        assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(examples))
        assert all((np.diff(part) > 0).all() for part in parts.values())
        again = split()
        assert all((again[name] == part).all() for name, part in parts.items())


@given(st.integers(20, 300), shares, seeds)
def test_random_parts_are_as_large_as_their_shares(examples, shares, seed):
    parts = split_at_random(examples, shares, seed)
    for name, share in (("validation", shares.validation), ("test", shares.test)):
        assert len(parts.get(name, ())) == round(share * examples)


def test_parts_by_key_are_nearly_as_large_as_their_shares():
    parts = split_by_key(np.arange(100_000, dtype=np.uint64), Shares(0.1, 0.2), 0)
    assert abs(len(parts["validation"]) - 10_000) < 400
    assert abs(len(parts["test"]) - 20_000) < 500


def test_an_example_stays_in_its_part_when_others_come():
    keys = np.arange(1000, dtype=np.uint64)
    few, many = (split_by_key(keys[:count], Shares(0.2, 0.2), 7) for count in (500, 1000))
    for name, part in few.items():
        assert set(part) == {position for position in many[name] if position < 500}


def test_equal_keys_come_together():
    keys = np.repeat(np.arange(50, dtype=np.uint64), 4)
    for part in split_by_key(keys, Shares(0.2, 0.2), 0).values():
        assert all(np.isin(np.flatnonzero(keys == key), part).all() for key in set(keys[part]))


@given(st.lists(st.integers(0, 4), min_size=20, max_size=200), shares, seeds)
def test_each_part_has_the_same_share_of_every_class(classes, shares, seed):
    classes = np.array(classes)
    keys = np.random.default_rng(0).integers(0, 2**63, len(classes)).astype(np.uint64)
    parts = split_by_class(keys, classes, shares, seed)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(classes)))
    for name, share in (("validation", shares.validation), ("test", shares.test)):
        part = parts.get(name, np.zeros(0, np.intp))
        small = sum(0 < count < 4 for count in np.bincount(classes).tolist())  # of which one has to stay for training
        assert len(part) == pytest.approx(share * len(classes), abs=1 + small)
        for number, count in enumerate(np.bincount(classes)):
            assert (classes[part] == number).sum() == pytest.approx(share * count, abs=1.5)
    assert set(classes[parts["train"]].tolist()) == set(classes.tolist())


def test_classes_are_not_compared_with_all_examples_one_by_one():
    class Compared(np.ndarray):
        __hash__ = None

        def __eq__(self, other):
            pytest.fail("this takes examples times classes")

    classes = np.repeat(np.arange(500), 10)
    parts = split_by_class(np.arange(5000, dtype=np.uint64), classes.view(Compared), Shares(0.1, 0.2), 0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 3500, "validation": 500, "test": 1000}
    assert (np.bincount(classes[parts["test"]]) == 2).all()


@given(st.permutations(range(60)), seeds)
def test_parts_by_class_do_not_depend_on_the_order(order, seed):
    keys, classes = np.arange(60, dtype=np.uint64), np.arange(60) % 3
    parts = split_by_class(keys, classes, Shares(0.2, 0.2), seed)
    moved = split_by_class(keys[order], classes[order], Shares(0.2, 0.2), seed)
    for name, part in parts.items():
        assert sorted(np.array(order)[moved[name]].tolist()) == part.tolist()


def test_few_examples_change_their_part_by_class_when_others_come():
    keys, classes = np.arange(1000, dtype=np.uint64), np.arange(1000) % 3
    before = split_by_class(keys[:990], classes[:990], Shares(0.1, 0.1), 0)
    after = split_by_class(keys, classes, Shares(0.1, 0.1), 0)
    assert all(len(set(part.tolist()) - set(after[name].tolist())) <= 6 for name, part in before.items())


@given(st.lists(st.integers(0, 30), min_size=60, max_size=200), seeds)
def test_groups_come_together_as_near_to_the_shares_as_they_allow(groups, seed):
    keys = np.array(groups, np.uint64)
    largest = np.bincount(groups).max()
    try:
        parts = split_by_group(keys, Shares(0.2, 0.3), seed)
    except ParameterError:
        assume(False)
    found = [set(keys[part].tolist()) for part in parts.values()]
    assert sum(map(len, found)) == len(set(groups))
    assert abs(len(parts["test"]) - 0.3 * len(keys)) <= max(largest, 0.3 * len(keys))


@given(st.lists(st.integers(0, 50), min_size=60, max_size=200))
def test_later_examples_are_for_validation_and_the_latest_for_testing(times):
    times = np.array(times, float)
    try:
        parts = split_by_time(times, Shares(0.2, 0.2))
    except ParameterError:
        assume(False)
    assert times[parts["train"]].max() < times[parts["validation"]].min()
    assert times[parts["validation"]].max() < times[parts["test"]].min()


def test_equal_examples_of_a_class_come_together():
    keys = np.repeat(np.arange(100, dtype=np.uint64), 3)
    for part in split_by_class(keys, (keys % 2).astype(int), Shares(0.2, 0.2), 0).values():
        assert all(np.isin(np.flatnonzero(keys == key), part).all() for key in set(keys[part]))


def test_another_seed_gives_another_split():
    keys = np.arange(200, dtype=np.uint64)
    for split in (
        lambda seed: split_by_key(keys, Shares(0.2, 0), seed),
        lambda s: split_at_random(200, Shares(0.2, 0), s),
    ):
        assert split(0)["validation"].tolist() != split(1)["validation"].tolist()


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (
            lambda: split_at_random(3, Shares(0.1, 0), 0),
            "validation: the share of 0.1 for validation gives none of 3 examples; "
            "ask for a larger share, or set validation: 0 to disable it",
        ),
        (
            lambda: split_in_order(5, Shares(0.2, 0.01)),
            "test: the share of 0.01 for test gives none of 5 examples; "
            "ask for a larger share, or set test: 0 to disable it",
        ),
        (
            lambda: split_by_key(np.zeros(5, np.uint64), Shares(0.01, 0), 0),
            "validation: the share of 0.01 for validation gives none of 5 examples; "
            "ask for a larger share, or set validation: 0 to disable it",
        ),
        (
            lambda: split_by_key(np.zeros(1000, np.uint64), Shares(0.01, 0), 0),
            "validation: the share of 0.01 for validation gives none of 1,000 examples; "
            "ask for a larger share, or set validation: 0 to disable it",
        ),
        (
            lambda: split_at_random(1, Shares(0.1, 0), 0),
            "validation: the share of 0.1 for validation gives none of 1 example; "
            "ask for a larger share, or set validation: 0 to disable it",
        ),
        (
            lambda: split_at_random(2, Shares(0.4, 0.5), 0),
            "validation: the shares of 0.4 for validation and 0.5 for testing leave none of 2 examples to train on; "
            "ask for smaller shares, or add examples",
        ),
        (
            Shares(0.5, 0.5).check_sum,
            "validation: 0.5 for validation and 0.5 for testing leave nothing to train on; "
            "expected shares whose sum is below 1",
        ),
    ],
)
def test_a_part_without_examples_is_an_error(split, expected):
    with pytest.raises(ParameterError) as caught:
        split()
    assert str(caught.value) == expected


def test_scattered_numbers_are_those_of_the_paper():
    """The first numbers of SplitMix64 from the state 1234567, as other programs print them."""
    step, states = 0x9E3779B97F4A7C15, []
    for count in range(3):
        states.append((1234567 + count * step) % 2**64)
    found = scattered(np.array(states, np.uint64)).tolist()
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def nearest_change(in_order, begin, wanted):
    """Return where a key changes after ``begin``, nearest to the wanted position; ``begin`` without such a place."""
    changes = [place for place in range(begin + 1, len(in_order)) if in_order[place - 1] != in_order[place]]
    return min(changes, key=lambda place: abs(place - wanted), default=begin) if round(wanted) > begin else begin


@given(st.lists(st.integers(0, 12), min_size=3, max_size=60), shares)
def test_times_are_cut_where_they_change_nearest_to_the_shares(times, shares):
    rows = len(times)
    assume(all(abs(share * rows % 1 - 0.5) > 1e-9 for share in (shares.test, sum(shares))))
    latest_first = sorted(times, reverse=True)
    test = nearest_change(latest_first, 0, shares.test * rows)
    held_out = nearest_change(latest_first, test, sum(shares) * rows) if shares.validation else test
    sizes = {"train": rows - held_out, "validation": held_out - test, "test": test}
    if all(sizes[name] or not share for name, share in shares._asdict().items()):
        parts = split_by_time(np.array(times, float), shares)
        assert {name: len(part) for name, part in parts.items()} == {name: n for name, n in sizes.items() if n}
    else:
        with pytest.raises(ParameterError):
            split_by_time(np.array(times, float), shares)


def test_splits_are_what_they_were():
    """Results are compared across versions, so a seed gives the same split in all of them."""
    keys, some = np.arange(30, dtype=np.uint64), Shares(0.2, 0.1)
    found = {
        "random": split_at_random(30, some, 3),
        "order": split_in_order(30, some),
        "key": split_by_key(keys, some, 3),
        "class": split_by_class(keys, np.arange(30) * np.arange(30) % 4, some, 3),
        "group": split_by_group(keys // np.uint64(3), some, 3),
    }
    assert {how: [list(parts["validation"]), list(parts["test"])] for how, parts in found.items()} == {
        "random": [[3, 12, 20, 23, 26, 27], [17, 18, 28]],
        "order": [[21, 22, 23, 24, 25, 26], [27, 28, 29]],
        "key": [[2, 4, 12, 16, 20, 28], [3, 6, 14]],
        "class": [[2, 5, 12, 17, 20, 21], [3, 6, 14]],
        "group": [[6, 7, 8, 18, 19, 20], [9, 10, 11]],
    }
