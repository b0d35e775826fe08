"""Training a spec from beginning to end."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from mlpkit.jobs.build import prove
from mlpkit.jobs.callback_files import expect_own_files
from mlpkit.jobs.training_job import Run, TrainingJob
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.spec import expect_spec
from mlpkit.training.events import Observer, StopRequest
from mlpkit.training.workers import blas_threads, choose_plan

if TYPE_CHECKING:
    from mlpkit.specfile.spec import Spec


def run(
    spec: Spec,
    directory: str | Path | None = None,
    *,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
    steps: int | None = None,
) -> Run:
    """Train the network of a spec, and evaluate it at the end.

    Args:
        spec: the spec.
        directory: where to keep what happened; missing or empty. None keeps nothing.
        observer: receives the events, warnings of the data set included; by default Python warns of these.
        stop: may ask the run to end after the step that it is in; the folder then keeps a checkpoint.
        steps: how many steps to do in place of the time that the spec sets; by default the clock decides.

    Raises:
        UsageError: what is given is no spec.
        SpecSchemaError: a callback writes a file that is not its own.
        SpecShapeError: the layers don't fit each other or the data.
        DataError: a data file is not what it should be.
        DivergenceError: a loss, a parameter or an optimizer's slot was not finite.
        RunFolderError: the directory is in use.
        StorageError: the run folder can't be written.
    """
    expect_spec(spec, "run")
    expect_own_files(spec)
    proved = prove(spec)
    for warning in proved.warnings:
        if observer is not None:
            observer.warned(warning)
        else:
            warnings.warn(str(warning), stacklevel=2)
    spec = proved.spec
    plan = choose_plan(
        proved.proof.flops * spec.training.batch_size, slices=spec.training.slices, threads=spec.training.threads
    )
    folder = RunFolder.create(Path(directory)) if directory is not None else None
    with folder or nullcontext(), blas_threads(plan.threads):
        try:
            job = TrainingJob(spec, plan, proved, folder, steps=steps)
            if folder is not None:
                folder.write_spec(spec.document.text)
                folder.write_resolved(job.resolved)
                folder.write_lock(job.lock)
            return job.train(spec.document.text, observer or Observer(), stop or StopRequest())
        except BaseException:
            if folder is not None:
                folder.discard_if_unused()
            raise
