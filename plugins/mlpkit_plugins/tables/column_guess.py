"""What a column of texts seems to hold: numbers, categories, dates, or nothing to learn from."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError
from mlpkit_plugins.formats.texts import shown_text
from mlpkit_plugins.tables.columns import formats_of
from mlpkit_plugins.tables.options import OF_AN_INDEX, shown_names
from mlpkit_plugins.tables.row_sample import RowSample
from mlpkit_plugins.tables.sentinels import Outlier
from mlpkit_plugins.tables.text_numbers import NotANumberError, NumberFormat, are_truths, is_number, numbers_of
from mlpkit_plugins.tables.wrong_number import OFTEN_MISSING

FEW_CATEGORIES: Final = 20
"""Up to this number of distinct texts, a column holds categories in a table of any size."""

MOST_CATEGORIES: Final = 1000
"""The largest number of categories to learn from."""

FEWEST_ROWS: Final = 5
"""A category with fewer rows is rare: there is little to learn about it."""

MOST_RARE: Final = 0.5
"""The largest share of rows that the rare ones of many categories may have."""

MOST_IDS: Final = 0.9
"""A column with the name of an id is one if at least this share of its numbers is distinct."""

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
_NUMBER_WITH_SIGNS: Final = re.compile(r"[^\w\s.,-]?\s*[+-]?\d[\d.,' ]*\s*([^\w\s]|[A-Za-z€$£]{1,4})?")
_INVISIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff]")
_NO_CHARACTER: Final = re.compile("[\udc80-\udcff]")
_NEGATIVE: Final = re.compile(r"[(\u2212]?\s*(\d[\d.,]*)\s*[)-]?")
"""A negative number in another notation: ``(5)``, ``5-`` or with the typographic minus."""

_TIME_OF_DAY: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?")
_TOTAL: Final = re.compile(r"((grand|sub)[ -]?)?(total|totals|sum|summe|gesamt|average|mean)\b.{0,20}", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnGuess:
    """What a column seems to hold.

    Args:
        name: the name of the column.
        holds: numbers, categories, ordered categories, dates, or nothing that a network can learn from.
        reason: why a column that holds nothing is excluded.
        distinct: the number of distinct texts, without missing ones.
        missing: the number of rows in the sample with a missing value.
        missing_texts: the texts that mean a missing value in this column only.
        numbers: the numbers of a column of numbers, NaN for missing ones.
        levels: the categories, lowest first, if they have an order.
        rare: the number of categories with few rows.
        sentinel: the number that marks a missing value, if there is one.
        formats: the formats that fit all dates of a column of dates, the most likely first.
    """

    name: str
    holds: Literal["numbers", "categories", "ordinal", "dates", "nothing"]
    reason: str = ""
    distinct: int = 0
    missing: int = 0
    missing_texts: frozenset[str] = frozenset()
    numbers: NDArray[np.float64] | None = None
    levels: tuple[str, ...] = ()
    rare: int = 0
    sentinel: Outlier | None = None
    formats: tuple[str, ...] = ()


_PUT_A_NUMBER: Final = "put a number there, or leave out the row"


class ColumnGuesser:
    """Guesses what columns hold from some rows."""

    def __init__(
        self, sample: RowSample, missing: Collection[str], written: NumberFormat, header: Sequence[str]
    ) -> None:
        self._sample = sample
        self._header = header
        self._missing = frozenset(missing)
        self._written = written

    def guess(self, name: str) -> ColumnGuess:
        """Return what an input column seems to hold, unless a few of its values don't fit the rest."""
        texts = self._sample.columns[name]
        counts = Counter(texts)
        present = {text: count for text, count in counts.items() if text not in self._missing}
        if not present:
            return ColumnGuess(name, "nothing", "every value is missing", missing=len(texts))
        if OF_AN_INDEX.fullmatch(name):
            reason = "an index, as pandas writes it" if name else self._about_unnamed()
            return ColumnGuess(name, "nothing", reason, distinct=len(present))
        if len(present) == 1 and len(texts) > 1:
            return ColumnGuess(name, "nothing", f"every value is {shown_text(next(iter(present)))}", distinct=1)
        guess = self.content(name, present)
        self._check_no_total(name, counts)
        self.check_visible(name, present)
        return self._unless_an_id(guess) if guess.holds == "numbers" else self._guess_texts(guess, present)

    def _about_unnamed(self) -> str:
        """Return why columns without a name are left out; a nameless first column may number the rows."""
        places = [place for place, name in enumerate(self._header, 1) if not name]
        if places == [1] and _is_consecutive(self._sample.columns[""], self._sample.rows):
            return "most likely the index of a data frame"
        if len(places) == 1:
            return f"column {places[0]} has no name in the header; give it one there to learn from it"
        shown = shown_names([*map(str, places)])
        return f"columns {shown} have no names in the header; give them names there to learn from them"

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
        negative = _NEGATIVE.fullmatch(wrong[0])
        remedy = f"write -{negative[1]}" if negative else _PUT_A_NUMBER
        raise self._error(name, wrong[0], f"{shown_text(wrong[0])} is not a finite number; {remedy}")

    def _check_no_total(self, name: str, counts: Mapping[str, int]) -> None:
        last = self._sample.last
        if last is None or self._sample.size < 3:
            return
        text = last[name]
        if counts.get(text, 0) <= 1 and _TOTAL.fullmatch(text):
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
            return ColumnGuess(guess.name, "nothing", "an id: every row has a different number", guess.distinct)
        if guess.distinct >= MOST_IDS * len(values) and _NAME_OF_AN_ID.fullmatch(guess.name):
            return ColumnGuess(guess.name, "nothing", "an id: nearly every row has a different number", guess.distinct)
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
        if levels := sorted_levels(present):
            return replace(guess, holds="ordinal", levels=levels)
        if reason := self._why_no_categories(guess, present):
            return ColumnGuess(guess.name, "nothing", reason, guess.distinct)
        return replace(guess, rare=len(_rare(present)))

    def _why_no_categories(self, guess: ColumnGuess, present: Mapping[str, int]) -> str:
        """Return why texts are not categories to learn from; empty if they are."""
        count, rows = guess.distinct, sum(present.values())
        example = shown_text(next(iter(present)))
        if _are_dates(present):
            if all(map(_TIME_OF_DAY.fullmatch, present)):
                return f"times of day, such as {example}; write hours as numbers to learn from them"
            return f"dates or times that are not all written in one common way, such as {_both_ways(present)}"
        if count <= FEW_CATEGORIES and count <= rows / 2:
            return ""
        rare = _rare(present)
        if count - len(rare) <= MOST_CATEGORIES and sum(present[text] for text in rare) <= MOST_RARE * rows:
            return ""
        if sum(map(bool, map(_NUMBER_WITH_SIGNS.fullmatch, present))) > 0.9 * count:
            return f"numbers with other characters, such as {example}; write plain numbers to learn from them"
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


def _both_ways(dates: Iterable[str]) -> str:
    """Return a date as an example, or two of different formats."""
    examples = {re.sub(r"\d+", "0", text): text for text in reversed(list(dates))}
    return " or ".join(shown_text(text) for text in list(reversed(examples.values()))[:2])


def invisible(text: str, character: str) -> str:
    """Return the message for a text with an invisible character."""
    return f"{shown_text(text)} has an invisible character, U+{ord(character):04X}; remove it from the file"


def check_visible_names(file: str, header: Sequence[str], row: int | None) -> None:
    """Check that no column name has an invisible character, or raise ``DataError``."""
    for name in header:
        if match := _INVISIBLE.search(name):
            raise DataError(file, invisible(name, match[0]), row=row)


def _is_consecutive(texts: Sequence[str], rows: Sequence[int]) -> bool:
    """Whether texts are integers that grow by one from row to row."""
    return all(map(str.isdecimal, texts)) and len({int(text) - row for text, row in zip(texts, rows, strict=True)}) == 1


SCALES: Final = (
    "very low < low < medium, med, mid, middle, moderate, average, normal < high < very high",
    "very small, extra small, tiny < small < medium, med, mid, middle, average, normal < large, big"
    " < very large, extra large, very big, huge",
    "xxs < xs < s < m < l < xl < xxl < xxxl",
    "very short < short < medium, med, mid, middle, average, normal < long, tall < very long, very tall",
    "very light < light < medium, med, mid, middle, average, normal < heavy < very heavy",
    "very slow < slow < medium, med, mid, middle, average, normal < fast < very fast",
    "very weak < weak < medium, med, mid, middle, moderate, average, normal < strong < very strong",
    "very easy < easy < medium, med, mid, middle, moderate, average, normal < hard, difficult"
    " < very hard, very difficult",
    "very cold < cold < cool < mild < warm < hot < very hot",
    "very young < young < middle, middle aged < old < very old",
    "very bad < bad < average, neutral, ok, okay < good < very good < excellent",
    "very poor < poor < fair < below average < average, typical < above average < good < very good < excellent"
    " < very excellent",
    "none, no < mild, slight < moderate < severe < very severe, extreme",
    "never < rarely, seldom < sometimes, occasionally < often, frequently < always",
    "strongly disagree < disagree < somewhat disagree, slightly disagree"
    " < neutral, neither agree nor disagree, undecided < somewhat agree, slightly agree < agree < strongly agree",
    "very dissatisfied < dissatisfied < neutral < satisfied < very satisfied",
    "very unlikely < unlikely < neutral < likely < very likely",
    "beginner, novice < intermediate < advanced < expert",
    "primary < secondary < tertiary",
    "freshman < sophomore < junior < senior",
    "bronze < silver < gold < platinum",
    "first < second < third < fourth < fifth < sixth < seventh < eighth < ninth < tenth",
)
"""Scales, lowest first; a comma separates texts for the same level."""

FEWEST_LEVELS: Final = 3
"""With fewer levels, an order doesn't matter."""

_PLACES: Final = [
    {text.strip(): place for place, level in enumerate(scale.split("<")) for text in level.split(",")}
    for scale in SCALES
]
_NUMBER: Final = r"[$€£]?\s*(\d+(?:\.\d+)?)\s*([kK]?)\s*%?"
_UP_TO: Final = re.compile(rf"(?:<|<=|≤|under|below|up to|less than)\s*{_NUMBER}", re.IGNORECASE)
_BETWEEN: Final = re.compile(rf"{_NUMBER}\s*(?:-|–|to)\s*{_NUMBER}", re.IGNORECASE)  # noqa: RUF001 - a dash between numbers
_FROM: Final = re.compile(
    rf"(?:>|>=|≥|over|above|more than)\s*{_NUMBER}|{_NUMBER}\s*(?:\+|(?:and|or) (?:over|more|older|above))",
    re.IGNORECASE,
)
_RANK: Final = re.compile(r"(\d+)(?:st|nd|rd|th)", re.IGNORECASE)


def sorted_levels(texts: Collection[str]) -> tuple[str, ...]:
    """Return categories in their order, lowest first; empty if the order isn't certain."""
    if len(texts) < FEWEST_LEVELS:
        return ()
    words = {text: re.sub(r"[\s_-]+", " ", text.strip().lower()) for text in texts}
    for places in _PLACES:
        if all(word in places for word in words.values()):
            return _by_place({text: places[word] for text, word in words.items()})
    return _by_range(texts) or _by_rank(texts)


def _by_place(places: dict[str, int]) -> tuple[str, ...]:
    """Sort texts by place; empty if two texts have the same place."""
    return tuple(sorted(places, key=lambda text: places[text])) if len(set(places.values())) == len(places) else ()


def _by_range(texts: Collection[str]) -> tuple[str, ...]:
    """Sort ranges of numbers; empty if some texts aren't ranges, or two ranges overlap."""
    ranges = {text: bounds for text in texts if (bounds := _range(text.strip()))}
    ordered = sorted(ranges, key=lambda text: ranges[text])
    disjoint = all(ranges[left][1] <= ranges[right][0] for left, right in pairwise(ordered))
    closed = any(map(math.isfinite, (high - low for low, high in ranges.values())))
    return tuple(ordered) if len(ranges) == len(texts) and disjoint and closed else ()


def _range(text: str) -> tuple[float, float] | None:
    """Return the bounds of a range, such as ``10-19``, ``<10`` or ``65+``."""
    if match := _BETWEEN.fullmatch(text):
        low, high = _number(*match.group(1, 2)), _number(*match.group(3, 4))
        return (low, high) if low < high else None
    if match := _UP_TO.fullmatch(text):
        return -math.inf, _number(*match.group(1, 2))
    if match := _FROM.fullmatch(text):
        return _number(match[1] or match[3], match[2] or match[4]), math.inf
    return None


def _number(digits: str, thousands: str | None) -> float:
    return float(digits) * (1000 if thousands else 1)


def _by_rank(texts: Collection[str]) -> tuple[str, ...]:
    """Sort texts such as ``1st`` and ``2nd``; empty if a text isn't a rank, or a rank is missing."""
    ranks = {text: int(match[1]) for text in texts if (match := _RANK.fullmatch(text.strip()))}
    return _by_place(ranks) if sorted(ranks.values()) == list(range(1, len(texts) + 1)) else ()
