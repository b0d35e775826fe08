"""Metrics: how good predictions are."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from mlpkit.components.component import Component
from mlpkit.components.target import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray


Table: TypeAlias = list[list[int]]
"""Rows of whole numbers, all of one length."""


class Metric(Component):
    """A value accumulated over minibatches, or a table of counts; a new object starts empty.

    If examples have weights, each row counts as often as its weight. A metric that computes that sets
    ``takes_weights = True``; ``update`` then has a last parameter ``weights: NDArray | None = None``: a number from 0
    up for each row, in float64.

    Attributes:
        higher_is_better: whether larger values are better.
        takes_weights: whether it takes weights of examples; only then it gets any.
        sees: ``point``, if it compares predictions with targets, or ``interval``, if it compares the ends of predicted
            intervals with them; it then fits losses that predict some.
        table: if the result is a table, what its rows and its columns stand for, as in ``("target", "predicted")``.
            Tables are computed after training; history, checkpoints and early stopping don't use them.
        is_share_of_rows: whether the result is a share of the rows, each of which counts or not, so that a confidence
            interval is known.
        unit: the unit of its values, for plots, in which ``{target}`` stands for the target's, as in ``{target}²``; or
            an empty text.
    """

    kind: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True
    takes_weights: ClassVar[bool] = False
    sees: ClassVar[str] = "point"
    is_share_of_rows: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    table: ClassVar[tuple[str, str] | None] = None

    def expect_target(self, target: Target) -> None:
        """Check that the metric fits such targets; by default, it fits all.

        Called before the data is opened and, if the target is known, on each new object before its first minibatch; a
        metric may keep the target.

        Args:
            target: what to predict.

        Raises:
            ShapeError: they can't.
            ParameterError: they can't with this parameter.
        """

    @abstractmethod
    def update(self, prediction: NDArray[Any], t: NDArray[Any]) -> None:
        """Add a minibatch.

        Args:
            prediction: what the loss's ``predict`` returns, such as probabilities, shape (rows, classes); or its
                ``point_prediction``, if several numbers are predicted for a target; or, for a metric that sees
                intervals, their lower and upper ends, shape (rows, 2).
            t: the targets of the same rows, shape (rows,) for class numbers, (rows, classes) for one-hot rows,
                (rows, labels) for labels, (rows, ...) for values.
        """

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add what another object of the same class has accumulated."""

    @abstractmethod
    def result(self) -> float | Table:
        """Return the value, or the table, over all minibatches so far."""
