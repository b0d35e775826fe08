"""Metrics: how good predictions are."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlpkit.components.component import Component

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.target import Target


class Metric(Component):
    """A figure gathered over many minibatches; a new object begins at nothing.

    Attributes:
        higher_is_better: whether a larger figure is a better one.
    """

    kind: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Target]]:
        """Return pairs of parameters and target that show the metric at work, for tests and ``show``."""
        return []

    @abstractmethod
    def update(self, prediction: NDArray[Any], t: NDArray[Any]) -> None:
        """Take in one minibatch.

        Args:
            prediction: what the loss's ``predict`` returns, such as probabilities, shape (rows, classes).
            t: the targets of the same rows.
        """

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Take in what another object of the same class has gathered."""

    @abstractmethod
    def result(self) -> float:
        """Return the figure over everything taken in."""
