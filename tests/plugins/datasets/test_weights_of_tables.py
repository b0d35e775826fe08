"""Weights of a table's rows: a column of numbers, and mistakes in it by file, row and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from requirements import Optional

from mlpkit import DataError, ParameterError
from mlpkit_plugins.datasets.csv import Csv

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

NONE = {"validation": 0, "test": 0}
TABLE = "a,w,kind\n1,2,x\n2,0,y\n3,0.5,x\n4,1,y\n5,1,y\n"


def taken(dataset, split="train"):
    description = dataset.describe()
    part = dataset.open(0)[split]
    shape, dtype = description.target.array(np.dtype(float))
    out = np.empty((len(part), *description.input_shape)), np.empty((len(part), *shape), dtype), np.empty(len(part))
    part.take(np.arange(len(part)), out)
    return out


def message(kind, make):
    with pytest.raises(kind) as caught:
        make().describe()
    return str(caught.value)


def test_each_row_has_its_weight_and_rows_with_weight_0_are_left_out(write):
    dataset = Csv(write(TABLE), "kind", weight="w", standardize=False, **NONE)
    assert dataset.describe().weighted
    assert dataset.describe().sizes == {"train": 4}
    x, t, weights = taken(dataset)
    assert (x.tolist(), t.tolist(), weights.tolist()) == ([[1], [3], [4], [5]], [0, 0, 1, 1], [2, 0.5, 1, 1])
    assert dataset.column_names() == ("a",)
    assert [(column.name, column.role) for column in dataset.raw_columns()] == [
        ("a", "input"),
        ("w", "weight"),
        ("kind", "target"),
    ]


def test_without_a_column_of_weights_no_example_has_one(write):
    dataset = Csv(write(TABLE), "kind", **NONE)
    assert not dataset.describe().weighted
    assert dataset.column_names() == ("a", "w")


def test_inputs_may_name_it_too(write):
    dataset = Csv(write(TABLE), "kind", inputs=("a", "w"), weight="w", standardize=False, **NONE)
    x, _, weights = taken(dataset)
    assert x[:, 1].tolist() == weights.tolist()


@pytest.mark.parametrize("split", ["stratified", "hash", {"group": "g"}])
def test_the_split_is_that_of_the_table_without_the_column(write, split):
    rows = [(i % 7, i // 5, "xy"[i % 2], (i * 5) % 4) for i in range(200)]
    with_weights = write("a,g,kind,w\n" + "".join(f"{i}.{a},{g},{k},{w}\n" for i, (a, g, k, w) in enumerate(rows)))
    kept = "a,g,kind\n" + "".join(f"{i}.{a},{g},{k}\n" for i, (a, g, k, w) in enumerate(rows) if w)
    one = Csv(with_weights, "kind", weight="w", split=split, standardize=False)
    other = Csv(write(kept, "kept.csv"), "kind", split=split, standardize=False)
    for name, size in one.describe().sizes.items():
        x, t, _ = taken(one, name)
        assert size == other.describe().sizes[name]
        expected = np.empty(x.shape), np.empty(t.shape, t.dtype)
        other.open(0)[name].take(np.arange(size), expected)
        np.testing.assert_array_equal(x, expected[0])
        np.testing.assert_array_equal(t, expected[1])


@pytest.mark.parametrize(
    "weights",
    [[2, 0, 1, 1, 3], [2.0, 0.0, 0.5, 1.0, 3.0], ["2", "0", "0.5", "1", "3"]],
    ids=["integers", "numbers", "texts"],
)
def test_parquet_has_the_weights_of_the_same_csv(write, weights):
    columns = {"a": [1, 2, 3, 4, 5], "w": weights, "kind": ["x", "y", "x", "y", "y"]}
    pq.write_table(pa.table(columns), Path(write("", "data.parquet")))
    text = "a,w,kind\n" + "".join(f"{a},{w},{k}\n" for a, w, k in zip(*columns.values(), strict=True))
    for one, other in zip(
        taken(Parquet("data.parquet", "kind", weight="w", **NONE)),
        taken(Csv(write(text), "kind", weight="w", **NONE)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_weights_are_written_as_other_numbers_are(write):
    text = "a;w;kind\n1,5;1.000,5;x\n2,5;3 kg;x\n2,5;1;y\n3,5;1;y\n"
    options = {"delimiter": ";", "decimal": ",", "thousands": ".", "symbols": ("kg",)}
    assert taken(Csv(write(text), "kind", weight="w", **options, **NONE))[2].tolist() == [1000.5, 3, 1, 1]


def test_files_of_other_splits_have_weights_too(write):
    dataset = Csv(write(TABLE), "kind", weight="w", validation=write(TABLE.replace("2,x", "7,x"), "v.csv"), test=0)
    assert taken(dataset, "validation")[2].tolist() == [7, 0.5, 1, 1]
    write("a,kind\n1,x\n", "v.csv")
    said = message(DataError, lambda: Csv("data.csv", "kind", weight="w", validation="v.csv", test=0))
    assert said == "v.csv, row 1, column 'w': the file has no such column; it has a, kind"


def test_a_trained_data_set_reads_weights_to_evaluate_but_not_to_predict(write):
    dataset = Csv(write(TABLE), "kind", weight="w", **NONE)
    dataset.describe()
    raw, t, weights = dataset.read_examples(Path("data.csv"))
    assert (len(raw), t.tolist(), weights.tolist()) == (4, [0, 0, 1, 1], [2, 0.5, 1, 1])
    _, _, weights = dataset.read_examples({"a": [1, 2], "kind": ["x", "y"], "w": [3, 0.25]})
    assert weights.tolist() == [3, 0.25]
    assert dataset.read(Path(write("a\n5\n", "new.csv"))).shape == (1, 1)
    with pytest.raises(DataError, match="column 'w': the file has no such column"):
        dataset.read_examples(Path(write("a,kind\n5,x\n", "new.csv")))


WRONG = {
    "-1": "the weight is -1; expected 0 or more; write such a number, or leave out the row",
    "": "the weight is missing; expected 0 or more; write such a number, or leave out the row",
    "NA": "the weight is missing; expected 0 or more; write such a number, or leave out the row",
    "inf": "'inf' is not a finite number; put a number there, or leave out the row",
    "much": "'much' is not a finite number; put a number there, or leave out the row",
    "?": "'?' is not a finite number; put a number there, or leave out the row",
    "1,5": "'1,5' is not a finite number; set decimal: ',', since commas stand before decimals in this column",
}


@pytest.mark.parametrize("written", WRONG)
@pytest.mark.parametrize("missing", ["error", "fill", "drop"])
def test_a_wrong_weight_is_named_by_file_row_and_column(write, written, missing):
    write(f'a,w,kind\n1,2,x\n2,"{written}",y\n')
    said = message(DataError, lambda: Csv("data.csv", "kind", weight="w", missing=missing, **NONE))
    if written != "1,5":
        assert said == f"data.csv, row 3, column 'w': {WRONG[written]}"
    else:
        assert said.startswith("data.csv, row 3, column 'w': '1,5' is not a finite number; ")


def test_weights_in_memory_are_named_by_row_and_column(write):
    dataset = Csv(write(TABLE), "kind", weight="w", **NONE)
    dataset.describe()
    with pytest.raises(DataError) as caught:
        dataset.read_examples({"a": [1, 2], "kind": ["x", "y"], "w": [3, None]})
    assert str(caught.value) == (
        "the rows (counted from 0), row 1, column 'w': the weight is missing; expected 0 or more; write such a number, "
        "or leave out the row"
    )


def test_some_weight_must_be_greater_than_0(write):
    write("a,w,kind\n1,0,x\n2,0,y\n")
    said = message(DataError, lambda: Csv("data.csv", "kind", weight="w", **NONE))
    assert said == "data.csv, column 'w': the weight of every row is 0"


def test_a_row_without_a_target_needs_no_weight(write):
    assert Csv(write(TABLE + "6,,\n"), "kind", weight="w", **NONE).describe().sizes == {"train": 4}


def test_the_column_must_be_there_and_not_be_the_target(write):
    said = message(ParameterError, lambda: Csv(write(TABLE), "kind", weight="W", **NONE))
    assert said == (
        "weight: there is no column 'W' in row 1 of data.csv; expected one of a, w, kind; did you mean 'w'?"
    )
    with pytest.raises(ParameterError) as caught:
        Csv("data.csv", "kind", weight="kind", **NONE)
    assert str(caught.value) == "weight: the column 'kind' is the target; name another column"
    said = message(ParameterError, lambda: Csv("data.csv", "kind", weight="w", categorical=("w",), **NONE))
    assert said == "categorical: the column 'w' is not among the inputs; leave it out here, or add it to the inputs"
