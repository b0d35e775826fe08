"""Tables for a notebook, in its own colours and type."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlpkit.network.summary import HEADINGS, table_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlpkit.network.sequential import Sequential

LEFT = ' style="text-align: left"'
BOLD = ' style="font-weight: bold"'


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Collection[int] = ()) -> str:
    """Return a table whose cells are escaped.

    Args:
        headings: one for each column.
        rows: the cells.
        texts: positions of the columns that hold texts; the rest hold numbers.
    """
    return f"<table><thead>{_row('th', headings, texts)}</thead><tbody>{html_rows(rows, texts=texts)}</tbody></table>"


def network_html(network: Sequential) -> str:
    """Return the table of a network's ``summary``."""
    rows, footer = table_of(network)
    return f"{html_table(HEADINGS, rows, texts=(0, 1, 2))}<p>{escape(footer)}</p>"


def html_rows(rows: Sequence[Sequence[str]], *, texts: Collection[int] = (), bold: int | None = None) -> str:
    """Return the rows of a table's body; one of them, by its position, may be bold."""
    return "".join(_row("td", row, texts, bold=i == bold) for i, row in enumerate(rows))


def _row(tag: str, cells: Sequence[str], texts: Collection[int], *, bold: bool = False) -> str:
    written = (f"<{tag}{LEFT if i in texts else ''}>{escape(cell)}</{tag}>" for i, cell in enumerate(cells))
    return f"<tr{BOLD if bold else ''}>{''.join(written)}</tr>"
