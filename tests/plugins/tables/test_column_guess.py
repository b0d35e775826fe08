"""Which numbers of a column stand for a missing value."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mlpkit import DataError
from mlpkit_plugins.tables import column_guess, memory_source
from mlpkit_plugins.tables.column_guess import (
    ColumnGuesser,
    Outlier,
    RowSample,
    outlier_in,
    sample_rows,
    sentinels_in,
)
from mlpkit_plugins.tables.memory_source import MemorySource
from mlpkit_plugins.tables.text_numbers import PLAIN

RNG = np.random.default_rng(0)
TEMPERATURES = RNG.normal(15, 10, 200).round(1)
COUNTS = RNG.integers(0, 50, 200)


def with_number(numbers, number, rows=10):
    return np.concatenate([np.asarray(numbers, float), np.full(rows, float(number)), [np.nan]])


@pytest.mark.parametrize(
    ("numbers", "number"),
    [
        (TEMPERATURES, -999), (TEMPERATURES, 9999), (TEMPERATURES, -99.99), (TEMPERATURES, 999.9), (COUNTS, 999),
        (COUNTS, 99999), (COUNTS, -200), (RNG.gamma(2, 3, 200), -1),
    ],
)  # fmt: skip
def test_a_code_far_from_all_others_is_one(numbers, number):
    found = sentinels_in({"x": with_number(numbers, number)})["x"]
    assert (found.value, found.rows) == (number, 10)
    assert (found.least, found.greatest) == (numbers.min(), numbers.max())


def test_minus_one_below_counts_is_one_if_it_is_far_more_often_than_the_least_of_them():
    assert sentinels_in({"x": with_number(COUNTS, -1, 60)})["x"].value == -1
    assert sentinels_in({"x": with_number(COUNTS, -1, 5)}) == {}
    assert sentinels_in({"x": with_number(TEMPERATURES, -1, 60)}) == {}


@pytest.mark.parametrize(
    "numbers",
    [
        with_number(TEMPERATURES, -999, 4),
        with_number(RNG.integers(1, 6, 200), 9),
        with_number(COUNTS, 0, 100),
        with_number(COUNTS + 1000, 0),
        with_number(2 * COUNTS, 99),
        with_number(COUNTS, 7300),
        RNG.lognormal(0, 3, 500),
        np.full(30, np.nan),
        np.zeros(0),
    ],
    ids=[
        "few rows", "a scale of few numbers", "many zeros", "zeros far from others", "near", "a round number", "skewed",
        "missing", "empty",
    ],
)  # fmt: skip
def test_what_may_well_be_a_number_is_none(numbers):
    assert sentinels_in({"x": numbers}) == {}


def test_each_column_has_its_own():
    columns = {
        "a": with_number(COUNTS, -1, 90),
        "b": with_number(TEMPERATURES, -1),
        "c": with_number([-0.5, *range(20)], -1),
    }
    assert {name: found.value for name, found in sentinels_in(columns).items()} == {"a": -1}
    columns = {"a": with_number(COUNTS, -200), "b": with_number(TEMPERATURES - 15, -200), "c": TEMPERATURES}
    assert outlier_in(columns["b"]).value == -200
    assert not outlier_in(columns["b"]).is_code
    assert {name: found.value for name, found in sentinels_in(columns).items()} == {"a": -200, "b": -200}


def guesser_of(texts, name="x", others=0):
    """Return what guesses about a column; ``others`` are rows of the table beside the sample."""
    rows = range(2, 2 + len(texts))
    sample = RowSample("t.csv", rows, {name: texts}, {name: texts[-1]}, rows[-1], len(texts) + others)
    return ColumnGuesser(sample, {"", "NA"}, PLAIN)


def guess_of(texts, name="x", others=0):
    return guesser_of(texts, name, others).guess(name)


@pytest.mark.parametrize(
    ("numbers", "number", "rows", "found"),
    [
        (range(11), 99, 5, True),
        (range(11), 99, 4, False),
        (range(10), 99, 5, True),
        (range(9), 99, 5, False),
        (range(0, 31, 3), 999, 9, True),
        (range(69, 85), 99, 9, False),  # 15 from the greatest, as far as that is from the least
        (range(70, 85), 99, 9, True),
        (range(-1, 40), -9, 9, False),
        (range(-1, 40), -99, 9, True),
        ([0, 0, *range(1, 20)], -1, 10, True),
        ([0, 0, *range(1, 20)], -1, 9, False),
        ([2, 2, *range(3, 20)], -1, 10, True),
        ([-0.5, *range(20)], -1, 10, False),
    ],
)
def test_how_often_and_how_far_a_number_has_to_be(numbers, number, rows, found):
    outlier = sentinels_in({"x": with_number(list(numbers), number, rows)}).get("x")
    expected = (number, rows, min(numbers), max(numbers)) if found else None
    assert outlier == expected


def test_a_number_that_marks_a_missing_value_is_shown_with_its_evidence():
    assert str(Outlier(-99.9, 1234, -1500.25, 2e6)) == "-99.9 in 1,234 rows, all others from -1,500.25 to 2,000,000"
    assert [Outlier(value, 5, 0, 1).is_code for value in (-7, 9, 99, 9.99, 98, 990)] == [True] * 4 + [False] * 2
    assert [Outlier(value, 5, -1, 1).is_code for value in (-7, -9, -99.9)] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        *(
            (name, True)
            for name in ("id", "ID2", "Row", "user_id", "case nr", "User-Key (*)", "userID", "orderId", "idx")
        ),
        *((name, False) for name in ("idea", "paid", "monkey", "id22", "number", "userid", "rows")),
    ],
)
def test_names_of_ids(name, is_id):
    texts = [f"{7 * i * i + 1}" for i in range(10)]
    guess = guess_of(texts, name)
    assert (guess.holds, guess.reason) == (
        ("nothing", "an id: every row has a different number") if is_id else ("numbers", "")
    )
    assert guess_of(["NA", *texts], name).holds == guess_of([*texts, texts[0]], name).holds == "numbers"
    assert guess_of([f"{text}.5" for text in texts], name).holds == "numbers"


@pytest.mark.parametrize(
    ("numbers", "others", "holds"),
    [
        (range(1, 21), 0, "nothing"), (range(20), 0, "nothing"), (range(2, 22), 0, "numbers"),
        (range(0, 40, 2), 0, "numbers"), (range(0, 40, 2), 1, "nothing"), (range(3, 43, 2), 1, "numbers"),
        ([*range(19), 20], 1, "numbers"), ([*range(19, -1, -1)], 0, "nothing"),
    ],
)  # fmt: skip
def test_numbers_that_count_rows_are_left_out(numbers, others, holds):
    assert guess_of([str(number) for number in numbers], others=others).holds == holds


@pytest.mark.parametrize(
    ("text", "is_total"),
    [
        *(
            (text, True)
            for text in ("Total", "GRAND TOTAL", "sub-total", "subtotals", "Summe", "mean of all", "sum: 1")
        ),
        *((text, False) for text in ("totally", "a total", "summary", f"total {'x' * 20}")),
    ],
)
def test_a_last_row_of_totals(text, is_total):
    texts = ["red", "blue", "red", "blue", text]
    if not is_total:
        guess_of(texts)
        return
    for some in (texts, texts[2:], ["1.5", "2", "3", text]):
        with pytest.raises(DataError) as caught:
            guess_of(some)
        place = f"t.csv, row {len(some) + 1}, column 'x'"
        assert str(caught.value) == f"{place}: '{text}' suggests that the last row is a total; leave it out"
    for some in ([text, *texts], [*texts, "red"], texts[3:]):
        guess_of(some)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "2", "x", "x"], ("categories", 3, 0)),
        (["1", "2", "3", "x", "x"], ("categories", 4, 0)),
        (
            ["1", "2", "3", "x"],
            "row 5, column 'x': 'x' is not a finite number; put a number there, or leave out the row",
        ),
        (["1", "2", "3", "x", "y", "NA", ""], "row 5, column 'x': 'x' is not"),
        (["1", "2", "x", "y", "NA", ""], ("categories", 4, 2)),
        ([*map(str, range(19)), "x", "x"], ("categories", 20, 0)),
        ([*map(str, range(20)), "x", "x"], "row 22, column 'x': 'x' is not"),
        (["1", "2", "?", "NA", "n/a", "?"], ("numbers", 2, 4)),
        (["?", "-", "?", "-"], ("categories", 2, 0)),
        (["1", "inf", "2"], "row 3, column 'x': 'inf' is not a finite number"),
        (["yes", "No", "yes", "NA"], ("numbers", 2, 1)),
        (["yes", "no", "3", "yes", "no", "yes"], ("categories", 3, 0)),
    ],
)
def test_numbers_or_texts(texts, expected):
    if isinstance(expected, str):
        with pytest.raises(DataError, match=expected):
            guess_of(texts)
        return
    guess = guesser_of(texts).content("x", Counter(text for text in texts if text not in ("", "NA")))
    assert (guess.holds, guess.distinct, guess.missing) == expected


DAYS = [f"2020-0{i % 9 + 1}-1{i % 7}" for i in range(20)]


@pytest.mark.parametrize(
    ("texts", "holds", "what"),
    [
        (DAYS[:3], "dates", ("iso",)),
        (DAYS[:2] * 3, "categories", ()),
        ([*DAYS[:2], "n/a", "NA"] * 2, "categories", ()),
        ([*DAYS[:3], "n/a", "NA", "NaT"], "dates", ("iso",)),
        (
            [*DAYS[:18], "1.2.2020", "3.4.2020"],
            "nothing",
            "dates or times that are not all written in one common way, ",
        ),
        ([*DAYS[:18], "soon", "later"], "nothing", "nearly every row has a different text, such as '2020-01-10'"),
        ([*DAYS[:19], "soon"], "nothing", "dates or times that are not all written in one common way, "),
        (["10:15", "11:15"] * 9, "categories", ()),
        (["10:15", "11:15", "9:05 pm"] * 3, "nothing", "dates or times that are not all written in one common way, "),
        (["20200102", "20200103", "20200104", "x"], "categories", ()),
    ],
)
def test_dates_or_texts(texts, holds, what):
    if "20200102" in texts:
        texts = texts * 2 + ["x"] * 3
    guess = guess_of(texts)
    assert guess.holds == holds
    assert guess.reason.startswith(what) if isinstance(what, str) else guess.formats == what
    if holds == "dates":
        assert (guess.missing, guess.missing_texts) == ((3, {"NaT", "n/a"}) if "n/a" in texts else (0, set()))


@pytest.mark.parametrize(("size", "columns"), [(3, 2), (50, 2), (51, 2), (1000, 2), (20, 90), (21, 90), (400, 90)])
def test_a_sample_of_rows_is_of_all_parts_of_a_table_and_bounded(monkeypatch, size, columns):
    monkeypatch.setattr(column_guess, "MOST_CELLS", 100)
    monkeypatch.setattr(column_guess, "FEWEST_SAMPLED", 20)
    monkeypatch.setattr(memory_source, "ROWS_TOGETHER", 17)
    table = {f"c{number}": [f" {number} {row}" for row in range(size)] for number in range(columns)}
    sample = sample_rows(MemorySource(table, {""}))
    most = max(100 // columns, 20)
    assert (sample.size, sample.last_row, sample.is_whole) == (size, size - 1, size <= most)
    assert sample.last == {f"c{number}": f"{number} {size - 1}" for number in range(columns)}
    assert sample.columns == {f"c{n}": [f"{n} {row}" for row in sample.rows] for n in range(columns)}
    assert sample.rows == sorted(set(sample.rows))
    if size <= most:
        assert sample.rows == [*range(size)]
    else:
        assert most / 4 < len(sample.rows) <= most
        assert sample.rows[0] < size / 4
        assert sample.rows[-1] > size * 3 / 4
    assert sample_rows(MemorySource(table, {""})).rows == sample.rows


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ({"a": ["1", "a", "2"], "b": ["x", " b ", "b"], "c": ["c", "c", "c"]}, 1),
        ({"a": ["1", "2", "a"], "b": ["x", "b", "b"]}, 2),
        ({"a": ["a", "a", "2"], "b": ["x", "y", "b"]}, None),
        ({"a": ["1", "a", "2"]}, None),
    ],
)
def test_a_row_repeats_the_header_if_it_has_all_of_its_names(columns, row):
    source = MemorySource(columns, {""}, name="t.csv")
    if row is None:
        assert sample_rows(source).size == 3
        return
    with pytest.raises(DataError, match=f"^t.csv, row {row}: the row repeats the header; remove it$"):
        sample_rows(source)


def test_a_column_of_one_value_is_left_out_unless_there_is_one_row():
    guess = guess_of(["x", "x"])
    assert (guess.holds, guess.reason) == ("nothing", "every value is 'x'")
    assert guess_of(["1"]).holds == "numbers"


@pytest.mark.parametrize(
    ("categories", "expected"),
    [(1000, ("categories", "")), (1001, ("nothing", "1,001 different texts in 5,005 rows are too many"))],
)
def test_up_to_a_thousand_categories_of_five_rows_are_learned_from(categories, expected):
    guess = guess_of([f"c{i % categories}" for i in range(5 * categories)])
    assert (guess.holds, guess.reason) == expected


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (100, "100 different texts in 200 rows are too many"),
        (101, "nearly every row has a different text, such as 'c0'"),
    ],
)
def test_texts_in_more_than_half_of_the_rows_are_nearly_all_different(texts, reason):
    guess = guess_of([f"c{i % texts}" for i in range(200)])
    assert (guess.holds, guess.reason) == ("nothing", reason)
