"""A table is encoded as pytabkit 1.7.3 does it for RealMLP-TD and TabM; ``pytabkit_reference.py`` made the values."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.encodings.quantile import Quantile
from mlpkit_plugins.encodings.robust_smooth_clip import RobustSmoothClip

REFERENCE = json.loads((Path(__file__).parent / "pytabkit.json").read_text("utf-8"))
TRAINING = REFERENCE["training"]
NUMBERS = ["even", "skewed", "mostly_zero"]


@pytest.fixture
def files(tmp_path):
    """Return the files of training and test rows."""
    table = REFERENCE["table"]
    for name, rows in (("train.csv", table["data"][:TRAINING]), ("test.csv", table["data"][TRAINING:])):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*table["columns"], "y"])
            writer.writerows([*("" if value is None else value for value in row), i % 2] for i, row in enumerate(rows))
    return {"file": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv"), "validation": 0}


def encoded(dataset):
    (width,) = dataset.describe().input_shape
    parts = []
    for split in dataset.open(0).values():
        x = np.empty((len(split), width))
        split.take(np.arange(len(split)), (x, np.empty(len(split), np.int64)))
        parts.append(x)
    return np.concatenate(parts)


def test_realmlp(files):
    dataset = Csv(
        **files,
        target="y",
        categorical=("sex", "plan", "town"),
        missing="fill",
        unknown="zeros",
        numbers=RobustSmoothClip(),
        most_one_hot=8,
        sign_of_two=True,
        encode_one_hot=True,
    )
    x = encoded(dataset)
    columns = dataset.describe().columns
    assert [(c.name, c.holds, c.width, c.values) for c in columns] == [
        *((name, "numbers", 1, 0) for name in NUMBERS),
        ("sex", "one_hot", 1, 0),
        ("plan", "one_hot", 3, 0),
        ("town", "categories", 1, 15),
    ]
    constant = np.zeros((len(x), 1))  # pytabkit keeps the constant column, as zeros; mlpkit leaves it out
    np.testing.assert_allclose(np.hstack([x[:, :3], constant]), REFERENCE["numbers"], atol=1e-6)
    np.testing.assert_allclose(x[:, 3:7], REFERENCE["one_hot"], atol=1e-6)
    np.testing.assert_array_equal(x[:, 7:], REFERENCE["indices"])


def test_tabm(files):
    x = encoded(Csv(**files, target="y", inputs=tuple(NUMBERS), numbers=Quantile()))
    np.testing.assert_allclose(x, REFERENCE["quantile"], atol=1e-6)
