"""Guesses how to read a CSV file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from mlpkit_plugins.formats.csv_dialect import CsvGuess, csv_dialect
from mlpkit_plugins.formats.csv_file import CsvFile
from mlpkit_plugins.tables.csv_source import CsvSource
from mlpkit_plugins.tables.first_spec import Reading
from mlpkit_plugins.tables.number_guess import number_format
from mlpkit_plugins.tables.row_sample import sample_rows
from mlpkit_plugins.tables.text_numbers import PLAIN

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
_THOUSANDS: Final = {"": "nothing", ",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
_NAME_OF_ROWS: Final = "row"


def csv_reading(path: Path, name: str, target: str | None, missing: Collection[str]) -> Reading:
    """Guess how to read a CSV file, and read a sample of its rows.

    Args:
        path: the file.
        name: its name in messages.
        target: the column to predict; a row that has it holds names, even if some are numbers.
        missing: texts that always mean a missing value.

    Raises:
        DataError: the file is not CSV, or has both decimal points and decimal commas.
    """
    guess = csv_dialect(path, name, target)
    has_names = guess.names_in_first_row or target in guess.first
    header, skipped, about_header = _header(guess, has_names=has_names)
    dialect = guess.dialect._replace(skip_rows=skipped)
    source = CsvSource(CsvFile(path, name=name, dialect=dialect, header=header), missing, PLAIN)
    sample = sample_rows(source)
    written = number_format(sample, missing, between_commas=dialect.delimiter == ",")
    parameters: dict[str, Any] = {}
    comments: dict[str, str] = {}
    for parameter, value, default, comment in (
        ("delimiter", dialect.delimiter, ",", f"columns are separated by {_DELIMITERS[dialect.delimiter]}"),
        ("quote", dialect.quote, '"', "texts are in apostrophes"),
        ("comment", dialect.comment, "", "rows that start so are left out"),
        ("skip_rows", skipped, 0, _about_skipped(guess)),
        ("decimal", written.decimal, ".", "numbers have a decimal comma"),
        ("thousands", written.thousands, "", f"numbers have {_THOUSANDS[written.thousands]} between thousands"),
        ("symbols", written.symbols, (), "numbers have these symbols"),
        ("encoding", dialect.encoding, "utf-8", f"its bytes are {dialect.encoding}, not UTF-8"),
        ("header", header, None, about_header),
    ):
        if value != default:
            parameters[parameter] = value
            comments[parameter] = comment
    return Reading(source, sample, missing, written, parameters, comments, has_names)


def _header(guess: CsvGuess, *, has_names: bool) -> tuple[list[str] | None, int, str]:
    """Return the names of the columns if the file doesn't have them all, the number of rows to skip, and the reason."""
    if guess.one_name_too_few and has_names:
        reason = (
            f"its first row has no name for the first column, which R calls row names; it is called {_NAME_OF_ROWS}"
        )
        return [_NAME_OF_ROWS, *guess.first], guess.dialect.skip_rows + 1, reason
    if has_names:
        return None, guess.dialect.skip_rows, ""
    names = [f"column{number}" for number in range(1, len(guess.first) + 1)]
    return names, guess.dialect.skip_rows, "its first row holds data, not names"


def _about_skipped(guess: CsvGuess) -> str:
    return "what is above the names of the columns" if guess.dialect.skip_rows else "the names, which are in header"
