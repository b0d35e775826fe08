"""Regions around predictions that hold the target with a given probability: split conformal prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.calibration import Adjustment
from mlpkit.components.graph import Graph, Value
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Target, Values
from mlpkit.errors import NotExportableError, TargetError, WrongUseError


def rows_needed(share: float) -> int:
    """Return how many held-out rows a share needs: ⌈share / (1 - share)⌉, with the share as it is written."""
    exact = Fraction(str(share))
    return math.ceil(exact / (1 - exact))


def rank_of(share: float, rows: int) -> int:
    """Return which of the scores of held-out rows, in ascending order and counted from 1, is the threshold."""
    return math.ceil((rows + 1) * Fraction(str(share)))


def band(share: float, held_out: int, rows: int, level: float = 0.95) -> tuple[float, float]:
    """Return the least and the greatest share of new rows that their regions hold, in theory, with a probability.

    The number among ``rows`` exchangeable ones is beta-binomial: binomial, with a probability from Beta(k, n + 1 - k)
    for the k-th of n scores, if no two scores are equal.

    Source: Angelopoulos and Bates, Conformal Prediction: A Gentle Introduction (2023), section 3.2 and appendix C.
    """
    k, x = rank_of(share, held_out), np.arange(float(rows))
    ratios = (rows - x) * (x + k) / ((x + 1) * (rows - x + held_out - k))
    logarithms = np.append(0.0, np.cumsum(np.log(ratios)))
    sums = np.cumsum(np.exp(logarithms - logarithms.max()))
    low, high = np.searchsorted(sums, sums[-1] * np.array([(1 - level) / 2, (1 + level) / 2]))
    return low / rows, high / rows


class Held(NamedTuple):
    """How many targets of some rows are in their regions.

    Args:
        name: what they are: a value, a class or a group; or ``all rows``.
        rows: how many there are.
        share: the share of targets in their regions.
        size: the mean width of an interval, or the mean number of classes in a set.
        theory: the ``band`` of the share; None if nothing is guaranteed for these rows.
    """

    name: str
    rows: int
    share: float
    size: float
    theory: tuple[float, float] | None


class RegionsFound(NamedTuple):
    """What was promised for regions, and what was found on rows that are new to the model.

    Args:
        promised: the promised share of targets in their regions.
        held_out: the number of held-out rows that set the threshold.
        doubt: why there is no guarantee; empty if there is one.
        are_sets: whether regions are sets of classes.
        of: what was found for each value, or for all rows, each class and each group.
    """

    promised: float
    held_out: int
    doubt: str
    are_sets: bool
    of: Sequence[Held]


class Coverage(Adjustment):
    """A region around each prediction: the targets whose score is at most a threshold.

        threshold = the ⌈(n + 1) share⌉-th smallest score of n held-out rows
        score     = max(low - t, t - high)         of a value t
                    max(low / t, t / high)         of a value that is trained as its logarithm
                    Σ pⱼ over all j with pⱼ > p_t  of a class t

    The region of a value is an interval: the ends ``low`` and ``high`` that the loss predicts, or the point that it
    predicts, are moved by the threshold. The region of a class is a set; the most probable class has the score 0, so
    that it is always in the set. If held-out rows and new ones are exchangeable, a new row's region holds its target
    with at least the probability ``share``.

    Args:
        share: the probability, in (0, 1).
        loss: the network's loss.

    Attributes:
        threshold: the threshold: one for each value, or for all classes.
        held_out: the number n of held-out rows.

    Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005); quantiles: Romano, Patterson and
        Candès, Conformalized Quantile Regression (2019); classes: Romano, Sesia and Candès, Classification with Valid
        and Adaptive Coverage (2020), with U = 0 in place of a random number.
    """

    kind = "coverage"
    _divides = False

    def __init__(self, share: Any, loss: Any) -> None:
        self.share: float = share
        self._loss: Loss = loss

    def build(self, target: Target) -> None:
        """Declare the states, or raise ``WrongUseError`` if neither classes nor values can have regions."""
        if not isinstance(target, Classes | Values):
            expected, remedy = "classes or values", "predict one label with each network"
            raise TargetError(f"coverage is not for {target}", expected=expected, remedy=remedy)
        self._target, shape = target, ()
        if isinstance(target, Values):
            self._divides = target.scaling is not None and target.scaling.log
            names = self._loss.prediction_names()
            example = np.zeros((1, *target.shape) if names is None else (1, len(names)), self.dtype)
            self._ends_of = _interval
            try:
                self._loss.interval_prediction(example)
            except WrongUseError:
                self._ends_of = _point
            shape = self._ends(example)[0].shape[1:]
        self.threshold = self.state("threshold", shape, 0.0)
        self.held_out = self.state("held_out", (), 0.0)

    def fit(self, p: Array, t: Array, weights: Array) -> None:
        """Set the threshold from held-out rows, at least ``rows_needed`` of them, each counted once."""
        scores = self._scores(p.astype(self.dtype), t)
        place = rank_of(self.share, len(scores)) - 1
        self.threshold.value[...] = np.partition(scores, place, axis=0)[place]
        self.held_out.value[...] = len(scores)
        self.fitted.value[...] = 1

    def regions(self, prediction: Array) -> dict[str, Array]:
        """Return the regions of predictions: ``low`` and ``high``, or ``set``, a truth value for each class."""
        q = self.threshold.value
        if isinstance(self._target, Classes):
            return {"set": _probability_above_each(prediction) <= q}
        low, high = self._ends(prediction)
        if self._divides:
            factor = np.maximum(q, np.sqrt(low / high))  # a narrower interval shrinks to its middle at most
            return {"low": low / factor, "high": high * factor}
        shift = np.maximum(q, (low - high) / 2)
        return {"low": low - shift, "high": high + shift}

    def found(
        self, p: Array, t: Array, names: Sequence[str], doubt: str, groups: Mapping[str, NDArray[np.intp]]
    ) -> RegionsFound:
        """Return how many targets of rows, and of groups of these, are in their regions, and how large these are."""
        regions = self.regions(p)
        if "set" in regions:
            numbers = self._numbers(t)
            inside = np.take_along_axis(regions["set"], numbers[:, np.newaxis], axis=1)
            sizes, values = regions["set"].sum(axis=1, keepdims=True), [""]
            groups = {name: np.flatnonzero(numbers == i) for i, name in enumerate(names)} | {**groups}
        else:
            low, high = (regions[end].reshape(len(p), -1) for end in ("low", "high"))
            true, sizes = t.reshape(low.shape), high - low
            inside, values = (low <= true) & (true <= high), [*names] if low.shape[1] > 1 else [""]
        n = int(self.held_out.value)
        least, most = band(self.share, n, len(p))
        theory = least, most if self.threshold.value.any() else 1.0  # a network may be right more often than promised
        of = []
        for group, rows in {"": np.arange(len(p)), **groups}.items():
            for i, value in enumerate(values if len(rows) else ()):
                name = ", ".join(filter(None, (value, group))) or "all rows"
                held, size = float(inside[rows, i].mean()), float(sizes[rows, i].mean())
                of.append(Held(name, len(rows), held, size, None if group or doubt else theory))
        return RegionsFound(self.share, n, doubt, "set" in regions, of)

    def hang_on_rounding(self, p: Array, tolerance: float) -> NDArray[np.bool_]:
        """Return which classes are in a set or not depending on how probabilities are rounded."""
        hang, apart, q = np.empty(p.shape, np.bool_), 2 * tolerance, self.threshold.value
        slack = tolerance * p.shape[1]
        for row, of_row in enumerate(p):
            ascending = np.sort(of_row)
            from_each = np.append(np.cumsum(ascending[::-1])[::-1], 0)  # the sum of each and all greater ones
            first = np.searchsorted(ascending, of_row - apart)
            least, most = from_each[np.searchsorted(ascending, of_row + apart)], from_each[first] - of_row
            hang[row] = (least - slack <= q) & (most + slack > q) & (first < len(of_row) - 1)
        return hang

    def onnx_regions(self, graph: Graph, prediction: Value) -> dict[str, Value]:
        """Describe ``regions``, or raise ``NotExportableError`` if the loss computes its interval."""
        q, op = self.threshold, graph.op
        if isinstance(self._target, Classes):
            each, others = op("Unsqueeze", prediction, np.array([2])), op("Unsqueeze", prediction, np.array([1]))
            above = op("Where", op("Greater", others, each), others, 0.0)
            return {"set": op("LessOrEqual", op("ReduceSum", above, np.array([2]), keepdims=0), q)}
        low, high = (prediction if i is None else op("Gather", prediction, i, axis=1) for i in self._columns())
        back, onward = ("Div", "Mul") if self._divides else ("Sub", "Add")
        moved: Any = q
        if self._ends_of is _interval:
            least = op("Sqrt", op(back, low, high)) if self._divides else op("Div", op(back, low, high), 2.0)
            moved = op("Max", q, least)
        return {"low": op(back, low, moved), "high": op(onward, high, moved)}

    def _columns(self) -> tuple[Array | None, Array | None]:
        """Return which columns of a prediction are the ends of its interval; None for all of them."""
        names = self._loss.prediction_names()
        if names is None:
            return None, None
        numbers = np.arange(len(names), dtype=self.dtype)[np.newaxis]
        low, high = (end[0].astype(np.int64) for end in self._ends(numbers))
        test = np.sort(np.random.default_rng(0).normal(size=(4, len(names))).astype(self.dtype))
        with np.errstate(all="ignore"):
            found = self._ends(test)
        if not all(np.array_equal(test[:, of], end) for of, end in zip((low, high), found, strict=True)):
            message = f"{self._loss.type_name} computes its interval, and only one that it predicts can be exported"
            raise NotExportableError(f"{message}; leave out coverage", self._loss.path)
        return low, high

    def _ends(self, prediction: Array) -> tuple[Array, Array]:
        """Return the ends of the interval that is widened: those that the loss predicts, or twice the point."""
        return self._ends_of(self._loss, prediction)

    def _scores(self, prediction: Array, t: Array) -> Array:
        """Return the scores of the true targets, shape (rows, ...)."""
        if isinstance(self._target, Classes):
            numbers = self._numbers(t)[:, np.newaxis]
            return np.take_along_axis(_probability_above_each(prediction), numbers, axis=1)[:, 0]
        low, high = self._ends(prediction)
        t = t.astype(self.dtype).reshape(low.shape)
        scores: Array = np.maximum(low / t, t / high) if self._divides else np.maximum(low - t, t - high)
        return scores

    @staticmethod
    def _numbers(t: Array) -> NDArray[np.intp]:
        """Return the numbers of the classes, which may be one-hot rows."""
        return np.asarray(t if t.ndim == 1 else t.argmax(axis=1), np.intp)


def _interval(loss: Loss, prediction: Array) -> tuple[Array, Array]:
    ends = loss.interval_prediction(prediction)
    return ends[:, :1], ends[:, 1:]


def _point(loss: Loss, prediction: Array) -> tuple[Array, Array]:
    point = loss.point_prediction(prediction)
    return point, point


def _probability_above_each(p: Array) -> Array:
    """Return for each class the probability of all classes that are more probable."""
    order = np.argsort(-p, axis=1, kind="stable")
    descending = np.take_along_axis(p, order, axis=1)
    sums = np.zeros_like(p)
    np.cumsum(descending[:, :-1], axis=1, out=sums[:, 1:])
    sums[:, 1:][descending[:, 1:] == descending[:, :-1]] = 0  # a class as probable as the one before it has its sum
    np.maximum.accumulate(sums, axis=1, out=sums)
    found = np.empty_like(p)
    np.put_along_axis(found, order, sums, axis=1)
    return found
