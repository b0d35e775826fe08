"""The one thread that computes: while it is busy, requests wait, and are then computed together."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Final

from mlpkit.verbs.serve.batch import Predicted, Request, predict_all
from mlpkit.verbs.serve.refusals import BUSY, Refusal

RETRY_AFTER: Final = 1
"""Seconds after which a client may try again if too many wait."""

ENOUGH: Final = 256
"""Requests that are computed without looking for more."""

AT_ONCE: Final = 0.002
"""Seconds that a batch of single rows may take to be computed by the thread that answers: to hand it over takes longer.

The time of a row is that of the last batch.
"""

Future = asyncio.Future[Any]
Work = Callable[[], list[Any]]


class Worker:
    """Computes predictions, all that have come since the last ones, and single calls in between.

    Args:
        most: how many requests may wait.
        batched: told the number of requests of each batch.
    """

    def __init__(self, most: int, batched: Callable[[int], None] = lambda _: None) -> None:
        self._most, self._batched = most, batched
        self._requests: deque[tuple[Request, Future]] = deque()
        self._calls: deque[tuple[Callable[[], Any], Future]] = deque()
        self._is_busy = self._is_a_call = self._is_settling = False
        self._inbox: SimpleQueue[tuple[Work, Sequence[Future]] | None] = SimpleQueue()
        self._loop, self._seconds = asyncio.get_running_loop(), AT_ONCE
        threading.Thread(target=self._work, name="predictions", daemon=True).start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._requests) + len(self._calls)

    async def predict(self, request: Request) -> Predicted:
        """Return predictions, or raise what is wrong with the rows, or ``Refusal`` if too many wait."""
        found: Predicted = await self._queued(self._requests, request)
        return found

    async def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return what a function returns, called when its turn comes."""
        return await self._queued(self._calls, partial(function, *arguments, **named))

    def close(self) -> None:
        """End the thread, once it has done what it is at."""
        self._inbox.put(None)

    async def _queued(self, queue: deque[tuple[Any, Future]], item: object) -> Any:
        if self.waiting >= self._most:
            headers = {"Retry-After": str(RETRY_AFTER)}
            message = f"{self.waiting:,} requests wait already"
            raise Refusal(BUSY, message, code="out-of-resources", remedy="try again later", headers=headers)
        future = self._loop.create_future()
        queue.append((item, future))
        self._settle(0)
        return await future

    def _settle(self, before: int) -> None:
        """Begin, unless the thread is busy, once no more requests arrive that have reached this machine already."""
        if self._is_busy or (self._is_settling and not before):
            return
        if before == self.waiting or before >= ENOUGH:
            self._is_settling = False
            self._start()
        else:
            self._is_settling = True
            self._loop.call_soon(self._settle, self.waiting)

    def _start(self) -> None:
        """Begin with what waits; calls and batches take turns."""
        for queue in (self._requests, self._calls):
            while queue and queue[0][1].done():  # its client has left
                queue.popleft()
        if self._calls and not (self._is_a_call and self._requests):
            function, future = self._calls.popleft()
            self._is_a_call, work, futures = True, partial(_called, function), [future]
        elif self._requests:
            requests, futures = map(list, zip(*self._requests, strict=True))
            self._requests.clear()
            self._batched(len(requests))
            self._is_a_call, work = False, partial(self._predicted, requests)
            if len(requests) * self._seconds <= AT_ONCE and all(each.rows.signature for each in requests):
                self._deliver(futures, _outcomes(work, len(futures)))
                return
        else:
            return
        self._is_busy = True
        self._inbox.put((work, futures))

    def _predicted(self, requests: Sequence[Request]) -> list[Any]:
        began = perf_counter()
        found = predict_all(requests)
        self._seconds = (perf_counter() - began) / len(requests)
        return found

    def _deliver(self, futures: Sequence[Future], outcomes: Sequence[Any]) -> None:
        self._is_busy = False
        for future, outcome in zip(futures, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._settle(0)

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            work, futures = item
            outcomes = _outcomes(work, len(futures))
            self._loop.call_soon_threadsafe(self._deliver, futures, outcomes)


def _outcomes(work: Work, count: int) -> list[Any]:
    """Return the results of some work, or its error for each."""
    try:
        return work()
    except Exception as error:
        return [error] * count


def _called(function: Callable[[], Any]) -> list[Any]:
    return [function()]
