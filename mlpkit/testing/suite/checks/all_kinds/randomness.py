"""Randomness: random numbers come from the generator that is handed over, and from nowhere else."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.global_randomness import global_random_states, global_randomness_kept
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.comparison import Arrays
    from mlpkit.testing.suite.examples.example import Example


@checks_examples(*KINDS)
def the_same_twice_gives_the_same_bits(example: Example) -> None:
    """Do two new objects, used in the same way, give the same bits?

    The same spec and seed must give the same run.
    """
    remedy = "draw from the generator that is handed over, and let nothing depend on time or on the order of a set"
    expect_same_bits(example.exercise(), example.exercise(), "in a second object", remedy)


@checks_examples(*KINDS)
def global_random_numbers_play_no_part(example: Example) -> None:
    """Is what comes out the same whatever the seeds of ``numpy.random`` and ``random`` are?

    Results are keyed by the spec's seed alone.
    """
    found: list[Arrays] = []
    with global_randomness_kept():
        for seed in (1, 2):
            np.random.seed(seed)
            random.seed(seed)
            found.append(example.exercise())
    remedy = "draw from the generator that is handed over, and not from numpy.random or random"
    expect_same_bits(found[1], found[0], "with another global seed", remedy)


@checks_examples(*KINDS)
def global_random_numbers_are_left_alone(example: Example) -> None:
    """Are the states of ``numpy.random`` and ``random`` the same afterwards?

    Whoever uses mlpkit may use them.
    """
    with global_randomness_kept():
        before = global_random_states()
        example.exercise()
        if global_random_states() != before:
            raise Nonconformity(
                "the global random state changed",
                expected="it to be left alone",
                remedy="draw from the generator that is handed over; seed nothing global",
            )
