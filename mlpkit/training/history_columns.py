"""A history as arrays, one for each figure, as a snapshot keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit.training.history import Record

_PREFIX = "history/"
_ITERATION = "iteration"


class HistoryColumns:
    """The figures of a history that grows, so that each snapshot needs to go only through what is new."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray[Any]] = {}
        self._length = 0

    def copies(self, history: Sequence[Record]) -> dict[str, NDArray[Any]]:
        """Return the history column by column, in arrays of their own.

        Args:
            history: all evaluations, those of the call before first; every record has the same keys.
        """
        new = history[self._length :]
        for key in new[0] if new else ():
            column = self._with_room(key, len(history))
            column[self._length : len(history)] = [record[key] for record in new]
        self._length = len(history)
        return {_PREFIX + key: column[: self._length].copy() for key, column in self._columns.items()}

    def _with_room(self, key: str, length: int) -> NDArray[Any]:
        column = self._columns.get(key)
        if column is None or len(column) < length:
            grown = np.empty(2 * length, _dtype(key))
            if column is not None:
                grown[: self._length] = column[: self._length]
            self._columns[key] = column = grown
        return column


def history_of(arrays: Mapping[str, NDArray[Any]], keys: Sequence[str]) -> list[Record]:
    """Return the history in a snapshot's arrays, its keys in their order.

    Raises:
        ModelFileError: a column is missing, or isn't one.
    """
    columns = []
    for key in keys:
        column = arrays.get(_PREFIX + key)
        if column is None or column.ndim != 1 or column.dtype != _dtype(key):
            raise ModelFileError(f"the checkpoint lacks or garbles {_PREFIX + key}; go on from another, or start anew")
        columns.append(column.tolist())
    if len(set(map(len, columns))) > 1:
        raise ModelFileError("the checkpoint garbles its history; go on from another, or start anew")
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def _dtype(key: str) -> type[np.generic]:
    return np.int64 if key == _ITERATION else np.float64
