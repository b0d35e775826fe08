"""The results of a run, as files that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.runs.files import file_hash
from mlpkit.runs.layout import HISTORY, METRICS, MODEL

if TYPE_CHECKING:
    from pathlib import Path

RESULTS: Final = (HISTORY, METRICS, MODEL)
"""The files of a run folder that the same spec, seed and versions give the same bytes."""


def result_hashes(directory: Path) -> dict[str, str | None]:
    """Return the SHA-256 of each result of a run, None for one that is not there.

    Raises:
        RunFolderError: a file can't be read.
    """
    return {name: file_hash(directory / name) for name in RESULTS}
