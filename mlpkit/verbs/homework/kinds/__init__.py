"""What is written for each kind of exercise, and how it is checked."""

from __future__ import annotations

from typing import Final

from mlpkit.verbs.homework.kinds.layer_and_loss import LayerTask, LossTask
from mlpkit.verbs.homework.kinds.optimizer import OptimizerTask
from mlpkit.verbs.homework.kinds.spec import SpecTask
from mlpkit.verbs.homework.kinds.task import Task

TASKS: Final[dict[str, type[Task]]] = {
    "layer": LayerTask,
    "loss": LossTask,
    "optimizer": OptimizerTask,
    "spec": SpecTask,
}
"""By the kind of exercise: how it is handed out and checked."""
