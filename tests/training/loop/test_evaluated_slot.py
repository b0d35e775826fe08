"""An optimizer that has an average of its own evaluated and saved in place of the parameters."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Callback, Optimizer
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training.callbacks import BestWeights, MovingAverage
from mlpkit.training.update import OptimizerState, Updater
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.optimizers.muon import Muon
from mlpkit_plugins.optimizers.schedule_free_adamw import ScheduleFreeAdamw
from mlpkit_plugins.optimizers.soap import Soap


class Averaging(Optimizer):
    """Gradient descent, and the mean of all values so far."""

    slots = ("mean",)
    evaluates = "mean"

    def __init__(self):
        self.learning_rate = 0.1

    def update(self, value, gradient, slots, step):
        value -= step.learning_rate * gradient
        slots["mean"] += (value - slots["mean"]) / step.number


class AveragingParameters(Averaging):
    """The same, one parameter at a time."""

    sees = "parameters"


class Watching(Callback):
    """Keeps the weights after each step, and those that were evaluated."""

    def __init__(self):
        self.steps, self.evaluated = [], []

    def on_step(self, training, loss):
        self.steps.append(training.weights.values.copy())

    def on_evaluation(self, training, record):
        self.evaluated.append(training.weights.values.copy())


class Kept:
    """Keeps the snapshots of a run."""

    def __init__(self):
        self.saved = []

    def save(self, snapshot):
        self.saved.append(snapshot)

    def raise_failure(self):
        pass


@pytest.mark.parametrize("optimizer", [Averaging, AveragingParameters])
@pytest.mark.parametrize("frozen", [(), ("Affine1",)])
def test_the_average_is_evaluated_and_stays_at_the_end_and_is_not_trained(make_trainer, optimizer, frozen):
    watching = Watching()
    trainer = make_trainer(
        Affine(5), optimizer=optimizer(), callbacks=[watching], iterations=6, evaluate_every=2, frozen=frozen
    )
    layout, first = trainer.network.layout, trainer.network.values.copy()
    trainer.train()
    assert trainer.weights_replaced
    means = [np.mean(watching.steps[:count], axis=0) for count in (2, 4, 6)]
    for begin, end in layout._replace(frozen=frozenset()).trained():
        np.testing.assert_allclose(np.array(watching.evaluated)[:, begin:end], np.array(means)[:, begin:end])
    np.testing.assert_array_equal(trainer.network.values, watching.evaluated[-1])
    for path in layout.offsets:
        if path.rpartition(".")[0] in frozen:
            np.testing.assert_array_equal(trainer.network.parameters[path], layout.view(first, path))


def test_the_best_weights_are_averages(make_trainer):
    watching = Watching()
    callbacks = [watching, BestWeights("loss", higher_is_better=False)]
    trainer = make_trainer(optimizer=Averaging(), callbacks=callbacks, iterations=6, evaluate_every=2)
    losses = [record["validation_loss"] for record in trainer.train()]
    np.testing.assert_array_equal(trainer.network.values, watching.evaluated[int(np.argmin(losses))])


def test_a_moving_average_takes_its_place(make_trainer):
    watching = Watching()
    trainer = make_trainer(optimizer=Averaging(), callbacks=[watching, MovingAverage(1e-9)], iterations=4)
    trainer.train()
    np.testing.assert_allclose(trainer.network.values, watching.steps[-1], rtol=1e-6)


@pytest.mark.parametrize("make_optimizer", [Averaging, AveragingParameters, ScheduleFreeAdamw, Muon, Soap])
@pytest.mark.parametrize("step", [1, 4, 6])
def test_a_resumed_run_has_the_same_bits(make_trainer, make_optimizer, step):
    def trainer(store):
        settings = {"iterations": 9, "evaluate_every": 3, "checkpoint": CheckpointSection(every=1)}
        return make_trainer(Affine(5), optimizer=make_optimizer(), store=store, **settings)

    kept = Kept()
    whole, resumed = trainer(kept), trainer(Kept())
    whole.train()
    resumed.restore(kept.saved[step - 1])
    resumed.train()
    assert resumed.network.values.tobytes() == whole.network.values.tobytes()
    assert resumed.history == whole.history
    for name, slot in whole._update.slots.items():
        assert resumed._update.slots[name].flat.tobytes() == slot.flat.tobytes()


@pytest.mark.parametrize("make_optimizer", [Averaging, AveragingParameters])
def test_another_training_goes_on_from_the_parameters_and_not_from_their_average(make_trainer, make_optimizer):
    watching, state = Watching(), OptimizerState()
    trainer = make_trainer(optimizer=make_optimizer(), callbacks=[watching], iterations=3, optimizer_state=state)
    trainer.train()
    assert (trainer.network.values != watching.steps[-1]).any()
    Updater(make_optimizer(), trainer.network, state)
    np.testing.assert_array_equal(trainer.network.values, watching.steps[-1])


def test_another_optimizer_begins_with_the_average(make_trainer):
    state = OptimizerState()
    trainer = make_trainer(optimizer=Averaging(), iterations=3, optimizer_state=state)
    trainer.train()
    average = trainer.network.values.copy()
    Updater(ScheduleFreeAdamw(), trainer.network, state)
    np.testing.assert_array_equal(trainer.network.values, average)
    assert state.parameters is None
