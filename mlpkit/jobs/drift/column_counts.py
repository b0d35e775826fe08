"""How often the values of a column occur: by category, or by bins that hold about as many training rows each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.dataset import RawColumn
from mlpkit.jobs.leaks import WholeColumn
from mlpkit.runs.json_files import fits, is_number

BINS: Final = 10
MOST_NAMES: Final = 1000
"""Categories of a column that are counted one by one, the most common."""


class ColumnCounts(NamedTuple):
    """How often the values of a column occur.

    Args:
        name: its name.
        role: what it is for: ``input``, ``target``, or ``model`` for what the model predicts.
        edges: the upper ends of the bins of its numbers but the last, which has none; empty if it holds categories.
        names: its categories, the most common first; empty for numbers.
        counts: how many rows each bin, or each category, has.
        others: rows with categories that aren't named, as too many differ, or with dates.
        missing: rows without a value.
        unseen: in new rows, the categories that training didn't have, with their rows.
    """

    name: str
    role: str
    edges: tuple[float, ...]
    names: tuple[str, ...]
    counts: tuple[int, ...]
    others: int
    missing: int
    unseen: Mapping[str, int] = MappingProxyType({})

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts) + self.others + self.missing + sum(self.unseen.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """What the rows of each of ``counts`` have: a range of numbers, or a category."""
        ends = [f"{edge:.4g}" for edge in self.edges]
        return (f"up to {ends[0]}", *(f"to {end}" for end in ends[1:]), f"above {ends[-1]}") if ends else self.names


def count_column(column: RawColumn) -> ColumnCounts:
    """Count the values of a column in training; of texts that nearly all differ, and of dates, only missing ones."""
    whole = WholeColumn(column)
    then = ColumnCounts(column.name, column.role, (), (), (), others=0, missing=0)
    if whole.values is not None and not column.holds:
        then = then._replace(edges=_edges(whole.values[whole.present]))
    else:
        common, most = whole.common, 0 if column.holds == "dates" else MOST_NAMES
        most = 0 if len(common) > max(2 * BINS, whole.rows / 2) else most
        then = then._replace(names=tuple(text for text, _ in common[:most]), others=len(common[most:]))
    counted = count_alike(then, column)
    assert counted is not None
    return counted


def count_alike(then: ColumnCounts, column: RawColumn) -> ColumnCounts | None:
    """Count the values of a column in new rows, as in training; None if it has texts in place of numbers."""
    whole = WholeColumn(column)
    missing = len(whole.codes) - whole.rows
    if then.edges:
        if whole.values is None and whole.rows:
            return None
        values = () if whole.values is None else whole.values[whole.present]
        binned = np.bincount(np.searchsorted(then.edges, values), minlength=len(then.edges) + 1)
        return then._replace(counts=tuple(binned.tolist()), others=0, missing=missing)
    found = dict(whole.common)
    counts = tuple(found.pop(name, 0) for name in then.names)
    if then.others:  # what isn't named may have been in training
        return then._replace(counts=counts, others=sum(found.values()), missing=missing)
    return then._replace(counts=counts, missing=missing, unseen=found)


def _edges(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Return deciles; a number that many rows have gets a bin of its own, with the next smaller one as an edge."""
    ascending = np.sort(numbers)
    deciles = ascending[np.arange(1, BINS) * len(numbers) // BINS]
    places = np.searchsorted(ascending, deciles[1:][deciles[1:] == deciles[:-1]])
    return tuple(np.unique([*deciles, *ascending[places[places > 0] - 1]]).tolist())


def counts_from_plain(plain: object) -> ColumnCounts:
    """Return the counts whose ``_asdict`` a JSON file holds, or raise ``ValueError``."""
    lists = {"edges": [is_number], "names": [str], "counts": [_is_count]}
    shape = {**lists, "name": str, "role": str, "others": _is_count, "missing": _is_count, "unseen": dict}
    if not isinstance(plain, dict) or plain.keys() != shape.keys() or not fits(plain, shape) or plain["unseen"]:
        raise ValueError("a column isn't as mlpkit writes it")
    found = ColumnCounts(**{**plain, **{key: tuple(plain[key]) for key in lists}})
    distinct = sorted(set(found.edges)) == [*found.edges] and len(set(found.names)) == len(found.names)
    if not distinct or len(found.labels) != len(found.counts) or (found.edges and found.names):
        raise ValueError(f"the counts of the column {found.name!r} don't fit together")
    return found


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0
