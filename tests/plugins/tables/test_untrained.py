"""Values that no training row has, and numbers far outside the range of training, counted and named."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables.untrained import UntrainedValues, unknown_classes


@pytest.mark.parametrize(
    ("rows", "remarks"),
    [
        ([["30", "2024-01-10", "s"]], []),  # half of the range beyond its end
        ([["10", "2023-12-29", "l"]], []),
        (
            [
                ["30.5", "2024-01-11", "s"],
                ["36", "2024-01-09", "s"],
                ["9.5", "2023-12-28", "l"],
                ["", "2023-12-20", "l"],
            ],
            [
                "2 rows have 'a' above 25, the greatest in training",
                "1 row has 'a' below 15, the least in training",
                "1 row has 'day' after 2024-01-07, the last in training",
                "2 rows have 'day' before 2024-01-01, the first in training",
            ],
        ),
    ],
)
def test_rows_beyond_half_of_the_range_are_counted(write, rows, remarks):
    # the range of a is 15 to 25, that of the days 6 of them
    file = write("a,day,size,k,t\n15,2024-01-01,s,7,x\n25,2024-01-07,s,7,y\n20,2024-01-02,m,7,x\n16,2024-01-03,m,7,y\n")
    options = {"dates": ("day",), "date_parts": ("elapsed",), "ordinal": {"size": ("s", "m", "l")}, "missing": "fill"}
    dataset = Csv(file, "t", validation=0, test=0, **options)
    dataset.describe()
    columns = dict(zip(("a", "day", "size"), map(list, zip(*rows, strict=True)), strict=True))
    found = dataset.remarks(dataset.from_columns({**columns, "k": ["900"] * len(rows)}))
    assert found == (
        [f"{'; '.join(remarks)}; predictions far outside the range of training are guesses"] * bool(remarks)
    )
    assert dataset.remarks(np.zeros((0, 4))) == []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["elk"], "on: 'elk'; they"),
        (["fox", "elk", "zebra"], "on, such as 'elk'; they"),
        (
            ["fox", "elk", "hores"],
            "on, such as 'hores' (did you mean 'horse'?); they",
        ),
    ],
)
def test_a_value_that_was_most_likely_misspelt_is_shown_before_the_others(texts, expected):
    untrained = UntrainedValues("new.csv", 1200, "animal", 3, texts, ["cat", "horse"])
    told = f"new.csv, column 'animal': 3 of 1,200 values were never trained {expected} count as zeros"
    assert untrained.described() == told


@pytest.mark.parametrize(
    ("counts", "trained", "expected"),
    [
        ({"fox": 2}, True, "class 'fox' occurs in no training row; leave out the row"),
        ({"fox": 2, "elk": 1}, True, "classes 'fox', 'elk' occur in no training row; leave out their rows"),
        (
            {"fox": 2, "elk": 1},
            False,
            "classes 'fox', 'elk' occur in no training row; give more rows to training, set another split_seed, "
            "or leave such classes out with rare_classes: {drop: 3}",
        ),
        ({"hores": 1, "elk": 1}, True, "classes 'hores', 'elk' occur in no training row; did you mean 'horse'?"),
    ],
)
def test_classes_that_no_training_row_has_are_listed(counts, trained, expected):
    assert unknown_classes(counts, ["cat", "horse"], trained=trained) == f"the {expected}"
