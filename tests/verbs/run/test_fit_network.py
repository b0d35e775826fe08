"""Training, saving and describing a network that is there already."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import numpy as np
import pytest
from html_tables import rows_of

import mlpkit
from mlpkit.layers import Affine, Dropout, Relu, SoftmaxWithLoss
from mlpkit.training.events import StopRequest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
T = np.where(X[:, 0] > 0, "yes", "no")


def network(**options):
    return mlpkit.Sequential([Affine(8), Relu(), Affine(2), SoftmaxWithLoss()], input_shape=(4,), **options)


def test_it_trains_as_a_spec_would():
    layers = [Affine(8), Relu(), Affine(2), SoftmaxWithLoss()]
    trained = network(seed=3)
    run = trained.fit(X, T, epochs=2, validation=0.1)
    same = mlpkit.fit(X, T, layers=layers, epochs=2, validation=0.1, seed=3)
    assert run.network is trained
    assert np.array_equal(trained.values, same.network.values)
    assert (run.history, run.metrics) == (same.history, same.metrics)


def test_it_is_calibrated_again():
    calibrated = {"layers": [Affine(2), SoftmaxWithLoss()], "calibration": "temperature"}
    trained = mlpkit.fit(X, T, epochs=1, validation=0.2, **calibrated).network
    before = float(trained.adjustments.calibration.T.value)
    trained.fit(X, T, epochs=20, validation=0.2)
    assert float(trained.adjustments.calibration.T.value) not in (1.0, before)
    with pytest.raises(mlpkit.SpecError, match="calibration is fitted on rows for validation, and in_memory has none"):
        trained.fit(X, T, epochs=1)


def test_it_goes_on_from_the_parameters_that_it_has():
    trained = network()
    first = trained.fit(X, T, epochs=5).metrics["train"]["loss"]
    assert trained.fit(X, T, epochs=5).metrics["train"]["loss"] < first


def test_it_keeps_the_scale_of_its_values(tmp_path):
    values = 5000 + 300 * X[:, 0]
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    trained = mlpkit.fit(X, values, layers=layers, predict="values", epochs=20, scale_target="standardize").network
    before, slowly = trained.predict(X), {"epochs": 1, "optimizer": {"sgd": {"learning_rate": 1e-9}}}
    assert abs(before.mean() - 5000) < 300
    for target in (values, values * 10):
        trained.fit(X, target, predict="values", **slowly)
        np.testing.assert_allclose(trained.predict(X), before, rtol=1e-4)
        trained.save(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(mlpkit.load_model(tmp_path / "model.safetensors").predict(X), trained.predict(X))


def test_it_keeps_its_classes():
    trained = network()
    trained.fit(X, T, epochs=1)
    trained.fit(X[T == "no"], T[T == "no"], epochs=1)
    assert trained.encoder.labels() == ("no", "yes")
    with pytest.raises(mlpkit.DataError, match="the target of example 0 is 'maybe', a class that no training example"):
        trained.fit(X, np.full(200, "maybe"), epochs=1)


def test_a_network_with_names_of_its_own_and_slices_trains():
    built = network(names=["first", "Relu1", "last", "loss"], slices=2)
    built.fit(X, T, epochs=1)
    assert "first.W" in built.parameters


def test_what_does_not_fit_is_refused():
    trained = network()
    with pytest.raises(mlpkit.UsageError, match=r"inputs of shape \(3,\); the network was built for \(4,\)"):
        trained.fit(X[:, :3], T, epochs=1)
    with pytest.raises(mlpkit.UsageError, match="a minibatch into 1 slices, and can't change that now"):
        trained.fit(X, T, epochs=1, slices=2)
    with pytest.raises(mlpkit.SpecError, match=r"training\.epoch: unknown key 'epoch' of training"):
        trained.fit(X, T, epoch=1)
    with pytest.raises(mlpkit.SpecError, match="SoftmaxWithLoss1 compares logits with classes"):
        trained.fit(X, X[:, 0], epochs=1)
    with pytest.raises(mlpkit.UsageError, match="cuts a minibatch into 1 slices"):
        trained.fit(X, T, epochs=1, slices=2)


def test_rows_with_other_columns_than_a_network_was_built_for_are_refused(tmp_path):
    colours, sizes, t = ["red", "blue", "green"] * 20, np.arange(60) / 7, np.arange(60) % 2
    lines = [f"{colour},{size},{number}" for colour, size, number in zip(colours, sizes, t, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["colour,size,t", *lines]))
    data = {"file": str(tmp_path / "t.csv"), "target": "t", "categorical": ["colour"], "validation": 0, "test": 0}
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    training = {"optimizer": "sgd", "epochs": 1, "batch_size": 20}
    spec = mlpkit.load_spec({"mlpkit": 1, "data": {"csv": data}, "layers": layers, "training": training})
    options = {"categorical": ["colour"], "epochs": 3, "quiet": True}
    assert mlpkit.build(spec).fit({"colour": colours, "size": sizes}, t, **options).steps == 6
    message = "the columns, or how many categories they have, are not what the network was built for"
    with pytest.raises(mlpkit.UsageError, match=f"^{message}$"):
        mlpkit.build(spec).fit({"colour": colours, "width": sizes}, t, **options)
    with pytest.raises(mlpkit.UsageError, match=f"^{message}$"):
        mlpkit.build(spec).fit(np.ones((60, 4)), t, epochs=1)


@pytest.mark.parametrize("way", ["fit", "network.fit", "load_model"])
def test_saved_and_loaded_it_predicts_the_same(way, tmp_path):
    trained = network()
    if way == "fit":
        trained = mlpkit.fit(X, T, layers=[Affine(2), SoftmaxWithLoss()], epochs=1).network
    else:
        trained.fit(X, T, epochs=1)
    if way == "load_model":
        trained.save(tmp_path / "first.safetensors")
        trained = mlpkit.load_model(tmp_path / "first.safetensors")
    trained.save(tmp_path / "model.safetensors")
    loaded = mlpkit.load_model(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict(X), trained.predict(X))
    assert loaded.encoder.labels() == ("no", "yes")


def test_a_loaded_network_trains_on(tmp_path):
    trained = network()
    trained.fit(X, T, epochs=1)
    trained.save(tmp_path / "model.safetensors")
    loaded = mlpkit.load_model(tmp_path / "model.safetensors")
    loaded.fit(X, T, epochs=1)
    trained.fit(X, T, epochs=1)
    assert np.array_equal(loaded.values, trained.values)


def test_a_network_that_was_never_trained_cannot_be_saved(tmp_path):
    with pytest.raises(mlpkit.UsageError, match="the network was never trained; expected one that fit, run or"):
        network().save(tmp_path / "model.safetensors")


def test_copies_and_pickles_train_and_save(tmp_path):
    trained = network()
    trained.fit(X, T, epochs=1)
    for other in (copy.deepcopy(trained), pickle.loads(pickle.dumps(trained))):
        assert np.array_equal(other.predict(X), trained.predict(X))
        other.fit(X, T, epochs=1)
        assert not np.array_equal(other.predict(X), trained.predict(X))
        other.save(tmp_path / "model.safetensors")
        loaded = mlpkit.load_model(tmp_path / "model.safetensors")
        assert np.array_equal(loaded.predict(X), other.predict(X))


def test_a_pickle_does_not_grow_with_the_examples():
    sizes = set()
    for times in (10, 50):
        trained = network()
        trained.fit(np.tile(X, (times, 1)), np.tile(T, times), epochs=1)
        sizes.add(len(pickle.dumps(trained)) // 1000)
    assert len(sizes) == 1


class Remembering(mlpkit.Layer):
    """y = 2 x, with attributes that come with the first rows, as textbooks have it."""

    def __init__(self):
        self.x = None

    def forward(self, x):
        self.x, self.twice, self.calls = x, 2 * x, getattr(self, "calls", 0) + 1
        return self.twice

    def backward(self, dy):
        return 2 * dy


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_has_no_minibatch_and_no_activations(copied):
    layers = [Affine(64), Remembering(), mlpkit.layers.BatchNorm(), Relu(), Affine(2), SoftmaxWithLoss()]
    network = mlpkit.Sequential(layers, input_shape=(4,), slices=1)
    x, t = X.astype(np.float32), np.arange(len(X)) % 2
    network.gradient(x, t)
    other = copied(network)
    (found,) = [layer for layer in other.layers if isinstance(layer, Remembering)]
    assert found.x is None
    assert not {"twice", "calls"} & set(vars(found))
    assert not {"x", "t", "p"} & set(vars(other.loss_layer))
    assert np.array_equal(other.predict(x), network.predict(x))
    gradients, expected = other.gradient(x, t), network.gradient(x, t)
    assert all(np.array_equal(gradients[name], expected[name]) for name in expected)


def test_a_pickle_has_the_parameters_and_little_else():
    network = mlpkit.Sequential([Affine(300), Relu(), Affine(2), SoftmaxWithLoss()], input_shape=(100,))
    empty = len(pickle.dumps(network))
    network.gradient(np.zeros((500, 100)), np.zeros(500, int))
    assert len(pickle.dumps(network)) < empty + 10_000  # activations take 600,000 bytes
    assert empty < 2.1 * network.values.nbytes + 20_000


def test_fit_shows_the_keys_of_training():
    assert {"epochs", "optimizer", "early_stopping"} <= set(inspect.signature(network().fit).parameters)
    assert inspect.signature(mlpkit.Sequential.fit).parameters["network"]


def test_the_table_of_its_layers():
    built = mlpkit.Sequential([Affine(8), Dropout(0.2), Affine(2), SoftmaxWithLoss()], input_shape=(4,))
    assert built.summary() == (
        "name              layer              outputs  parameters\n"
        "Affine1           Affine(units=8)    (8,)             40\n"
        "Dropout1          Dropout(rate=0.2)  (8,)              0\n"
        "Affine2           Affine(units=2)    (2,)             18\n"
        "SoftmaxWithLoss1  SoftmaxWithLoss()                    0\n"
        "58 parameters; takes inputs of shape (4,)"
    )
    rows = [re.split(r"\s{2,}", line) for line in built.summary().splitlines()[:-1]]
    html = built._repr_html_()
    assert [[cell for cell in row if cell] for row in rows_of(html)] == rows
    assert html.endswith("<p>58 parameters; takes inputs of shape (4,)</p>")


def test_its_repr_says_whether_inputs_are_encoded():
    built = network()
    assert repr(built) == (
        "<Sequential of Affine1, Relu1, Affine2, SoftmaxWithLoss1: 58 parameters, takes inputs of shape (4,)>"
    )
    built.fit(X, T, epochs=1)
    assert "takes encoded inputs of shape (4,)" in repr(built)


def test_a_run_says_what_came_of_it():
    run = network().fit(X, T, epochs=2, validation=0.1, metrics=["accuracy", "confusion_matrix"])
    loss, accuracy = (run.metrics["validation"][name] for name in ("loss", "accuracy"))
    assert repr(run).startswith(f"<Run of 12 steps: validation loss {loss:.4g}, accuracy {accuracy:.4g}; train loss ")
    best = min(run.history, key=lambda record: record["validation_loss"])
    html = run._repr_html_()
    names, validation, train, head, titles, *evaluations = rows_of(html)
    assert (head, titles[3:]) == (["", "loss", "accuracy"], ["train", "validation"] * 2)
    assert [row[1:3] for row in evaluations] == [["6", "1.00"], ["12", "2.00"]]
    assert [row[1] for row in evaluations if row[0] == "best"] == [str(best["iteration"])]
    assert names == ["at\xa0the\xa0end", "loss", "accuracy"]
    assert validation == ["validation", f"{loss:.4f}", f"{accuracy:.4f}"]
    assert train[0] == "train"
    said = f"12 steps; best validation loss {best['validation_loss']:.4f}, at iteration {best['iteration']}"
    assert html.startswith(f"<p>{said}</p>")


def test_a_run_that_was_stopped_at_once_has_nothing_but_the_reason():
    stop = StopRequest()
    stop.stop("enough")
    run = network().fit(X, T, epochs=2, stop=stop)
    assert repr(run) == "<Run of 1 step: stopped: enough>"
    assert run._repr_html_() == "<p>1 step; stopped: enough</p>"


def test_a_single_evaluation_is_not_called_the_best():
    assert "best" not in network().fit(X, T, epochs=1)._repr_html_()


def test_a_spec_names_its_layers_and_data():
    keys = {"mlpkit": 1, "name": "ab", "data": "mnist", "layers": ["Relu", "SoftmaxWithLoss"]}
    spec = mlpkit.load_spec(keys | {"training": {"optimizer": "adam", "epochs": 1}})
    assert repr(spec) == "<Spec ab: Relu1, SoftmaxWithLoss1 on mnist>"
    assert spec._repr_html_().startswith('<pre style="font-family: monospace; white-space: pre">mlpkit: 1\nname: ab\n')
