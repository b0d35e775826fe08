"""What stands in the columns of a table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peak_memory import with_peak

from mlpkit import RawColumn
from mlpkit.verbs.data.data import repeated_rows, summaries


def _column(name, train, test=(), *, role="input"):
    """Return a column of values; None is a missing one."""
    texts = list(dict.fromkeys(str(value) for value in (*train, *test) if value is not None))
    codes = {
        split: np.array([-1 if value is None else texts.index(str(value)) for value in values], np.int32)
        for split, values in (("train", train), ("test", test))
    }
    given = [value for value in (*train, *test) if value is not None]
    numbers = np.array(list(map(float, texts))) if all(isinstance(value, int | float) for value in given) else None
    return RawColumn(name, role, texts, numbers, codes)


def _remarks(column, target):
    return summaries([column, _column("t", target, role="target")])[0].remarks


def test_thousands_of_texts_and_classes_take_no_matrix_of_them():
    shop = RawColumn("shop", "input", [*map(str, range(3000))], None, {"train": np.arange(4000) % 3000})
    town = RawColumn("town", "target", [*map(str, range(2500))], None, {"train": np.arange(4000) % 3000 % 2500})

    (found, _), peak = with_peak(lambda: summaries([shop, town]))

    assert "predicts town by itself: is it known when you predict?" in found.remarks
    assert peak < 5e6


VALUES = st.lists(st.none() | st.integers(-5, 5) | st.floats(-1e6, 1e6).map(lambda value: round(value, 2)), max_size=40)


@given(VALUES, VALUES)
def test_counts_and_range_are_those_of_all_values(train, test):
    (found,) = summaries([_column("x", train, test)])
    values = [value for value in (*train, *test) if value is not None]
    assert found.missing == len(train) + len(test) - len(values)
    assert found.distinct == len(set(values))
    assert sum(found.histogram) == len(values)
    assert len(found.histogram) <= 8
    if values:
        assert (found.least, found.greatest) == (min(values), max(values))
        assert found.type == ("integer" if all(value == int(value) for value in values) else "number")
    else:
        assert (found.least, found.type) == (None, "empty")


@given(st.lists(st.none() | st.sampled_from(["a", "b", "c d"]), max_size=30))
def test_texts_are_counted(values):
    (found,) = summaries([_column("x", values)])
    given = [value for value in values if value is not None]
    assert dict(found.common) == {value: given.count(value) for value in set(given)}
    assert [count for _, count in found.common] == sorted((count for _, count in found.common), reverse=True)


ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.sampled_from("yn")), min_size=1, max_size=25)


@given(ROWS, ROWS)
def test_rows_of_other_splits_that_train_has_too_are_counted(train, test):
    numbers = {row: i for i, row in enumerate({*train, *test})}
    splits = {"train": train, "test": test}
    keys = {name: np.array([numbers[row] for row in rows], np.uint64) for name, rows in splits.items()}
    expected = sum(row in train for row in test)
    assert repeated_rows(keys) == ({"test": expected} if expected else {})


TARGET = ["n", "y", "m"] * 20
NUMBERS = [i * 37 % 1000 / 10 for i in range(60)]


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (["no", "yes", "maybe"] * 20, TARGET),
        ([0, 1, 2] * 20, TARGET),
        ([10 * (i % 3) + i / 60 for i in range(60)], TARGET),
        ([2 * value + 3 for value in NUMBERS], NUMBERS),
        ([-value for value in NUMBERS], NUMBERS),
    ],
)
def test_a_column_that_tells_the_target_is_pointed_out(values, target):
    assert _remarks(_column("x", values), target) == ("predicts t by itself: is it known when you predict?",)


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (["a", "b"] * 30, TARGET),
        ([f"ticket {i // 2}" for i in range(60)], TARGET),
        ([10 * (i % 3) + i / 2 for i in range(60)], TARGET),
        ([i * i % 61 / 7 for i in range(60)], NUMBERS),
        (["no", "yes", "maybe"] * 5, TARGET[:15]),  # too few rows to say so
        (["a"] * 30 + ["b"] * 30, ["n"] * 60),  # the target is constant
    ],
)
def test_a_column_that_does_not_is_not(values, target):
    assert _remarks(_column("x", values), target) == ()


@pytest.mark.parametrize(
    ("values", "remarks"),
    [
        ([7] * 60, ("has only one value",)),
        ([7, None] * 30, ("has only one value",)),
        ([None] * 60, ("has no value",)),
        (list(range(100, 160)), ("differs in every row, like an id",)),
        ([f"{i * 7919:x}" for i in range(60)], ("differs in every row, like an id",)),
        ([i * i * 7 for i in range(60)], ()),  # numbers may well differ
        ([*range(59), 60], ()),
        ([i + 0.5 for i in range(60)], ()),
        ([*range(1, 60), None], ()),
        ([*(f"{i * 7919:x}" for i in range(59)), "0"], ()),
    ],
)
def test_constants_and_ids_are_pointed_out(values, remarks):
    assert _remarks(_column("x", values), ["y", "n", "n", "y", "n"] * 12) == remarks


def test_what_is_left_out_needs_no_remark():
    column = _column("x", range(60), role="left out")
    assert summaries([column, _column("t", TARGET, role="target")])[0].remarks == ()


@pytest.mark.parametrize(("rows", "remarks"), [(19, ()), (20, ("differs in every row, like an id",))])
def test_a_few_rows_may_all_differ(rows, remarks):
    assert _remarks(_column("x", [f"{i * 7919:x}" for i in range(rows)]), (["y", "n", "n"] * 7)[:rows]) == remarks


def test_of_many_texts_the_most_common_are_named_and_drawn():
    (found,) = summaries([_column("x", [text for i, text in enumerate("abcdefghij") for _ in range(10 - i)])])
    assert found.common == (("a", 10), ("b", 9), ("c", 8), ("d", 7), ("e", 6))
    assert found.histogram == (10, 9, 8, 7, 6, 5, 4, 3)
    (few,) = summaries([_column("x", [7, 7, 7, None])])
    assert (few.least, few.greatest, few.histogram, few.common) == (7, 7, (3,), ())
