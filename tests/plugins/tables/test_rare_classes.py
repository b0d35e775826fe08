"""Classes of few rows: named all at once, left out or merged by a key, and known to the model that was trained."""

from __future__ import annotations

import collections
from pathlib import Path

import numpy as np
import pytest

import mlpkit
from mlpkit_plugins.datasets.csv import Csv

CLASSES = {"ash": 60, "oak": 40, "yew": 4, "fir": 1, "elm": 1}


def rows_of(classes):
    rng = np.random.default_rng(0)
    kinds = rng.permutation([name for name, count in classes.items() for _ in range(count)])
    return [f"{x:.4f},{kind}" for x, kind in zip(rng.normal(size=len(kinds)), kinds, strict=True)]


@pytest.fixture
def write(tmp_path):
    def of(classes=CLASSES, name="t.csv"):
        (tmp_path / name).write_text("\n".join(["x,t", *rows_of(classes)]))
        return str(tmp_path / name)

    return of


def counts(dataset):
    """Return how many rows of each class the splits have together, and the classes of which training has some."""
    found, trained = collections.Counter(), set()
    names = dataset.describe() and dataset.class_names()
    for name, split in dataset.open(0).items():
        t = np.empty(len(split), np.int64)
        split.take(np.arange(len(split)), (np.empty((len(split), 1)), t))
        found.update(names[number] for number in t)
        trained |= {names[number] for number in t} if name == "train" else set()
    return dict(found), trained


@pytest.mark.parametrize("split", ["stratified", "shuffle", "hash"])
@pytest.mark.parametrize("seed", range(5))
def test_classes_of_one_row_are_for_training_and_named_all_at_once(write, split, seed):
    dataset = Csv(write(), "t", validation=0.1, test=0.1, split=split, split_seed=seed)
    found, trained = counts(dataset)
    assert found == CLASSES
    assert trained == set(CLASSES)
    rows = {row.split(",")[1]: number for number, row in enumerate(rows_of(CLASSES), 2)}
    shown = sorted(("fir", "elm"), key=rows.get)
    warning = dataset.warnings()[0]
    assert warning.message == (
        "2 classes have a single row, for training, so that nothing measures them: "
        f"'{shown[0]}' (row {rows[shown[0]]}), '{shown[1]}' (row {rows[shown[1]]})"
    )
    assert warning.remedy == "set rare_classes: {drop: 2} to leave them out, or {merge: 2} to make them one"


def test_a_class_of_one_row_is_named_with_the_one_that_was_meant(write):
    file = write({"cherry": 50, "apple": 50, "aple": 1})
    dataset = Csv(file, "t")
    dataset.describe()
    (warning,) = dataset.warnings()
    assert "nothing measures it: 'aple' (row " in warning.message
    assert warning.remedy == "set rare_classes: {drop: 2} to leave it out"


def test_many_classes_of_one_row_are_counted(write):
    dataset = Csv(write({**dict.fromkeys(map("a{}".format, range(20)), 9), **dict.fromkeys("bcdefghijklmn", 1)}), "t")
    dataset.describe()
    warning = dataset.warnings()[0]
    assert warning.message.startswith("13 classes have a single row")
    assert warning.message.count("(row ") == 10
    assert warning.message.endswith(" and 3 more")


@pytest.mark.parametrize(
    ("rare", "expected"),
    [
        ({"drop": 2}, {"ash": 60, "oak": 40, "yew": 4}),
        ({"drop": 5}, {"ash": 60, "oak": 40}),
        ({"merge": 2}, {"ash": 60, "oak": 40, "yew": 4, "other": 2}),
        ({"merge": 5}, {"ash": 60, "oak": 40, "other": 6}),
        ({"merge": 41}, {"ash": 60, "other": 46}),
    ],
)
def test_what_becomes_of_rare_classes(write, rare, expected):
    dataset = Csv(write(), "t", rare_classes=rare)
    assert counts(dataset)[0] == expected
    assert dataset.class_names() == tuple(sorted(expected))
    assert not any("single row" in warning.message for warning in dataset.warnings())


def test_rows_that_are_left_out_leave_the_others_at_their_row_of_the_file(write):
    file = write()
    dataset = Csv(file, "t", rare_classes={"drop": 5}, validation=0, test=0, standardize=False)
    (split,) = dataset.open(0).values()
    x = np.empty((len(split), 1))
    split.take(np.arange(len(split)), (x, np.empty(len(split), np.int64)))
    lines = Path(file).read_text().splitlines()
    assert [float(lines[row - 1].split(",")[0]) for row in split.rows_in_file()] == x[:, 0].tolist()


def test_a_class_of_another_file_is_rare_if_it_is_rare_in_the_first(write):
    test = write({"ash": 3, "elm": 5, "yew": 2, "birch": 1}, "test.csv")
    assert len(Csv(write(), "t", test=test, rare_classes={"drop": 3}).open(0)["test"]) == 5
    merged = Csv(write(), "t", test=test, rare_classes={"merge": 3}, validation=0)
    t = np.empty(len(merged.open(0)["test"]), np.int64)
    merged.open(0)["test"].take(np.arange(len(t)), (np.empty((len(t), 1)), t))
    names = merged.class_names()
    assert collections.Counter(names[number] for number in t) == {"ash": 3, "yew": 2, "other": 6}


SPEC = """
mlpkit: 1
data: {{csv: {{file: {file}, target: t, rare_classes: {rare}}}}}
layers: [Affine: {{units: auto}}, SoftmaxWithLoss]
training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch_size: 20, epochs: 1, metrics: [accuracy]}}
"""


@pytest.mark.parametrize(("rare", "rows"), [("{drop: 3}", 7), ("{merge: 3}", 10)])
def test_a_trained_model_judges_new_rows_by_the_classes_that_it_learned(write, tmp_path, rare, rows):
    (tmp_path / "t.yaml").write_text(SPEC.format(file=write(), rare=rare))
    mlpkit.run(mlpkit.load_spec(tmp_path / "t.yaml"), tmp_path / "run", quiet=True)
    model = mlpkit.load(tmp_path / "run")
    kept = {"ash", "oak", "yew"}
    assert set(model.predict_proba([[0.5]])[0] > 0) == {True}
    new = write({"ash": 5, "yew": 2, "elm": 2, "birch": 1}, "new.csv")
    if "merge" in rare:
        found = model.evaluate(new)
        predicted = model.predict(
            [[float(row.split(",")[0])] for row in rows_of({"ash": 5, "yew": 2, "elm": 2, "birch": 1})]
        )
        kinds = [row.split(",")[1] for row in rows_of({"ash": 5, "yew": 2, "elm": 2, "birch": 1})]
        expected = [kind if kind in kept else "other" for kind in kinds]
        assert found["accuracy"] == pytest.approx(np.mean(np.array(expected) == predicted))
    else:
        with pytest.warns(UserWarning, match=r"3 of 10 rows are left out, with classes that were rare in training, or"):
            found = model.evaluate(new)
        known = write({"ash": 5, "yew": 2}, "known.csv")
        assert found.keys() == model.evaluate(known).keys()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rare_classes": {"drop": 1}}, "expected {drop: ROWS} or {merge: ROWS}, with a number from 2 up"),
        ({"rare_classes": {"keep": 3}}, "expected {drop: ROWS} or {merge: ROWS}, with a number from 2 up"),
        ({"rare_classes": {"drop": 3, "merge": 2}}, "expected {drop: ROWS} or {merge: ROWS}"),
        ({"rare_classes": {"drop": 3}, "classes": ["ash", "oak"]}, "classes lists them all; leave it out"),
        ({"rare_classes": {"drop": 3}, "predict": "values"}, "values are predicted; leave it out"),
        ({"rare_classes": {"drop": 300}}, "every class of 't' has fewer than 300 rows"),
    ],
)
def test_mistakes(write, options, expected):
    with pytest.raises(mlpkit.ParameterError) as caught:
        Csv(write(), "t", **options).describe()
    assert str(caught.value).startswith("rare_classes: ")
    assert expected in str(caught.value)


def test_all_classes_that_no_training_row_has_are_named_with_a_key_that_works(write, tmp_path):
    lines = [*(f"{i},{i % 7},{'pq'[i % 2]}" for i in range(90)), "98,1,u", "99,2,u", "100,1,v"]
    (tmp_path / "t.csv").write_text("\n".join(["day,x,t", *lines]))
    options = {"split": {"time": "day"}, "test": 0.1}
    with pytest.raises(mlpkit.DataError) as caught:
        Csv(str(tmp_path / "t.csv"), "t", **options).describe()
    assert "the classes 'u', 'v' occur in no training row; " in str(caught.value)
    assert str(caught.value).endswith("with rare_classes: {drop: 3}")
    assert Csv(str(tmp_path / "t.csv"), "t", **options, rare_classes={"drop": 3}).describe().target.count == 2


def test_rows_of_rare_classes_alone_are_an_error_for_a_trained_model(write, tmp_path):
    dataset = Csv(write(), "t", rare_classes={"drop": 5}, validation=0, test=0)
    dataset.describe()
    file = write({"elm": 3, "yew": 2}, "new.csv")
    with pytest.raises(mlpkit.DataError) as caught:
        dataset.read_examples(tmp_path / "new.csv")
    kinds = dict.fromkeys(row.split(",")[1] for row in rows_of({"elm": 3, "yew": 2}))
    shown = ", ".join(f"'{kind}'" for kind in kinds)
    assert str(caught.value) == f"{file}: no row has a class that the model knows; they have {shown}"


@pytest.mark.parametrize(
    ("rare", "expected"),
    [
        ({"merge": 5}, {"ash": 60, "oak": 20, "other": 32}),
        ({"merge": 40}, {"ash": 60, "other": 52}),
        ({"merge": 2}, {"ash": 60, "oak": 20, "other": 30, "yew": 2}),
        ({"drop": 25}, {"ash": 60, "other": 30}),
    ],
)
def test_a_class_called_other_takes_the_rare_ones(write, rare, expected):
    dataset = Csv(write({"other": 30, "ash": 60, "yew": 2, "oak": 20}), "t", rare_classes=rare, split="shuffle")
    assert counts(dataset)[0] == expected
    assert dataset.class_names() == tuple(sorted(expected))


@pytest.mark.parametrize(
    ("rare", "names"),
    [(1, ("ash", "oak", "other", "yew")), (3, ("ash", "oak", "other")), (25, ("ash", "other")), (61, ("other",))],
)
def test_a_category_called_other_takes_the_rare_ones_too(write, rare, names):
    file = write({"other": 30, "ash": 60, "yew": 2, "oak": 20})
    given = {"predict": "values", "categorical": ("t",), "rare": rare, "standardize": False}
    dataset = Csv(file, "x", validation=0, test=0, **given)
    if names == ("other",):
        with pytest.raises(mlpkit.DataError, match="no input varies in the training rows"):
            dataset.describe()
        return
    dataset.describe()
    assert dataset.feature_names() == tuple(f"t={name}" for name in names)
    (split,) = dataset.open(0).values()
    x = np.empty((len(split), len(names)))
    split.take(np.arange(len(split)), (x, np.empty((len(split), 1))))
    every = {"other": 30, "ash": 60, "yew": 2, "oak": 20}
    expected = [every[name] for name in names]
    expected[names.index("other")] = sum(count for name, count in every.items() if name not in names) + 30
    assert x.sum(axis=0).tolist() == expected
