"""What an array of targets most likely holds: classes, labels or values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mlpkit import DataError
from mlpkit_plugins.arrays.array_targets import are_one_hot, are_whole, array_target, parts_of
from mlpkit_plugins.first_networks.perceptron import ClassTarget, LabelTarget, ValueTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit_plugins.arrays.array_targets import Predicted
    from mlpkit_plugins.first_networks.perceptron import TargetToLearn
    from mlpkit_plugins.formats.rows_on_disk import Rows

MANY_CLASSES: Final = 20
"""More distinct integers than this are classes only if there are no gaps among them."""

ROWS_PER_CLASS: Final = 10
"""With fewer rows per integer on average, integers are values."""


class TargetGuess(NamedTuple):
    """What targets most likely are.

    Args:
        predict: what a data set calls them.
        target: what a network learns.
        text: what they are, in words.
        note: what else they may be, and what to do then; or empty.
    """

    predict: Predicted
    target: TargetToLearn
    text: str
    note: str = ""


def guess_target(targets: Rows, name: str, *, are_classes: bool = False) -> TargetGuess:
    """Return what targets most likely are.

    Args:
        targets: an array with a row for each example.
        name: what to call it in messages.
        are_classes: whether they are numbers of classes for sure.

    Raises:
        DataError: there is nothing to predict, or they need to be written in another way first.
    """
    shape = targets.shape[1:]
    if len(shape) > 1:
        message = f"has the shape {targets.shape}; expected a target, or a row of targets, for each example"
        raise DataError(name, f"{message}; save it with .reshape(len(t), -1)")
    counts = _counts(targets)
    if len(counts) == 1:
        raise DataError(name, f"every target is {next(iter(counts)):g}, so that there is nothing to predict")
    if are_one_hot(targets):
        array_target(targets, "classes", name)  # says how to save their numbers
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
    """Return how often each number occurs, in ascending order."""
    found: dict[float, int] = {}
    for _, part in parts_of(targets):
        for number, count in zip(*(array.tolist() for array in np.unique(part, return_counts=True)), strict=True):
            found[number] = found.get(number, 0) + count
    return dict(sorted(found.items()))


def _are_classes(counts: Mapping[float, int]) -> bool:
    """Whether whole numbers are most likely those of classes: two, or few of many rows each, or all up to the last."""
    distinct, rows = len(counts), sum(counts.values())
    if distinct == 2:
        return True
    have_no_gaps = min(counts) in (0, 1) and max(counts) - min(counts) + 1 == distinct
    return distinct * ROWS_PER_CLASS <= rows and (distinct <= MANY_CLASSES or have_no_gaps)
