"""Keeping a run in its folder while it trains."""

from __future__ import annotations

import math
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from mlpkit.training.events import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from mlpkit.jobs.run_inputs import RunInputs
    from mlpkit.runs.folder import RunFolder
    from mlpkit.training.checkpointing import CheckpointStore
    from mlpkit.training.evaluation import Record
    from mlpkit.training.snapshot import Snapshot


class AsyncCheckpoints:
    """Hands snapshots to another store in a thread, one after the other; the end of the block waits for the last.

    What goes wrong with a snapshot is raised when the next one is to be kept, or at the end.

    Args:
        store: keeps the snapshots.
    """

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store
        self._failure: BaseException | None = None
        self._orders: SimpleQueue[tuple[Callable[[Snapshot], None], Snapshot, threading.Event] | None] = SimpleQueue()
        self._kept = threading.Event()
        self._kept.set()
        # One thread for the whole block, told by a queue: to start one for each snapshot could be interrupted half-way.
        self._writer = threading.Thread(target=self._work, name="checkpoint writer", daemon=True)

    def __enter__(self) -> AsyncCheckpoints:
        """Begin with nothing to write."""
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until all is written, and raise what went wrong with it, unless something else did before."""
        self._orders.put(None)
        try:
            self._writer.join()
        except KeyboardInterrupt:  # a run folder must not be given up to another writer while it is written
            self._writer.join()
            raise
        try:
            self._raise_failure()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"note: {failure}")

    @property
    def failed(self) -> bool:
        """Whether something went wrong with a snapshot."""
        return self._failure is not None

    def save(self, snapshot: Snapshot) -> None:
        """Begin to keep a snapshot, once the one before is kept."""
        self._begin(self._store.save, snapshot)

    def save_best(self, snapshot: Snapshot) -> None:
        """Begin to keep a snapshot as the best so far, once the one before is kept."""
        self._begin(self._store.save_best, snapshot)

    def _begin(self, write: Callable[[Snapshot], None], snapshot: Snapshot) -> None:
        self._kept.wait()
        self._raise_failure()
        kept = threading.Event()
        self._orders.put((write, snapshot, kept))
        self._kept = kept

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            write, snapshot, kept = order
            try:
                write(snapshot)
            except BaseException as failure:  # raised in the thread that trains
                self._failure = failure
            kept.set()
            del order, write, snapshot  # it may be as large as the model, and the next one is far

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


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

    def __init__(self, folder: RunFolder, origin: RunInputs, keep: int) -> None:
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
