"""What goes through a network is copied while it is watched, and the network computes as before."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Layer, Sequential
from mlpkit.network.watching import watched
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sequence import Sequence
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(7, 3)).astype(np.float32), RNG.integers(0, 2, 7)


class Twice(Layer):
    """Calls a layer inside it twice, and overwrites what comes back."""

    def build(self, input_shape):
        self.inside = Relu()
        return self.child(self.inside, input_shape)

    def forward(self, x):
        return self.inside.forward(self.inside.forward(x)) * 2

    def backward(self, dy):
        return np.multiply(self.inside.backward(self.inside.backward(dy)), 2, out=dy)


def network(slices=1, *layers):
    return Sequential([Affine(4), *(layers or [Relu()]), Affine(2), SoftmaxWithLoss()], (3,), seed=0, slices=slices)


def gradient(net):
    return net.loss_and_gradient(X, T), net.gradient_values.tobytes()


@pytest.mark.parametrize("slices", [1, 3])
def test_a_watched_network_computes_the_same_and_is_left_as_it_was(slices):
    net = network(slices)
    expected = gradient(net)
    members = [vars(operation).copy() for replica in net.replicas for operation in replica.operations()]
    with watched(net) as minibatches:
        assert gradient(net) == gradient(net) == expected
        after = [set(vars(operation)) for replica in net.replicas for operation in replica.operations()]
        assert after == [set(member) for member in members]  # between two minibatches, too
    assert gradient(net) == expected
    assert len(minibatches) == 2
    assert "loss_and_gradient" not in vars(net)


@pytest.mark.parametrize("slices", [1, 3, 9])
def test_all_rows_are_there_in_their_order(slices):
    net = network(slices)
    with watched(net) as (minibatches):
        loss = net.loss_and_gradient(X, T)
    (minibatch,) = minibatches
    assert minibatch.loss == loss
    assert len(minibatch.slices) == min(slices, len(X))
    assert (minibatch.x.tobytes(), minibatch.t.tobytes()) == (X.tobytes(), T.tobytes())
    np.testing.assert_array_equal(np.concatenate([flows["Affine1"].input for flows in minibatch.slices]), X)
    before, after = (
        np.concatenate([getattr(flows["Relu1"], name) for flows in minibatch.slices]) for name in ("input", "output")
    )
    np.testing.assert_array_equal(after, np.maximum(before, 0))
    loss_flow = minibatch.slices[0]["SoftmaxWithLoss1"]
    assert (loss_flow.output, loss_flow.output_gradient) == (None, None)
    assert minibatch.slices[0]["Affine1"].input_gradient is None  # nothing before it is trained


def test_arrays_that_layers_overwrite_are_copied_before():
    net = network(1, Sequence([Relu()]), Twice())
    with watched(net) as minibatches:
        net.loss_and_gradient(X, T)
    flows = minibatches[0].slices[0]
    twice, inside = flows["Twice1"], flows["Twice1.Relu1"]
    np.testing.assert_array_equal(twice.output, 2 * inside.output)
    np.testing.assert_array_equal(inside.input, twice.input)  # of the first of two calls
    np.testing.assert_array_equal(twice.input_gradient, 2 * inside.input_gradient)
    np.testing.assert_array_equal(flows["Sequence1"].output, flows["Sequence1.Relu1"].output)
    np.testing.assert_array_equal(flows["Affine2"].input_gradient, twice.output_gradient)


def test_a_failure_leaves_nothing_behind():
    net = network()

    def fail(dy):
        raise ValueError

    net.layers[1].backward = fail
    with pytest.raises(Exception, match="Relu1"), watched(net):
        net.loss_and_gradient(X, T)
    assert vars(net.layers[1])["backward"] is fail
    assert "forward" not in vars(net.layers[0])
    assert "loss_and_gradient" not in vars(net)
