"""When Python collects garbage: seldom while modules load, and later only among newer objects."""

from __future__ import annotations

import gc
from typing import Final

OBJECTS_WHILE_LOADING: Final = 100_000
OBJECTS_AFTERWARDS: Final = 10_000
"""New objects before the next collection; Python's default is 700."""


def expect_loading() -> None:
    """Prepare for loading, which makes many objects and hardly any garbage."""
    gc.set_threshold(OBJECTS_WHILE_LOADING)


def keep_loaded() -> None:
    """Collect only newer objects from now on, which also shortens the end of the process.

    Only the first call in a process that ``expect_loading`` prepared does this: what a training leaves is collected.
    """
    if gc.get_threshold()[0] == OBJECTS_WHILE_LOADING:
        gc.freeze()
        gc.set_threshold(OBJECTS_AFTERWARDS)
