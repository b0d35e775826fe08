"""Marks what is handed in: whose it is, the points of each check, and the reason for missing ones; also as a table."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import UsageError
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import read_limited, write_atomically
from mlpkit.system import real_path
from mlpkit.verbs.homework.exercise import Exercise, exercise_of
from mlpkit.verbs.homework.isolation import EndedError, RefusedError, Submission, SubmissionError
from mlpkit.verbs.homework.kinds import TASKS
from mlpkit.verbs.homework.kinds.spec import SpecTask
from mlpkit.verbs.homework.kinds.task import Task

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


COLUMNS: Final = ("student", "exercise", "points", "out_of", "reasons")
MOST_ENDED: Final = 2
"""After that many processes have ended, the other checks are not run."""


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: points, and the reason if they are missing."""

    title: str
    points: int
    out_of: int
    reason: str = ""


@dataclass(frozen=True)
class Mark:
    """The mark of a student's file: the results of all checks of an exercise."""

    student: str
    exercise: str
    file: str
    results: Sequence[CheckResult]

    @property
    def points(self) -> int:
        """The sum of the points."""
        return sum(each.points for each in self.results)

    @property
    def out_of(self) -> int:
        """The points of a right answer."""
        return sum(each.out_of for each in self.results)

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        results = [vars(each) for each in self.results]
        return {**vars(self), "points": self.points, "out_of": self.out_of, "results": results}


@dataclass
class Marking:
    """What all submissions are marked with.

    Args:
        registry: the components that exercises are about.
        seconds: the longest that a check may take.
        seed: the seed of random inputs; None for one that no submission can know.
        missing: what the system can't limit in the processes of submissions.
    """

    registry: Registry
    seconds: float
    seed: int | None = None
    missing: set[str] = field(default_factory=set)

    def mark(self, student: str, path: Path, exercise: Exercise, text: str) -> Mark:
        """Mark a submission."""
        task = TASKS[exercise.kind](exercise, self.registry)
        rng = keyed_generator(secrets.randbits(64) if self.seed is None else self.seed, exercise.kind, exercise.name)
        results: list[CheckResult] = []
        try:
            if isinstance(task, SpecTask):
                _run(task, task.parsed(text), rng, results)
            else:
                self._run_processes(task, text, rng, results)
        except RefusedError as error:
            results = _without_points(task, str(error))
        except SubmissionError as error:  # it can't be loaded
            results += _without_points(task, str(error))[len(results) :]
        return Mark(student, f"{exercise.kind} {exercise.name}", str(path), results)

    def _run_processes(self, task: Task, text: str, rng: np.random.Generator, results: list[CheckResult]) -> None:
        """Run the checks in one process, and in another after a check that ended it."""
        for _ in range(MOST_ENDED):
            with Submission(text, self.seconds) as submission:
                self.missing |= set(submission.missing)
                if _run(task, submission, rng, results):
                    return
        raise SubmissionError(f"not run: the process has ended {MOST_ENDED} times")


def _run(task: Task, submission: Any, rng: np.random.Generator, results: list[CheckResult]) -> bool:
    """Add the results of the checks that are left; return whether the submission's process is still there."""
    for name, points in [*task.exercise.points.items()][len(results) :]:
        try:
            task.check(name, submission, rng)
        except RefusedError:
            raise
        except SubmissionError as error:
            results.append(CheckResult(task.titles[name], 0, points, str(error)))
            if isinstance(error, EndedError):
                return False
        else:
            results.append(CheckResult(task.titles[name], points, points))
    return True


def _without_points(task: Task, reason: str) -> list[CheckResult]:
    return [CheckResult(task.titles[name], 0, points, reason) for name, points in task.exercise.points.items()]


def write_table(path: Path, marks: Iterable[Mark], unmarked: Iterable[Unmarked]) -> None:
    """Write a row for each submission, and one without points for each that can't be marked.

    Raises:
        StorageError: the file can't be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for mark in marks:
        reasons = "; ".join(f"{each.title}: {each.reason}" for each in mark.results if each.reason)
        writer.writerow([*map(_harmless, (mark.student, mark.exercise)), mark.points, mark.out_of, _harmless(reasons)])
    writer.writerows([_harmless(student), "", 0, "", _harmless(reason)] for student, reason in unmarked)
    write_atomically(path, text.getvalue().encode())


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    plain = "".join(each if each.isprintable() else "?" for each in text)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@")) else plain
