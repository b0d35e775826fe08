"""Targets as people write them (names of classes, labels, values), and as a network is compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import ShapeError, UsageError
from mlpkit.network.arguments import number_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.components.target import Target

_TRUTHS: Final = {"True": True, "False": False}
MOST_CLASSES_SHOWN: Final = 20


def class_values(names: tuple[str, ...] | None, count: int) -> tuple[Any, ...]:
    """Return what classes are called in Python: numbers if all of their names are, so that they equal those of a table.

    Args:
        names: their names; None if they are just numbers.
        count: how many there are.
    """
    if names is None:
        return tuple(range(count))
    return _if_all(int, names) or _if_all(_TRUTHS.get, names) or _if_all(float, names) or names


def _if_all(read: Callable[[str], Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return what all names stand for; nothing if one of them is not exactly how Python writes that."""
    try:
        values = tuple(map(read, names))
    except ValueError:
        return ()
    return values if tuple(map(str, values)) == names else ()


def targets_of(target: Target, names: tuple[str, ...] | None, given: object, rows: int) -> NDArray[Any]:
    """Return targets as ``Split.take`` writes them, but never one-hot.

    Args:
        target: what the network predicts.
        names: names of its classes, if it has any.
        given: an array or a list: names or numbers of classes, or one-hot rows of them; labels; or values.
        rows: how many there must be.

    Raises:
        UsageError: they aren't classes of the model, or labels, or finite numbers.
        ShapeError: there are more or fewer.
    """
    if isinstance(target, Classes):
        return _class_numbers(np.asarray(given), target.count, class_values(names, target.count), names, rows)
    shape = target.array(np.dtype(np.float64))[0]
    array = number_array(given, "targets")  # type: ignore[arg-type]  # whatever it is
    if array.ndim == 1 and shape == (1,):
        array = array.reshape(-1, 1)
    _expect_shape(array, (rows, *shape))
    right = (array == 0) | (array == 1) if isinstance(target, Labels) else np.isfinite(array)
    if not right.all():
        place = np.unravel_index(int((~right).argmax()), right.shape)
        expected = "0 or 1" if isinstance(target, Labels) else "a finite number"
        raise UsageError(f"the target of row {place[0]}, counted from 0, is {array[place]}; expected {expected}")
    return array


def _class_numbers(
    given: NDArray[Any], count: int, values: tuple[Any, ...], names: tuple[str, ...] | None, rows: int
) -> NDArray[np.int64]:
    if given.shape == (rows, count) and given.dtype.kind in "biuf" and _are_one_hot(given):
        return np.asarray(given.argmax(axis=1), np.int64)
    if given.shape == (rows, 1):
        given = given.reshape(rows)
    _expect_shape(given, (rows,))
    numbers = dict(zip(values, range(count), strict=True))
    numbers |= dict(zip(names or (), range(count), strict=False))
    found = np.empty(rows, np.int64)
    for row, value in enumerate(given.tolist()):
        try:
            found[row] = numbers[value]
        except (KeyError, TypeError) as error:
            raise _unknown_class(row, value, values) from error
    return found


def _are_one_hot(rows: NDArray[Any]) -> bool:
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all())


def _unknown_class(row: int, value: object, classes: tuple[Any, ...]) -> UsageError:
    shown = ", ".join(map(str, classes[:MOST_CLASSES_SHOWN])) + (", ..." if len(classes) > MOST_CLASSES_SHOWN else "")
    remedy = did_you_mean(value, map(str, classes)) if isinstance(value, str) else ""
    return UsageError(
        f"the target of row {row}, counted from 0, is {value!r}, which is no class of the model; "
        f"{remedy or f'expected one of {shown}'}"
    )


def _expect_shape(array: NDArray[Any], expected: tuple[int, ...]) -> None:
    if array.shape != expected:
        shape = ", ".join(map(str, expected)) + ("," if len(expected) == 1 else "")
        raise ShapeError(f"targets of shape {array.shape} don't fit the rows", expected=f"({shape})")
