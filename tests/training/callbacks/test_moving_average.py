"""A moving average of the weights."""

from __future__ import annotations

import numpy as np
import pytest
from networks import Kept

from mlpkit import Callback
from mlpkit.network import flat_layout
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training.callbacks import BestWeights, MovingAverage
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.optimizers.sgd import Sgd


class Weights(Callback):
    """Remembers the weights after each step, and those that are evaluated."""

    def on_start(self, training):
        self.trained, self.evaluated = [], []

    def on_step(self, training, loss):
        self.trained.append(training.weights.values.copy())

    def on_evaluation(self, training, record):
        self.evaluated.append(training.weights.values.copy())


def mean_as_written_out(weights, decay):
    """Return the average of the weights after steps 1, 2, ..., each counting for as much as the formula says."""
    counts = np.array([decay ** (len(weights) - step) for step in range(1, len(weights) + 1)])
    return np.tensordot(counts / counts.sum(), np.array(weights), 1)


@pytest.mark.parametrize("decay", [0.1, 0.9, 0.9999999])
@pytest.mark.parametrize("block", [13, 10_000])
def test_what_is_evaluated_is_the_mean_as_written_out(decay, block, make_trainer, monkeypatch):
    monkeypatch.setattr(flat_layout, "BLOCK", block)
    watching = Weights()
    trainer = make_trainer(callbacks=[MovingAverage(decay), watching], iterations=20, evaluate_every=1)
    trainer.train()
    for step, evaluated in enumerate(watching.evaluated, start=1):
        expected = mean_as_written_out(watching.trained[:step], decay)
        np.testing.assert_allclose(evaluated, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(trainer.network.values, watching.evaluated[-1])


def test_the_training_itself_is_the_same_to_the_bit(make_trainer):
    plain, averaged = Weights(), Weights()
    make_trainer(BatchNorm(), callbacks=[plain]).train()
    trainer = make_trainer(BatchNorm(), callbacks=[MovingAverage(0.9), averaged])
    trainer.train()
    for mine, theirs in zip(averaged.trained, plain.trained, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not np.array_equal(trainer.network.values, plain.trained[-1])


@pytest.mark.parametrize("step", range(1, 12))
def test_a_resumed_training_goes_on_with_the_same_average(step, make_trainer):
    def make(store=None):
        callbacks = [MovingAverage(0.8), BestWeights("loss", higher_is_better=False)]
        settings = {
            "iterations": 12,
            "evaluate_every": 2,
            "optimizer": Sgd(0.8),
            "checkpoint": CheckpointSection(every=1),
        }
        return make_trainer(BatchNorm(), callbacks=callbacks, store=store, **settings)

    kept = Kept()
    whole, again = make(kept), make()
    whole.train()
    again.restore(kept.saved[step - 1])
    assert again.train() == whole.history
    assert again.network.values.tobytes() == whole.network.values.tobytes()


def test_the_best_weights_are_those_of_the_average(make_trainer):
    watching = Weights()
    callbacks = [MovingAverage(0.8), watching, BestWeights("loss", higher_is_better=False)]
    trainer = make_trainer(callbacks=callbacks, iterations=24, evaluate_every=3, optimizer=Sgd(0.8))
    losses = [record["validation_loss"] for record in trainer.train()]
    best = losses.index(min(losses))
    assert best < len(losses) - 1
    np.testing.assert_array_equal(trainer.network.values, watching.evaluated[best])
