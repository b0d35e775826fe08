"""A trained model in Python: it takes rows as the data set took them, and says what the data set says."""

from __future__ import annotations

import csv
import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from requirements import Optional

import mlpkit
from mlpkit import Classes
from mlpkit.jobs.predict import predict
from mlpkit.jobs.trained_model import class_values, targets_of

pa = Optional("pyarrow")

SPEC = """\
mlpkit: 1
name: people
data:
  csv: {{file: people.csv, target: {target}, {options} validation: 0.2, test: 0.2}}
layers: [{{Affine: {{units: {units}}}}}, {loss}]
training: {{optimizer: {{adam: {{learning_rate: 0.1}}}}, batch_size: 20, epochs: 20, metrics: [{metrics}]}}
"""
INPUTS = ("deck", "age", "fare", "port")
HEADER = ("id", "deck", "age", "fare", "port", "kind", "survived", "weight", "rain", "fog")


def people():
    """Return rows as dicts of Python's values, as somebody would have them in memory."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        deck, age, port = (
            int(rng.integers(1, 4)),
            round(float(rng.normal(40, 12)), 1),
            str(rng.choice(["Bern", "Rome"])),
        )
        kind = "old" if age > 40 else "young"
        facts = (kind, int(age > 40), 2000.5 + 10 * age, int(deck == 1), int(rng.random() < 0.5))
        values = (f"p{number}", deck, age, round(float(rng.uniform(5, 80)), 2), port, *facts)
        rows.append(dict(zip(HEADER, values, strict=True)))
    return rows


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table, and a run for each meaning of its target."""
    folder = tmp_path_factory.mktemp("people")
    write(folder / "people.csv", people())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for run, target, predict, units, loss, metrics in (
            ("names", "kind", "classes", 2, "SoftmaxWithLoss", "accuracy, confusion_matrix"),
            ("numbers", "survived", "classes", 1, "SigmoidWithLoss", "accuracy"),
            ("labels", "[rain, fog]", "labels", 2, "SigmoidWithLoss", ""),
            ("value", "weight", "values", 1, "MeanSquaredError", "mean_absolute_error"),
            ("values", "[weight, age]", "values", 2, "MeanSquaredError", ""),
        ):
            inputs = [name for name in INPUTS if name not in target]
            options = f"predict: {predict}, inputs: [{', '.join(inputs)}], categorical: [deck, port],"
            text = SPEC.format(target=target, options=options, units=units, loss=loss, metrics=metrics)
            (folder / "people.yaml").write_text(text)
            mlpkit.run(mlpkit.load_spec("people.yaml"), run)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return mlpkit.load(folder / "names")


def frames(rows):
    """Yield the same rows as each kind of data frame that is installed."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    yield pa.table(columns)
    for library in ("pandas", "polars"):
        try:
            yield __import__(library).DataFrame(columns)
        except ImportError:
            continue


def same_rows(folder):
    """Yield the rows of the table in each form that a model takes."""
    rows = people()
    yield folder / "people.csv"
    yield str(folder / "people.csv")
    yield rows
    yield {name: [row[name] for row in rows] for name in HEADER}
    yield {name: np.array([row[name] for row in rows]) for name in HEADER}
    yield [[row[name] for name in INPUTS] for row in rows]
    yield np.array([[row[name] for name in INPUTS] for row in rows], dtype=object)
    yield np.array([[row[name] for name in INPUTS] for row in rows])  # texts
    fields = [("deck", "i4"), ("age", "f8"), ("fare", "f8"), ("port", "U4")]
    yield np.array([tuple(row[name] for name in INPUTS) for row in rows], dtype=fields)
    yield from frames(rows)


def test_every_form_of_the_same_rows_gives_the_same_predictions(model, folder):
    expected = predict(folder / "names", folder / "people.csv")
    for rows in same_rows(folder):
        np.testing.assert_array_equal(model.predict_proba(rows), expected.values)
        assert model.predict(rows).tolist() == [expected.label(row) for row in range(120)]


@pytest.mark.filterwarnings("ignore:.* in training; predictions far outside")
def test_rows_in_memory_read_as_the_file_that_holds_them(model, tmp_path):
    """Also values that are in the file as no spreadsheet would write them: exponents, blanks, numbers as texts."""
    number = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: value + 0.0)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 3), number, number, st.sampled_from(["Bern", "Rome"])), min_size=1))
    def agree(rows):
        rows = [dict(zip(INPUTS, row, strict=True)) for row in rows]
        write(tmp_path / "rows.csv", rows)
        np.testing.assert_array_equal(model.predict_proba(rows), model.predict_proba(tmp_path / "rows.csv"))
        spelt = [{name: f" {value} " for name, value in row.items()} for row in rows]
        np.testing.assert_array_equal(model.predict_proba(spelt), model.predict_proba(rows))

    agree()


ROW = {"deck": 1, "age": 30, "fare": 9.5, "port": "Rome"}


@pytest.mark.parametrize(
    "changes",
    [
        {"deck": "1"},
        {"deck": 1.0},
        {"deck": np.int8(1)},
        {"deck": np.float32(1)},
        {"age": 30.0},
        {"age": "30"},
        {"age": Decimal(30)},
        {"age": np.float64(30)},
        {"fare": "9.5"},
        {"port": np.str_("Rome")},
        {"anything": object()},
    ],
)
def test_a_value_counts_whatever_its_type(model, changes):
    np.testing.assert_array_equal(model.predict_proba([{**ROW, **changes}]), model.predict_proba([ROW]))


@pytest.mark.parametrize("written", ["{:%Y-%m-%d}", "{:%Y-%m-%d %H:%M:%S}", "{:%Y-%m-%dT%H:%M:%S}"])
def test_dates_and_truths_are_the_categories_that_a_file_writes(trained, written):
    days = [datetime.datetime(2020, 1, day % 3 + 1) for day in range(40)]  # noqa: DTZ001 - a file has no time zone
    lines = [f"{written.format(day)},{('no', 'yes')[n % 2]},{n % 5 < 2},{n}" for n, day in enumerate(days)]
    Path("days.csv").write_text("\n".join(["day,t,rain,n", *lines]))
    model = trained("csv: {file: days.csv, target: t, categorical: [day, rain], validation: 0, test: 0}")
    expected = model.predict_proba("days.csv")
    rain, n = [n % 5 < 2 for n in range(40)], list(range(40))
    for day in (days, np.array(days, "datetime64[ns]"), np.array(days, object)):
        columns = {"day": day, "rain": rain, "n": n}
        np.testing.assert_array_equal(model.predict_proba(columns), expected)
        np.testing.assert_array_equal(model.predict_proba(columns | {"rain": np.array(rain)}), expected)
    for frame in frames([{"day": day, "rain": n % 5 < 2, "n": n} for n, day in enumerate(days)]):
        np.testing.assert_array_equal(model.predict_proba(frame), expected)
    if written == "{:%Y-%m-%d}":
        np.testing.assert_array_equal(
            model.predict_proba([{"day": day.date(), "rain": n % 5 < 2, "n": n} for n, day in enumerate(days)]),
            expected,
        )


def test_classes_are_names_or_numbers_as_in_the_table(folder, model):
    rows = people()
    assert model.classes == ("old", "young")
    assert (model.predict(rows) == [row["kind"] for row in rows]).mean() > 0.9
    numbers = mlpkit.load(folder / "numbers")
    assert numbers.classes == (0, 1)
    assert (numbers.predict(rows) == [row["survived"] for row in rows]).mean() > 0.9
    assert numbers.predict_proba(rows).shape == (120, 2)


def test_labels_are_zeros_and_ones_with_a_probability_each(folder):
    model = mlpkit.load(folder / "labels")
    assert model.classes is None
    predicted, probabilities = model.predict(people()), model.predict_proba(people())
    assert predicted.shape == probabilities.shape == (120, 2)
    np.testing.assert_array_equal(predicted, (probabilities >= 0.5).astype(int))
    assert np.abs(probabilities - 0.5).min() < 0.02  # fog is drawn at random


def test_values_are_in_the_targets_unit_and_a_single_one_has_no_axis_of_its_own(folder):
    model = mlpkit.load(folder / "value")
    assert model.predict(people()).shape == (120,)
    assert mlpkit.load(folder / "values").predict(people()).shape == (120, 2)
    with pytest.raises(
        mlpkit.UsageError, match=r"^the model predicts values, which have no probabilities; use predict"
    ):
        model.predict_proba(people())


def test_loss_and_metrics_come_from_the_same_rows_and_the_targets_among_them(folder, model):
    rows = people()
    expected = model.evaluate(folder / "people.csv")
    targets = [row["kind"] for row in rows]
    for found in (
        model.evaluate(rows),
        *(model.evaluate(frame) for frame in frames(rows)),
        model.evaluate(rows, targets),
        model.evaluate(folder / "people.csv", np.array(targets)),
        model.evaluate(rows, [[name == "old", name == "young"] for name in targets]),
    ):
        assert found == expected
    assert expected["accuracy"] == (model.predict(rows) == targets).mean()
    assert np.sum(expected["confusion_matrix"]) == 120


@pytest.mark.parametrize(
    ("run", "columns"),
    [
        ("names", ["kind"]),
        ("numbers", ["survived"]),
        ("labels", ["rain", "fog"]),
        ("value", ["weight"]),
        ("values", ["weight", "age"]),
    ],
)
def test_targets_are_given_beside_the_rows_or_stand_among_them(folder, run, columns):
    model = mlpkit.load(folder / run)
    expected = model.evaluate(folder / "people.csv")
    assert model.evaluate(people()) == expected
    assert model.evaluate(people(), [[row[name] for name in columns] for row in people()]) == expected


def test_evaluation_of_the_tests_rows_is_the_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    spec = mlpkit.load_spec("names/resolved.yaml", overrides={"data.csv.test": "test.csv"})
    write(folder / "test.csv", people()[:30])
    run = mlpkit.run(spec, None)
    assert run.metrics["test"] == run.model.evaluate("test.csv")


def test_the_model_of_a_run_is_the_one_that_is_loaded(folder, monkeypatch):
    monkeypatch.chdir(folder)
    run = mlpkit.run(mlpkit.load_spec("names/resolved.yaml"), None)
    loaded = mlpkit.load(folder / "names" / "model.safetensors")
    np.testing.assert_array_equal(run.model.predict_proba(people()), loaded.predict_proba(people()))
    assert run.model.network is run.network
    assert mlpkit.resume("names").model.predict(people()).tolist() == loaded.predict(people()).tolist()


def test_a_model_says_what_it_takes_and_predicts(folder, model):
    assert model.columns == INPUTS
    assert repr(model) == "<Model people: takes deck, age, fare, port; predicts old, young>"
    assert repr(mlpkit.load(folder / "values")) == "<Model people: takes deck, fare, port; predicts weight, age>"
    assert model.spec.name == "people"
    assert "takes encoded inputs of shape (7,)" in repr(model.network)


@pytest.mark.parametrize(
    ("t", "layers", "predicts"),
    [
        (np.arange(20.0), [{"Affine": {"units": 1}}, "MeanSquaredError"], "a number"),
        (np.ones((20, 2)), [{"Affine": {"units": 2}}, "MeanSquaredError"], "real values of shape (2,)"),
        (np.arange(20) % 8, [{"Affine": {"units": 8}}, "SoftmaxWithLoss"], "0, 1, 2, 3, 4, 5, 6, 7"),
        (np.arange(20) % 9, [{"Affine": {"units": 9}}, "SoftmaxWithLoss"], "0, 1, 2, 3, 4, 5, 6, 7, ..."),
    ],
)
def test_a_model_of_arrays_says_what_it_takes_and_predicts(t, layers, predicts):
    model = mlpkit.fit(np.ones((20, 3)), t, layers=layers, epochs=1).model
    assert repr(model).endswith(f": takes arrays, such as of shape (rows, 3); predicts {predicts}>")


def test_its_network_refuses_raw_rows(model):
    with pytest.raises(mlpkit.UsageError, match=r"has 7 for 'deck=1', but .* mlpkit\.load\(RUN\)\.predict\(rows\)"):
        model.network.predict([[30, 9.5, 7, 0, 0, 0, 1]])


NO_ROWS = "no rows are given; expected at least one"
NO_TARGETS = "these rows have no targets; pass them as well: evaluate(rows, targets)"
PLACE = "the rows (counted from 0)"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"deck": 1, "age": 3, "fare": 3}],
            f"{PLACE}, column 'port': the table has no such column; it has deck, age, fare",
        ),
        (
            [{"deck": 1, "age": 3, "fare": 3, "prot": "Rome"}],
            f"{PLACE}, column 'port': the table has no such column; did you",
        ),
        (
            [ROW, {**ROW, "port": "Roma"}],
            f"{PLACE}, row 1, column 'port': the category 'Roma' occurs in no training row",
        ),
        (
            [ROW, {**ROW, "age": "old"}],
            f"{PLACE}, row 1, column 'age': 'old' is not a finite number; put a number there",
        ),
        (
            [{**ROW, "age": text} for text in ("no", "yes", "maybe", "no")],
            f"{PLACE}, row 2, column 'age': 'maybe' is neither yes nor no; put one of them there, or leave out the row",
        ),
        (
            [{**ROW, "age": datetime.date(2020, 1, 1)}],
            f"{PLACE}, row 0, column 'age': '2020-01-01' is not a finite number",
        ),
        ([{**ROW, "fare": np.inf}], f"{PLACE}, row 0, column 'fare': inf is not a finite number; make it None"),
        (
            [{**ROW, "port": ["Rome"]}],
            f"{PLACE}, row 0, column 'port': the category \"['Rome']\" occurs in no training row",
        ),
        (
            [ROW, {**ROW, "fare": None}],
            "the rows: 1 of 2 rows has missing values, which no training row had: row 1 (fare), counted",
        ),
        (
            [ROW, {**ROW, "port": float("nan")}],
            "the rows: 1 of 2 rows has missing values, which no training row had: row 1 (port), counted",
        ),
        ([ROW, {"deck": 1}], "the rows: 1 of 2 rows has missing values, which no training row had: row 1 (age, fare, "),
        (
            ROW,
            "the column 'deck' is the single value 1; expected a list, with a value for each row; give one row as a ",
        ),
        ({"deck": [1], "age": [2, 3]}, "the column 'age' has 2 values, but 'deck' 1; expected as many in each column"),
        (
            {"deck": [[1]], "age": np.ones((1, 2))},
            "the column 'age' has values of shape (1, 2); expected one value for",
        ),
        (
            pa.table([[1], [2]], ["age", "age"]),
            "two columns of the data frame are called 'age'; rename one, or leave it out",
        ),
        ([ROW, 7], "row 1, counted from 0, is 7; expected a dict, like the other rows"),
        ([[1, 2, 3]], "row 0, counted from 0, has 3 values; expected 4 values: deck, age, fare, port"),
        (np.ones((3, 5)), "an array of shape (3, 5) doesn't fit the table; expected rows of 4 values: deck, age, fare"),
        (
            np.ones((3, 7)),
            "an array of shape (3, 7) doesn't fit the table; expected rows of 4 values: deck, age, fare, port; if "
            "these rows are encoded already, pass them to model.network.predict",
        ),
        (
            7,
            "rows can't be 7; expected a file name, a list of dicts, a dict of columns, a data frame, or an array",
        ),
        (None, "rows can't be None; expected a file name"),
        ([], NO_ROWS),
        ({}, NO_ROWS),
        ({name: [] for name in INPUTS}, NO_ROWS),
        (np.ones((0, 4)), NO_ROWS),
        ("poeple.csv", "there is no file 'poeple.csv'; did you mean 'people.csv'?"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_what_was_expected(model, folder, monkeypatch, rows, message):
    monkeypatch.chdir(folder)
    with pytest.raises(mlpkit.MlpkitError) as caught:
        model.predict(rows)
    assert str(caught.value).startswith(message)


def test_only_rows_as_wide_as_encoded_ones_may_be_encoded_already(model):
    advice = "if these rows are encoded already, pass them to model.network.predict"
    for rows, remedy in ((np.ones((3, 7)), advice), (np.ones((7, 5)), ""), (np.ones((3, 7, 1)), ""), ([[1] * 7], "")):
        with pytest.raises(mlpkit.ShapeError) as caught:
            model.predict(rows)
        assert caught.value.remedy == remedy


@pytest.mark.parametrize(
    ("rows", "targets", "message"),
    [
        ([ROW], None, f"{PLACE}, column 'kind': the table has no such column"),
        ([[1, 2, 3, "Rome"]], None, NO_TARGETS),
        (["a.csv", "b.csv"], None, NO_TARGETS),
        (
            [{**ROW, "kind": "middle"}],
            None,
            f"{PLACE}, row 0, column 'kind': the class 'middle' occurs in no training row; leave out",
        ),
        (
            [ROW],
            ["yung"],
            "the target of row 0, counted from 0, is 'yung', which is not a class of the model; did you mean",
        ),
        (
            [ROW],
            [7],
            "the target of row 0, counted from 0, is 7, which is not a class of the model; expected one of old, you",
        ),
        ([ROW], ["old", "old"], "targets of shape (2,) don't fit the rows; expected (1,)"),
        ([ROW], "old", "targets of shape () don't fit the rows; expected (1,)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(model, rows, targets, message):
    with pytest.raises(mlpkit.MlpkitError) as caught:
        model.evaluate(rows, targets)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (None, (0, 1, 2)),
        (("3", "1", "-2"), (3, 1, -2)),
        (("False", "True"), (False, True)),
        (("True",), (True,)),
        (("1.5", "2.0"), (1.5, 2.0)),
        (("1", "2.5"), ("1", "2.5")),
        (("01", "2"), ("01", "2")),
        (("True", "maybe"), ("True", "maybe")),
    ],
)
def test_what_classes_are_called_in_python(names, values):
    found = class_values(names, 3)
    assert (found, [*map(type, found)]) == (values, [*map(type, values)])


def test_rows_that_are_nearly_one_hot_are_not_classes():
    one_hot = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert targets_of(Classes(3), ("a", "b", "c"), one_hot, 3).tolist() == [1, 0, 2]
    for wrong in ([1, 1, 0], [0, 0, 0], [0.5, 0.5, 0], [2, -1, 0]):
        with pytest.raises(mlpkit.ShapeError, match=r"targets of shape \(3, 3\) don't fit the rows"):
            targets_of(Classes(3), ("a", "b", "c"), [*one_hot[:2], wrong], 3)
    assert targets_of(Classes(3), ("a", "b", "c"), [["c"], ["a"]], 2).tolist() == [2, 0]


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, ", ...")])
def test_up_to_twenty_classes_are_expected_by_name(count, more):
    with pytest.raises(mlpkit.UsageError) as caught:
        targets_of(Classes(count), tuple(f"c{i}" for i in range(count)), ["c3", "none of them"], 2)
    assert str(caught.value) == (
        "the target of row 1, counted from 0, is 'none of them', which is not a class of the model; expected one of "
        f"{', '.join(f'c{i}' for i in range(20))}{more}"
    )


@pytest.mark.parametrize(
    ("run", "targets", "message"),
    [
        ("labels", [[0, 2]], "the target of row 0, counted from 0, is 2; expected 0 or 1"),
        ("value", [np.nan], "the target of row 0, counted from 0, is nan; expected a finite number"),
        ("value", ["heavy"], "the targets are an array of <U5; expected numbers"),
        ("values", [1.0], "targets of shape (1,) don't fit the rows; expected (1, 2)"),
    ],
)
def test_wrong_labels_and_values_are_refused(folder, run, targets, message):
    with pytest.raises(mlpkit.MlpkitError) as caught:
        mlpkit.load(folder / run).evaluate([ROW], targets)
    assert str(caught.value) == message


def test_what_can_not_be_loaded_is_named(folder, tmp_path):
    with pytest.raises(mlpkit.UsageError, match=r"there is no run or model file '.*/nams'; did you mean 'names'\?$"):
        mlpkit.load(folder / "nams")
    with pytest.raises(mlpkit.RunFolderError, match="is not a run folder"):
        mlpkit.load(tmp_path)
    with pytest.raises(mlpkit.ModelFileError):
        mlpkit.load(folder / "people.csv")


ARRAYS = """\
mlpkit: 1
data:
  {data}
layers: [Flatten, {{Affine: {{units: {units}}}}}, {loss}]
training: {{optimizer: sgd, batch_size: 10, epochs: 2, metrics: []}}
"""


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Return a function that trains on any data, and loads the model."""
    monkeypatch.chdir(tmp_path)

    def train(data, units=2, loss="SoftmaxWithLoss"):
        Path("arrays.yaml").write_text(ARRAYS.format(data=data, units=units, loss=loss))
        mlpkit.run(mlpkit.load_spec("arrays.yaml"), "run")
        return mlpkit.load("run")

    return train


def test_arrays_are_taken_raw_in_memory_and_from_files(trained):
    x = np.random.default_rng(0).integers(0, 256, (40, 2, 3)).astype(np.uint8)
    t = np.arange(40) % 2
    np.savez("both.npz", x=x, t=t)
    model = trained("npz: {file: both.npz, divide_by: 255, standardize: true}")
    assert (model.classes, model.columns) == ((0, 1), None)
    assert repr(model).endswith("takes arrays, such as of shape (rows, 2, 3); predicts 0, 1>")
    expected = model.predict_proba("both.npz")
    for rows in (x, x.tolist(), x.reshape(40, 6)):
        np.testing.assert_array_equal(model.predict_proba(rows), expected)
    assert model.evaluate("both.npz") == model.evaluate(x, t) == model.evaluate(x, t.reshape(40, 1))
    np.savez("three.npz", x=x, t=t + 1)
    for rows, targets, message in (
        (np.ones((3, 5)), None, "inputs of shape (3, 5) don't fit the data set; expected (rows, 2, 3)"),
        (
            {"a": [1]},
            None,
            "the model doesn't take named columns; expected an array, such as one of shape (rows, 2, 3)",
        ),
        (["a", 1], None, "the rows are an array of <U21; expected numbers"),
        (
            x * np.nan,
            None,
            "the inputs: example 0, element [0, 0] is nan; expected finite numbers; put a number there, or",
        ),
        (np.ones((0, 6)), None, "the rows: have the shape (0, 6); expected (rows, 2, 3), with at least one row"),
        (
            x,
            [2] * 40,
            "the target of row 0, counted from 0, is 2, which is not a class of the model; expected one of 0, 1",
        ),
    ):
        with pytest.raises(mlpkit.MlpkitError) as caught:
            model.predict(rows) if targets is None else model.evaluate(rows, targets)
        assert str(caught.value).startswith(message)
    with pytest.raises(
        mlpkit.DataError, match=r"^three\.npz: row 1, counted from 0, is of class 2; the model knows 0 to 1$"
    ):
        model.evaluate("three.npz")


def test_a_frame_serves_as_an_array(trained):
    x = np.random.default_rng(0).random((40, 2))
    np.save("x.npy", x)
    np.save("t.npy", x.sum(axis=1))
    model = trained("npy: {inputs: x.npy, targets: t.npy, predict: values}", 1, "MeanSquaredError")
    expected = model.predict(x)
    assert expected.shape == (40,)
    for frame in frames([{"a": float(a), "b": float(b)} for a, b in x][:40]):
        if not isinstance(frame, pa.Table):
            np.testing.assert_array_equal(model.predict(frame), expected)
    assert model.evaluate("x.npy", x.sum(axis=1)) == model.evaluate(x, x.sum(axis=1, keepdims=True))
    assert model.evaluate("x.npy") == model.evaluate(x, x.sum(axis=1))
    np.save("alone.npy", x)
    with pytest.raises(
        mlpkit.DataError, match=r"^alone\.npy: there is no file of targets next to it; name the two like x"
    ):
        model.evaluate("alone.npy")


def test_images_come_as_files_a_folder_or_an_array(trained):
    for number in range(40):
        file = Path("pets", ("cat", "dog")[number % 2], f"{number:02}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 2), 6 * number, np.uint8)).save(file)
    model = trained("image_folder: {folder: pets}")
    files = sorted(Path("pets/cat").iterdir())
    expected = model.predict_proba("pets/cat")
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    for rows in (files, list(map(str, files)), pixels, pixels[:, None]):
        np.testing.assert_array_equal(model.predict_proba(rows), expected)
    np.testing.assert_array_equal(model.predict_proba(np.array(list(map(str, files)))), expected)
    np.testing.assert_allclose(model.predict_proba(pixels / 255), expected, rtol=1e-5)
    with pytest.raises(
        mlpkit.DataError, match=r"^the pixels: they are floats such as \d+; expected floats from 0 to 1, or"
    ):
        model.predict(pixels.astype(float))
    with pytest.raises(mlpkit.UsageError, match=r"they are numbers such as .*, but encoding divides pixels by 255"):
        model.network.predict(pixels.reshape(20, 4).astype(float))
    assert set(model.predict(files)) <= {"cat", "dog"}
    assert model.evaluate("pets")["loss"] > 0
    assert model.evaluate(files, ["cat"] * 20)["loss"] > 0
    Path("zoo/cow").mkdir(parents=True)
    files[0].rename("zoo/cow/1.png")
    with pytest.raises(mlpkit.DataError, match="the class 'cow' is not one that the model was trained on"):
        model.evaluate("zoo")


@pytest.mark.parametrize("written", ["iso", "%d.%m.%Y"])
def test_dates_and_ordered_categories_in_memory_are_read_as_from_the_file(written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=3 * i) for i in range(160)]
    rows = [
        {"day": day, "grade": i % 3 + 1, "size": ("small", "large")[i % 2], "t": ("no", "yes")[i * 7 % 60 > 30]}
        for i, day in enumerate(days)
    ]
    shown = [{**row, "day": f"{row['day']:{written}}" if written != "iso" else row["day"].isoformat()} for row in rows]
    with Path("days.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(shown)
    data = {"file": "days.csv", "target": "t", "ordinal": {"grade": ["1", "2", "3"], "size": ["small", "large"]}}
    spec = {
        "mlpkit": 1,
        "name": "days",
        "data": {"csv": {**data, "dates": {"day": written}, "date_parts": ["elapsed", "month"]}},
        "layers": [{"Affine": {"units": 2}}, "SoftmaxWithLoss"],
        "training": {"optimizer": "adam", "epochs": 1},
    }
    model = mlpkit.run(mlpkit.load_spec(spec)).model
    assert model.columns == ("day", "grade", "size")
    expected = model.predict_proba("days.csv")
    assert np.array_equal(model.predict_proba(rows), expected)
    assert np.array_equal(model.predict_proba(shown), expected)
    assert np.array_equal(model.predict_proba({"day": np.array(days, "M8[D]"), **columns(rows)}), expected)
    with pytest.raises(mlpkit.DataError, match="row 0, column 'day': 'soon' is not"):
        model.predict([{**rows[0], "day": "soon"}])
    with pytest.raises(mlpkit.DataError, match="column 'day'"):
        model.predict([{"grade": 1, "size": "small"}])


def columns(rows):
    return {name: [row[name] for row in rows] for name in ("grade", "size")}


def test_a_number_too_large_for_the_network_is_named_with_its_column(model):
    with pytest.raises(mlpkit.DataError, match="row 1, counted from 0, column 'age', gives the network inf"):
        model.predict([people()[0], {**people()[1], "age": 1e43}])


def test_advice_about_other_data_is_not_about_parameters(model, tmp_path):
    write(tmp_path / "other.csv", [{**people()[0], "age": "old"}])
    with pytest.raises(mlpkit.DataError, match="'old' is not a finite number; put a number there, or leave"):
        model.evaluate(tmp_path / "other.csv")


def test_rows_of_a_data_frame_go_by_their_labels(model):
    frame = Optional("pandas").DataFrame([ROW, {**ROW, "port": "Roma"}], index=["p7", "p8"])
    with pytest.raises(mlpkit.DataError) as caught:
        model.predict(frame)
    assert str(caught.value).startswith("the rows, row 'p8', column 'port': the category 'Roma' occurs in no training")
    frame.index = [70, 80]
    with pytest.raises(mlpkit.DataError, match=r"row 80, column 'port': the category 'Roma'"):
        model.predict(frame)
    frame["port"] = [None, "Rome"]
    with pytest.raises(
        mlpkit.DataError, match=r"had: row 70 \(port\); fill in port, leave these rows out, or train with"
    ):
        model.predict(frame)


def test_five_rows_and_all_their_columns_are_named(model):
    rows = [{**ROW, "age": None}, *[{**ROW, "fare": None}] * 5, ROW]
    found = "the rows: {} of {} rows have missing values, which no training row had: row 0 (age), {}, counted from 0; "
    remedy = "fill in age, fare, leave these rows out, or train with missing set to fill"
    for count, listed in (
        (6, "row 1 (fare), row 2 (fare), row 3 (fare), row 4 (fare), ..."),
        (3, "row 1 (fare), row 2 (fare)"),
    ):
        with pytest.raises(mlpkit.DataError) as caught:
            model.predict([*rows[:count], ROW])
        assert str(caught.value) == found.format(count, count + 1, listed) + remedy
    with pytest.raises(mlpkit.DataError, match="the rows: every row has a missing value; fill in fare, leave these"):
        model.predict(rows[1:3])
