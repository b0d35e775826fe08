"""The area under the receiver operating characteristic."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, Labels, Metric, Target
from mlpkit_plugins.metrics.targets import actual_classes, wrong_target


class RocAuc(Metric):
    """Area under the receiver operating characteristic: how well predictions separate one class from the rest.

        auc = P(p⁺ > p⁻) + ½ P(p⁺ = p⁻) = (Σ ranks of p⁺ - ½ n⁺(n⁺ + 1)) / (n⁺ n⁻)

    where p⁺ and p⁻ are the predictions for an example of the class and for any other, n⁺ and n⁻ the numbers of such
    examples, and ranks are among all predictions, from 1, with a mean rank for equals. For two classes, it is the area
    of class 1. For several classes, each against the rest, and for labels, it is averaged:

        macro     the mean over the classes
        micro     one area, in which every pair of an example and a class counts as an example
        weighted  the mean, in which each class counts as many times as it occurs in the targets

    So ``micro`` compares predictions for different classes too: it is high only if a probability means the same for
    each. A class without examples, or with all of them, has no area and is left out of the mean; if no class has an
    area, the result is ½, as for guesses. A row with weight w counts w times. All predictions are kept in memory until
    the result is computed.

    Args:
        average: how the areas of the classes are averaged.

    Shapes: prediction (rows, classes), t (rows,) or one-hot (rows, classes); or prediction and t (rows, labels); or,
        for class 1 of two, prediction (rows,) or (rows, 1), t (rows,) or (rows, 1).

    Raises:
        ShapeError: the target is real values.

    Source: Hanley and McNeil, The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve
        (1982).
    """

    takes_weights = True

    def __init__(self, average: Literal["macro", "micro", "weighted"] = "macro") -> None:
        self.average = average
        self.of_classes = False
        self.predictions: list[Array] = []
        self.memberships: list[NDArray[np.bool_]] = []
        self.weights: list[Array] = []

    def expect_target(self, target: Target) -> None:
        """Require classes or labels as the target, and keep which."""
        if not isinstance(target, Classes | Labels):
            raise wrong_target(self, target, "classes or labels")
        self.of_classes = isinstance(target, Classes)

    def update(self, prediction: Array, t: Array, weights: Array | None = None) -> None:
        """Keep the predictions and the targets."""
        p = prediction if prediction.ndim == 2 else prediction[:, None]
        if self.of_classes:
            t = actual_classes(t)
        if t.ndim == 1 and p.shape[1] <= 2:
            p, member = p[:, -1:], t[:, None] == 1
        elif t.ndim == 1:
            member = t[:, None] == np.arange(p.shape[1])
        else:
            member = t > 0
        counts = slice(None) if weights is None else weights > 0
        self.predictions.append(p[counts].copy())
        self.memberships.append(member[counts])
        self.weights += [] if weights is None else [weights[counts].copy()]

    def merge(self, other: Self) -> None:
        """Add what another object has kept."""
        self.predictions += other.predictions
        self.memberships += other.memberships
        self.weights += other.weights

    def result(self) -> float:
        """Return the average area."""
        if not sum(map(len, self.predictions)):
            return float("nan")
        p, member = np.concatenate(self.predictions), np.concatenate(self.memberships)
        weights = np.concatenate(self.weights) if self.weights else np.ones(len(p))
        if self.average == "micro":
            weights = weights.repeat(p.shape[1])
            p, member = p.reshape(-1, 1), member.reshape(-1, 1)
        with_area = np.flatnonzero(member.any(axis=0) & ~member.all(axis=0))
        if not with_area.size:
            return 0.5
        areas = [_area(p[:, c], member[:, c], weights) for c in with_area]
        actual = weights @ member
        return float(np.average(areas, weights=actual[with_area] if self.average == "weighted" else None))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Show every average, for two classes, for several, and for labels."""
        return [
            ({}, Classes(2)),
            ({}, Classes(4)),
            ({"average": "micro"}, Classes(2, one_hot=True)),
            ({"average": "weighted"}, Classes(3, one_hot=True)),
            ({"average": "micro"}, Labels(3)),
        ]


def _area(p: Array, member: NDArray[np.bool_], weights: Array) -> float:
    """Return the area for one class; without weights, it sums whole and half numbers, so it is exact."""
    _, place = np.unique(p, return_inverse=True)
    members, others = np.bincount(place, weights * member), np.bincount(place, weights * ~member)
    below = np.cumsum(others) - 0.5 * others
    return float(members @ below) / (float(members.sum()) * float(others.sum()))
