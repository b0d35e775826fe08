"""What is written for each kind of exercise, and how it is checked."""

from __future__ import annotations

from typing import Final

from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import Exercise
from mlpkit.verbs.homework.kinds.initializer import InitializerTask
from mlpkit.verbs.homework.kinds.layer import LayerTask
from mlpkit.verbs.homework.kinds.loss import LossTask
from mlpkit.verbs.homework.kinds.optimizer import OptimizerTask
from mlpkit.verbs.homework.kinds.spec import SpecTask
from mlpkit.verbs.homework.kinds.task import Task

TASKS: Final[dict[str, type[Task]]] = {
    "layer": LayerTask,
    "loss": LossTask,
    "optimizer": OptimizerTask,
    "initializer": InitializerTask,
    "spec": SpecTask,
}


def task_of(exercise: Exercise, registry: Registry) -> Task:
    """Return how an exercise is handed out and checked."""
    return TASKS[exercise.kind](exercise, registry)
