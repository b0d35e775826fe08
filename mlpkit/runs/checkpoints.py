"""The checkpoints of a run: the last few, and the best.

Each is a separate file, written whole or not at all, with a checksum over all of it. An older one is removed only
when a newer one is safely on the disk.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mlpkit.array import Array
from mlpkit.errors import ModelFileError, RunFolderError
from mlpkit.runs.files import make_folder, remove_file, remove_leftovers
from mlpkit.runs.layout import checkpoint_steps
from mlpkit.runs.model_file import ModelFile, load_model_file, save_model

BEST: Final = "best.safetensors"


class NoCheckpointError(RunFolderError):
    """A run has no checkpoint that is whole."""


class Checkpoints:
    """A folder of checkpoints.

    Raises:
        StorageError: by what writes: the file can't be written; the checkpoints before it stay.
        RunFolderError: by what reads: the folder can't be listed, or is a link, which could lead anywhere.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, step: int, arrays: Mapping[str, Array], metadata: Mapping[str, Any], *, keep: int) -> None:
        """Write a checkpoint after some steps, and then remove all but the last few; ``keep`` counts this one, too."""
        self._write(self._path(step), arrays, metadata)
        steps = self.steps()
        later = [other for other in steps if other > step]  # of a future that was given up
        earlier = [other for other in steps if other <= step]
        for outdated in (*later, *earlier[keep:]):
            remove_file(self._path(outdated))

    def save_best(self, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
        """Write the best checkpoint so far, in the place of the one before."""
        self._write(self.directory / BEST, arrays, metadata)

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, the newest first."""
        return checkpoint_steps(self.directory)

    @property
    def exist(self) -> bool:
        """Whether there is a checkpoint, whole or not."""
        return bool(self.steps() or self._best())

    def load_newest(self, passed_over: Callable[[str], None]) -> ModelFile:
        """Return the newest checkpoint that is whole; the best one is the last resort.

        ``passed_over`` learns what is wrong with each damaged one; if all are, a ``NoCheckpointError`` is raised.
        """
        self._require_no_link()
        paths = [*map(self._path, self.steps()), *self._best()]
        for checkpoint in _whole(paths, passed_over):
            return checkpoint
        folder = self.directory.parent
        what = "every checkpoint is damaged" if paths else "it has no checkpoint yet"
        again = shlex.quote(str(folder / "resolved.yaml"))
        raise NoCheckpointError(f"{folder}: can't be resumed: {what}; start a new run: mlpkit run {again}")

    def load_before(self, step: int, passed_over: Callable[[str], None]) -> Iterator[ModelFile]:
        """Yield the checkpoints that are whole: the best one, of any step, then those before a step, newest first."""
        self._require_no_link()
        return _whole([*self._best(), *(self._path(done) for done in self.steps() if done < step)], passed_over)

    def remove_leftovers(self) -> None:
        """Remove what a run that was killed was about to write."""
        remove_leftovers(self.directory)

    def _require_no_link(self) -> None:
        if self.directory.is_symlink():
            raise RunFolderError(f"{self.directory}: is a link; replace it with the folder that it points to")

    def _best(self) -> list[Path]:
        """Return the file of the best checkpoint, if there is one."""
        return [path for path in (self.directory / BEST,) if path.exists()]

    def _path(self, step: int) -> Path:
        return self.directory / f"step-{step:09}.safetensors"

    def _write(self, path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
        make_folder(self.directory)
        save_model(path, arrays, metadata)


def _whole(paths: Iterable[Path], passed_over: Callable[[str], None]) -> Iterator[ModelFile]:
    """Yield the checkpoints that are whole."""
    for path in paths:
        try:
            checkpoint = load_model_file(path)
        except ModelFileError as error:
            passed_over(str(error))
        else:
            yield checkpoint
