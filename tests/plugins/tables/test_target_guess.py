"""What target columns hold: classes, labels or values, from how many rows of which kind."""

from __future__ import annotations

import pytest

from mlpkit import DataError
from mlpkit_plugins.tables.column_guess import ColumnGuesser, RowSample
from mlpkit_plugins.tables.target_guess import aim_at
from mlpkit_plugins.tables.text_numbers import PLAIN

MISSING = {"", "NA"}


def aim(*columns, predict=None, others=0):
    """Return what to predict; ``others`` are rows of the table beside the sample."""
    named = {name: list(map(str, texts)) for name, texts in zip("tuv", columns, strict=False)}
    rows = range(2, 2 + len(named["t"]))
    last = {name: texts[-1] for name, texts in named.items()}
    sample = RowSample("t.csv", rows, named, last, rows[-1], len(rows) + others)
    return aim_at(ColumnGuesser(sample, MISSING, PLAIN), sample, tuple(named), MISSING, predict)


@pytest.mark.parametrize(
    ("texts", "predict"),
    [
        ([*range(20)] * 10, "classes"),
        ([*range(21)] * 10, "values"),
        ([1, 2, 3] * 10, "classes"),
        ([1, 2, 3] * 9 + [1, 2], "values"),
        ([1, 2, 3] * 9 + [1, 2, "NA"], "values"),
        ([1, 2, 3] * 9 + [1, 2, 2, "NA"], "classes"),
        ([1, 2] * 20 + [3], "values"),
        ([1, 2] * 20 + [3, 3], "classes"),
        ([1, 2.5] * 20 + [3, 3], "values"),
        ([0.5, 1.5, 0.5, 1.5], "classes"),
        (["yes", "no"] * 9, "classes"),
    ],
)
def test_classes_or_values(texts, predict):
    found = aim(texts)
    assert (found.predict, bool(found.counts)) == (predict, predict == "classes")


@pytest.mark.parametrize(
    ("texts", "counts", "missing", "lonely"),
    [
        (["a", "?", "a", "?", ""], {"?": 2, "a": 2}, 1, []),
        (["b", "?", "a", "NA", "b", "?", "a", "", "b"], {"a": 2, "b": 3}, 4, []),
        (["?", "n/a", "?", "n/a"], {"?": 2, "n/a": 2}, 0, []),
        (["b", "?", "a", "n/a", "b", "a", "N/A", "Null"], {"a": 2, "b": 2}, 4, []),
        (["10", "9", "2"] * 20 + ["none", "none"], {"2": 20, "9": 20, "10": 20}, 2, []),
        (["a", "b", "c"] * 2 + ["d", "e", "a", "b"], {"a": 3, "b": 3, "c": 2}, 0, ["d", "e"]),
    ],
)
def test_rows_of_classes_are_counted(texts, counts, missing, lonely):
    found = aim(texts)
    assert (dict(found.counts), list(found.counts)) == (counts, list(counts))
    assert (found.missing, found.lonely) == (missing, lonely)


@pytest.mark.parametrize(
    ("texts", "others", "expected"),
    [
        (
            ["a", "b"] * 2 + ["c", "d", "e"],
            0,
            "column 't': nearly every row has a different text, such as 'a'; a class ",
        ),
        (
            ["a", "b", "c"] * 4 + ["d", "e", "f", "g"],
            0,
            "row 14, column 't': 4 of 7 classes occur in one row only: 'd', ",
        ),
        (["a", "a", "b", "b", "b", "c"], 0, None),
        (["a", "a", "a", "b"], 0, "row 5, column 't': 1 of 2 classes occur in one row only: 'b'; name another column"),
        (["a", "a", "a", "b"], 1, None),
    ],
)
def test_classes_that_hardly_occur(texts, others, expected):
    if expected is None:
        found = aim(texts, others=others)
        assert [*found.lonely, *found.counts] == (["c", "a", "b"] if "c" in texts else ["a", "b"])
        return
    with pytest.raises(DataError) as caught:
        aim(texts, others=others)
    assert str(caught.value).startswith(f"t.csv, {expected}")


def test_rows_that_lack_any_of_several_targets_are_missing():
    found = aim(["1", "NA", "0", "1", "1"], ["0", "", "", "", "1"], ["1", "0", "1", "0", "NA"])
    assert (found.predict, found.missing, found.target) == ("labels", 4, ["t", "u", "v"])
    assert [numbers.tolist() for numbers in found.numbers()] == [[1, 0, 1, 1], [0, 1], [1, 0, 1, 0]]
    assert aim([0, 1, 1, 0], [0, 1, 2, 0]).predict == "values"
    assert aim([0, 1, 1, 0], [0, 1, 0, 0], predict="values").predict == "values"


@pytest.mark.parametrize(
    ("columns", "predict", "expected"),
    [
        (
            [["5", "red", "x", "7"]],
            "values",
            "row 3, column 't': 'red' is not a number, but labels and values are numbers; write --predict classes",
        ),
        (
            [["5", "6"] * 2, ["1", "2", "blue", "x"]],
            None,
            "row 4, column 'u': 'blue' is not a number, but labels and values are numbers; predict it in a separate ",
        ),
        (
            [["0", "NA", "1", "3", "2"]],
            "labels",
            "row 5, column 't': 3 is not a label; expected 0 or 1; write --predict ",
        ),
        ([["0", "1", "1"], ["1", "", "0.5"]], "labels", "row 4, column 'u': 0.5 is not a label; expected 0 or 1; "),
    ],
)
def test_texts_and_numbers_that_do_not_fit_are_named_with_their_row(columns, predict, expected):
    with pytest.raises(DataError) as caught:
        aim(*columns, predict=predict)
    assert str(caught.value).startswith(f"t.csv, {expected}")
