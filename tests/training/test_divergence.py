"""A run that diverges says where the first number was not finite, and writes it nowhere."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from mlpkit import Augmentation, DivergenceError, Layer, Optimizer
from mlpkit.specfile.sections import CheckpointSection
from mlpkit_plugins.layers.affine import Affine


class Broken(Layer):
    """Hands on its inputs, until a pass in which one is wrong: on the way there, or on the way back."""

    at, there, back, passes = 99, 1.0, 1.0, 0

    def forward(self, x):
        self.passes += self.training
        x = x.copy()
        if self.passes >= self.at and self.training:
            x[2:4, 0] *= self.there
        return x

    def backward(self, dy):
        if self.passes >= self.at:
            dy[0, 0] = self.back
        return dy


def broken(**attributes):
    """Return such a layer; parameters of a component can't be infinite."""
    layer = Broken()
    vars(layer).update(attributes)
    return layer


class Poisoned(Augmentation):
    def __call__(self, x, rng, out):
        np.copyto(out, x)
        out[1] = math.nan
        return out


class Overflowing(Optimizer):
    """Keeps a slot that overflows while the parameters stay as they are."""

    slots = ("v",)

    def __init__(self):
        self.learning_rate = 0.1

    def update(self, value, gradient, slots, step):
        if step.number == 2 and step.decay:
            slots["v"][0] = math.inf


class Kept:
    def __init__(self):
        self.steps = []

    def save(self, snapshot, *, best=False):
        self.steps.append(snapshot.step)
        assert all(np.isfinite(array).all() for array in snapshot.arrays.values())

    def raise_failure(self):
        pass


def message_of(trainer):
    with pytest.raises(DivergenceError) as caught:
        trainer.train()
    return str(caught.value)


REMEDY = "Try a learning rate below 0.1, smaller initial weights, or check the data for values out of scale"


def test_the_output_of_a_layer(make_trainer):
    assert message_of(make_trainer(broken(at=3, there=math.inf), evaluate_every=99)) == (
        "training diverged: the loss of step 3 is not a number. The first value that isn't finite is the output of "
        "Broken1 "
        "(Broken), in 2 of 5 rows, the first of them row 2. The parameters were left as they were before that step. "
        + REMEDY
    )


def test_the_output_of_a_layer_that_only_overflows_if_its_factors_are_rounded(make_trainer):
    class Huge(Augmentation):
        def __call__(self, x, rng, out):
            out[...] = 0
            out[1] = 3.4e38  # the next number of bfloat16 is infinite
            return out

    trainer = make_trainer(Affine(2, weights="zeros"), augmentations=[Huge()], dtype="float32", precision="bfloat16")
    found = message_of(trainer)
    assert "The first value that isn't finite is the output of Affine1 (Affine), in row 1. " in found


def test_the_inputs(make_trainer):
    found = message_of(make_trainer(augmentations=[Poisoned()]))
    assert "The first value that isn't finite is the inputs of the minibatch, in row 1. " in found


def test_targets(make_trainer, toy):
    class Wrong(toy.ToySplit):
        def take(self, indices, out):
            super().take(indices, out)
            out[1][3] = math.nan

    class Data(toy.Toy):
        def describe(self):
            from mlpkit import Values

            return super().describe()._replace(target=Values((4,)))

        def open(self, seed):
            split = Wrong(20, 0)
            split.t = np.zeros((20, 4))
            return {"train": split}

    from mlpkit import Loss

    class Squares(Loss):
        def build(self, input_shape, target):
            pass

        def forward(self, x, t):
            self.difference = x - t
            return float((self.difference**2).mean())

        def backward(self, dloss=1.0):
            return self.difference * dloss

        def predict(self, x):
            return x

    found = message_of(make_trainer(dataset=Data(), loss=Squares(), metrics={}))
    assert "The first value that isn't finite is the targets of the minibatch, in row 3. " in found


def test_a_gradient_makes_parameters_wrong_and_the_next_step_names_those_nearest_to_the_loss(make_trainer):
    layers = (Affine(3), broken(at=2, back=math.inf), Affine(3), broken(at=99))
    found = message_of(make_trainer(*layers, evaluate_every=99))
    assert found == (
        "training diverged: the loss of step 3 is not a number. Before that, the parameter Affine1.b (1 of 3 values), "
        "the parameter Affine1.W (3 of 9 values) are no longer finite: the update of step 2, or an earlier one, "
        "overflowed. " + REMEDY
    )


@pytest.mark.parametrize(
    "occasion", [{"evaluate_every": 2}, {"evaluate_every": 99, "checkpoint": CheckpointSection(every=2)}]
)
def test_parameters_are_looked_at_before_they_are_evaluated_or_saved(make_trainer, toy, occasion):
    kept, callback = Kept(), toy.RecordingCallback()
    layers = (Affine(3), broken(at=2, back=math.nan))
    trainer = make_trainer(*layers, store=kept, callbacks=[callback], **occasion)
    assert message_of(trainer) == (
        "training diverged: after step 2, the parameter Affine1.b (1 of 3 values), the parameter Affine1.W (3 of 9 "
        "values) are no longer finite. " + REMEDY
    )
    assert (kept.steps, trainer.history) == ([], [])


def test_slots_are_looked_at_too(make_trainer):
    kept = Kept()
    trainer = make_trainer(
        optimizer=Overflowing(), store=kept, evaluate_every=99, checkpoint=CheckpointSection(every=1)
    )
    found = message_of(trainer)
    assert "after step 2, the slot v of Affine1.W (1 of 12 values) is no longer finite. " in found
    assert kept.steps == [1]


def test_what_a_layer_remembers_is_looked_at_too(make_trainer):
    class Counting(Layer):
        def build(self, input_shape):
            self.seen = self.state("seen", (), 1e300)
            return input_shape

        def forward(self, x):
            if self.training:
                self.seen.value *= 1e5
            return x

        def backward(self, dy):
            return dy

    found = message_of(make_trainer(Counting(), evaluate_every=2))
    assert "after step 2, the state Counting1.seen (1 of 1 values) is no longer finite. " in found


def test_a_list_of_three_is_whole(make_trainer):
    class Counting(Affine):
        def build(self, input_shape):
            self.seen = self.state("seen", (), math.inf)
            return super().build(input_shape)

    found = message_of(make_trainer(Counting(3), broken(at=1, back=math.nan), evaluate_every=1))
    assert "(3 of 9 values), the state Counting1.seen (1 of 1 values) are no longer finite. " in found


def test_a_long_list_is_cut(make_trainer):
    layers = [Affine(3) for _ in range(4)]
    found = message_of(make_trainer(*layers, broken(at=1, back=math.nan), evaluate_every=1))
    assert "Affine4.b (1 of 3 values), the parameter Affine4.W (3 of 9 values), the parameter Affine3.b" in found
    assert ", and 5 more are no longer finite. " in found


def test_a_list_that_just_fits_is_not_cut(make_trainer):
    found = message_of(make_trainer(Affine(3), Affine(3, bias=False), broken(at=1, back=math.nan), evaluate_every=1))
    assert found.count("the parameter ") == 3
    assert re.search(r"the parameter Affine1\.W \(\d+ of \d+ values\) are no longer finite\. ", found)
    assert ", and " not in found
