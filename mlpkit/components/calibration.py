"""Calibrations: how predicted probabilities become those that held-out rows bear out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.operation import Operation
from mlpkit.components.target import Target
from mlpkit.errors import TargetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlpkit.components.parameter import State


class Adjustment(Operation):
    """An operation on predictions that is fitted once, after training, on rows that no weight was trained on.

    Until then, predictions stay as they are. It keeps what it learned in states, which are saved with the model.

    Attributes:
        fitted: 1 once it is fitted; until then 0.
    """

    fitted: State

    @abstractmethod
    def build(self, target: Target) -> None:
        """Declare states for predictions of a target.

        Raises:
            TargetError: it can't adjust such predictions.
        """

    @abstractmethod
    def fit(self, p: NDArray[np.float64], t: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        """Set the states.

        Args:
            p: predictions of held-out rows, as the loss's ``predict`` returns them, shape (rows, ...).
            t: their targets, of the same shape; for classes, one-hot rows.
            weights: how much each row counts, shape (rows,): positive, with the mean 1.
        """

    @property
    def is_fitted(self) -> bool:
        """Whether it is fitted."""
        return bool(self.fitted.value)

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Have predictions stay as they are in a block."""
        fitted = float(self.fitted.value)
        self.fitted.value[...] = 0
        try:
            yield
        finally:
            self.fitted.value[...] = fitted

    def reset(self) -> None:
        """Have predictions stay as they are until it is fitted again."""
        for state in self.declared_states():
            state.value[...] = state.initial

    def _take_place(self, path: str, target: Target, dtype: np.dtype[Any]) -> None:
        """Become part of a network."""
        self._join(path, dtype)
        self.fitted = self.state("fitted", (), 0.0)
        self.build(target)
        self._end_build()


class Calibration(Adjustment):
    """Turns predicted probabilities of classes or labels into calibrated ones.

    Calibrated means: of the rows for which 0.8 is predicted, the class is right for 80 %.
    """

    kind: ClassVar[str] = "calibration"

    @abstractmethod
    def predict(self, p: NDArray[Any]) -> NDArray[Any]:
        """Return calibrated probabilities, of the shape and dtype of p.

        Args:
            p: probabilities that the loss predicts, shape (rows, classes) or (rows, labels); must be left as they are.
        """

    def expect_probabilities(self, target: Target) -> int:
        """Return how many probabilities a row has: one for each class or label.

        Raises:
            TargetError: the target is neither classes nor labels.
        """
        count: int | None = getattr(target, "count", None)
        if count is None:
            raise TargetError(
                f"{self.registered_name} calibrates probabilities, but the data gives {target}",
                expected="data whose target is classes or labels",
                remedy="leave out calibration",
            )
        return count
