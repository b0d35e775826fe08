"""What all kinds of exercise share: files that are handed out, and checks with points."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import Exercise
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError

ROWS: Final = 7
REPEATS: Final = 10
AS_FAST: Final = 10
"""How many times the time of a few passes of NumPy a submission may take; a loop takes a hundred times as long."""

TRIALS: Final = 3


@dataclass(frozen=True)
class Check:
    """A check of a submission.

    Args:
        points: what it is worth.
        title: what is checked, in words.
        run: checks a submission with random numbers; raises ``SubmissionError``.
    """

    points: int
    title: str
    run: Callable[[Any, np.random.Generator], None]


class Task(ABC):
    """An exercise as its kind hands it out and checks it."""

    checks_of_kind: ClassVar[Mapping[str, tuple[int, str]]]
    """Points and title of each check, by the name of its method after ``check_``."""

    def __init__(self, exercise: Exercise, registry: Registry) -> None:
        self.exercise = exercise
        self.registry = registry
        try:
            self.prepare()
        except (MlpkitError, ValueError, TypeError, LookupError) as error:
            raise UsageError(
                f"mlpkit can't make an exercise of the {exercise.kind} {exercise.name}: {error}; "
                "mlpkit new-homework lists the exercises that come with it"
            ) from error

    @property
    def language(self) -> str:
        """The suffix of what is handed in."""
        return ".py"

    @property
    def called(self) -> str:
        """The name of the class or function to write."""
        return self.registry.find((self.exercise.kind,), self.exercise.name).component.__name__

    def prepare(self) -> None:  # noqa: B027 - a spec has nothing to prepare
        """Raise an error if the component can't be an exercise."""

    def checks(self) -> Iterator[Check]:
        """Yield the checks that apply."""
        points = self.exercise.points or {name: worth for name, (worth, _) in self.checks_of_kind.items()}
        for name, worth in points.items():
            if self.exercise.points or self.applies(name):
                yield Check(worth, self.checks_of_kind[name][1], self._with_hint(name))

    def applies(self, check: str) -> bool:
        """Whether a check of the kind applies to the component; an exercise of mlpkit's own lists its checks."""
        return True

    def _with_hint(self, name: str) -> Callable[[Any, np.random.Generator], None]:
        def run(submission: Any, rng: np.random.Generator) -> None:
            try:
                getattr(self, f"check_{name}")(submission, rng)
            except SubmissionError as error:
                if (hint := self.exercise.hints.get(name)) and type(error) is SubmissionError:
                    raise SubmissionError(f"{error}; {hint}") from None
                raise

        return run

    @abstractmethod
    def skeleton(self) -> str:
        """Return the file to complete."""

    @abstractmethod
    def visible_checks(self) -> str:
        """Return the checks that come with the skeleton, as a test file; empty if there are none."""

    def more_files(self) -> dict[str, str]:
        """Return further files, by name."""
        return {}

    def reference(self) -> Any:
        """Return a new built-in component."""
        return self.registry.create(self.exercise.kind, {self.exercise.name: dict(self.exercise.built_with)})

    def make(self, **arrays: int) -> Step:
        """Return the step that builds the submission's class from arrays, by position, and its numbers."""
        given: dict[str, Any] = {name: {"array": place} for name, place in arrays.items()}
        return ["make", self.called, given | dict(self.exercise.passed or {})]

    def signature(self, *parameters: str) -> str:
        """Return the parameters of the constructor, as written."""
        return ", ".join(["self", *parameters, *(f"{k}={v!r}" for k, v in (self.exercise.passed or {}).items())])

    def constructor(self, *parameters: str) -> list[str]:
        """Return the lines of the constructor, which keeps its arguments; none without arguments."""
        names = [*parameters, *(self.exercise.passed or {})]
        if not names:
            return []
        return [f"    def __init__({self.signature(*parameters)}):", *(f"        self.{n} = {n}" for n in names), ""]

    def header(self) -> list[str]:
        """Return the first lines of the file to complete."""
        return [self.exercise.mark, f'"""{self.exercise.title}"""', "", "import numpy as np", "", ""]


def require_fast(submission: Submission, step: Callable[[int], list[Step]], arrays: list[Array], what: str) -> None:
    """Check that vectors compute something, by the time of the whole request on this side of the pipe.

    Raises:
        SubmissionError: it takes many times as long as a few passes of NumPy over as many numbers.
    """
    x = np.random.default_rng(0).normal(size=ECHOED)
    unit = min(_seconds(lambda: [np.exp(-x) + x * x for _ in range(REPEATS)]) for _ in range(TRIALS))
    taken = np.inf
    for _ in range(TRIALS):
        taken = min(taken, _seconds(lambda: submission.ask(*step(REPEATS), arrays=arrays)))
        if taken <= AS_FAST * unit + 3 * submission.transport:
            return
    raise SubmissionError(
        f"{what} takes {1000 * taken / REPEATS:.0f} ms for {ECHOED:,} numbers; without a Python loop, NumPy's vectors "
        f"take about {1000 * unit / REPEATS:.1f} ms: {taken / unit:.0f} times as fast"
    )


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def literal(array: Array) -> str:
    """Return an array as Python writes it, with six digits."""
    return f"np.array({np.vectorize(lambda each: float(f'{each:.6g}'))(array).tolist()})"
