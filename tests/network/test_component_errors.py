"""Layers and losses that fail in the middle of the work are named."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ComponentFailure, DataError, Layer, Loss, Sequential
from mlpkit.components.operation import belongs_to
from mlpkit.network.component_errors import innermost_operation, shapes_of
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Odd(Layer):
    """y = x, unless a test changes its methods."""

    in_forward = staticmethod(lambda x: x)
    in_backward = staticmethod(lambda dy: dy)

    def forward(self, x):
        return self.in_forward(x)

    def backward(self, dy):
        return self.in_backward(dy)


class OddLoss(Loss):
    """The mean of x, unless a test changes its methods."""

    in_forward = staticmethod(lambda x, t: float(x.mean()))
    in_backward = staticmethod(lambda x, dloss: np.full_like(x, dloss / x.size))
    in_predict = staticmethod(lambda x: x)
    in_weight = staticmethod(len)

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        self.x = x
        return self.in_forward(x, t)

    def backward(self, dloss=1.0):
        return self.in_backward(self.x, dloss)

    def predict(self, x):
        return self.in_predict(x)

    def weight(self, t):
        return self.in_weight(t)


def odd(owner=Odd, **behaviour):
    made = owner()
    for name, function in behaviour.items():
        setattr(made, name, function)
    return made


def raising(error):
    def fail(*_):
        raise error

    return fail


def read_only(array):
    array.flags.writeable = False
    return array


X, T = np.ones((2, 4)), np.array([0, 1])

FAILED = "layer Odd1 (Odd) failed in"
RETURNED = "layer Odd1 (Odd) returned"
BUILT = "for 2 rows, but its build declared float32 of shape (2, 5)"
EXPECTED = "expected a writable array of float32 of shape (2, 5), as its inputs have"


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ({"in_forward": raising(KeyError("colour"))}, f"{FAILED} forward: KeyError: 'colour'"),
        ({"in_forward": lambda x: x[:, :3]}, f"{RETURNED} float32 of shape (2, 3) {BUILT}"),
        ({"in_forward": lambda x: x[:1]}, f"{RETURNED} float32 of shape (1, 5) {BUILT}"),
        ({"in_forward": lambda x: x.astype(np.float64)}, f"{RETURNED} float64 of shape (2, 5) {BUILT}"),
        ({"in_forward": lambda x: x.tolist()}, f"{RETURNED} None of shape None {BUILT}"),
        ({"in_forward": lambda x: None}, f"{RETURNED} None of shape None {BUILT}"),
        ({"in_backward": raising(ValueError("no way"))}, f"{FAILED} backward: ValueError: no way"),
        ({"in_backward": lambda dy: None}, f"{RETURNED} NoneType from backward; {EXPECTED}"),
        (
            {"in_backward": lambda dy: dy.T},
            f"{RETURNED} a writable array of float32 of shape (5, 2) from backward; {EXPECTED}",
        ),
        (
            {"in_backward": lambda dy: dy.astype(np.float64)},
            f"{RETURNED} a writable array of float64 of shape (2, 5) from backward; {EXPECTED}",
        ),
        (
            {"in_backward": lambda dy: read_only(dy.copy())},
            f"{RETURNED} a read-only array of float32 of shape (2, 5) from backward; {EXPECTED}",
        ),
    ],
)
def test_a_layer_is_named(behaviour, message):
    network = Sequential([Affine(5), odd(**behaviour), Affine(3), SoftmaxWithLoss()], (4,))
    for _ in range(2):  # a failure doesn't count as the first pass
        with pytest.raises(ComponentFailure) as caught:
            network.gradient(X, T)
        assert str(caught.value) == message
        assert network.replicas[0].layers[1].path == "Odd1"


def test_a_layer_that_fails_later_is_named_too():
    layer = odd()
    network = Sequential([Affine(5), layer, SoftmaxWithLoss()], (4,))
    network.gradient(X, T)
    layer.in_backward = raising(ValueError("no way"))
    with pytest.raises(
        ComponentFailure,
        match=r"^layer Odd1 \(Odd\) failed in backward: ValueError: no way\nnote: its inputs have shape \(rows, 5\)$",
    ) as caught:
        network.gradient(X, T)
    assert isinstance(caught.value.__cause__, ValueError)
    layer.in_forward = raising(KeyError(3))
    with pytest.raises(ComponentFailure, match=r"^layer Odd1 \(Odd\) failed in forward: KeyError: 3\n"):
        network.predict(X)


@pytest.mark.parametrize(
    ("behaviour", "call", "message"),
    [
        ({"in_forward": raising(ValueError("no"))}, "gradient", "failed in forward: ValueError: no"),
        ({"in_forward": raising(ValueError("no"))}, "loss", "failed in forward: ValueError: no"),
        (
            {"in_forward": lambda x, t: None},
            "loss",
            "failed in forward: TypeError: float() argument must be a string or a real number, not 'NoneType'",
        ),
        ({"in_backward": raising(ValueError("no"))}, "gradient", "failed in backward: ValueError: no"),
        (
            {"in_backward": lambda x, dloss: 3.0},
            "gradient",
            f"returned float from backward; {EXPECTED}",
        ),
        (
            {"in_backward": lambda x, dloss: np.ones((1, 5), np.float32)},
            "gradient",
            f"returned a writable array of float32 of shape (1, 5) from backward; {EXPECTED}",
        ),
        ({"in_predict": raising(ValueError("no"))}, "accuracy", "failed in predict: ValueError: no"),
        ({"in_weight": raising(ValueError("no"))}, "loss", "failed in weight: ValueError: no"),
    ],
)
def test_a_loss_is_named(behaviour, call, message):
    network = Sequential([Affine(5), odd(OddLoss, **behaviour)], (4,))
    for _ in range(2):
        with pytest.raises(ComponentFailure) as caught:
            getattr(network, call)(X, T)
        assert str(caught.value) == f"loss OddLoss1 (OddLoss) {message}"


def test_a_loss_that_fails_later_is_named_too():
    loss = odd(OddLoss)
    network = Sequential([Affine(5), loss], (4,))
    network.gradient(X, T)
    loss.in_backward = raising(ValueError("no way"))
    with pytest.raises(ComponentFailure, match=r"^loss OddLoss1 \(OddLoss\) failed in backward: ValueError: no way$"):
        network.gradient(X, T)


@pytest.mark.parametrize(
    ("method", "call"), [("in_forward", "gradient"), ("in_forward", "loss"), ("in_backward", "gradient")]
)
def test_an_error_of_ours_passes_as_it_is(method, call):
    error = DataError("x.npy", "is gone")
    for owner, rest in ((Odd, [SoftmaxWithLoss()]), (OddLoss, [])):
        member = odd(owner)
        network = Sequential([Affine(5), member, *rest], (4,))
        for first in (True, False):
            if not first:
                delattr(member, method)
                network.gradient(X, T)
            setattr(member, method, raising(error))
            with pytest.raises(DataError) as caught:
                getattr(network, call)(X, T)
            assert caught.value is error


def test_an_error_of_ours_in_predict_passes_as_it_is():
    error = DataError("x.npy", "is gone")
    network = Sequential([Affine(5), odd(OddLoss, in_predict=raising(error))], (4,))
    with pytest.raises(DataError) as caught:
        network.predict(X)
    assert caught.value is error


def test_the_plain_style_is_as_correct():
    class Plain(Layer):
        def forward(self, x):
            self.x = x
            return x * (x > 0)

        def backward(self, dy):
            return dy * (self.x > 0)

    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 4)), rng.integers(0, 3, 20)
    plain, built_in = (
        Sequential([Affine(5), activation, Affine(3), SoftmaxWithLoss()], (4,)) for activation in (Plain(), Relu())
    )
    for name, gradient in built_in.gradient(x, t).items():
        np.testing.assert_array_equal(plain.gradient(x, t)[name], gradient)
    np.testing.assert_array_equal(plain.predict(x), built_in.predict(x))


@pytest.mark.parametrize(
    ("path", "layers", "belongs"),
    [
        ("Affine1", ["Affine1"], True),
        ("Residual1.Affine1", ["Residual1"], True),
        ("Residual1.Affine1", ["Relu1", "Residual1.Affine1"], True),
        ("Affine10", ["Affine1"], False),
        ("Residual1", ["Residual1.Affine1"], False),
        ("Affine1", [], False),
    ],
)
def test_an_operation_belongs_to_a_layer_that_it_is_or_is_inside(path, layers, belongs):
    assert belongs_to(path, layers) == belongs


def test_shapes_are_named_as_numpy_does_not():
    network = Sequential([Affine(5), Affine(3, bias=False), SoftmaxWithLoss()], (4,))
    first, second = network.layers
    assert shapes_of(first) == "its inputs have shape (rows, 4), W has shape (4, 5), b has shape (5,)"
    assert shapes_of(second) == "its inputs have shape (rows, 5), W has shape (5, 3)"
    assert shapes_of(network.loss_layer) == ""
    with pytest.raises(ValueError, match="matmul") as caught:
        first.forward(np.ones((2, 7), np.float32))
    assert innermost_operation(caught.value) is first
    assert innermost_operation(ValueError("no method raised it")) is None
