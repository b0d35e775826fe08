"""The onnx package's test vectors, run by the layers that have an operator's meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from node_vectors import Vector, vectors_of
from requirements import require_package

from mlpkit import Graph
from mlpkit.graph.evaluator import evaluate
from mlpkit.layers import (
    Affine,
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Elu,
    Flatten,
    Gelu,
    LayerNorm,
    LeakyRelu,
    MaxPool2d,
    Mish,
    Relu,
    Sigmoid,
    SoftmaxWithLoss,
    Softplus,
    Tanh,
)
from mlpkit.testing import standalone

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit import Layer, Loss

require_package("onnx")

Built = tuple["Layer | Loss", np.ndarray, dict[str, np.ndarray]]
"""A layer or a loss, what it takes, and its parameters and states by name."""


def plain(layer: Callable[..., Layer], **names: str) -> Callable[[Vector], Built]:
    """Return what builds a layer without parameters, from attributes of the operator by the names of its own."""

    def build(vector: Vector) -> Built:
        arguments = {own: vector.attributes[name] for own, name in names.items() if name in vector.attributes}
        return layer(**arguments), vector.inputs[0], {}

    return build


def affine(vector: Vector) -> Built:
    x, weights, *bias = vector.inputs
    W = weights.T if vector.attributes.get("transB") else weights
    units = W.shape[1]
    parameters = {"W": W, "b": np.broadcast_to(bias[0], (1, units))[0]} if bias else {"W": W}
    return Affine(units, bias=bool(bias)), x, parameters


def batch_norm(vector: Vector) -> Built:
    x, *arrays = vector.inputs
    names = ("gamma", "beta", "running_mean", "running_variance")
    return BatchNorm(epsilon=vector.attributes.get("epsilon", 1e-5)), x, dict(zip(names, arrays, strict=True))


def layer_norm(vector: Vector) -> Built:
    """Take the axes before the normalized ones for rows."""
    x, gamma, beta = vector.inputs
    layer = LayerNorm(vector.attributes.get("epsilon", 1e-5))
    return layer, x.reshape(-1, *gamma.shape), {"gamma": gamma, "beta": beta}


def conv2d(vector: Vector) -> Built:
    x, W = vector.inputs
    filters, _, size, _ = W.shape
    stride, padding = vector.attributes.get("strides", [1])[0], vector.attributes["pads"][0]
    layer = Conv2d(filters, size, stride=stride, padding=padding, bias=False)
    return layer, x, {"W": W.reshape(filters, -1)}


def pool(layer: type[MaxPool2d | AveragePool2d]) -> Callable[[Vector], Built]:
    def build(vector: Vector) -> Built:
        size, stride = vector.attributes["kernel_shape"][0], vector.attributes.get("strides", [1])[0]
        return layer(size, stride=stride), vector.inputs[0], {}

    return build


def softmax(vector: Vector) -> Built:
    """Take the axes before the last for rows."""
    (x,) = vector.inputs
    return SoftmaxWithLoss(), x.reshape(-1, x.shape[-1]), {}


PADDING = "the layer has no padding"
ONE_D_OR_3D = "the layer takes images of two dimensions"
LATER = "came with opset 19"

OPERATORS: dict[str, tuple[Callable[[Vector], Built], dict[str, str]]] = {
    "Relu": (plain(Relu), {}),
    "Sigmoid": (plain(Sigmoid), {}),
    "Tanh": (plain(Tanh), {}),
    "Elu": (plain(Elu, alpha="alpha"), {}),
    "LeakyRelu": (plain(LeakyRelu, slope="alpha"), {}),
    "Gelu": (
        plain(Gelu),
        {
            "test_gelu_tanh_1": "the layer has the form with erf",
            "test_gelu_tanh_2": "the layer has the form with erf",
        },
    ),
    "Softplus": (plain(Softplus), {}),
    "Mish": (plain(Mish), {}),
    "Gemm": (
        affine,
        {
            "test_gemm_default_matrix_bias": "the layer's bias is the same for each row",
            "test_gemm_transposeA": "a row of the layer's inputs is an example",
            "test_gemm_alpha": "the layer has no factor",
            "test_gemm_beta": "the layer has no factor",
            "test_gemm_all_attributes": "the layer has no factors, and a row of its inputs is an example",
        },
    ),
    "BatchNormalization": (batch_norm, {}),
    "LayerNormalization": (layer_norm, {}),
    "Conv": (
        conv2d,
        {
            "test_conv_with_strides_and_asymmetric_padding": "the layer's padding is the same on all sides",
            "test_conv_with_autopad_same": "the layer's padding is given as a number",
        },
    ),
    "MaxPool": (
        pool(MaxPool2d),
        {
            "test_maxpool_1d_default": ONE_D_OR_3D,
            "test_maxpool_3d_default": ONE_D_OR_3D,
            "test_maxpool_2d_uint8": "a network has no integers",
            "test_maxpool_2d_precomputed_pads": PADDING,
            "test_maxpool_with_argmax_2d_precomputed_pads": PADDING,
            "test_maxpool_2d_precomputed_same_upper": PADDING,
            "test_maxpool_2d_same_upper": PADDING,
            "test_maxpool_2d_same_lower": PADDING,
            "test_maxpool_2d_pads": PADDING,
            "test_maxpool_2d_ceil": "the layer leaves out patches that end outside",
            "test_maxpool_2d_dilations": "the layer's patches have no holes",
            "test_maxpool_3d_dilations": ONE_D_OR_3D,
            "test_maxpool_3d_dilations_use_ref_impl": ONE_D_OR_3D,
            "test_maxpool_3d_dilations_use_ref_impl_large": ONE_D_OR_3D,
        },
    ),
    "AveragePool": (
        pool(AveragePool2d),
        {
            "test_averagepool_1d_default": ONE_D_OR_3D,
            "test_averagepool_3d_default": ONE_D_OR_3D,
            "test_averagepool_2d_precomputed_pads": PADDING,
            "test_averagepool_2d_precomputed_pads_count_include_pad": PADDING,
            "test_averagepool_2d_precomputed_same_upper": PADDING,
            "test_averagepool_2d_same_upper": PADDING,
            "test_averagepool_2d_same_lower": PADDING,
            "test_averagepool_2d_pads": PADDING,
            "test_averagepool_2d_pads_count_include_pad": PADDING,
            "test_averagepool_2d_ceil": "the layer leaves out patches that end outside",
            "test_averagepool_2d_ceil_last_window_starts_on_pad": PADDING,
            "test_averagepool_2d_dilations": LATER,
            "test_averagepool_3d_dilations_small": LATER,
            "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": LATER,
            "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": LATER,
            "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": LATER,
            "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": LATER,
        },
    ),
    "Softmax": (
        softmax,
        {
            "test_softmax_axis_0": "the loss takes logits along the last axis",
            "test_softmax_axis_1": "the loss takes logits along the last axis",
        },
    ),
    "Flatten": (
        plain(Flatten),
        {
            "test_flatten_axis0": "the layer keeps the first axis",
            "test_flatten_axis2": "the layer keeps the first axis only",
            "test_flatten_axis3": "the layer keeps the first axis only",
            "test_flatten_negative_axis1": "the layer keeps the first axis only",
            "test_flatten_negative_axis2": "the layer keeps the first axis only",
            "test_flatten_negative_axis4": "the layer keeps the first axis",
        },
    ),
}
"""For each operator what builds the layer for a vector, and why some vectors are not for the layer, by their name."""


def computed(build: Callable[[Vector], Built], vector: Vector) -> tuple[Layer | Loss, np.ndarray, np.ndarray]:
    """Return a layer or a loss, its inputs, and what it makes of them."""
    operation, x, arrays = build(vector)
    standalone(operation, x.shape[1:], dtype=x.dtype)
    operation.training = bool(vector.attributes.get("training_mode", 0))
    held: dict[str, Any] = {
        each.name: each for each in (*operation.declared_parameters(), *operation.declared_states())
    }
    assert set(held) == set(arrays)
    for name, array in arrays.items():
        held[name].value[...] = array
    y = operation.predict(x) if isinstance(operation, SoftmaxWithLoss) else operation.forward(x)
    return operation, x, y.reshape(vector.output.shape)


def described(operation: Layer | Loss, x: np.ndarray) -> np.ndarray:
    """Return what the operators compute that a layer or a loss describes itself by."""
    graph = Graph(x.dtype)
    y = graph.describe(operation, graph.feed("x", x.dtype.name, x.shape[1:]))
    return evaluate(graph, {"x": x})[y.name]


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_layer_does_what_onnx_says(operator):
    build, left_out = OPERATORS[operator]
    found = {vector.name: vector for vector in vectors_of(operator)}
    assert set(left_out) <= set(found)
    for vector in found.values():
        if vector.name not in left_out:
            operation, x, y = computed(build, vector)
            np.testing.assert_allclose(y, vector.output, rtol=1e-5, atol=1e-6, err_msg=vector.name)
            if not operation.training:
                y = described(operation, x).reshape(vector.output.shape)
                np.testing.assert_allclose(y, vector.output, rtol=1e-5, atol=1e-6, err_msg=vector.name)


def test_most_vectors_are_run():
    left_out = sum(len(names) for _, names in OPERATORS.values())
    found = sum(len(vectors_of(operator)) for operator in OPERATORS)
    assert found - left_out >= 60
