"""What can be wrong with the targets of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mlpkit import did_you_mean
from mlpkit_plugins.formats.header_names import writes_number
from mlpkit_plugins.formats.shown_text import shown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpkit_plugins.tables.table import Table


MANY_CLASSES: Final = 20
"""More numbers than that, some of which occur once, are no classes but values, most likely."""


def expect_classes(table: Table) -> None:
    """Make sure that there are two classes, each of which occurs more than once, if classes are predicted.

    Raises:
        DataError: there are not.
    """
    name = table.columns.target_class
    if name is None:
        return
    texts, codes = table.texts[-1], table.codes[:, -1]
    if len(texts) == 1:
        message = f"every row has the class {shown_text(texts[0])}; expected two classes or more"
        raise table.error(0, name, message)
    lonely = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(texts)) == 1)
    if len(lonely):
        positions = np.flatnonzero(np.isin(codes, lonely))
        position = int(positions[0])
        text = texts[codes[position]]
        if len(lonely) > len(texts) / 2 or (len(texts) > MANY_CLASSES and all(map(writes_number, texts))):
            remedy = "set predict: values if the column holds numbers to predict, and not classes"
        else:
            alone = set(lonely.tolist())
            others = [other for code, other in enumerate(texts) if code not in alone]
            remedy = did_you_mean(text, others) or "add examples of it, or leave the row out"
        more = f" ({len(lonely):,} classes occur once)" if len(lonely) > 1 else ""
        message = f"the class {shown_text(text)} occurs in no other row{more}; expected at least 2 of each; {remedy}"
        raise table.error(position, name, message)


def expect_labels(table: Table) -> None:
    """Make sure that columns of labels hold nothing but 0 and 1.

    Raises:
        DataError: there is something else.
    """
    for name in table.columns.target_numbers:
        values = table.number(name)
        wrong = np.flatnonzero((values != 0) & (values != 1))
        if len(wrong):
            message = f"{values[wrong[0]]:g} is no label; expected 0 or 1"
            raise table.error(int(wrong[0]), name, message)


def unknown_class(text: str, known: Sequence[str]) -> str:
    """Return what to say of a class that no training row has."""
    remedy = did_you_mean(text, known) or "give more rows to training, or set another split_seed"
    return f"the class {shown_text(text)} occurs in no training row; {remedy}"


def unknown_category(text: str, known: Sequence[str]) -> str:
    """Return what to say of a category that no training row has."""
    remedy = did_you_mean(text, known) or "set unknown: zeros to encode it as zeros"
    return f"the category {shown_text(text)} occurs in no training row; {remedy}"
