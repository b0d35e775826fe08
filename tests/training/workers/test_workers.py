"""Threads that share the work of a step change no result by one bit."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
from training_section import section_of

from mlpkit import Classes, Description, Layer, Sequential
from mlpkit.network import flat_layout
from mlpkit.training.loop import Trainer
from mlpkit.training.workers import Workers, useful_workers
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.adam import Adam


def thread_names():
    return {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("items", [0, 1, 2, 3, 9])
def test_results_come_in_the_order_of_the_items(count, items):
    numbers = list(range(items))
    with Workers(count) as workers:
        for _ in range(20):
            assert workers.map(lambda number: number * number, numbers) == [number * number for number in numbers]
    assert workers.map(str, numbers) == [str(number) for number in numbers]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
def test_a_forked_child_which_has_no_threads_does_the_work_itself():
    with Workers(3) as workers:
        child = os.fork()
        if child == 0:
            os._exit(0 if workers.map(abs, [-1, -2, -3]) == [1, 2, 3] else 1)
        deadline = time.monotonic() + 20
        ended, status = 0, None
        while not ended and time.monotonic() < deadline:
            time.sleep(0.01)
            ended, status = os.waitpid(child, os.WNOHANG)
        if not ended:
            os.kill(child, 9)
            os.waitpid(child, 0)
        assert (ended, status) == (child, 0)


def test_an_item_belongs_to_one_worker():
    caller = threading.current_thread().name
    with Workers(3) as workers:
        names = workers.map(lambda _: threading.current_thread().name, range(7))
    assert names == [caller, "worker 1", "worker 2", caller, "worker 1", "worker 2", caller]
    assert Workers(3).map(lambda _: threading.current_thread().name, range(3)) == [caller] * 3


def test_the_work_is_done_at_the_same_time():
    meeting = threading.Barrier(3, timeout=20)
    with Workers(3) as workers:
        workers.map(lambda _: meeting.wait(), range(3))


def test_the_first_items_exception_is_raised_when_all_are_done():
    done = []

    def odd_fails(number):
        if number % 2:
            raise ValueError(number)
        done.append(number)

    with Workers(3) as workers:
        for _ in range(3):
            with pytest.raises(ValueError, match=r"^1$"):
                workers.map(odd_fails, range(6))
        assert workers.map(abs, [-1, -2, -3]) == [1, 2, 3]
    assert sorted(done) == [0, 0, 0, 2, 2, 2, 4, 4, 4]


def test_threads_end_with_the_block():
    names = thread_names()
    with Workers(3):
        assert thread_names() == {*names, "worker 1", "worker 2"}
    assert thread_names() == names
    with pytest.raises(KeyError), Workers(3):
        raise KeyError
    assert thread_names() == names


def test_there_are_no_more_workers_than_cores_and_work(monkeypatch):
    monkeypatch.setattr("mlpkit.training.workers.available_cores", lambda: 3)
    assert [useful_workers(network(slices)) for slices in (1, 2, 5)] == [1, 2, 3]
    size = network(1).layout.size
    for whole_blocks in (1, 2):
        monkeypatch.setattr(flat_layout, "BLOCK", size // (whole_blocks + 1) + 1)  # and a part of one more
        assert useful_workers(network(1)) == whole_blocks


def test_workers_warn_of_no_overflow():
    with Workers(2) as workers, np.errstate(over="ignore"):
        results = workers.map(lambda factor: np.full(3, 1e38, np.float32) * np.float32(factor), [10, 100])
    assert np.isinf(results).all()


class Halves(Layer):
    """Sets half of the elements to zero in training, and counts its passes in its state."""

    def build(self, input_shape):
        self.passes = self.state("passes", (), 0)
        return input_shape

    def forward(self, x):
        self.passes.value += 1
        self.kept = self.rng.random(x.shape) < 0.5 if self.training else np.ones(x.shape, bool)
        return x * self.kept

    def backward(self, dy):
        return dy * self.kept


class Examples:
    """Random examples of three features and four classes."""

    def __init__(self):
        generator = np.random.default_rng(0)
        self.x, self.t = generator.normal(size=(50, 3)), generator.integers(4, size=50)

    def __len__(self):
        return len(self.x)

    def take(self, indices, out):
        out[0][:], out[1][:] = self.x[indices], self.t[indices]


def network(slices):
    return Sequential([Affine(8), Relu(), Halves(), Affine(4), SoftmaxWithLoss()], (3,), seed=1, slices=slices)


def trained(workers):
    trained = network(4)
    section = section_of(Adam(0.01), batch_size=15, iterations=30)
    description = Description((3,), Classes(4), {"train": 50})
    trainer = Trainer(trained, {"train": Examples()}, description, section, workers=workers)
    history = trainer.train()
    return trained.values.tobytes(), trained.states["Halves1.passes"].tobytes(), history


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_a_network_has_the_same_bits_on_any_workers(monkeypatch, workers):
    monkeypatch.setattr(flat_layout, "BLOCK", 16)
    assert trained(workers) == trained(1)
