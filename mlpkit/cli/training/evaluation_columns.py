"""Chooses the columns that a terminal has room for, and writes evaluations in them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from mlpkit.cli.figures import figure

if TYPE_CHECKING:
    from mlpkit.training.history import Record

FIGURE_WIDTH = 8
GAPS = (3, 2, 1)


@dataclass(frozen=True)
class Column:
    """A column of the table of evaluations.

    Args:
        key: the figure's key in a record.
        group: what stands above the title, once for all columns of that group.
        title: the heading.
        importance: 0 for what must be there; the higher, the sooner it is left out.
        width: number of characters.
    """

    key: str
    group: str
    title: str
    importance: int
    width: int

    def cell(self, record: Record) -> str:
        """Return the figure, aligned."""
        value = record[self.key]
        text = f"{value:.0f}" if self.key == "iteration" else f"{value:.2f}" if self.key == "epoch" else figure(value)
        return text.rjust(self.width)


@dataclass(frozen=True)
class EvaluationColumns:
    """The columns of a table.

    Args:
        chosen: the columns.
        gap: number of blanks between them.
    """

    chosen: tuple[Column, ...]
    gap: int

    def heading(self) -> tuple[str, str]:
        """Return the line with the groups, each in the middle above its columns, and the line with the titles."""
        blanks = " " * self.gap
        groups = []
        for group, members in groupby(self.chosen, key=lambda column: column.group):
            widths = [column.width for column in members]
            span = sum(widths) + self.gap * (len(widths) - 1)
            groups.append(group[:span].center(span))
        titles = [column.title.rjust(column.width) for column in self.chosen]
        return blanks.join(groups).rstrip(), blanks.join(titles)

    def row(self, record: Record) -> str:
        """Return the line of an evaluation."""
        return (" " * self.gap).join(column.cell(record) for column in self.chosen)


def fitting_columns(record: Record, width: int) -> EvaluationColumns:
    """Return the most important columns that fit.

    The iteration is always there; the losses outlast the metrics but the first, and the validation split outlasts
    the training split.

    Args:
        record: any evaluation of the run.
        width: length of a line.
    """
    kept = _all_columns(record)
    while True:
        for gap in GAPS:
            if sum(column.width for column in kept) + gap * (len(kept) - 1) <= width:
                return EvaluationColumns(tuple(kept), gap)
        least = max(kept, key=lambda column: column.importance)
        if least.importance == 0:
            return EvaluationColumns(tuple(kept), 1)
        kept.remove(least)


def _all_columns(record: Record) -> list[Column]:
    columns = [Column("iteration", "", "iteration", 0, 9), Column("epoch", "", "epoch", 5, 6)]
    keys = [key for key in record if key.startswith(("train_", "validation_"))]
    names = list(dict.fromkeys(_split_and_name(key)[1] for key in keys))  # the loss, and then the metrics
    for key in keys:
        split, name = _split_and_name(key)
        importance = (3, 4)[names.index(name)] if name in names[:2] else 8 + 2 * names.index(name)
        importance -= 2 if split == "validation" else 0
        share = -(-len(name) // (len(keys) // len(names)))  # of the room for the group's name
        columns.append(Column(key, name, split, importance, max(FIGURE_WIDTH, len(split), share)))
    return columns


def _split_and_name(key: str) -> tuple[str, str]:
    split, _, name = key.partition("_")
    return split, name
