"""Weights that a callback puts in the place of those that are trained."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Callback, ComponentFailure, Weights


class Constant(Callback):
    """Has weights evaluated that are all the same number."""

    def __init__(self, number: float = 0.0, size: int | None = None):
        self.number, self.size, self.seen = number, size, []

    def on_start(self, training):
        size = training.weights.values.size if self.size is None else self.size
        training.stand_in = Weights(np.full(size, self.number), training.weights.state)

    def on_step(self, training, loss):
        self.seen.append(training.weights.values.copy())

    def on_evaluation(self, training, record):
        assert set(training.weights.values.tolist()) == {self.number}
        assert all((array == self.number).all() for array in training.parameters.values())


def test_they_are_evaluated_and_stay_at_the_end_and_are_not_trained(make_trainer):
    plain, constant = Constant(), Constant()
    first = make_trainer(callbacks=[constant], iterations=6, evaluate_every=2)
    history = first.train()
    assert {record["train_loss"] for record in history} == {history[0]["train_loss"]}
    assert history[0]["train_loss"] == pytest.approx(np.log(4))  # zeros everywhere: all classes alike
    assert not first.network.values.any()
    assert first.weights_replaced

    plain.on_start = plain.on_evaluation = lambda *_: None
    second = make_trainer(callbacks=[plain], iterations=6, evaluate_every=2)
    second.train()
    for mine, theirs in zip(constant.seen, plain.seen, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_weights_of_another_size_are_refused(make_trainer):
    with pytest.raises(ComponentFailure, match="stand_in can't take the place of the weights: ValueError"):
        make_trainer(callbacks=[Constant(size=7)], iterations=2).train()


def test_the_weights_are_those_that_the_parameters_show(make_trainer):
    class Compare(Callback):
        def on_step(self, training, loss):
            total = sum(array.sum() for array in training.parameters.values())
            np.testing.assert_allclose(training.weights.values.sum(), total, atol=1e-12)

    make_trainer(callbacks=[Compare()], iterations=3).train()
