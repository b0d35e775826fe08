"""The error for a text in a column of numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mlpkit import DataError, ParameterError
from mlpkit_plugins.formats.header_names import writes_number
from mlpkit_plugins.formats.shown_text import shown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit_plugins.tables.source import Columns

OFTEN_MISSING: Final = frozenset(
    ("n/a", "na", "nan", "null", "none", "nil", "#n/a", "?", "-", "--", ".", "missing", "unknown")
)
"""Common texts for a missing value, in lower case."""

DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
"""A number that may have a decimal comma."""

THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
"""A number that may have commas between thousands."""


def wrong_number(
    file: str, row: int, name: str, columns: Columns, texts: Sequence[str], index: int, commas: str
) -> DataError | ParameterError:
    """Return the error for a text that is not a finite number, at its place, or for a target without numbers.

    Args:
        file: what to call the file.
        row: the text's row.
        name: its column.
        columns: the columns that are read.
        texts: texts of the column that were read together.
        index: its position among them.
        commas: what to do about a decimal comma.
    """
    text = texts[index].strip()
    is_target = name in columns.target_numbers
    if THOUSANDS.fullmatch(text):
        remedy = "write it without commas if they separate thousands"
        remedy += f", or {commas}" if DECIMAL_COMMA.fullmatch(text) else ""
    elif DECIMAL_COMMA.fullmatch(text):
        remedy = commas
    elif not columns.has_target:
        remedy = "put a number there, or leave out the row"
    elif text.lower() in OFTEN_MISSING:
        remedy = "add it to missing_texts if it means a missing value"
    elif is_target and not any(map(writes_number, texts)):
        return ParameterError(
            "target",
            f"the column '{name}' of {file} holds texts, such as {shown_text(text)}",
            expected="numbers, as predict asks for",
            remedy="set predict: classes if they are classes, or name a column of numbers",
        )
    elif is_target:
        remedy = "put a number there, or leave out the row"
    elif sum(map(writes_number, texts)) > len(texts) / 2:
        remedy = "put a number there, leave out the row, or name the column in categorical if it holds categories"
    else:
        remedy = "name the column in categorical if it holds categories, or in ignore to leave it out"
    return DataError(file, not_a_number(texts[index], remedy), row=row, column=name)


def not_a_number(text: str, remedy: str) -> str:
    """Return the message for a text in a column of numbers.

    Args:
        text: the text.
        remedy: what to do.
    """
    return f"{shown_text(text)} is not a finite number; {remedy}"
