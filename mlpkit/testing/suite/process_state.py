"""The random states that all of a process shares: ``numpy.random`` and ``random``."""

from __future__ import annotations

import os
import random
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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


def process_state() -> dict[str, Any]:
    """Return the settings by what they are."""
    return {
        "NumPy's error settings": np.geterr(),
        "NumPy's print options": np.get_printoptions(),
        "the environment": dict(os.environ),
        "the working folder": os.getcwd(),  # noqa: PTH109 - compared, not used
        "the import path": list(sys.path),
        "the running threads": sorted(thread.ident or 0 for thread in threading.enumerate()),
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return which settings differ."""
    return [what for what in before if before[what] != after[what]]


def restore(state: dict[str, Any]) -> None:
    """Set back what can be set back."""
    np.seterr(**state["NumPy's error settings"])
    np.set_printoptions(**state["NumPy's print options"])
    os.chdir(state["the working folder"])
    os.environ.clear()
    os.environ.update(state["the environment"])
    sys.path[:] = state["the import path"]
