"""A small reference evaluator: what a graph computes, in NumPy, operator by operator.

Each function follows the operator's page in ONNX's documentation, for opset 17. Exporters take shapes and dtypes of
values from it, and conformance compares it with ``forward`` and ``predict``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.graph import ML_DOMAIN
from mlpkit.errors import NotExportableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mlpkit.components.graph import Graph, Node

    Array = NDArray[Any]
    Operator = Callable[..., Array]


def evaluate(graph: Graph, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Return every value of a graph, by name, and its outputs by the names they leave with.

    Args:
        graph: the graph.
        feeds: an array for each of its raw inputs, all with as many rows.

    Raises:
        NotExportableError: the graph uses an operator that mlpkit doesn't know.
    """
    values = {**graph.constants, **feeds}
    for node in graph.nodes:
        inputs = [values[name] if name else None for name in node.inputs]
        values[node.outputs[0]] = _operator(node)(*inputs, **node.attributes)
    return {**values, **{name: values[value.name] for name, value in graph.outputs.items()}}


def _operator(node: Node) -> Operator:
    try:
        return OPERATORS[node.domain, node.operator]
    except KeyError:
        raise NotExportableError(
            f"{node.made_by} uses the operator {node.operator}, which mlpkit doesn't know; expected one of "
            + ", ".join(sorted(operator for _, operator in OPERATORS))
        ) from None


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
    """Return alpha A B + beta C, A and B transposed if that is said."""
    y = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return y.astype(a.dtype) if c is None else (y + beta * c).astype(a.dtype)


def relu(x: Array) -> Array:
    """Return max(x, 0)."""
    return np.maximum(x, 0)


def softmax(x: Array, *, axis: int = -1) -> Array:
    """Return exp(x - max x) / Σ exp(x - max x) along an axis."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    y: Array = e / e.sum(axis=axis, keepdims=True)
    return y


def cast(x: Array, *, to: int) -> Array:
    """Return the same in another dtype: float32 (1), uint8 (2), int64 (7), truth values (9) or float64 (11)."""
    with np.errstate(invalid="ignore"):  # NaN has no integer
        return x.astype(_DTYPES[to])


_DTYPES: Final = {1: np.float32, 2: np.uint8, 7: np.int64, 9: np.bool_, 11: np.float64}


def flatten(x: Array, *, axis: int = 1) -> Array:
    """Return x with the axes before ``axis`` as one, and the others as one."""
    return x.reshape(int(np.prod(x.shape[:axis])), -1)


def arg_max(x: Array, *, axis: int = 0, keepdims: int = 1) -> Array:
    """Return the position of the first largest number along an axis."""
    position: Array = x.argmax(axis=axis, keepdims=bool(keepdims))
    return position


def concat(*arrays: Array, axis: int) -> Array:
    """Return arrays side by side along an axis."""
    return np.concatenate(arrays, axis=axis)


def divide(a: Array, b: Array) -> Array:
    """Return a / b; of integers, rounded toward zero."""
    if a.dtype.kind == "f":
        return np.divide(a, b)
    quotient: Array = np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
    return quotient


def unsqueeze(x: Array, axes: Array) -> Array:
    """Return x with axes of length 1 put in."""
    return np.expand_dims(x, tuple(axes.tolist()))


def label_encoder(x: Array, **attributes: Any) -> Array:
    """Return what keys stand for: of the attributes ``keys_X`` and ``values_Y``, and ``default_Y`` for other keys."""
    (keys,) = (found for name, found in attributes.items() if name.startswith("keys_"))
    (values,) = (found for name, found in attributes.items() if name.startswith("values_"))
    (default,) = (found for name, found in attributes.items() if name.startswith("default_"))
    known = dict(zip(keys, values, strict=True))
    dtype = np.int64 if isinstance(default, int) else np.float32 if isinstance(default, float) else object
    found: Array = np.array([known.get(key, default) for key in x.ravel().tolist()], dtype)
    return found.reshape(x.shape)


OPERATORS: Final[dict[tuple[str, str], Operator]] = {
    ("", "Add"): np.add,
    ("", "ArgMax"): arg_max,
    ("", "Cast"): cast,
    ("", "Concat"): concat,
    ("", "Div"): divide,
    ("", "Equal"): np.equal,
    ("", "Flatten"): flatten,
    ("", "Floor"): np.floor,
    ("", "GreaterOrEqual"): np.greater_equal,
    ("", "IsNaN"): np.isnan,
    ("", "Less"): np.less,
    ("", "Sub"): np.subtract,
    ("", "Unsqueeze"): unsqueeze,
    ("", "Where"): np.where,
    (ML_DOMAIN, "LabelEncoder"): label_encoder,
    ("", "Gemm"): gemm,
    ("", "Mul"): np.multiply,
    ("", "Exp"): np.exp,
    ("", "Relu"): relu,
    ("", "Softmax"): softmax,
}
"""The operators that mlpkit knows, by domain and name."""
