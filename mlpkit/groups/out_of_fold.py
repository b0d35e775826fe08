"""What the networks of an ensemble predict for the rows of their folds, which they were not trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description
from mlpkit.components.target import Classes
from mlpkit.errors import DivergenceError
from mlpkit.groups.prediction_file import write_predictions
from mlpkit.jobs.folds import Folds
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.predict import predictions_of
from mlpkit.jobs.trained_model import class_values
from mlpkit.network.component_errors import component_errors
from mlpkit.network.metrics import Metrics
from mlpkit.network.sequential import EVALUATION_ROWS
from mlpkit.registry.registry import Registry
from mlpkit.training.divergence import without_warnings
from mlpkit.training.minibatches import BatchReader
from mlpkit.training.workers import blas_threads

if TYPE_CHECKING:
    from mlpkit.jobs.inputs import Column


class OutOfFold(NamedTuple):
    """Predictions for all rows that are cut into folds, each by the network that has not seen it.

    Args:
        values: the predictions, as ``network.predict`` returns them, shape (rows, ...).
        targets: the targets of the rows, as the network is compared with them.
        weights: their weights; None if they have none.
        folds: the number of each row's fold, and so of the network that predicts it.
    """

    values: Array
    targets: Array
    weights: Array | None
    folds: NDArray[np.intp]


def predict_out_of_fold(
    members: Sequence[Path], folds: Folds, description: Description, registry: Registry
) -> OutOfFold:
    """Return the predictions of each network for the rows of its fold, or raise ``ModelFileError``."""
    parts: list[tuple[Array, ...]] = []
    for number, directory in enumerate(members):
        member, held_out = load_run(directory, registry), folds.splits(number)["validation"]
        rows = min(EVALUATION_ROWS, len(held_out))
        reader = BatchReader(held_out, description, member.network.dtype, rows)
        with blas_threads(member.threads), without_warnings():
            for x, t, weights in reader.in_order():
                parts.append((member.network.predict_encoded(x), t.copy(), np.array(weights, np.float64)))
    order = np.argsort(np.concatenate([np.flatnonzero(folds.of(number)) for number in range(len(members))]))
    values, targets = (np.concatenate([part[i] for part in parts])[order] for i in (0, 1))
    weighted = np.concatenate([part[2] for part in parts])[order] if description.weighted else None
    return OutOfFold(values, targets, weighted, folds.numbers)


def calibrated_out_of_fold(model: TrainedModel, found: OutOfFold) -> OutOfFold:
    """Return predictions as the model's calibration, which is fitted, changes them."""
    with model.network.evaluating(), without_warnings():
        return found._replace(values=model.network.replicas[0].calibrated(found.values).copy())


def metrics_out_of_fold(model: TrainedModel, found: OutOfFold, source: Path) -> dict[str, Any]:
    """Return loss and metrics of the predictions, by name."""
    weights = () if found.weights is None else (found.weights,)
    with model.network.evaluating(), without_warnings():
        replica = model.network.replicas[0]
        results: dict[str, Any] = {"loss": replica.compare_predictions(found.values, found.targets, *weights)}
        judges = Metrics({recipe.name: recipe() for recipe in model.spec.training.metrics}, replica, model.target)
        judges.update(found.values, found.targets, *weights)
        results |= judges.results()
    if not math.isfinite(results["loss"]):
        raise DivergenceError(f"{source}: the out-of-fold loss is {results['loss']}; lower the learning rate")
    return results


def write_out_of_fold(file: Path, model: TrainedModel, found: OutOfFold, folds: Folds) -> None:
    """Write a row for each prediction, in the order of the data set: source, fold, target, and the prediction."""
    with component_errors(f"dataset {model.spec.data.name} failed in example_sources"):
        sources = folds.rows.gathered(model.dataset.example_sources, np.arange(len(found.values)))
    columns: dict[str, Column] = {} if sources is None else {"source": sources}
    columns |= {"fold": folds.numbers, **_targets(model, found.targets)}
    write_predictions(file, replace(predictions_of(model, found.values), inputs=columns))


def _targets(model: TrainedModel, targets: Array) -> dict[str, Column]:
    """Return the targets as columns."""
    if isinstance(model.target, Classes):
        numbers = targets if targets.ndim == 1 else targets.argmax(axis=1)
        names = np.array(class_values(model.dataset.class_names(), model.target.count))
        return {"target": np.take(names, numbers)}
    columns = targets.reshape(len(targets), -1)
    of_targets = model.dataset.target_names()
    if of_targets is None and columns.shape[1] == 1:
        return {"target": columns[:, 0]}
    return {f"target_{name}": columns[:, i] for i, name in enumerate(of_targets or range(columns.shape[1]))}
