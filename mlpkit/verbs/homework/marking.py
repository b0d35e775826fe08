"""Marks a submission: the points of each check, and the reason for each that are missing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from mlpkit.components.randomness import keyed_generator
from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import Exercise
from mlpkit.verbs.homework.isolation import EndedError, RefusedError, Submission, SubmissionError
from mlpkit.verbs.homework.kinds import task_of
from mlpkit.verbs.homework.kinds.spec import SpecTask
from mlpkit.verbs.homework.kinds.task import Check

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
        task = task_of(exercise, self.registry)
        checks = list(task.checks())
        rng = keyed_generator(secrets.randbits(64) if self.seed is None else self.seed, exercise.kind, exercise.name)
        results: list[CheckResult] = []
        try:
            if isinstance(task, SpecTask):
                _run(task.parsed(text), checks, rng, results)
            else:
                self._run_processes(text, checks, rng, results)
        except RefusedError as error:
            results = [_result(check, str(error)) for check in checks]
        except SubmissionError as error:  # it can't be loaded
            results += [_result(check, str(error)) for check in checks[len(results) :]]
        return Mark(student, f"{exercise.kind} {exercise.name}", str(path), results)

    def _run_processes(
        self, text: str, checks: Sequence[Check], rng: np.random.Generator, results: list[CheckResult]
    ) -> None:
        """Run the checks in one process, and in another after a check that ended it."""
        for _ in range(MOST_ENDED):
            with Submission(text, self.seconds) as submission:
                self.missing |= set(submission.missing)
                if _run(submission, checks, rng, results):
                    return
        raise SubmissionError(f"not run: the process has ended {MOST_ENDED} times")


def _run(submission: Any, checks: Sequence[Check], rng: np.random.Generator, results: list[CheckResult]) -> bool:
    """Add the results of the checks that are left; return whether the submission's process is still there."""
    for check in checks[len(results) :]:
        reason, ended = "", False
        try:
            check.run(submission, rng)
        except RefusedError:
            raise
        except SubmissionError as error:
            reason, ended = str(error), isinstance(error, EndedError)
        results.append(_result(check, reason))
        if ended:
            return False
    return True


def _result(check: Check, reason: str) -> CheckResult:
    return CheckResult(check.title, 0 if reason else check.points, check.points, reason)
