"""Processes that train trials, and die at any time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlpkit.groups.local_workers import LocalWorkers, TrainingProcess
from mlpkit.training.events import Event, TrainingEnd
from mlpkit.verbs.sweep.trial import train_trial

DIES_AS_IT_WRITES = """
import os, signal, sys
sys.stdin.readline()
os.write(1, b'["over", [3, "", "", {"test": {"lo')
os.kill(os.getpid(), signal.SIGKILL)
"""
LEAVES = "import sys; sys.stdin.readline()"
FAILS = "raise SystemExit(1)"
HANGS = """
import json, sys, time
sys.stdin.readline()
time.sleep(0.3)  # reading data takes as long as it needs
print(json.dumps(["started", [3]]), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("script", "death"),
    [(DIES_AS_IT_WRITES, "by SIGKILL"), (LEAVES, "with exit code 0"), ("1 / 0", "with exit code 1")],
)
def test_a_process_that_ends_without_an_answer_has_died(script, death, monkeypatch, capfd):
    monkeypatch.setattr("mlpkit.second_process.START", script)
    process = TrainingProcess()
    assert process.train(train_trial, {"directory": "x"}, lambda event: None).death == death
    process.close()


def test_a_process_that_says_nothing_for_too_long_once_it_trains_is_killed(monkeypatch):
    monkeypatch.setattr("mlpkit.second_process.START", HANGS)
    process, events = TrainingProcess(), []
    end = process.train(train_trial, {"directory": "x"}, events.append, timeout=0.2)
    assert events == [Event(0, "started", (3,))]
    assert end.death == "after 0.2 s without progress"
    assert not process.alive
    process.close()


def test_what_a_hanging_process_has_started_ends_with_it(monkeypatch):
    script = HANGS.replace("time.sleep(60)", "import os; os.fork(); time.sleep(8)")  # both keep the pipe
    monkeypatch.setattr("mlpkit.second_process.START", script)
    process, began = TrainingProcess(), time.monotonic()
    assert process.train(train_trial, {"directory": "x"}, lambda event: None, timeout=0.2).death
    assert time.monotonic() - began < 6
    process.close()


def test_a_process_that_is_stopped_before_it_trains_has_not_died(monkeypatch):
    monkeypatch.setattr("mlpkit.second_process.START", LEAVES)
    process = TrainingProcess()
    process.stop()
    assert process.train(train_trial, {"directory": "x"}, lambda event: None) == TrainingEnd(
        stopped="the end of its process"
    )
    process.close()


class Fake:
    """A process; the test ends it."""

    made: list[Fake]

    def __init__(self, here):
        self.alive, self.closed, self.trained = True, False, []
        self.made.append(self)

    def train(self, function, arguments, tell, timeout):
        assert self.alive
        assert not self.closed
        self.trained.append(arguments["directory"])
        return TrainingEnd(1)

    def stop(self):
        pass

    def close(self):
        self.closed = True


def test_a_process_that_died_while_it_had_nothing_to_do_is_replaced(monkeypatch):
    monkeypatch.setattr("mlpkit.groups.local_workers.TrainingProcess", Fake)
    Fake.made = []
    workers = LocalWorkers(1)
    for number in range(3):
        workers.submit(train_trial, Path(f"trial-{number}")).result()
        Fake.made[0].alive = number == 0
    assert [(each.trained, each.closed) for each in Fake.made] == [(["trial-0", "trial-1"], True), (["trial-2"], False)]
    workers.shutdown()
    assert Fake.made[1].closed
