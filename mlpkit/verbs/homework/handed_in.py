"""Which submissions are in a folder, and whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from mlpkit.errors import UsageError
from mlpkit.runs.files import read_limited
from mlpkit.system import real_path
from mlpkit.verbs.homework.exercise import Exercise, exercise_of

LARGEST_FILE: Final = 2**20
"""Bytes of a submission."""

WRITTEN: Final = (".py", ".yaml", ".yml")
PACKED: Final = (".zip", ".ipynb")
"""Endings of what students hand in, too, and what mlpkit doesn't open."""


class HandedIn(NamedTuple):
    """A student's file with an exercise."""

    student: str
    path: Path
    exercise: Exercise
    text: str


class Unmarked(NamedTuple):
    """A student, and what can't be marked, in words that go on after the student's name."""

    student: str
    reason: str


def handed_in(folder: Path) -> tuple[list[HandedIn], list[Unmarked]]:
    """Return what is in a folder of one student, or with a file or folder for each, and what can't be marked.

    Raises:
        UsageError: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; expected one with a file or folder for each student")
    found, unmarked = _files(folder, folder.iterdir())
    if any(each.student == real_path(folder).name for each in found):  # of one student, with files to help
        unmarked = []
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink() and not each.name.startswith((".", "_")):
            files, others = _files(each, each.rglob("*"))
            found += [file._replace(student=each.name) for file in files]
            others = others if files or others else [Unmarked("", "has handed in nothing")]
            unmarked += [other._replace(student=each.name) for other in others]
    if not found and not unmarked:
        raise UsageError(
            f"{folder}: holds no submission; expected files whose first line is '# mlpkit exercise: KIND NAME', as "
            "mlpkit new-homework writes it"
        )
    return found, unmarked


def _files(folder: Path, paths: Iterable[Path]) -> tuple[list[HandedIn], list[Unmarked]]:
    """Return the submissions among paths, and others; links aren't followed, since they may lead to others' files."""
    found, unmarked = list[HandedIn](), list[Unmarked]()
    for path in sorted(paths):
        suffix, inside = path.suffix.lower(), path.relative_to(folder)
        is_hidden = any(part.startswith((".", "__")) for part in inside.parts)
        if suffix not in WRITTEN + PACKED or is_hidden or path.name.startswith("test_"):
            continue
        if path.is_symlink() or path.is_dir():
            continue
        exercise, reason = None, f"is not opened; expected a {WRITTEN[0]} file"
        if suffix in WRITTEN:
            try:
                content = read_limited(path, LARGEST_FILE)
            except OSError as error:
                reason = f"can't be read: {error.strerror or error}"
            else:
                text = content.decode(json.detect_encoding(content), "replace")  # by a mark such as Windows writes
                exercise = exercise_of(path, text)
                reason = "names no exercise in its first line, such as '# mlpkit exercise: layer Relu'"
        if exercise is not None and (exercise.kind == "spec") == (suffix != ".py"):
            of_folder = path.stem in (exercise.stem, "answer")
            found.append(HandedIn(real_path(folder).name if of_folder else path.stem, path, exercise, text))
        elif suffix not in WRITTEN[1:]:  # the spec of an exercise is YAML, too
            unmarked.append(Unmarked(path.stem, f"has handed in {inside}, which {reason}"))
    return found, unmarked
