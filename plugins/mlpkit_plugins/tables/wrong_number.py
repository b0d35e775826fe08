"""The error for a text in a column of numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from mlpkit import DataError, ParameterError
from mlpkit_plugins.formats.texts import first_of, shown_text, writes_number
from mlpkit_plugins.tables.columns import ISO, Columns, WrongTextError, formats_of
from mlpkit_plugins.tables.text_numbers import NotANumberError, NumberFormat, thousands_or_decimals, truth_words

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
    """The place of a text, and the format that a spec gives to numbers.

    Args:
        file: the file's name in messages.
        row: the text's row.
        name: its column.
        written: the format of numbers; None if the kind of file leaves no choice.
        other_texts: texts of other columns of numbers in the same rows.
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
    if not remedy and not error.truths and not is_fixed:
        remedy = _symbol_remedy(place, texts, text)
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


def _symbol_remedy(place: Place, texts: Sequence[str], text: str) -> str:
    """Return what to do about a unit or currency that most texts have next to a number."""
    symbols = symbols_of(text)
    if not symbols or sum(symbols_of(other) == symbols for other in texts) <= len(texts) / 2:
        return ""
    listed = ", ".join(f"'{symbol.replace('$', '$$')}'" for symbol in symbols)
    if place.written is None:
        return "write the numbers alone"
    without = replace(place.written, symbols=tuple(symbols))
    separator = _separator_remedy(place, list(map(without.plain, texts)), without.plain(text), trained=False)
    return f"set symbols: [{listed}] to leave it out" + (f", and {separator}" if separator else "")


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
