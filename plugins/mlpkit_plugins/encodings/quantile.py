"""Numbers by their rank in the training numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Annotated, Any, Final, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from mlpkit import Array, Encoding, Graph, TrainingColumns, Value
from mlpkit_plugins.functions.normal_quantile import CENTER, FIRST, SECOND, SECOND_BEGINS, normal_quantile
from mlpkit_plugins.functions.rows import means_and_deviations

ROWS_A_QUANTILE: Final = 30
"""The fewest training rows for each quantile."""

FEWEST_QUANTILES: Final = 10

EDGE: Final = 1e-7
"""Shares closer than this to 0 or 1, and numbers as close to the least or greatest one, are clipped to it."""


class Quantile(Encoding):
    """Replaces each number by the share of training numbers below it, or by the normal quantile of that share.

        p = F(x)
        y = p  for a uniform output,  y = Φ⁻¹(p)  for a normal output

    F interpolates between evenly spaced quantiles of the training numbers, one for each 30 training rows, at least 10;
    in a run of equal quantiles it takes the middle. Outliers and skewed columns lose their effect.

    Args:
        output: the distribution of y in training.
        quantiles: the largest number of quantiles.
        noise: size of the normal noise added to the training numbers before F is fitted, so that frequent numbers don't
            fill long runs of quantiles. In a column of standard deviation std, the noise has the standard deviation
            noise / max(std, noise).
        seed: another number gives other noise; the spec's seed doesn't affect it.

    Source: Pedregosa et al., Scikit-learn: Machine Learning in Python (2011), QuantileTransformer; the noise is from
        Gorishniy, Rubachev, Khrulkov and Babenko, Revisiting Deep Learning Models for Tabular Data (2021), section 4.2.
    """

    output: Literal["normal", "uniform"] = "normal"
    quantiles: Annotated[int, Ge(2)] = 1000
    noise: Annotated[float, Ge(0)] = 1e-3
    seed: Annotated[int, Ge(0)] = 0

    def fit(self, columns: TrainingColumns) -> dict[str, Array]:
        """Return the quantiles of each column, shape (quantiles, columns), and the share at each."""
        count = min(max(columns.rows // ROWS_A_QUANTILE, FEWEST_QUANTILES), self.quantiles)
        shares = np.linspace(0, 1, count)
        quantiles = np.maximum.accumulate(self._with_noise(columns).quantiles(shares), axis=0)
        return {"quantiles": quantiles, "shares": _middle_of_runs(quantiles, shares)}

    def encode(self, numbers: Array, learned: Mapping[str, Array]) -> Array:
        """Return the share of training numbers below each number, or the normal quantile of that share."""
        quantiles, shares = learned["quantiles"], learned["shares"]
        after = np.clip(_how_many_are_less(quantiles, numbers), 1, len(quantiles) - 1)
        lower, upper = (np.take_along_axis(quantiles, places, axis=0) for places in (after - 1, after))
        part = np.divide(numbers - lower, upper - lower, out=np.zeros_like(numbers), where=upper > lower)
        p = (after - 1 + part) / (len(quantiles) - 1)
        p = np.where(numbers == upper, np.take_along_axis(shares, after, axis=0), p)
        p = np.where(numbers >= quantiles[-1] - self._edge, 1.0, p)
        p = np.where(numbers <= quantiles[0] + self._edge, 0.0, p)
        return normal_quantile(np.clip(p, EDGE, 1 - EDGE)) if self.output == "normal" else p

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, Array]) -> Value:
        """Describe the same; the quantiles below a number are counted by comparison with all of them."""
        quantiles, shares = learned["quantiles"], learned["shares"]
        count, columns = quantiles.shape
        less = graph.op("Less", quantiles[None], graph.op("Unsqueeze", numbers, np.array([1])))
        counted = graph.op("ReduceSum", graph.cast(less, np.float64), np.array([1]), keepdims=0)
        after = graph.op("Clip", counted, np.array(1.0), np.array(count - 1.0))
        before = graph.op("Sub", after, np.array(1.0))
        places, places_before = (
            graph.op("Add", graph.op("Mul", graph.cast(each, np.int64), columns), np.arange(columns))
            for each in (after, before)
        )
        lower = graph.op("Gather", quantiles.ravel(), places_before)
        upper = graph.op("Gather", quantiles.ravel(), places)
        width = graph.op("Sub", upper, lower)
        is_run = graph.op("LessOrEqual", width, np.array(0.0))
        width = graph.op("Where", is_run, np.array(1.0), width)
        part = graph.op("Div", graph.op("Sub", numbers, lower), width)
        p = graph.op("Div", graph.op("Add", before, part), np.array(count - 1.0))
        is_upper = graph.op("Equal", numbers, upper)
        p = graph.op("Where", is_upper, graph.op("Gather", shares.ravel(), places), p)
        at_end = graph.op("GreaterOrEqual", numbers, quantiles[-1] - self._edge)
        p = graph.op("Where", at_end, np.array(1.0), p)
        at_begin = graph.op("LessOrEqual", numbers, quantiles[0] + self._edge)
        p = graph.op("Where", at_begin, np.array(0.0), p)
        return _normal_in_graph(graph, p) if self.output == "normal" else p

    @property
    def _edge(self) -> float:
        return EDGE if self.output == "normal" else 0.0

    def _with_noise(self, columns: TrainingColumns) -> TrainingColumns:
        """Add noise to the training numbers, drawn row by row, so that it doesn't depend on the size of blocks."""
        if not self.noise:
            return columns
        _, stds = means_and_deviations(columns.parts, columns.columns, of_constant=0.0)
        scale = self.noise / np.maximum(stds, self.noise)

        def parts() -> Iterator[Array]:
            rng = np.random.default_rng(self.seed)
            for part in columns.parts():
                yield part + scale * rng.standard_normal(part.shape)

        return TrainingColumns(columns.rows, columns.columns, parts)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show both outputs."""
        return [{}, {"output": "uniform", "quantiles": 20, "noise": 0.0}]


def _how_many_are_less(ordered: Array, numbers: Array) -> NDArray[np.intp]:
    """Count the elements of its column that are less than each number, by bisection of all columns at once.

    Args:
        ordered: shape (elements, columns), ascending in each column.
        numbers: shape (rows, columns).
    """
    counts = np.zeros(numbers.shape, np.intp)
    for power in reversed(range(len(ordered).bit_length())):
        further = counts + (1 << power)
        last = np.minimum(further, len(ordered)) - 1
        less = (further <= len(ordered)) & (np.take_along_axis(ordered, last, axis=0) < numbers)
        counts = np.where(less, further, counts)
    return counts


def _middle_of_runs(quantiles: Array, shares: Array) -> Array:
    """Return the mean of the first and last share at which each quantile occurs in its column."""
    middle = np.empty_like(quantiles)
    for out, column in zip(middle.T, quantiles.T, strict=True):
        first, last = np.searchsorted(column, column, "left"), np.searchsorted(column, column, "right") - 1
        out[:] = (shares[first] + shares[last]) / 2
    return middle


def _normal_in_graph(graph: Graph, p: Value) -> Value:
    """Describe Φ⁻¹(p), as ``normal_quantile`` computes it."""

    def quotient(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Value) -> Value:
        return graph.op("Div", *(polynomial(each, x) for each in coefficients))

    def polynomial(coefficients: tuple[float, ...], x: Value) -> Value:
        last = graph.op("Mul", x, np.array(coefficients[-1]))
        total = reduce(
            lambda total, each: graph.op("Mul", graph.op("Add", total, np.array(each)), x), coefficients[-2:0:-1], last
        )
        return graph.op("Add", total, np.array(coefficients[0]))

    p = graph.op("Clip", p, np.array(EDGE), np.array(1 - EDGE))
    q = graph.op("Sub", p, np.array(0.5))
    r = graph.op("Sub", np.array(CENTER * CENTER), graph.op("Mul", q, q))
    rest = graph.op("Min", p, graph.op("Sub", np.array(1.0), p))
    tail = graph.op("Sub", graph.op("Sqrt", graph.op("Neg", graph.op("Log", rest))), np.array(SECOND_BEGINS))
    central = graph.op("Mul", q, quotient(FIRST, graph.op("Max", r, np.array(0.0))))
    outer = graph.op("Mul", graph.op("Sign", q), quotient(SECOND, tail))
    return graph.op("Where", graph.op("LessOrEqual", graph.op("Abs", q), np.array(CENTER)), central, outer)
