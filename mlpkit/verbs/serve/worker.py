"""The one thread that computes: while it is busy, requests wait, and are then computed together."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, Final

from mlpkit.verbs.serve.batch import Predicted, Request, predict_all
from mlpkit.verbs.serve.refusals import BUSY, Refusal

RETRY_AFTER: Final = 1
"""Seconds after which a client may try again if too many wait."""

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
        self._is_busy = self._is_a_call = False
        self._inbox: SimpleQueue[tuple[Work, Sequence[Future]] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
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
        self._start()
        return await future

    def _start(self) -> None:
        """Begin with what waits, unless the thread is busy; calls and batches take turns."""
        if self._is_busy:
            return
        for queue in (self._requests, self._calls):
            while queue and queue[0][1].done():  # its client has left
                queue.popleft()
        if self._calls and not (self._is_a_call and self._requests):
            function, future = self._calls.popleft()
            self._is_a_call, work, futures = True, partial(_called, function), [future]
        elif self._requests:
            requests, futures = map(list, zip(*self._requests, strict=True))
            self._requests.clear()
            self._is_a_call, work = False, partial(predict_all, requests)
            self._batched(len(requests))
        else:
            return
        self._is_busy = True
        self._inbox.put((work, futures))

    def _deliver(self, futures: Sequence[Future], outcomes: Sequence[Any]) -> None:
        self._is_busy = False
        for future, outcome in zip(futures, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._start()

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            work, futures = item
            try:
                outcomes = work()
            except Exception as error:
                outcomes = [error] * len(futures)
            self._loop.call_soon_threadsafe(self._deliver, futures, outcomes)


def _called(function: Callable[[], Any]) -> list[Any]:
    return [function()]
