"""The most recent rows of each model, compared with those of training; rows of CSV bodies aren't among them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from mlpkit.groups.prediction_file import write_columns
from mlpkit.jobs.drift.against import drift_of_model
from mlpkit.verbs.serve.models import Version
from mlpkit.verbs.serve.refusals import NOT_FOUND, Refusal
from mlpkit.verbs.serve.rows import Rows

LEVEL: Final = 0.01
"""The probability of any false alarm, as in ``mlpkit data --against``."""


def keep(version: Version, rows: Rows) -> None:
    """Keep the rows that a version predicted for, in place of older ones."""
    content = rows.content
    if not isinstance(content, bytes):
        version.recent.extend(content if isinstance(content, np.ndarray) else zip(*content.values(), strict=True))


def drift(version: Version) -> dict[str, Any]:
    """Compare the rows with those of training, as ``mlpkit data --against`` does."""
    loaded, rows = version.loaded, [*version.recent]
    if not rows or loaded.directory is None:
        why = "no rows are kept yet" if loaded.directory else "a model file alone has no statistics of training"
        raise Refusal(NOT_FOUND, why)
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        if loaded.columns is None:
            file = Path(folder, "rows.npy")
            np.save(file, np.stack(rows))
        else:
            file = Path(folder, "rows.csv")
            names = (column.name for column in loaded.columns)
            write_columns(file, dict(zip(names, zip(*rows, strict=True), strict=True)))
        name = f"the last {len(rows):,} rows"
        return drift_of_model(loaded.model, loaded.directory, file, name, LEVEL, 0.0).to_plain()
