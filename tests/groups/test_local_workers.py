"""Processes that train trials, and die at any time."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from mlpkit.errors import DataError
from mlpkit.groups.local_workers import LocalWorkers, TrainingProcess, described
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
        self.alive, self.closed, self.trained, self.stops, self.end = True, False, [], 0, ""
        self.made.append(self)

    def train(self, function, arguments, tell, timeout):
        assert self.alive
        assert not self.closed
        self.trained.append(arguments["directory"])
        return TrainingEnd(1, self.end)

    def stop(self):
        self.stops += 1

    def close(self):
        self.closed = True


@pytest.fixture
def fakes(monkeypatch):
    monkeypatch.setattr("mlpkit.groups.local_workers.TrainingProcess", Fake)
    Fake.made = []
    return Fake.made


@pytest.mark.parametrize(("stopped", "kept"), [("", True), ("pruned", True), ("SIGTERM", False)])
def test_a_process_that_was_stopped_by_a_signal_trains_no_other_run(stopped, kept, fakes):
    workers = LocalWorkers(1)
    workers.submit(train_trial, Path("first")).result()
    fakes[0].end = stopped
    for name in ("second", "third"):
        workers.submit(train_trial, Path(name)).result()
    assert (len(fakes), fakes[0].closed) == ((1, False) if kept else (2, True))
    workers.shutdown()
    assert all(each.closed for each in fakes)


def test_a_run_that_begins_after_the_stop_is_stopped(fakes):
    workers = LocalWorkers(2)
    workers.submit(train_trial, Path("first")).result()
    assert fakes[0].stops == 0
    workers.stop()
    workers.submit(train_trial, Path("second")).result()
    assert [each.stops for each in fakes] == [2]
    workers.shutdown()


def test_without_another_process_a_run_fails(monkeypatch):
    def refuse(here):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("mlpkit.groups.local_workers.TrainingProcess", refuse)
    workers = LocalWorkers(1)
    failure = "no process could be started to train it: Resource temporarily unavailable"
    assert workers.submit(train_trial, Path("first")).result() == TrainingEnd(failure=failure)
    workers.shutdown()


@pytest.mark.parametrize(("count", "made", "threads"), [(None, 8, 1), (3, 3, 2), (16, 16, 1), (1, 1, 8)])
def test_workers_share_the_cores(count, made, threads, monkeypatch):
    monkeypatch.setattr("mlpkit.groups.local_workers.available_cores", lambda: 8)
    workers = LocalWorkers(count)
    assert (workers.count, workers.threads) == (made, threads)
    workers.shutdown()


def test_a_failure_has_its_notes_and_its_traceback_if_one_is_wanted(monkeypatch, capsys):
    error = ZeroDivisionError("by nothing")
    error.add_note("help: divide less")
    assert described(error) == "internal error: ZeroDivisionError: by nothing\n  help: divide less"
    assert described(DataError("a.csv", "is empty")) == "a.csv: is empty"
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("MLPKIT_DEBUG", "1")
    described(error)
    assert "ZeroDivisionError: by nothing" in capsys.readouterr().err


def test_a_process_that_died_while_it_had_nothing_to_do_is_replaced(fakes):
    workers = LocalWorkers(1)
    for number in range(3):
        workers.submit(train_trial, Path(f"trial-{number}")).result()
        Fake.made[0].alive = number == 0
    assert [(each.trained, each.closed) for each in Fake.made] == [(["trial-0", "trial-1"], True), (["trial-2"], False)]
    workers.shutdown()
    assert Fake.made[1].closed
