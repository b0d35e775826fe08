"""Several ranks train a network to the bits of one: who computes which slice changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import Centred
from thread_ranks import SECONDS, Meeting, ThreadRanks
from training_section import section_of

from mlpkit import Sequential, UsageError
from mlpkit.errors import DivergenceError
from mlpkit.network.replica import add_along_tree
from mlpkit.training.callbacks import BestWeights, EarlyStopping, MovingAverage
from mlpkit.training.loop import Trainer
from mlpkit.training.ranks import ONE_RANK, own_slices
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.metrics.accuracy import Accuracy
from mlpkit_plugins.optimizers.adamw import Adamw
from mlpkit_plugins.schedules.cosine import Cosine

pytestmark = pytest.mark.filterwarnings("ignore:BatchNorm1 computes over")


@pytest.fixture(autouse=True)
def _several_batches_an_evaluation(monkeypatch):
    monkeypatch.setattr("mlpkit.training.evaluation.EVALUATION_ROWS", 4)


def trainer(toy, ranks, *, slices=4, classes=None, **settings):
    dataset = toy.Toy(train=23)
    stack = [BatchNorm(), Affine(7), Centred(), Dropout(0.4), Affine(4), SoftmaxWithLoss(class_weights=classes)]
    own = ranks.divide(slices, fast=False)
    network = Sequential(stack, (3,), dtype="float32", slices=slices, own_slices=own)
    callbacks = settings.pop("callbacks", tuple)
    optimizer = settings.pop("optimizer", lambda rank: Adamw(Cosine(0.01)))(ranks.rank)
    given = {"batch_size": 9, "epochs": 3, "metrics": {"accuracy": Accuracy}} | settings
    callbacks = callbacks() if ranks.rank == 0 else ()
    section = section_of(optimizer, **given)
    return Trainer(network, dataset.open(0), dataset.describe(), section, callbacks=callbacks, ranks=ranks)


def trained(toy, size, snapshot=None, **options):
    """Return the trainer of rank 0 after training on several ranks."""
    return trainers(toy, size, snapshot, **options)[0]


def trainers(toy, size, snapshot=None, **options):
    """Return the trainers of all ranks, after training."""
    meeting = Meeting(size)
    ranks = [ThreadRanks(meeting, rank) for rank in range(size)] if size > 1 else [ONE_RANK]
    leader, *others = (trainer(toy, each, **options) for each in ranks)
    if snapshot is not None:
        leader.restore(snapshot)
    with ThreadPoolExecutor(size) as executor:
        helping = [executor.submit(other.assist) for other in others]
        try:
            leader.train()
        finally:
            ranks[0].start_task("end")
        for each in helping:
            each.result(SECONDS)
    return [leader, *others]


def bits(leader):
    snapshot = leader.snapshot()
    return {name: array.tobytes() for name, array in snapshot.arrays.items()}, leader.history


OPTIONS = {
    "plain": {},
    "clipped": {"clip": ("norm", 0.3), "max_weight_norm": {"*.W": 0.5}},
    "accumulated": {"batch_size": 5, "accumulate": 3, "classes": [1, 2, 0.3, 1]},
    "minibatches smaller than slices": {"batch_size": 5, "slices": 4, "sampling": "shuffle"},
    "with replacement": {"sampling": "with_replacement", "epochs": None, "iterations": 7},
    "other weights evaluated": {"callbacks": lambda: [MovingAverage(0.8)]},
    "best weights": {"callbacks": lambda: [BestWeights("loss", higher_is_better=False)]},
    "stopped early": {
        "epochs": 30,
        "callbacks": lambda: [EarlyStopping("loss", higher_is_better=False, patience=1, minimum_change=1.0)],
    },
    "seven slices": {"slices": 7},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_several_ranks_train_to_the_bits_of_one(toy, name):
    assert bits(trained(toy, 4, **OPTIONS[name])) == bits(trained(toy, 1, **OPTIONS[name]))


def test_augmented_minibatches_have_the_same_bits_too(toy):
    assert bits(trained(toy, 2, augmentations=[toy.Shift()])) == bits(trained(toy, 1, augmentations=[toy.Shift()]))


def test_a_run_goes_on_with_another_number_of_ranks(toy):
    whole = bits(trained(toy, 1))
    for before, after in ((1, 4), (4, 2), (2, 1)):
        half = trained(toy, before, callbacks=lambda: [toy.RecordingCallback(stop_at=4)]).snapshot()
        half.metadata.update(stop_reason="", callbacks=[])
        assert bits(trained(toy, after, half))[0]["parameters"] == whole[0]["parameters"]


class Drifting(Adamw):
    """Rounds differently in each rank."""

    def __init__(self, rank: int):
        super().__init__(0.01)
        self.rank = rank

    def update(self, value, gradient, slots, step):
        super().update(value, gradient, slots, step)
        value *= 1 + 1e-6 * self.rank


def test_ranks_that_round_differently_agree_again_after_each_evaluation(toy):
    leader, *others = (bits(each)[0] for each in trainers(toy, 4, optimizer=Drifting))
    for other in others:
        assert other == {name: leader[name] for name in other}


def test_each_rank_reads_only_its_rows(toy, monkeypatch):
    read = []
    take = toy.ToySplit.take

    def recording(split, indices, out):
        read.append((len(split), len(indices)))
        take(split, indices, out)

    monkeypatch.setattr(toy.ToySplit, "take", recording)
    trained(toy, 2, batch_size=8, sampling="with_replacement", iterations=1, epochs=None)
    evaluation = [(6, 2), (6, 4), (23, 3), *[(23, 4)] * 5]
    assert sorted(read) == sorted([*evaluation, (23, 4), (23, 4)])


def test_all_ranks_end_with_the_message_of_one_if_the_training_diverges(toy):
    class Broken(toy.Toy):
        def open(self, seed):
            splits = super().open(seed)
            splits["train"].x[-1, 1] = np.nan
            return splits

    broken = type("toy", (), {**vars(toy), "Toy": Broken})
    messages = []
    for size in (1, 4):
        with pytest.raises(DivergenceError, match="the inputs of the minibatch, in row") as error:
            trained(broken, size)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_what_each_rank_adds_is_a_branch_of_the_tree(slices, ranks, data):
    try:
        own = [own_slices(slices, ranks, rank) for rank in range(ranks)]
    except UsageError:
        return
    assert [each for part in own for each in part] == list(range(slices))
    assert all(len(part) > 0 for part in own)
    numbers = np.array(data.draw(st.lists(st.floats(-1e3, 1e3, width=32), min_size=slices, max_size=slices)), "float32")
    there = data.draw(st.integers(1, slices))  # a small minibatch has fewer slices
    whole = [numbers[i : i + 1].copy() for i in range(there)]
    branches = [[numbers[i : i + 1].copy() for i in part if i < there] for part in own]
    for branch in branches:
        add_along_tree(branch)
    sums = [branch[0] for branch in branches if branch]
    add_along_tree(whole)
    add_along_tree(sums)
    assert sums[0].tobytes() == whole[0].tobytes()


@pytest.mark.parametrize(
    ("slices", "ranks", "fitting"), [(1, 2, "1"), (4, 3, "1, 2 or 4"), (6, 4, "1, 2, 3 or 6"), (4, 8, "1, 2 or 4")]
)
def test_slices_that_the_ranks_cannot_share_are_an_error(slices, ranks, fitting):
    with pytest.raises(UsageError) as error:
        own_slices(slices, ranks, 0)
    assert f"{ranks} ranks can't share the {slices} slice" in str(error.value)
    assert f"expected {fitting} ranks for this number of slices" in str(error.value)
    assert own_slices(ranks, ranks, 0) == range(1)  # what the message advises
