"""The table of a training's evaluations: the columns that fit a terminal, and the rows that are worth reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from mlpkit.record_keys import decisive_split, splits_by_name
from mlpkit.terminal.figures import figure
from mlpkit.training.evaluation import Record

FIGURE_WIDTH: Final = 8
LONGEST_NAME: Final = 20
LONGEST_SHORT_NAME: Final = 12
LAYOUTS: Final = ((3, False), (2, False), (3, True), (2, True), (1, False), (1, True))
"""Gaps between columns, and whether titles are short, the most readable first."""
BEST_MARK: Final = " *"
SHORT_TITLES: Final = {"validation": "val"}


@dataclass(frozen=True)
class Column:
    """A column of the table of evaluations.

    Args:
        key: the figure's key in a record.
        group: the heading above the title, once for all columns of that group.
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
        left_out: the losses and metrics that don't fit.
    """

    chosen: tuple[Column, ...]
    gap: int
    left_out: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Number of characters of a line."""
        return sum(column.width for column in self.chosen) + self.gap * (len(self.chosen) - 1)

    def heading(self) -> tuple[str, str]:
        """Return the line with the groups, each in the middle above its columns, and the line with the titles."""
        blanks = " " * self.gap
        groups = []
        for group, members in groupby(self.chosen, key=lambda column: column.group):
            span = EvaluationColumns(tuple(members), self.gap).width
            groups.append(_cut(group, span).center(span))
        titles = [column.title.rjust(column.width) for column in self.chosen]
        return blanks.join(groups).rstrip(), blanks.join(titles)

    def row(self, record: Record) -> str:
        """Return the line of an evaluation."""
        return (" " * self.gap).join(column.cell(record) for column in self.chosen)


def fitting_columns(record: Record, width: int) -> EvaluationColumns:
    """Return the most important columns that fit.

    The iteration is always there; then come validation loss, first metric, training loss, the other metrics, the epoch,
    and last the metrics of the training split. Without a validation split, the training split takes its place.
    """
    every = _all_columns(record)
    kept = every
    while True:
        for gap, short in LAYOUTS:
            columns = EvaluationColumns(tuple(_widened(kept, gap, short)), gap)
            if columns.width <= width or len(kept) == 1:
                names = dict.fromkeys(column.group for column in every)
                shown = {column.group for column in kept}
                return replace(columns, left_out=tuple(name for name in names if name not in shown))
        least = max(kept, key=lambda column: column.importance)
        kept = [column for column in kept if column is not least]


def _widened(columns: list[Column], gap: int, short: bool) -> Iterator[Column]:
    """Go through the columns, wide enough for figures and titles, and together for the name above them."""
    for group, found in groupby(columns, key=lambda column: column.group):
        members = list(found)
        room = min(len(group), LONGEST_SHORT_NAME if short else LONGEST_NAME) - gap * (len(members) - 1)
        share = -(-room // len(members))
        for column in members:
            title = SHORT_TITLES.get(column.title, column.title) if short else column.title
            yield replace(column, title=title, width=max(column.width, len(title), share))


def _all_columns(record: Record) -> list[Column]:
    columns = [Column("iteration", "", "iteration", 0, 9), Column("epoch", "", "epoch", 1000, 6)]
    decisive = decisive_split(record)
    for rank, (name, splits) in enumerate(splits_by_name(record).items()):  # the loss, and then the metrics
        for split in splits:
            ranks = (1, 2, *range(4, 4 + rank)) if split == decisive else (3, *range(2000, 2000 + rank))
            columns.append(Column(f"{split}_{name}", name, split, ranks[rank], FIGURE_WIDTH))
    return columns


def _cut(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
