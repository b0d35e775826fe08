"""Parses the texts of a column as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit_plugins.formats.texts import writes_number

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
    values = _finite(texts, ())
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
