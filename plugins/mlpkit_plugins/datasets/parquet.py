"""Tables in Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge

from mlpkit_plugins.formats.parquet_file import ParquetFile
from mlpkit_plugins.tables.options import Names, Share, TableOptions
from mlpkit_plugins.tables.parquet_source import ParquetSource
from mlpkit_plugins.tables.table_dataset import TableDataset

if TYPE_CHECKING:
    from pathlib import Path


class Parquet(TableDataset):
    """The rows of a Parquet file: numbers and categories to learn from, and a target in one column or several.

    Every column holds numbers, unless it is named in ``categorical``. Numbers are scaled to mean 0 and standard
    deviation 1, and categories are one-hot encoded:

        x = (number - mean) / std,  mean = Σ number / n,  std = √(Σ (number - mean)² / n)

    The sums run over the n training rows whose number is not missing; std is 1 if all are equal. Means, deviations,
    categories and classes come from the training rows and are saved with the model; evaluation and prediction apply
    them. Targets are never scaled. Only the columns that are used are read. The number of categories is not in its
    header, so the file is read before shapes are checked.

    Args:
        file: the file, relative to the current folder; ``example:NAME`` is one that ships with mlpkit.
        target: the column to predict, or several.
        predict: what the target holds: ``classes``, one column of names or numbers of classes; ``labels``, columns of 0
            and 1, independent of each other; ``values``, columns of numbers.
        inputs: the columns to learn from; by default all the others.
        ignore: columns to leave out, if ``inputs`` is not given.
        categorical: the inputs that hold categories: texts, numbers or dates.
        missing: what to do about a missing value, null or NaN: raise an ``error``; ``fill`` in the mean of a number,
            and zeros for a category; or ``drop`` the row.
        missing_texts: texts that also mean a missing value.
        unknown: what to do about a category that no training row has: raise an ``error``, or encode it as ``zeros``.
        standardize: scale the inputs that are numbers; otherwise they stay as they are, as targets always do.
        validation: share of the rows for validation, or a file that holds them; 0 for none.
        test: share of the rows for testing, or a file that holds them; 0 for none.
        split: how rows are split: by a ``hash`` of their values, so that a row stays in its split when others
            are added or removed, and equal rows stay together; or by a ``shuffle``, so that the shares are exact.
        split_by: the column that is hashed, such as the number of a patient whose rows must stay together; by default
            all columns that are used.
        split_seed: seed of the split; the spec's seed doesn't affect it.

    Raises:
        ParameterError: parameters contradict each other, the shares leave nothing to train on, or one names a file or a
            column that doesn't exist.
        DataError: the file is not a Parquet file, is damaged, or a value doesn't fit its column.

    Source: Apache Parquet, "File Format", https://parquet.apache.org/docs/file-format/.
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
        missing_texts: tuple[str, ...] = (),
        unknown: Literal["error", "zeros"] = "error",
        standardize: bool = True,
        validation: Share | str = 0.1,
        test: Share | str = 0.1,
        split: Literal["hash", "shuffle"] = "hash",
        split_by: str | None = None,
        split_seed: Annotated[int, Ge(0)] = 0,
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

    def source(self, path: Path, name: str) -> ParquetSource:
        """Return the table in a Parquet file, not yet read.

        Args:
            path: the file.
            name: what to call it in messages.

        Raises:
            DataError: the file is not a Parquet file, or is damaged.
        """
        return ParquetSource(ParquetFile(path, name=name), self.missing_texts)
