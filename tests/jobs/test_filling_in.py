"""What a spec leaves to its data: units of the last layer, weights of classes, and the default size of a minibatch."""

from __future__ import annotations

import re
import shutil
from collections import Counter

import numpy as np
import pytest
from peak_memory import with_peak

import mlpkit
from mlpkit import Classes
from mlpkit.jobs.prove import prove
from mlpkit.jobs.spec_data import facts_of
from mlpkit.verbs.repro.repro import repro
from mlpkit_plugins.layers.affine import Affine

SPEC = """\
mlpkit: 1
data:
  csv: {file: table.csv, target: kind, validation: 0, test: 0}
layers:
  - Affine: {units: auto}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  epochs: 2
"""

PLUGIN = '''\
import numpy as np

from mlpkit import Classes, Dataset, Description, Layer, Loss, Units, component, hookimpl


class Columns(Layer):
    """Takes the first columns, and has a parameter that may be left to the data."""

    def __init__(self, columns: Units) -> None:
        self.columns = columns

    def build(self, input_shape):
        return (self.columns,)

    def forward(self, x):
        self.width = x.shape[1]
        return x[:, : self.columns].copy()

    def backward(self, dy):
        return np.pad(dy, ((0, 0), (0, self.width - self.columns)))


class Mean(Loss):
    """The mean of one input, whatever the target."""

    def __init__(self, says: bool = True) -> None:
        self.says = says

    def expected_inputs(self, target):
        return (1,) if self.says else None

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        self.shape = x.shape
        return float(x.mean())

    def backward(self, dloss=1.0):
        return np.full(self.shape, dloss / np.prod(self.shape), self.dtype)


class Unopened(Dataset):
    """Describes its examples, and forgets to return them."""

    def describe(self):
        return Description((2,), Classes(3), {"train": 20})

    def open(self, seed):
        pass


@hookimpl
def mlpkit_components():
    return [
        component("layer", "Columns", Columns),
        component("loss", "Mean", Mean),
        component("dataset", "unopened", Unopened),
    ]
'''


@pytest.fixture
def spec_of(tmp_path, monkeypatch):
    """Return a function that reads the spec with overrides; its table has 12, 6 and 2 rows of three classes."""
    monkeypatch.chdir(tmp_path)
    kinds = ["b"] * 12 + ["a"] * 6 + ["c"] * 2
    rows = [f"{i},{i % 7},{kind}" for i, kind in enumerate(kinds)]
    (tmp_path / "table.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "acme.py").write_text(PLUGIN)

    def read(**overrides):
        dotted = {key.replace("__", "."): value for key, value in overrides.items()}
        return mlpkit.load_spec("spec.yaml", overrides=dotted, plugins=["acme.py"])

    return read


def test_counting_classes_takes_no_counts_of_each_minibatch(spec_of, monkeypatch):
    monkeypatch.setattr("mlpkit.jobs.spec_data.ROWS_COUNTED_TOGETHER", 1)
    spec = spec_of()
    dataset = spec.data()
    facts = facts_of(spec, dataset, dataset.describe()._replace(target=Classes(100_000)))

    counts, peak = with_peak(facts.class_counts)

    assert (counts[:4].tolist(), counts.shape) == ([6, 12, 2, 0], (100_000,))
    assert peak < 5 * counts.nbytes


def resolved_of(spec):
    return prove(spec).spec.resolved()


@pytest.mark.parametrize(
    ("target", "predict", "loss", "units"),
    [
        ("kind", "classes", "SoftmaxWithLoss", 3),
        ("x", "values", "MeanSquaredError", 1),
        (["x", "y"], "values", "Huber", 2),
    ],
)
def test_units_are_as_many_as_the_loss_takes(spec_of, target, predict, loss, units):
    spec = spec_of(
        data__csv__target=target,
        data__csv__predict=predict,
        data__csv__categorical=["kind"] * (target != "kind"),
        layers=[{"Affine": {"units": "auto"}}, loss],
    )
    assert mlpkit.build(spec).parameters["Affine1.b"].shape == (units,)
    assert resolved_of(spec)["layers"][0]["Affine"]["units"] == units


def test_units_of_a_layer_inside_a_layer(spec_of):
    inside = {"Sequence": {"layers": [{"Affine": {"units": 4}}, "Relu", {"Affine": {"units": "auto"}}]}}
    network = mlpkit.build(spec_of(layers=[inside, "SoftmaxWithLoss"]))
    assert network.parameters["Sequence1.Affine2.W"].shape == (4, 3)


def test_a_plugins_layer_and_loss_take_part(spec_of):
    spec = spec_of(layers=[{"acme.Columns": {"columns": "auto"}}, "acme.Mean"])
    assert resolved_of(spec)["layers"][0]["acme.Columns"]["columns"] == 1


def test_a_loss_that_does_not_say_how_many_inputs_it_takes(spec_of):
    spec = spec_of(layers=[{"Affine": {"units": "auto"}}, {"acme.Mean": {"says": False}}])
    message = "auto can't be filled in: acme.Mean doesn't declare how many inputs it takes for 3 classes"
    with pytest.raises(mlpkit.SpecError, match=message) as caught:
        prove(spec)
    assert "expected: a number of units" in str(caught.value)


def test_only_the_loss_is_at_fault_if_it_does_not_take_the_target(spec_of):
    with pytest.raises(mlpkit.SpecError, match="SigmoidWithLoss1 compares logits with labels") as caught:
        prove(spec_of(layers=[{"Affine": {"units": "auto"}}, "SigmoidWithLoss"]))
    assert len(caught.value.faults) == 1


def test_auto_is_for_specs():
    with pytest.raises(
        mlpkit.ParameterError, match="units: 'auto' only works in specs, where the data fills it in; expected an"
    ):
        Affine("auto")


def test_a_run_resumes_and_repeats_what_the_data_filled_in(spec_of):
    spec = spec_of(
        layers=[{"Affine": {"units": "auto"}}, {"SoftmaxWithLoss": {"class_weights": "balanced"}}],
        training__checkpoint={"every": 1},
    )
    folder = mlpkit.run(spec, "whole").folder
    text = (folder / "resolved.yaml").read_text()
    assert "auto" not in text
    assert "balanced" not in text
    assert repro(folder).same
    shutil.copytree("whole", "cut")
    (folder.parent / "cut" / "metrics.json").unlink()
    mlpkit.resume("cut")
    assert (folder.parent / "cut" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_balanced_weights_are_those_of_scikit_learn(spec_of):
    spec = spec_of(layers=[{"Affine": {"units": 3}}, {"SoftmaxWithLoss": {"class_weights": "balanced"}}])
    (_, loss) = resolved_of(spec)["layers"]
    counts = Counter(a=6, b=12, c=2)
    assert loss["SoftmaxWithLoss"]["class_weights"] == [20 / (3 * counts[name]) for name in "abc"]


def test_balanced_weights_come_from_the_training_rows(spec_of):
    weights = {"SoftmaxWithLoss": {"class_weights": "balanced"}}
    spec = spec_of(layers=[{"Affine": {"units": 3}}, weights], data__csv__validation=0.3, data__csv__split="shuffle")
    proved = prove(spec)
    split = proved.dataset.open(0)["train"]
    t = np.empty(len(split), np.int64)
    split.take(np.arange(len(split)), (np.empty((len(split), 2), np.float32), t))
    (_, loss) = proved.spec.resolved()["layers"]
    assert loss["SoftmaxWithLoss"]["class_weights"] == pytest.approx(len(t) / (3 * np.bincount(t, minlength=3)))


def test_balanced_weights_of_data_that_is_not_opened(spec_of):
    weights = {"SoftmaxWithLoss": {"class_weights": "balanced"}}
    spec = spec_of(data={"acme.unopened": {}}, layers=[{"Affine": {"units": 3}}, weights])
    with pytest.raises(mlpkit.ComponentFailure, match=r"^dataset acme.unopened returned None from open; expected "):
        prove(spec)


def test_weights_by_the_names_of_classes(spec_of):
    weights = {"SoftmaxWithLoss": {"class_weights": {"c": 5}}}
    (_, loss) = resolved_of(spec_of(layers=[{"Affine": {"units": 3}}, weights]))["layers"]
    assert loss["SoftmaxWithLoss"]["class_weights"] == [1.0, 1.0, 5.0]


def test_a_weight_for_a_class_that_is_not_there(spec_of):
    weights = {"SoftmaxWithLoss": {"class_weights": {"d": 5}}}
    message = re.escape("unknown class 'd'\n")
    with pytest.raises(mlpkit.SpecError, match=message) as caught:
        prove(spec_of(layers=[{"Affine": {"units": 3}}, weights]))
    assert "expected: some of a, b, c" in str(caught.value)


def test_a_class_without_training_rows_counts_for_nothing(spec_of, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(6, 2))
    np.save(tmp_path / "t.npy", np.array([0, 0, 2, 2, 2, 2]))
    spec = spec_of(
        data={"npy": {"inputs": "x.npy", "targets": "t.npy", "validation": 0.0, "test": 0.0}},
        layers=[{"Affine": {"units": "auto"}}, {"SoftmaxWithLoss": {"class_weights": "balanced"}}],
    )
    (_, loss) = resolved_of(spec)["layers"]
    assert loss["SoftmaxWithLoss"]["class_weights"] == [6 / 4, 1.0, 6 / 8]


def test_a_minibatch_is_by_default_no_larger_than_the_training_data(spec_of):
    assert resolved_of(spec_of())["training"]["batch_size"] == 20
    assert resolved_of(spec_of(training__accumulate=3))["training"]["batch_size"] == 6
    with pytest.raises(mlpkit.SpecError, match="a minibatch of 32 is larger than the training data"):
        prove(spec_of(training__batch_size=32))
