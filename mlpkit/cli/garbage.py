"""When Python looks for garbage: seldom while modules are loaded, and later not among what they hold."""

from __future__ import annotations

import gc
from typing import Final

OBJECTS_WHILE_LOADING: Final = 100_000
OBJECTS_AFTERWARDS: Final = 10_000
"""New objects after which Python looks for garbage; by default, these are 700."""


def expect_loading() -> None:
    """Prepare for loading, which makes many objects and hardly any garbage."""
    gc.set_threshold(OBJECTS_WHILE_LOADING)


def keep_loaded() -> None:
    """Look for garbage among later objects alone from now on, which also shortens the end of the process.

    Only the first call counts, since what a training leaves behind must not be kept; and only in the program itself.
    """
    if gc.get_threshold()[0] == OBJECTS_WHILE_LOADING:
        gc.freeze()
        gc.set_threshold(OBJECTS_AFTERWARDS)
