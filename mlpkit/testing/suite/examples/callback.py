"""Examples on which callbacks are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.callback import TrainingView, Weights
from mlpkit.components.schedule import Progress
from mlpkit.testing.suite.examples.example import Example

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.components.callback import Callback
    from mlpkit.testing.suite.comparison import Arrays

STEPS = 12
STEPS_PER_EVALUATION = 3


class CallbackExample(Example):
    """A callback that follows a short training whose losses first fall and then rise."""

    sample = "[{'patience': 2}]"

    def view(self, folder: Path | None = None) -> TrainingView:
        """Return the view of a training that has not begun."""
        rng = self.random("parameters")
        values = np.append(rng.normal(size=12), np.zeros(3))
        parameters = {"Layer1.W": values[:12].reshape(4, 3), "Layer1.b": values[12:]}
        return TrainingView(Progress(0, 0.0, STEPS), parameters, folder, weights=Weights(values, np.ones(2)))

    def follow(self, callback: Callback, view: TrainingView, first: int = 1, last: int = STEPS) -> list[Any]:
        """Pass some steps of a training to a callback, and return after which it asked to stop, and why.

        Args:
            callback: the callback; ``on_start`` is called before the first of these steps, as when a run is resumed,
                and ``on_end`` after the last step of all.
            view: the view that it gets.
            first: the first step, from 1.
            last: the last step.
        """
        asked = []
        view.history = history = [record_after(step) for step in range(1, first) if step % STEPS_PER_EVALUATION == 0]
        view.progress.step, view.progress.epoch = first - 1, (first - 1) / STEPS_PER_EVALUATION
        callback.on_start(view)
        for step in range(first, last + 1):
            view.progress.step, view.progress.epoch = step, step / STEPS_PER_EVALUATION
            callback.on_step(view, loss_after(step))
            if step % STEPS_PER_EVALUATION == 0:
                history.append(record_after(step))
                callback.on_evaluation(view, history[-1])
            if view.stop_reason:
                asked.append((step, view.stop_reason))
                view.stop_reason = ""
        if last == STEPS:
            callback.on_end(view)
        return asked

    def exercise(self) -> Arrays:
        """Follow a training from beginning to end."""
        callback = self.make()
        asked = self.follow(callback, self.view())
        return {"the steps that it asked to stop after": np.array([step for step, _ in asked], np.int64)}


def loss_after(step: int) -> float:
    """Return the loss of a step: it falls at first, and then rises again."""
    return 0.5 + abs(step - STEPS / 3) / STEPS


def record_after(step: int) -> dict[str, float]:
    """Return the history's line after a step."""
    loss = loss_after(step)
    figures = {"train_loss": loss, "validation_loss": loss + 0.1}
    return {"iteration": step, "epoch": step / STEPS_PER_EVALUATION, "learning_rate": 0.1, **figures}
