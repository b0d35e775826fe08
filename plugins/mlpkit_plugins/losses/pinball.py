"""The pinball loss, whose best prediction is a quantile."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Lt, MinLen

from mlpkit import Array, Graph, ParameterError, ShapeError, Target, TargetError, Value, Values
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each
from mlpkit_plugins.losses.real_values import RealValuesLoss

Quantile = Annotated[float, Gt(0), Lt(1)]

MEDIAN = 0.5


class Pinball(RealValuesLoss):
    """Pinball loss, whose best prediction is a quantile of the target: a given share of targets is below it.

        r    = x - t
        loss = mean of max((1 - quantile) r, -quantile r) over rows and elements
        dx   = dloss (1 - quantile) / count if r > 0, -dloss quantile / count if r < 0, 0 if r = 0

    Here count is the number of rows times the elements of each. If rows have weights w, the mean over rows is
    Σ w loss / Σ w.

    With ``quantiles``, each row has several inputs x and a single target t, and the mean is over rows and quantiles. So
    ``[0.05, 0.5, 0.95]`` gives an interval for nine targets in ten, and the median, which is what metrics see.

    Each quantile is trained by itself, so the quantiles of a row may cross. ``predict`` sorts them, which never moves
    them away from the true ones, nor increases the loss; ``forward`` takes x unsorted.

    Args:
        quantile: the share of targets below the prediction; None for 0.5, the median, or if there are ``quantiles``.
        quantiles: several such shares, ascending, for a target of one value; None for one quantile of each value.

    Shapes: x of any shape, t of the same shape; with ``quantiles`` x (rows, quantiles), t (rows, 1) or (rows,).

    Raises:
        ShapeError: the data's target is not real values of the shape of an input, or the targets are not numbers of the
            shape of x; with ``quantiles``, the target is not a single value, or inputs and quantiles differ in number.

    Source: Koenker and Bassett, Regression Quantiles (1978), section 3; several quantiles, and why they cross: Koenker,
        Quantile Regression (2005), sections 1.3 and 2.5; sorting them: Chernozhukov, Fernández-Val and Galichon,
        Quantile and Probability Curves Without Crossing (2010).
    """

    unit = "{target}"

    def __init__(
        self, quantile: Quantile | None = None, quantiles: Annotated[tuple[Quantile, ...], MinLen(1)] | None = None
    ) -> None:
        if quantile is not None and quantiles is not None:
            both = "both quantile and quantiles are given"
            raise ParameterError("quantiles", both, expected="one of them", remedy="leave out quantile")
        if quantiles is not None and not all(low < high for low, high in pairwise(quantiles)):
            raise ParameterError("quantiles", f"{list(quantiles)} is not ascending", expected="each above the last one")
        self.quantile = MEDIAN if quantile is None else quantile
        self.quantiles = quantiles
        self.one_input_per = "value" if quantiles is None else "quantile"

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Require an input for each target value, or for each quantile of a single value."""
        if self.quantiles is not None:
            _require_one_value(self, target)
        super().build(input_shape, target)
        shares = np.array(self.quantile if self.quantiles is None else self.quantiles)
        self.above, self.below = (1 - shares).astype(self.dtype), (-shares).astype(self.dtype)

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return the shape of the target values, or of several quantiles of one."""
        if self.quantiles is None or not isinstance(target, Values):
            return super().expected_inputs(target)
        return (len(self.quantiles),)

    def residual(self, x: Array, t: Array) -> Array:
        """Return r = x - t, in scratch memory."""
        if self.quantiles is None:
            return super().residual(x, t)
        if t.shape not in {(len(x),), (len(x), 1)} or t.dtype.kind not in "fiu":
            raise ShapeError(
                f"{self.path} can't take targets of {t.dtype} of shape {t.shape}",
                expected=f"numbers of shape ({len(x)}, 1), one for each row",
            )
        r = self.buffer("residual", x.shape)
        np.subtract(x, t.reshape(-1, 1), out=r)
        return r

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of max((1 - quantile) r, -quantile r)."""
        self.r, self.weights = self.residual(x, t), weights
        above = np.multiply(self.r, self.above, out=self.buffer("above", x.shape))
        below = np.multiply(self.r, self.below, out=self.buffer("below", x.shape))
        return mean_of(np.maximum(above, below, out=above), weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx."""
        dx = self.buffer("dx", self.r.shape)
        np.copyto(dx, (self.r > 0) * self.above + (self.r < 0) * self.below)
        np.multiply(dx, share_of_each(dloss, dx, self.weights), out=dx)
        return dx

    def predict(self, x: Array) -> Array:
        """Return x; several quantiles of a row in ascending order."""
        return x if self.quantiles is None else np.sort(x, axis=-1)

    def inputs_for(self, prediction: Array) -> Array:
        """Return the prediction, with its quantiles in order."""
        return prediction

    def prediction_names(self) -> tuple[str, ...] | None:
        """Return names of several quantiles, such as ``q0.9``."""
        return None if self.quantiles is None else tuple(f"q{quantile}" for quantile in self.quantiles)

    def point_prediction(self, prediction: Array) -> Array:
        """Return the median, if there are several quantiles."""
        if self.quantiles is None:
            return prediction
        if MEDIAN not in self.quantiles:
            raise ShapeError(
                f"{self.path or self.type_name} predicts the quantiles {list(self.quantiles)}, but not the median",
                expected="0.5 among the quantiles",
                remedy="add 0.5 to quantiles",
            )
        middle = self.quantiles.index(MEDIAN)
        return prediction[:, middle : middle + 1]

    def interval_prediction(self, prediction: Array) -> Array:
        """Return the lowest and the highest quantile."""
        if self.quantiles is None or len(self.quantiles) < 2:
            raise ShapeError(
                f"{self.path or self.type_name} predicts one quantile, and no interval",
                expected="several quantiles",
                remedy="give it more, as in quantiles: [0.05, 0.5, 0.95]",
            )
        return prediction[:, [0, -1]]

    def onnx(self, graph: Graph) -> Value:
        """Describe ``predict``."""
        return graph.input if self.quantiles is None else _sorted(graph, graph.input, len(self.quantiles))

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the quantile of the targets, or each of several, by the weights of the rows."""
        if self.quantiles is None:
            return quantile_of(self.quantile, t, weights)
        return np.array([quantile_of(quantile, t.reshape(-1), weights) for quantile in self.quantiles])

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss for the median and for a high quantile, on one value and on several, and for an interval."""
        return [({}, (1,)), ({"quantile": 0.9}, (2, 3)), ({"quantiles": [0.05, 0.5, 0.95]}, (3,))]


def _require_one_value(loss: Pinball, target: Target | None) -> None:
    """Require a single value, if the data gives values."""
    if isinstance(target, Values) and target.shape not in {(), (1,)}:
        raise TargetError(
            f"{loss.path} predicts quantiles of a single value, but the data gives {target}",
            expected="data whose target is one real value",
            remedy="choose one value as the target, or give one quantile in place of quantiles",
        )


def quantile_of(quantile: float, t: Array, weights: Array | None) -> Array:
    """Return the smallest target of each value with at least this share of the rows' weight at or below it."""
    of_rows = np.ones(len(t)) if weights is None else weights
    order = np.argsort(t, axis=0)
    below = np.cumsum(of_rows[order], axis=0)
    first = np.argmax(below >= quantile * of_rows.sum(), axis=0)
    found: Array = np.take_along_axis(np.take_along_axis(t, order, axis=0), first[np.newaxis], axis=0)[0]
    return found


def _sorted(graph: Graph, x: Value, count: int) -> Value:
    """Describe the elements along the last axis in ascending order.

    In each of ``count`` rounds, neighbours that are out of order change places: pairs at even positions in one round,
    pairs at odd positions in the next (odd-even transposition sort). ONNX's own operator, TopK, has two outputs.
    """
    for i in range(count):
        left = np.arange(i % 2, count - 1, 2)
        pairs = np.concatenate([left, left + 1])
        rest = np.setdiff1d(np.arange(count), pairs)
        if not len(pairs):
            continue
        a, b = (graph.op("Gather", x, places, axis=-1) for places in (left, left + 1))
        parts = [graph.op("Min", a, b), graph.op("Max", a, b)]
        parts += [graph.op("Gather", x, rest, axis=-1)] if len(rest) else []
        order = np.argsort(np.concatenate([pairs, rest]))
        x = graph.op("Gather", graph.op("Concat", *parts, axis=-1), order, axis=-1)
    return x
