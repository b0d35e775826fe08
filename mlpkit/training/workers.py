"""How many slices and BLAS threads a step takes, and the threads that compute the slices."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from mlpkit.network import flat_layout
from mlpkit.network.sequential import Sequential
from mlpkit.network.subnormals import flushed_subnormals
from mlpkit.system import available_cores
from mlpkit.training.divergence import without_warnings

SMALLEST_SHARE = 6_000_000
"""Floating-point operations of a step that a BLAS thread must have to itself to gain more than it costs."""


class Plan(NamedTuple):
    """The slices of a minibatch, and the BLAS threads for each matrix product.

    A run's bits depend on it, so it is written down and taken from there again.
    """

    slices: int
    threads: int


def choose_plan(
    step_flops: int, *, slices: int | None = None, threads: int | None = None, ranks: int = 1, cores: int | None = None
) -> Plan:
    """Choose a plan from the size of a step and the available cores, never from a timing.

        threads = min(cores, step_flops / ranks / SMALLEST_SHARE), at least 1

    There is one slice for each rank: BLAS shares a product out to its threads for less than it costs to wake threads of
    Python's, two dozen times a step. ``docs/performance.md`` has the measurements.
    """
    worthwhile = max(1, min(cores or available_cores(), step_flops // ranks // SMALLEST_SHARE))
    return Plan(ranks if slices is None else slices, worthwhile if threads is None else threads)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Run matrix products on that many threads inside the block, and on as many as before after it."""
    with _libraries(len(sys.modules)).limit(limits=count, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries(modules: int) -> Any:
    """Return what sets the threads of the loaded libraries; the search takes milliseconds, and is cached."""
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - only work on arrays needs it

    return ThreadpoolController()


Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Computes a function for each of several items; item i is the work of worker i modulo their number.

    The calling thread is the first worker. ``with`` starts the other threads and ends them; outside of it, and
    in a forked child, which has none of them, the caller does everything itself. Who computes what changes no result,
    if the items don't share what they write.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._inboxes: list[SimpleQueue[Any]] = []
        self._threads: list[threading.Thread] = []
        self._process = os.getpid()

    def __enter__(self) -> Workers:
        """Start the threads."""
        self._process = os.getpid()
        for number in range(1, self.count):
            inbox: SimpleQueue[Any] = SimpleQueue()
            thread = threading.Thread(target=self._serve, args=(inbox, number), name=f"worker {number}", daemon=True)
            thread.start()
            self._inboxes.append(inbox)
            self._threads.append(thread)
        return self

    def __exit__(self, *error: object) -> None:
        """End the threads, when they have done what they are at."""
        for inbox in self._inboxes:
            inbox.put(None)
        for thread in self._threads:
            thread.join()
        self._inboxes, self._threads = [], []

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return the function's result for each item, in the items' order; the first item's exception is raised."""
        inboxes = self._inboxes[: max(0, len(items) - 1)]
        if not inboxes or os.getpid() != self._process:
            return list(map(function, items))
        workers = len(inboxes) + 1
        results: list[Any] = [None] * len(items)
        errors: list[tuple[int, BaseException]] = []
        finished: SimpleQueue[None] = SimpleQueue()

        def work(number: int) -> None:
            for i in range(number, len(items), workers):
                try:
                    results[i] = function(items[i])
                except BaseException as error:
                    errors.append((i, error))
            finished.put(None)

        for inbox in inboxes:
            inbox.put(work)
        work(0)
        for _ in range(workers):
            finished.get()
        if errors:
            raise min(errors, key=itemgetter(0))[1]
        return results

    def _serve(self, inbox: SimpleQueue[Any], number: int) -> None:
        with without_warnings(), flushed_subnormals():
            while (work := inbox.get()) is not None:
                work(number)


def useful_workers(network: Sequential, cores: int | None = None) -> int:
    """Return how many workers can share a step: no more than there are cores, and slices or whole blocks of parameters.

    To hand over what is less than a block takes longer than to compute it.
    """
    return max(1, min(cores or available_cores(), max(len(network.replicas), network.layout.size // flat_layout.BLOCK)))
