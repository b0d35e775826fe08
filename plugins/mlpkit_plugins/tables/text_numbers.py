"""Parses the texts of a column as numbers, and explains what to do about other texts."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError, ParameterError
from mlpkit_plugins.formats.texts import first_of, shown_text, writes_number
from mlpkit_plugins.tables.columns import ISO, Columns, WrongTextError, formats_of

_TRUTH_WORDS: Final = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"))
_TRUTHS: Final = {word: value for words in _TRUTH_WORDS for word, value in zip(words, (1.0, 0.0), strict=True)}
_ALSO_BETWEEN_THOUSANDS: Final = {" ": " \u00a0\u202f", "'": "'\u2019"}
"""Characters that may replace a separator of thousands: spaces of several widths, and curved apostrophes."""

_POINTS_AND_COMMAS: Final = str.maketrans(".,", ",.")


class NotANumberError(ValueError):
    """A text is not a finite number, or not a truth value like most texts of its column.

    Args:
        index: the position of the text.
        truths: the words for true and false in a column of truth values.
    """

    def __init__(self, index: int, truths: tuple[str, str] | None = None) -> None:
        self.index = index
        self.truths = truths
        self.reason = "is neither {} nor {}".format(*truths) if truths else "is not a finite number"
        super().__init__(index)


@dataclass(frozen=True)
class NumberFormat:
    """The format of numbers in texts.

    Args:
        decimal: the decimal sign, a point or a comma.
        thousands: the character between groups of three digits; empty for none. A space also matches non-breaking
            spaces, and an apostrophe a curved one.
        symbols: texts before or after a number that are left out, such as ``$``, ``%`` or ``kg``.
    """

    decimal: str = "."
    thousands: str = ""
    symbols: tuple[str, ...] = ()

    def plain(self, text: str) -> str:
        """Remove symbols, and separators of thousands in valid places, from a text."""
        if self.symbols:
            match = self._with_symbol.fullmatch(text)
            text = f"{match[1]}{match[2]}" if match else text
        if self.thousands and self._grouped.fullmatch(text):
            text = self._separator.sub("", text)
        return text

    @cached_property
    def _with_symbol(self) -> re.Pattern[str]:
        symbols = "|".join(map(re.escape, sorted(self.symbols, key=len, reverse=True)))
        return re.compile(rf"\s*([+-]?)\s*(?:{symbols})?\s*(.*?)\s*(?:{symbols})?\s*", re.DOTALL)

    @cached_property
    def _grouped(self) -> re.Pattern[str]:
        separator, decimal = self._separator.pattern, re.escape(self.decimal)
        return re.compile(rf"\s*[+-]?\d{{1,3}}(?:{separator}\d{{3}})+(?:{decimal}\d*)?\s*")

    @cached_property
    def _separator(self) -> re.Pattern[str]:
        return re.compile(f"[{_ALSO_BETWEEN_THOUSANDS.get(self.thousands, re.escape(self.thousands))}]")


PLAIN: Final = NumberFormat()


def numbers_of(texts: Sequence[str], missing: Collection[str], written: NumberFormat = PLAIN) -> NDArray[np.float64]:
    """Parse texts as numbers, or as truth values such as ``True`` and ``no``, read as 1 and 0; NaN if missing.

    Raises:
        NotANumberError: a text is neither; or most are truth values, and this one is not.
    """
    if written.symbols or written.thousands:
        texts = [text if text.strip() in missing else written.plain(text) for text in texts]
    if written.decimal == ",":  # a point becomes a comma, which ``float`` rejects
        texts = [text.translate(_POINTS_AND_COMMAS) for text in texts]
        missing = {text.translate(_POINTS_AND_COMMAS) for text in missing}
    values = _finite(texts, ())  # mostly none is missing
    if values is None:
        values = _finite(texts, missing)
    if values is None:
        values = _truths(texts, missing)
    return values if values is not None else _one_by_one(texts, missing)


def _finite(texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64] | None:
    """Return the numbers, NaN for missing values without surrounding blanks; None if a text is neither."""
    absent = [text in missing for text in texts] if missing else False
    if missing:
        texts = ["nan" if text in missing else text for text in texts]
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None
    return values if np.logical_or(np.isfinite(values), absent).all() and "_" not in "".join(texts) else None


def without(numbers: NDArray[np.float64], missing: Collection[str]) -> NDArray[np.float64]:
    """Replace the numbers that texts for missing values denote, in any notation, by NaN."""
    absent = numbers_among(missing)
    return np.where(np.isin(numbers, absent), np.nan, numbers) if absent else numbers


def numbers_among(texts: Iterable[str]) -> list[float]:
    """Return the finite numbers among some texts."""
    return [float(text) for text in texts if writes_number(text) and math.isfinite(float(text))]


def is_number(text: str, written: NumberFormat) -> bool:
    """Whether a text is a number, infinity and NaN included."""
    text = written.plain(text)
    if written.decimal == ",":
        return "." not in text and writes_number(text.replace(",", "."))
    return writes_number(text)


def are_truths(texts: Iterable[str]) -> bool:
    """Whether all texts are truth values, such as ``yes`` and ``No``."""
    return all(text.strip().lower() in _TRUTHS for text in texts)


def truth_words(texts: Sequence[str]) -> tuple[str, str] | None:
    """Return the words for true and false in a column of mostly truth values; None for another column."""
    held = [word for text in texts if (word := text.strip().lower()) in _TRUTHS]
    if 2 * len(held) <= len(texts):
        return None
    return next(words for words in _TRUTH_WORDS if held[0] in words)


def _truths(texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64] | None:
    """Return ones and zeros if all texts but missing ones are truth values; else None, or an error if most are."""
    values = {text: math.nan if text.strip() in missing else _TRUTHS.get(text.strip().lower()) for text in set(texts)}
    if None not in values.values():
        return np.array([values[text] for text in texts], np.float64)
    if not {0.0, 1.0} & set(values.values()):
        return None
    words = truth_words([text for text in texts if text.strip() not in missing])
    if words is None:
        return None
    first = next(index for index, text in enumerate(texts) if values[text] is None)
    raise NotANumberError(first, words)


def _one_by_one(texts: Sequence[str], missing: Collection[str]) -> NDArray[np.float64]:
    values = np.empty(len(texts))
    for index, text in enumerate(texts):
        if text.strip() in missing:
            values[index] = math.nan
            continue
        try:
            values[index] = float(text)
        except ValueError as error:
            raise NotANumberError(index) from error
        if not math.isfinite(values[index]) or "_" in text:  # float() accepts 1_000, which other programs don't write
            raise NotANumberError(index)
    return values


def thousands_or_decimals(texts: Sequence[str], separator: str) -> str:
    """Return what a comma or a point means in a column: ``thousands`` or ``decimals``; empty if that is unclear."""
    other, sep = ("." if separator == "," else ","), re.escape(separator)
    groups = re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:{sep}\d{{3}})+(?:{re.escape(other)}\d*)?")
    decimals = re.compile(rf"[+-]?(?:\d+|\d{{1,3}}(?:{re.escape(other)}\d{{3}})+){sep}\d+")
    held = [text.strip() for text in texts if separator in text]
    as_groups = all(map(groups.fullmatch, held))
    as_decimals = all(map(decimals.fullmatch, held))
    if as_groups != as_decimals:
        return "thousands" if as_groups else "decimals"
    if not as_groups:
        return ""
    without = [text.strip().lstrip("+-") for text in texts if separator not in text]
    ungrouped = any(text.isdigit() and len(text) > 3 for text in without)  # 5678, where 5,678 would be expected
    return "decimals" if ungrouped else "thousands"


OFTEN_MISSING: Final = frozenset(
    (
        *("n/a", "n.a.", "na", "<na>", "nan", "nat", "null", "(null)", "\\n", "none", "nil", "?", "-", "--", "."),
        *("missing", "unknown", "not available", "not applicable", "(blank)"),
        *("#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),  # errors of spreadsheets
    )
)
"""Common texts for a missing value among numbers, in lower case."""

_WITH_SYMBOL: Final = re.compile(
    r"\s*[+-]?\s*(?P<before>[^\w\s+.,'\u2019-]{1,3}|[A-Z]{1,3}\$|USD|EUR|GBP|[A-Z]{3}(?=\s))?\s*"
    r"[+-]?[\d.,]+(?:[ '\u2019\u00a0\u202f]\d{3}[\d.,]*)*\s*(?P<after>[^\d\s.,]{1,8})?\s*"
)
"""A number with a unit or a currency; letters directly before digits, as in ``PAL0708``, are a code, not a unit."""


class Place(NamedTuple):
    """The place of a text: file, row and column; the format of numbers, None if the kind of file leaves no choice.

    ``other_texts`` are those of other columns of numbers in the same rows.
    """

    file: str
    row: int
    name: str
    written: NumberFormat | None
    other_texts: Sequence[str] = ()


def wrong_number(
    place: Place, columns: Columns, texts: Sequence[str], text: str, error: NotANumberError
) -> DataError | ParameterError:
    """Return the error for a text that isn't a number or truth value, or for a target without numbers."""
    message = f"{shown_text(text)} {error.reason}"
    is_target = place.name in columns.target_numbers
    if place.written is not None:  # what the spec sets already needs no advice
        text, texts = place.written.plain(text), list(map(place.written.plain, texts))
    may_be_one = text.strip().lower() in OFTEN_MISSING or any(map(str.isdigit, text))
    no_numbers = is_target and not columns.trained and not error.truths
    if no_numbers and not may_be_one and not any(map(writes_number, texts)):
        return ParameterError(
            "target",
            f"the column '{place.name}' of {place.file} holds texts, such as {shown_text(text.strip())}",
            expected="numbers, as predict asks for",
            remedy="set predict: classes if they are classes, or name a column of numbers",
        )
    is_fixed = columns.trained or place.name == columns.weight
    remedy = "" if error.truths else _separator_remedy(place, texts, text, trained=columns.trained)
    symbols = [] if remedy or error.truths or is_fixed or place.written is None else symbols_of(text)
    if symbols and 2 * sum(symbols_of(other) == symbols for other in texts) > len(texts):
        listed = ", ".join(f"'{symbol.replace('$', '$$')}'" for symbol in symbols)
        remedy = f"set symbols: [{listed}] to leave it out"
    remedy = remedy or _remedy(place.name, texts, text, error, must_be_number=is_fixed or is_target, is_fixed=is_fixed)
    return DataError(place.file, f"{message}; {remedy}", row=place.row, column=place.name)


def wrong_text(file: str, row: int, columns: Columns, name: str, error: WrongTextError) -> DataError:
    """Return the error for a text that the reader of a column of numbers rejects."""
    remedy = "put one there, or leave out the row" if columns.trained else error.remedy
    return DataError(file, f"{error.message}; {remedy}", row=row, column=columns.name_in_file(name))


def _separator_remedy(place: Place, texts: Sequence[str], text: str, *, trained: bool) -> str:
    """Return what to do about a comma or point that is not the decimal sign; empty for another text."""
    written = place.written or NumberFormat()
    separator = "," if written.decimal == "." else "."
    if not re.fullmatch(rf"[+-]?[\d.,]*{re.escape(separator)}\d[\d.,]*", text.strip()):
        return ""
    sign = "a decimal point" if written.decimal == "." else "a decimal comma"
    named = "commas" if separator == "," else "points"
    if trained or place.written is None:
        ways = {"thousands": f"write it without {named}", "decimals": f"write {sign}"}
    else:
        ways = {
            "thousands": f"set thousands: '{separator}', since {named} separate thousands in this column",
            "decimals": f"set decimal: '{separator}', since {named} stand before decimals in this column",
        }
    meant = thousands_or_decimals(texts, separator)
    if meant == "decimals" and any(written.decimal in other for other in (*texts, *place.other_texts)):
        return f"write {sign}, as in other numbers"
    return ways[meant] if meant else f"write numbers with {sign}, and without {named}"


def symbols_of(text: str) -> list[str]:
    """Return the units or currencies before and after a number."""
    match = _WITH_SYMBOL.fullmatch(text)
    return [symbol for symbol in match.groups() if symbol] if match else []


def _remedy(
    name: str, texts: Sequence[str], text: str, error: NotANumberError, *, must_be_number: bool, is_fixed: bool
) -> str:
    wanted = "put one of them there" if error.truths else "put a number there"
    may_be_missing = text.strip().lower() in OFTEN_MISSING and not (is_fixed or (must_be_number and error.truths))
    if may_be_missing:
        return "add it to missing_texts if it means a missing value"
    if must_be_number:
        return f"{wanted}, or leave out the row"
    if error.truths or sum(map(writes_number, texts)) > len(texts) / 2:
        return f"{wanted}, leave out the row, or name the column in categorical if it holds categories"
    if formats := formats_of(text for text in texts if text.strip()):
        dates = f"[{name}]" if formats[0] == ISO else f"{{{name}: '{formats[0]}'}}"
        return f"set dates: {dates} if it holds dates, or name the column in ignore to leave it out"
    return "name the column in categorical if it holds categories, or in ignore to leave it out"


def check_numbers(
    file: str, examples: Iterable[tuple[str, Sequence[str]]], columns: Columns, missing: Collection[str]
) -> None:
    """Check that at most one column of numbers holds only texts; the error has a line to paste into the spec."""
    firsts = {name: text for name, texts in examples if (text := _only_texts(texts, missing))}
    if len(firsts) < 2:
        return
    shown = first_of([f"'{name}' ({shown_text(text)})" for name, text in firsts.items()])
    paste = ", ".join(map(_in_yaml, (*columns.categories, *firsts)))
    raise ParameterError(
        "categorical",
        f"{len(firsts)} columns of {file} hold texts: {shown}",
        expected="numbers in each column that nothing else names",
        remedy=f"write categorical: [{paste}], or name those in ignore that you don't need",
    )


def _only_texts(texts: Sequence[str], missing: Collection[str]) -> str:
    """Return the first text if none seems to be a number, a truth value or a date; otherwise an empty text."""
    present = [text for text in (text.strip() for text in texts) if text not in missing]
    if not present or any(writes_number(text) or not any(map(str.isalpha, text)) for text in present):
        return ""
    with_symbol = sum(bool(symbols_of(text)) for text in present) > len(present) / 2
    return "" if with_symbol or truth_words(present) or formats_of(present) else present[0]


def _in_yaml(name: str) -> str:
    """Return a name for a list in a spec, where a dollar is doubled."""
    plain = re.fullmatch(r"[A-Za-z_][\w .-]*", name) and name.lower() not in ("true", "false", "null")
    return name.strip() if plain and name == name.strip() else "'" + name.replace("'", "''").replace("$", "$$") + "'"
