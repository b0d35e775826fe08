"""The most recent rows of each model, to compare them with those of training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.groups.prediction_file import write_columns
from mlpkit.jobs.drift import drift_of_model
from mlpkit.verbs.serve.metrics import labels
from mlpkit.verbs.serve.refusals import NOT_FOUND, Refusal

if TYPE_CHECKING:
    from mlpkit.verbs.serve.models import Loaded, Version
    from mlpkit.verbs.serve.rows import Rows

MOST: Final = 2000
"""Rows of a model that are kept."""
LEVEL: Final = 0.01
"""The probability of any false alarm, as in ``mlpkit data --against``."""


class RecentRows:
    """The last rows that each version of each model predicted for; rows of CSV bodies aren't among them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], deque[Any]] = {}

    def keep(self, version: Version, rows: Rows) -> None:
        """Keep rows, in place of older ones."""
        content = rows.content
        if isinstance(content, bytes):
            return
        kept = self._rows.setdefault((version.model, version.version), deque(maxlen=MOST))
        kept.extend(content if isinstance(content, np.ndarray) else zip(*content.values(), strict=True))

    def counts(self) -> Mapping[str, float]:
        """Return how many rows are kept, by labels of metrics."""
        return {labels(model=key[0], version=key[1]): float(len(rows)) for key, rows in self._rows.items()}

    def drift(self, version: Version) -> dict[str, Any]:
        """Compare the rows with those of training, as ``mlpkit data --against`` does."""
        loaded, rows = version.loaded, [*self._rows.get((version.model, version.version), ())]
        if not rows or loaded.directory is None:
            why = "no rows are kept yet" if loaded.directory else "a model file alone has no statistics of training"
            raise Refusal(NOT_FOUND, why)
        with _as_file(loaded, rows) as file:
            name = f"the last {len(rows):,} rows"
            return drift_of_model(loaded.model, loaded.directory, file, name, LEVEL, 0.0).to_plain()


@contextmanager
def _as_file(loaded: Loaded, rows: list[Any]) -> Iterator[Path]:
    with TemporaryDirectory(prefix="mlpkit-") as folder:
        if loaded.columns is None:
            file = Path(folder) / "rows.npy"
            np.save(file, np.stack(rows))
        else:
            file = Path(folder) / "rows.csv"
            write_columns(file, dict(zip((c.name for c in loaded.columns), zip(*rows, strict=True), strict=True)))
        yield file
