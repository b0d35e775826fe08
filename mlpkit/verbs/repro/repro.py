"""Repeating a run from its lock file, to see whether it comes to the same."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack

from mlpkit.errors import RunFolderError, SpecShapeError, UsageError
from mlpkit.groups.ensemble import run_ensemble
from mlpkit.jobs.first_weights import first_weights_now, without_first_weights
from mlpkit.jobs.run_inputs import (
    CONTINUES,
    DATA,
    INITIALIZED_FROM,
    Change,
    lock_and_spec,
    lock_changes,
    lock_of,
    parse_resolved,
)
from mlpkit.jobs.spec_data import data_not_as_trained_on, describe_data, open_data
from mlpkit.jobs.train import Run, train_spec
from mlpkit.registry.discovery import PluginOptions
from mlpkit.registry.registry import Registry
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import MEMBERS, result_hashes
from mlpkit.specfile.spec import Spec
from mlpkit.training.events import Observer, StopRequest, python_warnings


@dataclass(frozen=True)
class Repetition:
    """A repeated run, the SHA-256 of each result then and now, and what it depends on and has changed."""

    run: Run
    then: dict[str, str | None]
    now: dict[str, str | None]
    changes: list[Change]

    @property
    def same(self) -> bool:
        """Whether every result is the same to the byte."""
        return self.then == self.now


def repro(
    directory: Path,
    out: Path | None = None,
    *,
    observer: Observer | None = None,
    stop: StopRequest | None = None,
    **plugin_options: Unpack[PluginOptions],
) -> Repetition:
    """Run a finished run again, in a folder or without one, and compare hashes.

    Where the spec sets a time, as many steps are done as there was time for. If the data, the spec or the first weights
    have changed, that is a ``RunFolderError``; the observer learns of other changes.
    """
    folder = RunFolder.open(directory)
    if not folder.finished:
        raise RunFolderError(f"{directory}: the run is not finished; {folder.resume_hint}")
    lock, resolved = lock_and_spec(folder)
    if CONTINUES in lock:
        origin = lock[CONTINUES]
        raise UsageError(
            f"{directory}: can't be repeated from its beginning: it continues {origin['run']} after step "
            f"{origin['step']:,}; to repeat it from there: mlpkit resume {shlex.quote(origin['run'])} "
            f"{origin.get('until', '')}"
        )
    spec = parse_resolved(directory, resolved, Registry.discover(**plugin_options))
    if spec.trains_ensemble and spec.training.seconds is not None:
        remedy = f"repeat its networks, such as mlpkit repro {shlex.quote(str(directory / MEMBERS / '0'))}"
        raise UsageError(
            f"{directory}: can't be repeated: each network trained as many steps as its time allowed; {remedy}"
        )
    observer = observer or Observer()
    for warning in spec.warnings:
        observer.warned(warning)
    changes = lock_changes(lock, _lock_now(directory, spec, resolved))
    for change in changes:
        if change.key == DATA:
            raise RunFolderError(f"{directory}: can't be repeated: the data has changed: {change}")
        if change.key == INITIALIZED_FROM:
            raise without_first_weights(directory, spec, "repeated", f"has changed: {change}")
        observer.noticed(f"the result may differ, since {change}")
    then = result_hashes(directory)
    done = max((int(record["iteration"]) for record in folder.read_history()), default=None)
    with TemporaryDirectory(prefix="mlpkit-") as temporary:
        place = out or Path(temporary) / "repro"
        repeated = _again(spec, place, observer, stop, done)
        return Repetition(repeated, then, result_hashes(place), changes)


def _again(spec: Spec, place: Path, observer: Observer, stop: StopRequest | None, steps: int | None) -> Run:
    """Run a spec again, with as many steps as there was time for, where it sets a time."""
    if spec.trains_ensemble:
        return run_ensemble(spec, place, observer=python_warnings("member"), stop=stop)
    steps = steps if spec.training.seconds is not None else None
    return train_spec(spec.with_seed(spec.seeds[0]), place, observer=observer, stop=stop, steps=steps)


def _lock_now(directory: Path, spec: Spec, resolved: str) -> dict[str, object]:
    dataset = spec.new_dataset()
    try:
        describe_data(spec, dataset)
    except SpecShapeError as error:
        raise data_not_as_trained_on(directory, error) from error
    open_data(spec, dataset)
    return lock_of(spec, resolved, dataset, first_weights_now(directory, spec, "repeated"))
