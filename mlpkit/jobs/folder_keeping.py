"""What is kept of a run while it trains: a line an evaluation, and checkpoints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlpkit.training.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlpkit.jobs.origin import Origin
    from mlpkit.runs.folder import RunFolder
    from mlpkit.training.history import Record
    from mlpkit.training.snapshot import Snapshot

SNAPSHOT = "snapshot"
"""The key of a checkpoint's metadata that the trainer's figures stand under, beside those of the origin."""


def finite(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that are numbers, and the tables; JSON has no others."""
    return {key: value for key, value in figures.items() if isinstance(value, list) or math.isfinite(value)}


class FolderObserver(Observer):
    """Writes each evaluation into the run folder.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def evaluated(self, record: Record, seconds: float) -> None:
        """Add a line to the history, and one to the timing."""
        self._folder.append_history(finite(record))
        self._folder.append_timing({"iteration": record["iteration"], "seconds": seconds})


class FolderStore:
    """Keeps a trainer's snapshots as the checkpoints of a run folder.

    Args:
        folder: the run folder.
        origin: what the run depends on.
        keep: how many of the last checkpoints to keep.
    """

    def __init__(self, folder: RunFolder, origin: Origin, keep: int) -> None:
        self._folder = folder
        self._arrays = origin.arrays()
        self._metadata = origin.metadata()
        self._keep = keep

    failed = False
    """What goes wrong is raised at once."""

    def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot as the newest checkpoint."""
        arrays, metadata = self._arrays | snapshot.arrays, {**self._metadata, SNAPSHOT: snapshot.figures}
        self._folder.checkpoints.save(snapshot.step, arrays, metadata, keep=self._keep)

    def save_best(self, snapshot: Snapshot) -> None:
        """Keep a snapshot as the best checkpoint."""
        arrays, metadata = self._arrays | snapshot.arrays, {**self._metadata, SNAPSHOT: snapshot.figures}
        self._folder.checkpoints.save_best(arrays, metadata)
