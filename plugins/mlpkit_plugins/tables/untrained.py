"""Values of a table that no training row has: unknown categories and classes, and numbers far outside the range."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataWarning
from mlpkit_plugins.formats.texts import shown_text, shown_texts
from mlpkit_plugins.tables.categories import MISSING, UNKNOWN, translations
from mlpkit_plugins.tables.columns import ColumnReader, Columns, DatePart, OrderedCategories
from mlpkit_plugins.tables.encoder import TableEncoder
from mlpkit_plugins.tables.table import Table
from mlpkit_plugins.tables.targets import nearest_class, numbers_for_classes

MOST_COMPARED: Final = 20
"""The most texts that are compared with the known categories."""


@dataclass(frozen=True)
class UntrainedValues:
    """The ``count`` values of a column that no training row has, or that the spec doesn't list, and their texts.

    The source names the rows in messages; ``meaning`` is the encoding of such a value.
    """

    source: str
    rows: int
    column: str
    count: int
    texts: Collection[str]
    known: Collection[str]
    meaning: str = "zeros"

    def described(self, how: str = "were never trained on") -> str:
        """Return the message: how many values, their predicate, and the category that was most likely meant."""
        texts = sorted(self.texts)[:MOST_COMPARED]
        text = next((text for text in texts if nearest_class(text, self.known)), texts[0])
        which = f"{':' if len(self.texts) == 1 else ', such as'} {shown_text(text)}"
        meant = f" ({near})" if (near := nearest_class(text, self.known)) else ""
        place = f"{self.source}, column '{self.column}'"
        return f"{place}: {self.count:,} of {self.rows:,} values {how}{which}{meant}; they count as {self.meaning}"

    def warn(self) -> None:
        """Issue the message as a Python warning."""
        warnings.warn(self.described(), stacklevel=2)


def warnings_about_unlisted(unlisted: Sequence[UntrainedValues]) -> tuple[DataWarning, ...]:
    """Return a warning for each column that holds ordered categories that the spec doesn't list."""
    return tuple(DataWarning("ordinal", each.described("aren't listed"), "add each to its list") for each in unlisted)


def translate(table: Table, encoder: TableEncoder, *, lenient: bool, is_loaded: bool, seem_values: bool) -> None:
    """Turn the codes of a table into positions in an encoder's categories, and warn a trained model of unknown ones.

    If ``lenient``, a category that no training row has counts as missing; if not, it is an error. Classes that
    ``seem_values`` are most likely numbers to predict.

    Raises:
        DataError: a class, or a category, occurs in no training row.
        ParameterError: the classes are most likely numbers to predict.
    """
    columns = table.columns
    known = [*encoder.categories.items(), *([("", encoder.classes)] if encoder.classes is not None else [])]
    for column, translation in enumerate(translations(known, encoder.with_other, table.texts)):
        name, written, texts = columns.all_categories[column], table.codes[:, column].copy(), table.texts[column]
        codes = translation[written]
        unknown = np.flatnonzero(codes == UNKNOWN)
        if len(unknown) and name == columns.target_class:
            if seem_values:
                raise numbers_for_classes(table)
            counts = Counter(texts[code] for code in written[unknown].tolist())
            message = unknown_classes(counts, encoder.classes or (), trained=is_loaded)
            raise table.error(int(unknown[0]), name, message)
        if len(unknown) and not lenient:
            message = unknown_category(texts[written[unknown[0]]], encoder.categories[name], columns)
            raise table.error(int(unknown[0]), name, message)
        if len(unknown) and columns.trained:
            unknown_texts = {texts[code] for code in np.unique(written[unknown])}
            categories = encoder.categories[name]
            UntrainedValues(table.name, len(table), name, len(unknown), unknown_texts, categories).warn()
        codes[unknown] = MISSING
        table.codes[:, column] = codes
    for untrained in unlisted_in(table) if columns.trained else ():
        untrained.warn()


def unlisted_in(table: Table) -> list[UntrainedValues]:
    """Return the unlisted ordered categories of a table."""
    readers = table.columns.readers
    return [
        UntrainedValues(table.name, len(table), name, count, reader.unlisted or (), reader.levels, "the mean")
        for name, count in table.unlisted.items()
        if count and isinstance(reader := readers[name], OrderedCategories)
    ]


def unknown_classes(counts: Mapping[str, int], known: Sequence[str], *, trained: bool) -> str:
    """Return the message for classes in no training row; advice to a trained model isn't about parameters."""
    texts = list(counts)
    which = f"class {shown_text(texts[0])} occurs" if len(texts) == 1 else f"classes {shown_texts(texts)} occur"
    drop = f"rare_classes: {{drop: {max(counts.values()) + 1}}}"
    remedy = f"give more rows to training, set another split_seed, or leave such classes out with {drop}"
    if trained:
        remedy = "leave out the row" if len(texts) == 1 else "leave out their rows"
    return f"the {which} in no training row; {nearest_class(texts[0], known) or remedy}"


def unknown_category(text: str, known: Sequence[str], columns: Columns) -> str:
    """Return the message for a category that no training row has."""
    nearest = nearest_class(text, known)
    remedy = f"{columns.setting('unknown', 'zeros')}, which encodes it as zeros"
    if columns.trained:
        remedy = f"leave out the row, or train again and {remedy}" if columns.in_python else "leave out the row"
    if nearest:
        remedy = f"{nearest} If not, {remedy}"
    return f"the category {shown_text(text)} occurs in no training row; {remedy}"


FAR: Final = 0.5
"""The distance from the range at which a number is far outside, in widths of the range."""


def far_outside(numbers: NDArray[np.float64], encoder: TableEncoder, readers: Mapping[str, ColumnReader]) -> list[str]:
    """Name the columns with numbers far outside the training range, and count their rows."""
    least, greatest = encoder.extents[: len(encoder.numbers)].T
    margin = FAR * (greatest - least)
    above, below = (numbers > greatest + margin).sum(axis=0), (numbers < least - margin).sum(axis=0)
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
