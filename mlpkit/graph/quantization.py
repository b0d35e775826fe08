"""Weights of products rounded to 8-bit integers, with a scale for each output unit."""

from __future__ import annotations

from copy import deepcopy
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.graph import Graph, Node
from mlpkit.errors import NotExportableError
from mlpkit.graph.model_graph import network_graph
from mlpkit.network.sequential import Sequential

Quantization: TypeAlias = Literal["int8"]
"""The types that weights can be rounded to."""

PRODUCTS: Final = ("Gemm", "MatMul", "Conv")
"""The operators whose weights, their second input, are rounded."""

LARGEST: Final = 127

SCALE_BITS: Final = 24 - 7
"""Bits of a scale: those of float32 less those of an integer, so that their product isn't rounded again."""


class Int8Weights(NamedTuple):
    """Weights W = q s.

    Args:
        numbers: q, 8-bit integers.
        scales: s, a float32 for each output unit, with as many axes as q.
    """

    numbers: NDArray[np.int8]
    scales: NDArray[np.float32]

    @property
    def values(self) -> NDArray[np.float32]:
        """W, in float32."""
        return self.numbers * self.scales


def int8_weights(weights: Array, axis: int) -> Int8Weights:
    """Return weights rounded to q s, with q = round(W / s) and s = max |W| / 127 of each output unit.

    s is rounded up to 17 bits. So q s is exact in float32, and rounding it again gives the same q and s.
    """
    others = tuple(each for each in range(weights.ndim) if each != axis)
    mantissa, exponent = np.frexp(np.abs(weights.astype(np.float64)).max(axis=others, keepdims=True) / LARGEST)
    scales = np.ldexp(np.ceil(np.ldexp(mantissa, SCALE_BITS)), exponent - SCALE_BITS).astype(np.float32)
    quotients = np.divide(weights, scales, out=np.zeros(weights.shape), where=scales > 0, dtype=np.float64)
    return Int8Weights(np.rint(quotients).clip(-LARGEST, LARGEST).astype(np.int8), scales)


def exact_int8_weights(weights: Array, axis: int) -> Int8Weights | None:
    """Return weights as q s, or None if that would change a weight.

    Args:
        weights: finite numbers.
        axis: the axis of the output units.
    """
    rounded = int8_weights(weights, axis)
    return rounded if np.array_equal(rounded.values, weights) else None


def with_int8_weights(network: Sequential) -> tuple[Sequential, tuple[str, ...]]:
    """Return a copy of a network with rounded weights, and the names of the rounded parameters.

    The parameters that products of the network's graph take as their weights are rounded. A network without such
    parameters, or one whose products take them in another order, is a ``NotExportableError``.
    """
    rounded = deepcopy(network)
    graph = network_graph(rounded)
    products = [node for node in graph.nodes if _is_product(node, graph) and node.inputs[1] in rounded.parameters]
    if not products:
        raise NotExportableError(f"the network has no weights to round, of {', '.join(PRODUCTS)}; leave out quantize")
    for node in products:
        parameter, constant = rounded.parameters[node.inputs[1]], graph.constants[node.inputs[1]]
        values = int8_weights(constant, _output_axis(node)).values
        if values.size == parameter.size:
            parameter[...] = values.reshape(parameter.shape)
    _require_rounded(products, network_graph(rounded))
    return rounded, tuple(dict.fromkeys(node.inputs[1] for node in products))


def _is_product(node: Node, graph: Graph) -> bool:
    """Return whether an operator multiplies by a constant matrix or constant filters."""
    if node.operator not in PRODUCTS:
        return False
    weights = graph.constants.get(node.inputs[1])
    return weights is not None and (weights.ndim == 2 or node.operator == "Conv")


def _output_axis(node: Node) -> int:
    """Return the axis of the output units in a product's weights."""
    return 0 if node.operator == "Conv" or node.attributes.get("transB", 0) else 1


def _require_rounded(products: list[Node], graph: Graph) -> None:
    """Raise ``NotExportableError`` if products don't take rounded weights after the parameters were rounded."""
    for node in products:
        path = node.inputs[1]
        if exact_int8_weights(graph.constants[path], _output_axis(node)) is None:
            raise NotExportableError(
                f"{node.made_by} gives {node.operator} other numbers for {path} than those of the parameter, so they "
                "can't be rounded; leave out quantize, or give the operator the parameter itself",
                node.made_by,
            )
