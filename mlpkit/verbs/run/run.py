"""Training a spec from beginning to end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

from mlpkit.display.notebook import notebook_display
from mlpkit.errors import UsageError
from mlpkit.groups.ensemble import run_ensemble
from mlpkit.groups.seeds import SeedRuns, run_seeds
from mlpkit.jobs.train import Run, train_spec
from mlpkit.specfile.spec import Spec, require_spec
from mlpkit.training.events import Observer, StopRequest, python_warnings


@overload
def run(
    spec: Spec,
    directory: str | Path | None = ...,
    *,
    seeds: None = ...,
    observer: Observer | None = ...,
    quiet: bool = ...,
    stop: StopRequest | None = ...,
) -> Run: ...


@overload
def run(
    spec: Spec,
    directory: str | Path | None = ...,
    *,
    seeds: int | Sequence[int],
    quiet: bool = ...,
    stop: StopRequest | None = ...,
) -> SeedRuns: ...


def run(
    spec: Spec,
    directory: str | Path | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    observer: Observer | None = None,
    quiet: bool = False,
    stop: StopRequest | None = None,
) -> Run | SeedRuns:
    """Train the network of a spec, and evaluate it at the end; with several seeds, once with each of them.

    Of a spec with ``ensemble``, all networks are trained and averaged, and the result is an ``EnsembleRun``.

    Args:
        spec: the spec.
        directory: where to keep what happened; missing or empty. None keeps nothing.
        seeds: the seeds to train with, or how many, from the spec's seed on; the result is then a ``SeedRuns``.
        observer: receives the events, warnings of the data set included; by default Python warns of these, and a
            notebook shows progress. Not with seeds or an ensemble.
        quiet: whether to show no progress in a notebook.
        stop: may ask the run to end after the step that it is in; the folder then keeps a checkpoint.

    Raises:
        UsageError: the argument isn't a Spec, or the spec has several seeds and ``seeds`` isn't given, or other
            arguments don't go with them.
        SpecSchemaError: a callback writes a file that is not its own.
        SpecShapeError: the layers don't fit each other or the data.
        DataError: a data file is not what it should be.
        DivergenceError: a loss, a parameter or an optimizer's slot was not finite.
        EnsembleError: a network of an ensemble could not be trained.
        RunFolderError: the directory is in use.
        StorageError: the run folder can't be written.
        KeyboardInterrupt: Ctrl-C stopped the training after the step that it was in; ``run`` of the exception has what
            was trained.
    """
    require_spec(spec, "run")
    if seeds is not None:
        if observer is not None:
            raise UsageError("run takes no observer with seeds: other processes train the runs")
        return run_seeds(spec.with_seeds(seeds), directory, observer=python_warnings("seed"), stop=stop)
    if len(spec.seeds) > 1:
        count = len(spec.seeds)
        raise UsageError(f"the spec trains with {count} seeds; mlpkit.run(spec, seeds=spec.seeds) returns all {count}")
    if spec.trains_ensemble:
        if observer is not None:
            raise UsageError("run takes no observer of an ensemble: other processes train its networks")
        return run_ensemble(spec, directory, observer=python_warnings("member"), stop=stop)
    return train_spec(
        spec.with_seed(spec.seeds[0]),
        directory,
        observer=observer,
        display=notebook_display(quiet=quiet),
        stop=stop,
    )
