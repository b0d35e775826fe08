"""Products of an example and weights, and patches of images."""

from __future__ import annotations

from math import prod

import numpy as np

from mlpkit import Array
from mlpkit.graph import Int8Weights, exact_int8_weights
from mlpkit_plugins.exporters.c.elementwise import assigned
from mlpkit_plugins.exporters.c.step import Operand, Step
from mlpkit_plugins.exporters.c.syntax import INDENT


def gemm(step: Step) -> list[str]:
    """Return A B + C, with B transposed if ``transB`` is set."""
    step.check(alpha=1, beta=1, transA=0)
    x, weights = step.floats(), step.fixed(1)
    transposed = step.node.attributes.get("transB", 0)
    name = step.array("transposed", weights.T) if transposed else step.input(1).name
    lines = _products(step, x, weights.T if transposed else weights, name)
    if not step.has(2):
        return lines
    bias, y = step.input(2), step.output
    if bias.constant is not None and bias.size == y.size:
        return [*lines, f"add_bias({y.pointer}, {bias.name}, {y.size}, 1);"]
    return lines + assigned(step, [y, bias], lambda elements: f"{elements[0]} + {elements[1]}")


def matmul(step: Step) -> list[str]:
    """Return A B, where B is a constant matrix, or a constant matrix for each matrix of A."""
    x, weights = step.floats(), step.fixed(1)
    if weights.ndim == 3 and x.shape[:-1] == (len(weights), 1):
        return _products_of_matrices(step, x, weights)
    if weights.ndim != 2:
        raise step.refused(f"with an array of {weights.ndim} axes as its second input")
    return _products(step, x, weights, step.input(1).name)


def _products_of_matrices(step: Step, x: Operand, weights: Array) -> list[str]:
    """Return the product of each matrix of x, which has one row, and its matrix of weights."""
    _check_finite(step, weights)
    matrices, inputs, outputs = weights.shape
    step.multiplications = weights.size
    left, right, y = f"{x.name} + {inputs} * i", f"{step.input(1).name} + {inputs * outputs} * i", step.output.name
    call = f"dense({left}, {right}, {y} + {outputs} * i, {inputs}, {outputs});"
    return [f"for (size_t i = 0; i < {matrices}; i++) {{", f"{INDENT}{call}", "}"]


def _products(step: Step, x: Operand, weights: Array, name: str) -> list[str]:
    """Return the products of each row of x and the weights."""
    _check_finite(step, weights)
    inputs, outputs = weights.shape
    rows, y = x.size // inputs, step.output
    step.multiplications = rows * weights.size
    function, int8 = "dense", _int8_weights(step, weights, axis=1)
    if int8 is not None:
        function, name = "dense_int8", _named(step, int8)
    if rows == 1:
        return [f"{function}({x.pointer}, {name}, {y.pointer}, {inputs}, {outputs});"]
    call = f"{function}({x.name} + {inputs} * i, {name}, {y.name} + {outputs} * i, {inputs}, {outputs});"
    return [f"for (size_t i = 0; i < {rows}; i++) {{", f"    {call}", "}"]


def _int8_weights(step: Step, weights: Array, axis: int) -> Int8Weights | None:
    """Return weights as integers with scales, if the model is quantized and they are exact; otherwise None."""
    return exact_int8_weights(weights, axis) if step.quantized else None


def _named(step: Step, weights: Int8Weights) -> str:
    """Add integers and scales to the file, and return their names."""
    return f"{step.array('int8', weights.numbers)}, {step.array('scales', weights.scales)}"


def _check_finite(step: Step, weights: Array) -> None:
    """Check that weights are finite, since products with zeros are left out.

    Raises:
        NotExportableError: a weight is infinite or NaN.
    """
    if not np.isfinite(weights).all():
        raise step.refused("with a weight that is infinite or not a number")


def conv(step: Step) -> list[str]:
    """Return the convolution of images with rectangular patches."""
    step.check(auto_pad="NOTSET", dilations=[1, 1], group=1)
    x, weights, y = step.floats(), step.fixed(1), step.output
    if weights.ndim != 4:
        raise step.refused(f"on arrays of {weights.ndim} axes")
    _check_finite(step, weights)
    by_column = weights.transpose(0, 3, 1, 2)
    step.multiplications = weights.size * prod(y.shape[1:])
    images, to = f"{x.pointer}, {_images(x)}", f"{y.pointer}, {_size(y)}, {_patches(step, weights.shape[2:])}"
    int8 = _int8_weights(step, by_column, axis=0)
    if int8 is None:
        lines = [f"convolve({images}, {step.array('by_column', by_column)}, {to});"]
    else:
        call = f"convolve_int8({images}, {_named(step, int8)}, {to}, unpacked);"
        lines = ["{", f"{INDENT}float unpacked[{weights[0].size}];", f"{INDENT}{call}", "}"]
        step.stack = weights[0].nbytes
    if step.has(2):
        name = step.array("bias", step.fixed(2))
        lines.append(f"add_bias({y.pointer}, {name}, {y.shape[0]}, {prod(y.shape[1:])});")
    return lines


def max_pool(step: Step) -> list[str]:
    """Return the largest pixel of each patch."""
    step.check(auto_pad="NOTSET", ceil_mode=0, dilations=[1, 1])
    return _pooled(step, "largest_pixel")


def average_pool(step: Step) -> list[str]:
    """Return the mean pixel of each patch."""
    step.check(auto_pad="NOTSET", ceil_mode=0, pads=[0, 0, 0, 0])
    return _pooled(step, "mean_pixel")


def _pooled(step: Step, function: str) -> list[str]:
    x, y, size = step.floats(), step.output, step.node.attributes["kernel_shape"]
    if len(size) != 2:
        raise step.refused(f"on arrays of {2 + len(size)} axes")
    return [f"pool({x.pointer}, {_images(x)}, {y.pointer}, {_size(y)}, {_patches(step, size)}, {function});"]


def _images(x: Operand) -> str:
    return _size(x)


def _size(x: Operand) -> str:
    return f"(Images){{{', '.join(map(str, x.shape))}}}"


def _patches(step: Step, size: tuple[int, ...]) -> str:
    strides = step.node.attributes.get("strides", [1, 1])
    above, left = step.node.attributes.get("pads", [0, 0, 0, 0])[:2]
    return f"(Patches){{{', '.join(map(str, (*size, *strides, above, left)))}}}"
