"""The training of a trial that is several runs, of its seeds or of the networks of an ensemble, one after the other.

Its folder is the one that ``mlpkit run`` makes with the same values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlpkit.errors import MlpkitError
from mlpkit.groups.ensemble import MEMBER, average, prepare_networks, prove_networks
from mlpkit.groups.ensemble_folder import EnsembleFolder
from mlpkit.groups.seeds import prepare_seeds, prove_seeds
from mlpkit.groups.seeds_folder import SeedsFolder
from mlpkit.runs.files import remove_leftovers
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import SEEDS_FOLDER, kind_of
from mlpkit.runs.layout import SPEC, has_file
from mlpkit.training.events import TrainingEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit.groups.numbered_runs import NumberedRuns
    from mlpkit.jobs.training_job import Run
    from mlpkit.specfile.spec import Spec


class TrainPrepared(Protocol):
    """Trains a prepared run, or goes on with it."""

    def __call__(self, spec: Spec, run: RunFolder, *, first: bool) -> Run:
        """Train it.

        Args:
            spec: its spec.
            run: its folder, as its writer.
            first: whether it is the first of its trial.
        """


def train_seeds(spec: Spec, folder: RunFolder, cores: int, train: TrainPrepared) -> TrainingEnd:
    """Train a trial with each of its seeds, from where it is; the first that diverges or fails ends it.

    Args:
        spec: the trial's spec.
        folder: its folder, as its writer.
        cores: the cores that there are for it.
        train: trains the run of a seed.

    Raises:
        MlpkitError: a run can't be prepared or trained; a note names its seed.
    """
    runs = SeedsFolder(folder, spec.seeds)
    if kind_of(folder.directory) is not SEEDS_FOLDER:
        proved = prove_seeds(spec)
        _remove_half_prepared(runs)
        prepare_seeds(proved, runs, cores)
    end = _train_in_turn(runs, "seed", spec.with_seed, train)
    if not end.stopped:
        runs.write_summary()
    return end


def train_ensemble(spec: Spec, folder: RunFolder, train: TrainPrepared) -> TrainingEnd:
    """Train the networks of a trial, from where it is, and average them; the first that diverges or fails ends it.

    Args:
        spec: the trial's spec.
        folder: its run folder, as its writer.
        train: trains a network.

    Raises:
        MlpkitError: a network can't be prepared or trained; a note says which.
    """
    assert spec.ensemble is not None
    runs = EnsembleFolder(folder, spec.ensemble.size)
    if not has_file(folder.directory, SPEC):
        proved = prove_networks(spec)
        _remove_half_prepared(runs)
        prepare_networks(proved, runs)
    end = _train_in_turn(runs, MEMBER, spec.with_member, train)
    if not end.stopped:
        average(runs, spec.registry)
    return end


def _remove_half_prepared(runs: NumberedRuns) -> None:
    """Remove what is there of runs that a process was about to prepare when it was killed."""
    for directory in runs.members.values():
        remove_leftovers(directory)
        RunFolder(directory).discard_if_unused()


def _train_in_turn(runs: NumberedRuns, what: str, spec_of: Callable[[int], Spec], train: TrainPrepared) -> TrainingEnd:
    """Train the runs that are not finished, until one is stopped.

    Args:
        runs: their folders.
        what: what their numbers are.
        spec_of: returns the spec of a run.
        train: trains a run.
    """
    first, steps = next(iter(runs.members)), 0
    for number in runs.unfinished:
        with RunFolder(runs.member(number)) as folder:
            folder.claim()
            try:
                run = train(spec_of(number), folder, first=number == first)
            except MlpkitError as error:
                error.add_note(f"this was {what} {number}")
                raise
        steps += run.steps
        if run.stopped:
            return TrainingEnd(steps, run.stopped)
    return TrainingEnd(steps)
