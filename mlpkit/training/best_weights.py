"""Ending a training with the weights that were best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.components.callback import Callback, Weights
from mlpkit.training.checkpointing import Best, Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.callback import TrainingView


class BestWeights(Callback):
    """Keeps the weights of the evaluation at which a figure was best, and puts them in place when training ends.

    Args:
        figure: ``loss`` or a metric's name.
        higher_is_better: whether larger values are better.
    """

    def __init__(self, figure: str, *, higher_is_better: bool) -> None:
        self._ranking = Ranking(figure, higher_is_better)
        self._best: Weights | None = None

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Keep the weights that were evaluated, if they are the best so far."""
        if self._ranking.improved(record):
            self._best = training.weights.copy()

    def on_end(self, training: TrainingView) -> None:
        """Put the best weights in place."""
        if self._best is not None:
            training.stand_in = self._best

    def state(self) -> dict[str, Any]:
        """Return the best figure and its weights."""
        return {"best": self._ranking.best, "weights": self._best}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._ranking.best = state["best"] and Best(*state["best"])
        self._best = state["weights"] and Weights(*state["weights"])
