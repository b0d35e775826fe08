"""Marks submissions: the points of each check, and the reason for each that are missing; also as a table."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mlpkit.components.randomness import keyed_generator
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import write_atomically
from mlpkit.verbs.homework.exercise import Exercise
from mlpkit.verbs.homework.handed_in import Unmarked
from mlpkit.verbs.homework.isolation import EndedError, RefusedError, Submission, SubmissionError
from mlpkit.verbs.homework.kinds import TASKS
from mlpkit.verbs.homework.kinds.spec import SpecTask
from mlpkit.verbs.homework.kinds.task import Task

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
