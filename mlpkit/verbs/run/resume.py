"""Resuming an interrupted run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from types import ModuleType

from mlpkit.display.notebook import default_observer
from mlpkit.errors import UsageError
from mlpkit.groups.ensemble import resume_ensemble
from mlpkit.jobs.resume_network import resume_network
from mlpkit.jobs.run_inputs import GivenExamples
from mlpkit.jobs.training_job import Run
from mlpkit.registry.registry import Registry
from mlpkit.runs.kinds import ENSEMBLE_RUN, RunArgument, directory_of, kind_of
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.run.train_longer import Length, folder_for, train_longer


def resume(
    directory: RunArgument,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
    out: str | Path | None = None,
    examples: GivenExamples | None = None,
    plugins: Iterable[str | Path | ModuleType] = (),
    blocked: Iterable[str] = (),
    observer: Observer | None = None,
    quiet: bool = False,
    stop: StopRequest | None = None,
) -> Run:
    """Resume a run from its newest checkpoint, with the same bits as if it had never been interrupted.

    A finished run is returned unchanged. With ``epochs`` or ``iterations``, it is trained for longer, as a new run in a
    new folder that continues after its last step: with the state of the optimizer and of callbacks, schedules of the
    new length, and early stopping that counts from there.

    Args:
        directory: the run folder, or a run that one keeps.
        epochs: passes over the training data in total, to train a finished run for longer.
        iterations: the same in steps.
        out: the folder of the longer run, missing or empty; by default one next to that of the run, with a number.
        examples: inputs and targets, and weights, if ``fit`` was given them: the same ones again; or a mapping from
            splits to them, if it was given examples for validation or test too.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.
        observer: receives the events, damaged checkpoints, other versions and deprecated usage in the spec included;
            by default Python warns of these, and a notebook shows progress. Not of an ensemble.
        quiet: whether to show no progress in a notebook.
        stop: may ask the run to end after the step that it is in.

    Raises:
        RunFolderError: the folder isn't a run folder, has another writer or no checkpoint, or the spec, a plugin or the
            data has changed since; the message names it.
        UsageError: no folder keeps the run, or the folder is that of several seeds, or of a sweep; or the run can't be
            trained for longer.
        SpecError: a plugin that the spec needs is missing.
        DataError: a data file is not what it should be.
        DivergenceError: a loss, a parameter or an optimizer's slot was not finite.
        StorageError: the run folder can't be written.
        KeyboardInterrupt: Ctrl-C stopped the training after the step that it was in; ``run`` of the exception has what
            was trained.
    """
    directory = directory_of(directory)
    kind = kind_of(directory)
    if kind is not None and not kind.is_run:
        way = f'{kind.python}("{directory}")' if kind.python else f"{kind.command} {quote(str(directory))}"
        raise UsageError(f"{directory}: holds {kind.holds}; resume it with: {way}")
    longer = epochs is not None or iterations is not None or out is not None
    if longer and kind is ENSEMBLE_RUN:
        raise UsageError(f"{directory}: is an ensemble; one of its networks can be trained for longer")
    if longer:
        if (epochs is None) == (iterations is None):
            raise UsageError("resume takes either epochs or iterations, to train a finished run for longer")
        return train_longer(
            directory,
            Length(epochs, iterations),
            folder_for(directory, out),
            Registry.discover(plugins=plugins, blocked=blocked),
            examples=examples,
            observer=observer or default_observer(quiet=quiet),
            stop=stop or StopRequest(),
        )
    if kind is not ENSEMBLE_RUN:
        return resume_network(
            directory,
            examples=examples,
            plugins=plugins,
            blocked=blocked,
            observer=observer or default_observer(quiet=quiet),
            stop=stop,
        )
    if observer is not None:
        raise UsageError("resume takes no observer of an ensemble: other processes train its networks")
    registry = Registry.discover(plugins=plugins, blocked=blocked)
    listener = default_observer("member", quiet=quiet)
    return resume_ensemble(directory, registry, examples=examples, observer=listener, stop=stop)
