"""What all kinds of exercise share: files that are handed out, and checks with points."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, ClassVar, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import Exercise
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
REPEATS: Final = 10
TRIALS: Final = 5
AS_FAST: Final = 10
"""How many times the time of a few passes of NumPy a submission may take; a loop takes a hundred times as long."""


@dataclass(frozen=True)
class Check:
    """A check: its points, its title, and a function that raises ``SubmissionError``."""

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
        self.passed: dict[str, Any] = dict(exercise.passed)
        self.failed: set[str] = set()
        try:
            self.prepare()
        except (MlpkitError, ValueError, TypeError, LookupError) as error:
            raise UsageError(
                f"mlpkit can't make an exercise of the {exercise.kind} {exercise.name}: {error}; "
                "mlpkit new-homework lists the exercises that come with it"
            ) from error

    @property
    def called(self) -> str:
        """The name of the class or function to write."""
        return self.registry.find((self.exercise.kind,), self.exercise.name).component.__name__

    def prepare(self) -> None:  # noqa: B027 - a spec has nothing to prepare
        """Raise an error if the component can't be an exercise."""

    @abstractmethod
    def words(self) -> dict[str, str]:
        """Return what the templates of the kind need."""

    def files(self) -> dict[str, str]:
        """Return the text of each file that is handed out, by its name."""
        exercise, points = self.exercise, "\n".join(f"| {each.title} | {each.points} |" for each in self.checks())
        formula = f"\n```text\n{exercise.formula.strip()}\n```\n" if exercise.formula else ""
        words = {name: str(value) for name, value in vars(exercise).items()} | {
            "mark": exercise.mark,
            "stem": exercise.stem,
            "called": "" if exercise.kind == "spec" else self.called,
            "text": exercise.text.strip(),
            "formula": formula,
            "points": points,
        }
        words |= self.words()
        found = {}
        for path in sorted((TEMPLATES / exercise.kind).iterdir()):
            name = path.name.removesuffix(".template").replace("NAME", exercise.stem)
            text = path.read_text("utf-8").partition("### not if it drops\n")
            found[name] = Template(text[0] if words.get("tests") == "shapes" else text[0] + text[2]).substitute(words)
        return found

    def checks(self) -> Iterator[Check]:
        """Yield the checks that apply; an exercise of mlpkit's own lists them."""
        of_kind = {name: worth for name, (worth, _) in self.checks_of_kind.items() if self.applies(name)}
        for name, worth in (self.exercise.points or of_kind).items():
            yield Check(worth, self.checks_of_kind[name][1], self._with_hint(name))

    def applies(self, check: str) -> bool:
        """Whether a check of the kind applies to the component."""
        return True

    def _with_hint(self, name: str) -> Callable[[Any, np.random.Generator], None]:
        def run(submission: Any, rng: np.random.Generator) -> None:
            try:
                getattr(self, f"check_{name}")(submission, rng)
            except SubmissionError as error:
                self.failed.add(name)
                hint = self.exercise.hints.get(name)
                if hint is None or type(error) is not SubmissionError:
                    raise
                raise SubmissionError(f"{error}; {hint}") from None

        return run

    def reference(self) -> Any:
        """Return a new built-in component."""
        return self.registry.create(self.exercise.kind, {self.exercise.name: dict(self.exercise.built_with)})

    def constructor(self, *parameters: str) -> str:
        """Return a constructor that keeps its arguments; an empty text without arguments."""
        names = [*parameters, *self.passed]
        signature = ", ".join(["self", *parameters, *(f"{name}={value!r}" for name, value in self.passed.items())])
        kept = "".join(f"        self.{name} = {name}\n" for name in names)
        return f"    def __init__({signature}):\n{kept}\n" if names else ""


def arguments(arrays: list[Array], added: Iterable[Array]) -> list[dict[str, int]]:
    """Add copies to the arrays of a request, and return them as arguments of a step."""
    first = len(arrays)
    arrays += [each.copy() for each in added]
    return [{"array": place} for place in range(first, len(arrays))]


def require_fast(
    submission: Submission, timed: list[Any], before: list[Step], after: list[Step], arrays: list[Array]
) -> dict[str, Array]:
    """Check that vectors compute something, by the time of the whole request on this side of the pipe.

    Args:
        submission: the submission.
        timed: name and arguments of a function that is called several times.
        before: steps before that.
        after: steps after it, whose results are returned.
        arrays: the arrays of all steps.

    Raises:
        SubmissionError: it takes many times as long as a few passes of NumPy over as many numbers.
    """
    x = np.random.default_rng(0).normal(size=ECHOED)
    unit = min(_seconds(lambda: [np.exp(-x) + x * x for _ in range(REPEATS)]) for _ in range(TRIALS))
    taken = np.inf
    for _ in range(TRIALS):
        began = time.perf_counter()
        found = submission.ask(*before, ["do", *timed, REPEATS], *after, arrays=arrays)
        taken = min(taken, time.perf_counter() - began)
        if taken <= AS_FAST * unit + 6 * submission.transport:
            return found
    raise SubmissionError(
        f"{timed[0]} takes {1000 * taken / REPEATS:.0f} ms for {ECHOED:,} numbers; without a Python loop, NumPy's "
        f"vectors take about {1000 * unit / REPEATS:.1f} ms: {taken / unit:.0f} times as fast"
    )


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def literal(array: Array) -> str:
    """Return an array as Python writes it, with six digits."""
    rounded = array if array.dtype.kind == "i" else np.vectorize(lambda each: float(f"{each:.6g}"))(array)
    return f"np.array({rounded.tolist()})"
