"""Columns that tell the target on their own, by what a network gets of them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mlpkit import Classes, Description, RawColumn
from mlpkit.jobs import leaks
from mlpkit.jobs.leaks import WholeColumn, leaks_in, leaks_of
from mlpkit_plugins.datasets.csv import Csv

ROWS = 120
RNG = random.Random(0)
KINDS = RNG.choices(["no", "yes", "maybe"], k=ROWS)
VALUES = [round(RNG.gauss(0, 3), 3) for _ in range(ROWS)]
NOISE = [round(RNG.gauss(0, 1), 3) for _ in range(ROWS)]
OTHER = RNG.choices(["a", "b", "c"], k=ROWS)


@pytest.fixture
def found(tmp_path):
    """Return a function that returns the leaks of a table."""

    def look(columns, predict, **options):
        rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
        (tmp_path / "t.csv").write_text("\n".join(rows))
        given = {"predict": predict, "validation": 0, "test": 0, "split": "shuffle", **options}
        dataset = Csv(str(tmp_path / "t.csv"), "t", **given)
        return leaks_in(dataset.open(0)["train"], dataset.describe(), dataset)

    return look


def sentence(column, target="the target"):
    return f"{column} predicts {target} by itself: is it known when you predict?"


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ([{"no": "n", "yes": "y", "maybe": "m"}[kind] for kind in KINDS], {"categorical": ("x", "c")}),
        ([100 * len(kind) + noise for kind, noise in zip(KINDS, NOISE, strict=True)], {"categorical": ("c",)}),
        (
            [len(kind) for kind in KINDS],
            {"categorical": ("x", "c"), "categories_by_column": {"x": "index"}},
        ),
    ],
)
def test_a_column_that_tells_the_class(found, told, options):
    assert found({"x": told, "c": OTHER, "n": NOISE, "t": KINDS}, "classes", **options) == (sentence("x"),)


@pytest.mark.parametrize("standardize", [True, False])
def test_a_line_tells_values(found, standardize):
    columns = {"n": NOISE, "x": [3 - 2 * value for value in VALUES], "c": OTHER, "t": VALUES}
    assert found(columns, "values", standardize=standardize, categorical=("c",)) == (sentence("x", "t"),)


def test_what_tells_little_is_not_named(found):
    columns = {"n": NOISE, "c": OTHER, "x": [value + noise for value, noise in zip(VALUES, NOISE, strict=True)]}
    assert found({**columns, "t": VALUES}, "values", categorical=("c",)) == ()
    assert found({**columns, "t": KINDS}, "classes", categorical=("c",)) == ()


@pytest.mark.parametrize(("count", "told"), [(20, (sentence("x", "t"),)), (21, ())])
def test_up_to_twenty_numbers_are_classes_that_categories_tell(found, count, told):
    numbers = [row % count for row in range(ROWS)]
    columns = {"n": NOISE, "x": [f"c{number:02}" for number in numbers], "t": numbers}
    assert found(columns, "values", categorical=("x",)) == told


def test_of_many_classes_no_order_counts(found):
    kinds = [f"k{row % 21:02}" for row in range(ROWS)]
    columns = {"n": NOISE, "x": [row % 21 * 8 % 21 for row in range(ROWS)], "t": kinds}
    assert found(columns, "classes") == (sentence("x"),)


@pytest.mark.parametrize(("rows", "told"), [(20, (sentence("x"),)), (19, ())])
def test_a_pattern_in_fewer_than_twenty_rows_may_be_chance(found, rows, told):
    columns = {"n": NOISE[:rows], "x": [len(kind) for kind in KINDS[:rows]], "t": KINDS[:rows]}
    assert found(columns, "classes", categorical=("x",)) == told


def test_a_column_that_errs_once_in_two_hundred_rows_tells_the_class(found):
    kinds = ["no", "yes"] * 100
    columns = {"n": [*NOISE, *NOISE[:80]], "x": ["yes", *kinds[1:]], "y": ["yes", "no", *kinds[2:]], "t": kinds}
    assert found(columns, "classes", categorical=("x", "y")) == (sentence("x"),)


def test_up_to_three_categories_for_each_class_tell_it(found):
    six, seven = ([f"c{row % count}" for row in range(ROWS)] for count in (6, 7))
    kinds = ["ab"[row % 6 % 2] for row in range(ROWS)]
    assert found({"n": NOISE, "x": six, "t": kinds}, "classes", categorical=("x",)) == (sentence("x"),)
    assert found({"n": NOISE, "x": [row % 6 for row in range(ROWS)], "t": kinds}, "classes") == (sentence("x"),)
    kinds = ["ab"[row % 7 % 2] for row in range(ROWS)]
    assert found({"n": NOISE, "x": seven, "t": kinds}, "classes", categorical=("x",)) == ()
    assert found({"n": NOISE, "x": [row % 7 for row in range(ROWS)], "t": kinds}, "classes") == ()


@pytest.mark.parametrize(("others", "told"), [(498, ()), (398, (sentence("x"),))])
def test_no_column_tells_a_class_that_nearly_all_rows_have(found, others, told):
    kinds = ["no", "no", *["yes"] * others]
    columns = {"n": [float(row % 7) for row in range(others + 2)], "x": kinds, "t": kinds}
    assert found(columns, "classes", categorical=("x",)) == told


def test_thresholds_tell_classes_whose_numbers_do_not_touch(found):
    kinds = ["a" if row <= 60 else "b" for row in range(ROWS)]
    touching = [row - (row > 60) for row in range(ROWS)]
    assert found({"n": NOISE, "x": [*range(ROWS)], "y": touching, "t": kinds}, "classes") == (sentence("x"),)


def test_few_rows_of_a_large_table_are_looked_at(monkeypatch, found):
    monkeypatch.setattr(leaks, "MOST_ROWS", 30)
    columns = {"n": NOISE, "x": [len(kind) for kind in KINDS], "t": KINDS}
    assert found(columns, "classes", categorical=("x",)) == (sentence("x"),)


@pytest.mark.parametrize(("others", "told"), [(299, (sentence("x"),)), (300, ())])
def test_the_columns_of_a_wide_table_are_not_looked_at(found, others, told):
    columns = {f"n{i}": [NOISE[(i + row) % ROWS] for row in range(30)] for i in range(others)}
    assert found({**columns, "x": [len(kind) for kind in KINDS[:30]], "t": KINDS[:30]}, "classes") == told


def test_examples_that_are_no_rows_of_a_table_are_not_read():
    assert leaks_in(np.empty(0), Description((3,), Classes(2), {"train": 9}), None) == ()


@pytest.mark.parametrize("constant", ["x", "t"])
def test_numbers_without_spread_in_the_rows_that_have_both_tell_nothing(constant):
    """Elsewhere, where the other is missing, they differ."""
    both, half = VALUES[:80], [""] * 40
    for same, expected in (([7.5] * 80, []), (both, [sentence("x", "t").removeprefix("x ")])):
        columns = {constant: [*same, *VALUES[80:]], "t" if constant == "x" else "x": [*both, *half]}
        assert leaks_of(whole("x", columns["x"]), [whole("t", columns["t"])]) == expected


def whole(name, values):
    """Return a column of numbers, of which empty ones are missing."""
    texts = [*dict.fromkeys(str(value) for value in values if value != "")]
    places = {text: place for place, text in enumerate(texts)}
    codes = np.array([places.get(str(value), -1) for value in values])
    return WholeColumn(RawColumn(name, "input", texts, np.array(texts, float), {"train": codes}))
