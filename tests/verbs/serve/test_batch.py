"""Rows of several requests, predicted together."""

from __future__ import annotations

import asyncio
import threading
import time
import warnings

import numpy as np
import pytest
from requirements import require_package

from mlpkit.jobs.load_model import load_run


@pytest.fixture
def batch():
    require_package("starlette")
    from mlpkit.verbs.serve import batch

    return batch


def test_rows_of_other_types_and_of_several_rows_are_predicted_as_alone(batch, runs):
    from mlpkit.verbs.serve.rows import Rows

    model = load_run(runs / "loans")
    whole = {"amount": [4], "income": [10], "years_in_job": [13], "purpose": ["car"]}
    broken = {"amount": [4.5, 90.25], "income": [10.5, 3.0], "years_in_job": [13, 0], "purpose": ["car", "kitchen"]}
    text = b"amount,income,years_in_job,purpose\n7,8,9,kitchen\n"
    wrong = {**whole, "purpose": ["carr"]}
    requests = [batch.Request(model, Rows(content)) for content in (whole, broken, text, wrong, whole)]
    together, alone = batch.predict_all(requests), [batch.predict_all([each])[0] for each in requests]
    for number in (0, 1, 2, 4):
        np.testing.assert_array_equal(together[number].predictions.values, alone[number].predictions.values)
    assert len(together[1].predictions.values) == 2
    assert len({together[number].predictions.values.tobytes() for number in (0, 1, 2)}) == 3
    assert "carr" in str(together[3])
    assert str(together[3]) == str(alone[3])


def test_warnings_go_to_the_request_that_they_belong_to(batch):
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warnings, "showwarning", lambda message, *_: seen.append(str(message)))
        with batch.warnings_by_thread():
            warnings.simplefilter("always")
            with batch.noticed() as outer:
                warnings.warn("a", UserWarning, stacklevel=1)
                with batch.noticed() as inner:
                    warnings.warn("b", UserWarning, stacklevel=1)
                warnings.warn("c", UserWarning, stacklevel=1)
                warnings.warn("d", DeprecationWarning, stacklevel=1)
            warnings.warn("e", UserWarning, stacklevel=1)
    assert (outer, inner, seen) == (["a", "c"], ["b"], ["d", "e"])


@pytest.mark.parametrize(("bad", "other"), [(0, 3), (1, 3), (2, 3), (1, 0), (0, 0), (1, None)])
def test_a_row_that_the_network_cannot_predict_leaves_the_others_theirs(batch, runs, monkeypatch, bad, other):
    from mlpkit.verbs.serve.rows import Rows

    model = load_run(runs / "loans")
    contents = [{"amount": [float(i)], "income": [10.5], "years_in_job": [13], "purpose": ["car"]} for i in (1, 2, 3)]
    if other is not None:  # of other types: a group of its own
        contents.insert(other, {**contents[0], "income": [3]})
    requests = [batch.Request(model, Rows(content)) for content in contents]
    expected = [each.predictions.values for each in batch.predict_all(requests)]
    compute, wrong = batch.predicted_values, batch.encoded(model, requests[bad].rows).x

    def failing(model, x):
        if (x == wrong).all(axis=1).any():
            raise ZeroDivisionError("no")
        return compute(model, x)

    monkeypatch.setattr(batch, "predicted_values", failing)
    found = batch.predict_all(requests)
    assert [isinstance(each, ZeroDivisionError) for each in found] == [number == bad for number in range(len(requests))]
    for number in {*range(len(requests))} - {bad}:
        np.testing.assert_array_equal(found[number].predictions.values, expected[number])


def test_a_row_without_a_meaning_leaves_the_others_theirs(batch, runs, monkeypatch):
    from mlpkit.verbs.serve.rows import Rows

    model = load_run(runs / "loans")
    rows = [{"amount": [float(i)], "income": [10.5], "years_in_job": [13], "purpose": ["car"]} for i in (1, 2, 3)]
    requests = [batch.Request(model, Rows(content)) for content in rows]
    wrong, give = batch.encoded(model, requests[1].rows).x, batch.predictions_from

    def failing(model, inputs, values):
        if (inputs.x == wrong).all(axis=1).any():
            raise ValueError("no")
        return give(model, inputs, values)

    monkeypatch.setattr(batch, "predictions_from", failing)
    assert [type(each).__name__ for each in batch.predict_all(requests)] == ["Predicted", "ValueError", "Predicted"]


def test_two_models_predict_their_own_rows_and_unusual_rows_are_warned_of_alone(batch, runs):
    from mlpkit.verbs.serve.rows import Rows

    loans, flowers = load_run(runs / "loans"), load_run(runs / "flowers")
    plain = {"amount": [4.5], "income": [10.5], "years_in_job": [13], "purpose": ["car"]}
    flower = {"petal_length": [45.5], "petal_width": [13.5], "stem_height": [100.5], "soil": ["clay"]}
    contents = [(loans, plain), (flowers, flower), (loans, {**plain, "amount": [1e6]})]
    found = batch.predict_all([batch.Request(model, Rows(content)) for model, content in contents])
    assert [len(each.predictions.class_names) for each in found] == [2, 3, 2]
    assert [len(each.warnings) for each in found] == [0, 0, 1]


def test_an_answer_has_the_warnings_of_encoding_then_of_unusual_rows_then_of_their_regions(batch, runs, monkeypatch):
    from mlpkit.verbs.serve.rows import Rows

    model, encode = load_run(runs / "houses"), batch.inputs_of
    row = {"area": [5000], "rooms": [3], "age": [9], "district": ["hill"]}

    def encoding(*arguments):
        warnings.warn("early", UserWarning, stacklevel=1)
        return encode(*arguments)

    monkeypatch.setattr(batch, "inputs_of", encoding)
    monkeypatch.setattr("mlpkit.jobs.predict.why_not_exchangeable", lambda _: "late")
    with batch.warnings_by_thread():
        warnings.simplefilter("always")
        (found,) = batch.predict_all([batch.Request(model, Rows(row))])
    first, *unusual, last = found.warnings
    assert (first, last) == ("early", "coverage has no guarantee: late")
    assert unusual == model.dataset.remarks(model.dataset.from_columns(row)) != []


def working(batch, work, most=9):
    """Return what some work with a worker returns, and the sizes of its batches."""
    sizes = []

    async def run():
        worker = batch.Worker(most, sizes.append)
        try:
            return await work(worker)
        finally:
            worker.close()

    return asyncio.run(run()), sizes


def test_requests_that_wait_are_computed_together_and_calls_take_turns(batch, runs):
    from mlpkit.verbs.serve.rows import Rows

    model, order = load_run(runs / "loans"), []
    row = Rows({"amount": [4.5], "income": [10.5], "years_in_job": [13], "purpose": ["car"]})

    async def work(worker):
        def called(name):
            time.sleep(0.01)
            order.append(name)
            return name

        async def predict(name):
            found = await worker.predict(batch.Request(model, row))
            order.append(name)
            return found

        jobs = [
            worker.call(called, "a"),
            worker.call(called, "b"),
            predict("p"),
            predict("q"),
            worker.call(called, "c"),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        await asyncio.sleep(0)
        waiting = worker.waiting
        return waiting, await asyncio.gather(*tasks), worker.waiting

    (before, found, after), sizes = working(batch, work)
    assert (before, after, sizes) == (5, 0, [2])
    assert (found[0], found[1], found[4]) == ("a", "b", "c")
    assert order == ["a", "p", "q", "b", "c"]


def test_whoever_leaves_is_not_computed_for_and_errors_are_raised_by_each(batch):
    calls = []

    async def work(worker):
        free = threading.Event()
        first = asyncio.create_task(worker.call(free.wait))
        left = asyncio.create_task(worker.call(calls.append, "left"))
        wrong = asyncio.create_task(worker.call(int, "x"))
        await asyncio.sleep(0.01)
        left.cancel()
        free.set()
        await first
        with pytest.raises(ValueError, match="invalid literal"):
            await wrong
        return await worker.call(lambda *, a: a, a=7)

    assert working(batch, work) == (7, [])
    assert calls == []


def test_no_more_wait_than_may(batch):
    from mlpkit.verbs.serve.refusals import Refusal

    async def work(worker):
        tasks = [asyncio.create_task(worker.call(time.sleep, 0.02)) for _ in range(3)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    (*right, refused), _ = working(batch, work, most=2)
    assert right == [None, None]
    assert isinstance(refused, Refusal)
    assert (refused.status, str(refused)) == (503, "2 requests wait already; try again later")
    assert refused.headers == {"Retry-After": "1"}


def answering(batch, monkeypatch, times=()):
    """Let requests be answered at once; return whether the thread that asked computed each batch, and its size."""
    seen, times, asking = [], iter(times), threading.current_thread()

    def answered(requests):
        seen.append((threading.current_thread() is asking, len(requests)))
        return [request.rows.content for request in requests]

    monkeypatch.setattr(batch, "predict_all", answered)
    monkeypatch.setattr(batch, "perf_counter", lambda: next(times, 0.0))
    return seen


def test_only_single_rows_that_take_less_than_to_hand_them_over_are_computed_by_the_thread_that_asks(
    batch, monkeypatch
):
    from mlpkit.verbs.serve.rows import Rows

    seen = answering(batch, monkeypatch, times=(0, 0.001, 1, 1.003, 2, 2.0015, 3, 3.0044, 4, 4.0005))
    one, two = Rows({"a": [1]}), Rows({"a": [1, 2]})

    async def work(worker):
        ask = lambda *rows: asyncio.gather(*(worker.predict(batch.Request(None, each)) for each in rows))  # noqa: E731
        return [await ask(*rows) for rows in asked]

    asked = [[one], [one, one], [one], [one, one], [one], [one, two], [Rows(b"a")], [one]]
    found, sizes = working(batch, work)
    assert found == [[each.content for each in rows] for rows in asked]
    assert [here for here, _ in seen] == [True, True, True, False, False, False, False, True]
    assert sizes == [count for _, count in seen] == [1, 2, 1, 2, 1, 2, 1, 1]


def test_requests_that_keep_arriving_do_not_hold_up_the_first(batch, monkeypatch):
    from mlpkit.verbs.serve.rows import Rows

    answering(batch, monkeypatch)
    monkeypatch.setattr(batch, "ENOUGH", 3)

    async def ask(worker, number):
        for _ in range(number):
            await asyncio.sleep(0)
        return await worker.predict(batch.Request(None, Rows({"a": [number]})))

    async def work(worker):
        return await asyncio.gather(*(ask(worker, number) for number in reversed(range(12))))

    found, sizes = working(batch, work, most=12)
    assert found == [{"a": [number]} for number in reversed(range(12))]
    assert (sum(sizes), sizes[0]) == (12, 4)  # the three that are enough, and one that came meanwhile
