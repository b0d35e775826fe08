"""Finding out which run an exported file came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Final

from mlpkit.errors import DataError, MlpkitError, UsageError
from mlpkit.graph.provenance import find_provenance
from mlpkit.jobs.inputs import require_exists
from mlpkit.runs.files import reading_error
from mlpkit.verbs.export.export import hashes

LEVELS_UP: Final = 2
"""How many levels the search for a run goes up from the file or the current folder; it goes down two from each."""


@dataclass(frozen=True)
class FileProvenance:
    """The provenance of a file, the run's folder, if it was found, and what ``hashes`` returns for that now."""

    provenance: Mapping[str, Any]
    directory: Path | None
    now: Mapping[str, str | None]

    @property
    def changed(self) -> tuple[str, ...]:
        """Which of ``spec``, ``data`` and ``weights`` are others in the run folder now."""
        return tuple(name for name, value in self.now.items() if value != self.provenance.get(name))


def provenance(file: Path, directory: Path | None = None) -> FileProvenance:
    """Return which run a file came from, and whether its folder still has the same spec, data and weights.

    The folder is by default the nearest of the run's name with its spec: around the file, or below the file's folder,
    the current folder, or one that holds them.
    """
    require_exists(file)
    try:
        found = find_provenance(file.read_bytes())
    except OSError as error:
        raise reading_error(file, error, UsageError) from error
    if found is None:
        raise DataError(file, "has no record of its origin; expected a file that mlpkit export wrote")
    if directory is not None:
        return FileProvenance(found, directory, hashes(directory))
    for folder in _candidates(file, str(found.get("run"))):
        try:
            now = hashes(folder)
        except MlpkitError:
            continue
        if now["spec"] == found.get("spec"):
            return FileProvenance(found, folder, now)
    return FileProvenance(found, None, {})


def _candidates(file: Path, run: str) -> Iterator[Path]:
    """Yield where the folder of a run may be, the nearest first; the file itself names no place, since it is shared."""
    yield file.parent
    near = [file.parent, Path()]
    above = [Path(os.path.normpath(folder / up)) for up in ("..", "../..")[:LEVELS_UP] for folder in near]
    for around in dict.fromkeys([*near, *above]):
        for levels in ("", "*/", "*/*/"):
            yield from sorted(around.glob(levels + escape(run))) if run and Path(run).name == run else ()
