"""Random networks of the built-in layers and losses, with parameters and running statistics as after training.

For tests of whatever leaves: every exporter is given the same networks.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from mlpkit import Classes, Labels, Layer, Loss, Sequential, Target, Values, ValuesScaling
from mlpkit.layers import (
    Affine,
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Elu,
    Flatten,
    Gelu,
    Huber,
    LayerNorm,
    LeakyRelu,
    MaxPool2d,
    MeanAbsoluteError,
    MeanSquaredError,
    Mish,
    Parallel,
    Parametric,
    Prelu,
    Relu,
    Repeat,
    Reshape,
    Residual,
    Selu,
    Sequence,
    Sigmoid,
    SigmoidWithLoss,
    Silu,
    SoftmaxWithLoss,
    Softplus,
    Tanh,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

Shape = tuple[int, ...]

FEATURES = st.integers(1, 7).map(lambda features: (features,))
IMAGES = st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8))
ACTIVATIONS = (Relu, Sigmoid, Tanh, Gelu, Silu, Softplus, Elu, LeakyRelu, Mish, Selu, Prelu)


@st.composite
def random_networks(draw: st.DrawFn, dtypes: tuple[str, ...] = ("float32", "float64")) -> Sequential:
    """Draw a network of up to eight layers, some with layers inside.

    Args:
        draw: draws from other strategies.
        dtypes: the dtypes to choose from.
    """
    input_shape = shape = draw(st.one_of(FEATURES, IMAGES))
    layers: list[Layer] = []
    for _ in range(draw(st.integers(0, 5))):
        layer, shape = draw(st.one_of(_layers(shape)))
        layers.append(layer)
    ending, loss, target = draw(_endings(shape))
    stack = [*layers, *ending, loss]
    network = Sequential(
        stack, input_shape, target=target, seed=draw(st.integers(0, 99)), dtype=draw(st.sampled_from(dtypes))
    )
    _as_after_training(network)
    return network


def random_inputs(network: Sequential, rows: int = 5) -> NDArray[np.floating]:
    """Return encoded inputs for a network."""
    rng = np.random.default_rng(network.seed)
    return rng.normal(size=(rows, *network.input_shape)).astype(network.dtype)


def _layers(shape: Shape) -> list[st.SearchStrategy[tuple[Layer, Shape]]]:
    """Return the layers that can take inputs of a shape, each with the shape that it returns."""
    keeping = _keeping_the_shape(shape)
    residual = st.builds(Residual, st.lists(st.one_of(keeping), min_size=1, max_size=3))
    found = [st.tuples(layer, st.just(shape)) for layer in (*keeping, residual)]
    branches = st.lists(st.lists(st.one_of(keeping), max_size=2), min_size=1, max_size=3)
    found += [st.builds(lambda each: (Parallel(each, join="sum"), shape), branches)]
    found += [st.builds(lambda each: (Parallel(each), (len(each) * shape[0], *shape[1:])), branches)]
    found += [st.tuples(st.builds(Flatten), st.just((prod(shape),)))]
    if len(shape) == 1:
        units = st.integers(1, 7)
        found += [st.builds(lambda n, bias: (Affine(n, bias=bias), (n,)), units, st.booleans())]
        image = (1, *_sides(shape[0]))
        found += [st.tuples(st.builds(Reshape, st.just(image)), st.just(image))]
        found += [st.builds(lambda n: (Repeat(2, lambda: Sequence([Affine(n), Tanh()])), (n,)), units)]
    if len(shape) == 3:
        found += [_convolutions(shape), _pools(shape)]
    return found


def _keeping_the_shape(shape: Shape) -> list[st.SearchStrategy[Layer]]:
    """Return the layers that return the shape that they take."""
    found = [
        st.sampled_from(ACTIVATIONS).map(lambda activation: activation()),
        st.one_of(st.builds(Elu, st.sampled_from([0.5, 2.0])), st.builds(LeakyRelu, st.sampled_from([0.0, 0.3, 1.0]))),
        st.builds(lambda: Parametric(Mish())),
        st.builds(Dropout),
        st.builds(BatchNorm, epsilon=st.sampled_from([1e-5, 0.1])),
    ]
    if prod(shape) > 1:
        found += [st.builds(LayerNorm, st.sampled_from([1e-3, 0.1]))]
    if len(shape) == 1:
        found += [st.builds(lambda: Sequence([Affine(shape[0]), Relu()]))]
    return found


def _convolutions(shape: Shape) -> st.SearchStrategy[tuple[Layer, Shape]]:
    def build(filters: int, size: int, stride: int, padding: int, bias: bool) -> tuple[Layer, Shape]:
        sides = [(side + 2 * padding - size) // stride + 1 for side in shape[1:]]
        return Conv2d(filters, size, stride=stride, padding=padding, bias=bias), (filters, *sides)

    sizes = st.integers(1, min(3, *shape[1:]))
    return st.builds(build, st.integers(1, 4), sizes, st.integers(1, 2), st.integers(0, 2), st.booleans())


def _pools(shape: Shape) -> st.SearchStrategy[tuple[Layer, Shape]]:
    def build(pool: type[Layer], size: int, stride: int | None) -> tuple[Layer, Shape]:
        sides = [(side - size) // (stride or size) + 1 for side in shape[1:]]
        return pool(size, stride=stride), (shape[0], *sides)

    sizes = st.integers(1, min(3, *shape[1:]))
    return st.builds(build, st.sampled_from([MaxPool2d, AveragePool2d]), sizes, st.sampled_from([None, 1, 2]))


@st.composite
def _endings(draw: st.DrawFn, shape: Shape) -> tuple[list[Layer], Loss, Target]:
    """Draw the last layers and the loss for inputs of a shape, and a target that they fit."""
    loss = draw(st.sampled_from([MeanSquaredError, MeanAbsoluteError, Huber, SoftmaxWithLoss, SigmoidWithLoss]))()
    count = draw(st.integers(1, 5))
    ending = [Flatten(), Affine(count)] if len(shape) > 1 else [Affine(count)]
    if isinstance(loss, SoftmaxWithLoss):
        return ending, loss, Classes(count)
    if isinstance(loss, SigmoidWithLoss):
        return ending, loss, Classes(2) if count == 1 else Labels(count)
    if draw(st.booleans()):
        ending, values = [], shape
    else:
        values = (count,)
    scaling = draw(st.one_of(st.none(), _scalings(prod(values))))
    if scaling and scaling.log:
        ending.append(Tanh())  # the exponential of large numbers would make large errors of rounding errors
    return ending, loss, Values(values, scaling)


def _scalings(count: int) -> st.SearchStrategy[ValuesScaling]:
    means = st.tuples(*[st.sampled_from([-1.0, 0.25, 2.0])] * count)
    deviations = st.tuples(*[st.sampled_from([0.125, 1.5])] * count)
    return st.builds(ValuesScaling, means, deviations, st.booleans())


def _sides(features: int) -> Shape:
    """Return two factors of a number, as the sides of an image of one channel."""
    return (2, features // 2) if features % 2 == 0 else (features, 1)


def _as_after_training(network: Sequential) -> None:
    """Move parameters and running statistics off their first values, so that zeros and ones hide nothing."""
    rng = np.random.default_rng(network.seed)
    network.values[...] += 0.2 * rng.normal(size=network.values.shape)
    for layer in network.layers:
        for state in layer.declared_states():
            state.value[...] = rng.uniform(0.5, 1.5, state.shape)
