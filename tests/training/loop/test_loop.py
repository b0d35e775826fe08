"""The training loop."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest

from mlpkit import ComponentFailure, DivergenceError, Layer
from mlpkit.training.events import Observer, ObserverGroup, StopRequest
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.sgd import Sgd


class Told(Observer):
    """Remembers the events that it receives, and may ask to stop."""

    def __init__(self, stop=None):
        self.events = []
        self.stop = stop

    def started(self, total_steps):
        self.events.append(("started", total_steps))

    def stepped(self, progress, loss):
        self.events.append(("stepped", progress.step))
        if self.stop:
            self.stop.stop("SIGINT")

    def evaluated(self, record, seconds):
        assert seconds > 0
        self.events.append(("evaluated", record["iteration"]))

    def ended(self):
        self.events.append(("ended",))


def training_batches(recorder):
    return [rows for training, rows in recorder.seen if training]


def test_each_step_sees_its_minibatch_and_evaluation_goes_through_the_splits_in_order(toy, make_trainer):
    recorder = toy.Recorder()
    make_trainer(recorder, epochs=2, iterations=None).train()
    batches = training_batches(recorder)
    assert [len(batch) for batch in batches] == [5] * 8
    assert sorted(chain(*batches[:4])) == sorted(chain(*batches[4:])) == list(range(20))
    evaluated = [rows for training, rows in recorder.seen if not training]
    assert evaluated == [list(range(20)), list(range(1000, 1006))] * 2


def test_the_last_minibatch_of_an_epoch_may_be_smaller(toy, make_trainer):
    recorder = toy.Recorder()
    make_trainer(recorder, batch_size=8, epochs=1, iterations=None).train()
    assert [len(batch) for batch in training_batches(recorder)] == [8, 8, 4]


def test_history_has_an_entry_an_evaluation_with_these_keys(make_trainer):
    history = make_trainer(iterations=8, evaluate_every=3).train()
    assert [record["iteration"] for record in history] == [3, 6, 8]
    assert [record["epoch"] for record in history] == [0.75, 1.5, 2.0]
    assert list(history[0]) == [
        "iteration",
        "epoch",
        "learning_rate",
        "train_loss",
        "validation_loss",
        "train_accuracy",
        "validation_accuracy",
    ]


def test_evaluation_is_once_an_epoch_unless_it_is_said(make_trainer):
    assert [record["iteration"] for record in make_trainer(iterations=9).train()] == [4, 8, 9]


def test_figures_in_the_history_are_those_of_the_network(make_trainer, toy):
    trainer = make_trainer(iterations=4)
    record = trainer.train()[-1]
    train = toy.Toy().open(0)["train"]
    assert record["train_loss"] == pytest.approx(trainer.network.loss(train.x, train.t), rel=1e-12)
    assert record["train_accuracy"] == trainer.network.accuracy(train.x, train.t)


def test_without_a_validation_split_its_figures_are_left_out(make_trainer, toy):
    record = make_trainer(dataset=toy.Toy(validation=0), iterations=1).train()[0]
    assert set(record) == {"iteration", "epoch", "learning_rate", "train_loss", "train_accuracy"}


def test_the_loss_falls(make_trainer):
    history = make_trainer(epochs=30, iterations=None, optimizer=Sgd(0.01)).train()
    assert history[-1]["train_loss"] < 0.8 * history[0]["train_loss"]


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(make_trainer, slices):
    def bits(seed):
        trainer = make_trainer(seed=seed, slices=slices)
        history = trainer.train()
        return trainer.network.values.tobytes(), str(history)

    assert bits(0) == bits(0)
    assert bits(0)[0] != bits(1)[0]


def test_slices_change_the_result_by_rounding_only(make_trainer):
    one, three = make_trainer(slices=1), make_trainer(slices=3)
    one.train()
    three.train()
    np.testing.assert_allclose(three.network.values, one.network.values, rtol=0, atol=1e-12)


def test_a_schedule_gets_the_progress_of_training(make_trainer, toy):
    optimizer = toy.RecordingOptimizer()
    optimizer.learning_rate = schedule = toy.Halving()
    history = make_trainer(optimizer=optimizer, iterations=5, evaluate_every=5).train()
    per_step = [told for i, told in enumerate(schedule.told) if i]  # the first is asked before the loop
    assert per_step == [(step, step / 4, 5) for step in range(5)]
    used = [call["learning_rate"] for call in optimizer.calls if call["decay"]]
    assert used == [0.5**step for step in range(5)]
    assert [call["step"] for call in optimizer.calls if call["decay"]] == [1, 2, 3, 4, 5]
    assert history[-1]["learning_rate"] == 0.5**4


def test_callbacks_follow_every_event(make_trainer, toy):
    callback = toy.RecordingCallback()
    history = make_trainer(callbacks=[callback], iterations=3, evaluate_every=2).train()
    kinds = [event[:2] for event in callback.events]
    assert kinds == [
        ("start", 0),
        ("step", 1),
        ("step", 2),
        ("evaluation", 2),
        ("step", 3),
        ("evaluation", 3),
        ("end", 3),
    ]
    assert callback.events[3][2] == history[0]
    assert all(math.isfinite(event[2]) for event in callback.events if event[0] == "step")


def test_callbacks_see_the_evaluations_so_far(make_trainer, toy):
    class Historian(toy.RecordingCallback):
        def on_start(self, training):
            self.events.append(list(training.history))

        def on_evaluation(self, training, record):
            assert training.history[-1] == record
            self.events.append(list(training.history))

    callback = Historian()
    history = make_trainer(callbacks=[callback], iterations=3, evaluate_every=1).train()
    assert [event for event in callback.events if isinstance(event, list)] == [history[:i] for i in range(4)]


def test_a_callback_may_end_training_after_the_step_it_is_in(make_trainer, toy):
    trainer = make_trainer(callbacks=[toy.RecordingCallback(stop_at=3)], iterations=100)
    history = trainer.train()
    assert trainer.stopped == "enough"
    assert [record["iteration"] for record in history] == [3]


def test_a_callback_may_end_training_at_an_evaluation(make_trainer, toy):
    class StopAtEvaluation(toy.RecordingCallback):
        def on_evaluation(self, training, record):
            training.stop("good enough")

    trainer = make_trainer(callbacks=[StopAtEvaluation()], iterations=100, evaluate_every=6)
    assert [record["iteration"] for record in trainer.train()] == [6]
    assert trainer.stopped == "good enough"


def test_epochs_are_whole_after_every_pass_whatever_the_size_of_the_last_minibatch(make_trainer):
    history = make_trainer(batch_size=8, iterations=49, evaluate_every=3).train()
    assert [record["epoch"] for record in history[:-1]] == [float(number) for number in range(1, 17)]
    assert history[-1]["epoch"] == 49 / 3


def test_a_stop_request_ends_training_after_the_step_it_is_in(make_trainer):
    stop = StopRequest()
    told = Told(stop)
    trainer = make_trainer(iterations=100, observer=told, stop=stop)
    trainer.train()
    assert trainer.stopped == "SIGINT"
    assert trainer.progress.step == 1
    assert told.events == [("started", 100), ("stepped", 1), ("ended",)]


def test_several_observers_get_the_same_events(make_trainer):
    first, second = Told(), Told()
    make_trainer(iterations=2, evaluate_every=1, observer=ObserverGroup((first, second))).train()
    assert first.events == second.events
    assert first.events[0] == ("started", 2)
    assert ("evaluated", 2) in first.events
    assert first.events[-1] == ("ended",)


def test_every_event_reaches_every_observer_in_their_order():
    events = [event for event in vars(Observer) if not event.startswith("_")]
    seen = []

    def listener(number):
        observer = Observer()
        for event in events:
            setattr(observer, event, lambda *details, event=event: seen.append((event, number, details)))
        return observer

    group = ObserverGroup([listener(1), listener(2)])
    for event in events:
        getattr(group, event)("a", "b")
    assert seen == [(event, number, ("a", "b")) for event in events for number in (1, 2)]


def test_augmentations_change_training_inputs_only_and_the_same_way_each_time(make_trainer, toy):
    class Watch(Layer):
        def __init__(self):
            self.seen = []

        def forward(self, x):
            self.seen.append((self.training, x[:, 1:].sum()))
            return x

        def backward(self, dy):
            return dy

    def sums(*augmentations):
        watch = Watch()
        make_trainer(watch, augmentations=augmentations, iterations=4, optimizer=toy.RecordingOptimizer()).train()
        return watch.seen

    plain, shifted = sums(), sums(toy.Shift())
    assert shifted == sums(toy.Shift())
    assert [total for training, total in plain if not training] == [t for training, t in shifted if not training]
    both = zip(plain, shifted, strict=True)
    assert all(before[1] != after[1] for before, after in both if before[0])


def test_augmentations_follow_each_other_and_see_minibatches_of_any_size(make_trainer, toy):
    class Scale(toy.Shift):
        def __init__(self):
            self.seen = []

        def __call__(self, x, rng, out):
            assert out.shape == x.shape
            assert not np.shares_memory(x, out)
            self.seen.append((len(x), x[:, 1].copy(), rng.random()))
            np.multiply(x, 3, out=out)
            return out

    first, second = Scale(), Scale()
    make_trainer(augmentations=[first, second], batch_size=8, epochs=2, iterations=None).train()
    assert [rows for rows, _, _ in first.seen] == [8, 8, 4] * 2
    for (_, x, _), (_, scaled, _) in zip(first.seen, second.seen, strict=True):
        np.testing.assert_array_equal(scaled, 3 * x)
    assert len({draw for _, _, draw in first.seen + second.seen}) == 12


@pytest.mark.parametrize(
    ("poison", "what"), [(math.nan, "not a number"), (math.inf, "infinite"), (-math.inf, "infinite")]
)
def test_a_loss_that_is_not_finite_ends_training_before_the_parameters_are_touched(make_trainer, poison, what):
    class Poison(SoftmaxWithLoss):
        def __init__(self):
            super().__init__()
            self.passes = 0

        def forward(self, x, t):
            self.passes += 1
            loss = super().forward(x, t)
            return poison if self.passes == 3 else loss

    good = make_trainer(iterations=2, evaluate_every=9)
    good.train()
    values_after_two_steps = good.network.values.tobytes()
    bad = make_trainer(loss=Poison(), iterations=9, evaluate_every=9)
    message = rf"the loss of step 3 is {what}\..*Try a learning rate below 0\.1,"
    with pytest.raises(DivergenceError, match=message):
        bad.train()
    assert bad.network.values.tobytes() == values_after_two_steps


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_an_evaluation_whose_loss_is_not_finite_ends_training_and_is_written_nowhere(make_trainer, toy, poison):
    class PoisonOutsideTraining(SoftmaxWithLoss):
        def forward(self, x, t):
            loss = super().forward(x, t)
            return loss if self.training else poison

    callback = toy.RecordingCallback()
    trainer = make_trainer(loss=PoisonOutsideTraining(), callbacks=[callback], iterations=9, evaluate_every=2)
    with pytest.raises(DivergenceError, match=r"after step 2 the train loss is .*Try a learning rate below 0\.1,"):
        trainer.train()
    assert [event[:2] for event in callback.events[-2:]] == [("step", 2), ("end", 2)]
    assert trainer.history == []


def test_numbers_that_overflow_on_the_way_to_divergence_give_no_warnings(make_trainer):
    with pytest.raises(DivergenceError):
        make_trainer(optimizer=Sgd(1e308), iterations=1).train()


def test_divergence_ends_what_follows_training_too(make_trainer, toy):
    class Nan(Layer):
        def forward(self, x):
            return x * math.nan

        def backward(self, dy):
            return dy

    callback, told = toy.RecordingCallback(), Told()
    with pytest.raises(DivergenceError):
        make_trainer(Nan(), callbacks=[callback], observer=told).train()
    assert callback.events == [("start", 0), ("end", 0)]
    assert told.events[-1] == ("ended",)


@pytest.mark.parametrize("method", ["on_start", "on_step", "on_evaluation", "on_end"])
def test_a_callback_that_fails_is_named(make_trainer, toy, method):
    def fail(self, *args):
        raise OSError("no space")

    broken = type("Broken", (toy.RecordingCallback,), {method: fail})
    with pytest.raises(ComponentFailure, match=r"^callback Broken failed: OSError: no space$"):
        make_trainer(callbacks=[broken()]).train()


def test_a_schedule_that_fails_is_named(make_trainer, toy):
    class Broken(toy.Halving):
        def __call__(self, progress):
            raise ZeroDivisionError("epoch 0")

    optimizer = toy.RecordingOptimizer()
    optimizer.learning_rate = Broken()
    with pytest.raises(ComponentFailure, match="the schedule of the learning rate failed: ZeroDivisionError"):
        make_trainer(optimizer=optimizer).train()


def test_an_optimizer_without_a_learning_rate_is_named(make_trainer, toy):
    optimizer = toy.RecordingOptimizer()
    del optimizer.learning_rate
    with pytest.raises(ComponentFailure, match=r"^optimizer RecordingOptimizer has no learning rate: AttributeError"):
        make_trainer(optimizer=optimizer)


def test_an_augmentation_or_a_data_set_that_fails_is_named(make_trainer, toy):
    class Broken(toy.Shift):
        def __call__(self, x, rng, out):
            raise ValueError("too far")

    with pytest.raises(ComponentFailure, match=r"^augmentation Broken failed: ValueError: too far$"):
        make_trainer(augmentations=[Broken()]).train()

    class BrokenSplit(toy.ToySplit):
        def take(self, indices, out):
            raise IndexError("no such row")

    class BrokenData(toy.Toy):
        def open(self, seed):
            return {"train": BrokenSplit(20, 0)}

    with pytest.raises(ComponentFailure, match=r"^the data set failed in take: IndexError: no such row$"):
        make_trainer(dataset=BrokenData()).train()


def test_the_precision_of_a_training_ends_with_it(make_trainer):
    trained, fresh = (make_trainer(Affine(6), dtype="float32", precision="bfloat16") for _ in range(2))
    trained.train()
    fresh.network.values[...] = trained.network.values
    x, t = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32), np.arange(5) % 4
    found, expected = trained.network.gradient(x, t), fresh.network.gradient(x, t)
    assert {path: array.tobytes() for path, array in found.items()} == {
        path: array.tobytes() for path, array in expected.items()
    }
