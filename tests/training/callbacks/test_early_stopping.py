"""Ending a training that no longer gets better."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import Progress, TrainingView
from mlpkit.training.callbacks import EarlyStopping


def followed(values, *, interrupted_after=None, **options):
    """Return after which evaluation, two of them an epoch, training ends, and why; perhaps resumed in between."""

    def new():
        return EarlyStopping("loss", **{"higher_is_better": False, "minimum_change": 0.0} | options)

    view, callback = TrainingView(Progress(0, 0.0, 100), {}), new()
    for i, value in enumerate(values):
        callback.on_evaluation(view, {"iteration": 10 * i, "epoch": i / 2, "train_loss": 0.0, "validation_loss": value})
        if view.stop_reason:
            return i, view.stop_reason
        if i == interrupted_after:
            state = callback.state()
            callback = new()
            callback.load_state(state)
    return None, ""


def by_hand(values, patience, minimum_change, sign):
    """Return after which evaluation there has been none better for that long."""
    best, waited = None, 0
    for i, value in enumerate(values):
        if math.isfinite(value) and (best is None or sign * (value - best) > minimum_change):
            best, waited = value, 0
        else:
            waited += 1
        if waited == patience:
            return i
    return None


@given(
    st.lists(st.floats(0, 1) | st.just(math.nan) | st.just(math.inf), max_size=20),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.05]),
    st.booleans(),
    st.integers(0, 11),
    st.integers(0, 20),
)
def test_it_ends_when_nothing_was_better_for_so_long_whenever_it_is_interrupted(
    values, patience, change, higher, epochs, interrupted
):
    counted = by_hand(values[2 * epochs :], patience, change, 1 if higher else -1)
    expected = None if counted is None else 2 * epochs + counted
    options = {"patience": patience, "minimum_change": change, "higher_is_better": higher, "after_epochs": epochs}
    assert followed(values, **options)[0] == expected
    assert followed(values, **options, interrupted_after=interrupted)[0] == expected


def test_it_says_what_the_best_was_and_when():
    assert followed([0.5, 0.31234, 0.4, 0.35], patience=2) == (
        3,
        "loss has not improved on 0.3123 of step 10 in 2 evaluations",
    )
    assert followed([math.nan, math.nan], patience=2)[1] == "loss has not improved on any value before in 2 evaluations"


@pytest.mark.parametrize("slices", [1, 2])
def test_a_training_ends_early(make_trainer, slices):
    callback = EarlyStopping("accuracy", higher_is_better=True, patience=3, minimum_change=0.0)
    trainer = make_trainer(callbacks=[callback], iterations=1000, evaluate_every=5, slices=slices)
    history = trainer.train()
    accuracies = [record["validation_accuracy"] for record in history]
    assert len(history) == by_hand(accuracies, 3, 0.0, 1) + 1 < 200
    assert trainer.stopped.startswith("accuracy has not improved on ")
