"""A history goes into arrays and comes back."""

from __future__ import annotations

from mlpkit.training.evaluation import history_columns, history_of

KEYS = ["iteration", "train_loss"]


def test_a_history_comes_back_with_figures_that_are_not_finite():
    history = [{"iteration": 2, "train_loss": 0.1}, {"iteration": 4, "train_loss": float("nan")}]
    assert str(history_of(history_columns(history), KEYS)) == str(history)
    assert history_columns([]) == {}
    assert history_of({}, []) == []
