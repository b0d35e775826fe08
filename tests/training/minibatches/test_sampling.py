"""Which examples make up a minibatch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.training.minibatches import NUMBERS_DRAWN_TOGETHER, SAMPLERS, Shuffle, WithReplacement

sizes = st.integers(1, 60)
seeds = st.integers(0, 5)


@given(sizes, sizes, seeds, st.integers(0, 3))
def test_shuffle_takes_every_example_once_an_epoch(examples, batch_size, seed, epoch):
    sampler = Shuffle(examples, batch_size, seed)
    first = epoch * sampler.steps_per_epoch
    batches = [sampler.indices(first + i) for i in range(sampler.steps_per_epoch)]
    assert sorted(np.concatenate(batches)) == list(range(examples))
    assert all(len(batch) == min(batch_size, examples) for batch in batches[:-1])
    assert len(batches[-1]) == examples - min(batch_size, examples) * (len(batches) - 1)


def test_shuffle_has_another_order_in_each_epoch_and_for_each_seed():
    orders = {tuple(Shuffle(50, 50, seed).indices(epoch)) for seed in (0, 1) for epoch in (0, 1)}
    assert len(orders) == 4


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@given(st.lists(st.integers(0, 200), min_size=1, max_size=8), seeds)
def test_the_minibatch_of_a_step_depends_on_seed_and_step_alone(name, steps, seed):
    asked_in_any_order = SAMPLERS[name](30, 4, seed)
    for step in steps:
        np.testing.assert_array_equal(asked_in_any_order.indices(step), SAMPLERS[name](30, 4, seed).indices(step))


def test_a_minibatch_larger_than_what_is_drawn_at_once_is_drawn_alone():
    sampler = WithReplacement(10, NUMBERS_DRAWN_TOGETHER + 1, 0)
    assert sampler.steps_drawn_together == 1
    assert len(sampler.indices(3)) == NUMBERS_DRAWN_TOGETHER + 1


def test_with_replacement_draws_each_example_as_often_as_another():
    sampler = WithReplacement(10, 1000, 0)
    counts = np.bincount(np.concatenate([sampler.indices(step) for step in range(20)]), minlength=10)
    assert counts.sum() == 20_000
    assert counts.min() > 1800
    assert counts.max() < 2200


def test_with_replacement_draws_again_at_each_step_and_across_blocks():
    sampler = WithReplacement(1000, 2000, 0)
    assert 1 < sampler.steps_drawn_together < 100
    draws = {tuple(sampler.indices(step)) for step in range(2 * sampler.steps_drawn_together)}
    assert len(draws) == 2 * sampler.steps_drawn_together
    assert any(len(set(draw)) < 20 for draw in (tuple(WithReplacement(21, 20, 0).indices(i)) for i in range(3)))


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@pytest.mark.parametrize(("examples", "per_epoch"), [(30, 7), (28, 7), (4, 1)])
def test_the_last_smaller_minibatch_may_be_dropped(name, examples, per_epoch):
    sampler = SAMPLERS[name](examples, 4, 0, drop_last=True)
    assert sampler.steps_per_epoch == per_epoch
    assert {len(sampler.indices(step)) for step in range(3 * per_epoch)} == {4}


def test_a_dropped_minibatch_changes_nothing_before_it():
    whole, dropping = Shuffle(30, 4, 0), Shuffle(30, 4, 0, drop_last=True)
    for step in range(7):
        np.testing.assert_array_equal(whole.indices(step), dropping.indices(step))
    np.testing.assert_array_equal(whole.indices(8), dropping.indices(7))  # the first of the second epoch


def test_the_minibatches_of_a_seed_are_those_of_earlier_runs():
    shuffled, drawn = Shuffle(10, 4, 3), WithReplacement(1000, 1, 3)
    assert [shuffled.indices(step).tolist() for step in range(4)] == [[7, 1, 4, 2], [6, 5, 8, 9], [3, 0], [7, 1, 2, 3]]
    assert [drawn.indices(step).item() for step in (0, 131_071, 131_072, 131_073)] == [693, 509, 817, 940]
    assert WithReplacement(1000, 100, 3).indices(1310)[:4].tolist() == [817, 940, 678, 10]
