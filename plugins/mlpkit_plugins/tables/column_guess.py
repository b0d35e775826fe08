"""What a column seems to hold, from a sample of rows as texts: numbers, categories, dates, or nothing to learn from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.texts import shown_text
from mlpkit_plugins.splits.positions import scattered
from mlpkit_plugins.tables.columns import formats_of
from mlpkit_plugins.tables.options import OF_AN_INDEX
from mlpkit_plugins.tables.source import TableSource
from mlpkit_plugins.tables.text_numbers import (
    OFTEN_MISSING,
    NotANumberError,
    NumberFormat,
    are_truths,
    is_number,
    numbers_of,
)

MOST_CELLS: Final = 2_000_000
"""The most texts in a sample of more than ``FEWEST_SAMPLED`` rows."""

FEWEST_SAMPLED: Final = 100
"""The fewest rows in a sample of a larger table."""


@dataclass(frozen=True)
class RowSample:
    """Rows of a table, in their order, by their numbers in the file, and as texts of each column without blanks.

    ``last`` has the texts of the table's last row, by column; ``size`` is the number of its rows.
    """

    name: str
    rows: Sequence[int]
    columns: dict[str, list[str]]
    last: Mapping[str, str]
    last_row: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether all rows are in the sample."""
        return len(self.rows) == self.size


def sample_rows(source: TableSource) -> RowSample:
    """Read a table once, and keep a random sample of its rows, in bounded memory.

    The same table always gives the same sample.
    """
    names = source.header
    most = max(MOST_CELLS // len(names), FEWEST_SAMPLED)
    columns: list[list[str]] = [[] for _ in names]
    rows: list[int] = []
    draws: list[int] = []
    size, last, last_row = 0, [""] * len(names), 0
    one_in = 1  # rows are kept if this number divides their random number
    for numbers, texts in source.texts(names):
        _check_no_header(source, numbers.tolist(), texts)
        drawn = scattered(np.arange(size, size + len(numbers), dtype=np.uint64))
        kept = np.flatnonzero(drawn % np.uint64(one_in) == 0).tolist()
        for column, new in zip(columns, texts, strict=True):
            column.extend(new[position].strip() for position in kept)
        rows += numbers[kept].tolist()
        draws += drawn[kept].tolist()
        size += len(numbers)
        if len(numbers):
            last, last_row = [column[-1].strip() for column in texts], int(numbers[-1])
        while len(rows) > most:
            one_in *= 2
            kept = [position for position, draw in enumerate(draws) if draw % one_in == 0]
            rows, draws = [rows[position] for position in kept], [draws[position] for position in kept]
            columns = [[column[position] for position in kept] for column in columns]
    by_name = dict(zip(names, columns, strict=True))
    return RowSample(source.name, rows, by_name, dict(zip(names, last, strict=True)), last_row, size)


def _check_no_header(source: TableSource, rows: Sequence[int], columns: Sequence[Sequence[str]]) -> None:
    """Check that no row repeats the header, as in concatenated files."""
    if source.header[0] not in columns[0] or len(source.header) < 2:
        return
    for index, row in enumerate(rows):
        if all(column[index].strip() == name for column, name in zip(columns, source.header, strict=True)):
            raise DataError(source.name, "the row repeats the header; remove it", row=row)


FEWEST_ROWS: Final = 5
"""A category with fewer rows is rare, and a number with fewer rows doesn't mark a missing value."""

FEWEST_OTHERS: Final = 10
"""With fewer other numbers, their range is too uncertain."""

MUCH_MORE_OFTEN: Final = 5
"""How many times as frequent as the least other number -1 must be; otherwise it may be part of their range."""

_NINES: Final = re.compile(r"-?9+(\.9+)?")


class Outlier(NamedTuple):
    """The least or greatest number of a column if many rows have it, and the range of the others, far from it."""

    value: float
    rows: int
    least: float
    greatest: float

    @property
    def is_code(self) -> bool:
        """Whether it looks like a code: the only negative number, or all nines; others may be the top of a scale."""
        return self.value < 0 <= self.least or _NINES.fullmatch(f"{self.value:.12g}") is not None

    def __str__(self) -> str:
        """Return the evidence for a missing value."""
        return f"{self.value:.12g} in {self.rows:,} rows, all others from {self.least:,.12g} to {self.greatest:,.12g}"


def outlier_in(numbers: NDArray[np.float64]) -> Outlier | None:
    """Return the number of a column that may mark a missing value; None if there isn't one.

    It is the least or greatest number, at least five rows have it, and its distance from the other numbers is larger
    than their range. -1 below non-negative numbers only has to be five times as frequent as the least of them. 0 never
    marks a missing value.
    """
    values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    if len(values) <= FEWEST_OTHERS:
        return None
    for end, others, nearest in ((0, values[1:], 1), (-1, values[:-1], -2)):
        value, rows = float(values[end]), int(counts[end])
        if value == 0 or rows < FEWEST_ROWS:
            continue
        far = abs(value - values[nearest]) > others[-1] - others[0]
        if far or (value == -1 and others[0] >= 0 and rows >= MUCH_MORE_OFTEN * counts[nearest]):
            return Outlier(value, rows, float(others[0]), float(others[-1]))
    return None


def sentinels_in(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, Outlier]:
    """Return the numbers that most likely mark a missing value, by column.

    Such a number is far from all other numbers of its column, and looks like a code in this or another column.
    """
    outliers = {name: outlier for name, numbers in columns.items() if (outlier := outlier_in(numbers))}
    codes = {outlier.value for outlier in outliers.values() if outlier.is_code}
    return {name: outlier for name, outlier in outliers.items() if outlier.value in codes}


FEW_CATEGORIES: Final = 20
"""Up to this number of distinct texts, a column holds categories in a table of any size."""

MOST_CATEGORIES: Final = 1000
"""The largest number of categories to learn from."""


MOST_RARE: Final = 0.5
"""The largest share of rows that the rare ones of many categories may have."""

FEWEST_IDS: Final = 10
"""The fewest distinct numbers of a column of ids."""

_DATE: Final = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{1,2}[- ]?[A-Za-z]{3,9}\.?[- ,]+\d{2,4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})([T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?(Z|[+-]\d{2}:?\d{2})?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
)
_NAME_OF_AN_ID: Final = re.compile(
    r"(?i:(.*[\W_])?(id|ids|idx|index|uuid|guid|key|nr|no|row)(\W*))|.*[a-z]I[dD]|[iI][dD]\d?"
)
_INVISIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff]")
_NO_CHARACTER: Final = re.compile("[\udc80-\udcff]")
_TOTAL: Final = re.compile(r"((grand|sub)[ -]?)?(total|totals|sum|summe|gesamt|average|mean)\b.{0,20}", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnGuess:
    """What a column seems to hold.

    Args:
        name: the name of the column.
        holds: numbers, categories, dates, or nothing that a network can learn from.
        reason: why a column that holds nothing is excluded.
        distinct: the number of distinct texts, without missing ones.
        missing: the number of rows in the sample with a missing value.
        missing_texts: the texts that mean a missing value in this column only.
        numbers: the numbers of a column of numbers, NaN for missing ones.
        rare: the number of categories with few rows.
        sentinel: the number that marks a missing value, if there is one.
        formats: the formats that fit all dates of a column of dates, the most likely first.
    """

    name: str
    holds: Literal["numbers", "categories", "dates", "nothing"]
    reason: str = ""
    distinct: int = 0
    missing: int = 0
    missing_texts: frozenset[str] = frozenset()
    numbers: NDArray[np.float64] | None = None
    rare: int = 0
    sentinel: Outlier | None = None
    formats: tuple[str, ...] = ()


_PUT_A_NUMBER: Final = "put a number there, or leave out the row"


class ColumnGuesser:
    """Guesses what columns hold from some rows."""

    def __init__(self, sample: RowSample, missing: Collection[str], written: NumberFormat) -> None:
        self._sample = sample
        self._missing = frozenset(missing)
        self._written = written

    def guess(self, name: str) -> ColumnGuess:
        """Return what an input column seems to hold, unless a few of its values don't fit the rest."""
        texts = self._sample.columns[name]
        counts = Counter(texts)
        present = {text: count for text, count in counts.items() if text not in self._missing}
        if not present:
            return ColumnGuess(name, "nothing", "every value is missing")
        if OF_AN_INDEX.fullmatch(name):
            reason = "an index, as pandas writes it" if name else "no name in the header, as an index of rows"
            return ColumnGuess(name, "nothing", reason)
        if len(present) == 1 and len(texts) > 1:
            return ColumnGuess(name, "nothing", f"every value is {shown_text(next(iter(present)))}")
        guess = self.content(name, present)
        self._check_no_total(name, counts)
        self.check_visible(name, present)
        return self._unless_an_id(guess) if guess.holds == "numbers" else self._guess_texts(guess, present)

    def content(self, name: str, present: Mapping[str, int]) -> ColumnGuess:
        """Return whether a column holds numbers or texts; it is an error if most are numbers, but a few aren't."""
        texts = self._sample.columns[name]
        words = [text for text in present if not self.is_number(text)]
        if words and not are_truths(present):
            also_missing = {text for text in words if text.lower() in OFTEN_MISSING}
            wrong = [text for text in words if text not in also_missing]
            numbers = sum(present.values()) - sum(present[text] for text in words)
            if wrong or not numbers:
                self._check_no_stray_text(name, present, wrong, numbers)
                missing = len(texts) - sum(present.values())
                return ColumnGuess(name, "categories", distinct=len(present), missing=missing)
        else:
            also_missing = set()
        try:
            values = numbers_of(texts, self._missing | also_missing, self._written)
        except NotANumberError as error:
            message = f"{shown_text(texts[error.index])} is not a finite number; {_PUT_A_NUMBER}"
            raise self._error(name, texts[error.index], message) from error
        return ColumnGuess(
            name,
            "numbers",
            distinct=len(present) - len(also_missing),
            missing=int(np.isnan(values).sum()),
            missing_texts=frozenset(also_missing),
            numbers=values,
        )

    def is_number(self, text: str) -> bool:
        """Whether a text is a number in the table's format, infinity and NaN included."""
        return is_number(text, self._written)

    def _check_no_stray_text(self, name: str, present: Mapping[str, int], wrong: Sequence[str], numbers: int) -> None:
        """Check that a column of mostly numbers has no other texts, unless they are categories."""
        if numbers <= sum(present.values()) / 2:
            return
        if len(present) <= FEW_CATEGORIES and all(present[text] > 1 for text in wrong):
            return
        self._check_no_total(name, present)
        self.check_visible(name, wrong)
        raise self._error(name, wrong[0], f"{shown_text(wrong[0])} is not a finite number; {_PUT_A_NUMBER}")

    def _check_no_total(self, name: str, counts: Mapping[str, int]) -> None:
        text = self._sample.last[name]
        if self._sample.size > 2 and counts.get(text, 0) <= 1 and _TOTAL.fullmatch(text):
            message = f"{shown_text(text)} suggests that the last row is a total; leave it out"
            raise DataError(self._sample.name, message, row=self._sample.last_row, column=name)

    def check_visible(self, name: str, texts: Iterable[str]) -> None:
        """Check that all texts of a column are valid and visible characters, or raise ``DataError``."""
        for text in texts:
            if text.isprintable():
                continue
            if match := _INVISIBLE.search(text):
                raise self._error(name, text, invisible(text, match[0]))
            if _NO_CHARACTER.search(text):
                message = f"{shown_text(text)} has bytes that are not UTF-8, as others of the file are"
                raise self._error(name, text, f"{message}; write all of the file in UTF-8")

    def _unless_an_id(self, guess: ColumnGuess) -> ColumnGuess:
        """Return the guess; for a column that only numbers the rows, a guess that excludes it."""
        values = guess.numbers
        assert values is not None
        if guess.missing or guess.distinct < FEWEST_IDS or not (values == np.rint(values)).all():
            return guess
        if guess.distinct == len(values) and (_NAME_OF_AN_ID.fullmatch(guess.name) or self._counts_rows(values)):
            return ColumnGuess(guess.name, "nothing", "an id: every row has a different number")
        return guess

    def _counts_rows(self, values: NDArray[np.float64]) -> bool:
        """Whether distinct numbers count from 0 or 1; in a sample of rows, whether they are evenly spaced."""
        ordered = np.sort(values)
        steps = np.unique(np.diff(ordered))
        return len(steps) == 1 and ordered[0] in (0, 1) and (steps[0] == 1 or not self._sample.is_whole)

    def _guess_texts(self, guess: ColumnGuess, present: Mapping[str, int]) -> ColumnGuess:
        """Return the guess for a column of texts: dates, categories, or nothing to learn from."""
        also_missing = frozenset(text for text in present if text.lower() in OFTEN_MISSING)
        formats = formats_of(set(present) - also_missing) if guess.distinct - len(also_missing) > 2 else []
        if formats:
            missing = guess.missing + sum(present[text] for text in also_missing)
            return replace(guess, holds="dates", formats=tuple(formats), missing=missing, missing_texts=also_missing)
        if reason := self._why_no_categories(guess, present):
            return ColumnGuess(guess.name, "nothing", reason)
        return replace(guess, rare=len(_rare(present)))

    def _why_no_categories(self, guess: ColumnGuess, present: Mapping[str, int]) -> str:
        """Return why texts are not categories to learn from; empty if they are."""
        count, rows = guess.distinct, sum(present.values())
        example = shown_text(next(iter(present)))
        if _are_dates(present):
            return f"dates or times that are not all written in one common way, such as {example}"
        if count <= FEW_CATEGORIES and count <= rows / 2:
            return ""
        rare = _rare(present)
        if count - len(rare) <= MOST_CATEGORIES and sum(present[text] for text in rare) <= MOST_RARE * rows:
            return ""
        if count > rows / 2:
            return f"nearly every row has a different text, such as {example}"
        return f"{count:,} different texts in {rows:,} rows are too many"

    def _error(self, name: str, text: str, message: str) -> DataError:
        row = self._sample.rows[self._sample.columns[name].index(text)]
        return DataError(self._sample.name, message, row=row, column=name)


def _rare(present: Mapping[str, int]) -> list[str]:
    """Return the categories that have few rows."""
    return [text for text, count in present.items() if count < FEWEST_ROWS]


def _are_dates(present: Mapping[str, int]) -> bool:
    """Whether nearly all texts of a column are dates or times."""
    dates = sum(count for text, count in present.items() if _DATE.fullmatch(text))
    return dates > 0.9 * sum(present.values()) and len(present) > 2


def invisible(text: str, character: str) -> str:
    """Return the message for a text with an invisible character."""
    return f"{shown_text(text)} has an invisible character, U+{ord(character):04X}; remove it from the file"


def check_visible_names(file: str, header: Sequence[str], row: int | None) -> None:
    """Check that no column name has an invisible character, or raise ``DataError``."""
    for name in header:
        if match := _INVISIBLE.search(name):
            raise DataError(file, invisible(name, match[0]), row=row)
