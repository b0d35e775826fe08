"""Evaluating the trained network of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.errors import UsageError
from mlpkit.jobs.blas_threads import blas_threads
from mlpkit.jobs.load_model import load_run
from mlpkit.network.blame import Blame
from mlpkit.network.builder import describe_data
from mlpkit.training.evaluation import Evaluator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlpkit.registry.registry import Registry

SPLITS = ("train", "validation", "test")


def evaluate(
    directory: Path, splits: Sequence[str] = (), registry: Registry | None = None
) -> dict[str, dict[str, float]]:
    """Return loss and metrics of a run's network by split, computed anew from the data.

    Args:
        directory: the run folder.
        splits: which splits; by default all that the data set has.
        registry: the plugins to take components from; by default what is installed.

    Raises:
        UsageError: the data set has no such split.
        RunFolderError: the folder is not a run folder, or holds no model yet.
        ModelFileError: the model file is damaged.
        DataError: a data file is not what it should be.
        ComponentFailure: the data set, the network or a metric raised an exception of its own.
    """
    model = load_run(directory, registry)
    description = describe_data(model.spec)
    with Blame(f"dataset {model.spec.data.name} failed in open"):
        data = model.spec.data().open(model.spec.seed)
    for split in splits:
        if split not in data:
            raise UsageError(f"{model.spec.data.name} has no split '{split}'; expected one of {', '.join(data)}")
    metrics = {metric.name: metric for metric in model.spec.training.metrics}
    with blas_threads(model.threads):
        return Evaluator(model.network, data, description, metrics)(splits or [s for s in SPLITS if s in data])
