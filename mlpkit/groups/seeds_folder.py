"""The folder of several runs that differ only in their seeds: a run folder for each, and a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.errors import RunFolderError
from mlpkit.groups.numbered_runs import NumberedRuns, plain_summary
from mlpkit.runs.files import LARGEST_DOCUMENT, read_limited, reading_error
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.json_files import damaged, decode_object
from mlpkit.runs.layout import SEEDS
from mlpkit.runs.records import fits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class SeedsFolder(NumberedRuns):
    """A folder with a run folder for each of several seeds: ``seed-0``, ``seed-1`` and so on.

    ``seeds.json`` lists the seeds; ``metrics.json`` has the summary, once every run is over. All else is read from the
    run folders.

    Args:
        run: the folder, as the holder of the writer's lock.
        seeds: the seeds, in order.
    """

    written_last = SEEDS

    def __init__(self, run: RunFolder, seeds: Sequence[int]) -> None:
        super().__init__(run, {seed: run.directory / f"seed-{seed}" for seed in seeds})
        self.seeds = tuple(seeds)

    @classmethod
    def open(cls, directory: Path) -> SeedsFolder:
        """Open the folder of several runs, to read it or to resume it.

        Raises:
            RunFolderError: it is not one, or seeds.json can't be read.
        """
        path = directory / SEEDS
        try:
            seeds = decode_object(path, read_limited(path, LARGEST_DOCUMENT)).get("seeds")
        except FileNotFoundError as error:
            raise RunFolderError(f"{directory}: holds no {SEEDS}, so it has no runs of several seeds") from error
        except OSError as error:
            raise reading_error(path, error, RunFolderError) from error
        if not seeds or not fits(seeds, [lambda seed: type(seed) is int and seed >= 0]):
            raise damaged(path, "expected a list of seeds")
        return cls(RunFolder(directory), seeds)

    def _discard_own(self) -> None:
        (self.directory / SEEDS).unlink(missing_ok=True)

    def write_seeds(self) -> None:
        """Write seeds.json, which makes this the folder of several runs."""
        self.run.write_json(SEEDS, {"seeds": self.seeds})

    def write_summary(self) -> None:
        """Write metrics.json: the summary."""
        self.run.write_metrics(plain_summary(self.summary()))
