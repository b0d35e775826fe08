"""The random states that all of a process shares: ``numpy.random`` and ``random``."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


def global_random_states() -> tuple[str, object]:
    """Return the states, to be compared."""
    return repr(np.random.get_state()), random.getstate()


@contextmanager
def global_randomness_kept() -> Iterator[None]:
    """Set the states back afterwards."""
    states = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])
