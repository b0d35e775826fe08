"""How the numbers of a table seem to be written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mlpkit import DataError
from mlpkit_plugins.formats.header_names import writes_number
from mlpkit_plugins.formats.shown_text import shown_text
from mlpkit_plugins.tables.text_numbers import NumberFormat, thousands_or_decimals
from mlpkit_plugins.tables.wrong_number import symbols_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlpkit_plugins.tables.row_sample import RowSample

_WITH_COMMA: Final = re.compile(r"[+-]?\d+(,\d+)+(\.\d*)?")


def number_format(sample: RowSample, missing: Collection[str], *, between_commas: bool) -> NumberFormat:
    """Return how the numbers of a table are written: the decimal sign, the sign between thousands, and symbols.

    Args:
        sample: rows of the table.
        missing: texts that mean a missing value.
        between_commas: whether commas separate columns; if not, those in numbers are most likely decimal commas.

    Raises:
        DataError: some numbers have a decimal point, and others a decimal comma.
    """
    decimals: tuple[str, str] | None = None
    thousands: tuple[str, str] | None = None
    point: tuple[str, str] | None = None
    symbols: dict[str, None] = {}
    for name, texts in sample.columns.items():
        present = sorted({text for text in texts if text and text not in missing})
        found = _symbols(present)
        symbols |= dict.fromkeys(found)
        present = [NumberFormat(symbols=tuple(found)).plain(text) for text in present] if found else present
        with_comma = [text for text in present if _WITH_COMMA.fullmatch(text)]
        with_point = [text for text in present if "." in text and writes_number(text)]
        if len(with_comma) + sum(map(writes_number, present)) <= len(present) / 2:
            continue
        if with_comma and thousands_or_decimals([*with_comma, *with_point], ",") == "thousands":
            thousands = thousands or (name, with_comma[0])
        elif with_comma:
            decimals = decimals or (name, with_comma[0])
        if with_point:
            point = point or (name, with_point[0])
    if decimals is not None and point is not None:
        raise _mixed_decimals(sample, decimals, point)
    european = thousands is not None and point is None and not between_commas
    if decimals is not None or european:
        return NumberFormat(",", symbols=tuple(symbols))
    return NumberFormat(".", "," if thousands is not None else "", tuple(symbols))


def _symbols(texts: Collection[str]) -> list[str]:
    """Return the units or currencies that most texts of a column have beside a number."""
    found = [tuple(symbols_of(text)) for text in texts]
    most = max(set(found), key=found.count, default=())
    return list(most) if found.count(most) > len(found) / 2 else []


def _mixed_decimals(sample: RowSample, comma: tuple[str, str], point: tuple[str, str]) -> DataError:
    """Return the error for a table with decimal points and commas, at the one that is rarer."""
    counts = {True: 0, False: 0}
    for name, _ in (comma, point):
        counts[True] += sum("," in text for text in sample.columns[name])
        counts[False] += sum("." in text for text in sample.columns[name])
    (name, text), (other_name, other) = (comma, point) if counts[True] <= counts[False] else (point, comma)
    row, other_row = (sample.rows[sample.columns[n].index(t)] for n, t in ((name, text), (other_name, other)))
    signs = ("a decimal comma", "a point") if "," in text else ("a decimal point", "a comma")
    where = f"{shown_text(other)} in row {other_row}" + (f" of '{other_name}'" if other_name != name else "")
    message = f"{shown_text(text)} has {signs[0]}, but {where} has {signs[1]}; write all numbers of the file in one way"
    return DataError(sample.name, message, row=row, column=name)
