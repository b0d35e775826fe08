"""Threads that share the work of a step."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from mlpkit.network import flat_layout
from mlpkit.network.subnormals import flushed_subnormals
from mlpkit.training.divergence import without_warnings
from mlpkit.training.plan import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from mlpkit.network.sequential import Sequential

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Computes a function for each of several items; item i is the work of worker i modulo their number.

    The thread that calls is the first worker. The others are started by ``with``, and end with it; outside of it
    the caller does everything itself. Who computes what changes no result, as long as the items don't share
    what they write.

    Args:
        count: number of workers.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._inboxes: list[SimpleQueue[Any]] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Workers:
        """Start the threads."""
        for number in range(1, self.count):
            inbox: SimpleQueue[Any] = SimpleQueue()
            thread = threading.Thread(target=self._serve, args=(inbox, number), name=f"worker {number}", daemon=True)
            thread.start()
            self._inboxes.append(inbox)
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads, when they have done what they are at."""
        for inbox in self._inboxes:
            inbox.put(None)
        for thread in self._threads:
            thread.join()
        self._inboxes, self._threads = [], []

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return the function's result for each item, in the items' order.

        Raises:
            Exception: what the function raised, for the first of the items for which it raised anything.
        """
        inboxes = self._inboxes[: max(0, len(items) - 1)]
        if not inboxes:
            return [function(item) for item in items]
        workers = len(inboxes) + 1
        outcomes: list[Any] = [None] * len(items)
        finished: SimpleQueue[None] = SimpleQueue()
        work = (function, items, workers, outcomes, finished)
        for inbox in inboxes:
            inbox.put(work)
        _work(function, items, 0, workers, outcomes)
        for _ in inboxes:
            finished.get()
        for outcome in outcomes:
            if type(outcome) is _Raised:
                raise outcome.error
        return outcomes

    def _serve(self, inbox: SimpleQueue[Any], number: int) -> None:
        with without_warnings(), flushed_subnormals():
            while (work := inbox.get()) is not None:
                function, items, workers, outcomes, finished = work
                _work(function, items, number, workers, outcomes)
                finished.put(None)


class _Raised:
    """What stands in the place of a result when the function raised an exception."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def useful_workers(network: Sequential) -> int:
    """Return how many workers can share a step: no more than there are cores, and slices or whole blocks of parameters.

    To hand over what is less than a block takes longer than to compute it.
    """
    return max(1, min(available_cores(), max(len(network.replicas), network.layout.size // flat_layout.BLOCK)))


def _work(function: Callable[[Any], Any], items: Sequence[Any], number: int, workers: int, outcomes: list[Any]) -> None:
    """Compute every item of one worker."""
    for i in range(number, len(items), workers):
        try:
            outcomes[i] = function(items[i])
        except BaseException as error:
            outcomes[i] = _Raised(error)
