"""A small reference evaluator: ONNX's operators of opset 17 in NumPy, a function each, and the computation of a graph.

Exporters take shapes and dtypes from it, and the conformance checks compare it with ``forward`` and ``predict``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mlpkit.array import Array
from mlpkit.components.graph import ML_DOMAIN, Graph, Node
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import NotExportableError

DTYPES: Final = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    4: np.uint16,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    8: np.str_,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    12: np.uint32,
    13: np.uint64,
}
"""NumPy's types, by their numbers in ONNX."""


def divide(a: Array, b: Array) -> Array:
    """Return a / b; the quotient of integers is truncated towards 0."""
    if a.dtype.kind == "f":
        return a / b
    quotient: Array = np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
    return quotient.astype(a.dtype)


def power(x: Array, exponent: Array) -> Array:
    """Return x to the power of the exponent, with x's type."""
    y: Array = np.power(x, exponent).astype(x.dtype)
    return y


def clip(x: Array, least: Array | None = None, greatest: Array | None = None) -> Array:
    """Return min(max(x, least), greatest), where either limit may be left out."""
    y = x if least is None else np.maximum(x, least)
    return y if greatest is None else np.minimum(y, greatest)


def in_double_precision(function: np.ufunc) -> Callable[..., Array]:
    """Return an operator that computes a function in double precision, and rounds."""
    return lambda x: function(x, dtype=np.float64).astype(x.dtype)


def erf(x: Array) -> Array:
    """Return 2 / √π times the integral of exp(-t²) from 0 to x."""
    y: Array = np.vectorize(math.erf, otypes=[x.dtype])(x)
    return y


def cast(x: Array, *, to: int) -> Array:
    """Convert x to another type; texts are parsed, and numbers become texts."""
    return x.astype(DTYPES[to])


def leaky_relu(x: Array, *, alpha: float | Array = 0.01) -> Array:
    """Return x where x >= 0, else alpha x."""
    return np.where(x >= 0, x, alpha * x)


def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """Return x where x >= 0, else alpha (exp(x) - 1)."""
    return np.where(x >= 0, x, alpha * np.expm1(x))


def selu(x: Array, *, alpha: float = 1.6732632423543772, gamma: float = 1.0507009873554805) -> Array:
    """Return gamma x where x > 0, else gamma alpha (exp(x) - 1)."""
    y: Array = gamma * np.where(x > 0, x, alpha * np.expm1(x))
    return y


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), as exp(min(x, 0)) / (1 + exp(-|x|)), which never overflows."""
    y: Array = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
    return y


def hard_sigmoid(x: Array, *, alpha: float = 0.2, beta: float = 0.5) -> Array:
    """Return alpha x + beta, but at least 0 and at most 1."""
    return np.clip(alpha * x + beta, 0, 1)


def hard_swish(x: Array) -> Array:
    """Return x times the hard sigmoid with alpha 1/6 and beta 1/2."""
    return x * hard_sigmoid(x, alpha=1 / 6, beta=0.5)


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)), which never overflows."""
    y: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y


def softsign(x: Array) -> Array:
    """Return x / (1 + |x|)."""
    y: Array = x / (1 + np.abs(x))
    return y


def softmax(x: Array, *, axis: int = -1) -> Array:
    """Return exp(x - max x) / Σ exp(x - max x) along an axis."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    y: Array = e / e.sum(axis=axis, keepdims=True)
    return y


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """Return x - max x - log Σ exp(x - max x) along an axis."""
    shifted = x - x.max(axis=axis, keepdims=True)
    y: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return y


def reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return an operator that reduces the axes in its attribute ``axes``, by default all, with a function of NumPy."""

    def reduce(x: Array, *, axes: Sequence[int] | None = None, keepdims: int = 1) -> Array:
        y: Array = function(x, axis=None if axes is None else tuple(axes), keepdims=bool(keepdims))
        return y.astype(x.dtype)

    return reduce


def reduce_sum(x: Array, axes: Array | None = None, *, keepdims: int = 1) -> Array:
    """Return Σ x along axes, by default all."""
    along = tuple(axes) if axes is not None and len(axes) else None
    y: Array = x.sum(axis=along, keepdims=bool(keepdims), dtype=x.dtype)
    return y


def arg_max(x: Array, *, axis: int = 0, keepdims: int = 1) -> Array:
    """Return the position of the first largest element along an axis."""
    return np.asarray(x.argmax(axis=axis, keepdims=bool(keepdims)))


def flatten(x: Array, *, axis: int = 1) -> Array:
    """Return x as a matrix: axes before ``axis`` become the rows, the rest the columns."""
    axis = axis % x.ndim if axis < 0 else axis
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


def reshape(x: Array, shape: Array) -> Array:
    """Return x in another shape, where -1 is inferred, and 0 keeps x's length on that axis."""
    return x.reshape([int(length) or x.shape[axis] for axis, length in enumerate(shape)])


def take_slice(x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None) -> Array:
    """Return the part of x from start to end along each of the axes, in steps."""
    of_axis = [slice(None)] * x.ndim
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        axis = i if axes is None else int(axes[i])
        step = 1 if steps is None else int(steps[i])
        before_first = step < 0 and end < -x.shape[axis]
        of_axis[axis] = slice(start, None if before_first else end, step)
    return x[tuple(of_axis)]


def pad(x: Array, pads: Array, value: Array | None = None, *, mode: str = "constant") -> Array:
    """Add elements around x, or remove them where a number is negative.

    The numbers are those before each axis, followed by those after each; the mode is one of ``numpy.pad``.
    """
    before, after = np.split(pads.astype(int), 2)
    inside = tuple(slice(max(-b, 0), n - max(-a, 0)) for b, a, n in zip(before, after, x.shape, strict=True))
    widths = list(zip(np.maximum(before, 0), np.maximum(after, 0), strict=True))
    if mode != "constant":
        return np.pad(x[inside], widths, mode=mode)  # type: ignore[call-overload, no-any-return]
    return np.pad(x[inside], widths, constant_values=0 if value is None else value.item())


def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Array:
    """Return alpha A B + beta C, with A and B transposed as requested."""
    y = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return (y if c is None else y + beta * c).astype(a.dtype)


def conv(
    x: Array, w: Array, b: Array | None = None, *, group: int = 1, kernel_shape: Sequence[int] | None = None, **how: Any
) -> Array:
    """Return y[k] = b[k] + Σ W[k] x, over each patch of x with zeros around it.

    x has shape (rows, channels, ...), and w (filters, channels of a group, *patch).
    """
    axes = w.ndim - 2
    of_patch, of_filter = (1, *range(-axes, 0)), tuple(range(1, w.ndim))
    groups = zip(np.split(patches(x, w.shape[2:], **how), group, axis=1), np.split(w, group), strict=True)
    y = np.concatenate([np.tensordot(part, filters, (of_patch, of_filter)) for part, filters in groups], axis=-1)
    y = np.moveaxis(y, -1, 1)
    return y if b is None else y + b.reshape(-1, *[1] * axes)


def max_pool(x: Array, *, kernel_shape: Sequence[int], **how: Any) -> Array:
    """Return the largest element of each patch."""
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y: Array = patches(x, kernel_shape, around=least, **how).max(axis=_of_patch(kernel_shape))
    return y


def average_pool(x: Array, *, kernel_shape: Sequence[int], **how: Any) -> Array:
    """Return the mean of each patch, without padding."""
    along = _of_patch(kernel_shape)
    counts = patches(np.ones_like(x), kernel_shape, **how).sum(axis=along)
    y: Array = patches(x, kernel_shape, **how).sum(axis=along) / counts
    return y


def global_average_pool(x: Array) -> Array:
    """Return the mean of each channel."""
    y: Array = x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)
    return y


def patches(
    x: Array,
    kernel: Sequence[int],
    *,
    around: float = 0,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Array:
    """Return the patches of images of shape (rows, channels, ...), shape (rows, channels, *places, *kernel).

    ``around`` is the value of the padding around the images. The rest are attributes of ONNX's convolution and pooling.
    """
    axes = range(len(kernel))
    ones = [1] * len(kernel)
    dilations, strides, pads = dilations or ones, strides or ones, pads or [0] * 2 * len(kernel)
    spans = [(kernel[i] - 1) * dilations[i] + 1 for i in axes]
    padding = [(0, 0), (0, 0), *((pads[i], pads[i + len(kernel)]) for i in axes)]
    windows: Array = sliding_window_view(np.pad(x, padding, constant_values=around), spans, tuple(range(2, x.ndim)))
    places = tuple(slice(None, None, stride) for stride in strides)
    elements = tuple(slice(None, None, dilation) for dilation in dilations)
    return windows[(slice(None), slice(None), *places, *elements)]


def _of_patch(kernel: Sequence[int]) -> tuple[int, ...]:
    return tuple(range(-len(kernel), 0))


def batch_normalization(
    x: Array, scale: Array, b: Array, mean: Array, variance: Array, *, epsilon: float = 1e-5, momentum: float = 0.9
) -> Array:
    """Return scale (x - mean) / √(variance + epsilon) + b, with given statistics of each channel."""
    scale, b, mean, variance = (each.reshape(-1, *[1] * (x.ndim - 2)) for each in (scale, b, mean, variance))
    y: Array = scale * (x - mean) / np.sqrt(variance + epsilon) + b
    return y


def layer_normalization(
    x: Array, scale: Array, b: Array | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Array:
    """Return scale (x - mean x) / √(variance of x + epsilon) + b, over the axes from ``axis`` to the last."""
    axes = tuple(range(axis % x.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    y: Array = scale * (centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon))
    return y if b is None else y + b


TYPES: Final = {"floats": np.float32, "int64s": np.int64, "strings": np.str_}
"""The types of keys and values, by the endings of attributes."""

DEFAULTS: Final = {
    "floats": ("default_float", -0.0),
    "int64s": ("default_int64", -1),
    "strings": ("default_string", "_Unused"),
}
"""The attribute with the value for elements that aren't keys, and its default."""


def label_encoder(x: Array, **attributes: Any) -> Array:
    """Replace each element, which is a key, by its value; other elements by a default.

    The keys are in the attribute ``keys_floats``, ``keys_int64s`` or ``keys_strings``, as many values in
    ``values_floats`` and so on, and the default in ``default_float``, ``default_int64`` or ``default_string``.
    """
    (of_keys,) = (each for each in TYPES if f"keys_{each}" in attributes)
    (of_values,) = (each for each in TYPES if f"values_{each}" in attributes)
    keys = np.array(attributes[f"keys_{of_keys}"], TYPES[of_keys]).tolist()
    values = attributes[f"values_{of_values}"]
    default = attributes.get(*DEFAULTS[of_values])
    value_of = {_lookup_key(key): value for key, value in zip(keys, values, strict=True)}
    encoded = [value_of.get(_lookup_key(element), default) for element in x.ravel().tolist()]
    return np.array(encoded, TYPES[of_values]).reshape(x.shape)


def _lookup_key(element: Any) -> Any:
    """Return the key for an element in a dictionary: the element itself, or None for NaN, which equals nothing."""
    return element if element == element else None  # noqa: PLR0124


OF_ONNX: Final[dict[str, Callable[..., Array]]] = {
    "Abs": np.abs,
    "Add": np.add,
    "And": np.logical_and,
    "ArgMax": arg_max,
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": cast,
    "Ceil": np.ceil,
    "Clip": clip,
    "Concat": lambda *inputs, axis: np.concatenate(inputs, axis),
    "Conv": conv,
    "Cos": in_double_precision(np.cos),
    "Div": divide,
    "Elu": elu,
    "Equal": np.equal,
    "Erf": erf,
    "Exp": np.exp,
    "Expand": lambda x, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape))),
    "Flatten": flatten,
    "Floor": np.floor,
    "Gather": lambda x, indices, *, axis=0: np.take(x, indices, axis),
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "Identity": np.asarray,
    "IsNaN": np.isnan,
    "LayerNormalization": layer_normalization,
    "LeakyRelu": leaky_relu,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "LogSoftmax": log_softmax,
    "MatMul": np.matmul,
    "Max": lambda *inputs: reduce(np.maximum, inputs),
    "MaxPool": max_pool,
    "Min": lambda *inputs: reduce(np.minimum, inputs),
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "Or": np.logical_or,
    "PRelu": lambda x, slope: leaky_relu(x, alpha=slope),
    "Pad": pad,
    "Pow": power,
    "Reciprocal": np.reciprocal,
    "ReduceMax": reduction(np.max),
    "ReduceMean": reduction(np.mean),
    "ReduceMin": reduction(np.min),
    "ReduceSum": reduce_sum,
    "Relu": lambda x: np.maximum(x, 0),
    "Reshape": reshape,
    "Round": np.rint,
    "Selu": selu,
    "Sigmoid": sigmoid,
    "Sign": np.sign,
    "Sin": in_double_precision(np.sin),
    "Slice": take_slice,
    "Softmax": softmax,
    "Softplus": softplus,
    "Softsign": softsign,
    "Sqrt": np.sqrt,
    "Squeeze": lambda x, axes=None: np.squeeze(x, None if axes is None else tuple(axes)),
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "Tile": np.tile,
    "Transpose": lambda x, *, perm=None: np.transpose(x, perm),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)),
    "Where": np.where,
}
"""The operators of ONNX's own domain, by name."""

OPERATORS: Final[dict[tuple[str, str], Callable[..., Array]]] = {
    **{("", name): function for name, function in OF_ONNX.items()},
    (ML_DOMAIN, "LabelEncoder"): label_encoder,
}
"""The operators that mlpkit supports, by domain and name; the engines in C and JavaScript support the same."""

OF_MIXED_TYPES: Final = frozenset(
    {"Expand", "Gather", "Pad", "Pow", "ReduceSum", "Reshape", "Slice", "Squeeze", "Tile", "Unsqueeze", "Where"}
)
"""The operators whose inputs may have different types; the inputs of all others must have the same type."""


def evaluate(graph: Graph, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Compute every value of a graph, by name; outputs also by their output names.

    Args:
        graph: the graph.
        feeds: an array for each raw input, all with the same number of rows.

    Raises:
        NotExportableError: the graph uses an operator that mlpkit doesn't know, or one that can't take its inputs.
    """
    values = {**graph.constants, **feeds}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            inputs = [values[name] if name else None for name in node.inputs]
            values[node.outputs[0]] = _compute(node, inputs)
    return {**values, **{name: values[value.name] for name, value in graph.outputs.items()}}


def _compute(node: Node, inputs: Sequence[Array | None]) -> Array:
    operator = operator_of(node)
    types = {"texts" if each.dtype.kind == "U" else each.dtype.name for each in inputs if each is not None}
    if len(types) > 1 and node.operator not in OF_MIXED_TYPES:
        raise NotExportableError(
            f"{node.made_by} gives {node.operator} inputs of {' and '.join(sorted(types))}; expected one type, as in "
            "ONNX; write 2.0 for 2, or convert one with Cast",
            node.made_by,
        )
    try:
        return np.asarray(operator(*inputs, **node.attributes))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        message = f"{node.made_by} uses {node.operator} in a way that fails: {error}"
        raise NotExportableError(message, node.made_by) from error


def operator_of(node: Node) -> Callable[..., Array]:
    """Return the function that computes a node.

    Raises:
        NotExportableError: mlpkit doesn't know the operator.
    """
    try:
        return OPERATORS[node.domain, node.operator]
    except KeyError:
        names = [operator for _, operator in OPERATORS]
        raise NotExportableError(
            f"{node.made_by} uses the operator {node.operator}, which mlpkit doesn't know; "
            + (did_you_mean(node.operator, names) or "expected an operator listed in the reference"),
            node.made_by,
        ) from None
