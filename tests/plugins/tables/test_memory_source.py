"""Columns in memory: which values are missing, and which texts and numbers the others are."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from requirements import Optional

from mlpkit import DataError
from mlpkit_plugins.tables import memory_source
from mlpkit_plugins.tables.columns import Columns
from mlpkit_plugins.tables.memory_source import MemorySource, columns_in, held_in, is_frame, row_labels
from mlpkit_plugins.tables.text_numbers import NumberFormat

pd = Optional("pandas")

DAY, MIDNIGHT = datetime.date(2024, 5, 31), datetime.datetime(2024, 5, 31)  # noqa: DTZ001 - as files have them


@pytest.mark.parametrize(
    ("value", "known", "text"),
    [
        (True, [], "True"), (True, ["1", "true"], "true"), (False, ["FALSE"], "FALSE"), (False, ["0", "1"], "0"),
        (np.True_, ["true"], "true"), (3, [], "3"), (3, ["3.0"], "3.0"), (np.int8(3), ["3.0"], "3.0"),
        (3.0, [], "3.0"), (3.0, ["3"], "3"), (3.0, ["3", "3.0"], "3.0"), (2.5, ["2"], "2.5"),
        (np.float32(3), ["3"], "3"),
        (DAY, ["x"], "2024-05-31"), (MIDNIGHT, [], "2024-05-31 00:00:00"), (MIDNIGHT, ["2024-05-31"], "2024-05-31"),
        (MIDNIGHT, ["2024-05-31T00:00:00"], "2024-05-31T00:00:00"), (np.datetime64("2024-05-31"), [], "2024-05-31"),
        ([1, 2], [], "[1, 2]"), (" a ", ["a"], " a "), (None, ["None"], ""), (np.nan, ["nan"], ""),
        (np.datetime64("NaT", "us"), ["NaT"], ""), (np.array([1, 2]), [], "[1 2]"),
    ],
)  # fmt: skip
def test_a_value_is_the_text_that_the_model_knows_or_else_its_usual_one(value, known, text):
    values = np.empty(3, object)
    values[:] = ["x", value, "y"]
    for column in (values, list(values)):
        ((rows, (texts,)),) = MemorySource({"c": column}, {""}, known={"c": known}).texts(["c"])
        assert (rows.tolist(), texts) == ([0, 1, 2], ["x", text, "y"])


def test_values_that_are_equal_but_of_other_types_have_their_own_texts():
    ((_, (texts, days)),) = MemorySource(
        {"c": [1, 1.0, True, 1], "d": np.array(["2024-05-31", "NaT"] * 2, "datetime64[ns]")}, {""}
    ).texts(["c", "d"])
    assert texts == ["1", "1.0", "True", "1"]
    assert days == ["2024-05-31 00:00:00", ""] * 2


def numbers_in(values, missing=("", "NA", "-9"), **written):
    source = MemorySource({"x": values}, missing, NumberFormat(**written))
    return [
        number
        for block in source.blocks(Columns(("x",), ()))
        for number in source.all_numbers(block, Columns(("x",), ()))[:, 0]
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, -9], [1, 2.5, np.nan]),
        (np.array([1, -9], np.int8), [1, np.nan]),
        (np.array([True, False]), [1, 0]),
        (["1", " NA ", None, 2, np.nan, "-9.0"], [1, np.nan, np.nan, 2, np.nan, np.nan]),
        ([Decimal("2.5"), Fraction(1, 4), np.True_, True, 3], [2.5, 0.25, 1, 1, 3]),
        (["yes", None, "No"], [1, np.nan, 0]),
        ([None, None], [np.nan, np.nan]),
    ],
)
def test_numbers(values, expected):
    np.testing.assert_array_equal(numbers_in(values), expected)


def test_texts_are_numbers_as_the_spec_writes_them():
    assert numbers_in(["1.234,5", 7, "-2 kg"], decimal=",", thousands=".", symbols=("kg",)) == [1234.5, 7, -2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "2", "x"], "row 2, column 'x': 'x' is not a finite number; put a number there, or leave out the row"),
        (
            ["yes", "no", 1, "maybe"],
            "row 3, column 'x': 'maybe' is neither yes nor no; put one of them there, or leave o",
        ),
        ([1.0, np.inf], "row 1, column 'x': inf is not a finite number; make it None if it is missing"),
        (np.array([2.0, 1, -np.inf, np.inf]), "row 2, column 'x': -inf is not a finite number; make it None"),
    ],
)
def test_values_that_are_no_numbers_are_named_by_their_row(values, message):
    with pytest.raises(DataError) as caught:
        numbers_in(values)
    assert str(caught.value).startswith(f"the rows (counted from 0), {message}")


def test_rows_come_block_by_block_and_unchanged(monkeypatch):
    monkeypatch.setattr(memory_source, "ROWS_TOGETHER", 3)
    columns = {"a": np.arange(7), "b": list("abcdefg")}
    source = MemorySource(columns, {""})
    blocks = list(source.blocks(Columns(("a",), ("b",))))
    assert [block.rows.tolist() for block in blocks] == [[0, 1, 2], [3, 4, 5], [6]]
    assert ["".join(block.columns[1]) for block in blocks] == ["abc", "def", "g"]
    assert source.rows(["b", "a"], np.array([1, 6])) == {"b": ["b", "g"], "a": [1, 6]}
    assert source.rows(["a"]) == {"a": [*range(7)]}
    assert source.values() is columns
    for wrong in ([0.0] * 4 + [np.inf], [0] * 4 + ["x"]):
        with pytest.raises(DataError, match=r"row 4, column 'x': "):
            numbers_in(wrong)


def test_the_checksum_tells_names_types_shapes_and_values_apart():
    columns = [
        {"a": np.arange(4)}, {"b": np.arange(4)}, {"a": np.arange(4, dtype=np.int32)}, {"a": np.arange(4) + 1},
        {"a": np.arange(4).reshape(2, 2)}, {"a": np.array([0, "x"], object)}, {"a": np.array([0, "y"], object)},
        {"a": np.arange(4), "b": np.arange(4)}, {"b": np.arange(4), "a": np.arange(4)}, {},
    ]  # fmt: skip
    checksums = [MemorySource(each, {""}).checksum for each in columns]
    assert len(set(checksums)) == len(columns)
    assert checksums[0] == MemorySource({"a": np.arange(8)[::2] // 2}, {""}).checksum


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ([1, 2], "numbers"), ([True, False], "numbers"), (["a", "b"], "categories"), ([1, None], "numbers"),
        ([1, "a"], "categories"), ([None, None], "categories"), ([DAY, None], "dates"), ([DAY, "x"], "categories"),
        (np.array(["2024-05-31"], "datetime64[D]"), "dates"), ([Decimal(1), np.nan], "categories"),
        ([Fraction(1, 2), np.True_, None], "numbers"),
    ],
)  # fmt: skip
def test_what_a_column_holds(values, held):
    assert held_in(np.asarray(values), "c", "the frame") == held


def test_na_of_pandas_is_missing_among_numbers_and_texts():
    assert numbers_in(np.array([3, pd.NA, "7"], object))[::2] == [3, 7]
    ((_, (texts,)),) = MemorySource({"c": ["x", pd.NA, "NA"]}, {""}, known={"c": ["<NA>"]}).texts(["c"])
    assert texts == ["x", "", "NA"]
    assert held_in(np.array([3, pd.NA], object), "c", "the frame") == "numbers"
    assert [memory_source.is_missing(value) for value in (pd.NA, pd.NaT, np.array([1, 2]), "NA", 0)] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_frames_have_columns_of_one_length_and_names_of_their_own():
    assert [is_frame(each) for each in ({}, SimpleNamespace(columns=[]), [1], np.zeros((2, 2)))] == [
        True,
        False,
        False,
        False,
    ]
    assert {name: values.tolist() for name, values in columns_in({1: [3, 4], "b": ["x", "y"]}, "x").items()} == {
        "1": [3, 4],
        "b": ["x", "y"],
    }
    for frame, message in (
        ({1: [3], "1": [4]}, "column '1': two columns have this name; rename one"),
        ({"a": [1, 2], "b": [1]}, r"column 'b': the column has the shape \(1,\); expected a value for each row"),
        ({"a": [[1], [2]]}, r"column 'a': the column has the shape \(2, 1\); expected a value for each row"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column 'a': two columns have this name; rename one"),
    ):
        with pytest.raises(DataError, match=f"the frame, {message}"):
            columns_in(frame, "the frame")
    ragged = columns_in({"a": [[1], [2, 3]]}, "x")["a"]
    assert (ragged.dtype, ragged.tolist()) == (object, [[1], [2, 3]])


def test_labels_of_rows_are_those_of_an_index_that_does_not_count_them():
    frame = pd.DataFrame({"a": [1, 2]})
    assert row_labels(frame) is row_labels({"a": [1]}) is None
    assert row_labels(frame.set_index(pd.Index([1, 2]))) == [1, 2]
    assert row_labels(frame.iloc[::-1]) == [1, 0]
