"""Ranks that are threads of one process, so that what they do together is tested without MPI."""

from __future__ import annotations

from contextlib import suppress
from queue import SimpleQueue
from threading import Barrier

from mlpkit.errors import DivergenceError
from mlpkit.network.replica import add_along_tree
from mlpkit.training.ranks import own_slices

SECONDS = 30


class Meeting:
    """The place where threads exchange what each of them has."""

    def __init__(self, size):
        self.barrier = Barrier(size, timeout=SECONDS)
        self.brought = [None] * size
        self.tasks = [SimpleQueue() for _ in range(size)]
        self.sent = [SimpleQueue() for _ in range(size)]

    def exchange(self, rank, own):
        self.brought[rank] = own
        self.barrier.wait()
        everything = list(self.brought)
        self.barrier.wait()
        return everything


class ThreadRanks:
    cores = 1

    def __init__(self, meeting, rank):
        self.meeting, self.rank, self.size = meeting, rank, len(meeting.brought)

    def divide(self, slices, *, fast=False):
        self.each = len(own_slices(slices, self.size, 0))
        return own_slices(slices, self.size, self.rank)

    def broadcast(self, array):
        array[...] = self.meeting.exchange(self.rank, array.copy())[0]

    def all_gather(self, values, slices):
        found = [value for own in self.meeting.exchange(self.rank, values) for value in own]
        assert len(found) == slices
        return found

    def reduce_gradients(self, gradients, slices):
        everything = self.meeting.exchange(self.rank, [gradient.copy() for gradient in gradients])
        for i, gradient in enumerate(gradients):
            parts = [own[i].copy() for own in everything[: -(-slices // self.each)]]
            add_along_tree(parts)
            gradient[...] = parts[0]

    def start_task(self, task, *arguments):
        for queue in self.meeting.tasks[1:] if self.rank == 0 else ():
            queue.put((task, arguments))

    def on_all_ranks(self, task, function):
        def leading(*arguments):
            self.start_task(task, *arguments)
            return function(*arguments)

        return leading

    def follow(self, tasks):
        while (task := self.meeting.tasks[self.rank].get(timeout=SECONDS))[0] != "end":
            with suppress(DivergenceError):
                tasks[task[0]](*task[1])

    def send_to_root(self, item):
        weight, loss, *arrays = item
        copies = [each if each is None else each.copy() for each in arrays]
        self.meeting.sent[self.rank].put((weight, loss, *copies))

    def own_turns(self, count):
        return range(self.rank, count, self.size)

    def round_robin(self, own, count):
        for number in range(count):
            rank = number % self.size
            yield self.meeting.sent[rank].get(timeout=SECONDS) if rank else next(own)
