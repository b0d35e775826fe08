"""The folder of several runs that differ only in their seeds: a run folder for each, and a summary."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from mlpkit.errors import RunFolderError
from mlpkit.runs.files import LARGEST_DOCUMENT, read_limited, reading_error, write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import damaged, decode_object, encode_pretty
from mlpkit.runs.layout import METRICS, SEEDS, SPLITS
from mlpkit.statistics import Interval, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

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


class SeedsFolder:
    """A folder with a run folder for each of several seeds: ``seed-0``, ``seed-1`` and so on.

    ``seeds.json`` says which seeds; ``metrics.json`` has the summary, once every run is over. All else is read from the
    run folders. It has one writer at a time, as a run folder has.

    Args:
        folder: the folder, as the holder of the writer's lock.
        seeds: the seeds, in order.
    """

    def __init__(self, folder: RunFolder, seeds: Sequence[int]) -> None:
        self.directory = folder.directory
        self.seeds = tuple(seeds)
        self._folder = folder

    @classmethod
    def create(cls, directory: Path, seeds: Sequence[int]) -> SeedsFolder:
        """Make the folder, with its parents, and become its writer; ``write_seeds`` makes it what it is.

        Args:
            directory: the folder; it is missing or empty.
            seeds: the seeds.

        Raises:
            RunFolderError: it holds something, is no folder, or is another writer's.
            StorageError: it can't be made.
        """
        return cls(RunFolder.create(directory), seeds)

    @classmethod
    def open(cls, directory: Path) -> SeedsFolder:
        """Open the folder of several runs, to read it or to go on with it.

        Raises:
            RunFolderError: it is no such folder, or seeds.json can't be read.
        """
        data = _read_json(directory / SEEDS)
        seeds = data.get("seeds")
        if not isinstance(seeds, list) or not all(type(seed) is int and seed >= 0 for seed in seeds) or not seeds:
            raise damaged(directory / SEEDS, "expected a list of seeds")
        return cls(RunFolder(directory), seeds)

    def claim(self) -> None:
        """Become the folder's writer.

        Raises:
            RunFolderError: another writer is at work.
            StorageError: the folder can't be written.
        """
        self._folder.claim()

    def discard(self) -> None:
        """Remove the folder of runs none of which has begun."""
        for directory in self.members.values():
            RunFolder(directory).discard_if_unused()
        self._folder.discard_if_unused()

    def __enter__(self) -> SeedsFolder:
        """Leave the folder as it is; the end of the block stops being its writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop being the folder's writer."""
        self._folder.close()

    def member(self, seed: int) -> Path:
        """Return the run folder of a seed."""
        return self.directory / f"seed-{seed}"

    @property
    def members(self) -> dict[int, Path]:
        """The run folder of each seed."""
        return {seed: self.member(seed) for seed in self.seeds}

    @property
    def unfinished(self) -> list[int]:
        """The seeds whose runs are not finished."""
        return [seed for seed, directory in self.members.items() if not RunFolder(directory).finished]

    def results(self) -> dict[int, dict[str, Any]]:
        """Return the metrics of each finished run by seed.

        Raises:
            RunFolderError: a metrics.json can't be read.
        """
        return {
            seed: RunFolder(directory).read_metrics()
            for seed, directory in self.members.items()
            if RunFolder(directory).finished
        }

    def summary(self) -> Summary:
        """Return the mean of each loss and metric over the finished runs, with its interval, by split.

        Raises:
            RunFolderError: a metrics.json can't be read.
        """
        return summary_of(list(self.results().values()))

    def write_seeds(self) -> None:
        """Write seeds.json, which makes this the folder of several runs.

        Raises:
            StorageError: it can't be written.
        """
        self._write(SEEDS, {"seeds": self.seeds})

    def write_summary(self) -> None:
        """Write metrics.json: the summary.

        Raises:
            RunFolderError: a metrics.json of a run can't be read.
            StorageError: it can't be written.
        """
        self._write(METRICS, plain_summary(self.summary()))

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        self.claim()
        write_atomically(self.directory / name, encode_pretty(data).encode())


def plain_summary(summary: Summary) -> dict[str, dict[str, dict[str, Any]]]:
    """Return a summary as plain data, as metrics.json has it."""
    return {split: {name: asdict(found) for name, found in metrics.items()} for split, metrics in summary.items()}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = read_limited(path, LARGEST_DOCUMENT)
    except FileNotFoundError as error:
        raise RunFolderError(f"{path.parent}: holds no {path.name}, so it has no runs of several seeds") from error
    except OSError as error:
        raise reading_error(path, error, RunFolderError) from error
    return decode_object(path, content)
