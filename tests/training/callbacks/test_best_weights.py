"""Ending a training with the weights that were best."""

from __future__ import annotations

import numpy as np
import pytest
from networks import Kept

from mlpkit import DivergenceError, Layer
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training.callbacks import BestWeights
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.optimizers.sgd import Sgd

WILD = {"optimizer": Sgd(0.8), "iterations": 24, "evaluate_every": 3}
"""A training whose loss goes up and down."""


class Watching(BestWeights):
    """Remembers the weights of each evaluation."""

    def on_start(self, training):
        self.seen = []

    def on_evaluation(self, training, record):
        super().on_evaluation(training, record)
        self.seen.append((record["validation_loss"], training.weights.copy()))


def bits(network):
    return network.values.tobytes(), network.replicas[0].state.tobytes()


def test_the_network_ends_with_the_weights_of_the_best_evaluation(make_trainer):
    callback = Watching("loss", higher_is_better=False)
    trainer = make_trainer(BatchNorm(), callbacks=[callback], **WILD)
    history = trainer.train()
    losses = [loss for loss, _ in callback.seen]
    best = losses.index(min(losses))
    assert 0 < best < len(losses) - 1  # or the test would show nothing
    assert bits(trainer.network) == tuple(array.tobytes() for array in callback.seen[best][1])
    assert trainer.weights_replaced
    assert [record["validation_loss"] for record in history] == losses


def test_the_training_itself_is_the_same_to_the_bit(make_trainer):
    plain = make_trainer(BatchNorm(), **WILD)
    kept = make_trainer(BatchNorm(), callbacks=[BestWeights("loss", higher_is_better=False)], **WILD)
    assert kept.train() == plain.train()
    assert bits(kept.network) != bits(plain.network)
    assert (plain.weights_replaced, kept.weights_replaced) == (False, True)


@pytest.mark.parametrize("step", range(1, 24))
def test_a_resumed_training_ends_with_the_same_weights(step, make_trainer):
    kept = Kept()
    whole = make_trainer(
        BatchNorm(),
        callbacks=[Watching("loss", higher_is_better=False)],
        store=kept,
        checkpoint=CheckpointSection(every=1),
        **WILD,
    )
    whole.train()
    again = make_trainer(BatchNorm(), callbacks=[Watching("loss", higher_is_better=False)], **WILD)
    again.restore(kept.saved[step - 1])
    assert again.train() == whole.history
    assert bits(again.network) == bits(whole.network)


def test_before_the_first_evaluation_there_is_nothing_to_put_in_place(make_trainer, toy):
    class StopAtOnce(toy.RecordingCallback):
        def on_step(self, training, loss):
            raise KeyboardInterrupt

    trainer = make_trainer(callbacks=[BestWeights("loss", higher_is_better=False), StopAtOnce()])
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert not trainer.weights_replaced


def test_a_training_that_diverges_keeps_its_last_weights(make_trainer):
    class Poison(Layer):
        def __init__(self):
            self.steps = 0

        def forward(self, x):
            self.steps += self.training
            return x * np.nan if self.steps == 8 else x

        def backward(self, dy):
            return dy

    trainer = make_trainer(Poison(), callbacks=[BestWeights("loss", higher_is_better=False)], **WILD)
    with pytest.raises(DivergenceError):
        trainer.train()
    seven = make_trainer(**WILD | {"iterations": 7})
    seven.train()
    assert bits(trainer.network) == bits(seven.network)
