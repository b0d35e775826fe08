"""An initializer: a function such as ``he_normal(shape, rng)`` draws an array of that shape with the generator."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlpkit.array import Array
from mlpkit.components.initializer import Fans, Initializer
from mlpkit.verbs.homework.isolation import Submission, SubmissionError
from mlpkit.verbs.homework.kinds.task import Task

SHAPES = ((400, 100), (100, 400), (300, 30))
LARGEST_ERROR = 0.08
"""Of a standard deviation of 9,000 numbers or more, whose own standard error is 0.8 %."""

LARGEST_GAP = 0.03
"""Between the cumulative distributions of 40,000 numbers."""


class InitializerTask(Task):
    """A function of a shape and a generator."""

    titles: ClassVar = {
        "shape": "the shape",
        "spread": "mean and standard deviation",
        "distribution": "the distribution",
        "generator": "all random numbers come from rng",
    }

    @property
    def called(self) -> str:
        """The name of the function."""
        return self.exercise.name

    def drawn(self, shape: tuple[int, int]) -> Array:
        """Return an array of the built-in."""
        initializer: Initializer = self.reference()
        return np.array(initializer(shape, Fans(*shape), np.random.default_rng(0), np.dtype("float64")))

    def theirs(self, submission: Submission, shape: tuple[int, int], seed: int) -> Array:
        """Return an array of the submission."""
        found = submission.ask(["call", self.called, [list(shape), {"generator": seed}]])[self.called]
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
            fans = f"with {shape[0]} inputs and {shape[1]} outputs"
            if abs(found.std() / right.std() - 1) > LARGEST_ERROR:
                times = f"{found.std() / right.std():.3g} times as large"
                spread = f"the standard deviation is {found.std():.4g}, expected {right.std():.4g}: {times}"
                raise SubmissionError(f"{fans}, {spread}")
            if abs(found.mean() - right.mean()) > 8 * right.std() / right.size**0.5:
                raise SubmissionError(f"{fans}, the mean is {found.mean():.4g}, expected {right.mean():.4g}")

    def check_distribution(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare cumulative distributions."""
        both = [np.sort(each, axis=None) for each in (self.theirs(submission, SHAPES[0], 1), self.drawn(SHAPES[0]))]
        places = np.concatenate(both)
        below = [np.searchsorted(each, places, side="right") / each.size for each in both]
        worst = int(np.abs(below[0] - below[1]).argmax())
        found, right = (float(each[worst]) for each in below)
        if abs(found - right) > LARGEST_GAP:
            raise SubmissionError(f"{found:.0%} of the numbers are at most {places[worst]:.3g}, expected {right:.0%}")

    def check_generator(self, submission: Submission, rng: np.random.Generator) -> None:
        """Compare arrays of equal and of different seeds."""
        first, again, other = (self.theirs(submission, SHAPES[2], seed) for seed in (5, 5, 6))
        if not np.array_equal(first, again):
            raise SubmissionError("the same seed gives other numbers; draw from rng, not from np.random")
        if np.array_equal(first, other):
            raise SubmissionError("another seed gives the same numbers; draw from rng")

    def words(self) -> dict[str, str]:
        """Return what differs in the files to hand out."""
        return {"std": f"{self.drawn(SHAPES[0]).std():.3g}"}
