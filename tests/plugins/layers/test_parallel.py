"""Layers side by side."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit
from mlpkit import Layer, ParameterError, Sequential, SpecError
from mlpkit.testing import check_gradients, standalone
from mlpkit.verbs.ask.explain import explain, explain_all
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.conv2d import Conv2d
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.parallel import Parallel
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Times(Layer):
    """y = factor x, whose backward leaves nothing of what it is given."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, x):
        return self.factor * x

    def backward(self, dy):
        dx = self.factor * dy
        dy[...] = np.nan
        return dx


def test_concat_is_the_formula():
    layer = standalone(Parallel([[Times(2)], [], [Times(3), Times(5)]]), (2,))
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 10]])), [[2, 20, 1, 10, 15, 150]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 2, 3, 4, 5, 6]])), [[2 + 3 + 75, 4 + 4 + 90]])


def test_sum_is_the_formula():
    layer = standalone(Parallel([[Times(2)], [], [Times(3), Times(5)]], join="sum"), (2,))
    np.testing.assert_array_equal(layer.forward(np.array([[1.0, 10]])), [[18, 180]])
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 2]])), [[18, 36]])


def test_neither_the_inputs_nor_outputs_of_a_branch_are_written_into():
    layer = standalone(Parallel([[], []], join="sum"), (2,))
    x = np.array([[1.0, 10]])
    np.testing.assert_array_equal(layer.forward(x), [[2, 20]])
    np.testing.assert_array_equal(x, [[1, 10]])


def test_images_are_joined_by_their_channels():
    layer = standalone(Parallel([[Conv2d(2, 3, padding=1)], [Conv2d(3, 1)]]), (1, 4, 4))
    assert layer.forward(np.ones((2, 1, 4, 4))).shape == (2, 5, 4, 4)


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("join", ["concat", "sum"])
def test_gradients_are_those_of_central_differences(rows, join):
    check_gradients(Parallel([[Affine(3), Sigmoid()], [Affine(3)]], join=join), (4,), rows=rows)
    check_gradients(Parallel([[Sigmoid()], [Parallel([[Affine(2)], [Affine(2)]])]], join=join), (4,), rows=rows)


def test_layers_inside_are_named_by_branch():
    branches = [[Affine(3), Affine(3)], [Affine(4)]]
    network = Sequential([Parallel(branches), Affine(2), SoftmaxWithLoss()], (4,))
    weights = {name for name in network.parameters if name.endswith(".W")}
    assert weights == {"Affine1.W", *(f"Parallel1.{path}.W" for path in ("0.Affine1", "0.Affine2", "1.Affine1"))}


def test_branches_draw_different_random_numbers():
    layer = standalone(Parallel([[Dropout(0.5)], [Dropout(0.5)]]), (200,))
    layer.training = True
    for each in layer.operations():
        each.training = True
    y = layer.forward(np.ones((1, 200)))
    assert not np.array_equal(y[:, :200], y[:, 200:])


@pytest.mark.parametrize("join", ["concat", "sum"])
def test_a_step_uses_the_memory_of_the_one_before(join):
    layer = standalone(Parallel([[Relu()], [Relu()]], join=join), (3,))
    x = np.ones((2, 3))
    y = layer.forward(x)
    first = y, layer.backward(y.copy())
    again = layer.forward(x), layer.backward(y.copy())
    assert all(np.shares_memory(*pair) for pair in zip(first, again, strict=True))


@pytest.mark.parametrize("place", [0, 1])
def test_no_input_gradient_if_it_is_not_needed(place):
    first, branches = Affine(4), [[Relu()]]
    branches.insert(place, [first, Relu()])
    network = Sequential([Parallel(branches), Affine(3), SoftmaxWithLoss()], (4,))
    assert np.abs(network.gradient(np.ones((2, 4)), np.array([0, 1]))[f"Parallel1.{place}.Affine1.W"]).sum() > 0
    assert not first.needs_input_gradient


def test_outputs_that_do_not_fit():
    with pytest.raises(ParameterError) as caught:
        Parallel([[Affine(3)], [Affine(4)]], join="sum").build((4,))
    assert str(caught.value) == (
        "branches.1: Parallel can't add outputs of shape (4,) of branch 1, counted from 0, to those of branch 0, of "
        "shape (3,); expected outputs of shape (3,); change the last layer of the branch, or put a layer after it that "
        "restores the shape"
    )
    with pytest.raises(ParameterError, match="can't append outputs of shape"):
        Parallel([[], [Conv2d(1, 3)]]).build((1, 4, 4))
    with pytest.raises(ParameterError, match="branches: the list has 0 items"):
        Parallel([])


SPEC = """\
mlpkit: 1
data: mnist
layers:
  - Parallel:
      join: sum
      branches:
        - [Affine: {units: 5}]
        - [Affine: {units: 6}]
  - Affine: {units: 10}
  - SoftmaxWithLoss
training: {optimizer: sgd, epochs: 1}
"""


def test_a_branch_that_does_not_fit_is_named_at_its_line(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(SPEC)
    with pytest.raises(SpecError) as caught:
        mlpkit.build(mlpkit.load_spec(path))
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.path) == (8, 11, "layers.0.Parallel.branches.1")
    assert "Parallel1 can't add outputs of shape (6,) of branch 1" in fault.message


@pytest.mark.parametrize("key", ["layers.Parallel1.1.Affine1.units", "layers.Parallel1.branches.1.Affine1.units"])
def test_layers_inside_are_set_and_explained_by_their_path(tmp_path, key):
    path = tmp_path / "a.yaml"
    path.write_text(SPEC)
    spec = mlpkit.load_spec(path, overrides=[f"{key}=5"])
    assert mlpkit.build(spec).parameters["Parallel1.1.Affine1.W"].shape == (784, 5)
    assert explain(spec, key).value == 5


def test_all_keys_of_layers_inside_are_explained(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(SPEC.replace("[Affine: {units: 5}]", "[]").replace("sum", "concat"))
    keys = [each.key for each in explain_all(mlpkit.load_spec(path))]
    assert "layers.Parallel1.branches.1.Affine1.units" in keys
