"""The test vectors of the onnx package: for each operator, inputs, attributes and outputs as its standard has them."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Vector(NamedTuple):
    """One use of an operator.

    Args:
        name: its name in the onnx package, such as ``test_gemm_alpha``.
        attributes: the operator's attributes, as in ``graph.op``.
        inputs: the operator's inputs; None for an optional one that is left out.
        output: its first output.
    """

    name: str
    attributes: dict[str, Any]
    inputs: tuple[NDArray[Any] | None, ...]
    output: NDArray[Any]


def vectors_of(operator: str, domain: str = "") -> list[Vector]:
    """Return the vectors of an operator, as of opset 17."""
    return [_as_of_opset_17(operator, vector) for vector in _all_vectors()[domain, operator]]


@cache
def _all_vectors() -> dict[tuple[str, str], list[Vector]]:
    """Return all vectors of a single operator, by its domain and name; collecting them takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some vectors overflow on purpose while they are made
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases()
    found: dict[tuple[str, str], list[Vector]] = {}
    for case in cases:
        nodes = case.model.graph.node
        if len(nodes) == 1 and case.data_sets and not case.name.endswith("_expanded"):
            found.setdefault((nodes[0].domain, nodes[0].op_type), []).append(_vector(case, nodes[0]))
    return found


def _vector(case: Any, node: Any) -> Vector:
    ((inputs, outputs),) = case.data_sets
    given = iter(inputs)
    arrays = tuple(_array(next(given)) if name else None for name in node.input)
    return Vector(case.name, {each.name: _value(each) for each in node.attribute}, arrays, _array(outputs[0]))


def _value(attribute: Any) -> Any:
    from onnx import helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [each.decode() if isinstance(each, bytes) else each for each in value]
    return numpy_helper.to_array(value) if hasattr(value, "data_type") else value


def _array(array: Any) -> Any:
    if hasattr(array, "data_type"):
        from onnx import numpy_helper

        array = numpy_helper.to_array(array)
    if not isinstance(array, np.ndarray | np.generic):
        return array  # a sequence or an optional
    return np.asarray(array).astype(np.str_) if array.dtype == object else np.asarray(array)


def _as_of_opset_17(operator: str, vector: Vector) -> Vector:
    """Return a vector with the axes of a reduction as an attribute, which they were before opset 18."""
    if not operator.startswith("Reduce") or operator == "ReduceSum":
        return vector
    x, *axes = vector.inputs
    attributes = {name: value for name, value in vector.attributes.items() if name != "noop_with_empty_axes"}
    if axes and axes[0] is not None and len(axes[0]):
        attributes["axes"] = axes[0].tolist()
    return vector._replace(inputs=(x,), attributes=attributes)
