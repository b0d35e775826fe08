"""Layers that don't fit each other, the data, or their place, before anything is allocated."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest

from mlpkit import Classes, Labels, Layer, ParameterError, Sequential, ShapeError, UsageError, Values
from mlpkit.network.shape_proof import StackError, prove_shapes
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Built(Layer):
    """A layer whose ``build`` is given by a test."""

    outcome = None

    def build(self, input_shape):
        return self.outcome(input_shape) if callable(self.outcome) else self.outcome

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


def building(outcome):
    layer = Built()
    layer.outcome = outcome
    return layer


def raising(error):
    def outcome(_):
        raise error

    return building(outcome)


class Initialized(Layer):
    """Declares one array, with first values given by a test."""

    def __init__(self, first: Annotated[object, "anything"] = "zeros", early: bool = False) -> None:
        self.first = first
        if early:
            self.g = self.parameter("g", (4,), first)

    def build(self, input_shape):
        self.g = self.parameter("g", input_shape, self.first)
        return input_shape

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Unnamed(Layer):
    """Declares one name twice."""

    def build(self, input_shape):
        self.parameter("W", (2,), "zeros")
        self.parameter("W", (3,), "zeros")
        return input_shape

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


def error_of(stack, input_shape=(4,), target=None):
    with pytest.raises(StackError) as caught:
        Sequential(stack, input_shape, target=target)
    return caught.value


def test_shapes_follow_through_the_stack():
    stack = [Affine(5), Relu(), Affine(3), SoftmaxWithLoss()]
    proof = prove_shapes(stack, ["a", "b", "c", "d"], (4,), Classes(3), np.dtype(np.float64))
    assert proof.shapes == [(4,), (5,), (5,), (3,)]
    assert proof.layers == stack[:-1]
    assert proof.loss is stack[-1]
    assert proof.flops == 6 * (4 * 5 + 5) + 6 * (5 * 3 + 3)
    assert [member.path for member in stack] == ["a", "b", "c", "d"]
    assert {member.dtype for member in stack} == {np.dtype(np.float64)}
    assert not hasattr(stack[0].W, "value")  # nothing is allocated


@pytest.mark.parametrize(
    ("stack", "options", "place", "message"),
    [
        (
            lambda: [Affine(5), SoftmaxWithLoss()],
            {"input_shape": (2, 3)},
            (0, -1),
            "Affine1 can't take inputs of shape (2, 3); expected a shape with 1 axis (the batch axis not counted); "
            "put Flatten before it; for members of an ensemble, use EnsembleAffine or BatchEnsembleAffine",
        ),
        (
            lambda: [Relu(), SoftmaxWithLoss()],
            {"input_shape": (2, 3)},
            (1, 0),
            "SoftmaxWithLoss1 can't take inputs of shape (2, 3); expected a shape with 1 axis (the batch axis not "
            "counted); put Flatten before it; for members of an ensemble, put the loss into EnsembleLoss",
        ),
        (
            lambda: [Affine(5), SoftmaxWithLoss()],
            {"target": Classes(10)},
            (1, 0),
            "SoftmaxWithLoss1 gets 5 logits for 10 classes; expected inputs of shape (10,), one logit per class; "
            "give the last layer before it 10 units",
        ),
        (
            lambda: [Affine(5), SoftmaxWithLoss()],
            {"target": Labels(5)},
            (1, 0),
            "SoftmaxWithLoss1 compares logits with classes, but the data gives 5 labels; "
            "expected data whose target is one of several classes",
        ),
        (
            lambda: [Affine(5), SoftmaxWithLoss()],
            {"target": Values((5,))},
            (1, 0),
            "SoftmaxWithLoss1 compares logits with classes, but the data gives real values of shape (5,); "
            "expected data whose target is one of several classes",
        ),
        (
            lambda: [Affine(5), SoftmaxWithLoss(), Relu(), SoftmaxWithLoss()],
            {},
            (1, 0),
            "SoftmaxWithLoss1 is a loss in the middle of the stack; expected a loss only at the end",
        ),
        (
            lambda: [Affine(5), Relu()],
            {},
            (1, 0),
            "the stack ends in Relu1, which is not a loss; expected a loss at the end; "
            "add one; mlpkit plugins lists the installed ones",
        ),
        (list, {}, (0, -1), "the stack is empty; expected layers, and a loss at the end"),
        (
            lambda: [Affine(5), Relu, SoftmaxWithLoss()],
            {},
            (1, 0),
            "Relu1: the class Relu is neither a layer nor a loss; write Relu()",
        ),
        (
            lambda: [Affine(5), "Relu", SoftmaxWithLoss()],
            {},
            (1, 0),
            "str1: 'Relu' is neither a layer nor a loss",
        ),
        (
            lambda: [raising(RuntimeError("out of luck")), SoftmaxWithLoss()],
            {},
            (0, -1),
            "Built1: build raised RuntimeError: out of luck",
        ),
        (
            lambda: [raising(ParameterError("size", "is too large", expected="at most 4")), SoftmaxWithLoss()],
            {},
            (0, -1),
            "Built1: size: is too large; expected at most 4",
        ),
        (lambda: [Unnamed(), SoftmaxWithLoss()], {}, (0, -1), "build raised ValueError: Unnamed1 declares 'W' twice"),
        (
            lambda: [Affine(4), Initialized("he_norm"), SoftmaxWithLoss()],
            {},
            (1, 0),
            "first values of Initialized1.g: unknown initializer 'he_norm'; did you mean 'he_normal'?",
        ),
        (
            lambda: [Initialized({"normal": {"width": 1}}), SoftmaxWithLoss()],
            {},
            (0, -1),
            "first values of Initialized1.g: normal.width: unknown parameter 'width' of initializer normal; "
            "expected one of std, mean",
        ),
        (
            lambda: [Initialized(True), SoftmaxWithLoss()],
            {},
            (0, -1),
            "first values of Initialized1.g: True is not an initializer; expected a number, the name of an "
            "initializer, a mapping from its name to its parameters, or an Initializer",
        ),
        (
            lambda: [Initialized(early=True), SoftmaxWithLoss()],
            {},
            (0, -1),
            "Initialized1 has declared 'g' before its place in the network was known; expected it to be declared in "
            "build(self, input_shape), which the network calls",
        ),
    ],
)
def test_what_does_not_fit_is_explained(stack, options, place, message):
    error = error_of(stack(), **options)
    assert str(error) == message
    assert (error.index, error.producer) == place
    assert error.exit_code == 2


@pytest.mark.parametrize("outcome", [None, 3, [3], (3.0,), (0,), (-1,), ("3",), (None,), np.ones(1)])
def test_a_build_that_returns_no_shape_is_explained(outcome):
    remedy = "; end build with 'return input_shape' if forward keeps the shape" if outcome is None else ""
    assert str(error_of([building(outcome), SoftmaxWithLoss()])) == (
        f"build of Built1 returned {outcome!r}; expected the outputs' shape, a tuple of positive integers{remedy}"
    )


def test_a_shape_without_axes_is_one():
    shapes = prove_shapes(
        [building(()), building((2, 3)), building((3,)), SoftmaxWithLoss()], "abcd", (4,), None, "f4"
    ).shapes
    assert shapes == [(4,), (), (2, 3), (3,)]


def test_the_error_says_what_fed_the_layer():
    error = error_of([Affine(5), building((2, 3)), Affine(4), SoftmaxWithLoss()])
    assert (error.index, error.producer, error.input_shape) == (2, 1, (2, 3))
    assert isinstance(error.cause, ShapeError)


def test_one_object_has_one_place():
    relu = Relu()
    assert str(error_of([Affine(3), relu, Affine(3), relu, SoftmaxWithLoss()])) == (
        "Relu2 is the same object as Relu1, which is already part of a network; make a new one"
    )
    relu = Relu()
    Sequential([relu, SoftmaxWithLoss()], (3,))
    error = error_of([relu, SoftmaxWithLoss()], (3,))
    assert isinstance(error.cause, UsageError)


def test_a_class_in_the_place_of_a_layer_stays_as_it_was():
    before = dict(vars(Relu))
    error_of([Relu, SoftmaxWithLoss()])
    assert dict(vars(Relu)) == before
