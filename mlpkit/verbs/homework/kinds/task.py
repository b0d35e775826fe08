"""What all kinds of exercise share: files that are handed out, checks with points, and naming the likely mistake."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any, ClassVar, Final

import numpy as np

from mlpkit.array import Array
from mlpkit.registry.registry import Registry
from mlpkit.verbs.homework.exercise import Exercise
from mlpkit.verbs.homework.isolation import ECHOED, Step, Submission, SubmissionError

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
REPEATS: Final = 10
TRIALS: Final = 5
AS_FAST: Final = 20
"""How many times the time of a few passes of NumPy a submission may take.

Right answers were measured at up to 8 times, Python loops at 58 and more.
"""


class Task(ABC):
    """An exercise as its kind hands it out and checks it."""

    titles: ClassVar[Mapping[str, str]]
    """The title of each check, by the name of its method after ``check_``."""

    def __init__(self, exercise: Exercise, registry: Registry) -> None:
        self.exercise = exercise
        self.registry = registry
        self.passed: dict[str, Any] = dict(exercise.passed)
        self.failed: set[str] = set()

    @property
    def called(self) -> str:
        """The name of the class to write."""
        return self.registry.find((self.exercise.kind,), self.exercise.name).component.__name__

    @abstractmethod
    def words(self) -> dict[str, str]:
        """Return what the templates of the kind need."""

    def files(self) -> dict[str, str]:
        """Return the text of each file that is handed out, by its name."""
        exercise = self.exercise
        points = "\n".join(f"| {self.titles[name]} | {worth} |" for name, worth in exercise.points.items())
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
            found[name] = Template(text[0] if "dropped" in exercise.points else text[0] + text[2]).substitute(words)
        return found

    def check(self, name: str, submission: Any, rng: np.random.Generator) -> None:
        """Run a check.

        Raises:
            SubmissionError: the reason why its points are missing, with the exercise's hint.
        """
        try:
            getattr(self, f"check_{name}")(submission, rng)
        except SubmissionError as error:
            self.failed.add(name)
            hint = self.exercise.hints.get(name)
            if hint is None or type(error) is not SubmissionError:
                raise
            raise SubmissionError(f"{error}; {hint}") from None

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
    # A busy machine slows both: they are timed by turns.
    for _ in range(TRIALS):
        unit = min(_seconds(lambda: [np.exp(-x) + x * x for _ in range(REPEATS)]) for _ in range(TRIALS))
        began = time.perf_counter()
        found = submission.ask(*before, ["do", *timed, REPEATS], *after, arrays=arrays)
        taken = time.perf_counter() - began
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


TOLERANCE: Final = 1e-6
"""Largest difference, relative to the largest expected element."""

AT_ZERO: Final = 1e-9
"""Largest difference from elements that are all 0."""


def require_equal(
    name: str, found: Array, expected: Array, known: Mapping[str, Array], counts: Mapping[str, int] | None = None
) -> None:
    """Check an array of a submission.

    Args:
        name: what it is called in messages, such as ``dx``.
        found: the submission's.
        expected: the built-in's.
        known: arrays that a mistake may pass on, by name, such as ``dy``.
        counts: numbers that a mistake may multiply or divide by, by name, such as ``the number of rows``.

    Raises:
        SubmissionError: it differs; with the likely mistake, or the element that differs most.
    """
    if found.shape != expected.shape:
        cause = "; it is transposed" if found.ndim == 2 and _are_equal(found.T, expected) else ""
        raise SubmissionError(f"{name} has shape {found.shape}, expected {expected.shape}{cause}")
    if not _are_equal(found, expected):
        cause = next(_causes(name, found, expected, known, counts or {}), "") if np.isfinite(found).all() else ""
        raise SubmissionError(cause or _worst(name, found, expected, known))


def _wrong(found: Array, expected: Array) -> Array:
    most = TOLERANCE * float(np.abs(expected).max(initial=0.0)) + AT_ZERO
    return np.asarray(~(np.abs(found - expected) <= most))  # NaN is wrong


def _are_equal(found: Array, expected: Array) -> bool:
    return found.shape == expected.shape and not _wrong(found, expected).any()


def _causes(
    name: str, found: Array, expected: Array, known: Mapping[str, Array], counts: Mapping[str, int]
) -> Iterator[str]:
    """Yield what the whole array is in place of what is expected."""
    if found.size == 1:
        return
    if not found.any():
        yield f"{name} is zero everywhere"
    for what, array in known.items():
        if _are_equal(found, array):
            yield f"{name} equals {what}"
    factor = float((found * expected).sum()) / (float((expected * expected).sum()) or 1.0)
    if factor and _are_equal(found, factor * expected):
        if abs(factor + 1) < TOLERANCE:
            yield f"{name} has the wrong sign"
        times = [f", {what}" for what, count in counts.items() if abs(factor / count - 1) < TOLERANCE]
        times += [f": it is divided by {what}" for what, count in counts.items() if abs(factor * count - 1) < TOLERANCE]
        yield f"{name} is {factor:.4g} times what is expected, everywhere{''.join(times[:1])}"
    if _are_equal(found - expected, np.full_like(found, (found - expected).mean())):
        yield f"{name} differs from what is expected by {(found - expected).mean():.4g} everywhere"


def _worst(name: str, found: Array, expected: Array, known: Mapping[str, Array]) -> str:
    """Return the element that differs most, what is expected there, and how many are wrong."""
    errors = np.nan_to_num(np.abs(found - expected), nan=np.inf, posinf=np.inf)
    place = tuple(int(each) for each in np.unravel_index(int(errors.argmax()), errors.shape))
    x = known.get("x")
    where = f", where x is {x[place]:.4g}" if place and x is not None and x.shape == found.shape else ""
    element = f"{name}{list(place) if place else ''} is {found[place] + 0.0:.6g}, expected {expected[place] + 0.0:.6g}"
    wrong = f"; {int(_wrong(found, expected).sum())} of {errors.size} elements are wrong" if place else ""
    return f"{element}, error {errors[place]:.2g}{where}{wrong}"
