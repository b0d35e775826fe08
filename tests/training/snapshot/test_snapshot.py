"""A trainer goes on from another one's snapshot as if there had been no break."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from mlpkit import ModelFileError, StorageError
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training import loop
from mlpkit.training.events import Observer, StopRequest
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.optimizers.adam import Adam


class Kept:
    """Keeps the snapshots of a run."""

    def __init__(self):
        self.saved, self.best = [], []

    def save(self, snapshot, *, best=False):
        (self.best if best else self.saved).append(snapshot)

    def raise_failure(self):
        pass


def settings():
    return {
        "optimizer": Adam(0.05),
        "iterations": 12,
        "evaluate_every": 3,
        "checkpoint": CheckpointSection(every=1, best="loss"),
    }


@pytest.fixture
def whole(make_trainer):
    """Return a trainer that has finished, and the snapshots after each of its steps."""
    kept = Kept()
    trainer = make_trainer(slices=2, store=kept, **settings())
    trainer.train()
    return trainer, kept


def test_there_is_a_snapshot_a_step_and_one_an_evaluation_that_is_better(whole):
    trainer, kept = whole
    assert [snapshot.step for snapshot in kept.saved] == list(range(1, 13))
    losses = [record["validation_loss"] for record in trainer.history]
    better = [i for i, loss in enumerate(losses) if loss < min(losses[:i], default=np.inf)]
    assert [snapshot.step for snapshot in kept.best] == [trainer.history[i]["iteration"] for i in better]
    assert kept.best[-1].metadata["best"] == [trainer.history[better[-1]]["iteration"], losses[better[-1]]]


@pytest.mark.parametrize("step", range(1, 13))
def test_the_rest_is_the_same_to_the_bit(step, whole, make_trainer):
    trainer, kept = whole
    again = Kept()
    other = make_trainer(slices=2, store=again, **settings())
    other.restore(kept.saved[step - 1])
    assert other.train() == trainer.history
    assert other.network.values.tobytes() == trainer.network.values.tobytes()
    later = kept.saved[step:]
    assert [snapshot.metadata for snapshot in again.saved] == [snapshot.metadata for snapshot in later]
    for mine, theirs in zip(again.saved, later, strict=True):
        assert {n: a.tobytes() for n, a in mine.arrays.items()} == {n: a.tobytes() for n, a in theirs.arrays.items()}


def test_a_callback_gets_its_state_and_the_history_before_on_start(make_trainer, toy):
    class Counting(toy.RecordingCallback):
        steps = 0

        def on_start(self, training):
            self.events.append((self.steps, [record["iteration"] for record in training.history]))

        def on_step(self, training, loss):
            self.steps += 1

        def state(self):
            return {"steps": self.steps}

        def load_state(self, state):
            self.steps = state["steps"]

    kept = Kept()
    make_trainer(callbacks=[Counting()], store=kept, **settings()).train()
    callback = Counting()
    again = make_trainer(callbacks=[callback], **settings())
    again.restore(kept.saved[6])
    again.train()
    assert callback.events[0] == (7, [3, 6])
    assert callback.steps == 12


def test_a_store_that_failed_meanwhile_is_asked_with_the_next_report(make_trainer, monkeypatch):
    class Failing(Kept):
        def raise_failure(self):
            if self.saved:
                raise StorageError("no room")

    monkeypatch.setattr(loop, "SECONDS_BETWEEN_REPORTS", 0)
    store = Failing()
    trainer = make_trainer(store=store, **settings() | {"checkpoint": CheckpointSection(every=5)})
    with pytest.raises(StorageError, match="no room"):
        trainer.train()
    assert ([snapshot.step for snapshot in store.saved], trainer.progress.step) == ([5], 6)


def test_a_callback_and_a_signal_that_ask_to_stop_after_the_same_step(make_trainer, toy):
    class Both(toy.RecordingCallback):
        def on_step(self, training, loss):
            super().on_step(training, loss)
            if training.progress.step == 5:
                training.stop("enough")
                stop.stop("SIGINT")

    stop, kept = StopRequest(), Kept()
    first = make_trainer(callbacks=[Both()], stop=stop, store=kept, **settings() | {"checkpoint": None})
    first.train()
    assert (first.stopped, [record["iteration"] for record in first.history]) == ("SIGINT", [3])
    assert [snapshot.step for snapshot in kept.saved] == [5]

    second = make_trainer(callbacks=[Both()], store=kept, **settings())
    second.restore(kept.saved[0])
    assert [record["iteration"] for record in second.train()] == [3, 5]
    assert (second.stopped, second.progress.step) == ("enough", 5)

    third = make_trainer(callbacks=[Both()], store=kept, **settings())
    third.restore(second.snapshot())
    assert third.train() == second.history  # nothing is left to do


def test_a_training_that_was_stopped_in_its_first_step_is_evaluated_after_it(make_trainer):
    stop, kept, often = StopRequest(), Kept(), settings() | {"evaluate_every": 1}
    whole = make_trainer(**often).train()
    stop.stop("SIGINT")
    assert make_trainer(stop=stop, store=kept, **often).train() == []
    rest = make_trainer(**often)
    rest.restore(kept.saved[0])
    assert rest.train() == whole


def test_a_snapshot_of_another_network_is_refused_before_anything_is_written(whole, make_trainer, toy):
    _, kept = whole
    snapshot = kept.saved[5]
    other = make_trainer(slices=2, **settings())
    before = other.network.values.tobytes()
    for broken, message in (
        ({"slots/m": None}, r"array slots/m of the checkpoint is missing; expected float64 of \(16,\)"),
        ({"parameters": np.zeros(9)}, r"is float64 of shape \(9,\); expected float64 of \(16,\)"),
        ({"parameters": np.zeros(16, np.float32)}, "is float32 of shape"),
        ({"history/epoch": None}, "the checkpoint has no valid history/epoch"),
        ({"history/epoch": np.zeros(4)}, "the checkpoint's history is damaged"),
    ):
        arrays = {name: array for name, array in (snapshot.arrays | broken).items() if array is not None}
        with pytest.raises(ModelFileError, match=message):
            other.restore(snapshot._replace(arrays=arrays))
        assert other.network.values.tobytes() == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("step", -1),
        ("step", 13),
        ("step", 1.0),
        ("step", True),
        ("learning_rate", "1"),
        ("stop_reason", None),
        ("history", ["iteration"]),
        ("history", {}),
        ("best", [1]),
        ("best", [1, "2"]),
        ("callbacks", {}),
        ("callbacks", [1]),
    ],
)
def test_metadata_that_no_run_has_are_refused(key, value, whole, make_trainer):
    snapshot = whole[1].saved[5]
    other = make_trainer(slices=2, **settings())
    before = other.network.values.tobytes()
    with pytest.raises(ModelFileError, match=f"the checkpoint has no valid {key};"):
        other.restore(snapshot._replace(metadata=snapshot.metadata | {key: value}))
    metadata = {name: value for name, value in snapshot.metadata.items() if name != key}
    if key not in {"learning_rate", "best"}:
        with pytest.raises(ModelFileError, match=f"the checkpoint has no valid {key};"):
            other.restore(snapshot._replace(metadata=metadata))
    assert other.network.values.tobytes() == before


def test_a_snapshot_shares_nothing_with_the_run(make_trainer):
    trainer = make_trainer(slices=2, **settings())
    snapshot = trainer.snapshot()
    before = copy.deepcopy(snapshot)
    trainer.train()
    assert snapshot.metadata == before.metadata
    assert {n: a.tobytes() for n, a in snapshot.arrays.items()} == {n: a.tobytes() for n, a in before.arrays.items()}
    late = trainer.snapshot()
    slots = [slot.flat for slot in trainer._update.slots.values()]
    mine = [trainer.network.values, trainer.network.replicas[0].state, *slots]
    assert not any(np.shares_memory(array, other) for array in late.arrays.values() for other in mine)


def test_gaps_between_rows_are_not_saved(make_trainer):
    trainer = make_trainer(Affine(512), **settings())
    assert trainer.network.layout.size > sum(array.size for array in trainer.network.parameters.values())
    snapshot = trainer.snapshot()
    whole = np.concatenate([array.ravel() for array in trainer.network.parameters.values()])
    assert snapshot.arrays["parameters"].tobytes() == whole.tobytes()
    other = make_trainer(Affine(512), **settings())
    other.network.values[:] = 0
    other.restore(snapshot)
    assert all((array == trainer.network.parameters[path]).all() for path, array in other.network.parameters.items())


@pytest.fixture
def half_frozen(make_trainer):
    """Return a function that makes trainers of two layers, the first one frozen."""

    def make(kept):
        return make_trainer(Affine(6), store=kept, frozen=["Affine1"], **settings())

    return make


@pytest.fixture
def frozen_halfway(half_frozen):
    """Return such a trainer that has finished, and its snapshot after the fifth step."""
    kept = Kept()
    trainer = half_frozen(kept)
    trainer.train()
    return trainer, kept.saved[4]


def test_snapshots_leave_out_slots_of_frozen_layers(frozen_halfway):
    trainer, during = frozen_halfway
    trained = sum(array.size for path, array in trainer.network.parameters.items() if path.startswith("Affine2."))
    for snapshot in (during, trainer.snapshot()):
        assert {name: len(array) for name, array in snapshot.arrays.items() if name.startswith("slots/")} == {
            "slots/m": trained,
            "slots/v": trained,
        }


def test_a_training_with_frozen_layers_goes_on_to_the_bit(frozen_halfway, half_frozen):
    trainer, snapshot = frozen_halfway
    other = half_frozen(Kept())
    other.restore(snapshot)
    assert other.train() == trainer.history
    assert other.network.values.tobytes() == trainer.network.values.tobytes()


class LaterAdam(Adam):
    """Keeps ten times the first moments that it kept before."""

    slots_version = Adam.slots_version + 1

    def upgrade_slots(self, slots, version):
        assert version == Adam.slots_version
        slots["m"] *= 10


def test_slots_of_an_earlier_version_are_upgraded_and_noticed(whole, make_trainer):
    snapshot, noticed, observer = whole[1].saved[5], [], Observer()
    observer.noticed = noticed.append
    trainer = make_trainer(slices=2, **settings() | {"optimizer": LaterAdam(0.05)}, observer=observer)
    trainer.restore(snapshot)
    assert noticed == [
        "the slots of optimizer LaterAdam were saved by an earlier version of it, and are converted; the same bits as "
        "without the break are no longer guaranteed"
    ]
    again = trainer.snapshot()
    np.testing.assert_array_equal(again.arrays["slots/m"], 10 * snapshot.arrays["slots/m"])
    np.testing.assert_array_equal(again.arrays["slots/v"], snapshot.arrays["slots/v"])
    assert again.metadata == snapshot.metadata | {"slots_version": LaterAdam.slots_version}
