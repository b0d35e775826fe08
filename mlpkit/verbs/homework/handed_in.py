"""Which submissions are in a folder, and whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from mlpkit.errors import UsageError
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import read_limited, reading_error
from mlpkit.system import real_path
from mlpkit.verbs.homework.exercise import Exercise, exercise_of

LARGEST_FILE: Final = 2**18
"""Bytes of a submission."""


class HandedIn(NamedTuple):
    """A student's file with an exercise."""

    student: str
    path: Path
    exercise: Exercise
    text: str


def handed_in(folder: Path, registry: Registry) -> tuple[list[HandedIn], list[str]]:
    """Return what is in a folder of one student, or with a file or folder for each, and students without a submission.

    Raises:
        UsageError: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; expected one with a file or folder for each student")
    found, empty = _files(folder, registry), []
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink() and not each.name.startswith((".", "_")):
            files = [file._replace(student=each.name) for file in _files(each, registry)]
            found += files
            empty += [] if files else [each.name]
    if not found and not empty:
        raise UsageError(
            f"{folder}: holds no submission; expected files whose first line is '# mlpkit exercise: KIND NAME', as "
            "mlpkit new-homework writes it"
        )
    return found, empty


def _files(folder: Path, registry: Registry) -> list[HandedIn]:
    """Return the submissions directly in a folder; links aren't followed, since they may lead to others' files."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".py", ".yaml") or path.is_symlink() or path.name.startswith("test_"):
            continue
        try:
            text = read_limited(path, LARGEST_FILE).decode("utf-8", "replace")
        except OSError as error:
            raise reading_error(path, error, UsageError) from error
        exercise = exercise_of(path, text, registry)
        if exercise is not None and (exercise.kind == "spec") == (path.suffix == ".yaml"):
            of_folder = path.stem in (exercise.stem, "answer")
            found.append(HandedIn(real_path(folder).name if of_folder else path.stem, path, exercise, text))
    return found
