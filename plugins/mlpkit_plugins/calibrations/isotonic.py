"""Isotonic regression."""

from __future__ import annotations

from typing import Annotated, Any, Final

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Calibration, Classes, Graph, Target, Value

NEAREST: Final = 1 / 256
"""The smallest distance of two knots: nearer ones would make much of the rounding of p."""


class Isotonic(Calibration):
    """Replaces the probability of each class or label by a nondecreasing, piecewise linear function of it.

        f(p) = y₀ + Σ (yₖ₊₁ - yₖ) min(max((p - xₖ) / (xₖ₊₁ - xₖ), 0), 1)
        q    = f(p) of labels;  f(p) / Σ f(p), the sum over the classes, of classes

    The held-out rows, in the order of p, are cut into groups of equal weight, and joined until their mean p, xₖ, are
    more than 1/256 apart; yₖ is the share of a group's rows that are of the class, pooled with its neighbours' until it
    never decreases. A pool counts as if it had one more row, right as often as all rows, so that no probability is 0.
    Each class is compared with the rest by itself; so another one may become the most probable. It takes about 1,000
    held-out rows; with fewer, a temperature is better.

    Args:
        knots: the largest number of groups.

    Shapes: p and t (rows, classes) or (rows, labels).

    Raises:
        TargetError: the target is neither classes nor labels.

    Source: Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability Estimates (2002),
        sections 3 and 4, for isotonic regression by pooling adjacent violators and for normalizing over classes.
    """

    knots: Annotated[int, Ge(2)] = 32

    def build(self, target: Target) -> None:
        """Declare y₀, and for each pair of neighbouring knots x, 1 / width and step."""
        count = self.expect_probabilities(target)
        self.of_classes = isinstance(target, Classes)
        self.first = self.state("first", (count,), 0.0)
        self.x, self.rate, self.step = (
            self.state(name, (count, self.knots - 1), 0.0) for name in ("x", "rate", "step")
        )

    def fit(self, p: Array, t: Array, weights: Array) -> None:
        """Fit f for each class or label."""
        for i in range(p.shape[1]):
            x, y = _monotone(p[:, i], t[:, i], weights, self.knots)
            between = len(x) - 1
            self.first.value[i] = y[0]
            self.x.value[i], self.rate.value[i], self.step.value[i] = 0, 0, 0
            self.x.value[i, :between] = x[:-1]
            self.rate.value[i, :between] = 1 / np.diff(x)
            self.step.value[i, :between] = np.diff(y)

    def predict(self, p: Array) -> Array:
        """Return q."""
        q = np.broadcast_to(self.first.value, p.shape).copy()
        for k in range(self.knots - 1):
            q += self.step.value[:, k] * np.clip((p - self.x.value[:, k]) * self.rate.value[:, k], 0, 1)
        return q / q.sum(axis=1, keepdims=True) if self.of_classes else q

    def onnx(self, graph: Graph) -> Value:
        """Describe q."""
        p = graph.op("Unsqueeze", graph.input, np.array([2]))
        parts = graph.op("Clip", graph.op("Mul", graph.op("Sub", p, self.x), self.rate), 0.0, 1.0)
        steps = graph.op("ReduceSum", graph.op("Mul", parts, self.step), np.array([2]), keepdims=0)
        q = graph.op("Add", steps, self.first)
        return graph.op("Div", q, graph.op("ReduceSum", q, np.array([1]), keepdims=1)) if self.of_classes else q

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show many knots and few."""
        return [{}, {"knots": 3}]


def _monotone(p: Array, t: Array, weights: Array, knots: int) -> tuple[Array, Array]:
    """Return mean p and pooled share of t of at most so many groups of rows, in the order of p."""
    rows, (x, y) = _means(np.unique(p, return_inverse=True)[1], weights, p, t)
    middles = (np.cumsum(rows) - rows / 2) / rows.sum()
    rows, (x, y) = _means((middles * knots).astype(int), rows, x, y)
    rows, (x, y) = _means(_pools(x, rows, NEAREST), rows, x, y)
    pools = _pools(y, rows)
    of_pools, (shares,) = _means(pools, rows, y)
    shares = (of_pools * shares + (rows @ y + 0.5) / (rows.sum() + 1)) / (of_pools + 1)
    last = _pools(shares[pools], rows)
    return x, _means(last, rows, shares[pools])[1][0][last]


def _means(group: Array, rows: Array, *values: Array) -> tuple[Array, list[Array]]:
    """Return the rows of each group that has some, and the means of values."""
    of_group = np.bincount(group, rows)
    there = of_group > 0
    return of_group[there], [np.bincount(group, rows * each)[there] / of_group[there] for each in values]


def _pools(values: Array, rows: Array, gap: float = 0.0) -> Array:
    """Pool neighbours until each pool's mean is more than a gap above that before; return the number of each's pool."""
    pools: list[tuple[float, float, int]] = []
    for value, count in zip(values.tolist(), rows.tolist(), strict=True):
        mean, total, size = value, count, 1
        while pools and mean <= pools[-1][0] + gap:
            before, of_before, more = pools.pop()
            mean = (of_before * before + total * mean) / (of_before + total)
            total, size = total + of_before, size + more
        pools.append((mean, total, size))
    return np.repeat(np.arange(len(pools)), [size for *_, size in pools])
