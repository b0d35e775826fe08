"""The raw columns that inputs of a network belong to: to mix encoded columns is to encode mixed columns."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpkit
from mlpkit.jobs.explanations import column_of_inputs, encoded, rows_at
from mlpkit.jobs.load_model import load_run

SPEC = {
    "mlpkit": 1,
    "data": {
        "csv": {
            "file": "table.csv",
            "target": "paid",
            "predict": "values",
            "categorical": ["town"],
            "ordinal": {"size": ["small", "medium", "large"]},
            "dates": ["day"],
            "missing": "indicate",
        }
    },
    "layers": [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 1}}, "MeanSquaredError"],
    "training": {"optimizer": {"adam": {"learning_rate": 0.01}}, "epochs": 3},
}


def table(count):
    """Return columns of texts, as in a CSV file, a few of them empty."""
    rng = np.random.default_rng(0)
    age = [f"{value:.1f}" if value < 60 else "" for value in rng.normal(40, 12, count)]
    town = rng.choice(["Ulm", "Bonn", "Jena", "Kiel"], count, p=[0.5, 0.3, 0.19, 0.01])
    day = [f"20{rng.integers(10, 25)}-{rng.integers(1, 13):02}-{rng.integers(1, 28):02}" for _ in range(count)]
    columns = {
        "age": age,
        "town": town.tolist(),
        "size": rng.choice(["small", "medium", "large"], count).tolist(),
        "day": day,
        "same": ["7"] * count,
        "income": [f"{value:.2f}" for value in rng.lognormal(3, 1, count)],
    }
    return {
        **columns,
        "paid": [
            f"{len(town) + float(income):.2f}" for town, income in zip(columns["town"], columns["income"], strict=True)
        ],
    }


ROWS = table(300)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    columns = ROWS
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        mlpkit.run(mlpkit.load_spec(SPEC), folder / "run", quiet=True)
    return load_run(folder / "run")


@given(st.lists(st.booleans(), min_size=6, max_size=6), st.integers(0, 299), st.integers(0, 299))
@settings(max_examples=30, deadline=None)
def test_mixing_encoded_columns_is_encoding_mixed_columns(trained, own, row, other):
    names = trained.dataset.column_names()
    raw = {name: ROWS[name] for name in names}
    one, two = (rows_at(raw, np.array([i])) for i in (row, other))

    column_of = column_of_inputs(lambda rows: encoded(trained, rows), two, one)
    taken = dict(zip(names, own, strict=False))
    mixed = {name: (one if taken[name] else two)[name] for name in names}

    x, y = encoded(trained, one), encoded(trained, two)
    by_input = np.array([i >= 0 and taken[names[i]] for i in column_of])
    np.testing.assert_array_equal(np.where(by_input, x, y), encoded(trained, mixed))


def test_each_part_of_a_date_and_each_category_belongs_to_its_column(trained):
    names = trained.dataset.column_names()
    raw = {name: ROWS[name] for name in names}

    column_of = column_of_inputs(lambda rows: encoded(trained, rows), raw)

    features = trained.dataset.feature_names()
    found = {feature: names[i] for feature, i in zip(features, column_of, strict=True) if i >= 0}
    assert {found[name] for name in features if name.startswith("town=")} == {"town"}
    assert sum(column == "day" for column in found.values()) > 1
    assert found["age is missing"] == "age"
    assert set(found.values()) == {"age", "town", "size", "day", "income"}


def test_inputs_that_mix_columns_belong_to_none():
    rows = np.random.default_rng(0).normal(size=(20, 5))

    assert column_of_inputs(lambda raw: np.cumsum(raw, axis=1), rows) is None
    assert column_of_inputs(lambda raw: raw[:, ::-1], rows).tolist() == [4, 3, 2, 1, 0]


def test_columns_may_have_other_types_in_each_table():
    texts, numbers = {"a": ["1", "2"], "b": ["3", "3"]}, {"a": np.array([1.0]), "b": [4.0]}

    def encode(rows):
        assert len({type(value) for value in rows["a"]}) == 1
        return np.array([[float(value) for value in rows[name]] for name in "ab"]).T

    assert column_of_inputs(encode, texts, numbers).tolist() == [0, 1]
    assert column_of_inputs(encode, {"a": ["1"], "b": ["3"]}, {"a": [1.0], "b": [4.0]}).tolist() == [-1, 1]
