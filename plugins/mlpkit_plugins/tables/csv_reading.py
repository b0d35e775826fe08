"""How a CSV file seems to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit_plugins.formats.csv_dialect import csv_dialect
from mlpkit_plugins.formats.csv_file import CsvFile
from mlpkit_plugins.tables.column_guess import decimal_of
from mlpkit_plugins.tables.csv_source import CsvSource
from mlpkit_plugins.tables.first_spec import Reading
from mlpkit_plugins.tables.row_sample import sample_rows

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


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
    dialect = csv_dialect(path, name)
    has_names = dialect.names_in_first_row or target in dialect.first
    header = None if has_names else [f"column{number}" for number in range(1, len(dialect.first) + 1)]
    file = CsvFile(path, name=name, delimiter=dialect.delimiter, encoding=dialect.encoding, header=header)
    sample = sample_rows(CsvSource(file, missing, "."))
    decimal = decimal_of(sample, missing, between_commas=dialect.delimiter == ",")
    parameters: dict[str, Any] = {}
    comments: dict[str, str] = {}
    for parameter, found, default, comment in (
        ("delimiter", dialect.delimiter, ",", f"columns are separated by {_IN_WORDS[dialect.delimiter]}"),
        ("decimal", decimal, ".", "numbers have a decimal comma"),
        ("encoding", dialect.encoding, "utf-8", f"its bytes are {dialect.encoding}, not UTF-8"),
        ("header", header, None, "its first row holds data, not names"),
    ):
        if found != default:
            parameters[parameter] = found
            comments[parameter] = comment
    source = CsvSource(file, missing, decimal)
    return Reading(source, sample, missing, decimal, parameters, comments, has_names)


_IN_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
