"""Reading ahead: one thread works on a part of a file while another reads the next ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from queue import SimpleQueue
from sys import is_finalizing
from threading import Thread
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
    orders: SimpleQueue[bool] = SimpleQueue()
    results: SimpleQueue[tuple[list[Part], BaseException | None]] = SimpleQueue()

    def serve() -> None:
        while orders.get():
            try:
                results.put((list(islice(parts, 1)), None))
            except BaseException as error:  # the caller would wait forever
                results.put(([], error))

    thread = Thread(target=serve, name="reader", daemon=True)
    thread.start()
    ends = is_finalizing  # a program that ends clears its modules, and its threads don't run any more
    try:
        for _ in range(AHEAD):
            orders.put(True)
        while True:
            found, error = results.get()
            if error is not None:
                raise error
            if not found:
                return
            orders.put(True)
            yield found[0]
    finally:
        orders.put(False)
        if not ends():
            thread.join()
