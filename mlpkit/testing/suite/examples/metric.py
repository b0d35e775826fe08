"""Examples on which metrics are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpkit.components.target import Classes, Labels, Values
from mlpkit.testing.outside_network import random_targets
from mlpkit.testing.suite.examples.example import ROWS, Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.metric import Metric
    from mlpkit.components.target import Target
    from mlpkit.testing.suite.comparison import Arrays


class PredictedRows(NamedTuple):
    """Predictions and their targets.

    Args:
        prediction: what a loss's ``predict`` returns.
        t: targets of the same rows.
    """

    prediction: NDArray[Any]
    t: NDArray[Any]

    def rows(self, rows: slice | NDArray[Any]) -> PredictedRows:
        """Return some of them, copied."""
        return PredictedRows(self.prediction[rows].copy(), self.t[rows].copy())

    def copy(self) -> PredictedRows:
        """Return a copy."""
        return PredictedRows(self.prediction.copy(), self.t.copy())


class MetricExample(Example):
    """A metric of predictions for a kind of target."""

    form = "a list of pairs of parameters and a target"
    sample = "[({'k': 2}, Classes(5))]"
    place = Classes(5)

    @classmethod
    def is_item(cls, item: object) -> bool:
        """Whether it is a pair of a dict and a target."""
        match item:
            case (dict(), Classes() | Labels() | Values()):
                return True
        return False

    def title(self) -> str:
        """Return a title that identifies the example."""
        return f"{super().title()} with {self.shown_with()}"

    @property
    def target(self) -> Target:
        """The kind of target."""
        target: Target = self.shown_with()
        return target

    def ready(self, target: Target | None = None) -> Metric:
        """Build the metric and call ``expect_target``, as a network does; by default with the example's target."""
        metric: Metric = self.make()
        metric.expect_target(target or self.target)
        return metric

    def predictions(
        self, rows: int = ROWS, number: int = 0, dtype: str = "float64", target: Target | None = None
    ) -> PredictedRows:
        """Return random predictions, by default of the example's target.

        They are probabilities, unless the target is real values.
        """
        target = target or self.target
        rng = self.random("predictions", number)
        t = random_targets(target, rows, rng, dtype)
        if isinstance(target, Values):
            return PredictedRows(rng.normal(size=(rows, *target.shape)).astype(dtype), t)
        shares = rng.uniform(0.01, 1, size=(rows, target.count))
        if isinstance(target, Classes):
            shares /= shares.sum(axis=1, keepdims=True)
        return PredictedRows(shares.astype(dtype), t)

    def result(self, *parts: PredictedRows) -> NDArray[Any]:
        """Return the result of a new metric on some minibatches."""
        metric = self.ready()
        for part in parts:
            metric.update(*part)
        return np.asarray(metric.result(), np.float64)

    def exercise(self) -> Arrays:
        """Add two minibatches, merge with another metric, and compute the result."""
        metric, other = self.ready(), self.ready()
        metric.update(*self.predictions(number=0))
        other.update(*self.predictions(number=1))
        metric.merge(other)
        return {"the result": np.array(metric.result())}
