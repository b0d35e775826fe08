"""A history goes into arrays and comes back, however long it is."""

from __future__ import annotations

import time

from mlpkit.training.evaluation import HistoryColumns, history_of

KEYS = ["iteration", "train_loss"]


def test_a_history_comes_back_with_figures_that_are_not_finite():
    history = [{"iteration": 2, "train_loss": 0.1}, {"iteration": 4, "train_loss": float("nan")}]
    assert str(history_of(HistoryColumns().copies(history), KEYS)) == str(history)
    assert HistoryColumns().copies([]) == {}
    assert history_of({}, []) == []


def test_what_was_returned_stays_as_it_was_while_the_history_grows():
    columns, history, seen = HistoryColumns(), [], []
    for iteration in range(50):
        history.append({"iteration": iteration, "train_loss": 1 / (1 + iteration)})
        if iteration % 3:
            seen.append((iteration + 1, columns.copies(history)))
    assert all(history_of(arrays, KEYS) == history[:length] for length, arrays in seen)


def test_a_long_history_costs_little_more_each_time():
    columns = HistoryColumns()
    history = [{"iteration": i, "train_loss": i / 7} for i in range(200_000)]
    columns.copies(history)
    began = time.perf_counter()
    for _ in range(10):
        history.append({"iteration": len(history), "train_loss": 0.5})
        columns.copies(history)
    assert time.perf_counter() - began < 0.5  # to go through all of it takes 20 times as long
    assert history_of(columns.copies(history), KEYS) == history
