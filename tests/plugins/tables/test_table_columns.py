"""The columns of a table's file, known before the data set is complete."""

from __future__ import annotations

import pytest
from requirements import require_package

from mlpkit import Dataset, ParameterError
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.tables.options import shown_names


def test_the_columns_are_those_of_the_header(tmp_path):
    (tmp_path / "a.csv").write_text("# a note\n'x;1';y\n1;2\n", "utf-8")
    reading = {"file": str(tmp_path / "a.csv"), "delimiter": ";", "quote": "'", "comment": "#"}
    assert Csv.table_columns(reading) == ("x;1", "y")
    assert Csv.table_columns(reading | {"split": "hash", "classes": ("a", "a"), "target": ("y", "y")}) == ("x;1", "y")
    assert Csv.table_columns(reading | {"header": ("p", "q")}) == ("p", "q")


def test_without_a_file_no_columns_are_known():
    assert Csv.table_columns({"target": "y"}) == ()
    assert Dataset.table_columns({"file": "a.csv"}) == ()
    with pytest.raises(ParameterError, match="nothing"):
        Csv.table_columns({"file": "nothing.csv"})


def test_a_parquet_file_has_its_columns():
    parquet = require_package("mlpkit_plugins.datasets.parquet")
    columns = parquet.Parquet.table_columns({"file": "example:machines.parquet"})
    assert {"site", "hours", "fails"} <= set(columns)


@pytest.mark.parametrize(("count", "end"), [(20, ""), (21, ", ...")])
def test_twenty_names_of_eighty_characters_are_shown_in_full(count, end):
    names = [f"{number:080}" for number in range(count)]
    assert shown_names(names) == ", ".join(names[:20]) + end
    assert shown_names(["x", "y" * 81]) == f"x, {'y' * 80}..."
