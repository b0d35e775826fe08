"""Numbers far outside the range of the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.tables.columns import ColumnReader, DatePart, OrderedCategories
from mlpkit_plugins.tables.encoder import TableEncoder

FAR: Final = 0.5
"""The distance from the range at which a number is far outside, in widths of the range."""


def far_outside(numbers: NDArray[np.float64], encoder: TableEncoder, readers: Mapping[str, ColumnReader]) -> list[str]:
    """Name the columns with numbers far outside the training range, and count their rows."""
    if not len(numbers):
        return []
    least, greatest = encoder.extents[: len(encoder.numbers)].T
    margin = FAR * (greatest - least)
    known = np.where(np.isfinite(numbers), numbers, least)
    above, below = (known > greatest + margin).sum(axis=0), (known < least - margin).sum(axis=0)
    remarks = []
    for place in np.flatnonzero(above + below):
        name = encoder.numbers[place]
        reader = readers.get(name)
        if name in encoder.constant or isinstance(reader, OrderedCategories):
            continue
        dates = isinstance(reader, DatePart) and reader.part == "elapsed"
        column = reader.column if dates and reader is not None else name
        for count, where, which, bound in (
            (above[place], "after" if dates else "above", "last" if dates else "greatest", greatest[place]),
            (below[place], "before" if dates else "below", "first" if dates else "least", least[place]),
        ):
            if count:
                rows = "1 row has" if count == 1 else f"{count:,} rows have"
                remarks.append(
                    f"{rows} '{column}' {where} {_date(bound) if dates else f'{bound:g}'}, the {which} in training"
                )
    return remarks


def _date(days: float) -> str:
    """Return the date a number of days after 1 January 1970."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)).date().isoformat()
