"""The kind of target that an array holds, and warnings about class numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, DataError, DataWarning, Labels, Target, Values
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
    targets: Rows, training: NDArray[np.intp] | range, name: str, parameter: str, remedy: str
) -> Iterator[DataWarning]:
    """Yield a warning for class numbers, from 0 to the largest, that no example or no training example has.

    Positions of training examples are in ascending order. The parameter names the targets, and the remedy, which may be
    empty, helps if they are not classes at all.
    """
    used = _classes(targets, range(targets.shape[0]))
    classes, least = int(used[-1]) + 1, int(used[0])
    if least and classes - least == len(used):
        message = f"the classes of {name} start at {least}, so no example has {_shown(range(least), least)}"
        yield DataWarning(
            parameter, message, f"subtract {least} from each to start at 0, or leave it if there will be some"
        )
    elif len(used) < classes:
        missing = classes - len(used)
        message = f"no example of {name} has {_shown(_absent(used), missing)}, though the largest is {classes - 1}"
        seem_values = missing > len(used) and bool(remedy)
        yield DataWarning(
            parameter, message, f"{WITHOUT_GAPS}, or {remedy if seem_values else 'leave it if there will be some'}"
        )
        if seem_values:  # training naturally misses some of them
            return
    untrained = np.setdiff1d(used, _classes(targets, training))
    if len(untrained):
        message = f"no training example of {name} has {_shown(untrained.tolist(), len(untrained))}, others do"
        yield DataWarning(parameter, message, "give more examples to training, or split them another way")


def counts_of_classes(
    parts: Mapping[str, tuple[Rows, NDArray[np.intp] | range]],
) -> tuple[list[str], dict[str, NDArray[np.int64]]]:
    """Return the used class numbers, as texts, and each split's count of examples for each of them."""
    counters = {name: _counts(targets, rows) for name, (targets, rows) in parts.items()}
    used = sorted(set().union(*counters.values()))
    counts = {name: np.array([counter[number] for number in used]) for name, counter in counters.items()}
    return list(map(str, used)), counts


def _classes(targets: Rows, rows: NDArray[np.intp] | range) -> NDArray[np.int64]:
    """Return the class numbers of some rows, in ascending order."""
    return np.array(sorted(_counts(targets, rows)), np.int64)


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


def _absent(used: NDArray[np.int64]) -> list[int]:
    """Return the first few unused numbers below the largest."""
    present = set(used.tolist())
    return list(islice((number for number in range(used[-1]) if number not in present), _NUMBERS_SHOWN))


def _shown(numbers: Sequence[int], length: int) -> str:
    """Join class numbers to a readable list."""
    shown = [f"class {numbers[0]}", *map(str, numbers[1:_NUMBERS_SHOWN])]
    if length > len(shown):
        return f"{', '.join(shown)} and {length - len(shown):,} more"
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
