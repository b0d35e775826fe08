"""Class numbers that no training example has, and counts of classes by split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataWarning
from mlpkit_plugins.arrays.array_targets import WITHOUT_GAPS
from mlpkit_plugins.arrays.raw_rows import row_blocks
from mlpkit_plugins.formats.rows_on_disk import Rows

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
