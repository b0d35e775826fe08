"""Guesses whether an array of targets holds classes, labels or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.arrays.array_targets import Predicted, are_one_hot, are_whole, array_target
from mlpkit_plugins.arrays.finite_rows import row_blocks
from mlpkit_plugins.first_networks.perceptron import ClassTarget, LabelTarget, TargetToLearn, ValueTarget
from mlpkit_plugins.formats.rows_on_disk import Rows

MANY_CLASSES: Final = 20
"""More distinct integers than this are classes only if they have no gaps."""

ROWS_PER_CLASS: Final = 10
"""With fewer rows per integer on average, integers are values."""


class TargetGuess(NamedTuple):
    """The most likely content of targets.

    Args:
        predict: the value of ``predict`` in a spec.
        target: the target of the network.
        text: their description.
        note: what else they may be, and what to do then; empty if they are clear.
    """

    predict: Predicted
    target: TargetToLearn
    text: str
    note: str = ""


def guess_target(targets: Rows, name: str, *, are_classes: bool = False) -> TargetGuess:
    """Guess the content of targets.

    Args:
        targets: an array with a row for each example.
        name: its name in messages.
        are_classes: whether they are known to be class numbers.

    Raises:
        DataError: there is nothing to predict, or the targets have an unsupported format.
    """
    shape = targets.shape[1:]
    if len(shape) > 1:
        message = f"has the shape {targets.shape}; expected a target, or a row of targets, for each example"
        raise DataError(name, f"{message}; save it with .reshape(len(t), -1)")
    counts = _counts(targets)
    if len(counts) == 1:
        raise DataError(name, f"every target is {next(iter(counts)):g}, so there is nothing to predict")
    if are_one_hot(targets):
        array_target(targets, "classes", name)  # raises an error that tells how to save class numbers
    if shape not in ((), (1,)):
        if targets.dtype.kind in "biu" and counts.keys() == {0, 1}:
            return TargetGuess("labels", LabelTarget(), f"{shape[0]} labels")
        return TargetGuess("values", ValueTarget(), f"{shape[0]} values each")
    if are_classes or (targets.dtype.kind in "biu" and _are_classes(counts)):
        array_target(targets, "classes", name)
        classes = ClassTarget({str(int(number)): count for number, count in counts.items()})
        return TargetGuess("classes", classes, str(classes))
    text = f"values from {min(counts):.4g} to {max(counts):.4g}"
    if are_whole(targets) and _are_classes(counts):
        note = f"if these {len(counts)} whole numbers are classes, save them with .astype(int)"
        return TargetGuess("values", ValueTarget(), text, note)
    return TargetGuess("values", ValueTarget(), text)


def _counts(targets: Rows) -> dict[float, int]:
    """Count how often each number occurs, in ascending order."""
    counts: dict[float, int] = {}
    for _, part in row_blocks(targets):
        for number, count in zip(*(array.tolist() for array in np.unique(part, return_counts=True)), strict=True):
            counts[number] = counts.get(number, 0) + count
    return dict(sorted(counts.items()))


def _are_classes(counts: Mapping[float, int]) -> bool:
    """Whether integers are most likely class numbers: there are two, or a few with many rows each, or no gaps."""
    distinct, rows = len(counts), sum(counts.values())
    if distinct == 2:
        return True
    have_no_gaps = min(counts) in (0, 1) and max(counts) - min(counts) + 1 == distinct
    return distinct * ROWS_PER_CLASS <= rows and (distinct <= MANY_CLASSES or have_no_gaps)
