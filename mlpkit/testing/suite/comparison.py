"""Compares named arrays and outputs of graphs; the message shows which arrays differ and by how much."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlpkit.array import Array
from mlpkit.components.graph import Graph
from mlpkit.errors import NotExportableError
from mlpkit.graph.evaluator import evaluate
from mlpkit.testing.suite.check import CheckFailure

Arrays = dict[str, "Array"]


def check_same_bits(found: Mapping[str, Array], expected: Mapping[str, Array], when: str, remedy: str) -> None:
    """Check that two results have the same bits, or raise ``CheckFailure``.

    Args:
        found: arrays by name.
        expected: the expected arrays, by the same names.
        when: the circumstances, such as ``when a step is repeated``.
        remedy: what to do if they differ.
    """
    for what, one, other in _pairs(found, expected, when, remedy):
        if one.tobytes() != other.tobytes():
            raise _differ(what, one, other, when, "the same bits", remedy)


def check_close(
    found: Mapping[str, Array], expected: Mapping[str, Array], when: str, remedy: str, *, tolerance: float
) -> None:
    """Check that two results are the same up to a tolerance, relative to the largest element."""
    for what, one, other in _pairs(found, expected, when, remedy):
        largest = np.abs(other[np.isfinite(other)], dtype=np.float64).max(initial=1.0)
        if not _largest_difference(one, other) <= tolerance * largest:
            raise _differ(what, one, other, when, f"the same within {tolerance:.0e}", remedy)


def _pairs(
    found: Mapping[str, Array], expected: Mapping[str, Array], when: str, remedy: str
) -> list[tuple[str, Array, Array]]:
    pairs = []
    for what in expected:
        one, other = np.asarray(found[what]), np.asarray(expected[what])
        if one.shape != other.shape or one.dtype != other.dtype:
            raise CheckFailure(
                f"{what} became {one.dtype} of shape {one.shape} {when}",
                expected=f"{other.dtype} of shape {other.shape}, as before",
                remedy=remedy,
            )
        pairs.append((what, one, other))
    return pairs


def _differ(what: str, one: Array, other: Array, when: str, expected: str, remedy: str) -> CheckFailure:
    difference = _largest_difference(one, other)
    by = f"by up to {difference:.2g}" if np.isfinite(difference) else "(one of them contains NaN)"
    return CheckFailure(f"{what} changed {by} {when}", expected=expected, remedy=remedy)


def _largest_difference(one: Array, other: Array) -> float:
    """Return the largest difference; NaN equals NaN."""
    if one.size == 0:
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    both = (np.isnan(one) & np.isnan(other)) | (one == other)
    worst = np.where(both, 0.0, difference).max()
    return float(worst) if not np.isnan(worst) else float("inf")


def evaluated(graph: Graph, feeds: Mapping[str, Array], output: str) -> Array:
    """Compute an output of a graph that a component described."""
    try:
        return evaluate(graph, feeds)[output]
    except NotExportableError as error:
        message = f"the graph described by onnx can't be computed: {error}"
        raise CheckFailure(message, expected="operators listed in the reference, as in opset 17") from error
