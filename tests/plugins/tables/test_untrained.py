"""Numbers far outside the range of training, counted and named."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.datasets.csv import Csv


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
