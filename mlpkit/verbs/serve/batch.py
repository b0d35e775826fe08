"""Predictions for the rows of several requests at once; a row gets the same bits as alone.

One thread computes. While it is busy, requests wait, and are then computed together.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np

from mlpkit.jobs.inputs import Inputs, inputs_of
from mlpkit.jobs.load_model import TrainedModel
from mlpkit.jobs.predict import Predictions, predicted_values, predictions_from, warn_of_no_guarantee
from mlpkit.verbs.serve.refusals import BUSY, Refusal
from mlpkit.verbs.serve.rows import Rows, together

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


class _Noticed(threading.local):
    """Warnings that a thread raises while it works for a request, which belong into the answer."""

    texts: list[str] | None = None


_NOTICED = _Noticed()


@contextmanager
def noticed() -> Iterator[list[str]]:
    """Return a list to which this thread's warnings are added until the end of the block."""
    before, _NOTICED.texts = _NOTICED.texts, []
    try:
        yield _NOTICED.texts
    finally:
        _NOTICED.texts = before


@contextmanager
def warnings_by_thread() -> Iterator[None]:
    """Let ``noticed`` take warnings, until the end of the block; others are shown as before."""
    with warnings.catch_warnings():
        earlier = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **named: Any) -> None:
            if _NOTICED.texts is None or not issubclass(category, UserWarning):
                earlier(message, category, *place, **named)
            else:
                _NOTICED.texts.append(str(message))

        warnings.showwarning = show
        yield


class Request(NamedTuple):
    """Rows, and the model that predicts for them."""

    model: TrainedModel
    rows: Rows


class Predicted(NamedTuple):
    """Predictions, and what was unusual about their rows."""

    predictions: Predictions
    warnings: Sequence[str]


class Encoded(NamedTuple):
    """Encoded rows, and the requests that they belong to: one, or one for each row."""

    inputs: Inputs
    numbers: Sequence[int]


def predict_all(requests: Sequence[Request]) -> list[Predicted | Exception]:
    """Return the predictions for each request, or what is wrong with it, which doesn't concern the others."""
    found: dict[int, Predicted | Exception] = {}
    for model in {id(request.model): request.model for request in requests}.values():
        rows = {number: request.rows for number, request in enumerate(requests) if request.model is model}
        groups, wrong = _encoded(model, rows)
        found |= wrong | _predicted(model, groups)
    return [found[number] for number in range(len(requests))]


def _predicted(model: TrainedModel, groups: list[Encoded]) -> dict[int, Predicted | Exception]:
    """Return predictions by request; the network computes them together."""
    if not groups:
        return {}
    inputs = [group.inputs for group in groups]
    try:
        values = predicted_values(model, np.concatenate([each.x for each in inputs]) if inputs[1:] else inputs[0].x)
    except Exception as error:
        if len(groups) == 1 and len(groups[0].numbers) == 1:
            return {groups[0].numbers[0]: error}
        return _one_by_one(model, groups)
    found: dict[int, Predicted | Exception] = {}
    for group, end in zip(groups, np.cumsum([len(each.x) for each in inputs]).tolist(), strict=True):
        of_group = _meaning(model, group.inputs, values[end - len(group.inputs.x) : end])
        if len(group.numbers) == 1:
            found[group.numbers[0]] = of_group
        elif isinstance(of_group, Exception):
            found |= _one_by_one(model, [group])
        else:
            parts = (of_group.predictions.part(slice(i, i + 1)) for i in range(len(group.numbers)))
            found |= {n: of_group._replace(predictions=part) for n, part in zip(group.numbers, parts, strict=True)}
    return found


def _one_by_one(model: TrainedModel, groups: list[Encoded]) -> dict[int, Predicted | Exception]:
    """Return predictions by request, where one of them is wrong."""
    found: dict[int, Predicted | Exception] = {}
    for inputs, numbers in groups:
        alone = len(numbers) == 1
        parts = [inputs] if alone else [inputs._replace(x=inputs.x[i : i + 1]) for i in range(len(numbers))]
        for number, part in zip(numbers, parts, strict=True):
            found |= _predicted(model, [Encoded(part, [number])])
    return found


def _meaning(model: TrainedModel, inputs: Inputs, values: np.ndarray) -> Predicted | Exception:
    try:
        with noticed() as texts:
            found = predictions_from(model, inputs, values)
            warn_of_no_guarantee(model, found)
    except Exception as error:
        return error
    return Predicted(found, [*inputs.remarks, *texts])


def _encoded(model: TrainedModel, rows: dict[int, Rows]) -> tuple[list[Encoded], dict[int, Predicted | Exception]]:
    """Encode rows by request, and return those that are wrong, too.

    Those of one signature are encoded together, unless one of them is wrong or unusual.
    """
    signatures: dict[object, list[int]] = {}
    for number, each in rows.items():
        signature = each.signature
        signatures.setdefault(number if signature is None else signature, []).append(number)
    groups, wrong = list[Encoded](), dict[int, Predicted | Exception]()
    for numbers in signatures.values():
        whole = encoded(model, together([rows[number] for number in numbers]))
        if isinstance(whole, Inputs) and not (whole.remarks and numbers[1:]):
            groups.append(Encoded(whole, numbers))
            continue
        for number in numbers:
            alone = encoded(model, rows[number])
            if isinstance(alone, Inputs):
                groups.append(Encoded(alone, [number]))
            else:
                wrong[number] = alone
    return groups, wrong


def encoded(model: TrainedModel, rows: Rows) -> Inputs | Exception:
    """Encode rows as in training, with the warnings among the remarks; or return what is wrong with them."""
    try:
        with noticed() as texts, rows.source() as source:
            inputs = inputs_of(model, source)
    except Exception as error:
        return error
    return inputs._replace(remarks=[*texts, *inputs.remarks])


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
