"""The run folder of an ensemble: a run folder for each network, and the average of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.errors import RunFolderError
from mlpkit.groups.numbered_runs import NumberedRuns, plain_summary
from mlpkit.runs.files import folders_in
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of
from mlpkit.runs.layout import MEMBERS, SPREAD

if TYPE_CHECKING:
    from pathlib import Path


class EnsembleFolder(NumberedRuns):
    """The run folder of an ensemble, with the networks' run folders in it: ``members/0``, ``members/1`` and so on.

    Its own model, metrics and lock belong to the average; ``spread.json`` sums up the networks' metrics.

    Args:
        run: the run folder, as the holder of the writer's lock.
        size: how many networks there are.
    """

    def __init__(self, run: RunFolder, size: int) -> None:
        super().__init__(run, {number: run.directory / MEMBERS / str(number) for number in range(size)})

    @classmethod
    def open(cls, directory: Path) -> EnsembleFolder:
        """Open the folder of an ensemble, to read it or to resume it.

        Raises:
            RunFolderError: it is not one.
        """
        run = RunFolder.open(directory)
        if kind_of(directory) is not ENSEMBLE_RUN:
            raise RunFolderError(f"{directory}: holds the run of one network, not an ensemble")
        members = folders_in(directory / MEMBERS) if (directory / MEMBERS).is_dir() else []
        return cls(run, sum(folder.name.isdecimal() for folder in members))

    @property
    def with_models(self) -> list[int]:
        """The numbers of the networks that have begun, and so have a model."""
        return [number for number, directory in self.members.items() if RunFolder(directory).has_model]

    def _discard_own(self) -> None:
        if (self.directory / MEMBERS).is_dir():
            (self.directory / MEMBERS).rmdir()

    def write_spread(self) -> None:
        """Write spread.json: the mean of each loss and metric over the networks, with its interval."""
        self.run.write_json(SPREAD, plain_summary(self.summary()))
