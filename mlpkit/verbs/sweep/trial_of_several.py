"""The training of a trial that is several runs, of its seeds or of the networks of an ensemble, one after the other.

Its folder is the one that ``mlpkit run`` makes with the same values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlpkit.errors import MlpkitError
from mlpkit.runs.files import remove_leftovers
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import TrainingEnd

if TYPE_CHECKING:
    from mlpkit.groups.group import Group
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


def train_group(group: Group, run: RunFolder, cores: int, train: TrainPrepared) -> TrainingEnd:
    """Train the runs of a trial from where they are, and sum up; the first that diverges or fails ends it.

    Args:
        group: the runs.
        run: the trial's folder, as its writer.
        cores: the cores that there are for it.
        train: trains a run.

    Raises:
        MlpkitError: a run can't be prepared or trained; a note names it.
    """
    folder = group.keep_in(run).folder
    if not folder.is_prepared:
        group.prove()
        _remove_half_prepared(folder)
        group.prepare(cores)
    end = _train_in_turn(group, train)
    if not end.stopped:
        group.sum_up()
    return end


def _remove_half_prepared(runs: NumberedRuns) -> None:
    """Remove what is there of runs that a process was about to prepare when it was killed."""
    for directory in runs.members.values():
        remove_leftovers(directory)
        RunFolder(directory).discard_if_unused()


def _train_in_turn(group: Group, train: TrainPrepared) -> TrainingEnd:
    """Train the runs that are not finished, until one is stopped."""
    steps = 0
    for number in group.folder.unfinished:
        with RunFolder(group.folder.member(number)) as folder:
            folder.claim()
            try:
                run = train(group.spec_of(number), folder, first=number == group.numbers[0])
            except MlpkitError as error:
                error.add_note(f"this was {group.what} {number}")
                raise
        steps += run.steps
        if run.stopped:
            return TrainingEnd(steps, run.stopped)
    return TrainingEnd(steps)
