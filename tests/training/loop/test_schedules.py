"""Numbers of layers, losses and optimizers that change as training goes on."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest
from annotated_types import Lt

from mlpkit import Layer, Optimizer, ParameterError, Rate, Schedule
from mlpkit.training.events import Observer, StopRequest
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.rmsprop import Rmsprop
from mlpkit_plugins.optimizers.sgd import Sgd
from mlpkit_plugins.schedules.constant import Constant


class Rising(Schedule):
    """From a first value by a step's share of the training."""

    def __init__(self, first: float, rise: float = 0.5) -> None:
        self.first, self.rise = first, rise

    def __call__(self, progress):
        return self.first + self.rise * progress.step / progress.total_steps


class Noting(Layer):
    """Notes the value of its number in each pass."""

    def __init__(self, number: Annotated[Rate, Lt(1)] = 0.5) -> None:
        self.number, self.noted = number, []

    def forward(self, x):
        self.noted.append((self.training, self.now(self.number)))
        return x

    def backward(self, dy):
        return dy


class Following(Optimizer):
    """Notes the value of its number in each step."""

    def __init__(self, number: Rate = 0.5) -> None:
        self.learning_rate, self.number, self.noted = 0.1, number, []

    def update(self, value, gradient, slots, step):
        self.noted.append((step.number, self.now(self.number, step)))


class StopAtEvaluation(Observer):
    """Asks to stop at the first evaluation."""

    def __init__(self, stop) -> None:
        self.stop = stop

    def evaluated(self, record, seconds):
        self.stop.reason = "enough"


def test_a_layer_follows_the_training_and_evaluations_see_the_start(make_trainer):
    layer = Noting(Rising(0.25))
    trainer = make_trainer(layer, iterations=8, evaluate_every=4)
    trainer.train()
    assert [value for training, value in layer.noted if training] == [0.25 + step / 16 for step in range(8)]
    assert {value for training, value in layer.noted if not training} == {0.25}
    layer.noted.clear()
    trainer.network.set_training(True)
    assert layer.now(layer.number) == 0.25  # as before the first step, once training is over


def test_minibatches_of_one_step_see_one_value(make_trainer):
    layer = Noting(Rising(0.25))
    make_trainer(layer, iterations=4, accumulate=2, evaluated=()).train()
    assert [value for _, value in layer.noted] == [0.25 + step / 8 for step in (0, 0, 1, 1, 2, 2, 3, 3)]


def test_a_frozen_layer_sees_the_start(make_trainer):
    layer = Noting(Rising(0.25))
    make_trainer(layer, frozen=["Noting1"]).train()
    assert set(layer.noted) == {(False, 0.25)}


def test_an_optimizer_follows_the_training(make_trainer):
    optimizer = Following(Rising(0.25))
    make_trainer(optimizer=optimizer, iterations=4).train()
    assert optimizer.noted == [(step + 1, 0.25 + step / 8) for step in range(4) for _ in range(2)]


def values(trainer):
    trainer.train()
    return trainer.network.values.copy()


SCHEDULED = {
    "dropout": lambda rate: {"layers": [Dropout(rate)]},
    "label smoothing": lambda rate: {"loss": SoftmaxWithLoss(label_smoothing=rate)},
    "weight decay of sgd": lambda rate: {"optimizer": Sgd(0.1, weight_decay=rate)},
    "weight decay of adamw": lambda rate: {"optimizer": Adamw(0.1, weight_decay=rate)},
    "momentum of sgd": lambda rate: {"optimizer": Sgd(0.1, momentum=rate)},
    "Nesterov's momentum": lambda rate: {"optimizer": Sgd(0.1, momentum=rate, nesterov=True)},
    "momentum of rmsprop": lambda rate: {"optimizer": Rmsprop(0.1, momentum=rate)},
}
of_each = pytest.mark.parametrize("made", SCHEDULED.values(), ids=list(SCHEDULED))


def trained(make_trainer, made, rate, **options):
    parts = made(rate)
    return values(make_trainer(*parts.pop("layers", ()), **parts, **options))


@of_each
def test_a_constant_schedule_is_its_number_to_the_bit(make_trainer, made):
    plain = trained(make_trainer, made, 0.3)
    np.testing.assert_array_equal(trained(make_trainer, made, Constant(0.3)), plain)
    assert (trained(make_trainer, made, Rising(0.3)) != plain).any()


def test_each_slice_sees_the_value_of_its_step(make_trainer):
    trainer = make_trainer(Noting(Rising(0.25)), iterations=4, slices=3, evaluated=())
    trainer.train()
    for replica in trainer.network.replicas:
        assert [value for _, value in replica.layers[0].noted] == [0.25 + step / 8 for step in range(4)]


@of_each
def test_a_resumed_training_goes_on_at_the_same_value(make_trainer, made):
    def make(stop=None):
        parts = made(Rising(0.3))
        observer = StopAtEvaluation(stop) if stop else None
        return make_trainer(*parts.pop("layers", ()), **parts, evaluate_every=4, observer=observer, stop=stop)

    whole, part, rest = make(), make(StopRequest()), make()
    whole.train()
    part.train()
    rest.restore(part.snapshot())
    assert rest.progress.step == 4
    rest.train()
    np.testing.assert_array_equal(rest.network.values, whole.network.values)


def test_a_schedule_that_leaves_the_range_is_an_error(make_trainer):
    with pytest.raises(ParameterError) as caught:
        make_trainer(Noting(Rising(0.6)), iterations=8).train()
    assert str(caught.value) == (
        "number: the schedule of Noting1 gives 1.0375 before step 8; expected a number, at least 0 and less than 1; "
        "choose a schedule that stays in this range"
    )
    with pytest.raises(ParameterError, match="number: the schedule of Following gives -1 before step 1; expected a"):
        make_trainer(optimizer=Following(Rising(-1.0))).train()


def test_outside_a_network_a_schedule_has_its_first_value():
    layer = Noting(Rising(0.25))
    assert layer.now(layer.number) == 0.25
    assert layer.now(0.75) == 0.75
