"""The figures of a training run, evaluation by evaluation."""

from __future__ import annotations

from typing import TypeAlias

Record: TypeAlias = dict[str, float]
"""One evaluation: iteration, epoch, learning_rate, and for each split its loss and metrics.

Keys of the figures are split and figure: ``train_loss``, ``validation_accuracy``.
"""


def evaluation_record(
    iteration: int, epoch: float, learning_rate: float, figures: dict[str, dict[str, float]]
) -> Record:
    """Return the record of an evaluation, losses before metrics.

    Args:
        iteration: steps done.
        epoch: passes over the training data done.
        learning_rate: the learning rate of the last step.
        figures: loss and metrics by split.
    """
    losses = {f"{split}_loss": values["loss"] for split, values in figures.items()}
    metrics = {
        f"{split}_{name}": value
        for split, values in figures.items()
        for name, value in values.items()
        if name != "loss"
    }
    return {"iteration": iteration, "epoch": epoch, "learning_rate": learning_rate, **losses, **metrics}
