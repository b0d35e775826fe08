"""Ending a training that no longer gets better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit.components.callback import Callback
from mlpkit.training.checkpointing import Best, Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.components.callback import TrainingView


class EarlyStopping(Callback):
    """Ends training when a figure has not got better for some evaluations in a row.

    A figure that is not finite is no better than any other.

    Args:
        figure: ``loss`` or a metric's name.
        higher_is_better: whether larger values are better.
        patience: evaluations in a row that may be no better before the training ends.
        minimum_change: by how much a figure must be better to count.

    Source: Prechelt, Early Stopping - But When? (1998).
    """

    def __init__(self, figure: str, *, higher_is_better: bool, patience: int, minimum_change: float) -> None:
        self._ranking = Ranking(figure, higher_is_better, minimum_change)
        self._patience = patience
        self._waited = 0

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Compare the figure with the best so far."""
        self._waited = 0 if self._ranking.improved(record) else self._waited + 1
        if self._waited >= self._patience:
            training.stop(f"{self._ranking.figure} is no better than {self._best()} for {self._waited} evaluations")

    def state(self) -> dict[str, Any]:
        """Return the best figure, and for how long there was no better one."""
        return {"best": self._ranking.best, "waited": self._waited}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._ranking.best = state["best"] and Best(*state["best"])
        self._waited = state["waited"]

    def _best(self) -> str:
        best = self._ranking.best
        return "before" if best is None else f"the {best.value:.4g} of step {best.step}"
