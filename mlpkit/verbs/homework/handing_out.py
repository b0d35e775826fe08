"""Writes the folder that is handed out for an exercise."""

from __future__ import annotations

from pathlib import Path

from mlpkit.errors import UsageError
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import make_folder, write_atomically
from mlpkit.verbs.homework.exercise import find
from mlpkit.verbs.homework.kinds import task_of


def new_homework(kind: str, name: str, folder: Path | None, registry: Registry) -> Path:
    """Write an exercise into a folder that is missing or empty, by default named after the exercise, and return it.

    Raises:
        UsageError: there is no such exercise, or the folder isn't empty.
        StorageError: the folder can't be written.
    """
    exercise = find(kind, name, registry)
    files = task_of(exercise, registry).files()
    target = folder or Path(exercise.stem)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists and isn't empty; choose another folder with --out")
    make_folder(target)
    for file, text in files.items():
        write_atomically(target / file, text.encode())
    return target
