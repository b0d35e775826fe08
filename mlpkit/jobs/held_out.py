"""Fitting what adjusts predictions once training is over, on rows that no weight was trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Description, Split
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.target import Classes
from mlpkit.network.component_errors import operation_errors
from mlpkit.network.sequential import EVALUATION_ROWS, Sequential
from mlpkit.training.divergence import without_warnings
from mlpkit.training.minibatches import BatchReader


class HeldOut(NamedTuple):
    """What a network predicts for rows that no weight of it was trained on.

    Args:
        values: its predictions, as the loss returns them, shape (rows, ...).
        targets: the targets of the rows, as the network is compared with them.
        weights: their weights; None if they have none.
    """

    values: Array
    targets: Array
    weights: Array | None


def held_out(network: Sequential, rows: Split, description: Description) -> HeldOut:
    """Return what a network, whose adjustments aren't fitted yet, predicts for rows."""
    reader = BatchReader(rows, description, network.dtype, min(EVALUATION_ROWS, len(rows)))
    parts = [
        (network.predict_encoded(x), t.copy(), None if weights is None else weights.copy())
        for x, t, weights in reader.in_order()
    ]
    values, targets, weights = (
        None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)
    )
    assert values is not None
    assert targets is not None
    return HeldOut(values, targets, weights)


def fit_adjustments(network: Sequential, found: HeldOut) -> None:
    """Fit what adjusts a network's predictions, each on a part of the rows of its own, drawn by the network's seed.

    What is fitted later sees predictions that the calibration has changed.

    Raises:
        ComponentFailure: a calibration raised an exception.
    """
    adjustments, targets = network.adjustments.present, _as_predicted(network, found.targets)
    weights = np.ones(len(targets)) if found.weights is None else np.asarray(found.weights, np.float64)
    order = keyed_generator(network.seed, "held out").permutation(np.flatnonzero(weights))
    with network.evaluating(), without_warnings():
        for i, adjustment in enumerate(adjustments):
            part = np.sort(order[i :: len(adjustments)])
            predicted = network.replicas[0].calibrated(found.values[part])
            with operation_errors(adjustment, "fit"):
                adjustment.fit(predicted.astype(np.float64), targets[part], weights[part] / weights[part].mean())
            adjustment.fitted.value[...] = 1


def _as_predicted(network: Sequential, targets: Array) -> NDArray[np.float64]:
    """Return targets in the shape of predictions: classes as one-hot rows."""
    if isinstance(network.target, Classes) and targets.ndim == 1:
        return np.eye(network.target.count)[targets]
    return targets.astype(np.float64)
