"""The run folders in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.runs.files import folders_in
from mlpkit.runs.layout import is_run, is_seeds_folder, is_sweep_folder

if TYPE_CHECKING:
    from pathlib import Path


def runs_in(directory: Path) -> list[Path]:
    """Return the run folders in a folder, in that of a sweep also those of trials that have several seeds.

    Raises:
        RunFolderError: it can't be listed.
    """
    found = []
    for folder in folders_in(directory):
        if is_run(folder):
            found.append(folder)
        elif is_seeds_folder(folder) and is_sweep_folder(directory):
            found += runs_in(folder)
    return found
