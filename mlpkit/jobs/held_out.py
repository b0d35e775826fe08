"""Fitting what adjusts predictions once training is over, on rows that no weight was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description, Split
from mlpkit.components.randomness import keyed_generator
from mlpkit.components.schema.context import Problem
from mlpkit.components.target import Classes
from mlpkit.errors import Code, WrongUseError
from mlpkit.jobs.folds import rows_to_fold
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.jobs.spec_data import why_not_exchangeable
from mlpkit.network.component_errors import operation_errors
from mlpkit.network.coverage import Coverage, RegionsFound, rows_needed
from mlpkit.network.sequential import EVALUATION_ROWS, Sequential
from mlpkit.network.shape_proof import Adjustments, Proof, adjusted
from mlpkit.specfile.spec import Spec
from mlpkit.training.divergence import without_warnings
from mlpkit.training.minibatches import BatchReader


class HeldOut(NamedTuple):
    """What a network predicts for rows that no weight of it was trained on, their targets, and any weights."""

    values: Array
    targets: Array
    weights: Array | None


def held_out(network: Sequential, rows: Split, description: Description) -> HeldOut:
    """Return what a network, whose adjustments aren't fitted yet, predicts for rows."""
    reader = BatchReader(rows, description, network.dtype, min(EVALUATION_ROWS, len(rows)))
    return joined(
        HeldOut(network.predict_encoded(x), t.copy(), None if weights is None else weights.copy())
        for x, t, weights in reader.in_order()
    )


def joined(parts: Iterable[HeldOut]) -> HeldOut:
    """Join the rows of several parts, which all have weights or none."""
    values, targets, weights = zip(*parts, strict=True)
    return HeldOut(
        np.concatenate(values), np.concatenate(targets), None if weights[0] is None else np.concatenate(weights)
    )


def fit_adjustments(network: Sequential, found: HeldOut) -> None:
    """Fit what adjusts a network's predictions, each on a part of the rows of its own, drawn by the network's seed.

    What is fitted later sees predictions that the calibration has changed.
    """
    adjustments, targets = network.adjustments.present, found.targets.astype(np.float64)
    if isinstance(network.target, Classes) and found.targets.ndim == 1:
        targets = np.eye(network.target.count)[found.targets]
    weights = np.ones(len(targets)) if found.weights is None else np.asarray(found.weights, np.float64)
    order = keyed_generator(network.seed, "held out").permutation(np.flatnonzero(weights))
    with network.evaluating(), without_warnings():
        for i, adjustment in enumerate(adjustments):
            part = np.sort(order[i :: len(adjustments)])
            if not len(part):  # no row counts
                continue
            predicted = network.replicas[0].calibrated(found.values[part])
            with operation_errors(adjustment, "fit"):
                adjustment.fit(predicted.astype(np.float64), targets[part], weights[part] / weights[part].mean())
            adjustment.fitted.value[...] = 1


def coverage_faults(spec: Spec, dataset: Dataset, description: Description, proof: Proof) -> list[Problem]:
    """Return why predictions can't have regions with the spec's coverage: its data or its loss doesn't suit."""
    assert spec.coverage is not None
    if description.weighted:
        message = "coverage counts each held-out row once, but the examples have weights"
        return [_fault(message, remedy="leave out one of them", code="conflicting-keys")]
    try:
        with operation_errors(proof.loss, "prediction_names"):
            adjusted(proof, Adjustments(coverage=Coverage(spec.coverage, proof.loss)), np.dtype(spec.dtype))
    except WrongUseError as error:
        remedy = f"{error.remedy}, or leave out coverage" if error.remedy else "leave out coverage"
        return [_fault(error.message, error.expected, remedy, "wrong-target")]
    folds, least = spec.folds is not None, rows_needed(spec.coverage) * (1 if spec.calibration is None else 2)
    rows = rows_to_fold(dataset.describe().sizes) if folds else description.sizes.get("validation", 0)
    if rows >= least:
        return []
    half = ", and calibration takes half of them" if spec.calibration is not None else ""
    message = f"{spec.data.name} has {rows or 'no'} rows {'in all folds' if folds else 'for validation'}{half}"
    otherwise = "ask for less coverage" if rows else "leave out coverage"
    remedy = f"{'add rows' if folds else 'give it more, in validation'}; or {otherwise}"
    return [
        _fault(f"coverage: {spec.coverage:g} needs {least} held-out rows, but {message}", "", remedy, "out-of-range")
    ]


def _fault(message: str, expected: str = "", remedy: str = "", code: Code = "wrong-value") -> Problem:
    return Problem(("coverage",), message, expected, remedy, at_key=True, code=code)


def regions_found(
    model: TrainedModel, prediction: Array, t: Array, groups: Mapping[str, NDArray[np.intp]] | None = None
) -> RegionsFound | None:
    """Return how many targets ``t`` of rows that are new to a model its regions hold; None if it has none."""
    coverage = model.network.adjustments.coverage
    if coverage is None or not coverage.is_fitted:
        return None
    names = model.dataset.class_names() if isinstance(model.target, Classes) else model.dataset.target_names()
    count = getattr(model.target, "count", 0) or prod(prediction.shape[1:])
    doubt = why_not_exchangeable(model.dataset)
    if not doubt and model.spec.folds is not None:
        doubt = "the held-out rows were predicted by networks of their own, and not by their average"
    return coverage.found(prediction, t, names or tuple(map(str, range(count))), doubt, groups or {})
