"""What an array of targets asks to predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import numpy as np

from mlpkit import Classes, DataError, Labels, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlpkit import Target
    from mlpkit_plugins.formats.rows_on_disk import Rows

Predicted = Literal["classes", "labels", "values"]

_ROWS: Final = 1 << 16


def array_target(targets: Rows, predict: Predicted, name: str) -> Target:
    """Return what is to be predicted; numbers of classes and labels are all looked at, a part at a time.

    Args:
        targets: an array with a row for each example.
        predict: what its values are.
        name: what to call it in messages.

    Raises:
        DataError: they are something else.
    """
    shape = targets.shape[1:]
    if predict == "values":
        return Values(shape or (1,))
    if predict == "classes" and _are_one_hot(targets):
        message = f"holds one-hot rows, of shape {targets.shape}; expected the number of each example's class"
        raise DataError(
            name, f"{message}; save them with .argmax(1), or set predict: labels if several may hold at once"
        )
    if targets.dtype.kind not in "biu":
        what = "numbers of classes" if predict == "classes" else "0 and 1"
        remedy = "set predict: values if they are real numbers"
        if all((part == np.floor(part)).all() for _, part in _parts(targets)):
            remedy = f"save them with .astype(int), or {remedy}"
        raise DataError(name, f"holds {targets.dtype}; expected {what} as integers; {remedy}")
    if predict == "labels":
        if len(shape) != 1:
            raise DataError(name, f"has the shape {targets.shape}; expected (examples, labels)")
        for begin, part in _parts(targets):
            _expect((part == 0) | (part == 1), part, begin, name, "0 or 1")
        return Labels(shape[0])
    if shape not in ((), (1,)):
        message = f"has the shape {targets.shape}; expected (examples,); set predict: labels for rows of 0 and 1"
        raise DataError(name, message)
    largest = 0
    for begin, part in _parts(targets):
        _expect((part >= 0) & (part < 2**31), part, begin, name, "numbers of classes from 0")
        largest = max(largest, int(part.max()))
    return Classes(largest + 1)


def _are_one_hot(targets: Rows) -> bool:
    """Whether there are rows of zeros, each with a single one."""
    if len(targets.shape) != 2 or targets.shape[1] < 2:
        return False
    return all(
        ((part == 0) | (part == 1)).all() and (np.count_nonzero(part, axis=1) == 1).all() for _, part in _parts(targets)
    )


def _parts(targets: Rows) -> Iterator[tuple[int, NDArray[Any]]]:
    """Return the targets, some rows at a time, each time with the number of the first."""
    for begin in range(0, targets.shape[0], _ROWS):
        yield begin, targets[begin : begin + _ROWS]


def _expect(right: NDArray[np.bool_], part: NDArray[Any], begin: int, name: str, expected: str) -> None:
    if not right.all():
        _refuse(right, part, begin, name, expected)


def _refuse(right: NDArray[np.bool_], part: NDArray[Any], begin: int, name: str, expected: str) -> NoReturn:
    place = np.unravel_index(int((~right).argmax()), right.shape)
    row = begin + int(place[0])
    raise DataError(name, f"the target of example {row} is {part[place]}; expected {expected}")
