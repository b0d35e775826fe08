"""Explanations of a model's rows: Shapley values of the columns of its table."""

import json
import shutil
import subprocess
import sys
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from requirements import requires

import mlpkit
from mlpkit.errors import RunFolderError, StorageError, UsageError
from mlpkit.jobs.explanations import explain
from mlpkit.runs.model_file import save_model
from mlpkit_plugins.kernels import COMPILED

TRAINING = {"optimizer": {"adam": {"learning_rate": 0.05}}, "batch_size": 32, "epochs": 5}
HIDDEN = [{"Affine": {"units": 6}}, "Tanh"]
TARGETS = {
    "classes": (["kind"], 3, "SoftmaxWithLoss"),
    "labels": (["rain", "fog"], 2, "SigmoidWithLoss"),
    "values": (["price"], 1, "MeanSquaredError"),
}
INPUTS = ["age", "fare", "size", "width", "deck", "port"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(10, 3, 200).round(2) for name in ("age", "fare", "size", "width")})
    frame["deck"], frame["port"] = rng.choice(list("ABC"), 200), rng.choice(["Bern", "Rome", "Oslo"], 200)
    frame["price"] = (frame["age"] * frame["fare"] + 9 * (frame["deck"] == "A")).round(2)
    frame["kind"] = np.where(frame["age"] > 11, "old", np.where(frame["port"] == "Rome", "south", "north"))
    frame["rain"], frame["fog"] = (frame["fare"] > 10).astype(int), (frame["deck"] == "B").astype(int)
    return frame


@pytest.fixture(scope="module")
def runs(table, tmp_path_factory):
    """A run folder for each kind of target, and the table beside them."""
    home = tmp_path_factory.mktemp("runs")
    table.to_csv(home / "table.csv", index=False)
    for predict, (target, units, loss) in TARGETS.items():
        data = {"file": str(home / "table.csv"), "target": target if len(target) > 1 else target[0], "inputs": INPUTS}
        spec = {
            "mlpkit": 1,
            "data": {"csv": {**data, "predict": predict, "categorical": ["deck", "port"]}},
            "layers": [*HIDDEN, {"Affine": {"units": units}}, loss],
            "training": TRAINING,
        }
        mlpkit.run(mlpkit.load_spec(spec), home / predict, quiet=True)
    return home


def enumerated(predict, row, background):
    """Return the Shapley values of a row of a frame by their definition, all rows mixed as frames."""
    names = list(row.columns)

    def worth(own):
        return predict(background.assign(**{name: row[name].iloc[0] for name in own})).mean()

    values = []
    for name in names:
        rest = [other for other in names if other != name]
        total = 0.0
        for size in range(len(names)):
            share = factorial(size) * factorial(len(names) - 1 - size) / factorial(len(names))
            total += share * sum(worth([*own, name]) - worth(own) for own in combinations(rest, size))
        values.append(total)
    return np.array(values)


def test_values_are_those_of_the_definition_on_raw_rows(runs, table):
    model, background = mlpkit.load(runs / "values"), table[INPUTS][:30]

    found = model.explain(table[5:7], background=background, orders=4000)
    sampled = model.explain(table[5:7], background=background, orders=60)

    for i in range(2):
        exact = enumerated(model.predict, table[INPUTS][5 + i : 6 + i], background)
        np.testing.assert_allclose(found.values[i], exact, rtol=1e-4, atol=1e-4)
        assert (np.abs(sampled.values[i] - exact) <= 5 * sampled.errors[i] + 1e-4).all()
    assert not found.errors.any()
    assert sampled.errors.any()
    assert found.columns == tuple(INPUTS)
    assert found.outputs == ("price",)


@pytest.mark.parametrize("predict", TARGETS)
def test_values_and_the_mean_of_the_background_add_up_to_the_prediction(runs, table, predict):
    model = mlpkit.load(runs / predict)

    found = model.explain(table, orders=1)

    if predict == "classes":
        expected = model.predict_proba(table).max(axis=1)
        assert list(found.outputs) == list(model.predict(table))
    else:
        expected = model.predict(table) if predict == "values" else model.predict_proba(table)
    np.testing.assert_allclose(found.predictions, expected, rtol=1e-5, atol=1e-7)


def test_of_all_classes_the_predicted_one_is_as_alone(runs, table):
    model = mlpkit.load(runs / "classes")

    alone, every = model.explain(table[:5]), model.explain(table[:5], all_classes=True)

    assert every.values.shape == (5, 6, 3)
    assert every.outputs == model.classes
    for i, name in enumerate(alone.outputs):
        np.testing.assert_array_equal(every.values[i, :, every.outputs.index(name)], alone.values[i])
    np.testing.assert_allclose(every.values.sum(axis=2), 0, atol=1e-6)


def test_by_default_four_hundred_orders_are_drawn(runs, table):
    model = mlpkit.load(runs / "values")

    found, chosen, more = (model.explain(table[:2], **options) for options in ({}, {"orders": 400}, {"orders": 401}))

    np.testing.assert_array_equal(found.values, chosen.values)
    assert (found.errors != more.errors).any()
    np.testing.assert_array_equal(explain(model._trained, runs / "values", table[:2]).values, found.values)


def test_a_row_has_the_same_values_whatever_else_is_explained(runs, table):
    model = mlpkit.load(runs / "values")

    whole, one = model.explain(table), mlpkit.load(runs / "values").explain(table[7:8].to_dict("records"))

    np.testing.assert_array_equal(one.values[0], whole.values[7])
    np.testing.assert_array_equal(one.errors[0], whole.errors[7])
    assert one.inputs["port"] == [table["port"][7]]
    by_file = model.explain(runs / "table.csv")
    np.testing.assert_array_equal(by_file.values, whole.values)


@requires("kernels", COMPILED, "without compiled kernels, a row's bits depend on the number of rows")
def test_a_column_that_differs_in_other_rows_alone_changes_no_value(runs, table):
    model, alike = mlpkit.load(runs / "values"), table[table["deck"] == "B"]

    alone = model.explain(alike[:1], background=alike[1:31], orders=60)
    beside = model.explain(pd.concat([alike[:1], table[table["deck"] == "A"]]), background=alike[1:31], orders=60)

    np.testing.assert_array_equal(beside.values[0], alone.values[0])
    assert alone.errors.any()


def test_a_category_that_no_background_row_has_counts(runs, table):
    model, background = mlpkit.load(runs / "values"), table[table["deck"] == "B"][:20]

    found = model.explain(table[table["deck"] == "A"][:1], background=background)

    assert abs(found.values[0, found.columns.index("deck")]) > 0.1


def test_elements_of_arrays_are_explained():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3, 4)).astype(np.float32)
    run = mlpkit.fit(x, x[:, 1, 2] * 2, layers=["Flatten", {"Affine": {"units": 1}}, "MeanSquaredError"], epochs=30)

    found = run.model.explain(x[:4], background=x, orders=200)

    weights = run.model.predict(np.eye(12).reshape(12, 3, 4)) - run.model.predict(np.zeros((1, 3, 4)))
    expected = weights * (x[:4].reshape(4, -1) - x.reshape(80, -1).mean(axis=0))
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert (found.columns[6], found.outputs) == ("input 6", ("value",))
    with pytest.raises(UsageError, match=r"no training rows to compare with; .*explain\(rows, background=rows\)"):
        run.model.explain(x[:4])


def test_values_without_names_go_by_their_numbers_and_up_to_500_columns_are_explained():
    x = np.random.default_rng(0).normal(size=(20, 500))
    run = mlpkit.fit(x, x[:, :2], layers=[{"Affine": {"units": 2}}, "MeanSquaredError"], epochs=1)

    found = run.model.explain(x[:1], background=x[1:3], orders=1)

    assert (found.values.shape, found.outputs) == ((1, 500, 2), ("value 0", "value 1"))
    assert [name for name, *_ in found.of_row(0)] == ["value 0", "value 1"]


def test_more_columns_than_an_explanation_takes():
    x = np.random.default_rng(0).normal(size=(20, 501))
    run = mlpkit.fit(x, x[:, 0], layers=[{"Affine": {"units": 1}}, "MeanSquaredError"], epochs=1)

    with pytest.raises(UsageError, match="a row has 501 columns, and an explanation up to 500; of images"):
        run.model.explain(x[:1], background=x)


def test_background_rows_are_kept_in_the_run_folder_once_they_are_needed(runs, table, tmp_path):
    folder = shutil.copytree(runs / "values", tmp_path / "run", ignore=shutil.ignore_patterns("background*"))
    size = (folder / "model.safetensors").stat().st_size

    assert not (folder / "background.safetensors").exists()
    first = mlpkit.load(folder).explain(table[:3])

    kept = (folder / "background.safetensors").read_bytes()
    rows = json.loads(json.loads(kept[8 : 8 + int.from_bytes(kept[:8], "little")])["__metadata__"]["mlpkit"])
    columns = rows["metadata"]["columns"]
    assert set(columns) == set(INPUTS)
    assert {len(values) for values in columns.values()} == {100}
    training = {tuple(map(str, row)) for row in table[INPUTS].itertuples(index=False)}
    assert set(zip(*(columns[name] for name in INPUTS), strict=True)) <= training
    np.testing.assert_array_equal(mlpkit.load(folder).explain(table[:3]).values, first.values)
    assert (folder / "model.safetensors").stat().st_size == size


def test_kept_rows_serve_without_the_data_and_without_them_an_error_says_what_to_do(runs, table, tmp_path):
    file = tmp_path / "table.csv"
    table.to_csv(file, index=False)
    spec = {
        "mlpkit": 1,
        "data": {"csv": {"file": str(file), "target": "price", "predict": "values", "inputs": ["age", "fare"]}},
        "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"],
        "training": TRAINING,
    }
    for name in ("kept", "bare"):
        mlpkit.run(mlpkit.load_spec(spec), tmp_path / name, quiet=True)
    before = mlpkit.load(tmp_path / "kept").explain(table[:2])
    file.unlink()

    np.testing.assert_array_equal(mlpkit.load(tmp_path / "kept").explain(table[:2]).values, before.values)
    with pytest.raises(UsageError, match=r"bare: has no background.safetensors yet.*restore the data, or in Python"):
        mlpkit.load(tmp_path / "bare").explain(table[:2])
    assert mlpkit.load(tmp_path / "bare").explain(table[:2], background=table[:50]).values.shape == (2, 2)


@pytest.mark.parametrize("damage", ["flipped", "cut", "other", "values"])
def test_damaged_background_rows_are_an_error(runs, table, tmp_path, damage):
    folder = shutil.copytree(runs / "values", tmp_path / "run")
    mlpkit.load(folder).explain(table[:1])
    path = folder / "background.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    other = (folder / "model.safetensors").read_bytes()
    path.write_bytes({"flipped": bytes(content), "cut": path.read_bytes()[:-9]}.get(damage, other))
    if damage == "values":
        save_model(path, {}, {"columns": {name: ["?"] for name in INPUTS}})

    with pytest.raises(RunFolderError, match=r"background.safetensors: is not the background of this run: .*; remove"):
        mlpkit.load(folder).explain(table[:1])

    path.unlink()
    mlpkit.load(folder).explain(table[:1])


def test_a_model_file_alone_has_no_rows_to_compare_with(runs, table):
    with pytest.raises(UsageError, match="load the run folder"):
        mlpkit.load(runs / "values" / "model.safetensors").explain(table[:1])


def test_rows_that_cannot_be_predicted_are_an_error(runs, table):
    lacking = table[:3].astype(object)
    lacking.loc[1, "age"] = None

    with pytest.raises(mlpkit.DataError, match=r"row 1 \(age\)"):
        mlpkit.load(runs / "values").explain(lacking)


def test_a_model_loads_nothing_of_explanations_before_they_are_asked_for(runs):
    folder = str(runs / "values")
    code = f"import mlpkit, sys; mlpkit.load({folder!r}); print('mlpkit.jobs.explanations' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "False\n"


@pytest.fixture
def own_run(table, tmp_path):
    """A run folder whose data may be changed."""
    table.to_csv(tmp_path / "table.csv", index=False)
    data = {"file": str(tmp_path / "table.csv"), "target": "price", "predict": "values", "inputs": ["age", "fare"]}
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    spec = {"mlpkit": 1, "data": {"csv": data}, "layers": layers, "training": TRAINING | {"epochs": 1}}
    mlpkit.run(mlpkit.load_spec(spec), tmp_path / "own", quiet=True)
    return tmp_path / "own"


def test_changed_data_and_rows_that_can_not_be_kept_are_warnings(own_run, table, monkeypatch):
    def full(*_):
        raise StorageError("no room")

    table.assign(fare=table["fare"] + 1).to_csv(own_run.parent / "table.csv", index=False)
    monkeypatch.setattr("mlpkit.jobs.explanations.save_model", full)
    with pytest.warns(UserWarning, match=":") as caught:
        found = mlpkit.load(own_run).explain(table[:2])
    first, second = (str(each.message) for each in caught)
    assert first.startswith(f"{own_run}: the data is not what the network was trained on: data_checksum: ")
    assert second == "the background rows are drawn again next time: no room"
    assert not (own_run / "background.safetensors").exists()
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="the data is not what"):
        again = mlpkit.load(own_run).explain(table[:2])
    np.testing.assert_array_equal(again.values, found.values)
    assert mlpkit.load(own_run).explain(table[:2]).values.tolist() == found.values.tolist()  # without a warning


def test_inputs_that_mix_columns_and_data_without_raw_rows_are_refused(own_run, table, monkeypatch):
    model = mlpkit.load(own_run)
    dataset = model._trained.dataset
    encode = dataset.encode
    monkeypatch.setattr(dataset, "encode", lambda raw: np.cumsum(encode(raw), axis=1))
    with pytest.raises(UsageError, match="an input of the network comes from several columns, so they can't be"):
        model.explain(table[:2], background=table)
    monkeypatch.setattr(dataset, "raw_rows", lambda *_: None)
    with pytest.raises(UsageError, match="the training rows for it can't be read: csv gives no raw rows; restore the"):
        model.explain(table[:2])
