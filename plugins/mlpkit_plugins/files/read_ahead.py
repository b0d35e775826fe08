"""Reading ahead: one thread works on a part of a file while another reads the next ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from mlpkit.engines import available_cores

Part = TypeVar("Part")

AHEAD: Final = 2
"""Parts that are read ahead: while the caller takes one, the thread reads the other."""


def read_ahead(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the parts, and let another thread read the next ones meanwhile, if there's a second core.

    Raises:
        BaseException: what reading a part raised, after the parts before it.
    """
    if available_cores() == 1:
        yield from parts
        return
    with ThreadPoolExecutor(1, "reader") as reader:
        ahead = deque(reader.submit(next, parts, None) for _ in range(AHEAD))
        while (part := ahead.popleft().result()) is not None:
            ahead.append(reader.submit(next, parts, None))
            yield part
