"""The callback that writes evaluations into a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlpkit import Callback, ParameterError, TrainingView
from mlpkit_plugins.files.regular_file import storing


class CsvLogger(Callback):
    """Writes each evaluation as a row of a CSV file in the run folder, below a header row.

    A resumed run rewrites the file from the history, so that it ends up the same to the byte. Without a run folder,
    nothing is written.

    Args:
        file: name of the file in the run folder, ending in .csv.

    Raises:
        ParameterError: ``file`` doesn't end in .csv.
        StorageError: the file can't be written.

    Source: Shafranovich, Common Format and MIME Type for Comma-Separated Values (CSV) Files, RFC 4180 (2005).
    """

    def __init__(self, file: str = "history.csv") -> None:
        if not file.endswith(".csv"):
            raise ParameterError("file", f"{file!r} can't be the file's name", expected="a name that ends in .csv")
        self.file = file

    def files(self) -> list[str]:
        """Return the file's name."""
        return [self.file]

    def on_start(self, training: TrainingView) -> None:
        """Write the evaluations from before a resume into a new file, since an old one may be a link."""
        path = self._path(training)
        if path is not None:
            with storing(path):
                path.unlink(missing_ok=True)
            if training.history:
                self._write(path, [*_heading(training.history), *(row.values() for row in training.history)])

    def on_evaluation(self, training: TrainingView, record: Mapping[str, float]) -> None:
        """Write a row, and the header before the first one."""
        path = self._path(training)
        if path is not None:
            heading = _heading([record]) if len(training.history) == 1 else []
            self._write(path, [*heading, record.values()])

    def _path(self, training: TrainingView) -> Path | None:
        return None if training.folder is None else training.folder / self.file

    def _write(self, path: Path, rows: Iterable[Iterable[Any]]) -> None:
        with storing(path), path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show it with the default name and another name."""
        return [{}, {"file": "figures.csv"}]


def _heading(records: Iterable[Mapping[str, float]]) -> list[list[str]]:
    """Return the names of the first record's values as a row; no row without records."""
    return [list(record) for record in records][:1]
