"""Marks a submission: the points of each check, and the reason for each that are missing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mlpkit.components.randomness import keyed_generator
from mlpkit.errors import UsageError
from mlpkit.registry.registry import Registry
from mlpkit.runs.files import read_limited
from mlpkit.verbs.homework.exercise import Exercise, exercise_of
from mlpkit.verbs.homework.isolation import EndedError, RefusedError, Submission, SubmissionError
from mlpkit.verbs.homework.kinds import task_of
from mlpkit.verbs.homework.kinds.spec import SpecTask
from mlpkit.verbs.homework.kinds.task import Check

LARGEST_FILE: Final = 2**18
"""Bytes of a submission."""

MOST_ENDED: Final = 2
"""After that many processes have ended, the other checks are not run."""

SUFFIXES: Final = (".py", ".yaml")


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: points, and the reason if some are missing."""

    title: str
    points: int
    out_of: int
    reason: str = ""


@dataclass(frozen=True)
class Mark:
    """The mark of a submission.

    Args:
        student: the student's folder or file.
        exercise: its kind and name.
        file: the file.
        results: the result of each check.
    """

    student: str
    exercise: str
    file: str
    results: tuple[CheckResult, ...] = field(default_factory=tuple)

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
        seconds: the longest that a submission's process may take for a check.
        seed: the seed of random inputs; None for one that no submission can know.
        missing: what the system can't limit in the processes of submissions.
    """

    registry: Registry
    seconds: float
    seed: int | None = None
    missing: set[str] = field(default_factory=set)

    def mark(self, student: str, path: Path, exercise: Exercise, text: str) -> Mark:
        """Mark a submission."""
        task = task_of(exercise, self.registry)
        checks = list(task.checks())
        rng = keyed_generator(secrets.randbits(64) if self.seed is None else self.seed, exercise.kind, exercise.name)
        results = (
            self._answered(task, checks, text, rng) if isinstance(task, SpecTask) else self._run(checks, text, rng)
        )
        return Mark(student, f"{exercise.kind} {exercise.name}", str(path), tuple(results))

    def _answered(
        self, task: SpecTask, checks: Sequence[Check], text: str, rng: np.random.Generator
    ) -> list[CheckResult]:
        """Check an answer, which is data."""
        try:
            answer = task.parsed(text)
        except SubmissionError as error:
            return _none(checks, str(error))
        return [_result(check, _reason(check, answer, rng)) for check in checks]

    def _run(self, checks: Sequence[Check], text: str, rng: np.random.Generator) -> list[CheckResult]:
        """Run the checks in one process, and in another after one that has ended."""
        results: list[CheckResult] = []
        ended = 0
        while len(results) < len(checks):
            rest = checks[len(results) :]
            try:
                with Submission(text, self.seconds) as submission:
                    self.missing |= set(submission.missing)
                    for check in rest:
                        results.append(_result(check, _reason(check, submission, rng)))
            except RefusedError as error:
                return _none(checks, str(error))
            except EndedError as error:
                ended += 1
                if len(rest) == len(checks) - len(results):  # it ended before the first of them
                    return [*results, *_none(rest, str(error))]
                results.append(_result(checks[len(results)], str(error)))
                if ended == MOST_ENDED:
                    rest = checks[len(results) :]
                    return [*results, *_none(rest, f"not run: the process has ended {ended} times")]
            except SubmissionError as error:
                return _none(checks, str(error))
        return results


def _reason(check: Check, submission: Any, rng: np.random.Generator) -> str:
    """Return why a check fails; an empty text if it doesn't."""
    try:
        check.run(submission, rng)
    except (EndedError, RefusedError):
        raise
    except SubmissionError as error:
        return str(error)
    return ""


def _result(check: Check, reason: str) -> CheckResult:
    return CheckResult(check.title, 0 if reason else check.points, check.points, reason)


def _none(checks: Sequence[Check], reason: str) -> list[CheckResult]:
    """Return no points for any check."""
    return [_result(check, reason) for check in checks]


@dataclass(frozen=True)
class HandedIn:
    """A file with an exercise, and whose it is."""

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
    found: list[HandedIn] = []
    empty: list[str] = []
    own = _files(folder, registry)
    for path, exercise, text in own:
        of_folder = path.stem in (exercise.stem, "answer")
        found.append(HandedIn(folder.resolve().name if of_folder else path.stem, path, exercise, text))
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink() and not each.name.startswith((".", "__")):
            files = _files(each, registry)
            found += [HandedIn(each.name, *file) for file in files]
            if not files:
                empty.append(each.name)
    if not found and not empty:
        raise UsageError(
            f"{folder}: holds no submission; expected files whose first line is '# mlpkit exercise: layer Relu', as "
            "mlpkit new-homework writes it"
        )
    return found, empty


def _files(folder: Path, registry: Registry) -> list[tuple[Path, Exercise, str]]:
    """Return the submissions directly in a folder."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink() and not path.name.startswith("test_"):
            text = _text(path)
            exercise = exercise_of(path, text, registry)
            if exercise is not None and task_suffix(exercise) == path.suffix:
                found.append((path, exercise, text))
    return found


def task_suffix(exercise: Exercise) -> str:
    """Return the suffix of what is handed in."""
    return ".yaml" if exercise.kind == "spec" else ".py"


def _text(path: Path) -> str:
    try:
        return read_limited(path, LARGEST_FILE).decode("utf-8", "replace")
    except OSError:
        return ""
