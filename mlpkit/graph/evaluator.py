"""A small reference evaluator, which computes a graph in NumPy, operator by operator.

Exporters take shapes and dtypes from it, and the conformance checks compare it with ``forward`` and ``predict``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.graph import Graph, Node
from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import NotExportableError
from mlpkit.graph.operators import OPERATORS

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
