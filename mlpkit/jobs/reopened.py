"""Opening a run again, to do some of its steps again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mlpkit.errors import ModelFileError, RunFolderError, UsageError
from mlpkit.jobs import run_inputs
from mlpkit.jobs.first_weights import first_weights_now, without_first_weights
from mlpkit.jobs.open_training import OpenTraining, open_training
from mlpkit.jobs.prove import SpecProof
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import Registry
from mlpkit.runs.checkpoints import BEST
from mlpkit.runs.folder import RunFolder
from mlpkit.training.divergence import without_warnings
from mlpkit.training.events import Observer
from mlpkit.training.snapshot import Snapshot


class Reopened(NamedTuple):
    """A run whose data is open again, and its network built, to do some of its steps again.

    ``training.origin`` is its lock.json; ``snapshot`` is its newest checkpoint before the step, if there is one;
    ``changes`` are what its results depend on and has changed since.
    """

    training: OpenTraining
    network: Sequential
    snapshot: Snapshot | None
    changes: tuple[str, ...]

    @property
    def proved(self) -> SpecProof:
        """Its spec, proved."""
        return self.training.proved


@contextmanager
def reopened(
    folder: RunFolder,
    step: int,
    attempt: str,
    registry: Registry | None,
    examples: run_inputs.GivenExamples | None,
    observer: Observer,
) -> Iterator[Reopened]:
    """Open a run to do a step again, numbered from 1; in the block, products run on the run's threads.

    ``attempt`` is ``traced`` or ``continued``, for messages. The observer learns what has changed since the run; other
    data, another spec or other first weights are a ``RunFolderError``.
    """
    directory = folder.directory
    lock, resolved = run_inputs.lock_and_spec(folder)
    spec = run_inputs.parse_resolved(directory, resolved, registry)
    for warning in spec.warnings:
        observer.warned(warning)
    snapshot = _newest_before(folder, step, resolved, observer)
    begun = snapshot is not None
    if not begun and run_inputs.CONTINUES in lock:
        origin, steps = lock[run_inputs.CONTINUES], folder.checkpoints.steps()
        raise RunFolderError(
            f"{directory}: can't be {attempt} from its beginning: it continues {origin['run']} after step "
            f"{origin['step']:,}, and its first checkpoint is of step {min(steps, default=origin['step']):,}; expected "
            "a later step, or that run"
        )
    initialized_from = lock.get(run_inputs.INITIALIZED_FROM) if begun else first_weights_now(directory, spec, attempt)
    if initialized_from != lock.get(run_inputs.INITIALIZED_FROM):
        raise without_first_weights(directory, spec, attempt, "has changed")
    dataset = run_inputs.dataset_of(spec, examples)
    if dataset.in_memory and examples is None:
        call = "trace(RUN, STEP" if attempt == "traced" else "resume(RUN"
        raise UsageError(
            f"{directory}: was trained on examples in memory; give the same ones again, in Python: "
            f"mlpkit.{call}, examples=(x, t))"
        )
    proved = run_inputs.prove_again(directory, spec, dataset, begun=begun)
    with open_training(proved, resolved=resolved, origin=lock) as training, without_warnings():
        changes = _changes(directory, lock, training.lock, attempt, observer)
        yield Reopened(training, training.network(begun=begun), snapshot, changes)


def _newest_before(folder: RunFolder, step: int, resolved: str, observer: Observer) -> Snapshot | None:
    """Return the newest checkpoint of fewer steps; None without one."""
    found: list[Snapshot] = []
    for checkpoint in folder.checkpoints.load_before(step, observer.noticed):
        try:
            snapshot, inputs = run_inputs.contents_of(checkpoint)
        except ModelFileError as error:
            observer.noticed(str(error))
            continue
        if inputs.resolved != resolved:
            observer.noticed(f"{checkpoint.path}: belongs to another run, and is ignored")
            continue
        if snapshot.step < step:
            found.append(snapshot)
        if checkpoint.path.name != BEST:  # others are older
            break
    return max(found, key=lambda snapshot: snapshot.step, default=None)


def _changes(
    directory: Path, then: Mapping[str, Any], now: Mapping[str, Any], attempt: str, observer: Observer
) -> tuple[str, ...]:
    """Return what the results depend on and has changed; other data is an error."""
    changes = run_inputs.lock_changes(then, now)
    for change in changes:
        if change.key == run_inputs.DATA:
            raise RunFolderError(f"{directory}: can't be {attempt}: the data has changed: {change}")
    listed = tuple(map(str, changes))
    if listed:
        observer.noticed(f"{directory}: the same bits as in the run are no longer guaranteed: {'; '.join(listed)}")
    return listed
