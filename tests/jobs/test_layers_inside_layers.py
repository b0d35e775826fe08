"""Layers that hold layers, a third party's and the built-in ones, from the spec to the loaded model."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

import mlpkit
from mlpkit.errors import SpecShapeError
from mlpkit.jobs.prove import prove

PLUGIN = '''\
"""Layers of a third party, written with the public interface only."""

from typing import Annotated

import numpy as np
from annotated_types import MinLen

from mlpkit import Layer, ShapeError, component, hookimpl


class Gated(Layer):
    """Weighs what layers make of the inputs by what other layers make of them.

        y = a(x) g(x)

    Args:
        layers: the layers a.
        gate: the layers g.
    """

    def __init__(self, layers: Annotated[list[Layer], MinLen(1)], gate: list[Layer]):
        self.layers = layers
        self.gate = gate

    def build(self, input_shape):
        self.a = self.chain(self.layers, input_shape)
        self.g = self.chain(self.gate, input_shape, name="gate")
        if self.a.output_shape != self.g.output_shape:
            raise ShapeError(f"{self.path} can't multiply {self.a.output_shape} by {self.g.output_shape}")
        return self.a.output_shape

    def forward(self, x):
        self.ax, self.gx = self.a.forward(x), self.g.forward(x)
        return self.ax * self.gx

    def backward(self, dy):
        through_a, through_g = self.a.backward(dy * self.gx), self.g.backward(dy * self.ax)
        return through_a + through_g if self.needs_input_gradient else None


class Shifted(Layer):
    """Adds a trained shift.

        y = x + b

    Args:
        first: first values of b.
        early: whether to declare b too early.
    """

    def __init__(self, first: str = "zeros", early: bool = False):
        self.first = first
        if early:
            self.b = self.parameter("b", (4,), first)

    def build(self, input_shape):
        self.b = self.parameter("b", input_shape, self.first)
        return input_shape

    def forward(self, x):
        return x + self.b.value

    def backward(self, dy):
        self.b.grad[...] = dy.sum(axis=0)
        return dy


class Noise(Layer):
    """Adds noise in training, and counts how often.

        y = x + N(0, 0.01²)
    """

    def build(self, input_shape):
        self.passes = self.state("passes", (), 0)
        return input_shape

    def forward(self, x):
        if not self.training:
            return x
        self.passes.value += 1
        return x + 0.01 * self.rng.standard_normal(x.shape, dtype=x.dtype)

    def backward(self, dy):
        return dy


@hookimpl
def mlpkit_components():
    return [component("layer", cls.__name__, cls) for cls in (Gated, Noise, Shifted)]
'''

LAYERS = """\
layers:
  - acme.Gated:
      layers: [Affine: {units: 12}, acme.Noise, Relu]
      gate: [Affine: {units: 12}, Sigmoid: {name: squash}]
  - Repeat:
      times: 2
      layer: {Residual: {layers: [acme.Noise, Affine: {units: 12}, Relu]}}
  - Affine: {units: 10}
  - SoftmaxWithLoss
"""

NAMES = [
    "Gated1.Affine1.W",
    "Gated1.Affine1.b",
    "Gated1.gate.Affine1.W",
    "Gated1.gate.Affine1.b",
    "Repeat1.Residual1.Affine1.W",
    "Repeat1.Residual1.Affine1.b",
    "Repeat1.Residual2.Affine1.W",
    "Repeat1.Residual2.Affine1.b",
    "Affine1.W",
    "Affine1.b",
]


@pytest.fixture
def spec(work):
    """Return a function that loads a spec with layers inside layers."""
    (work / "acme.py").write_text(PLUGIN, encoding="utf-8")
    text = (work / "tiny.yaml").read_text(encoding="utf-8")
    before, after = text.index("layers:"), text.index("training:")
    (work / "nested.yaml").write_text(text[:before] + LAYERS + text[after:], encoding="utf-8")

    def load(**overrides):
        return mlpkit.load_spec("nested.yaml", plugins=["acme.py"], overrides={"training.epochs": 4} | overrides)

    return load


def test_names_are_the_way_to_each_parameter(spec):
    network = mlpkit.build(spec())
    assert list(network.parameters) == NAMES
    assert list(network.states) == [
        "Gated1.Noise1.passes",
        "Repeat1.Residual1.Noise1.passes",
        "Repeat1.Residual2.Noise1.passes",
    ]
    in_memory = sorted(NAMES, key=network.layout.offsets.get)
    assert in_memory == sorted(NAMES, key=lambda name: not name.endswith(".W"))  # weights first


def test_gradients_are_those_of_central_differences(spec):
    network = mlpkit.build(spec(dtype="float64"))
    rng = np.random.default_rng(0)
    x, t = rng.random((6, 784)), rng.integers(0, 10, 6)
    gradients = network.gradient(x, t)
    for name in ("Gated1.Affine1.W", "Gated1.gate.Affine1.b", "Repeat1.Residual1.Affine1.b", "Affine1.W"):
        values = network.parameters[name]
        direction = rng.choice((-1.0, 1.0), values.shape)
        losses = []
        for step in (1e-6, -2e-6):
            values += step * direction
            network.set_training(True)
            losses.append(network.loss_and_gradient(x, t))
        values += 1e-6 * direction
        slope = np.sum(gradients[name] * direction)
        assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slope, rel=1e-4, abs=1e-7), name


def test_training_and_loading_give_the_same_network(spec):
    run = mlpkit.run(spec(), "run")
    assert run.metrics["train"]["loss"] < 2.2
    loaded = mlpkit.load_model("run/model.safetensors", plugins=["acme.py"])
    x = np.random.default_rng(1).random((20, 784))
    np.testing.assert_array_equal(loaded.predict(x), run.network.predict(x))
    assert {name: float(state) for name, state in loaded.states.items()} == dict.fromkeys(run.network.states, 16.0)


def test_the_resolved_spec_says_the_same_again(spec, work):
    mlpkit.run(spec(), "run")
    resolved = work / "run" / "resolved.yaml"
    gated = yaml.safe_load(resolved.read_text(encoding="utf-8"))["layers"][0]["acme.Gated"]
    assert gated["gate"][1] == {"Sigmoid": {"name": "squash"}}
    again = mlpkit.load_spec(resolved, plugins=["acme.py"])
    assert again.resolved() == mlpkit.load_spec(resolved, plugins=["acme.py"], overrides={}).resolved()
    assert list(mlpkit.build(again).parameters) == NAMES


@pytest.mark.parametrize("slices", [1, 3])
def test_the_same_spec_gives_the_same_bits(spec, slices):
    first, second = (mlpkit.run(spec(**{"training.slices": slices}), f"run{i}") for i in range(2))
    for name in NAMES:
        np.testing.assert_array_equal(first.network.parameters[name], second.network.parameters[name])


def test_overrides_reach_layers_inside_layers(spec):
    wider = spec(**{"layers.Gated1.Noise1": "acme.Noise", "layers.Gated1.gate.Affine1.bias": False})
    assert "Gated1.gate.Affine1.b" not in mlpkit.build(wider).parameters
    narrower = spec(**{"layers.Repeat1.layer.Affine1.units": 5})
    with pytest.raises(SpecShapeError, match=r"Repeat1.Residual1 can't add outputs of shape \(5,\)"):
        prove(narrower)


@pytest.mark.parametrize(
    ("parameters", "message", "remedy"),
    [
        ("first: zeross", "first values of Repeat1.Residual1.Shifted1.b: unknown initializer 'zeross'", "did you mean"),
        ("early: true", "Repeat1.Residual1.Shifted1 has declared 'b' before its place in the network was known", ""),
    ],
)
def test_a_wrong_declaration_inside_a_layer_is_reported_at_its_line(spec, work, parameters, message, remedy):
    inside = f"layers: [Relu, acme.Shifted: {{{parameters}}}]"
    nested = (work / "nested.yaml").read_text("utf-8")
    (work / "nested.yaml").write_text(nested.replace("layers: [acme.Noise, Affine: {units: 12}, Relu]", inside))
    with pytest.raises(SpecShapeError) as caught:
        prove(spec())
    (fault,) = caught.value.faults
    assert fault.message.startswith(message)
    assert fault.remedy.startswith(remedy)
    assert fault.source[fault.column - 1 :].startswith("acme.Shifted")
