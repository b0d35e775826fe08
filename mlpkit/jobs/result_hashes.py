"""Hashes of what a run came to, for telling whether two came to the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from mlpkit.errors import RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

RESULTS: Final = ("history.jsonl", "metrics.json", "model.safetensors")
"""The files of a run folder that the same spec, seed and versions give the same bytes."""


def result_hashes(directory: Path) -> dict[str, str | None]:
    """Return the SHA-256 of each result of a run, None for one that is not there.

    Raises:
        RunFolderError: a file can't be read.
    """
    return {name: _sha256(directory / name) for name in RESULTS}


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFolderError(f"{path}: can't be read: {error.strerror}; check who may read it") from error
