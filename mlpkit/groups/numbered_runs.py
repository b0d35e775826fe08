"""A folder with several run folders by number, and a summary of their results."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from mlpkit.runs.folder import RunFolder
from mlpkit.runs.layout import SPEC, SPLITS, has_file
from mlpkit.statistics import Interval, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Summary: TypeAlias = dict[str, dict[str, Interval]]
"""The mean of each loss and metric over several runs, with its interval, by split."""


def summary_of(results: Sequence[Mapping[str, Mapping[str, Any]]]) -> Summary:
    """Return the mean of each loss and metric, with its 95 % interval, the loss first; tables are left out.

    Args:
        results: the metrics of each run, by split. A value that was not finite is not there, and doesn't count.
    """
    splits = {split: None for split in SPLITS if any(split in metrics for metrics in results)}
    splits |= {split: None for metrics in results for split in metrics}
    found: Summary = {}
    for split in splits:
        names = ["loss", *{name: None for metrics in results for name in metrics.get(split, {}) if name != "loss"}]
        columns = {name: _numbers([metrics.get(split, {}).get(name) for metrics in results]) for name in names}
        found[split] = {name: interval(values) for name, values in columns.items() if values}
    return found


def _numbers(values: Sequence[Any]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float)]


class NumberedRuns:
    """A folder with several run folders; it has one writer at a time, as a run folder has.

    Args:
        run: the folder, as the holder of the writer's lock.
        members: the run folders by number: the seed, or the number of a network of an ensemble.

    Raises:
        RunFolderError: by what needs the results: a metrics.json can't be read.
        StorageError: by what writes: the file can't be written.
    """

    written_last: ClassVar[str] = SPEC
    """The file that is written once every run has a folder."""

    def __init__(self, run: RunFolder, members: Mapping[int, Path]) -> None:
        self.run, self.directory = run, run.directory
        self.members = dict(members)

    @property
    def is_prepared(self) -> bool:
        """Whether every run has a folder."""
        return has_file(self.directory, self.written_last)

    def discard(self) -> None:
        """Remove the folder, if no run has started."""
        for directory in self.members.values():
            RunFolder(directory).discard_if_unused()
        self._discard_own()
        self.run.discard_if_unused()

    def _discard_own(self) -> None:
        """Remove what the folder has in addition to run folders and to the files of a run folder."""

    def __enter__(self) -> Self:
        """Leave the folder unchanged; the end of the block stops being its writer."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop being the folder's writer."""
        self.run.close()

    def member(self, number: int) -> Path:
        """Return the run folder of a number."""
        return self.members[number]

    @property
    def unfinished(self) -> list[int]:
        """The numbers of the runs that are not finished."""
        return [number for number, directory in self.members.items() if not RunFolder(directory).finished]

    def results(self) -> dict[int, dict[str, Any]]:
        """Return the metrics of each finished run by number."""
        return {
            number: RunFolder(directory).read_metrics()
            for number, directory in self.members.items()
            if RunFolder(directory).finished
        }

    def summary(self) -> Summary:
        """Return the mean of each loss and metric over the finished runs, with its interval, by split."""
        return summary_of(list(self.results().values()))


def plain_summary(summary: Summary) -> dict[str, dict[str, dict[str, Any]]]:
    """Return a summary as plain data, as metrics.json has it."""
    return {split: {name: asdict(found) for name, found in metrics.items()} for split, metrics in summary.items()}
