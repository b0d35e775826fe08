"""The kind of target that an array holds."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, DataError, Labels, Target, Values
from mlpkit_plugins.arrays.raw_rows import row_blocks, written
from mlpkit_plugins.arrays.scaling import no_logarithm
from mlpkit_plugins.formats.rows_on_disk import Rows

Predicted = Literal["classes", "labels", "values"]

WITHOUT_GAPS: Final = "number them from 0 without gaps: np.unique(t, return_inverse=True)[1]"
"""What to do about wrong class numbers."""


def array_target(targets: Rows, predict: Predicted, name: str) -> Target:
    """Return the target that an array holds, and check all class numbers and labels."""
    shape = targets.shape[1:]
    if predict == "values":
        return Values(shape or (1,))
    if predict == "classes" and are_one_hot(targets):
        message = f"holds one-hot rows, of shape {targets.shape}; expected the number of each example's class"
        raise DataError(
            name, f"{message}; save them with .argmax(1), or set predict: labels if several can apply at once"
        )
    if targets.dtype.kind not in "biu":
        what = "numbers of classes" if predict == "classes" else "0 and 1"
        remedy = "set predict: values if they are real numbers"
        if are_whole(targets):
            remedy = f"save them with .astype(int), or {remedy}"
        raise DataError(name, f"holds {targets.dtype}; expected {what} as integers; {remedy}")
    if predict == "labels":
        if len(shape) != 1:
            remedy = "" if shape else "; save them with .reshape(-1, 1) if there is one label"
            raise DataError(name, f"has the shape {targets.shape}; expected (examples, labels){remedy}")
        for begin, part in row_blocks(targets):
            _check((part == 0) | (part == 1), part, begin, name, "0 or 1")
        return Labels(shape[0])
    if shape not in ((), (1,)):
        message = f"has the shape {targets.shape}; expected (examples,); set predict: labels for rows of 0 and 1"
        raise DataError(name, message)
    largest = 0
    for begin, part in row_blocks(targets):
        _check((part >= 0) & (part < 2**31), part, begin, name, f"numbers of classes from 0; {WITHOUT_GAPS}")
        largest = max(largest, int(part.max()))
    return Classes(largest + 1)


def remedy_for_values(targets: Rows, name: str) -> str:
    """Return the advice for targets read as real values if the loss takes classes."""
    fitting = "end the layers with a loss on real values, such as MeanSquaredError"
    if are_one_hot(targets):
        return f"save {name} with .argmax(1), and set predict: classes"
    if targets.dtype.kind in "biu":
        return f"{fitting}; or set predict: classes if they are numbers of classes"
    if targets.shape[1:] in ((), (1,)) and are_whole(targets):
        return f"{fitting}; or save {name} with .astype(int), and set predict: classes, if they are numbers of classes"
    return fitting


def check_logarithms(targets: Rows, name: str) -> None:
    """Check that all values have a logarithm."""
    for begin, part in row_blocks(targets):
        if not (part > 0).all():
            place = np.unravel_index(int((part <= 0).argmax()), part.shape)
            example = f"the target of example {begin + int(place[0])}{written([int(i) for i in place[1:]])}"
            raise DataError(name, f"{example}: {no_logarithm(float(part[place]))}")


def are_whole(targets: Rows) -> bool:
    """Whether all numbers are integers."""
    return all((part == np.floor(part)).all() for _, part in row_blocks(targets))


def are_one_hot(targets: Rows) -> bool:
    """Whether all rows are one-hot."""
    if len(targets.shape) != 2 or targets.shape[1] < 2:
        return False
    return all(
        ((part == 0) | (part == 1)).all() and (np.count_nonzero(part, axis=1) == 1).all()
        for _, part in row_blocks(targets)
    )


def _check(right: NDArray[np.bool_], part: Array, begin: int, name: str, expected: str) -> None:
    if not right.all():
        place = np.unravel_index(int((~right).argmax()), right.shape)
        row = begin + int(place[0])
        raise DataError(name, f"the target of example {row} is {part[place]}; expected {expected}")
