"""A small reference evaluator: what a graph computes, in NumPy, operator by operator.

Each function follows the operator's page in ONNX's documentation, for opset 17. Exporters take shapes and dtypes of
values from it, and conformance compares it with ``forward`` and ``predict``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

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


OPERATORS: Final[dict[tuple[str, str], Operator]] = {
    ("", "Add"): np.add,
    ("", "Gemm"): gemm,
    ("", "Mul"): np.multiply,
    ("", "Exp"): np.exp,
    ("", "Relu"): relu,
    ("", "Softmax"): softmax,
}
"""The operators that mlpkit knows, by domain and name."""
