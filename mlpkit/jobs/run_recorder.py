"""Keeping a run in its folder while it trains."""

from __future__ import annotations

import errno
import math
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final

from mlpkit.components.schedule import Progress
from mlpkit.errors import DivergenceError, MlpkitError, StorageError
from mlpkit.jobs.run_inputs import RunInputs, checkpoint_contents
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import HEALTH, HISTORY, RESOLVED, TIMING
from mlpkit.runs.overview import DIVERGED, FAILED
from mlpkit.training.checkpointing import Snapshot
from mlpkit.training.events import Event, Listener, Observer, StopRequest

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
SECONDS_FOR_ROOM: Final = 60.0
"""For which a trained model waits for room on the disk."""
SECONDS_BETWEEN_TRIES: Final = 3.0


class AsyncCheckpoints:
    """Hands snapshots to a store in a thread, one after the other; the end of the block waits for the last.

    What goes wrong with a snapshot is raised with the next one, or at the end.
    """

    def __init__(self, store: FolderStore) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, "checkpoint writer")
        self._last: Future[None] | None = None

    def __enter__(self) -> AsyncCheckpoints:
        """Start the thread: an interrupt while it starts could otherwise lose a snapshot."""
        try:
            self._writer.submit(lambda: None).result()
        except BaseException:  # a signal: the program would wait for an idle thread when it ends
            self._writer.shutdown(wait=False)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until all is written, and raise what went wrong with it, unless something else did before."""
        try:
            self._writer.shutdown()
        except KeyboardInterrupt:  # a run folder must not be given up to another writer while it is written
            self._writer.shutdown()
            raise
        try:
            self.raise_failure()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"note: {failure}")

    def raise_failure(self) -> None:
        """Raise what went wrong with an earlier snapshot, if it is no longer being written."""
        if self._last is not None and self._last.done():
            last, self._last = self._last, None
            last.result()

    def save(self, snapshot: Snapshot, *, best: bool = False) -> None:
        """Start to keep a snapshot, perhaps as the best so far, once the one before is kept."""
        if self._last is not None:
            wait([self._last])
        self.raise_failure()
        self._last = self._writer.submit(self._store.save, snapshot, best=best)


def finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are numbers, and the tables; JSON has no others."""
    return {key: value for key, value in values.items() if isinstance(value, list) or math.isfinite(value)}


def recording(folder: RunFolder) -> Listener:
    """Return what writes a run's identity, each evaluation, and the health into its folder."""

    begun = time.process_time()

    def write(event: Event) -> None:
        nonlocal begun
        match event:
            case Event(_, "started", (total_steps,)):
                folder.write_identity(total_steps)
            case Event(_, "evaluated", (record, seconds)):
                begun, before = time.process_time(), begun
                folder.append(HISTORY, finite(record))
                times = {"seconds": seconds, "processor_seconds": begun - before}
                folder.append(TIMING, {"iteration": record["iteration"], **times})
            case Event(_, "probed", (health,)):
                folder.append(HEALTH, health)

    return write


class FolderStore:
    """Keeps a trainer's snapshots as the last few checkpoints of a run folder, at once."""

    def __init__(self, folder: RunFolder, inputs: RunInputs, keep: int) -> None:
        self._checkpoints, self._inputs, self._keep = folder.checkpoints, inputs, keep

    def save(self, snapshot: Snapshot, *, best: bool = False) -> None:
        """Keep a snapshot as the newest checkpoint, or as the best."""
        contents = checkpoint_contents(snapshot, self._inputs)
        if best:
            self._checkpoints.save_best(*contents)
        else:
            self._checkpoints.save(snapshot.step, *contents, keep=self._keep)

    def raise_failure(self) -> None:
        """Nothing is written later."""


@contextmanager
def failure_recorded(folder: RunFolder | None, progress: Progress) -> Iterator[None]:
    """Write into the run folder, if there is one, what goes wrong in the block and after which step, and raise it."""
    try:
        yield
    except Exception as error:
        if folder is not None:
            state = DIVERGED if isinstance(error, DivergenceError) else FAILED
            with suppress(StorageError):  # the error that led here is the one to report
                folder.write_failure(state, progress.step, str(error) or type(error).__name__)
        raise


def write_patiently(write: Callable[[], None], folder: RunFolder, observer: Observer, stop: StopRequest) -> None:
    """Write the result of a training into a folder; while the disk is full, try again for a minute."""
    deadline, waits = time.monotonic() + SECONDS_FOR_ROOM, False
    while True:
        try:
            return write()
        except StorageError as error:
            cause = error.__cause__
            over = stop.reason or time.monotonic() >= deadline
            if over or not isinstance(cause, OSError) or cause.errno not in NO_ROOM:
                with suppress(MlpkitError):  # the error that led here is the one to report
                    error.add_note(f"note: {_model_hint(folder)}, and writes the model")
                raise
            if not waits:
                observer.noticed(
                    f"{folder.directory}: the model can't be written: {cause.strerror}; make room within "
                    f"{SECONDS_FOR_ROOM:.0f} seconds: mlpkit keeps the weights and tries again (Ctrl-C ends that)"
                )
            waits = True
        again = time.monotonic() + SECONDS_BETWEEN_TRIES
        while time.monotonic() < again and not stop.reason:
            time.sleep(0.05)


def _model_hint(folder: RunFolder) -> str:
    if steps := folder.checkpoints.steps():
        resume = f"mlpkit resume {shlex.quote(str(folder.directory))}"
        return f"the checkpoint of step {steps[0]:,} is kept; {resume} continues from there"
    return f"no checkpoint is kept; mlpkit run {shlex.quote(str(folder.directory / RESOLVED))} trains again"
