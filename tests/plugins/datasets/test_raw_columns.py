"""The columns of a table, as they stand in the file."""

from __future__ import annotations

import numpy as np
import pytest
from requirements import Optional

from mlpkit import DataError
from mlpkit_plugins.datasets.csv import Csv

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

ROWS = [
    ("ann", 1.5, "red", "yes"),
    ("bob", None, "blue", "no"),
    ("cyd", 3.0, "red", "no"),
    ("dan", 4.0, None, "yes"),
    ("eve", 5.0, "blue", "yes"),
    ("fay", 6.0, "red", "no"),
    *((f"person {i}", float(i), ("red", "blue")[i % 2], ("yes", "no")[i % 3 % 2]) for i in range(20)),
]
NAMES = ("name", "size", "colour", "good")


@pytest.fixture(params=["csv", "parquet"])
def make(request, tmp_path):
    """Return a function that makes a data set of the rows in a file of one format or the other."""

    def dataset(**options):
        common = {
            "target": "good",
            "categorical": ("colour",),
            "ignore": ("name",),
            "validation": 0,
            "test": 0.5,
            "split": "shuffle",
        }
        if request.param == "csv":
            lines = [",".join("" if value is None else str(value) for value in row) for row in (NAMES, *ROWS)]
            (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
            return Csv(file=str(tmp_path / "data.csv"), **common | options)
        columns = dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))
        columns["list"] = [[1, 2]] * len(ROWS)  # neither numbers nor texts
        pq.write_table(pa.table(columns), tmp_path / "data.parquet")
        return Parquet(file=str(tmp_path / "data.parquet"), **common | {"ignore": ("name", "list")} | options)

    return dataset


def _rows(columns):
    """Return the rows that columns hold, each with its split."""
    found = {}
    for split in columns[0].codes:
        for i in range(len(columns[0].codes[split])):
            row = [None if (code := column.codes[split][i]) < 0 else column.texts[code] for column in columns]
            found[row[0]] = (split, *row[1:])
    return found


@pytest.mark.parametrize("missing", ["fill", "drop"])
def test_all_columns_are_there_with_the_rows_of_each_split(missing, make):
    dataset = make(missing=missing, unknown="zeros")
    splits = dataset.open(0)
    columns = dataset.raw_columns()
    assert [(column.name, column.role) for column in columns] == [
        ("name", "left out"),
        ("size", "input"),
        ("colour", "input"),
        ("good", "target"),
    ]
    found = _rows(columns)
    expected = {row[0]: row for row in ROWS if missing == "fill" or None not in row}
    assert found.keys() == expected.keys()
    for name, (_, size, colour, good) in found.items():
        row = expected[name]
        assert (None if size is None else float(size), colour, good) == row[1:]
    for split, taken in splits.items():
        assert len(columns[0].codes[split]) == len(taken)
        t = np.zeros(len(taken), np.int64)
        taken.take(np.arange(len(taken)), (np.zeros((len(taken), *dataset.describe().input_shape), np.float32), t))
        target = columns[3]
        assert [dataset.class_names()[i] for i in t] == [target.texts[code] for code in target.codes[split]]


@pytest.mark.parametrize(("test", "role"), [(0.5, "split"), (0, "left out")])
def test_a_column_splits_rows_only_if_a_split_has_a_share(make, test, role):
    dataset = make(split={"group": "name"}, test=test, missing="fill", inputs=("size", "colour"), ignore=())
    assert [column.role for column in dataset.raw_columns()] == [role, "input", "input", "target"]


def test_numbers_are_told_from_texts(make):
    columns = {column.name: column for column in make(missing="fill").raw_columns()}
    assert columns["size"].numbers.tolist() == [float(text) for text in columns["size"].texts]
    assert columns["colour"].numbers is None


def test_a_split_may_have_a_file_of_its_own(tmp_path):
    for name, rows in (("train", "x,y\n1,a\n2,b\n7,a\n8,b\n"), ("test", "y,x,more\nb,3,0\na,1,0\n")):
        (tmp_path / f"{name}.csv").write_text(rows)
    dataset = Csv(file=str(tmp_path / "train.csv"), target="y", test=str(tmp_path / "test.csv"), validation=0)
    dataset.open(0)
    x, y = dataset.raw_columns()
    assert [x.texts[code] for code in x.codes["test"]] == ["3", "1"]
    assert [y.texts[code] for code in y.codes["train"]] == ["a", "b", "a", "b"]


def test_decimal_commas_and_missing_texts_are_known(tmp_path):
    (tmp_path / "data.csv").write_text("x;y\n1,5;a\n?;b\n2,5;a\n1,5;b\n")
    dataset = Csv(
        file=str(tmp_path / "data.csv"),
        target="y",
        delimiter=";",
        decimal=",",
        missing="fill",
        missing_texts=("?",),
        validation=0,
        test=0,
    )
    x, _ = dataset.raw_columns()
    assert x.numbers.tolist() == [1.5, 2.5]
    assert x.codes["train"].tolist() == [0, -1, 1, 0]


def test_a_text_that_cannot_be_read_is_named_though_its_column_is_left_out(tmp_path):
    columns = {"x": [1.5, 2, 3, 4], "note": ["a", "b" * 131_073, "c", "d"], "t": [*"pqpq"]}
    pq.write_table(pa.table(columns), tmp_path / "data.parquet")
    dataset = Parquet(str(tmp_path / "data.parquet"), "t", ignore=("note",), validation=0, test=0)
    with pytest.raises(DataError, match=r"data.parquet, row 2, column 'note': a text has 131,073 bytes"):
        dataset.raw_columns()


def test_data_that_is_no_table_has_no_columns():
    from mlpkit_plugins.datasets.mnist import Mnist

    assert Mnist().raw_columns() is None


def test_columns_of_another_file_are_read_in_the_same_way(make, tmp_path):
    dataset = make(missing="fill", unknown="zeros")
    dataset.open(0)
    own = {column.name: column for column in dataset.raw_columns()}
    path = next(tmp_path.glob("data.*"))
    for column in dataset.raw_columns_in(path):
        assert (column.role, column.holds) == (own[column.name].role, own[column.name].holds)
        texts = [column.texts[code] if code >= 0 else None for code in column.codes["new"]]
        known = own[column.name]
        counted = [known.texts[code] if code >= 0 else None for codes in known.codes.values() for code in codes]
        assert sorted(map(str, texts)) == sorted(map(str, counted))
    categories = [name for name, column in own.items() if column.holds == "categories"]
    assert categories == ["colour", "good"]


def test_dates_are_named_as_such(tmp_path):
    (tmp_path / "data.csv").write_text("day,t\n2024-01-02,1.5\n2024-01-03,2.5\n2024-01-04,3.5\n")
    options = {"dates": ("day",), "predict": "values", "validation": 0, "test": 0}
    dataset = Csv(file=str(tmp_path / "data.csv"), target="t", **options)
    assert [column.holds for column in dataset.raw_columns()] == ["dates", ""]
