"""Keys of rows: equal for rows that are equal as numbers, however these are written."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables.options import Columns
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.table_split import row_keys


@pytest.fixture
def keys(tmp_path):
    """Return a function that returns the keys of rows of two numbers and a text."""

    def of(*rows):
        (tmp_path / "x.csv").write_text("\n".join(["a,b,c", *rows]))
        source = Csv(str(tmp_path / "x.csv"), "c").source(tmp_path / "x.csv", "x.csv")
        return row_keys(Table(source, Columns(("a", "b"), ("c",)), missing="fill")).tolist()

    return of


def test_zero_has_one_key_whatever_its_sign(keys):
    assert len(set(keys("0,1,p", "-0,1,p", "0.0,1,p", "-0.0,1,p", "-0e5,1.0,p"))) == 1
    assert len(set(keys("0,1,p", "5e-324,1,p"))) == 2


def test_a_missing_number_has_one_key_and_is_no_zero(keys):
    first, second, zero = keys(",1,p", " ,1,p", "0,1,p")
    assert first == second != zero


def test_a_row_keeps_its_place_among_the_splits_when_a_zero_gets_a_sign(tmp_path):
    rng = np.random.default_rng(0)
    places = []
    for zero in ("0", "-0.0"):
        (tmp_path / "x.csv").write_text("a,n,t\n" + "".join(f"{zero},{i},{'pq'[i % 2]}\n" for i in range(60)))
        dataset = Csv(str(tmp_path / "x.csv"), "t", validation=0.3, test=0, standardize=False)
        split = dataset.open(0)["validation"]
        x = np.empty((len(split), 1))  # the column of zeros is left out
        split.take(rng.permutation(len(split)), (x, np.empty(len(split), np.int64)))
        places.append(sorted(x[:, 0]))
    assert places[0] == places[1]


def test_different_rows_have_different_keys(keys):
    rows = [f"{a},{b},{c}" for a in (1, 2) for b in (1, 2) for c in "pq"]
    assert len(set(keys(*rows))) == len(rows)


@pytest.mark.parametrize(
    ("options", "validation", "test"),
    [
        ({}, [9, 13, 21, 26, 29, 30, 32], [6, 14, 28]),
        ({"split": "hash"}, [9, 13, 19, 22, 23, 26, 29, 30, 32], [6, 14, 28]),
        ({"split": {"group": "c"}}, [5, 6, 17, 19, 21, 23, 24], [22, 30, 31]),
        ({"split_by": "c", "split_seed": 6}, [2, 10, 14, 19, 28, 33, 34], [3, 6, 7]),
        ({"split": "hash", "predict": "values", "target": "a", "ignore": ("t",)}, [13, 19, 25], [16, 17, 20]),
    ],
)
def test_rows_are_in_the_splits_in_which_they_were(tmp_path, options, validation, test):
    """Results are compared across versions, so a table has the same splits in all of them."""
    rows = [f"{'' if i == 4 else i * i % 23 / 4},{'kmn'[i % 3]}{i // 2},{'pq'[i % 5 // 3]}" for i in range(30)]
    (tmp_path / "x.csv").write_text("\n".join(["a,c,t", *rows, rows[7], rows[8], rows[8]]))
    given = {"target": "t", "missing": "fill", "categorical": ("c",), "unknown": "zeros", **options}
    if "c" in str(options.get("split", "")) or "split_by" in options:
        given["categorical"] = ()
    dataset = Csv(str(tmp_path / "x.csv"), validation=0.2, test=0.1, **given)
    found = {name: part.rows_in_file() for name, part in dataset.open(0).items()}
    assert (found["validation"], found["test"]) == (validation, test)
