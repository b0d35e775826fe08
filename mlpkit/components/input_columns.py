"""The columns that a network's inputs come from, which layers at its input may treat differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

GROUPS: Final = ("numbers", "dates", "one_hot", "categories")
"""What a column of the inputs may hold."""


class InputColumn(NamedTuple):
    """A column of a table, and what it is in the network's inputs.

    Args:
        name: its name.
        holds: ``numbers``; ``dates``, numbers that come from a date; ``one_hot``, elements that show which category it
            is; ``categories``, one element that is the index of a category.
        width: how many elements of an input it is.
        values: if it holds an index, how many there are: it is an integer from 0 to ``values`` - 1, and 0 stands for a
            category that is missing or unknown.
    """

    name: str
    holds: str
    width: int = 1
    values: int = 0


class InputShape(tuple[int, ...]):
    """The shape of one example, with the columns that it comes from: what a layer at the network's input is built for.

    It is a tuple of lengths like any shape. A layer passes it on to a layer inside that takes the same inputs; what a
    layer returns has no columns any more.

    Args:
        lengths: the lengths.
        columns: the columns in the order of the elements; none if inputs don't come from a table.

    Attributes:
        columns: the columns.
    """

    columns: tuple[InputColumn, ...]

    def __new__(cls, lengths: Iterable[int], columns: Sequence[InputColumn] = ()) -> InputShape:
        """Return the shape."""
        shape = super().__new__(cls, lengths)
        shape.columns = tuple(columns)
        return shape

    def __getnewargs__(self) -> tuple[tuple[int, ...], tuple[InputColumn, ...]]:
        """Return what a copy or a pickle is made from."""
        return tuple(self), self.columns


def columns_of(shape: Sequence[int]) -> tuple[InputColumn, ...]:
    """Return the columns that inputs of a shape come from; none if it is not the shape of a network's inputs."""
    return shape.columns if isinstance(shape, InputShape) else ()


def columns_to_plain(columns: Sequence[InputColumn]) -> list[list[Any]]:
    """Return columns as plain data."""
    return [list(column) for column in columns]


def columns_from_plain(plain: object, width: int) -> tuple[InputColumn, ...]:
    """Take back what ``columns_to_plain`` returned, for inputs of ``width`` elements; a ``ValueError`` if it didn't."""
    columns = []
    for item in plain if isinstance(plain, list) else [plain]:
        match item:
            case [str(name), str(holds), int(elements), int(values)] if holds in GROUPS and elements > 0 <= values:
                columns.append(InputColumn(name, holds, elements, values))
            case _:
                raise ValueError("'columns'")
    if columns and sum(column.width for column in columns) != width:
        raise ValueError("'columns'")
    return tuple(columns)
