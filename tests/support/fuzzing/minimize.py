"""Makes an input that fails as small as it can be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SECONDS = 20


def minimized(content: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Return a part of the content, by cutting out ever smaller pieces as long as it still fails.

    Source: A. Zeller, R. Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE Transactions on
        Software Engineering 28 (2), 2002.
    """
    end = time.monotonic() + MOST_SECONDS
    size = len(content) // 2
    while size and time.monotonic() < end:
        start = 0
        while start < len(content) and time.monotonic() < end:
            smaller = content[:start] + content[start + size :]
            if fails(smaller):
                content = smaller
            else:
                start += size
        size //= 2
    return content
