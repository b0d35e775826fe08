"""Training on arrays and data frames."""

from __future__ import annotations

import ast
import gc
import inspect
import json
import re
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import require_package
from stop_at import StopAt

import mlpkit
from mlpkit.components.schema.signature import schema_of
from mlpkit.specfile.sections import Training
from mlpkit.training.events import Observer
from mlpkit.verbs.run.fit import fit
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
T = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
LAYERS = [{"Affine": {"units": 8}}, "Relu", {"Affine": {"units": 2}}, "SoftmaxWithLoss"]
VALUES = [{"Affine": {"units": 1}}, "MeanSquaredError"]


def message_of(*arguments, error=mlpkit.MlpkitError, **options):
    with pytest.raises(error) as caught:
        fit(*arguments, **options)
    return str(caught.value)


def test_a_network_learns_from_arrays():
    adam = {"adam": {"learning_rate": 0.01}}
    run = mlpkit.fit(X, T, layers=LAYERS, epochs=40, validation=0.2, metrics=["accuracy"], optimizer=adam)
    assert run.metrics["validation"]["accuracy"] > 0.9
    assert len(run.history) == 40
    assert run.network.predict(X[:3]).shape == (3, 2)
    assert run.folder is None


def test_it_gives_the_bits_of_the_spec_that_it_writes(tmp_path):
    run = fit(X, T, layers=LAYERS, epochs=2, directory=tmp_path / "run", seed=5)
    np.savez(tmp_path / "data.npz", x=X, t=(T == "yes").astype(int))
    data = {"npz": {"file": str(tmp_path / "data.npz"), "inputs": "x", "targets": "t", "validation": 0, "test": 0}}
    training = {"optimizer": "adam", "epochs": 2}
    spec = mlpkit.load_spec({"mlpkit": 1, "seed": 5, "data": data, "layers": LAYERS, "training": training})
    same = mlpkit.run(spec)
    assert np.array_equal(run.network.values, same.network.values)
    assert run.history == same.history


def test_layers_built_in_python_mean_what_their_names_mean():
    built = [Affine(8), Relu(), Affine(2), SoftmaxWithLoss()]
    first, second = fit(X, T, layers=built, epochs=1), fit(X, T, layers=LAYERS, epochs=1)
    assert np.array_equal(first.network.values, second.network.values)
    again = fit(X, T, layers=built, epochs=1)  # they stay as they are
    assert np.array_equal(first.network.values, again.network.values)


@pytest.mark.parametrize(
    "labels",
    [["a", "b"], [False, True], [3, 7], [0, 1], np.array([1.5, 2.5]), [-1, 1]],
    ids=["texts", "truth values", "numbers", "from 0", "floats", "negative"],
)
def test_classes_are_of_any_kind(labels, tmp_path):
    t = np.array(labels)[(T == "yes").astype(int)]
    run = fit(X, t, layers=LAYERS, epochs=1, predict="classes", directory=tmp_path / "run")
    assert run.network.target == mlpkit.Classes(2)
    kept = mlpkit.load_model(tmp_path / "run" / "model.safetensors").encoder
    assert kept.labels() == tuple(np.array(labels).tolist())
    assert [type(label) for label in kept.labels()] == [type(label) for label in np.array(labels).tolist()]


@pytest.mark.parametrize(
    ("t", "target"),
    [
        (T, mlpkit.Classes(2)),
        (T.tolist(), mlpkit.Classes(2)),
        (T.astype(object)[:, None], mlpkit.Classes(2)),
        (X[:, 0], mlpkit.Values((1,))),
        (X[:, :2], mlpkit.Values((2,))),
        ((X[:, :3] > 0).astype(int), mlpkit.Labels(3)),
    ],
    ids=["texts", "a list", "a column", "numbers", "rows of numbers", "rows of 0 and 1"],
)
def test_the_type_of_the_target_says_what_it_is(t, target):
    layers = {
        mlpkit.Classes: LAYERS,
        mlpkit.Values: [{"Affine": {"units": getattr(target, "shape", (1,))[0]}}, "MeanSquaredError"],
        mlpkit.Labels: [{"Affine": {"units": 3}}, "SigmoidWithLoss"],
    }[type(target)]
    assert fit(X, t, layers=layers, epochs=1).network.target == target


def test_integers_are_values_if_predict_says_so():
    run = fit(X, np.arange(200), layers=VALUES, epochs=1, predict="values")
    assert run.network.target == mlpkit.Values((1,))


def test_each_key_of_training_is_a_keyword():
    parameters = inspect.signature(mlpkit.fit).parameters
    for field in schema_of(Training).fields:
        assert parameters[field.name].kind is inspect.Parameter.KEYWORD_ONLY
    assert [*parameters][:3] + [*parameters][-1:] == ["x", "t", "layers", "options"]
    defaults = {name: parameters[name].default for name in ("optimizer", "batch_size", "clip", "evaluate_train")}
    assert defaults == {"optimizer": None, "batch_size": 32, "clip": None, "evaluate_train": True}


def test_every_key_of_training_reaches_it():
    run = fit(
        X,
        T,
        layers=LAYERS,
        iterations=20,
        optimizer={"sgd": {"learning_rate": 0.5}},
        batch_size=10,
        evaluate_every=5,
        metrics=["accuracy"],
        clip={"norm": 1.0},
        early_stopping={"metric": "accuracy", "patience": 2},
        validation=0.2,
    )
    assert [record["iteration"] for record in run.history][:2] == [5, 10]
    assert run.history[0]["learning_rate"] == 0.5


def test_a_minibatch_is_by_default_no_larger_than_the_training_data(tmp_path):
    run = fit(X[:10], T[:10], layers=LAYERS, epochs=2, validation=0.2, directory=tmp_path / "run")
    assert run.steps == 2
    assert "batch_size: 8\n" in (tmp_path / "run" / "resolved.yaml").read_text()


def test_validation_and_test_may_have_examples_of_their_own():
    run = fit(X[:100], T[:100], layers=LAYERS, epochs=1, validation=(X[100:150], T[100:150]), test=0.1)
    assert set(run.metrics) == {"train", "validation", "test"}
    loss = run.network.loss(X[100:150], (T[100:150] == "yes").astype(int))
    assert run.metrics["validation"]["loss"] == pytest.approx(loss, rel=1e-6)


@given(rows=st.integers(2, 60), share=st.sampled_from([0.0, 0.1, 0.5]), seed=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_the_same_call_gives_the_same_bits(rows, share, seed):
    arguments = {"layers": VALUES, "iterations": 2, "validation": share, "seed": seed, "batch_size": 1}
    x, t = X[:rows], X[:rows, 0]
    if share and not round(share * rows):
        assert "gives none of" in message_of(x, t, **arguments)
        return
    assert np.array_equal(fit(x, t, **arguments).network.values, fit(x, t, **arguments).network.values)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"epoch": 3},
            "training.epoch: unknown key 'epoch' of training\n  help: did you mean 'epochs'?",
        ),
        (
            {"epochs": 3, "standardise": True},
            "data.in_memory.standardise: unknown parameter 'standardise' of dataset in_memory\n"
            "  help: did you mean 'standardize'?",
        ),
        ({"epochs": 0}, "training.epochs: 0 is out of range\n  expected: an integer, at least 1"),
        ({"epochs": 1, "validation": 2}, "data.in_memory.validation: 2 is out of range"),
        ({"epochs": 1, "metrics": ["acuracy"]}, "training.metrics[0]: unknown metric 'acuracy'"),
        ({"epochs": 1, "batch_size": 900}, "training.batch_size: a minibatch of 900 is larger than the training data"),
        ({}, "training: neither iterations nor epochs nor seconds is given"),
    ],
)
def test_a_wrong_keyword_is_named_by_its_key(options, said):
    assert message_of(X, T, layers=LAYERS, error=mlpkit.SpecError, **options).startswith(said)


def test_a_layer_that_does_not_fit_goes_by_its_number():
    layers = [Affine(8), {"Affine": {"units": 3}}, "SoftmaxWithLoss"]
    said = message_of(X, T, layers=layers, epochs=1)
    assert said.startswith("layers[2]: SoftmaxWithLoss1")


def test_the_network_keeps_no_examples():
    x = X.copy()
    seen = weakref.ref(x)
    run = fit(x, T, layers=LAYERS, epochs=1)
    del x
    gc.collect()
    assert seen() is None
    assert run.network.predict(X).shape == (200, 2)


def test_layers_must_end_in_a_loss():
    assert message_of(X, T, layers=["Relu"], epochs=1) == (
        "layers[0]: the stack ends in Relu, which is a layer\n  expected: a loss at the end\n"
        "  help: add a loss after it; mlpkit plugins lists the installed ones"
    )


def test_raw_inputs_of_a_network_of_standardized_ones_are_warned_of():
    run = fit(1e4 + X, T, layers=LAYERS, epochs=1, standardize=True)
    with pytest.warns(UserWarning, match="don't look encoded as in training"):
        run.network.predict(1e4 + X)
    assert run.network.predict(run.network.encoder.encode(1e4 + X)).shape == (200, 2)


def _stopped(folder, **options):
    watch = StopAt(8)
    always = {"layers": LAYERS, "epochs": 6, "batch_size": 50, "stop": watch.stop, "observer": watch}
    return fit(X, T, directory=folder, **always, **options)


def test_a_run_goes_on_with_the_same_arrays_to_the_same_bits(tmp_path):
    whole = fit(X, T, layers=LAYERS, epochs=6, batch_size=50)
    assert _stopped(tmp_path / "run").stopped == "SIGTERM"
    resumed = mlpkit.resume(tmp_path / "run", examples=(X, T))
    assert np.array_equal(resumed.network.values, whole.network.values)
    assert resumed.history == whole.history


def test_a_run_goes_on_with_its_own_validation_examples(tmp_path):
    own = (X[:50], T[:50])
    _stopped(tmp_path / "run", validation=own)
    resumed = mlpkit.resume(tmp_path / "run", examples={"train": (X, T), "validation": own})
    assert resumed.history[-1]["epoch"] == 6.0


def test_a_run_cannot_go_on_without_the_arrays(tmp_path):
    _stopped(tmp_path / "run")
    with pytest.raises(mlpkit.DataError) as caught:
        mlpkit.resume(tmp_path / "run")
    assert str(caught.value) == (
        "in_memory: the examples were passed in Python and aren't in a file; pass them again: mlpkit.fit(x, t, ...), "
        "or mlpkit.resume(RUN, examples=(x, t)) to go on"
    )


def test_a_run_does_not_go_on_with_other_arrays(tmp_path):
    _stopped(tmp_path / "run")
    other = X.copy()
    other[0, 0] += 1e-3
    with pytest.raises(mlpkit.RunFolderError, match="data_checksum"):
        mlpkit.resume(tmp_path / "run", examples=(other, T))


def test_a_run_on_files_takes_no_arrays(tmp_path):
    spec = mlpkit.load_spec(
        {
            "mlpkit": 1,
            "data": {"npy": {"inputs": "example:shapes_x.npy", "targets": "example:shapes_t.npy", "flatten": True}},
            "layers": [{"Affine": {"units": 3}}, "SoftmaxWithLoss"],
            "training": {"optimizer": "adam", "iterations": 8, "evaluate_every": 4},
        }
    )
    watch = StopAt(4)
    mlpkit.run(spec, tmp_path / "run", stop=watch.stop, observer=watch)
    with pytest.raises(mlpkit.DataError, match="npy: this data set reads its own examples; it takes none from Python"):
        mlpkit.resume(tmp_path / "run", examples=(X, T))


def test_the_run_folder_says_what_was_done(tmp_path):
    fit(X, T, layers=[Affine(2), "SoftmaxWithLoss"], epochs=1, directory=tmp_path / "run", name="first")
    written = (tmp_path / "run" / "spec.yaml").read_text()
    assert "name: first" in written
    assert "- Affine: {units: 2}" in written
    assert json.loads((tmp_path / "run" / "lock.json").read_text())["data_checksum"]


HOUSES = {"area": [40.0, 80.0, 120.0] * 10, "district": ["hill", "sea", "hill"] * 10, "lift": [True, False, True] * 10}
PRICES = [90.0, 250.0, 260.0] * 10


@pytest.fixture(params=["pandas", "polars"])
def houses(request):
    """Return a data frame with a column of texts, and one of truth values."""
    return require_package(request.param).DataFrame(HOUSES)


def test_a_model_trained_on_a_frame_takes_frames_dicts_and_rows(houses, tmp_path):
    run = fit(houses, PRICES, layers=VALUES, epochs=2)
    run.network.save(tmp_path / "model.safetensors")
    expected = run.network.predict(run.network.encoder.encode(houses)).reshape(-1)
    for model in (run.model, mlpkit.load(tmp_path / "model.safetensors")):
        assert model.columns == ("area", "district", "lift")
        rows = [dict(zip(HOUSES, row, strict=True)) for row in zip(*HOUSES.values(), strict=True)]
        for form in (houses, HOUSES, rows, [list(row.values()) for row in rows], houses[["lift", "district", "area"]]):
            assert np.array_equal(model.predict(form), expected)
        assert model.evaluate(houses, PRICES)["loss"] == pytest.approx(run.metrics["train"]["loss"], rel=1e-5)


def test_a_row_unlike_the_frame_is_refused_with_advice(houses):
    model = fit(houses, PRICES, layers=VALUES, epochs=1).model
    row = {"area": 50, "district": "sea", "lift": False}
    for wrong, said in (
        (
            {"district": "se"},
            "row 0, column 'district': the category 'se' occurs in no training row; did you mean 'sea'?",
        ),
        (
            {"area": "wide"},
            "row 0, column 'area': 'wide' is not a finite number; put a number there, or leave out",
        ),
    ):
        with pytest.raises(mlpkit.DataError, match=re.escape(said)):
            model.predict([row | wrong])
    with pytest.raises(mlpkit.DataError, match=r"column 'area': the table has no such column; did you mean 'areas'\?"):
        model.predict([{"areas": 50, "district": "sea", "lift": False}])


def test_layers_left_at_their_defaults_are_described_without_them():
    layers = fit(X, T, layers=LAYERS, epochs=1).network.layers
    assert [repr(layer) for layer in layers] == ["Affine(units=8)", "Relu()", "Affine(units=2)"]


def test_several_seeds_are_answered_with_what_to_do():
    said = message_of(X, T, layers=LAYERS, epochs=1, seeds=5, error=mlpkit.UsageError)
    assert said.startswith("fit trains with one seed: ")
    assert "mlpkit.run(spec, seeds=5)" in said
    with pytest.raises(mlpkit.UsageError, match="fit trains with one seed: "):
        fit(X, T, layers=LAYERS, epochs=1).network.fit(X, T, epochs=1, seeds=5)


@pytest.mark.parametrize(
    ("t", "loss"),
    [
        (T, "SoftmaxWithLoss"),
        (X[:, 0], "MeanSquaredError"),
        (X[:, :2], "MeanSquaredError"),
        ((X[:, :3] > 0).astype(int), "SigmoidWithLoss"),
    ],
)
@pytest.mark.parametrize("as_frame", [False, True])
def test_without_layers_the_message_has_some_that_work(t, loss, as_frame):
    x = {f"x{number}": column for number, column in enumerate(X.T)} if as_frame else X
    said = message_of(x, t, epochs=1, error=mlpkit.UsageError)
    advice, _, layers = said.partition("layers=")
    assert advice == "fit needs layers, with a loss at the end; to start with, add "
    layers = ast.literal_eval(layers)
    assert layers[-1] == loss
    assert fit(x, t, epochs=1, layers=layers).steps


def test_an_ensemble_takes_no_observer():
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    with pytest.raises(mlpkit.UsageError, match=r"^fit takes no observer of an ensemble; it is for one network$"):
        mlpkit.fit([[0.0], [1.0]], [0, 1], layers=layers, epochs=1, ensemble={"members": 2}, observer=Observer())
