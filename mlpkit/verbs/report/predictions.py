"""Predictions of a network with the targets of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.target import Classes, Labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlpkit.components.target import Target


@dataclass(frozen=True)
class ScoredPredictions:
    """Predictions for rows whose targets are known.

    Args:
        split: the split that the rows are from.
        of: how many rows the split has.
        target: what is predicted.
        prediction: what the loss's ``predict`` returns, or its point prediction, shape (rows, ...).
        t: the targets, as ``Split.take`` writes them.
        names: a name for each class, label or value.
        interval: the lower and upper end of the interval predicted for each row's target, shape (rows, 2); None without
            one.
    """

    split: str
    of: int
    target: Target
    prediction: NDArray[Any]
    t: NDArray[Any]
    names: Sequence[str]
    interval: NDArray[Any] | None = None

    @property
    def rows(self) -> str:
        """Which rows these are, in words."""
        count = len(self.prediction)
        return (
            f"{count:,} of {self.of:,} rows of {self.split}" if count < self.of else f"{count:,} rows of {self.split}"
        )

    @property
    def classes(self) -> NDArray[np.intp]:
        """The number of the class of each row, if classes are predicted."""
        one_hot = isinstance(self.target, Classes) and self.target.one_hot
        return np.asarray(self.t.argmax(axis=1) if one_hot else self.t, np.intp)

    @property
    def predicted_classes(self) -> NDArray[np.intp]:
        """The number of the most probable class of each row, if classes are predicted."""
        numbers: NDArray[np.intp] = self.prediction.argmax(axis=1)
        return numbers

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Whether each row has each label, if labels are predicted, shape (rows, labels)."""
        return self.t.reshape(len(self.t), -1) >= 0.5

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each label, if labels are predicted, shape (rows, labels)."""
        return self.prediction.reshape(len(self.prediction), -1).astype(np.float64)

    def truth_of(self, number: int) -> NDArray[np.bool_]:
        """Return whether each row is of a class, or has a label."""
        truth: NDArray[np.bool_] = self.labels[:, number] if isinstance(self.target, Labels) else self.classes == number
        return truth

    def probability_of(self, number: int) -> NDArray[np.float64]:
        """Return the probability of a class or label for each row."""
        return self.prediction.reshape(len(self.prediction), -1)[:, number].astype(np.float64)

    @property
    def ends(self) -> NDArray[np.float64] | None:
        """The ends of the intervals, in float64; None if none are predicted."""
        return None if self.interval is None else self.interval.astype(np.float64)

    @property
    def values(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The values predicted and true, each of shape (rows, values)."""
        predicted, true = (each.reshape(len(each), -1).astype(np.float64) for each in (self.prediction, self.t))
        return predicted, true
