"""The evaluations of a training as a table for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from mlpkit.pages.evaluations import MOST_ROWS, rows_worth_reading
from mlpkit.pages.html_tables import html_rows
from mlpkit.record_keys import splits_by_name
from mlpkit.terminal.figures import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpkit.training.evaluation import Record

BEST: Final = "best"
"""Stands before the best row, where the narrowest screen shows it."""


def history_html(records: Sequence[Record], best: int | None, most: int = MOST_ROWS) -> str:
    """Return a table with the evaluations that are worth a row, the best one bold.

    Args:
        records: the evaluations.
        best: position of the best, if there is any; it is marked if there are several.
        most: how many rows at most.
    """
    if len(records) < 2:
        best = None
    groups = splits_by_name(records[0]) if records else {}
    above = "".join(
        f'<th colspan="{len(splits)}" style="text-align: center">{escape(name)}</th>' for name, splits in groups.items()
    )
    titles = "".join(f"<th>{title}</th>" for title in ("", "iteration", "epoch", *_all_splits(groups)))
    positions = rows_worth_reading(len(records), best, most)
    rows = [[BEST if i == best else "", *_cells(records[i], groups)] for i in positions]
    body = html_rows(rows, bold=positions.index(best) if best in positions else None)
    return f'<table><thead><tr><th colspan="3"></th>{above}</tr><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'


def _all_splits(groups: Mapping[str, Sequence[str]]) -> list[str]:
    return [split for splits in groups.values() for split in splits]


def _cells(record: Record, groups: Mapping[str, Sequence[str]]) -> list[str]:
    values = [record[f"{split}_{name}"] for name, splits in groups.items() for split in splits]
    return [f"{record['iteration']:.0f}", f"{record['epoch']:.2f}", *map(figure, values)]
