"""Each layer of a spec is built once, and its shapes are proved once, on the way to a trained or a loaded network."""

from __future__ import annotations

import pytest

import mlpkit
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import prove

COUNTING = '''\
import numpy as np

from mlpkit import Initializer, Layer, component, hookimpl

calls = []


class Counted(Layer):
    """Returns its inputs."""

    def __init__(self) -> None:
        calls.append("made")

    def build(self, input_shape):
        calls.append("built")
        self.w = self.parameter("w", (2,), "counting.ones")
        return input_shape

    def forward(self, x):
        return x

    def backward(self, dy):
        self.w.grad[...] = 0
        return dy


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape, fans, rng, dtype):
        calls.append("drawn")
        return np.ones(shape, dtype)


@hookimpl
def mlpkit_components():
    return [component("layer", "Counted", Counted), component("initializer", "ones", Ones)]
'''


@pytest.fixture
def counted(work):
    """Return a function that does something with a spec, and returns how often its layer was made, built and drawn."""
    (work / "counting.py").write_text(COUNTING)
    spec = mlpkit.load_spec(
        work / "tiny.yaml",
        overrides={"layers": ["counting.Counted", {"Affine": {"units": 10}}, "SoftmaxWithLoss"], "training.epochs": 1},
        plugins=[work / "counting.py"],
    )
    layer = spec.layers[0].recipe.component
    calls = layer.__init__.__globals__["calls"]

    def count(action):
        calls.clear()
        action(spec)
        return [calls.count(what) for what in ("made", "built", "drawn")]

    return count


def test_a_network_is_built_from_the_layers_that_were_proved(counted):
    assert counted(mlpkit.build) == [1, 1, 1]


def test_so_is_the_network_of_a_run(counted, work):
    made, built, drawn = counted(lambda spec: mlpkit.run(spec, work / "run"))
    assert (built, drawn) == (1, 1)
    assert made <= 2  # to be read back, the resolved spec is checked, which makes each component once


def test_a_proof_names_target_and_shapes(counted):
    def look(spec):
        proof = prove(spec).proof
        assert (proof.target, proof.shapes) == (mlpkit.Classes(10), [(784,), (784,), (10,)])
        assert build_for(spec, proof, slices=3).replicas[2].layers[0] is not proof.layers[0]

    assert counted(look) == [1, 1, 1]


def test_a_loaded_network_is_built_once(work, monkeypatch):
    mlpkit.run(mlpkit.load_spec(work / "tiny.yaml", overrides={"training.epochs": 1}), work / "run")
    affine = mlpkit.load_spec(work / "tiny.yaml").layers[0].recipe.component
    built = []
    build = affine.build
    monkeypatch.setattr(affine, "build", lambda self, shape: built.append(shape) or build(self, shape))
    mlpkit.load_model(work / "run/model.safetensors")
    assert built == [(784,), (16,)]
