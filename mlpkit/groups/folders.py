"""Folders with several run folders by number, of seeds or of an ensemble, and a summary of their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

from mlpkit.errors import RunFolderError
from mlpkit.runs.files import folders_in
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import damaged, fits, read_object
from mlpkit.runs.kinds import ENSEMBLE_RUN, kind_of
from mlpkit.runs.layout import MEMBERS, SEEDS, SPEC, SPLITS, has_file
from mlpkit.statistics import Interval, interval

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
        columns = {name: [metrics.get(split, {}).get(name) for metrics in results] for name in names}
        numbers = {name: [float(x) for x in values if isinstance(x, int | float)] for name, values in columns.items()}
        found[split] = {name: interval(values) for name, values in numbers.items() if values}
    return found


class NumberedRuns:
    """A folder with several run folders by number; it has one writer at a time, as a run folder has."""

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
        (self.directory / SEEDS).unlink(missing_ok=True)
        if (self.directory / MEMBERS).is_dir():
            (self.directory / MEMBERS).rmdir()
        self.run.discard_if_unused()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.run.close()

    @property
    def unfinished(self) -> list[int]:
        """The numbers of the runs that are not finished."""
        return [number for number, directory in self.members.items() if not RunFolder(directory).finished]

    def results(self) -> dict[int, dict[str, Any]]:
        """Return the metrics of each finished run by number."""
        runs = {number: RunFolder(directory) for number, directory in self.members.items()}
        return {number: run.read_metrics() for number, run in runs.items() if run.finished}

    def summary(self) -> Summary:
        """Return the mean of each loss and metric over the finished runs, with its interval, by split."""
        return summary_of(list(self.results().values()))


def plain_summary(summary: Summary) -> dict[str, dict[str, dict[str, Any]]]:
    """Return a summary as plain data, as metrics.json has it."""
    return {split: {name: asdict(found) for name, found in metrics.items()} for split, metrics in summary.items()}


class SeedsFolder(NumberedRuns):
    """A folder with a run folder for each of several seeds: ``seed-0``, ``seed-1`` and so on.

    ``seeds.json`` lists the seeds; ``metrics.json`` has the summary, once every run is over. All else is read from the
    run folders.
    """

    written_last = SEEDS

    def __init__(self, run: RunFolder, seeds: Sequence[int]) -> None:
        super().__init__(run, {seed: run.directory / f"seed-{seed}" for seed in seeds})
        self.seeds = tuple(seeds)

    @classmethod
    def open(cls, directory: Path) -> SeedsFolder:
        """Open the folder of several runs, to read it or to resume it, or raise ``RunFolderError``."""
        path = directory / SEEDS
        try:
            seeds = read_object(path).get("seeds")
        except RunFolderError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            raise RunFolderError(f"{directory}: holds no {SEEDS}, so it has no runs of several seeds") from error
        if not seeds or not fits(seeds, [lambda seed: type(seed) is int and seed >= 0]):
            raise damaged(path, "expected a list of seeds")
        return cls(RunFolder(directory), seeds)

    def write_seeds(self) -> None:
        """Write seeds.json, which makes this the folder of several runs."""
        self.run.write_json(SEEDS, {"seeds": self.seeds})

    def write_summary(self) -> None:
        """Write metrics.json: the summary."""
        self.run.write_metrics(plain_summary(self.summary()))


class EnsembleFolder(NumberedRuns):
    """The run folder of an ensemble, with the networks' run folders in it: ``members/0``, ``members/1`` and so on.

    Its own model, metrics and lock belong to the average; ``spread.json`` sums up the networks' metrics.
    """

    def __init__(self, run: RunFolder, size: int) -> None:
        super().__init__(run, {number: run.directory / MEMBERS / str(number) for number in range(size)})

    @classmethod
    def open(cls, directory: Path) -> EnsembleFolder:
        """Open the folder of an ensemble, to read it or to resume it, or raise ``RunFolderError``."""
        run = RunFolder.open(directory)
        if kind_of(directory) is not ENSEMBLE_RUN:
            raise RunFolderError(f"{directory}: holds the run of one network, not an ensemble")
        members = folders_in(directory / MEMBERS) if (directory / MEMBERS).is_dir() else []
        return cls(run, sum(folder.name.isdecimal() for folder in members))
