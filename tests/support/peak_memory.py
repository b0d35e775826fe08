"""How much memory a call takes."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


def with_peak(call: Callable[[], R]) -> tuple[R, int]:
    """Return what a call returns, and the most bytes that Python and NumPy held for it at once."""
    tracemalloc.start()
    try:
        found = call()
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
