"""Tables in CSV files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from annotated_types import Ge

from mlpkit import ParameterError
from mlpkit_plugins.formats.csv_file import CsvFile, Dialect
from mlpkit_plugins.tables.csv_source import CsvSource
from mlpkit_plugins.tables.file_table import FileTable
from mlpkit_plugins.tables.options import Names
from mlpkit_plugins.tables.text_numbers import NumberFormat

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit_plugins.tables.first_spec import Reading

_ENDINGS: Final = (".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".data")
_TAB: Final = r'for a tab write delimiter: "\t", in double quotes; without them, \t is a backslash and a letter'


@dataclass(kw_only=True, eq=False)
class Csv(FileTable):
    """The rows of a CSV file: numbers and categories to learn from, and a target in one column or several.

    Every column holds numbers, unless it is named in ``categorical``. Numbers are scaled to mean 0 and standard
    deviation 1, and categories are one-hot encoded:

        x = (number - mean) / std,  mean = Σ number / n,  std = √(Σ (number - mean)² / n)

    The sums run over the n training rows whose number is not missing; std is 1 if all are equal. Means, deviations,
    categories and classes come from the training rows and are saved with the model; evaluation and prediction apply
    them. Target values are scaled only inside the network. Only used columns are kept in memory. The number of rows
    isn't in a CSV file, so the file is read before shapes are checked.

    Args:
        delimiter: the character between two columns; a tab is written ``"\\t"``, in double quotes.
        quote: the character around a field that holds a delimiter.
        comment: the start of lines that are left out, such as ``#``; by default none are.
        skip_rows: the number of rows to leave out before the header.
        decimal: the decimal sign, a point or a comma.
        thousands: the character between groups of three digits; by default none. A space also matches no-break spaces.
        symbols: texts before or after a number that are left out, such as ``€``, ``%`` or ``kg``; a spec doubles
            dollars, as in ``$$``.
        encoding: the character encoding, such as ``latin-1``.
        header: the names of the columns, if the first row of the file doesn't have them.

    Raises:
        ParameterError: parameters contradict each other, the shares leave nothing to train on, or one names a file or a
            column that doesn't exist.
        DataError: the file is not CSV, is damaged, or a value doesn't fit its column.

    Source: Shafranovich, Common Format and MIME Type for Comma-Separated Values (CSV) Files, RFC 4180 (2005), with
        these differences: lines may end in LF or CR alone, and empty lines are skipped; spaces after a delimiter and
        around names in the header are left out; a quote inside an unquoted field is a literal quote; delimiter and
        encoding can be chosen; and a header is required, in the file or in ``header``.
    """

    endings: ClassVar = (*_ENDINGS, *(f"{ending}.gz" for ending in _ENDINGS))

    missing_texts: tuple[str, ...] = ("", "NA", "NaN", "nan", "null")
    delimiter: str = ","
    quote: str = '"'
    comment: str = ""
    skip_rows: Annotated[int, Ge(0)] = 0
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'", "_"] = ""
    symbols: tuple[str, ...] = ()
    encoding: str = "utf-8"
    header: Names | None = None

    def __post_init__(self) -> None:
        """Check delimiter, quote, separators, encoding and header."""
        super().__post_init__()
        if len(self.delimiter) != 1 or self.delimiter in f"{self.quote}\r\n":
            shown = f"'{self.delimiter}'" if self.delimiter.isprintable() else repr(self.delimiter)
            remedy = _TAB if self.delimiter.lower() in ("\\t", "tab") else ""
            expected = "a single character, not a quote"
            raise ParameterError("delimiter", f"{shown} can't be the delimiter", expected=expected, remedy=remedy)
        if len(self.quote) != 1 or self.quote.isspace():
            raise ParameterError("quote", f"'{self.quote}' can't be the quote", expected="a single character")
        if self.thousands == self.decimal:
            message = f"'{self.decimal}' is the decimal sign already"
            raise ParameterError("thousands", message, expected="another character", remedy="set decimal as well")
        if any(not symbol.strip() or symbol.strip().isdigit() for symbol in self.symbols):
            raise ParameterError("symbols", "a symbol is empty or a number", expected="texts such as $, % or kg")
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError) as error:
            message = f"there is no encoding '{self.encoding}'"
            raise ParameterError("encoding", message, expected="one such as utf-8") from error
        if self.header is not None and len(set(self.header)) < len(self.header):
            raise ParameterError("header", "two columns have the same name", expected="names that differ")

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show classes, labels and values, from files that ship with mlpkit."""
        return [
            {"file": "example:flowers.csv", "target": "species", "categorical": ["soil"], "missing": "fill"},
            {"file": "example:houses.csv", "target": "price", "predict": "values", "categorical": ["district"]},
            {
                "file": "example:weather.csv",
                "target": ["rain", "wind", "fog"],
                "predict": "labels",
                "weight": "day",
                "split": "shuffle",
            },
        ]

    @property
    def number_format(self) -> NumberFormat:
        """The format of numbers."""
        return NumberFormat(self.decimal, self.thousands, self.symbols)

    @classmethod
    def guessed(cls, path: Path, name: str, target: str | None) -> Reading:
        """Guess how to read a CSV file, and read a sample of its rows."""
        from mlpkit_plugins.tables.csv_reading import csv_reading  # noqa: PLC0415 - guesses are for new specs only

        return csv_reading(path, name, target, cls.missing_texts)

    def source(self, path: Path, name: str, *, to_predict: bool = False) -> CsvSource:
        """Return the table in a CSV file, not yet read."""
        file = CsvFile(
            path,
            name=name,
            dialect=Dialect(self.delimiter, self.quote, self.comment, self.skip_rows, self.encoding),
            header=self.header,
            to_predict=to_predict,
        )
        return CsvSource(file, self.missing_texts, self.number_format)
