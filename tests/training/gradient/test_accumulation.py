"""Gradient accumulation: several minibatches for one step."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from networks import Kept

from mlpkit import DivergenceError, Layer
from mlpkit.network import flat_layout
from mlpkit.specfile.sections import CheckpointSection
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.sgd import Sgd


@pytest.mark.parametrize(
    ("batch_size", "accumulate"),
    [(5, 2), (2, 5), (1, 10), (3, 3), (5, 3), (4, 4), (7, 2)],  # of 20 examples; in some the last step has fewer parts
)
@pytest.mark.parametrize("sampling", ["shuffle", "with_replacement"])
@pytest.mark.parametrize("slices", [1, 2])
def test_k_minibatches_are_one_that_is_k_times_larger(batch_size, accumulate, sampling, slices, make_trainer, toy):
    def trained(**sizes):
        loss = SoftmaxWithLoss(class_weights=[1.0, 0.0, 2.0, 0.5])
        callback = toy.RecordingCallback()
        options = {"iterations": 12, "evaluate_every": 4, "sampling": sampling, "clip": ("norm", 0.5)}
        trainer = make_trainer(Affine(6), loss=loss, slices=slices, callbacks=[callback], **options, **sizes)
        trainer.train()
        return trainer, [event[2] for event in callback.events if event[0] == "step"]

    parts, losses = trained(batch_size=batch_size, accumulate=accumulate)
    whole, expected = trained(batch_size=batch_size * accumulate)
    np.testing.assert_allclose(parts.network.values, whole.network.values, rtol=0, atol=1e-12)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    assert [record["epoch"] for record in parts.history] == [record["epoch"] for record in whole.history]


def test_a_step_goes_through_its_minibatches_and_an_epoch_through_all_examples(make_trainer, toy):
    recorder = toy.Recorder()
    make_trainer(recorder, batch_size=3, accumulate=4, epochs=2, iterations=None).train()
    seen = [rows for training, rows in recorder.seen if training]
    assert [len(rows) for rows in seen] == [3, 3, 3, 3, 3, 3, 2] * 2
    assert sorted(chain(*seen[:7])) == sorted(chain(*seen[7:])) == list(range(20))


def test_each_minibatch_draws_random_numbers_of_its_own(make_trainer, toy):
    class Drawing(Layer):
        def __init__(self):
            self.drawn = []

        def forward(self, x):
            if self.training:
                self.drawn.append(self.rng.random())
            return x

        def backward(self, dy):
            return dy

    class Shift(toy.Shift):
        def __init__(self):
            self.drawn = []

        def __call__(self, x, rng, out):
            self.drawn.append(rng.random())
            return super().__call__(x, rng, out)

    drawing, shift = Drawing(), Shift()
    make_trainer(drawing, augmentations=[shift], batch_size=2, accumulate=3, iterations=7).train()
    assert len(set(drawing.drawn)) == len(drawing.drawn) > 7 * 2
    assert len(set(shift.drawn)) == len(shift.drawn) == len(drawing.drawn)


@pytest.mark.parametrize("step", range(1, 12))
def test_a_resumed_training_goes_on_to_the_same_bits(step, make_trainer, toy):
    class Restless(Dropout):
        """Drops out in evaluation too."""

        def forward(self, x):
            return x * (self.rng.random(x.shape) < 0.7)

        def backward(self, dy):
            return dy

    def make(store=None):
        settings = {"batch_size": 3, "accumulate": 2, "iterations": 12, "evaluate_every": 3, "optimizer": Adam(0.05)}
        options = {"augmentations": [toy.Shift()], "checkpoint": CheckpointSection(every=1), "store": store}
        return make_trainer(Affine(6), Restless(0.5), slices=2, **settings, **options)

    kept = Kept()
    whole, again = make(kept), make()
    whole.train()
    again.restore(kept.saved[step - 1])
    assert again.train() == whole.history
    assert again.network.values.tobytes() == whole.network.values.tobytes()


@pytest.mark.parametrize("slices", [1, 3])
def test_one_two_and_four_workers_one_result(slices, make_trainer, monkeypatch):
    monkeypatch.setattr(flat_layout, "BLOCK", 16)

    def bits(workers):
        trainer = make_trainer(Affine(30), slices=slices, batch_size=4, accumulate=2, clip=("norm", 0.5))
        trainer._workers.count = workers
        history = trainer.train()
        return trainer.network.values.tobytes(), str(history)

    assert len({bits(workers) for workers in (1, 2, 4)}) == 1


def test_a_step_in_which_no_row_counts_changes_nothing(make_trainer):
    class Weightless(SoftmaxWithLoss):
        def weight(self, t):
            return 0.0

    trainer = make_trainer(loss=Weightless(), batch_size=2, accumulate=3, iterations=2, optimizer=Sgd(0.1))
    before = trainer.network.values.copy()
    for step in range(2):
        assert trainer._gradient(step, 0.1) == 0.0
    assert not trainer.network.gradient_values.any()
    np.testing.assert_array_equal(trainer.network.values, before)


def test_divergence_in_a_later_minibatch_leaves_the_parameters_as_they_were(make_trainer):
    class Poison(SoftmaxWithLoss):
        def forward(self, x, t):
            self.passes = getattr(self, "passes", 0) + 1
            loss = super().forward(x, t)
            return float("nan") if self.passes == 5 else loss

    sizes = {"batch_size": 4, "accumulate": 2, "evaluate_every": 9}
    good = make_trainer(iterations=2, **sizes)
    good._gradient(0, 0.1)
    good._update(0.1, 1)
    good._gradient(1, 0.1)
    good._update(0.1, 2)
    bad = make_trainer(loss=Poison(), iterations=9, **sizes)
    with pytest.raises(DivergenceError, match=r"the loss of step 3 is not a number\."):
        bad.train()
    assert bad.network.values.tobytes() == good.network.values.tobytes()
