"""Targets and weights in arrays: what they hold, their classes, and warnings about class numbers."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, DataError, DataWarning, Labels, ModelFileError, Target, Values, did_you_mean
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


_NUMBERS_SHOWN: Final = 3


def warnings_about_classes(
    trained: Collection[int], largest: int, name: str, parameter: str, remedy: str
) -> list[DataWarning]:
    """Return a warning if class numbers, from 0 to the largest, are not among those of the training examples.

    The remedy, which may be empty, helps if they are not classes at all.
    """
    lacking = (number for number in range(largest + 1) if number not in trained)
    shown, more = ", ".join(map(str, islice(lacking, _NUMBERS_SHOWN))), largest + 1 - len(trained) - _NUMBERS_SHOWN
    if not shown:
        return []
    message = f"no training example of {name} has class {shown}" + (f" and {more:,} more" if more > 0 else "")
    ways = ", or ".join(filter(None, ("give more examples to training", WITHOUT_GAPS, remedy)))
    return [DataWarning(parameter, f"{message}, though the largest is {largest}", ways)]


def counts_of_classes(
    parts: Mapping[str, tuple[Rows, NDArray[np.intp] | range]],
) -> tuple[list[int], dict[str, NDArray[np.int64]]]:
    """Return the used class numbers, and each split's count of examples for each of them."""
    counters = {name: _counts(targets, rows) for name, (targets, rows) in parts.items()}
    used = sorted(set().union(*counters.values()))
    counts = {name: np.array([counter[number] for number in used]) for name, counter in counters.items()}
    return used, counts


def _counts(targets: Rows, rows: NDArray[np.intp] | range) -> Counter[int]:
    """Count the class numbers of some rows; targets are read once, block by block."""
    total: Counter[int] = Counter()
    for begin, part in row_blocks(targets):
        end = begin + len(part)
        if isinstance(rows, range):
            chosen: Any = slice(max(rows.start - begin, 0), max(rows.stop - begin, 0))
        else:
            first, last = np.searchsorted(rows, (begin, end))
            chosen = rows[first:last] - begin
        numbers, counts = np.unique(part[chosen], return_counts=True)
        total.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
    return total


NO_EXAMPLES: Final = (
    "the examples were passed in Python and aren't in a file; pass them again: mlpkit.fit(x, t, ...), or "
    "mlpkit.resume(RUN, examples=(x, t)) to go on"
)


def classes_of(targets: Array, source: str) -> tuple[Any, ...]:
    """Return the classes of a target, in the order of their numbers: texts, numbers or truth values."""
    return tuple(np.unique(_flat(targets, source)).tolist())


def classes_from_plain(plain: object) -> tuple[Any, ...]:
    """Restore classes from plain data of a model file, which may be anything."""
    if isinstance(plain, list):
        kinds = {type(label) for label in plain}
        if len(kinds) == 1 and kinds <= {str, int, float, bool} and len({*plain}) == len(plain):
            return tuple(plain)
    raise ModelFileError(f"the encoder of the arrays has the classes {reprlib.repr(plain)}")


def names_of(classes: tuple[Any, ...]) -> tuple[str, ...] | None:
    """Return classes as texts; None if they are the numbers from 0."""
    numbered = classes == tuple(range(len(classes))) and type(classes[0]) is int
    return None if numbered else tuple(map(str, classes))


def target_array(t: Any, source: str) -> Array:
    """Return targets as an array, with a row for each example."""
    try:
        array = np.asarray(t)
    except ValueError as error:
        raise DataError(source, f"is not an array: {error}") from error
    if array.ndim == 0:
        raise DataError(source, f"is {reprlib.repr(t)}; expected a target for each example")
    if array.dtype.kind not in "biufOUT":
        raise DataError(source, f"holds {array.dtype}; expected classes or numbers")
    return array


def kind_of_target(targets: Array) -> Predicted:
    """Guess the kind of targets from their type and shape."""
    column = targets.ndim == 1 or (targets.ndim == 2 and targets.shape[1] == 1)
    if targets.dtype.kind == "f":
        return "values"
    if column:
        return "classes"
    are_bits = targets.ndim == 2 and targets.dtype.kind in "biu" and bool(((targets == 0) | (targets == 1)).all())
    return "labels" if are_bits else "values"


def layers_to_begin_with(predict: str) -> list[Any]:
    """Return the layers of a small perceptron for a target, as in a spec."""
    loss = {"labels": "SigmoidWithLoss", "values": "MeanSquaredError"}.get(predict, "SoftmaxWithLoss")
    return [{"Affine": {"units": 64}}, "Relu", {"Affine": {"units": "auto"}}, loss]


def class_numbers(targets: Array, classes: tuple[Any, ...], source: str, unknown: str) -> NDArray[np.int64]:
    """Return the number of each target's class; ``unknown`` is the end of the message for an unknown class."""
    flat = _flat(targets, source)
    position = {label: number for number, label in enumerate(classes)}
    distinct, inverse = np.unique(flat, return_inverse=True)
    numbers = np.array([position.get(label, -1) for label in distinct.tolist()], np.int64)
    if (numbers < 0).any():
        row = int(np.flatnonzero(numbers[inverse] < 0)[0])
        label = flat[row : row + 1].tolist()[0]
        advice = did_you_mean(str(label), list(map(str, classes)))
        message = f"the target of example {row} is {reprlib.repr(label)}, {unknown}"
        raise DataError(source, f"{message}; {advice}" if advice else message)
    return numbers[inverse].reshape(-1)


def _flat(targets: Array, source: str) -> Array:
    """Return classes as a one-dimensional array of sortable values."""
    if targets.ndim > 1 and targets.shape[1:] != (1,):
        message = f"has the shape {targets.shape}; expected a class for each example"
        advice = "if rows are one-hot, give t.argmax(1); if several labels apply at once, predict='labels'"
        raise DataError(source, f"{message}; {advice}")
    flat = targets.reshape(-1)
    if flat.dtype.kind == "O":
        kinds = sorted({type(value).__name__.rstrip("_") for value in flat})  # np.str_ is a str
        if len(kinds) > 1:
            remedy = "leave out the examples without a class, or give all classes one type"
            raise DataError(source, f"holds values of the types {' and '.join(kinds)}; {remedy}")
        if kinds and kinds[0] not in ("str", "int", "float", "bool"):
            raise DataError(source, f"holds values of the type {kinds[0]}; expected texts, numbers or truth values")
        flat = np.array(flat.tolist())
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        row = int(np.flatnonzero(~np.isfinite(flat))[0])
        raise DataError(source, f"the target of example {row} is {flat[row]}; leave out the example")
    return flat


def weight_array(weights: Any, examples: int, source: str) -> NDArray[np.float64]:
    """Return weights as an array with a number from 0 up for each example, not all 0."""
    try:
        array = np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(source, f"is not an array of numbers: {error}") from error
    if array.shape != (examples,):
        raise DataError(source, f"has the shape {array.shape}; expected ({examples},), a number for each example")
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(wrong):
        remedy = "expected 0 or more; write such a number, or leave out the example"
        raise DataError(source, f"the weight of example {wrong[0]} is {array[wrong[0]]:g}; {remedy}")
    if not array.any():
        raise DataError(source, "the weight of every example is 0")
    return array
