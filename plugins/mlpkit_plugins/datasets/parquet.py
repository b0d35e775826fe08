"""Tables in Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit_plugins.tables.file_table import FileTable
from mlpkit_plugins.tables.parquet_source import ParquetFile, ParquetSource

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit_plugins.tables.first_spec import Reading


class Parquet(FileTable):
    """The rows of a Parquet file: numbers and categories to learn from, and a target in one column or several.

    Every column holds numbers, unless it is named in ``categorical``. Numbers are scaled to mean 0 and standard
    deviation 1, and categories are one-hot encoded:

        x = (number - mean) / std,  mean = Σ number / n,  std = √(Σ (number - mean)² / n)

    The sums run over the n training rows whose number is not missing; std is 1 if all are equal. Means, deviations,
    categories and classes come from the training rows and are saved with the model; evaluation and prediction apply
    them. Target values are scaled only inside the network. Only used columns are read. The number of categories is not
    in the header, so the file is read before shapes are checked.

    Args:
        categorical: the inputs that hold categories: texts, numbers or dates.
        missing: how to treat a missing value, null or NaN: raise an ``error``; ``fill`` in the mean of a number, and
            zeros for a category; ``indicate``, which also adds an input that is 1 where a number is missing; or
            ``drop`` the row.
        missing_texts: texts that also mark a missing value; a number, such as ``"-999"``, also matches numbers.

    Raises:
        ParameterError: parameters contradict each other, the shares leave nothing to train on, or one names a file or a
            column that doesn't exist.
        DataError: the file is not a Parquet file, is damaged, or a value doesn't fit its column.

    Source: Apache Parquet, "File Format", https://parquet.apache.org/docs/file-format/.
    """

    endings: ClassVar = (".parquet", ".pq")

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show classes and values, from a file that ships with mlpkit."""
        file, inputs = "example:machines.parquet", ["site", "hours", "serviced", "temperature", "vibration"]
        return [
            {"file": file, "target": "fails", "inputs": inputs, "categorical": ["site"], "missing": "fill"},
            {
                "file": file,
                "target": ["temperature", "vibration"],
                "predict": "values",
                "ignore": ["measured_at"],
                "categorical": ["site", "fails"],
                "missing": "drop",
                "split": "shuffle",
            },
        ]

    @classmethod
    def guessed(cls, path: Path, name: str, target: str | None) -> Reading:
        """Read a sample of the rows of a Parquet file, whose format leaves nothing to guess."""
        from mlpkit_plugins.tables.column_guess import sample_rows  # noqa: PLC0415 - for the same reason
        from mlpkit_plugins.tables.first_spec import Reading  # noqa: PLC0415 - guesses are for new specs only

        source = ParquetSource(ParquetFile(path, name=name), ())
        return Reading(source, sample_rows(source), missing=("",))

    def source(self, path: Path, name: str, *, to_predict: bool = False) -> ParquetSource:
        """Return the table in a Parquet file, not yet read."""
        return ParquetSource(ParquetFile(path, name=name), self.missing_texts)
