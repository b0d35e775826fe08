"""How a CSV file seems to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mlpkit_plugins.formats.csv_dialect import csv_dialect
from mlpkit_plugins.formats.csv_file import CsvFile, Dialect
from mlpkit_plugins.tables.csv_source import CsvSource
from mlpkit_plugins.tables.first_spec import Reading
from mlpkit_plugins.tables.number_guess import number_format
from mlpkit_plugins.tables.row_sample import sample_rows
from mlpkit_plugins.tables.text_numbers import PLAIN

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_IN_WORDS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def csv_reading(path: Path, name: str, target: str | None, missing: Collection[str]) -> Reading:
    """Find out how a CSV file is read, and read a sample of its rows.

    Args:
        path: the file.
        name: what to call it in messages.
        target: the column to predict; if the first row has it, that row holds names, even if some are numbers.
        missing: texts that always mean a missing value.

    Raises:
        DataError: the file is not CSV, or writes some numbers with a decimal point and others with a comma.
    """
    found = csv_dialect(path, name)
    has_names = found.names_in_first_row or target in found.first
    header = None if has_names else [f"column{number}" for number in range(1, len(found.first) + 1)]
    dialect = Dialect(delimiter=found.delimiter, encoding=found.encoding)
    source = CsvSource(CsvFile(path, name=name, dialect=dialect, header=header), missing, PLAIN)
    sample = sample_rows(source)
    written = number_format(sample, missing, between_commas=found.delimiter == ",")
    parameters: dict[str, Any] = {}
    comments: dict[str, str] = {}
    for parameter, value, default, comment in (
        ("delimiter", found.delimiter, ",", f"columns are separated by {_IN_WORDS[found.delimiter]}"),
        ("decimal", written.decimal, ".", "numbers have a decimal comma"),
        ("thousands", written.thousands, "", "numbers have commas between thousands"),
        ("symbols", written.symbols, (), "numbers have these beside them"),
        ("encoding", found.encoding, "utf-8", f"its bytes are {found.encoding}, not UTF-8"),
        ("header", header, None, "its first row holds data, not names"),
    ):
        if value != default:
            parameters[parameter] = value
            comments[parameter] = comment
    return Reading(source, sample, missing, written, parameters, comments, has_names)
