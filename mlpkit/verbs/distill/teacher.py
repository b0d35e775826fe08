"""A run whose predictions for the training rows are mixed into their targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from mlpkit.array import Array
from mlpkit.components.dataset import Dataset, Description, Split
from mlpkit.components.schema.context import Problem
from mlpkit.components.schema.wording import listed
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.errors import DataError, MlpkitError
from mlpkit.jobs.inputs import inputs_of
from mlpkit.jobs.load_model import TrainedModel, load_run
from mlpkit.jobs.predict import predictions
from mlpkit.jobs.spec_data import raw_rows
from mlpkit.specfile.sections import TeacherSection
from mlpkit.specfile.spec import Spec
from mlpkit.training.minibatches import Examples

PLACE: Final = ("training", "teacher")
RUN: Final = (*PLACE, "run")

MOST_NAMES_SHOWN: Final = 5


def teacher_of(
    spec: Spec, dataset: Dataset, description: Description
) -> tuple[Callable[[Split], Examples] | None, list[Problem]]:
    """Return what mixes the predictions of a spec's teacher into its targets, and what of the teacher doesn't fit."""
    section = spec.training.teacher
    assert section is not None
    try:
        model = load_run(Path(section.run), spec.registry)
    except MlpkitError as error:
        remedy = "name the folder of a finished run"
        return None, [Problem(RUN, f"there is no teacher: {error}", remedy=remedy, code="wrong-run-folder")]
    misfits = _misfits(section, model, dataset, description)
    return partial(taught, section, model, dataset, description), misfits


def _misfits(section: TeacherSection, model: TrainedModel, dataset: Dataset, description: Description) -> list[Problem]:
    """Return the faults of a teacher that predicts something else, or from other columns than there are."""
    faults = []
    theirs, ours = _predicted(model.target, model.dataset), _predicted(description.target, dataset)
    if names := model.network.loss_layer.prediction_names():
        theirs = f"{listed(names, MOST_NAMES_SHOWN)} of {theirs}"
    if theirs != ours:
        message, remedy = f"{section.run} predicts {theirs}", "name a run with the target of this data"
        faults.append(Problem(RUN, message, expected=ours, remedy=remedy, code="wrong-target"))
    columns = dataset.column_names() or ()
    unknown = [name for name in model.dataset.column_names() or () if name not in columns]
    if unknown:
        message = f"{section.run} takes {listed(unknown, MOST_NAMES_SHOWN)}, not among the inputs of this data"
        remedy = "give the data the inputs that the teacher was trained on"
        faults.append(Problem(RUN, message, remedy=remedy, code="wrong-data"))
    if section.temperature != 1 and isinstance(description.target, Values):
        message, remedy = "values have no temperature", "leave out temperature"
        faults.append(Problem((*PLACE, "temperature"), message, remedy=remedy, code="wrong-target"))
    return faults


def _predicted(target: Target, dataset: Dataset) -> str:
    names = dataset.class_names() if isinstance(target, Classes) else dataset.target_names()
    return f"{target}: {', '.join(names)}" if names else str(target)


def taught(
    section: TeacherSection, model: TrainedModel, dataset: Dataset, description: Description, split: Split
) -> Examples:
    """Return the training split with a teacher's predictions in its targets; classes become rows of probabilities."""
    rows = raw_rows(dataset, "train", np.arange(len(split)), split)
    if rows is None:
        raise DataError(dataset.registered_name, "keeps no raw rows, so that no teacher can predict them")
    predicted, target = predictions(model, inputs_of(model, rows)).values, description.target
    given = section.weight * softened(predicted.astype(np.float64), section.temperature, target)
    if isinstance(target, Classes):
        description = description._replace(target=replace(target, one_hot=True))
    mixed = MixedTargets(split, given, 1 - section.weight, numbered=target != description.target)
    return Examples(mixed, description)


def softened(p: Array, temperature: float, target: Target) -> Array:
    """Return predictions p, those that are probabilities softened.

        p^(1/T) / Σ p^(1/T),  the sum over the classes, or over p and 1 - p of a label

    Args:
        p: predictions, shape (rows, ...).
        temperature: T; 1 changes nothing.
        target: what they predict.

    Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015), section 2.
    """
    if temperature == 1:
        return p
    soft: Array = p ** (1 / temperature)
    if isinstance(target, Labels):
        return np.asarray(soft / (soft + (1 - p) ** (1 / temperature)))
    return np.asarray(soft / soft.sum(axis=1, keepdims=True))


class MixedTargets:
    """A split whose targets are t = given + share · (its own targets); ``given`` has the shape (rows, ...).

    Targets that are ``numbered`` are numbers of classes, which stand for one-hot rows.
    """

    def __init__(self, split: Split, given: Array, share: float, *, numbered: bool) -> None:
        self._split, self._given, self._share, self._numbered = split, given, share, numbered

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._split)

    def take(self, indices: Array, out: tuple[Array, ...]) -> None:
        """Write the examples at ``indices`` into ``out``."""
        x, t, *weights = out
        own = np.empty(len(indices), np.int64) if self._numbered else t
        self._split.take(indices, (x, own, *weights))  # type: ignore[arg-type]  # with weights there are three
        if self._numbered:
            t[...] = 0
            t[np.arange(len(t)), own] = 1
        t *= self._share
        t += self._given[indices].reshape(t.shape)
