"""What a perceptron's fit keeps of its loss; only a fit loads it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlpkit.components.callback import Callback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlpkit.components.callback import TrainingView


class LossCurve(Callback):
    """Keeps the mean loss of each epoch, and ends training once it improves no more.

    Args:
        steps: steps of an epoch.
        tolerance: how much lower the loss must be to count as improved.
        patience: epochs in a row without improvement, after which training ends.
    """

    def __init__(self, steps: int, tolerance: float, patience: int) -> None:
        self.steps = steps
        self.tolerance = tolerance
        self.patience = patience
        self.curve: list[float] = []
        self.best = math.inf
        self.total = 0.0
        self.waited = 0

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Add a loss, and look at the mean at the end of an epoch."""
        self.total += loss
        if training.progress.step % self.steps:
            return
        mean, self.total = self.total / self.steps, 0.0
        self.curve.append(mean)
        self.waited = 0 if mean < self.best - self.tolerance else self.waited + 1
        self.best = min(self.best, mean)
        if self.waited >= self.patience:
            training.stop(f"the loss has not improved by {self.tolerance:g} for {self.patience} epochs")


def mean_curve(curves: Iterable[LossCurve]) -> list[float]:
    """Return the mean of the losses of several networks, epoch by epoch; one that has ended counts with its last."""
    kept = [curve.curve for curve in curves if curve.curve]
    epochs = max(map(len, kept))
    return [sum(curve[min(epoch, len(curve) - 1)] for curve in kept) / len(kept) for epoch in range(epochs)]
