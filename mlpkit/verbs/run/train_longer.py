"""Training a finished run for longer, as a new run that starts where it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mlpkit.components.schedule import rate_at
from mlpkit.components.schema.wording import counted
from mlpkit.errors import UsageError
from mlpkit.jobs.resume_network import Reopened, Session, reopened, train_claimed
from mlpkit.jobs.run_inputs import INITIALIZED_FROM, GivenExamples, RunInputs, lock_of
from mlpkit.jobs.run_recorder import FolderStore
from mlpkit.jobs.training_job import Run
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.system import real_path
from mlpkit.training.callbacks import EarlyStopping
from mlpkit.training.checkpointing import Snapshot
from mlpkit.training.events import Event, Observer, ObserverGroup, StopRequest


class Length(NamedTuple):
    """How many epochs or else steps to train, those that are done included."""

    epochs: int | None = None
    iterations: int | None = None

    @property
    def option(self) -> str:
        """The option of ``mlpkit resume``."""
        return f"--epochs {self.epochs}" if self.iterations is None else f"--iterations {self.iterations}"

    def __str__(self) -> str:
        """Return it with its unit."""
        return counted(self.epochs or 0, "epoch") if self.iterations is None else counted(self.iterations, "step")


def folder_for(directory: Path, out: str | Path | None) -> Path:
    """Return the folder for a longer run: ``out``, or a new one next to that of the run, which must be finished."""
    run = RunFolder.open(directory)
    if not run.finished:
        raise UsageError(f"{directory}: the run is not finished; {run.resume_hint}")
    place = directory if directory.name not in ("", "..") else real_path(directory)
    return Path(out) if out is not None else RunFolder.next_free(place.parent, place.name)


def train_longer(
    directory: Path,
    length: Length,
    out: Path,
    registry: Registry,
    *,
    examples: GivenExamples | None = None,
    observer: Observer,
    stop: StopRequest,
) -> Run:
    """Train a finished run, which stays unchanged, for longer, in a new folder, or raise ``UsageError``.

    The steps after its last checkpoint are repeated with the same bits, and the training continues after its last step.
    """
    with RunFolder.create(out) as folder:
        try:
            _begin(folder, RunFolder.open(directory), length, registry, examples, observer)
        except BaseException:
            folder.discard_if_unused()
            raise
        return train_claimed(folder, Session(registry, observer, stop, examples))


def _begin(
    folder: RunFolder,
    finished: RunFolder,
    length: Length,
    registry: Registry,
    examples: GivenExamples | None,
    observer: Observer,
) -> None:
    """Fill the folder of the longer run as if it had been stopped after the last step of the finished one."""
    history = finished.read_history()
    last = int(history[-1]["iteration"]) if history else 0
    with reopened(finished, last + 1, "continued", registry, examples, observer) as run:
        if run.proved.spec.training.seconds is not None:
            remedy = f"start a new run from its weights, with initialize_from: {finished.directory}"
            raise UsageError(f"{finished.directory}: was trained for a time, not for a number of steps; {remedy}")
        training = replace(run.proved.spec.training, epochs=length.epochs, iterations=length.iterations)
        spec = replace(run.proved.spec, top_level=replace(run.proved.spec.top_level, training=training))
        snapshot = _last_step(run, last, length, folder, finished, observer)
        plan = run.training.plan
        resolved = spec.resolved_text(slices=plan.slices, threads=plan.threads)
        origin = {"run": str(finished.directory), "step": last, "until": length.option}
        lock = lock_of(spec, resolved, run.proved.dataset, run.training.origin.get(INITIALIZED_FROM), origin)
    inputs = RunInputs(finished.spec_text(), resolved, lock)
    folder.write_lock(lock)
    FolderStore(folder, inputs, keep=1).save(snapshot)
    folder.write_resolved(resolved)
    folder.write_spec(inputs.spec)
    folder.copy_records(finished)


def _last_step(
    run: Reopened, last: int, length: Length, folder: RunFolder, finished: RunFolder, observer: Observer
) -> Snapshot:
    """Return the training after the last step of the finished run and its evaluation, ready for more steps."""
    stop, store = StopRequest(), _LastSnapshot()

    def stop_after_last(event: Event) -> None:
        if event.kind == "evaluated" and event.data[0]["iteration"] == last:
            stop.stop("the step is done")

    kept: dict[str, Any] = {"folder": folder.directory, "resolved": run.training.values, "store": store}
    trainer = run.training.trainer(run.network, observer=ObserverGroup([stop_after_last]), stop=stop, **kept)
    total = length.iterations or (length.epochs or 0) * trainer.steps_per_epoch
    if total <= last:
        done = last if length.epochs is None else last / trainer.steps_per_epoch
        raise UsageError(
            f"{finished.directory}: {length} in all are not more than the {done:.4g} already done; give more"
        )
    if run.snapshot is not None:
        trainer.restore(run.snapshot)
    trainer.train()
    snapshot = store.snapshot or run.snapshot  # that of a checkpoint after the last step
    assert snapshot is not None
    rate, progress = trainer.optimizer.learning_rate, replace(trainer.progress, total_steps=total)
    before, after = rate_at(rate, trainer.progress), rate_at(rate, progress)
    if before != after:
        observer.noticed(
            f"the learning rate ended at {before:.4g}, and continues at {after:.4g}: its schedule is for {length}"
        )
    for callback, state in zip(trainer.callbacks, snapshot.metadata["callbacks"], strict=True):
        if isinstance(callback, EarlyStopping):
            state["waited"] = 0
    snapshot.metadata["stop_reason"] = ""
    return snapshot


class _LastSnapshot:
    """Keeps the last snapshot of a training in memory; None without one."""

    snapshot: Snapshot | None = None

    def save(self, snapshot: Snapshot, *, best: bool = False) -> None:
        """Keep it, unless it is the best so far."""
        self.snapshot = self.snapshot if best else snapshot

    def raise_failure(self) -> None:
        """Nothing is written."""
