"""Training with frozen layers: they stay as they are to the bit, and all else is trained as without them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlpkit import Callback, Optimizer, Weights
from mlpkit.training.callbacks import BestWeights, MovingAverage
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.optimizers.lion import Lion
from mlpkit_plugins.optimizers.sgd import Sgd


class Rescaling(Optimizer):
    """Pulls whole arrays towards zero, in proportion to their norms, as LARS does."""

    elementwise = False

    def __init__(self):
        self.learning_rate = 0.1

    def update(self, value, gradient, slots, step):
        norm = math.sqrt(float((gradient**2).sum())) or 1.0
        value *= 0.9
        value -= step.learning_rate * gradient / norm


OPTIMIZERS = {
    "momentum": lambda: Sgd(0.01, momentum=0.9, weight_decay=0.1),  # with 0.1, some draws diverge
    "adamw": lambda: Adamw(0.05, weight_decay=0.1),
    "lion": lambda: Lion(0.01, weight_decay=0.1),
    "whole arrays": Rescaling,
}
NAMES = ("Affine1", "BatchNorm1", "Residual1", "Residual1.Affine1", "Dropout1", "Affine2", "BatchNorm2")
CALLBACKS = {
    "none": list,
    "average": lambda: [MovingAverage(0.9)],
    "best": lambda: [MovingAverage(0.5), BestWeights("loss", higher_is_better=False)],
}


def stack():
    inside = [Affine(6), Relu(), Affine(6)]
    return [Affine(6), BatchNorm(), Residual(inside), Dropout(0.3), Affine(5), BatchNorm(), Relu()]


def bits(network):
    weights = {**network.parameters, **network.states}
    return {path: array.tobytes() for path, array in weights.items()}


def is_frozen(path, frozen):
    return any(path.startswith(f"{name}.") for name in frozen)


@pytest.mark.filterwarnings("ignore:.*over the examples of each of the")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from(sorted(CALLBACKS)),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2]),
    st.sampled_from([None, ("norm", 0.1), ("value", 0.01)]),
    st.integers(0, 5),
)
def test_frozen_weights_keep_every_bit_and_all_others_change(
    make_trainer, frozen, optimizer, callbacks, slices, accumulate, clip, seed
):
    trainer = make_trainer(
        *stack(),
        optimizer=OPTIMIZERS[optimizer](),
        callbacks=CALLBACKS[callbacks](),
        slices=slices,
        accumulate=accumulate,
        clip=clip,
        seed=seed,
        frozen=frozen,
        evaluate_every=3,
    )
    network = trainer.network
    network.values[:] = np.where(network.values == 0, -0.0, network.values)  # a sign that arithmetic loses
    before = bits(network)
    trainer.train()
    after = bits(network)
    for path in before:
        assert (after[path] == before[path]) is is_frozen(path, frozen), path


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_training_on_a_frozen_layer_comes_to_what_training_on_its_outputs_does(make_trainer, toy, optimizer):
    whole = make_trainer(Affine(3), optimizer=OPTIMIZERS[optimizer](), frozen=["Affine1"])
    frozen = whole.network.layers[0]
    first = {path: array.copy() for path, array in whole.network.parameters.items()}

    class Mapped(toy.Toy):
        def open(self, seed):
            splits = super().open(seed)
            for split in splits.values():
                split.x = split.x @ frozen.W.value + frozen.b.value
            return splits

    rest = make_trainer(dataset=Mapped(), optimizer=OPTIMIZERS[optimizer]())
    for name in ("W", "b"):
        rest.network.parameters[f"Affine1.{name}"][...] = first[f"Affine2.{name}"]
    whole.train()
    rest.train()
    for name in ("W", "b"):
        np.testing.assert_allclose(
            whole.network.parameters[f"Affine2.{name}"], rest.network.parameters[f"Affine1.{name}"], rtol=1e-9
        )


def test_the_optimizer_sees_trained_blocks_alone(make_trainer, toy):
    optimizer = toy.RecordingOptimizer()
    trainer = make_trainer(Affine(6), Affine(5), optimizer=optimizer, frozen=["Affine1"], iterations=1)
    network = trainer.network
    trainer.train()
    begin = network.values.__array_interface__["data"][0]
    touched = {
        element
        for call in optimizer.calls
        for element in range(
            (call["address"] - begin) // call["itemsize"], (call["address"] - begin) // call["itemsize"] + call["size"]
        )
    }
    for path in network.parameters:
        first, end = network.layout.extent(path)
        assert (
            touched.isdisjoint(range(first, end)) if path.startswith("Affine1.") else touched >= set(range(first, end))
        )


def test_the_norm_that_is_clipped_is_that_of_the_trained_gradients(make_trainer):
    class Seen(Optimizer):
        def __init__(self):
            self.learning_rate, self.norms = 0.0, []

        def update(self, value, gradient, slots, step):
            self.norms.append(float(np.linalg.norm(gradient)))

    optimizer = Seen()
    trainer = make_trainer(Affine(6), Affine(6), optimizer=optimizer, frozen=["Affine2"], clip=("norm", 0.01))
    trainer.train()
    steps = np.array(optimizer.norms).reshape(trainer.progress.step, -1)
    np.testing.assert_allclose(np.sqrt((steps**2).sum(axis=1)), 0.01, rtol=1e-9)


def test_a_frozen_layer_is_never_in_training(make_trainer, toy):
    frozen, free = toy.Recorder(), toy.Recorder()
    make_trainer(frozen, free, frozen=["Recorder1"], evaluate_every=4).train()
    assert {mode for mode, _ in frozen.seen} == {False}
    assert {mode for mode, _ in free.seen} == {False, True}


def test_weights_that_stand_in_leave_frozen_parameters_alone(make_trainer):
    class Zeros(Callback):
        def on_start(self, training):
            training.stand_in = Weights(np.zeros_like(training.weights.values), training.weights.state)

    trainer = make_trainer(Affine(6), callbacks=[Zeros()], frozen=["Affine1"])
    before = bits(trainer.network)
    trainer.train()
    assert bits(trainer.network)["Affine1.W"] == before["Affine1.W"]
    assert not trainer.network.parameters["Affine2.W"].any()


def test_nothing_is_frozen_once_training_is_over(make_trainer):
    trainer = make_trainer(Affine(6), frozen=["Affine1"])
    trainer.train()
    x, t = np.random.default_rng(0).normal(size=(5, 3)), np.arange(5) % 4
    assert all(array.any() for array in trainer.network.gradient(x, t).values())


def test_nor_after_a_training_that_failed(make_trainer):
    class Failing(Callback):
        def on_step(self, training, loss):
            raise RuntimeError

    trainer = make_trainer(Affine(6), frozen=["Affine1"], callbacks=[Failing()])
    with pytest.raises(Exception, match="RuntimeError"):
        trainer.train()
    assert trainer.network.layout.frozen == frozenset()
