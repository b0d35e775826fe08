"""Which of many items are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def evenly_spaced(count: int, most: int) -> NDArray[np.intp]:
    """Return positions of some of many items, evenly spaced, the first and the last among them; of few, all.

    Args:
        count: how many items there are.
        most: how many positions to return at most.
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
