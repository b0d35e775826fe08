"""Tables in CSV files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from annotated_types import Ge

from mlpkit import ParameterError
from mlpkit_plugins.formats.csv_file import CsvFile
from mlpkit_plugins.tables.csv_source import CsvSource
from mlpkit_plugins.tables.options import Names, Share, TableOptions
from mlpkit_plugins.tables.table_dataset import TableDataset

if TYPE_CHECKING:
    from pathlib import Path

_TAB: Final = r'for a tab write delimiter: "\t", in double quotes; without them, \t is a backslash and a letter'


class Csv(TableDataset):
    """The rows of a CSV file: numbers and categories to learn from, and a target in one column or several.

    Every column is one of numbers, unless it is named in ``categorical``. Numbers are scaled to mean 0 and standard
    deviation 1; a category becomes a row of zeros with a single one:

        x = (number - mean) / std,  mean = Σ number / n,  std = √(Σ (number - mean)² / n)

    The sums run over the n training rows where the number is not missing; std is 1 where all are equal. Means,
    deviations, categories and classes are those of the training rows, and are saved with the model, so that evaluation
    and prediction apply them. Targets are never scaled. Only the columns that are used are kept in memory. As CSV says
    nowhere how many rows there are, the file is read before the shapes are proved.

    Args:
        file: the file, seen from the current folder; ``example:NAME`` is one that ships with mlpkit.
        target: the column to predict, or several.
        predict: what the target holds: ``classes``, one column of names or numbers of classes; ``labels``, columns of 0
            and 1, each by itself; ``values``, columns of numbers.
        inputs: the columns to learn from; by default all the others.
        ignore: columns to leave out, where ``inputs`` is not given.
        categorical: the inputs that hold categories.
        missing: what to do about a missing value: raise an ``error``; ``fill`` in the mean of a number, and zeros for a
            category; or ``drop`` the row.
        missing_texts: what stands for a missing value.
        unknown: what to do about a category that no training row has: raise an ``error``, or encode it as ``zeros``.
        standardize: scale the inputs that are numbers; otherwise they stay as they are, as targets always do.
        validation: share of the rows for validation, or a file that holds them; 0 for none.
        test: share of the rows for testing, or a file that holds them; 0 for none.
        split: how rows are split: by a ``hash`` of what stands in them, so that a row stays where it is when others
            come or go, and equal rows come together; or by a ``shuffle``, so that the shares are exact.
        split_by: the column that is hashed, such as the number of a patient whose rows must stay together; by default
            all columns that are used.
        split_seed: another number gives another split; the spec's seed leaves the split as it is.
        delimiter: the character between two columns; a tab is written ``"\\t"``, in double quotes.
        decimal: the character before the decimals of a number, a point or a comma.
        encoding: how characters are written as bytes, such as ``latin-1``.
        header: the names of the columns, if the first row of the file doesn't have them.

    Raises:
        ParameterError: parameters contradict each other, the shares leave nothing to train on, or one names a file or a
            column that is not there.
        DataError: the file is no CSV, is damaged, or a value is not what its column holds.

    Source: Shafranovich, Common Format and MIME Type for Comma-Separated Values (CSV) Files, RFC 4180 (2005), with
        these differences: lines may end in LF or CR alone, and empty ones are passed over; spaces after a delimiter and
        around names in the header are left out; a quote inside a field that doesn't begin with one stands for itself;
        delimiter and encoding may be others; and there must be a header, in the file or in ``header``.
    """

    def __init__(
        self,
        file: str,
        target: str | Names,
        *,
        predict: Literal["classes", "labels", "values"] = "classes",
        inputs: Names | None = None,
        ignore: tuple[str, ...] = (),
        categorical: tuple[str, ...] = (),
        missing: Literal["error", "fill", "drop"] = "error",
        missing_texts: tuple[str, ...] = ("", "NA", "NaN", "nan", "null"),
        unknown: Literal["error", "zeros"] = "error",
        standardize: bool = True,
        validation: Share | str = 0.1,
        test: Share | str = 0.1,
        split: Literal["hash", "shuffle"] = "hash",
        split_by: str | None = None,
        split_seed: Annotated[int, Ge(0)] = 0,
        delimiter: str = ",",
        decimal: Literal[".", ","] = ".",
        encoding: str = "utf-8",
        header: Names | None = None,
    ) -> None:
        self.file = file
        self.options = TableOptions(
            target,
            predict,
            inputs,
            ignore,
            categorical,
            missing,
            unknown,
            standardize,
            validation,
            test,
            split,
            split_by,
            split_seed,
        )
        self.missing_texts = missing_texts
        self.delimiter = delimiter
        self.decimal = decimal
        self.encoding = encoding
        self.header = header
        if len(delimiter) != 1 or delimiter in '"\r\n':
            shown = f"'{delimiter}'" if delimiter.isprintable() else repr(delimiter)
            remedy = _TAB if delimiter.lower() in ("\\t", "tab") else ""
            expected = "a single character, not a quote"
            raise ParameterError("delimiter", f"{shown} can't be the delimiter", expected=expected, remedy=remedy)
        try:
            "".encode(encoding)
        except (LookupError, ValueError) as error:
            raise ParameterError(
                "encoding", f"there is no encoding '{encoding}'", expected="one such as utf-8"
            ) from error
        if header is not None and len(set(header)) < len(header):
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
                "ignore": ["day"],
                "split": "shuffle",
            },
        ]

    def source(self, path: Path, name: str) -> CsvSource:
        """Return the table in a CSV file, not yet read.

        Args:
            path: the file.
            name: what to call it in messages.

        Raises:
            DataError: the file is empty, can't be read, or has no header that could be one.
        """
        file = CsvFile(path, name=name, delimiter=self.delimiter, encoding=self.encoding, header=self.header)
        return CsvSource(file, self.missing_texts, self.decimal)
