"""An initializer: a function that draws first values."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.initializer import Fans, Initializer
from mlpkit.verbs.homework.isolation import Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import Task

SHAPES = ((400, 100), (100, 400), (300, 30))
CLOSE = 0.03
"""Largest difference of two spreads of 9,000 numbers or more, relative: six standard errors are 4.5 %, twice 2.2 %."""

LARGEST_GAP = 0.03
"""Largest gap between two cumulative distributions of such arrays."""


class InitializerTask(Task):
    """A function ``he_normal(shape, rng)`` returns an array of that shape, drawn with the generator."""

    checks_of_kind: ClassVar = {
        "shape": (2, "the shape"),
        "spread": (4, "mean and standard deviation"),
        "distribution": (2, "the distribution"),
        "generator": (2, "all random numbers come from rng"),
    }

    @property
    def called(self) -> str:
        """The name of the function."""
        return self.exercise.name.rpartition(".")[2]

    def prepare(self) -> None:
        """Require that the built-in draws each element on its own from one distribution."""
        drawn = self.drawn(SHAPES[0])
        if len(np.unique(drawn)) < drawn.size // 2:
            raise ValueError("it draws no random numbers from a continuous distribution")

    def drawn(self, shape: tuple[int, int]) -> Array:
        """Return an array of the built-in."""
        initializer: Initializer = self.reference()
        return np.array(initializer(shape, Fans(*shape), np.random.default_rng(0), np.dtype("float64")))

    def theirs(self, submission: Submission, shape: tuple[int, int], seed: int) -> Array:
        """Return an array of the submission.

        Raises:
            SubmissionError: its shape is wrong.
        """
        passed = list((self.exercise.passed or {}).values())
        (found,) = submission.ask(["call", self.called, [list(shape), {"generator": seed}, *passed]])
        if found.shape != shape:
            raise SubmissionError(f"the shape is {found.shape}, expected {shape}")
        return found

    def check_shape(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare shapes."""
        for shape in SHAPES:
            self.theirs(submission, shape, 0)

    def check_spread(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare mean and standard deviation for several numbers of inputs and outputs."""
        for shape in SHAPES:
            found, right = self.theirs(submission, shape, int(rng.integers(2**31))), self.drawn(shape)
            ratio = float(found.std() / right.std())
            fans = f"{shape[0]} inputs and {shape[1]} outputs"
            if abs(ratio - 1) > 3 * CLOSE:
                raise SubmissionError(
                    f"with {fans}, the standard deviation is {found.std():.4g}, expected {right.std():.4g}: "
                    f"{ratio:.3g} times as large"
                )
            if abs(found.mean() - right.mean()) > 8 * right.std() / right.size**0.5:
                raise SubmissionError(f"with {fans}, the mean is {found.mean():.4g}, expected {right.mean():.4g}")

    def check_distribution(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare cumulative distributions."""
        found, right = (
            np.sort(each, axis=None) for each in (self.theirs(submission, SHAPES[0], 1), self.drawn(SHAPES[0]))
        )
        places = np.concatenate([found, right])
        below = [np.searchsorted(each, places, side="right") / each.size for each in (found, right)]
        gap = float(np.abs(below[0] - below[1]).max())
        if gap > LARGEST_GAP:
            place = places[np.abs(below[0] - below[1]).argmax()]
            shares = [f"{float((each <= place).mean()):.0%}" for each in (found, right)]
            raise SubmissionError(f"{shares[0]} of the numbers are at most {place:.3g}, expected {shares[1]}")

    def check_generator(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare arrays of equal and of different seeds."""
        first, again, other = (self.theirs(submission, SHAPES[2], seed) for seed in (5, 5, 6))
        if not np.array_equal(first, again):
            raise SubmissionError("the same seed gives other numbers; draw from rng, not from np.random")
        if np.array_equal(first, other):
            raise SubmissionError("another seed gives the same numbers; draw from rng")

    def skeleton(self) -> str:
        """Return the function without its mathematics."""
        passed = "".join(f", {name}={value!r}" for name, value in (self.exercise.passed or {}).items())
        lines = [
            *self.header(),
            f"def {self.called}(shape, rng{passed}):",
            '    """Return an array of shape (inputs, outputs), drawn with the generator rng."""',
            '    raise NotImplementedError("write the function")',
        ]
        return "\n".join(lines) + "\n"

    def visible_checks(self) -> str:
        """Return tests of shape and spread."""
        return _TESTS.format(stem=self.exercise.stem, called=self.called, std=f"{self.drawn(SHAPES[0]).std():.3g}")


_TESTS = '''"""Checks that you see: run them with pytest in this folder. mlpkit grade has more."""

import numpy as np
from {stem} import {called}


def test_shape_and_spread():
    drawn = {called}((400, 100), np.random.default_rng(0))
    assert drawn.shape == (400, 100)
    assert abs(drawn.std() / {std} - 1) < 0.1
'''
