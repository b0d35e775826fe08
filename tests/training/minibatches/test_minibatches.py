"""The minibatches of one step after the other."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import Classes, ComponentFailure, DataError, Description
from mlpkit.training import minibatches
from mlpkit.training.minibatches import SAMPLERS, BatchReader, MinibatchReader

EXAMPLES, BATCH_SIZE, STEPS = 22, 4, 25


class Numbers:
    """Examples that are their own position, and a note of how many rows each call read."""

    def __init__(self):
        self.rows = []

    def __len__(self):
        return EXAMPLES

    def take(self, indices, out):
        self.rows.append(len(indices))
        out[0][:, 0], out[1][:] = indices, indices % 3
        for weights in out[2:]:
            weights[:] = indices + 0.5


def reader(split, sampling, rows, monkeypatch, *, weighted=False):
    monkeypatch.setattr(minibatches, "ROWS_READ_TOGETHER", rows)
    sampler = SAMPLERS[sampling](EXAMPLES, BATCH_SIZE, 7)
    description = Description((1,), Classes(3), {"train": EXAMPLES}, weighted)
    dtype = np.dtype("float32")
    return sampler, MinibatchReader(sampler, split, description, dtype, batch_size=BATCH_SIZE, steps=STEPS)


@pytest.mark.parametrize("rows", [1, 4, 13, 40, 1000])
@pytest.mark.parametrize("sampling", SAMPLERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_each_step_gets_its_own_examples_however_many_are_read_together(monkeypatch, sampling, rows, weighted):
    split = Numbers()
    sampler, minibatch = reader(split, sampling, rows, monkeypatch, weighted=weighted)
    for step in [*range(STEPS), 3, 24, 0, 1]:
        x, t, weights = minibatch(step)
        indices = sampler.indices(step)
        np.testing.assert_array_equal(x[:, 0], indices)
        np.testing.assert_array_equal(t, indices % 3)
        assert (weights is None) is not weighted
        if weighted:
            np.testing.assert_array_equal(weights, indices + 0.5)


def test_small_minibatches_are_read_together_and_none_beyond_the_end(monkeypatch):
    split = Numbers()
    _, minibatch = reader(split, "with_replacement", 40, monkeypatch)
    for step in range(STEPS):
        minibatch(step)
    assert split.rows == [40, 40, 20]


def test_the_shorter_minibatch_at_the_end_of_an_epoch_stays_short(monkeypatch):
    _, minibatch = reader(Numbers(), "shuffle", 1000, monkeypatch)
    assert [len(minibatch(step)[0]) for step in range(12)] == [4, 4, 4, 4, 4, 2] * 2


class Failing(Numbers):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def take(self, indices, out):
        raise self.error


def test_a_data_set_s_own_errors_pass_and_others_name_it():
    indices, arguments = np.arange(2), (Description((1,), Classes(3), {"train": EXAMPLES}), np.dtype("float32"), 4)
    damaged = DataError("rows.csv", "is damaged")
    with pytest.raises(DataError) as caught:
        BatchReader(Failing(damaged), *arguments).take(indices)
    assert caught.value is damaged
    with pytest.raises(ComponentFailure, match=r"^the data set failed in take: ZeroDivisionError: by 0$"):
        BatchReader(Failing(ZeroDivisionError("by 0")), *arguments).take(indices)
    x, t, weights = BatchReader(Failing(damaged), *arguments).take(indices[:0])  # nothing is read
    assert (x.shape, t.shape, weights) == ((0, 1), (0,), None)


def test_batches_go_through_a_split_in_order():
    reader = BatchReader(Numbers(), Description((1,), Classes(3), {"train": EXAMPLES}), np.dtype("float32"), 8)
    assert reader.batches == 3
    assert [x[:, 0].tolist() for x, _, _ in reader.in_order()] == [[*range(8)], [*range(8, 16)], [*range(16, 22)]]
    assert [x[0, 0] for x, _, _ in reader.in_order([2, 0])] == [16, 0]
