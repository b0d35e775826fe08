"""Parquet: what a CSV file of the same table would give, and mistakes by file, row and column."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
from functools import partial

import messages
import numpy as np
import pytest
from data import taken
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import Optional

import mlpkit
from mlpkit import DataError, Description, InputColumn, Labels, ParameterError, Values
from mlpkit_plugins.datasets.csv import Csv

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")
Parquet = Optional("mlpkit_plugins.datasets.parquet", "Parquet")

NONE = {"validation": 0, "test": 0}
message = partial(messages.message, name="data.parquet")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes columns into a file and returns its name."""

    def written(columns, name="data.parquet", **options):
        pq.write_table(pa.table(columns), tmp_path / name, **options)
        return str(tmp_path / name)

    return written


# What reaches the network

ROW = st.tuples(
    st.floats(-1e6, 1e6),
    st.integers(-(2**40), 2**40),
    st.sampled_from(["red", "green", "bl\xfce", "dark red, nearly black", '"']),
    st.sampled_from(["yes", "no"]),
)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(ROW, min_size=40, max_size=60),
    group=st.integers(1, 70),
    options=st.sampled_from(
        [
            {},
            {"split": "shuffle"},
            {"split_by": "colour", "ignore": ("n",)},
            {"split_by": "n"},
        ]
    ),
)
def test_a_parquet_file_gives_what_a_csv_file_of_the_same_table_gives(tmp_path_factory, rows, group, options):
    rows += [(1.5, 7, colour, answer) for colour in ("red", "green") for answer in ("yes", "no")] * 2
    folder = tmp_path_factory.mktemp("both")
    names = ["x", "n", "colour", "answer"]
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    pq.write_table(table, folder / "data.parquet", row_group_size=group)
    quoted = [(repr(x), str(n), '"' + colour.replace('"', '""') + '"', answer) for x, n, colour, answer in rows]
    (folder / "data.csv").write_text("\n".join(",".join(row) for row in [names, *quoted]), encoding="utf-8")
    common = {"target": "answer", "categorical": ("colour",), "unknown": "zeros", "validation": 0.3, "test": 0.2}
    if options.get("split_by") == "colour":
        common |= {"categorical": ()}
    found = []
    for kind, name in ((Csv, "data.csv"), (Parquet, "data.parquet")):
        dataset = kind(str(folder / name), **common, **options)
        try:
            found.append([*(taken(dataset, split) for split in dataset.describe().sizes), dataset.encoder_state()])
        except (ParameterError, DataError) as error:  # chance leaves a split without rows, or training without a class
            found.append(str(error).split(":", 1)[-1])
    if isinstance(found[0], str):
        assert "row" not in found[0] or found[1].split("column")[-1] == found[0].split("column")[-1]
        return
    assert found[0].pop() == found[1].pop()
    for (x, t), (x_too, t_too) in zip(*found, strict=True):
        np.testing.assert_array_equal(x, x_too)
        np.testing.assert_array_equal(t, t_too)


FLOATS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(deadline=None, max_examples=40)
@given(
    wide=st.lists(FLOATS, min_size=40, max_size=40),
    narrow=st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, width=32)), min_size=40),
    truths=st.lists(st.one_of(st.none(), st.booleans()), min_size=40, max_size=40),
    options=st.sampled_from(
        [{"split": "shuffle"}, *({"split_by": name, "ignore": ("x",)} for name in ("wide", "narrow", "truth")), {}]
    ),
)
def test_floats_and_truth_values_are_the_same_categories_and_classes_in_both_formats(
    tmp_path_factory, wide, narrow, truths, options
):
    folder = tmp_path_factory.mktemp("both")
    half = [index % 2 == 0 for index in range(40)]
    narrow = [None if value is None else np.float32(value) for value in narrow[:40]]
    columns = {"x": list(map(float, range(40))), "wide": wide, "narrow": narrow, "truth": truths, "t": half, "p": half}
    types = [pa.float64(), pa.float64(), pa.float32(), *[pa.bool_()] * 3]
    arrays = [pa.array(column, kind) for column, kind in zip(columns.values(), types, strict=True)]
    pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), folder / "data.parquet")
    rows = zip(*columns.values(), strict=True)  # str writes floats and truth values as pandas does
    lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
    (folder / "data.csv").write_text("\n".join([",".join(columns), *lines]))
    categories = tuple({"wide", "narrow", "truth"} - {options.get("split_by")})
    common = {"categorical": categories, "missing": "fill", "unknown": "zeros", "validation": 0.2, "test": 0}
    found = []
    for kind, name in ((Csv, "data.csv"), (Parquet, "data.parquet")):
        dataset = kind(str(folder / name), "t", **common, **options)
        try:
            found.append((*taken(dataset), dataset.encoder_state(), dataset.describe()))
        except (ParameterError, DataError) as error:  # chance leaves a split without rows, or training without a class
            found.append(str(error).split(":", 1)[-1])
    if isinstance(found[0], str):
        assert found[0] == found[1]
        return
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert found[0][2:] == found[1][2:]
    assert found[0][2]["classes"] == ["False", "True"]


def test_a_missing_number_has_the_same_key_in_both_formats(write, tmp_path):
    keys = [1.5, float("nan"), 2.0, None] * 10
    (tmp_path / "data.csv").write_text(
        "k,a,t\n" + "".join(f"{'' if k in (None, keys[1]) else k},{i},{i % 2}\n" for i, k in enumerate(keys))
    )
    columns = {"k": pa.array(keys, pa.float64()), "a": list(range(40)), "t": [0, 1] * 20}
    for seed in range(5):
        options = {"split_by": "k", "standardize": False, "validation": 0.5, "test": 0, "split_seed": seed}
        found = []
        for dataset in (Csv(str(tmp_path / "data.csv"), "t", **options), Parquet(write(columns), "t", **options)):
            try:
                found.append([taken(dataset, split)[0].tolist() for split in ("train", "validation")])
            except (ParameterError, DataError) as error:
                found.append(str(error).split(":", 1)[-1])
        assert found[0] == found[1]


def test_truth_values_are_labels_in_both_formats(write, tmp_path):
    columns = {"a": [1, 2, 3], "p": [True, False, True], "q": [False, False, True]}
    (tmp_path / "data.csv").write_text("a,p,q\n1,True,False\n2,False,False\n3,True,True\n")
    for dataset in (
        Csv(str(tmp_path / "data.csv"), ("p", "q"), predict="labels", **NONE),
        Parquet(write(columns), ("p", "q"), predict="labels", **NONE),
    ):
        assert taken(dataset)[1].tolist() == [[1, 0], [0, 0], [1, 1]]


def test_every_type_of_numbers(write):
    columns = {
        "int8": pa.array([1, 2, 3, 4], pa.int8()),
        "uint64": pa.array([1, 2, 3, 4], pa.uint64()),
        "half": pa.array(np.array([1, 2, 3, 4], np.float16)),
        "float": pa.array([1, 2, 3, 4], pa.float32()),
        "decimal": pa.array([decimal.Decimal(f"{i}.00") for i in (1, 2, 3, 4)]),
        "text": ["1", " 2.0", "3e0", "4"],
        "few": pa.array([1, 2, 3, 4]).dictionary_encode(),
        "few_texts": pa.array(["1", "2", "3", "4"], pa.large_string()).dictionary_encode(),
        "truth": [False, True, False, True],
    }
    dataset = Parquet(write(columns), "truth", standardize=False, **NONE)
    assert taken(dataset)[0].tolist() == [[i] * 8 for i in (1, 2, 3, 4)]
    assert dataset.class_names() == ("False", "True")
    dataset = Parquet(write(columns), "int8", predict="values", inputs=("truth",), standardize=False, **NONE)
    assert taken(dataset)[0].tolist() == [[0], [1], [0], [1]]


def test_every_type_of_categories(write):
    day = datetime.date(2024, 2, 29)
    columns = {
        "text": ["b", "a", "b", "a"],
        "bytes": [b"b", b"a", b"b", b"a"],
        "number": [10, 9, 10, 9],
        "float": [1.5, 1.0, 1.5, 1.0],
        "truth": [True, False, True, False],
        "day": [datetime.date(2024, 3, 1), day, datetime.date(2024, 3, 1), day],
        "t": ["x", "y", "x", "y"],
    }
    dataset = Parquet(write(columns), "t", categorical=tuple(columns)[:-1], **NONE)
    assert taken(dataset)[0].tolist() == [[0, 1] * 6, [1, 0] * 6] * 2
    assert dict(dataset.encoder_state()["categories"]) == {
        "text": ["a", "b"],
        "bytes": ["a", "b"],
        "number": ["9", "10"],
        "float": ["1.0", "1.5"],
        "truth": ["False", "True"],
        "day": ["2024-02-29", "2024-03-01"],
    }


def test_null_and_nan_are_missing(write):
    columns = {
        "a": [1.0, None, 3.0, float("nan"), 5.0],
        "b": [1, 2, None, 4, 5],
        "c": ["x", "y", "x", None, "?"],
        "d": [1.0, float("nan"), 1.0, 2.0, 2.0],
        "t": ["u", "v", "u", "v", "u"],
    }
    kept = {"inputs": ("b", "d"), "categorical": ("d",)}
    options = {"target": "t", "categorical": ("c", "d"), "missing_texts": ("?",), "standardize": False, **NONE}
    file = write(columns)
    dataset = Parquet(file, missing="fill", **options)
    assert taken(dataset)[0].tolist() == [
        [1, 1, 1, 0, 1, 0],
        [3, 2, 0, 1, 0, 0],
        [3, 3, 1, 0, 1, 0],
        [3, 4, 0, 0, 0, 1],
        [5, 5, 0, 0, 0, 1],
    ]
    assert message(Parquet(file, **options).describe, DataError, file) == (
        "data.parquet, row 2, column 'a': the value is missing; "
        "set missing: fill to put the mean in its place, or missing: drop to leave out such rows"
    )
    dropping = Parquet(file, missing="drop", **options | kept | {"target": "a", "predict": "values"})
    assert taken(dropping)[0].tolist() == [[1, 1, 0], [5, 0, 1]]


def test_labels_and_values(write):
    file = write({"a": [1, 2, 3], "p": [True, False, True], "q": [0, 0, 1]})
    labels = Parquet(file, ("p", "q"), predict="labels", **NONE)
    assert labels.describe() == Description((1,), Labels(2), {"train": 3}, columns=[InputColumn("a", "numbers")])
    assert taken(labels)[1].tolist() == [[1, 0], [0, 0], [1, 1]]
    assert Parquet(file, "a", predict="values", **NONE).describe().target == Values((1,))


def test_a_file_for_prediction_needs_the_inputs_alone(write, tmp_path):
    file = write({"a": list(range(60)), "c": ["x", "y", "z"] * 20, "t": ["no", "yes"] * 30})
    dataset = Parquet(file, "t", categorical=("c",), standardize=False)
    dataset.open(0)
    used = Parquet("gone.parquet", "t", categorical=("c",), standardize=False)
    used.load_encoder_state(dataset.encoder_state())
    new = write({"note": ["hello", "world"], "c": ["z", "x"], "a": [3.0, 4.0]}, "new.parquet")
    raw = used.read(tmp_path / "new.parquet")
    assert used.encode(raw).tolist() == [[3, 0, 0, 1], [4, 1, 0, 0]]
    new = write({"c": ["z"], "b": [3]}, "new.parquet")
    assert message(lambda: used.read(tmp_path / "new.parquet"), DataError, new) == (
        "data.parquet, column 'a': the file has no such column; it has c, b"
    )


# Mistakes


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        (
            {"a": [1, 2], "kind": ["x", "y"]},
            {"target": "kinds"},
            "target: there is no column 'kinds' in data.parquet; expected one of a, kind; did you mean 'kind'?",
        ),
        (
            {"a": ["1", "2", "2 g", "4"], "t": ["x", "y", "x", "y"]},
            {},
            "data.parquet, row 3, column 'a': '2 g' is not a finite number; "
            "put a number there, leave out the row, or name the column in categorical if it holds categories",
        ),
        (
            {"a": ["1", None, "", "4"], "t": ["x", "y", "x", "y"]},
            {"missing": "fill"},
            "data.parquet, row 3, column 'a': '' is not a finite number; "
            "put a number there, leave out the row, or name the column in categorical if it holds categories",
        ),
        (
            {"a": ["no", "yes", "no", "maybe"], "t": ["x", "y", "x", "y"]},
            {},
            "data.parquet, row 4, column 'a': 'maybe' is neither yes nor no; put one of them there, leave out the row, "
            "or name the column in categorical if it holds categories",
        ),
        (
            {"a": [1.0, float("inf")], "t": ["x", "y"]},
            {},
            "data.parquet, row 2, column 'a': inf is not a finite number; make it null if it is missing",
        ),
        (
            {"a": [1.0, None, -float("inf"), float("inf")], "t": list("xyxy")},
            {"missing": "fill"},
            "data.parquet, row 3, column 'a': -inf is not a finite number; make it null if it is missing",
        ),
        (
            {"a": [datetime.datetime(2024, 1, 1)] * 2, "t": ["x", "y"]},  # noqa: DTZ001 - as most files have it
            {},
            "data.parquet, column 'a': the column holds timestamp[us]; "
            "expected numbers; name it in ignore to leave it out",
        ),
        (
            {"a": [1, 2], "t": [[1], [2]]},
            {},
            "data.parquet, column 't': the column holds list<element: int64>; expected texts, numbers or dates",
        ),
        (
            {"a": pa.array([], pa.int64()), "t": pa.array([], pa.string())},
            {},
            "data.parquet, row 1: no rows are given; expected one for each example",
        ),
        (
            {"a": pa.array([], pa.null()), "t": pa.array([], pa.null())},  # as pandas writes a table without rows
            {},
            "data.parquet, row 1: no rows are given; expected one for each example",
        ),
        (
            {"a": [1, 2], "t": [b"gr\xfcn", b"x"]},
            {},
            r"data.parquet, row 1, column 't': 'gr\xfcn' has bytes that are not valid characters",
        ),
        (
            {"a": [1, 2, 3], "t": [0, 2, 1]},
            {"predict": "labels"},
            "data.parquet, row 2, column 't': 2 is not a label; expected 0 or 1",
        ),
    ],
)
def test_what_is_wrong_is_named_by_file_row_and_column(write, columns, options, expected):
    file = write(columns)
    dataset = Parquet(file, **{"target": "t"} | options, **NONE)
    assert message(dataset.describe, (DataError, ParameterError), file) == expected


def test_rows_are_counted_through_all_groups(write):
    file = write({"a": ["1"] * 50 + ["x"], "t": ["u", "v", "u"] * 17}, row_group_size=7)
    assert "row 51, column 'a'" in message(Parquet(file, "t").describe, DataError, file)


# Without pyarrow

WITHOUT = """\
import sys
sys.modules["pyarrow"] = None  # as if it were not there
from mlpkit.cli.main import main
main()
"""


@pytest.mark.parametrize("arguments", [("check", "table.yaml"), ("show", "parquet")])
def test_without_pyarrow_the_error_says_how_to_install_it(tmp_path, arguments):
    (tmp_path / "table.yaml").write_text(
        "mlpkit: 1\ndata: {parquet: {file: x.parquet, target: t}}\n"
        "layers: [{Affine: {units: 2}}, SoftmaxWithLoss]\n"
        "training: {optimizer: {sgd: {learning_rate: 0.1}}, epochs: 1}\n"
    )
    command = [sys.executable, "-c", WITHOUT, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'needs the package pyarrow; install it with: pip install "mlpkit[parquet]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_without_pyarrow_the_data_set_is_listed(tmp_path):
    command = [sys.executable, "-c", WITHOUT, "plugins"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "parquet" in done.stdout


def test_a_spec_that_names_no_parquet_file_does_not_load_pyarrow():
    code = "import sys, mlpkit; mlpkit.load_spec('flowers.yaml'); print('pyarrow' in sys.modules)"
    from mlpkit.specfile.shipped_specs import shipped_specs

    code = code.replace("flowers.yaml", str(shipped_specs()["flowers"]))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert mlpkit.load_spec(shipped_specs()["machines_parquet"]).data.name == "parquet"


def test_times_of_an_unknown_zone_are_an_error_of_their_column(write):
    at = pa.array([0, 1, 2, 3], pa.timestamp("us", tz="Mars/Phobos"))
    file = write({"a": [1, 2, 3, 4], "at": at, "t": list("xyxy")})
    said = message(Parquet(file, "t", categorical=("at",), **NONE).describe, DataError, file)
    assert said.startswith("data.parquet, column 'at': the column's timestamp[us, tz=Mars/Phobos] can't be converted ")
    assert Parquet(file, "t", ignore=("at",), **NONE).describe().sizes == {"train": 4}


def test_integers_that_float64_cannot_hold_are_rounded(write):
    file = write({"x": [2**53 + 1, 1, 2, None], "t": [*"pqpq"]})
    x, _ = taken(Parquet(file, "t", missing="fill", standardize=False, **NONE))
    np.testing.assert_array_equal(x[:3, 0], [2.0**53, 1, 2])
