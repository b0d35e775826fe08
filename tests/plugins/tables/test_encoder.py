"""What the encoder of a table does with columns that taught it little."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

from mlpkit import DataError, ParameterError
from mlpkit_plugins.datasets.csv import Csv

ROWS = 12


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes x.csv from rows."""
    monkeypatch.chdir(tmp_path)
    return lambda rows: (tmp_path / "x.csv").write_text("\n".join(rows))


def taken(dataset, split):
    rows = len(dataset.open(0)[split])
    x = np.empty((rows, *dataset.describe().input_shape))
    dataset.open(0)[split].take(np.arange(rows), (x, np.empty(rows, np.int64)))
    return x


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, -1e9])
def test_a_number_off_the_constant_of_its_column_keeps_its_distance(write, constant):
    write(["a,t", *(f"{constant!r},{'pq'[i % 2]}" for i in range(ROWS))])
    dataset = Csv("x.csv", "t", validation=0, test=0, split="shuffle")
    np.testing.assert_allclose(taken(dataset, "train"), 0, atol=1e-12)
    np.testing.assert_allclose(dataset.encode(np.array([[constant + 3], [constant - 2]])), [[3.0], [-2.0]], atol=1e-6)
    assert dataset.encoder_state()["stds"] == [1.0]


def split_by_group(**options):
    """Return a data set whose training rows are those of group 1, whichever seed it takes."""
    for seed in range(100):
        dataset = Csv("x.csv", "t", split_by="g", validation=0.5, test=0, split_seed=seed, missing="fill", **options)
        with suppress(ParameterError):  # both groups came into one split
            if dataset.describe().sizes == {"train": ROWS, "validation": ROWS + 1}:
                return dataset
    raise AssertionError


def test_a_column_of_numbers_that_all_training_rows_lack_is_zero_there_and_unscaled_elsewhere(write):
    rows = [f"1,{i},,{'pq'[i % 2]}" for i in range(ROWS)]
    write(["g,a,b,t", *rows, *(f"2,{i},{i},{'pq'[i % 2]}" for i in range(ROWS + 1))])
    dataset = split_by_group()
    assert {name: dataset.encoder_state()[name][1] for name in ("means", "stds", "fills", "extents")} == {
        "means": 0.0,
        "stds": 1.0,
        "fills": 0.0,
        "extents": [0.0, 0.0],
    }
    assert taken(dataset, "train")[:, 1].tolist() == [0.0] * ROWS
    assert taken(dataset, "validation")[:, 1].tolist() == list(range(ROWS + 1))


def test_a_column_of_categories_that_all_training_rows_lack_has_none(write):
    rows = [f"1,{i},,{'pq'[i % 2]}" for i in range(ROWS)]
    write(["g,a,b,t", *rows, *(f"2,{i},x,{'pq'[i % 2]}" for i in range(ROWS + 1))])
    dataset = split_by_group(categorical=("b",), unknown="zeros")
    assert dataset.encoder_state()["categories"] == [["b", []]]
    assert taken(dataset, "validation").shape == (ROWS + 1, 1)
    with pytest.raises(DataError, match=r"column 'b': the category 'x' occurs in no training row"):
        split_by_group(categorical=("b",))
