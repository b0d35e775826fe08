"""CSV: the right numbers and classes reach the network, by what training rows say, and mistakes are found."""

from __future__ import annotations

import math
from functools import partial

import messages
import numpy as np
import pytest
from data import taken
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import (
    Classes,
    DataError,
    DataWarning,
    Description,
    InputColumn,
    Labels,
    MlpkitError,
    ModelFileError,
    ParameterError,
    ShapeError,
    Values,
)
from mlpkit_plugins.datasets.csv import Csv
from mlpkit_plugins.formats.csv_file import CsvFile

NONE = {"validation": 0, "test": 0}
message = partial(messages.message, name="data.csv")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its name."""

    def written(content, name="data.csv"):
        (tmp_path / name).write_bytes(content.encode())
        return str(tmp_path / name)

    return written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_raw_rows_are_the_texts_of_the_file_and_others_are_not_read_as_texts(tmp_path, monkeypatch, encoding):
    rows = [(f"{i}.50", f'"a, ""{i}"""', "yes" if i % 2 else "no") for i in range(3000)]
    text = "x,said,t\n\n" + "\n".join(map(",".join, rows)) + "\n"
    (tmp_path / "data.csv").write_text(text, encoding)
    file = str(tmp_path / "data.csv")
    dataset = Csv(file, "t", inputs=["x", "said"], categorical=["said"], validation=0, test=0, encoding=encoding)
    dataset.describe()
    dataset.open(0)
    if encoding == "utf-8":  # in the other, fields can't be found byte by byte
        monkeypatch.setattr(CsvFile, "_text_blocks", lambda *_: pytest.fail("this reads all rows as texts"))

    found = dataset.raw_rows("train", np.array([0, 2999, 1500]))

    assert {name: list(values) for name, values in found.items()} == {
        "x": ["0.50", "2999.50", "1500.50"],
        "said": ['a, "0"', 'a, "2999"', 'a, "1500"'],
    }


# What reaches the network


def test_numbers_are_scaled_and_categories_become_ones(write):
    file = write("a,colour,b,kind\n1,red,10,x\n2,blue,10,y\n3,red,12,x\n6,green,12,y\n")
    dataset = Csv(file, "kind", categorical=("colour",), **NONE)
    assert dataset.describe() == Description(
        (5,),
        Classes(2),
        {"train": 4},
        columns=[InputColumn("a", "numbers"), InputColumn("b", "numbers"), InputColumn("colour", "one_hot", 3)],
    )
    x, t = taken(dataset)
    scale = math.sqrt(3.5)
    ones = {"blue": [1, 0, 0], "green": [0, 1, 0], "red": [0, 0, 1]}
    rows = ((1, -1, "red"), (2, -1, "blue"), (3, 1, "red"), (6, 1, "green"))
    expected = [[(a - 3) / scale, b, *ones[c]] for a, b, c in rows]
    np.testing.assert_allclose(x, expected, rtol=1e-15)
    assert t.tolist() == [0, 1, 0, 1]
    assert dataset.class_names() == ("x", "y")
    assert dataset._encoder.feature_names == ("a", "b", "colour=blue", "colour=green", "colour=red")
    again, _ = taken(dataset, indices=[3, 0, 3])
    np.testing.assert_array_equal(again, x[[3, 0, 3]])


def test_numbers_may_stay_as_they_are(write):
    dataset = Csv(write("a,b,t\n1,0.1,0\n2,0.2,0\n3,0.3,1\n4,0.4,1\n"), "t", standardize=False, **NONE)
    np.testing.assert_array_equal(taken(dataset)[0], [[1, 0.1], [2, 0.2], [3, 0.3], [4, 0.4]])


def test_values_and_labels(write):
    file = write("a,p,q\n1,1,0\n2,0,0\n3,1,1\n")
    values = Csv(file, ("q", "p"), predict="values", **NONE)
    assert values.describe().target == Values((2,))
    assert taken(values)[1].tolist() == [[0, 1], [0, 0], [1, 1]]
    assert values.class_names() is None
    labels = Csv(file, ("p", "q"), predict="labels", **NONE)
    assert labels.describe().target == Labels(2)
    assert taken(labels)[1].tolist() == [[1, 0], [0, 0], [1, 1]]
    assert Csv(file, "p", predict="values", inputs=("a",), **NONE).describe().target == Values((1,))


def test_classes_that_are_numbers_stand_in_their_order(write):
    rows = "".join(f"{i},{label}\n" for i, label in enumerate(["10", "9", "2", "10", "9", "2"]))
    dataset = Csv(write(f"a,t\n{rows}"), "t", **NONE)
    taken(dataset)
    assert dataset.class_names() == ("2", "9", "10")


def test_classes_stand_in_the_order_that_the_spec_lists(write):
    written = write("x,t\n" + "1,low\n2,high\n3,middle\n" * 4)
    order = ("low", "middle", "high", "highest")
    dataset = Csv(written, "t", classes=order, validation=0, test=0)
    _, t = taken(dataset)
    assert t.tolist() == [0, 2, 1] * 4
    assert dataset.class_names() == order
    assert dataset.describe().target.ordered
    assert not Csv(written, "t", validation=0, test=0).describe().target.ordered
    assert Csv(write("x,t\n" + "1,9\n2,10\n" * 4), "t", validation=0, test=0).describe().target.ordered


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        (
            "1,a\n2,b\n3,worse\n4,bad\n",
            {"classes": ("b", "a")},
            "row 4, column 't': the class 'worse' is not in classes; ",
        ),
        (
            "1,2.5\n2,-3\n3,0\n",
            {"predict": "values", "scale_target": "log"},
            "row 3, column 't': -3 has no logarithm, which scale_target: log asks for; set scale_target: standardize",
        ),
        (
            "1,\n2,1e300\n3,-1e300\n",
            {"predict": "values"},
            "row 3, column 't': the numbers are so large that their deviation overflows",
        ),
    ],
)
def test_the_first_row_of_a_wrong_target_is_named(write, rows, options, expected):
    file = write("x,t\n" + rows)
    assert message(Csv(file, "t", **options, **NONE).describe, DataError, file).startswith(f"data.csv, {expected}")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"classes": ("lwo", "high")},
            "data.csv, row 2, column 't': the class 'low' is not in classes; did you mean 'lwo'?",
        ),
        (
            {"classes": ("x", "high")},
            "data.csv, row 2, column 't': the class 'low' is not in classes; add it there, or leave out the row",
        ),
        ({"classes": ("low", "low")}, "classes: a class is named twice; name it once"),
        (
            {"classes": ("low", "high"), "predict": "values"},
            "classes: they are listed, but predict is values; leave them out, or set predict: classes",
        ),
    ],
)
def test_listed_classes_that_do_not_fit_are_refused(write, options, expected):
    with pytest.raises((DataError, ParameterError)) as caught:
        Csv(write("x,t\n" + "1,low\n2,high\n" * 4), "t", **options).describe()
    assert str(caught.value).endswith(expected)


def test_inputs_and_ignored_columns(write):
    file = write("id,a,b,t\nx1,1,2,0\nx2,2,3,1\nx3,3,4,0\nx4,4,5,1\n")
    for options in ({"ignore": ("id", "b")}, {"inputs": ("a",)}):
        dataset = Csv(file, "t", standardize=False, **options, **NONE)
        assert taken(dataset)[0].tolist() == [[1], [2], [3], [4]]


def test_statistics_are_those_of_training_rows_alone(write):
    rng = np.random.default_rng(0)
    a, kind = rng.normal(size=200), rng.integers(0, 3, 200)
    file = write("a,kind,t\n" + "".join(f"{x!r},k{k},{x > 0:d}\n" for x, k in zip(a.tolist(), kind, strict=True)))
    for split in ("hash", "shuffle"):
        dataset = Csv(file, "t", categorical=("kind",), split=split, validation=0.2, test=0.3)
        x, _ = taken(dataset)
        np.testing.assert_allclose([x[:, 0].mean(), x[:, 0].std()], [0, 1], atol=1e-12)
        for other in ("validation", "test"):
            assert abs(taken(dataset, other)[0][:, 0].mean()) > 1e-6
        parts = [taken(dataset, name)[0] for name in ("train", "validation", "test")]
        (mean,), (std,) = dataset.encoder_state()["means"], dataset.encoder_state()["stds"]
        found = np.sort(np.concatenate(parts)[:, 0] * std + mean)
        np.testing.assert_allclose(found, np.sort(a), rtol=1e-12)


@settings(deadline=None, max_examples=25)
@given(order=st.permutations(range(40)), extra=st.integers(0, 20))
def test_a_row_stays_in_its_split_wherever_it_stands_and_whatever_comes(tmp_path_factory, order, extra):
    folder = tmp_path_factory.mktemp("csv")
    rows = [f"{i},{i % 3},{i % 2}" for i in range(40)]
    found = []
    for name, chosen in (("a.csv", rows), ("b.csv", [rows[i] for i in order] + [f"{i}.5,1,0" for i in range(extra)])):
        (folder / name).write_text("\n".join(["a,b,t", *chosen]))
        dataset = Csv(str(folder / name), "t", split="hash", standardize=False, validation=0.2, test=0.2)
        found.append({part: set(taken(dataset, part)[0][:, 0]) for part in ("train", "validation", "test")})
    assert all({a for a in found[1][part] if a % 1 == 0} == found[0][part] for part in found[0])


def test_rows_with_the_same_key_stay_together(write):
    file = write("patient,a,t\n" + "".join(f"p{i // 5},{i},{i % 2}\n" for i in range(200)))
    dataset = Csv(file, "t", split_by="patient", standardize=False, validation=0.2, test=0.2)
    patients = [{int(a) // 5 for a in taken(dataset, name)[0][:, 0]} for name in ("train", "validation", "test")]
    assert sum(map(len, patients)) == 40
    assert dataset.describe().input_shape == (1,)


@pytest.mark.parametrize("options", [{}, {"predict": "values"}])
def test_by_default_classes_are_stratified_and_values_hashed(write, options):
    file = write("a,t\n" + "".join(f"{i},{int(i % 10 == 0)}\n" for i in range(200)))
    parts = {name: Csv(file, "t", split=name, **options) for name in ("hash", "stratified")}
    positives = {name: taken(dataset, "test")[1].sum() for name, dataset in parts.items()}
    assert positives["stratified"] == (2 if not options else positives["hash"])
    np.testing.assert_array_equal(taken(Csv(file, "t", **options), "test")[1], taken(parts["stratified"], "test")[1])


def test_rows_of_a_group_stay_together_in_nearly_exact_shares(write):
    file = write("patient,a,t\n" + "".join(f"p{i // 5},{i},{i % 2}\n" for i in range(200)))
    dataset = Csv(file, "t", split={"group": "patient"}, standardize=False, validation=0.2, test=0.2)
    assert dataset.describe() == Description(
        (1,),
        Classes(2),
        {"train": 120, "validation": 40, "test": 40},
        columns=[InputColumn("a", "numbers")],
    )
    patients = [{int(a) // 5 for a in taken(dataset, name)[0][:, 0]} for name in ("train", "validation", "test")]
    assert sum(map(len, patients)) == 40


@pytest.mark.parametrize("written", [lambda day: f"2024-01-{day:02}", lambda day: f"2024-01-{day:02}T10:00+01:00", str])
def test_the_latest_rows_are_for_testing(write, written):
    order = np.random.default_rng(0).permutation(30) + 1
    file = write("day,a,t\n" + "".join(f"{written(day)},{day},{day % 2}\n" for day in order.tolist()))
    dataset = Csv(file, "t", split={"time": "day"}, standardize=False, validation=0.2, test=0.1)
    parts = [sorted(taken(dataset, name)[0][:, 0]) for name in ("train", "validation", "test")]
    assert parts == [list(range(1, 22)), list(range(22, 28)), [28, 29, 30]]
    kept = Csv(file, "t", inputs=("a", "day"), categorical=("day",), split={"time": "day"}, unknown="zeros")
    assert kept.describe().input_shape == (1 + 24,)


def test_a_text_that_is_not_a_time_is_found(write):
    file = write("day,a,t\n2024-01-01,1,0\n2024-01-02,1,0\nyesterday,2,1\n2024-01-02,2,1\n")
    dataset = Csv(file, "t", split={"time": "day"})
    assert message(dataset.describe, DataError, file) == (
        "data.csv, row 4, column 'day': 'yesterday' is not a time; expected a number or an ISO date, such as "
        "2024-05-31 or 2024-05-31 13:45; write one, or split by another column"
    )


def test_splits_may_have_files_of_their_own(write):
    file = write("a,c,t\n1,x,no\n2,y,no\n3,x,yes\n4,y,yes\n")
    test = write("t,more,c,a\nyes,1,y,5\n", "test.csv")
    dataset = Csv(file, "t", categorical=("c",), validation=0, test=test, standardize=False)
    assert dataset.describe().sizes == {"train": 4, "test": 1}
    x, t = taken(dataset, "test")
    assert (x.tolist(), t.tolist()) == ([[5, 0, 1]], [1])
    assert message(
        Csv(file, "t", categorical=("c",), validation=0, test=write("a,t\n1,no\n", "test.csv")).describe,
        DataError,
        test,
    ) == ("data.csv, row 1, column 'c': the file has no such column; it has a, t")


# Missing values


ROWS = "a,c,t\n1,x,0\n,x,0\n3,,1\n4,y,1\n5,y,NA\n6,x,0\n"


def test_missing_values_are_an_error_unless_the_spec_says_otherwise(write):
    file = write(ROWS)
    dataset = Csv(file, "t", categorical=("c",), **NONE)
    assert message(dataset.describe, DataError, file) == (
        "data.csv, row 3, column 'a': the value is missing; "
        "set missing: fill to put the mean in its place, or missing: drop to leave out such rows"
    )
    dataset = Csv(file, "t", categorical=("c",), missing="fill", **NONE)
    assert dataset.describe().sizes == {"train": 5}


@pytest.mark.parametrize("missing", ["error", "fill", "drop"])
@pytest.mark.parametrize("options", [{}, {"predict": "values"}])
def test_rows_without_a_target_are_left_out_and_counted(write, missing, options):
    file = write("a,t\n1,\n2,1\n3,NA\n4,0\n5,1\n6,0\n")
    dataset = Csv(file, "t", missing=missing, standardize=False, **options, **NONE)
    assert taken(dataset)[0].tolist() == [[2], [4], [5], [6]]
    warning = DataWarning("target", f"2 rows have no target in {file}, and are left out")
    assert dataset.warnings() == (() if missing == "drop" else (warning,))
    file = write("a,t\n1,\n2,\n")
    assert message(Csv(file, "t", **options).describe, DataError, file) == (
        "data.csv, row 2: the target is missing in every row"
    )


def test_rows_with_a_missing_value_are_left_out(write):
    dataset = Csv(write(ROWS), "t", inputs=("a",), missing="drop", standardize=False, **NONE)
    assert taken(dataset)[0].tolist() == [[1], [3], [4], [6]]


def test_the_mean_stands_for_a_missing_number_and_zeros_for_a_missing_category(write):
    file = write("a,c,t\n1,x,0\n,x,0\n3,,1\n8,y,1\n")
    dataset = Csv(file, "t", categorical=("c",), missing="fill", standardize=False, **NONE)
    assert taken(dataset)[0].tolist() == [[1, 1, 0], [4, 1, 0], [3, 0, 0], [8, 0, 1]]
    scaled = Csv(file, "t", categorical=("c",), missing="fill", **NONE)
    assert taken(scaled)[0][1].tolist() == [0, 1, 0]


def test_what_stands_for_a_missing_value_may_be_said(write):
    file = write("a,t\n?,0\n2,0\n-,1\n4,1\n")
    dataset = Csv(file, "t", missing="fill", missing_texts=("?", "-"), standardize=False, **NONE)
    assert taken(dataset)[0].tolist() == [[3], [2], [3], [4]]


# The encoder of a saved model


TRAIN = "a,c,t\n" + "".join(f"{i},{'xyz'[i % 3]},{'no' if i % 2 else 'yes'}\n" for i in range(60))


def test_the_encoder_of_a_model_is_applied_to_other_data(write, tmp_path):
    file = write(TRAIN)
    first = Csv(file, "t", categorical=("c",))
    first.open(0)
    state = first.encoder_state()
    write("t,c,a\n" + "".join(f"{'no' if i % 2 else 'yes'},{'zy'[i % 2]},{10 * i}\n" for i in range(60)))
    second = Csv(file, "t", categorical=("c",))
    second.load_encoder_state(state)
    assert second.describe().input_shape == (4,)
    (mean,), (std,) = state["means"], state["stds"]
    x, t = taken(second, "test")
    a = (x[:, 0] * std + mean).round(9)
    assert set(a) <= set(range(0, 600, 10))
    assert not x[:, 1].any()
    assert t.tolist() == [0 if i / 10 % 2 else 1 for i in a]
    assert second.encoder_state() == state


def test_a_file_for_prediction_needs_the_inputs_alone(write, tmp_path):
    dataset = Csv(write(TRAIN), "t", categorical=("c",), standardize=False)
    dataset.open(0)
    used = Csv("gone.csv", "t", categorical=("c",), standardize=False)
    used.load_encoder_state(dataset.encoder_state())
    raw = used.read(tmp_path / write("note,c,a\nhello,z,3\nworld,x,4\n", "new.csv"))
    assert raw.tolist() == [[3, 2], [4, 0]]
    assert used.encode(raw).tolist() == [[3, 0, 0, 1], [4, 1, 0, 0]]
    assert used.class_names() == ("no", "yes")
    new = write("c,b\nz,3\n", "new.csv")
    assert message(lambda: used.read(tmp_path / "new.csv"), DataError, new) == (
        "data.csv, row 1, column 'a': the file has no such column; it has c, b"
    )
    new = write("c,a\nxx,3\n", "new.csv")
    assert message(lambda: used.read(tmp_path / "new.csv"), DataError, new) == (
        "data.csv, row 2, column 'c': the category 'xx' occurs in no training row; did you mean 'x'? If not, "
        "leave out the row"
    )
    write("c,a\nz,4\nz,5\n,\nz,\n", "new.csv")
    raw = used.read(tmp_path / "new.csv")
    assert used.lacking(raw) == {2: ("a", "c"), 3: ("a",)}
    assert used.lacking(raw[3:]) == {0: ("a",)}
    assert message(lambda: used.encode(raw), DataError, "-") == (
        "the rows (counted from 0), row 2, column 'a': the value is missing; write one, or leave out the row"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"c,a\nq,3\n", "'q' occurs in no training row; leave out the row"),
        (b"c,a\nz,n/a\n", "'n/a' is not a finite number; put a number there, or leave out the row"),
        (b"c,a\nz,many\n", "'many' is not a finite number; put a number there, or leave out the row"),
        (b'c,a\nz,"2,5"\n', "'2,5' is not a finite number; write a decimal point"),
        (b"c,a\ngr\xfcn,3\n", r"'gr\xfcn' has bytes that are not valid characters; save the file in utf-8"),
        (b"c;a\nz;3\n", "the header has one column, 'c;a'; put ',' between columns"),
    ],
)
def test_advice_about_a_file_for_prediction_can_be_followed_without_training_again(tmp_path, write, content, expected):
    dataset = Csv(write(TRAIN), "t", categorical=("c",))
    dataset.open(0)
    (tmp_path / "new.csv").write_bytes(content)
    assert message(lambda: dataset.read(tmp_path / "new.csv"), DataError, "new.csv").endswith(expected)


def test_in_a_file_for_prediction_the_text_that_is_no_truth_value_is_blamed(write, tmp_path):
    dataset = Csv(write("a,t\nno,x\nyes,y\nno,x\nyes,y\n"), "t", **NONE)
    dataset.open(0)
    (tmp_path / "new.csv").write_text("a\nno\nno\nmaybe\n")
    assert message(lambda: dataset.read(tmp_path / "new.csv"), DataError, "new.csv").endswith(
        "row 4, column 'a': 'maybe' is neither yes nor no; put one of them there, or leave out the row"
    )


def test_in_a_file_for_prediction_a_whole_column_may_be_missing(write, tmp_path):
    options = {"categorical": ("c",), "missing": "fill", "standardize": False}
    dataset = Csv(write(TRAIN), "t", **options)
    dataset.open(0)
    used = Csv("gone.csv", "t", **options)
    used.load_encoder_state(dataset.encoder_state())
    raw = used.read(tmp_path / write("c,a\nx,\n", "new.csv"))
    assert used.encode(raw)[0, 0] == pytest.approx(taken(dataset)[0][:, 0].mean())


@pytest.mark.parametrize("raw", [np.zeros((2, 3)), np.zeros(2), np.full((2, 2), 3.0), np.full((2, 2), 0.5)])
def test_raw_inputs_that_don_t_fit_are_refused(write, raw):
    dataset = Csv(write(TRAIN), "t", categorical=("c",))
    dataset.open(0)
    with pytest.raises(ShapeError):
        dataset.encode(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"means": ["a"]},
        {"means": []},
        {"stds": [0.0]},
        {"stds": [True]},
        {"fills": [math.inf]},
        {"categories": [["c"]]},
        {"classes": [1, 2]},
        {"numbers": "a"},
        {"extents": [[0.0]]},
        {"extents": [[0.0, 1.0], [0.0, 1.0]]},
        {"extents": [[0.0, math.nan]]},
    ],
)
def test_an_invalid_state_is_refused(write, change):
    dataset = Csv(write(TRAIN), "t", categorical=("c",))
    dataset.open(0)
    with pytest.raises(ModelFileError):
        Csv("x.csv", "t").load_encoder_state(dataset.encoder_state() | change)
    with pytest.raises(ModelFileError):
        Csv("x.csv", "t").load_encoder_state({})


# Mistakes


CITIES = "size,colour,price,kind\n" + "".join(f"{i},red,{i}.5,{'ab'[i % 2]}\n" for i in range(30))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"target": "kinds"},
            "target: there is no column 'kinds' in row 1 of data.csv; expected one of size, colour, price, kind; "
            "did you mean 'kind'?",
        ),
        (
            {"target": "kind", "categorical": ("color",)},
            "categorical: there is no column 'color' in row 1 of data.csv; "
            "expected one of size, colour, price, kind; did you mean 'colour'?",
        ),
        (
            {"target": "kind", "inputs": ("Size",)},
            "inputs: there is no column 'Size' in row 1 of data.csv; expected one of size, colour, price, kind; "
            "did you mean 'size'?",
        ),
        (
            {"target": "kind", "ignore": ("colour",), "split_by": "zzz"},
            "split_by: there is no column 'zzz' in row 1 of data.csv; expected one of size, colour, price, kind",
        ),
        (
            {"target": "kind", "inputs": ("size",), "categorical": ("colour",)},
            "categorical: the column 'colour' is not among the inputs; leave it out here, or add it to the inputs",
        ),
        (
            {"target": ("kind", "size")},
            "target: classes come from one column, not from 2; "
            "set predict: labels for columns of 0 and 1, or predict: values for numbers",
        ),
        (
            {"target": "kind", "inputs": ("size",), "ignore": ("price",)},
            "ignore: ignore has no effect if inputs names the columns to read; leave out one of the two",
        ),
        ({"target": "kind", "ignore": ("kind",)}, "ignore: the column 'kind' is the target; name it once"),
        ({"target": "kind", "inputs": ("size", "size")}, "inputs: the column 'size' is named twice; name it once"),
        (
            {"target": "kind", "split": "shuffle", "split_by": "size"},
            "split_by: split: shuffle draws rows at random, whatever their values; set split: hash",
        ),
        (
            {"target": "kind", "ignore": ("colour",), "split": {"group": "colur"}},
            "split: there is no column 'colur' in row 1 of data.csv; expected one of size, colour, price, kind; "
            "did you mean 'colour'?",
        ),
        (
            {"target": "kind", "split": {"by": "size"}},
            "split: rows can't be split by by; expected {group: COLUMN} or {time: COLUMN}",
        ),
        (
            {"target": "kind", "split": {"group": "kind"}},
            "split: the column 'kind' is the target; name another column",
        ),
        (
            {"target": "kind", "split": {"group": "size"}, "split_by": "size"},
            "split_by: split names a column already; leave out split_by",
        ),
        (
            {"target": "kind", "ignore": ("price",), "split": {"group": "colour"}},
            "validation: the share of 0.1 for validation gives none of 30 examples; "
            "ask for a larger share, or set validation: 0 to disable it",
        ),
        (
            {"target": "kind", "validation": 0.6, "test": 0.5},
            "validation: 0.6 for validation and 0.5 for testing leave nothing to train on; "
            "expected shares whose sum is below 1",
        ),
        (
            {"target": "kind", "delimiter": "::"},
            "delimiter: '::' can't be the delimiter; expected a single character, not a quote",
        ),
        *(
            (
                {"target": "kind", "delimiter": tab},
                f"delimiter: '{tab}' can't be the delimiter; expected a single character, not a quote; for a tab write "
                'delimiter: "\\t", in double quotes; without them, \\t is a backslash and a letter',
            )
            for tab in ("\\t", "tab")
        ),
        (
            {"target": "kind", "delimiter": "\n"},
            r"delimiter: '\n' can't be the delimiter; expected a single character, not a quote",
        ),
        (
            {"target": "kind", "encoding": "utf8000"},
            "encoding: there is no encoding 'utf8000'; expected one such as utf-8",
        ),
        ({"target": "kind", "encoding": "zip"}, "encoding: there is no encoding 'zip'; expected one such as utf-8"),
        ({"target": "kind", "encoding": "\0"}, r"encoding: there is no encoding '\x00'; expected one such as utf-8"),
    ],
)
def test_parameters_that_don_t_fit_the_file(write, options, expected):
    file = write(CITIES)
    assert message(lambda: Csv(file, **options).describe(), ParameterError, file) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "data.csv, row 1: the file is empty; expected a header, and a row for each example"),
        ("a,t\n", "data.csv, row 2: no rows are given; expected one for each example"),
        (
            "a,t\n1,x\n2,y\n3 m,x\n",
            "data.csv, row 4, column 'a': '3 m' is not a finite number; "
            "put a number there, leave out the row, or name the column in categorical if it holds categories",
        ),
        (
            "a,t\nred,x\n2,y\nblue,x\n",
            "data.csv, row 2, column 'a': 'red' is not a finite number; "
            "name the column in categorical if it holds categories, or in ignore to leave it out",
        ),
        (
            "a,t\n1,cat\n2,dog\n3,fly\n",
            "data.csv, row 2, column 't': 3 of 3 classes occur in one row only: 'cat', 'dog', 'fly'; "
            "name another column in target if this one doesn't hold classes, or add examples of each",
        ),
        (
            "a,t\n1,x\n2,x\n",
            "data.csv, row 2, column 't': every row has the class 'x'; expected two classes or more",
        ),
        (
            "a,t\n1,x\n2,y,z\n",
            "data.csv, row 3: the row has 3 fields; expected 2, as in the header; quote fields that hold a delimiter",
        ),
        (
            "a,t\n1e200,x\n-1e200,y\n2,x\n3,y\n",
            "data.csv, column 'a': the numbers are so large that their standard deviation overflows",
        ),
    ],
)
def test_what_is_wrong_in_the_file_is_named_by_row_and_column(write, content, expected):
    file = write(content)
    assert message(Csv(file, "t", **NONE).describe, DataError, file) == expected


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (
            'a,t\n1,x\n"2,5",y\n',
            {},
            "row 3, column 'a': '2,5' is not a finite number; set decimal: ',', since commas "
            "stand before decimals in this column",
        ),
        (
            'a,t\n1,x\n"1,094",y\n',
            {},
            "row 3, column 'a': '1,094' is not a finite number; set thousands: ',', since commas separate "
            "thousands in this column",
        ),
        (
            'a,t\n1000,x\n"1,094",y\n',
            {},
            "row 3, column 'a': '1,094' is not a finite number; set decimal: ',', since commas "
            "stand before decimals in this column",
        ),
        (
            'a,t\n1.5,x\n"2,5",y\n',
            {},
            "row 3, column 'a': '2,5' is not a finite number; write a decimal point, as in other numbers",
        ),
        (
            'a,b,t\n"2,5",0.5,y\n',
            {},
            "row 2, column 'a': '2,5' is not a finite number; write a decimal point, as in other numbers",
        ),
        (
            'a,t\n"1,2,3",y\n',
            {},
            "row 2, column 'a': '1,2,3' is not a finite number; write numbers with a decimal point, and without commas",
        ),
        (
            "a,t\n$5,x\n$6,y\n",
            {},
            "row 2, column 'a': '$5' is not a finite number; set symbols: ['$$'] to leave it out",
        ),
        (
            'a,t\n"$1,234",x\n"$6,000",y\n',
            {},
            "row 2, column 'a': '$1,234' is not a finite number; set symbols: ['$$'] to leave it out",
        ),
        (
            'a,t\n"$1,234",x\n"$6,000",y\n',
            {"symbols": ("$",)},
            "row 2, column 'a': '$1,234' is not a finite number; set thousands: ',', since commas separate",
        ),
        (
            "a,t\n3 kg,x\n4 kg,y\n",
            {},
            "row 2, column 'a': '3 kg' is not a finite number; set symbols: ['kg'] to leave it out",
        ),
        (
            "a,t\n3 kg,x\n4,y\n5 kg,x\n",
            {},
            "row 2, column 'a': '3 kg' is not a finite number; set symbols: ['kg'] to leave it out",
        ),
        (
            "a,t\n3 kg,x\n4,y\n5 kg,x\n6,y\n",
            {},
            "row 2, column 'a': '3 kg' is not a finite number; name the column in categorical if it holds categories",
        ),
        (
            "a,t\n2024-05-31,x\n2024-06-01,y\n",
            {},
            "row 2, column 'a': '2024-05-31' is not a finite number; set dates: [a] if it holds dates, or name",
        ),
        (
            "a,t\n31.05.2024,x\n01.06.2024,y\n",
            {},
            "row 2, column 'a': '31.05.2024' is not a finite number; set dates: {a: '%d.%m.%Y'} if it holds dates, or",
        ),
        (
            "a,t\n01/02/2024,x\n03/04/2024,y\n",
            {},
            "row 2, column 'a': '01/02/2024' is not a finite number; set dates: {a: '%d/%m/%Y'} if it holds dates, or "
            "name the column in ignore to leave it out",
        ),
        (
            'a,t\n1,x\n"1,094,000.5",y\n',
            {},
            "row 3, column 'a': '1,094,000.5' is not a finite number; "
            "set thousands: ',', since commas separate thousands in this column",
        ),
        (
            "a,t\n1,x\nn/a,y\n",
            {},
            "row 3, column 'a': 'n/a' is not a finite number; add it to missing_texts if it means a missing value",
        ),
        (
            "a;t\n1.5;x\n2,5;y\n",
            {"delimiter": ";", "decimal": ","},
            "row 2, column 'a': '1.5' is not a finite number; ",
        ),
        ("a,b,t\n1,,x\n2,,y\n", {"missing": "fill"}, "column 'b': every value is missing; name the column in ignore"),
        ("a,b,t\n1,,x\n2,,y\n", {"missing": "drop"}, "column 'b': every value is missing; name the column in ignore"),
        ("a,b,t\n1,,x\n,2,y\n", {"missing": "drop"}, "row 2: every row has a missing value"),
        (
            "a,t\n1,2\n2,1.5 m\n",
            {"predict": "values"},
            "row 3, column 't': '1.5 m' is not a finite number; put a number there, or leave out the row",
        ),
        (
            "a,t\n1,2\n2,n/a\n",
            {"predict": "values"},
            "row 3, column 't': 'n/a' is not a finite number; add it to missing_texts if it means a missing value",
        ),
        ("a,t\n1\n", {}, "row 2: the row has 1 field; expected 2, as in the header; is one missing?"),
        (
            "a,t\nno,x\nyes,y\nmaybe,x\nperhaps,y\nno,x\n",
            {},
            "row 4, column 'a': 'maybe' is neither yes nor no; put one of them there, leave out the row, or name the "
            "column in categorical if it holds categories",
        ),
        (
            "a,b,t\nTrue,cat,x\nFalse,dog,y\n?,dog,x\n",
            {"categorical": ("b",)},
            "row 4, column 'a': '?' is neither true nor false; add it to missing_texts if it means a missing value",
        ),
        (
            "a,t\n1,yes\n2,no\n3,1\n",
            {"predict": "labels"},
            "row 4, column 't': '1' is neither yes nor no; put one of them there, or leave out the row",
        ),
    ],
)
def test_what_people_often_write_has_its_own_advice(write, content, options, expected):
    file = write(content)
    found = message(Csv(file, "t", **options, **NONE).describe, DataError, file)
    assert found.startswith(f"data.csv, {expected}")


NUMBERS = "too many to be classes; expected at least 2 rows of each class; set predict: values to predict numbers"


@pytest.mark.parametrize(
    ("targets", "options", "expected"),
    [
        ([1.5, 2.5, 3.5], {}, f"the column 't' of data.csv holds 3 different numbers in 3 rows, {NUMBERS}"),
        (
            [i // 2 for i in range(61)],
            {},
            f"the column 't' of data.csv holds 31 different numbers in 61 rows, {NUMBERS}",
        ),
        (
            [i % 30 / 4 for i in range(60)],
            {"validation": 0.5, "split": "shuffle"},  # so that some occur in no training row
            f"the column 't' of data.csv holds 30 different numbers in 60 rows, {NUMBERS}",
        ),
        (
            ["cat", "dog"] * 2,
            {"predict": "values"},
            "the column 't' of data.csv holds texts, such as 'cat'; expected numbers, as predict asks for; "
            "set predict: classes if they are classes, or name a column of numbers",
        ),
        (
            ["cat", "dog"] * 2,
            {"predict": "labels"},
            "the column 't' of data.csv holds texts, such as 'cat'; expected numbers, as predict asks for; "
            "set predict: classes if they are classes, or name a column of numbers",
        ),
    ],
)
def test_a_target_that_does_not_fit_predict_is_an_error_of_its_parameter(write, targets, options, expected):
    file = write("a,t\n" + "".join(f"{i},{t}\n" for i, t in enumerate(targets)))
    dataset = Csv(file, "t", **NONE | options)
    assert message(dataset.describe, ParameterError, file) == f"target: {expected}"


@pytest.mark.parametrize(
    ("target", "predict", "expected"),
    [
        ("p", "values", "a loss on real values, such as MeanSquaredError; or set predict: classes if the column 'p'"),
        ("p", "labels", "a loss on labels, such as SigmoidWithLoss; or set predict: classes if the column 'p'"),
        (
            ("p", "q"),
            "values",
            "a loss on real values, such as MeanSquaredError; or set predict: classes if the column 'p'",
        ),
        (("p", "q"), "labels", "a loss on labels, such as SigmoidWithLoss; or set predict: classes if the column 'p'"),
    ],
)
def test_a_loss_on_another_kind_of_target_is_to_be_replaced_by_one_on_what_is_predicted(
    write, target, predict, expected
):
    dataset = Csv(write("a,p,q\n1,1,0\n2,0,0\n3,1,1\n"), target, predict=predict, **NONE)
    dataset.describe()
    assert dataset.target_remedy().startswith(f"end the layers with {expected}")


SOFTMAX = "end the layers with a loss on classes, such as SoftmaxWithLoss"


@pytest.mark.parametrize(
    ("target", "options", "expected"),
    [
        ("k", {}, f"the column 'k' holds texts, which are classes: {SOFTMAX}, or name another in target"),
        ("p", {}, f"set predict: values if the column 'p' holds numbers to predict; if it holds classes, {SOFTMAX}"),
        (
            ("p", "q"),
            {"predict": "probabilities"},
            f"{SOFTMAX}; or set predict: classes if the column 'p' holds classes",
        ),
        (
            "q",
            {"predict": "values"},
            "end the layers with a loss on real values, such as MeanSquaredError; "
            "or set predict: classes if the column 'q' holds classes",
        ),
    ],
)
def test_advice_about_a_loss_depends_on_what_the_target_holds(write, target, options, expected):
    dataset = Csv(write("a,p,q,k\n1,1,0,x\n2,0,1,y\n3,1,0,x\n4,0,1,y\n"), target, inputs=("a",), **options, **NONE)
    dataset.describe()
    assert dataset.target_remedy() == expected


@pytest.mark.parametrize(
    ("targets", "is_warned_about"),
    [
        ([i % 21 / 2 for i in range(420)], True),
        ([i % 21 for i in range(209)], True),
        ([i % 21 for i in range(210)], False),
        ([i % 20 / 2 for i in range(60)], False),
        ([f"k{i % 21}" for i in range(60)], False),
    ],
)
def test_many_numbers_as_classes_are_warned_about(write, targets, is_warned_about):
    file = write("a,t\n" + "".join(f"{i},{t}\n" for i, t in enumerate(targets)))
    dataset = Csv(file, "t", **NONE)
    dataset.describe()
    what = f"the column 't' of {file} holds 21 different numbers in {len(targets)} rows, each read as a class"
    warning = DataWarning("target", what, "set predict: values to predict numbers")
    assert dataset.warnings() == ((warning,) if is_warned_about else ())


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        (b"PK\x03\x04", "data.csv: the file is a ZIP archive or a spreadsheet; save the table as CSV"),
        (b"PAR1", "data.csv: the file is a Parquet file; read it with the data set parquet"),
        (b"\xff\xfea\0,\0", "data.csv: the file is UTF-16, not utf-8; save it in utf-8, or set encoding: utf-16"),
    ],
)
def test_files_that_are_no_csv_are_named(tmp_path, begin, expected):
    (tmp_path / "data.csv").write_bytes(begin + bytes(100))
    file = str(tmp_path / "data.csv")
    assert message(Csv(file, "t").describe, DataError, file) == expected


def test_a_decimal_comma(write):
    file = write("a;b;t\n1,5;-2e3;x\n.;1e-1;y\n3;,5;x\n4;1,;y\n".replace("1e-1", "0,1"))
    options = {"delimiter": ";", "decimal": ",", "missing": "fill", "missing_texts": (".",), "standardize": False}
    expected = [[1.5, -2e3], [8.5 / 3, 0.1], [3, 0.5], [4, 1]]
    np.testing.assert_allclose(taken(Csv(file, "t", **options, **NONE))[0], expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("header", "named", "what"),
    [
        (",a,t", "", "column 1, which has no name, of data.csv looks like an index that pandas wrote"),
        (
            "Unnamed: 0,a,t",
            "Unnamed: 0",
            "the column 'Unnamed: 0' of data.csv looks like an index that pandas wrote",
        ),
        ("a,,t", "", "column 2, which has no name, of data.csv looks like an index that pandas wrote"),
    ],
)
def test_an_index_is_not_taken_for_a_quantity(write, header, named, what):
    file = write(f"{header}\n" + "0,0,x\n1,1,y\n" * 20)
    assert message(Csv(file, "t").describe, ParameterError, file) == (
        f"ignore: {what}; leave it out with ignore: ['{named}'], or name the columns to learn from in inputs"
    )
    for options in ({"ignore": (named,)}, {"inputs": ("a",)}):
        assert Csv(file, "t", split="shuffle", **options).describe().input_shape == (1,)
    assert Csv(file, "t", split="shuffle", inputs=("a", named)).describe().input_shape == (2,)


def test_a_column_with_the_name_of_an_index_is_what_the_spec_or_the_model_says(write):
    name, rows = "Unnamed: 0", [f"{i},{'xy'[i % 2]}\n" for i in range(30)]
    file = write(f"{name},a,t\n" + "".join(f"{1 + i % 3},{row}" for i, row in enumerate(rows)))
    for options, width in (
        ({"categorical": (name,)}, 4),
        ({"ordinal": {name: ("3", "2", "1")}}, 2),
        ({"weight": name}, 1),
        ({"split": {"group": name}}, 1),
        ({"split_by": name}, 1),
    ):
        assert Csv(file, "t", **options, **NONE).describe().input_shape == (width,)
    trained, used = Csv(write("a,t\n" + "".join(rows), "plain.csv"), "t", **NONE), Csv(file, "t", **NONE)
    trained.describe()
    used.load_encoder_state(trained.encoder_state())
    np.testing.assert_array_equal(taken(used)[0], taken(trained)[0])


def test_a_column_that_splits_nothing_may_hold_anything(write):
    file = write("a,day,t\n1,2024-02-29,x\n2,soon,y\n3,,x\n4,2024-03-01,y\n")
    assert Csv(file, "t", split={"time": "day"}, **NONE).describe().sizes == {"train": 4}
    assert message(Csv(file, "t", split={"time": "day"}, validation=0.25, test=0).describe, DataError, file).startswith(
        "data.csv, row 3, column 'day': 'soon' is not a time; "
    )


def test_a_file_without_a_header_is_noticed(write):
    file = write("1.5,x\n2.5,y\n")
    assert message(Csv(file, "t").describe, ParameterError, file) == (
        "target: there is no column 't' in row 1 of data.csv; expected one of 1.5, x; "
        "set header to the names of the columns, if row 1 holds data"
    )
    file = write("1.5,1.5,x\n2.5,2.5,y\n")
    assert message(Csv(file, "t").describe, DataError, file) == (
        "data.csv, row 1, column '1.5': two columns have that name; "
        "set header to the names of the columns, if row 1 holds data"
    )


def test_labels_are_zeros_and_ones(write):
    file = write("a,p\n1,1\n2,0\n3,2\n4,7\n")
    assert message(Csv(file, "p", predict="labels").describe, DataError, file) == (
        "data.csv, row 4, column 'p': 2 is not a label; expected 0 or 1"
    )


def test_what_no_training_row_has_is_found_in_other_rows(write):
    file = write("a,c,t\n1,x,u\n2,y,v\n3,x,u\n4,y,v\n")
    test = write("a,c,t\n1,x,u\n2,zebra,v\n", "test.csv")
    dataset = Csv(file, "t", categorical=("c",), validation=0, test=test)
    assert message(dataset.describe, DataError, test) == (
        "data.csv, row 3, column 'c': the category 'zebra' occurs in no training row; "
        "set unknown: zeros, which encodes it as zeros"
    )
    lenient = Csv(file, "t", categorical=("c",), unknown="zeros", standardize=False, validation=0, test=test)
    assert taken(lenient, "test")[0].tolist() == [[1, 1, 0], [2, 0, 0]]
    test = write("a,c,t\n1,x,w\n", "test.csv")
    dataset = Csv(file, "t", categorical=("c",), unknown="zeros", validation=0, test=test)
    assert message(dataset.describe, DataError, test) == (
        "data.csv, row 2, column 't': the class 'w' occurs in no training row; "
        "give more rows to training, set another split_seed, or leave such classes out with rare_classes: {drop: 2}"
    )


def test_no_other_number_is_proposed_for_one_that_no_training_row_has(write):
    file = write("a,c,t\n1,10,1\n2,11,2\n3,10,1\n4,11,2\n")
    test = write("a,c,t\n1,12,1\n", "test.csv")
    dataset = Csv(file, "t", categorical=("c",), validation=0, test=test)
    assert message(dataset.describe, DataError, test) == (
        "data.csv, row 2, column 'c': the category '12' occurs in no training row; "
        "set unknown: zeros, which encodes it as zeros"
    )
    test = write("a,c,t\n1,10,3\n", "test.csv")
    dataset = Csv(file, "t", categorical=("c",), validation=0, test=test)
    assert message(dataset.describe, DataError, test) == (
        "data.csv, row 2, column 't': the class '3' occurs in no training row; "
        "give more rows to training, set another split_seed, or leave such classes out with rare_classes: {drop: 2}"
    )


def test_invalid_bytes_are_an_error_only_in_columns_that_are_used(write, tmp_path):
    content = "a,c,t\n1,x,0\n2,gr\xfcn,1\n3,x,0\n4,x,1\n".encode("latin-1")
    (tmp_path / "data.csv").write_bytes(content)
    file = str(tmp_path / "data.csv")
    assert message(Csv(file, "t", categorical=("c",), **NONE).describe, DataError, file) == (
        r"data.csv, row 3, column 'c': 'gr\xfcn' has bytes that are not valid characters; "
        "save the file in utf-8, or set encoding to the right one, such as latin-1"
    )
    assert len(Csv(file, "t", ignore=("c",), **NONE).open(0)["train"]) == 4
    dataset = Csv(file, "t", categorical=("c",), encoding="latin-1", **NONE)
    dataset.open(0)
    assert dataset._encoder.categories == {"c": ("grün", "x")}


def test_the_fingerprint_tells_files_apart(write):
    found = set()
    for content in (TRAIN, TRAIN + "1,x,no\n"):
        dataset = Csv(write(content), "t", categorical=("c",))
        assert dataset.fingerprint() == ""
        dataset.open(0)
        found.add(dataset.fingerprint())
    dataset = Csv(write(TRAIN), "t", categorical=("c",), test=write(TRAIN, "test.csv"))
    dataset.open(0)
    assert len(found | {dataset.fingerprint()}) == 3


@pytest.mark.parametrize(("rows", "warned_about"), [(40, True), (100, False)])
def test_splits_too_small_to_mean_anything_are_warned_about(write, rows, warned_about):
    dataset = Csv(write("\n".join(["a,t", *(f"{i},{i % 2}" for i in range(rows))])), "t", test=0.2)
    dataset.describe()
    told = [(warning.parameter, warning.message, warning.remedy) for warning in dataset.warnings()]
    expected = ("the validation results will mean little, with 4 examples", "set a larger share in validation")
    more = ("the test results will mean little, with 8 examples", "set a larger share in test")
    assert told == ([("validation", *expected), ("test", *more)] if warned_about else [])


def test_long_names_of_columns_are_shortened(write):
    name = "a" * 100_000
    file = write(f"{name},b,t\n1,x,p\n")
    with pytest.raises(ParameterError) as caught:
        Csv(file, "none").describe()
    assert f"expected one of {'a' * 80}..., b, t" in str(caught.value)
    with pytest.raises(DataError) as wrong:
        Csv(write(f"{name},t\nx,p\n"), "t").describe()
    assert len(str(wrong.value)) < 500


@pytest.mark.parametrize(("columns", "ending"), [(20, "c19"), (21, "c19, ...")])
def test_up_to_twenty_names_of_columns_are_shown_whole_up_to_eighty_letters(write, columns, ending):
    names = ["a" * 80, "b" * 81, *(f"c{i}" for i in range(2, columns))]
    with pytest.raises(ParameterError) as caught:
        Csv(write(",".join(names) + "\n"), "none").describe()
    assert caught.value.expected.startswith(f"one of {'a' * 80}, {'b' * 80}..., c2, c3, ")
    assert caught.value.expected.endswith(f", {ending}")


def test_a_single_row_without_a_target_is_told_in_the_singular(write):
    file = write("a,t\n1,\n2,1\n3,0\n4,0\n5,1\n")
    dataset = Csv(file, "t", **NONE)
    dataset.describe()
    assert dataset.warnings() == (DataWarning("target", f"1 row has no target in {file}, and is left out"),)


def test_more_rows_than_line_ends_of_one_kind_announce_are_all_read(write):
    ends = ["\n", *["\r"] * 999] * 5
    text = "".join(f"{i},{'xy'[i % 2]},{1 + i % 3}{end}" for i, end in enumerate(ends))
    options = {"weight": "w", "split": {"group": "a"}, "inputs": ("a",), "validation": 0.2, "test": 0}
    parts = Csv(write(f"a,t,w\n{text}"), "t", **options).open(0).values()
    numbers = [part.table.number("a")[part.rows] for part in parts]
    assert sorted(np.concatenate(numbers)) == list(range(5000))
    for part, rows in zip(parts, numbers, strict=True):
        np.testing.assert_array_equal(part.table.weights[part.rows], 1 + rows % 3)


SOFT = {"predict": "probabilities"}


@pytest.mark.parametrize(
    ("content", "target", "options", "expected"),
    [
        (
            "a,p\n1,1\n", "p", SOFT,
            "target: a column of probabilities holds those of one class; expected a column for each class",
        ),
        (
            "a,p,q\n1,1,0\n", ("p", "q"), {**SOFT, "classes": tuple("xyz")},
            "classes: 3 classes are listed for 2 columns of probabilities; "
            "expected the class of each column of target, in their order",
        ),
        ("t,u\n1,x\n", "t", {"ignore": ("u",)}, "target: data.csv has no column but the target to learn from"),
        (
            "day,day (month),t\n2024-01-02,1,x\n", "t", {"dates": ("day",), "date_parts": ("month",)},
            "dates: the file has a column 'day (month)' already; rename it in the file",
        ),
        (
            "day,a,t\n2024-01-02,1,x\n ,2,y\n", "t", {"split": {"time": "day"}, "validation": 0.5},
            "data.csv, row 3, column 'day': the time is missing; write one, or split by another column",
        ),
        (
            "a;t\n1.234;x\n2.345;y\n", "t", {"delimiter": ";", "decimal": ","},
            "data.csv, row 2, column 'a': '1.234' is not a finite number; "
            "set thousands: '.', since points separate thousands in this column",
        ),
        (
            "a;t\n1.5;x\n2;y\n", "t", {"delimiter": ";", "decimal": ","},
            "data.csv, row 2, column 'a': '1.5' is not a finite number; "
            "set decimal: '.', since points stand before decimals in this column",
        ),
        (
            "a;t\n1,5;x\n2.5;y\n", "t", {"delimiter": ";", "decimal": ","},
            "data.csv, row 3, column 'a': '2.5' is not a finite number; write a decimal comma, as in other numbers",
        ),
        (
            "a;t\n1.2.3;x\n", "t", {"delimiter": ";", "decimal": ","},
            "data.csv, row 2, column 'a': '1.2.3' is not a finite number; "
            "write numbers with a decimal comma, and without points",
        ),
        (
            "a,w,t\n1,1,x\n2,n/a,y\n", "t", {"weight": "w"},
            "data.csv, row 3, column 'w': 'n/a' is not a finite number; put a number there, or leave out the row",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_sentence(write, content, target, options, expected):
    file = write(content)
    found = message(lambda: Csv(file, target, **NONE | options).describe(), MlpkitError, file)
    assert found == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1,x,u\n", "row 2, column 't': the class 'u' occurs in no training row; leave out the row"),
        (
            "1,x,a\n1,x,u\n1,x,v\n",
            "row 3, column 't': the classes 'u', 'v' occur in no training row; leave out their rows",
        ),
        ("1,x,horses\n", "row 2, column 't': the class 'horses' occurs in no training row; did you mean 'horse'?"),
        ("1,z,a\n", "row 2, column 'c': the category 'z' occurs in no training row; leave out the row"),
        ("x1,x,a\n", "row 2, column 'a': 'x1' is not a finite number; put a number there, or leave out the row"),
        (",x,a\n", "row 2, column 'a': the value is missing; write one, or leave out the row"),
    ],
)
def test_advice_about_rows_to_evaluate_is_not_about_parameters(write, tmp_path, rows, expected):
    dataset = Csv(write("a,c,t\n1,x,a\n2,y,horse\n3,x,a\n4,y,horse\n"), "t", categorical=("c",), **NONE)
    dataset.describe()
    used = Csv("gone.csv", "t", categorical=("c",), **NONE)
    used.load_encoder_state(dataset.encoder_state())
    file = write(f"a,c,t\n{rows}", "new.csv")
    assert messages.message(lambda: used.read_examples(tmp_path / "new.csv"), DataError, file, name="new.csv") == (
        f"new.csv, {expected}"
    )
