"""Rows in memory as columns, and what is said of those that no network can take."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import mlpkit
from mlpkit.errors import DataError, ShapeError, UsageError
from mlpkit.jobs.inputs import (
    Inputs,
    columns_by_position,
    file_names,
    inputs_of,
    named_columns,
    require_exists,
    require_finite,
    row_labels,
    without_prediction,
)
from mlpkit.jobs.load_model import load_run


def as_lists(columns):
    return {name: np.asarray(values).tolist() for name, values in columns.items()}


@pytest.mark.parametrize(
    ("rows", "names", "columns"),
    [
        (np.array([[1, 2, 3], [4, 5, 6]]), "abc", {"a": [1, 4], "b": [2, 5], "c": [3, 6]}),
        ([[1, "x"], (2, "y")], "ab", {"a": [1, 2], "b": ["x", "y"]}),
        (np.array([7, 8, 9]), "a", {"a": [7, 8, 9]}),
        ([7, 8], "a", {"a": [7, 8]}),
        ([], "ab", {"a": [], "b": []}),
    ],
)
def test_rows_without_names_are_columns_in_their_order(rows, names, columns):
    assert as_lists(columns_by_position(rows, list(names))) == columns


@pytest.mark.parametrize(
    ("rows", "names", "message", "expected"),
    [
        ([[1, 2], [3]], "ab", "row 1, counted from 0, has 1 value", "2 values: a, b"),
        ([[1, 2]], "a", "row 0, counted from 0, has 2 values", "1 value: a"),
        (np.arange(2), "ab", "an array of shape (2,) doesn't fit the table", "rows of 2 values: a, b"),
        (np.ones((3, 1)), "ab", "an array of shape (3, 1) doesn't fit the table", "rows of 2 values: a, b"),
        (np.ones((1, 2, 1)), "ab", "an array of shape (1, 2, 1) doesn't fit the table", "rows of 2 values: a, b"),
        (
            np.ones((1, 2)),
            [f"x{i}" for i in range(21)],
            "an array of shape (1, 2) doesn't fit the table",
            f"rows of 21 values: {', '.join(f'x{i}' for i in range(20))}, ...",
        ),
    ],
)
def test_rows_with_too_few_or_too_many_values(rows, names, message, expected):
    with pytest.raises(ShapeError) as raised:
        columns_by_position(rows, list(names))
    assert (raised.value.message, raised.value.expected) == (message, expected)


def test_a_single_number_is_not_a_row():
    with pytest.raises(UsageError, match=r"^rows can't be 7; expected a file name, a list of dicts, a dict of columns"):
        columns_by_position(7, ["a"])


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ({"a": [1, 2], 3: np.array([5, 6])}, {"a": [1, 2], "3": [5, 6]}),
        ([{"a": 1}, {"b": 2, "a": 3}], {"a": [1, 3], "b": [None, 2]}),
        (np.array([(1, 2.5)], [("a", int), ("b", float)]), {"a": [1], "b": [2.5]}),
        ({}, {}),
    ],
)
def test_columns_with_names(rows, columns):
    assert as_lists(named_columns(rows)) == columns


@pytest.mark.parametrize("rows", [np.ones((2, 2)), [[1, 2]], []], ids=str)
def test_rows_without_names(rows):
    assert named_columns(rows) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": [1, 2], "b": [3]}, "the column 'b' has 1 value, but 'a' 2; expected as many in each column"),
        ([{"a": 1}, 5], "row 1, counted from 0, is 5; expected a dict, like the other rows"),
        ({"a": np.ones((2, 1))}, "the column 'a' has values of shape (2, 1); expected one value for each row"),
        (
            {"a": "x"},
            "the column 'a' is the single value 'x'; expected a list, with a value for each row; give one row as a "
            "list that holds its dict: [{...}]",
        ),
        (
            {"a": {"b": 1}},
            "the column 'a' is a dict; expected a list, with a value for each row; give one row as a list that holds "
            "its dict: [{...}]",
        ),
    ],
)
def test_columns_that_are_refused(rows, message):
    with pytest.raises(UsageError) as raised:
        named_columns(rows)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("index", "labels"),
    [(np.array([0, 1, 2]), None), (np.array([1, 2]), [1, 2]), (np.array(["p", "q"]), ["p", "q"]), ([4, 5], None)],
)
def test_the_labels_of_rows_unless_they_count_them(index, labels):
    assert row_labels(SimpleNamespace(index=index)) == labels


@pytest.mark.parametrize(
    ("rows", "files"),
    [
        ("a.csv", ["a.csv"]),
        (Path("a.csv"), ["a.csv"]),
        (["a.csv", Path("b.csv")], ["a.csv", "b.csv"]),
        (np.array(["a.csv", "b.csv"]), ["a.csv", "b.csv"]),
        (np.array(["a.csv"], object), ["a.csv"]),
        (np.array([["a.csv"]]), None),
        (["a.csv", 1], None),
        (np.array([1.5, 2.5]), None),
        ([], None),
    ],
)
def test_what_names_files(rows, files):
    assert file_names(rows) == (files and [Path(file) for file in files])


@pytest.mark.parametrize(
    ("lacking", "labels", "rows", "text"),
    [
        (
            {2: ["age"]},
            None,
            3,
            "1 of 3 rows has missing values, which no training row had: row 2 (age), counted from 0; fill in age, "
            "leave these rows out, or train with missing set to fill",
        ),
        (
            {0: ["age", "port"], 1: ["fare", "age"]},
            ["p7", 8],
            7,
            "2 of 7 rows have missing values, which no training row had: row 'p7' (age, port), row 8 (fare, age); fill "
            "in age, port, fare, leave these rows out, or train with missing set to fill",
        ),
    ],
)
def test_rows_without_a_prediction_are_listed(lacking, labels, rows, text):
    assert without_prediction(Inputs(np.zeros((rows, 2)), lacking=lacking), labels) == text


def test_the_first_number_that_is_not_finite_is_named():
    rows = np.ones((4, 3))
    require_finite("the rows", rows, "gives {value}")
    rows[2, 1], rows[3, 0] = -np.inf, np.nan
    for names, column in ((None, ""), ("abc", "column 'b', ")):
        with pytest.raises(DataError) as raised:
            require_finite("the rows", rows, "gives {value}", names)
        assert str(raised.value) == f"the rows: row 2, counted from 0, {column}gives -inf"


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "people.csv").touch()
    require_exists(tmp_path / "people.csv")
    for name, message in (
        ("poeple.csv", f"there is no file '{tmp_path}/poeple.csv'; did you mean 'people.csv'?"),
        ("other.npy", f"there is no file '{tmp_path}/other.npy'"),
        ("no/people.csv", f"there is no folder '{tmp_path}/no'"),
    ):
        with pytest.raises(UsageError) as raised:
            require_exists(tmp_path / name)
        assert str(raised.value) == message


def test_rows_of_several_files_have_names_if_all_files_name_theirs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("pets/a/one", "pets/a/two", "pets/b/three", "pets/b/four"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (2, 3), np.uint8)).save(f"{name}.png")
    np.save("more.npy", rng.integers(0, 256, (3, 2, 3)).astype(np.uint8))
    data = {"image_folder": {"folder": "pets", "validation": 0, "test": 0}}
    layers, training = ["Flatten", {"Affine": {"units": 2}}, "SoftmaxWithLoss"], {"optimizer": "sgd", "epochs": 1}
    spec = {"mlpkit": 1, "data": data, "layers": layers, "training": training | {"batch_size": 2}}
    model = load_run(mlpkit.run(mlpkit.load_spec(spec), "run").folder)
    for files, names in (
        (["pets/b"], ("four.png", "three.png")),
        (["pets/b", "pets/a/two.png"], ("four.png", "three.png", "two.png")),
        (["pets/b", "more.npy"], None),
        (["more.npy", "pets/b"], None),
        (["more.npy", "more.npy"], None),
    ):
        found = inputs_of(model, files)
        parts = [inputs_of(model, file) for file in files]
        assert (found.row_names and tuple(map(str, found.row_names)), str(found.source)) == (names, files[0])
        np.testing.assert_array_equal(found.x, np.concatenate([part.x for part in parts]))
        np.testing.assert_array_equal(found.raw.reshape(-1), np.concatenate([part.raw.reshape(-1) for part in parts]))
        assert found.raw.shape == (len(found.x), *parts[0].raw.shape[1:])
