"""A split of a table, encoded once or minibatch by minibatch."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables import table_split

ROWS = ["size,colour,amount,price", *(f"{i % 7},{'red' if i % 3 else 'blue'},{1 + i % 2},{i}" for i in range(300))]
SPEC = {
    "mlpkit": 1,
    "data": {
        "csv": {
            "file": "table.csv",
            "target": "price",
            "predict": "values",
            "weight": "amount",
            "categorical": ["colour"],
        }
    },
    "layers": [{"Affine": {"units": "auto"}}, "MeanSquaredError"],
    "training": {"optimizer": {"sgd": {"learning_rate": 0.01}}, "batch_size": 8, "epochs": 3},
}


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Count the rows that are encoded while a network is trained, and return them with its predictions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("\n".join(ROWS) + "\n")
    encode, counts = table_split.TableSplit._encode, []

    def counting(self, rows, out):
        counts.append(len(rows))
        encode(self, rows, out)

    monkeypatch.setattr(table_split.TableSplit, "_encode", counting)

    def train():
        counts.clear()
        run = mlpkit.run(mlpkit.load_spec(SPEC), quiet=True)
        return sum(counts), [value.copy() for value in run.network.parameters.values()]

    return train


def test_a_small_table_is_encoded_once_and_a_large_one_as_it_is_read(counted, monkeypatch):
    once, expected = counted()
    monkeypatch.setattr(table_split, "ROWS_TOGETHER", 7)
    by_parts, parameters = counted()
    assert by_parts == once
    for ours, theirs in zip(parameters, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    monkeypatch.setattr(table_split, "MOST_HELD", 1000)
    as_read, parameters = counted()
    assert once <= 300 < as_read
    for ours, theirs in zip(parameters, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({}, "set split: shuffle to split copies of a row, too"),
        ({"split": "hash"}, "set split: stratified"),
        ({"split": "shuffle"}, "set split: stratified"),
        ({"split": {"group": "g"}}, "set larger shares in validation and test, or name a column with more groups"),
        ({"split_by": "g"}, "set larger shares in validation and test, or name a column with more groups"),
        (
            {"split": {"time": "g"}},
            "set larger shares in validation and test, or split: stratified if time doesn't matter",
        ),
    ],
)
def test_what_to_do_about_splits_of_other_sizes_depends_on_how_they_are_made(options, remedy):
    parts = {name: table_split.Part(None, range(size)) for name, size in (("train", 900), ("validation", 100))}
    dataset = Csv("x.csv", "t", validation=0.3, test=0, **options)
    (warning,) = table_split.warnings_about_split(parts, dataset, None)
    assert warning.message.endswith("mislead: validation has 10% of the rows, not 30%")
    assert warning.remedy == remedy
