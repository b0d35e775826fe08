"""Writes checkpoints while training goes on: to wait for the disk in the training loop would cost many steps."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mlpkit.training.checkpointing import CheckpointStore
    from mlpkit.training.snapshot import Snapshot


class BackgroundStore:
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

    def __enter__(self) -> BackgroundStore:
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
