"""Finding out which run an exported file came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpkit.errors import DataError, MlpkitError, UsageError
from mlpkit.exports.provenance import find_provenance
from mlpkit.jobs.export import hashes
from mlpkit.jobs.inputs import expect_there
from mlpkit.runs.files import reading_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Whence:
    """What an exported file came from.

    Args:
        provenance: what the file says.
        directory: the folder of the run; None if it wasn't found.
        now: SHA-256 of the run's spec, data and weights, as they are now.
    """

    provenance: Mapping[str, Any]
    directory: Path | None
    now: Mapping[str, str | None]

    @property
    def changed(self) -> tuple[str, ...]:
        """Which of ``spec``, ``data`` and ``weights`` are others in the run folder now."""
        return tuple(name for name, value in self.now.items() if value != self.provenance.get(name))


def whence(file: Path, directory: Path | None = None) -> Whence:
    """Return which run a file came from, and whether its folder still has the same spec, data and weights.

    Args:
        file: the exported file.
        directory: the run folder; by default one of the run's name beside the file or in ``runs``, the folder around
            the file, or the current folder.

    Raises:
        UsageError: there is no such file.
        DataError: the file can't be read, or doesn't say what it came from.
        RunFolderError: the folder is not a run folder.
    """
    expect_there(file)
    try:
        found = find_provenance(file.read_bytes())
    except OSError as error:
        raise reading_error(file, error, UsageError) from error
    if found is None:
        raise DataError(file, "doesn't say what it came from; expected a file that mlpkit export wrote")
    if directory is not None:
        return Whence(found, directory, hashes(directory))
    for folder in _candidates(file, str(found.get("run"))):
        try:
            now = hashes(folder)
        except MlpkitError:
            continue
        if now["spec"] == found.get("spec"):
            return Whence(found, folder, now)
    return Whence(found, None, {})


def _candidates(file: Path, run: str) -> Iterator[Path]:
    """Yield where the folder of a run may be."""
    yield file.parent
    if run == Path(run).name:
        for around in (file.parent, Path()):
            yield from (around / run, around / "runs" / run)
