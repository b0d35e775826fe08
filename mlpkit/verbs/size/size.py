"""The bytes of a run folder, by what they are for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import kind_of
from mlpkit.runs.layout import CHECKPOINTS, MODEL

if TYPE_CHECKING:
    from pathlib import Path


class RunSize(NamedTuple):
    """The bytes of a run folder, or of one that holds several runs, as those of a sweep.

    Args:
        model: those of trained models.
        checkpoints: those of checkpoints.
        records: all others: specs, history, metrics, report.
    """

    model: int
    checkpoints: int
    records: int


def size_of(directory: Path) -> RunSize:
    """Return the bytes of a folder.

    Raises:
        RunFolderError: it holds no run.
    """
    if kind_of(directory) is None:
        RunFolder.open(directory)  # which says what is wrong
    sizes = dict.fromkeys(RunSize._fields, 0)
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):  # a checkpoint of a running training, replaced by a later one
            sizes[_part(path)] += path.stat().st_size if path.is_file() else 0
    return RunSize(**sizes)


def _part(path: Path) -> str:
    if path.parent.name == CHECKPOINTS:
        return "checkpoints"
    return "model" if path.name == MODEL else "records"
