"""The gradient check finds wrong gradients, and passes right ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Classes, ComponentFailure, Labels, Layer, Loss, MlpkitError, UsageError, Values
from mlpkit.testing import GradientMismatch, check_gradients, numerical_gradient

rows_of_numbers = arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=4), elements=st.floats(-10, 10))


@given(rows_of_numbers)
def test_the_numerical_gradient_is_that_of_calculus(x):
    before = x.copy()
    np.testing.assert_allclose(numerical_gradient(lambda x: float((x**2).sum()), x), 2 * x, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(numerical_gradient(lambda x: float(np.sin(x).sum()), x), np.cos(x), atol=1e-8)
    np.testing.assert_array_equal(x, before)


def test_the_numerical_gradient_of_a_single_number():
    assert numerical_gradient(lambda x: float(x) ** 3, 2.0) == pytest.approx(12, rel=1e-9)
    assert numerical_gradient(lambda x: float(x[0] * x[1]), [1, 2], step=0.5).tolist() == [2, 1]


class Squares(Layer):
    """y = gain x² + shift, with a derivative that can be made wrong."""

    def __init__(self, fault: str = ""):
        self.fault = fault

    def build(self, input_shape):
        self.gain = self.parameter("gain", input_shape, "zeros")
        self.shift = self.parameter("shift", (), "zeros")
        return input_shape

    def forward(self, x):
        if self.fault == "forward":
            raise ValueError("no")
        self.x = x
        return self.gain.value * x**2 + self.shift.value

    def backward(self, dy):
        if self.fault == "backward":
            raise ValueError("no")
        if self.fault == "none":
            return None
        if self.fault == "adds up":
            self.gain.grad += (dy * self.x**2).sum(axis=0)
        elif self.fault != "forgets":
            self.gain.grad[...] = (dy * self.x**2).sum(axis=0)
        self.shift.grad[...] = dy.sum()
        if self.fault == "one element":
            self.gain.grad.reshape(-1)[1] *= 1 + 1e-4
        if self.fault == "shift":
            self.shift.grad *= 2
        return dy * self.gain.value * self.x * (2 if self.fault != "factor" else 1)


class MeanSquare(Loss):
    """The mean of (x - t)²."""

    def __init__(self, fault: str = ""):
        self.fault = fault

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        self.difference = x - t
        return float((self.difference**2).mean())

    def backward(self, dloss=1.0):
        if self.fault == "scale":
            dloss = 1.0
        return 2 * dloss * self.difference / self.difference.size


@pytest.mark.parametrize("input_shape", [(2,), (2, 3), (300,), (30, 20)])
def test_right_gradients_pass(input_shape):
    check_gradients(Squares(), input_shape)
    check_gradients(Squares(), input_shape, rows=1, seed=4)
    check_gradients(MeanSquare(), input_shape, target=Values(input_shape))


@pytest.mark.parametrize("input_shape", [(2,), (300,)])
@pytest.mark.parametrize(
    ("fault", "parameter"),
    [("one element", "gain"), ("adds up", "gain"), ("forgets", "gain"), ("shift", "shift"), ("factor", "x")],
)
def test_wrong_gradients_are_found(fault, parameter, input_shape):
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(Squares(fault), input_shape)
    error = caught.value
    assert (error.operation, error.parameter, error.tolerance) == ("layer Squares1 (Squares)", parameter, 1e-6)
    assert not error.relative_error <= 1e-6
    assert isinstance(error, AssertionError)
    assert isinstance(error, MlpkitError)


def test_the_message_says_what_is_wrong_and_where():
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(Squares("factor"), (2,), x=[[1.0, 2.0]])
    head, detail = str(caught.value).split("; at ")
    assert head == (
        "layer Squares1 (Squares): the gradient by x is not that of forward: relative error 1.0e+00, tolerance 1.0e-06"
    )
    assert detail.startswith("x[0, ")
    assert "backward gives" in detail
    with pytest.raises(GradientMismatch, match=r"; along a random direction backward gives .*, differences give "):
        check_gradients(Squares("factor"), (300,))
    with pytest.raises(GradientMismatch, match=r"the gradient by shift .*; at shift backward gives"):
        check_gradients(Squares("shift"), (2,))


def test_a_message_has_the_worst_element_and_both_of_its_derivatives():
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(MeanSquare("scale"), (2,), x=[[1.0, -2.0]], t=[[0.0, 0.0]])
    assert str(caught.value) == (
        "loss MeanSquare1 (MeanSquare): the gradient by x is not that of forward: relative error 2.5e-01, tolerance "
        "1.0e-06; at x[0, 1] backward gives -2, differences give -1.5"
    )


def test_more_elements_than_256_are_compared_along_directions():
    for count, place in ((256, "at x[0, "), (257, "along a random direction")):
        x = np.random.default_rng(0).normal(size=(1, count))
        with pytest.raises(GradientMismatch) as caught:
            check_gradients(MeanSquare("scale"), (count,), x=x, t=np.zeros_like(x))
        detail = str(caught.value).partition("; ")[2]
        assert detail.startswith(place)
    slope, difference = (float(number) for number in re.findall(r"(?<=give[s ]) ?-?[\d.]+", detail))
    assert difference == pytest.approx(0.75 * slope, rel=1e-4)
    size = np.linalg.norm(2 * x / x.size)
    assert caught.value.relative_error == pytest.approx(abs(slope - difference) / size, rel=1e-4)
    assert caught.value.relative_error > 0.25  # the worst of eight directions


def test_the_tolerance_can_be_chosen():
    check_gradients(Squares("one element"), (2,), tolerance=1e-2)


def test_a_gradient_of_nothing_has_no_size_to_compare_with():
    class Flat(Squares):
        def backward(self, dy):
            super().backward(dy)
            return np.zeros_like(dy)

    with pytest.raises(GradientMismatch) as caught:
        check_gradients(Flat(), (2,))
    assert caught.value.relative_error == np.inf


def test_a_loss_that_forgets_its_share_is_found():
    with pytest.raises(GradientMismatch, match=r"^loss MeanSquare1 \(MeanSquare\): the gradient by x"):
        check_gradients(MeanSquare("scale"), (3,), target=Values((3,)))


@pytest.mark.parametrize(
    ("target", "shape", "values"),
    [
        (Classes(3), (50,), {0, 1, 2}),
        (Classes(3, one_hot=True), (50, 3), {0.0, 1.0}),
        (Labels(3), (50, 3), {0.0, 1.0}),
        (Values((3,)), (50, 3), None),
    ],
)
def test_targets_are_drawn_to_fit(target, shape, values):
    class Seen(MeanSquare):
        def forward(self, x, t):
            self.t = t
            return super().forward(x, t if t.ndim == 2 else t[:, np.newaxis])

    loss = Seen()
    check_gradients(loss, (3,), rows=50, target=target)
    assert loss.t.shape == shape
    if values is not None:
        assert set(loss.t.reshape(-1).tolist()) == values


def test_a_loss_needs_targets():
    with pytest.raises(UsageError, match="pass the kind of target"):
        check_gradients(MeanSquare(), (3,))
    check_gradients(MeanSquare(), (3,), x=np.ones((2, 3)), t=np.zeros((2, 3)))


def test_layers_that_fail_are_named():
    for fault in ("forward", "backward"):
        with pytest.raises(ComponentFailure, match=rf"^layer Squares1 \(Squares\) failed in {fault}: ValueError: no\n"):
            check_gradients(Squares(fault), (2,))
    with pytest.raises(ComponentFailure, match="returned NoneType from backward"):
        check_gradients(Squares("none"), (2,))

    class Flattened(MeanSquare):
        def backward(self, dloss=1.0):
            return super().backward(dloss).reshape(-1)

    with pytest.raises(ComponentFailure, match=r"returned a writable array of float64 of shape \(6,\) from backward"):
        check_gradients(Flattened(), (2,), target=Values((2,)))


def test_random_layers_draw_the_same_numbers_in_every_pass():
    class Noisy(Layer):
        def forward(self, x):
            self.noise = self.rng.normal(size=x.shape)
            return x * self.noise

        def backward(self, dy):
            return dy * self.noise

    check_gradients(Noisy(), (4,))

    class NoisyLoss(MeanSquare):
        def forward(self, x, t):
            return super().forward(x, t + self.rng.normal(size=x.shape))

    check_gradients(NoisyLoss(), (4,), target=Values((4,)))


def test_what_float64_can_not_resolve_is_no_fault():
    class Far(Squares):
        def forward(self, x):
            return super().forward(x) + 1e6

    check_gradients(Far(), (4,))
    with pytest.raises(GradientMismatch):
        check_gradients(Far("factor"), (4,))


def test_arguments_are_not_changed():
    x = np.ones((2, 3))
    check_gradients(Squares(), (3,), x=x)
    np.testing.assert_array_equal(x, np.ones((2, 3)))
