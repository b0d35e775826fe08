"""Checkpoints are written while training goes on, one after the other; what goes wrong is raised."""

from __future__ import annotations

import _thread
import errno
import json
import math
import os
import threading
import time
import weakref
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.components.schedule import Progress
from mlpkit.errors import StorageError
from mlpkit.jobs.run_recorder import AsyncCheckpoints, failure_recorded, recording
from mlpkit.runs.folder import RunFolder
from mlpkit.training.checkpointing import Snapshot
from mlpkit.training.events import Event, Observer, StopRequest


class Slow:
    """Keeps what it is given, when it is allowed to."""

    def __init__(self, failing=()):
        self.allowed = threading.Semaphore(0)
        self.kept = []
        self.failing = failing

    def save(self, snapshot, *, best=False):
        assert self.allowed.acquire(timeout=10)
        if snapshot.step in self.failing:
            raise StorageError(f"no room at step {snapshot.step}")
        self.kept.append(("best", snapshot.step) if best else snapshot.step)


def snapshot(step):
    return Snapshot({}, {"step": step})


def test_saving_does_not_wait_but_for_the_one_before():
    slow = Slow()
    with AsyncCheckpoints(slow) as store:
        store.save(snapshot(1))
        assert slow.kept == []
        slow.allowed.release()
        store.save(snapshot(2), best=True)
        assert slow.kept == [1]
        slow.allowed.release()
    assert slow.kept == [1, ("best", 2)]


def test_the_end_of_the_block_waits_for_the_last():
    slow = Slow()
    threading.Timer(0.1, slow.allowed.release).start()
    with AsyncCheckpoints(slow) as store:
        store.save(snapshot(1))
    assert slow.kept == [1]


def test_a_failure_is_raised_by_the_next_one_which_waits_for_it():
    slow = Slow(failing={1})
    with AsyncCheckpoints(slow) as store:
        store.save(snapshot(1))
        slow.allowed.release(2)
        with pytest.raises(StorageError, match="no room at step 1"):
            store.save(snapshot(2))
        store.raise_failure()
    assert slow.kept == []


def test_a_failure_is_raised_once_as_soon_as_somebody_asks():
    slow = Slow(failing={1})
    with AsyncCheckpoints(slow) as store:
        store.save(snapshot(1))
        store.raise_failure()
        slow.allowed.release()
        with pytest.raises(StorageError, match="no room at step 1"):
            ask_until_it_fails(store)
        store.raise_failure()


def ask_until_it_fails(store):
    while True:
        store.raise_failure()
        time.sleep(0.01)


def test_a_failure_of_the_last_one_is_raised_at_the_end():
    slow = Slow(failing={1})
    slow.allowed.release()
    with pytest.raises(StorageError, match="no room at step 1"), AsyncCheckpoints(slow) as store:
        store.save(snapshot(1))


def test_what_failed_before_is_what_is_raised_with_a_note_of_the_other():
    slow = Slow(failing={1})
    slow.allowed.release()
    store = AsyncCheckpoints(slow)

    def fail():
        with store:
            store.save(snapshot(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        fail()
    assert raised.value.__notes__ == ["note: no room at step 1"]


class Clock(Observer):
    """Notes how long training took."""

    def started(self, total_steps):
        self.seconds = -time.perf_counter()

    def ended(self):
        self.seconds += time.perf_counter()


def slow_disk(monkeypatch, seconds, failing=None):
    """Let each flush to the disk of a checkpoint take a while, and perhaps fail."""
    real = os.fsync

    def fsync(descriptor):
        written = [path.stat() for path in Path().glob("*/checkpoints/*.tmp")]
        if any(os.path.samestat(os.fstat(descriptor), file) for file in written):
            time.sleep(seconds)
            if failing:
                raise OSError(failing, os.strerror(failing))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def run(overrides, observer=None):
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.epochs": None, "training.iterations": 200, **overrides})
    return mlpkit.run(spec, "run", observer=observer)


def test_training_goes_on_while_a_slow_disk_is_written(work, monkeypatch):
    slow_disk(monkeypatch, 1.0)
    clock = Clock()
    run({"training.checkpoint": {"every": 150}}, observer=clock)
    assert clock.seconds < 1
    assert RunFolder.open(work / "run").checkpoints.steps() == [150]


def test_a_full_disk_ends_the_run_with_our_error_long_before_the_next_checkpoint_is_due(work, monkeypatch):
    slow_disk(monkeypatch, 0, failing=errno.ENOSPC)
    steps = {"training.iterations": 99_999, "training.evaluate_every": 35_000}
    with pytest.raises(
        StorageError, match=r"step-000020000.safetensors: can't be written: No space left on device; free"
    ):
        run({"training.checkpoint": {"every": 20_000}, **steps})
    assert RunFolder.open(work / "run").checkpoints.steps() == []
    assert RunFolder.open(work / "run").read_history() == []
    assert not list((work / "run").rglob("*.tmp"))


def test_an_interrupt_while_the_end_is_waited_for_lets_the_write_end():
    slow = Slow()

    def interrupt():
        _thread.interrupt_main()
        threading.Timer(0.2, slow.allowed.release).start()

    threading.Timer(0.2, interrupt).start()
    with pytest.raises(KeyboardInterrupt), AsyncCheckpoints(slow) as store:
        store.save(snapshot(1))
    assert slow.kept == [1]


def test_nothing_of_a_snapshot_stays_in_memory_once_it_is_kept():
    slow, array = Slow(), np.zeros(3)
    alive = weakref.ref(array)
    slow.allowed.release()
    with AsyncCheckpoints(slow) as store:
        store.save(Snapshot({"x": array}, {"step": 1}))
        del array
        while slow.kept == [] or alive() is not None:
            time.sleep(0.01)


def test_an_interrupt_while_the_thread_starts_leaves_no_thread_to_wait_for(monkeypatch):
    def interrupt(future, timeout=None):
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    writer = AsyncCheckpoints(None)
    monkeypatch.setattr(Future, "result", interrupt)
    with pytest.raises(KeyboardInterrupt), writer:
        pass
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def failure(folder):
    return json.loads((folder / "failure.json").read_text())


def test_a_run_that_diverges_says_so_in_its_folder(train, work):
    with pytest.raises(mlpkit.DivergenceError) as raised:
        train("run", training__optimizer={"sgd": {"learning_rate": 1e30}})
    assert failure(work / "run") == {"state": "diverged", "steps": 1, "message": str(raised.value)}


FLAKY = """
from mlpkit import Layer, component, hookimpl

class Flaky(Layer):
    steps = 0
    def forward(self, x):
        if self.training and self.steps == 6: raise ValueError("acme's mistake")
        self.steps += self.training
        return x
    def backward(self, dy):
        return dy

@hookimpl
def mlpkit_components():
    return [component("layer", "Flaky", Flaky)]
"""


def test_a_run_that_failed_says_why_until_it_is_resumed(work):
    (work / "acme.py").write_text(FLAKY)
    (work / "flaky.yaml").write_text((work / "tiny.yaml").read_text().replace("- Relu", "- acme.Flaky"))
    spec = mlpkit.load_spec("flaky.yaml", plugins=["acme.py"], overrides={"training.checkpoint": {"every": 1}})
    with pytest.raises(mlpkit.ComponentFailure, match="acme's mistake"):
        mlpkit.run(spec, "run")
    found = failure(work / "run")
    assert (found["state"], found["steps"]) == ("failed", 6)
    assert "acme's mistake" in found["message"]
    stop = StopAt(8)
    again = mlpkit.resume("run", plugins=["acme.py"], observer=stop, stop=stop.stop)
    assert again.steps == 8
    assert not (work / "run/failure.json").exists()


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (ValueError("too much"), "failed", "too much"),
        (ValueError(), "failed", "ValueError"),
        (mlpkit.DivergenceError("infinite"), "diverged", "infinite"),
    ],
)
def test_what_goes_wrong_is_recorded_with_the_step_and_raised(error, state, message, tmp_path):
    progress = Progress(7, 0.5, total_steps=20)
    with RunFolder.create(tmp_path / "run") as folder:
        for each in (folder, None):
            with pytest.raises(type(error)) as raised, failure_recorded(each, progress):
                raise error
            assert raised.value is error
    assert failure(tmp_path / "run") == {"state": state, "steps": 7, "message": message}


def full_for_the_model(monkeypatch, *codes):
    """Let the model's first attempts to be written fail; the last code is that of all later ones."""
    replace, left = os.replace, list(codes)

    def failing(source, target):
        if target.name == "model.safetensors" and left[0]:
            code = left.pop(0) if len(left) > 1 else left[0]
            raise OSError(code, os.strerror(code))
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    monkeypatch.setattr("mlpkit.jobs.run_recorder.SECONDS_BETWEEN_TRIES", 0.01)


class Waiting(Observer):
    """Notes what is noticed, and perhaps stops the run then."""

    def __init__(self, stop=None):
        self.heard, self.stop = [], stop

    def noticed(self, message):
        self.heard.append(message)
        if self.stop:
            self.stop.stop("SIGINT")


WAITS = (
    "run: the model can't be written: {}; make room within 60 seconds: mlpkit keeps the weights and tries again "
    "(Ctrl-C ends that)"
)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE])
def test_a_model_waits_for_room_and_says_so_once(code, work, monkeypatch):
    full_for_the_model(monkeypatch, code, code, code, 0)
    waiting = Waiting()
    done = run({"training.checkpoint": None}, waiting)
    assert waiting.heard == [WAITS.format(os.strerror(code))]
    assert RunFolder.open(work / "run").load_model().arrays["Affine1.W"].tolist() == (
        done.network.parameters["Affine1.W"].tolist()
    )
    assert RunFolder.open(work / "run").finished


def test_in_python_a_model_that_waits_for_room_is_a_warning(work, monkeypatch):
    full_for_the_model(monkeypatch, errno.ENOSPC, 0)
    with pytest.warns(UserWarning, match="run: the model can't be written: No space left on device; make room within"):
        run({})


@pytest.mark.parametrize(
    ("code", "seconds", "interrupted", "waits"),
    [(errno.ENOSPC, 0.1, False, 1), (errno.ENOSPC, 60, True, 1), (errno.EIO, 60, False, 0)],
    ids=["until its time is over", "until Ctrl-C", "not for what doesn't pass"],
)
def test_a_model_does_not_wait_for_ever(code, seconds, interrupted, waits, work, monkeypatch):
    full_for_the_model(monkeypatch, code)
    monkeypatch.setattr("mlpkit.jobs.run_recorder.SECONDS_FOR_ROOM", seconds)
    stop, begin = StopRequest(), time.monotonic()
    waiting = Waiting(stop if interrupted else None)
    with pytest.raises(StorageError, match=r"model\.safetensors: can't be written") as failed:
        mlpkit.run(mlpkit.load_spec("tiny.yaml"), "run", observer=waiting, stop=stop)
    assert (len(waiting.heard), time.monotonic() - begin < 20) == (waits, True)
    assert failed.value.__notes__ == [
        "note: no checkpoint is kept; mlpkit run run/resolved.yaml trains again, and writes the model"
    ]
    assert RunFolder.open(work / "run").read_failure()["state"] == "failed"


def test_a_checkpoint_that_is_kept_is_named(work, monkeypatch):
    full_for_the_model(monkeypatch, errno.EIO)
    with pytest.raises(StorageError) as failed:
        run({"training.checkpoint": {"every": 60}})
    assert failed.value.__notes__ == [
        "note: the checkpoint of step 180 is kept; mlpkit resume run continues from there, and writes the model"
    ]


def test_events_are_recorded_as_lines(tmp_path, monkeypatch):
    clock = iter([1.0, 1.5, 4.0])
    monkeypatch.setattr("mlpkit.jobs.run_recorder.time.process_time", lambda: next(clock))
    with RunFolder.create(tmp_path / "run") as folder:
        write = recording(folder)
        write(Event(0, "evaluated", ({"iteration": 4, "train_loss": 0.5, "train_accuracy": math.nan}, 0.25)))
        write(Event(0, "evaluated", ({"iteration": 8, "train_loss": 0.25}, 2.0)))
        write(Event(0, "probed", ({"iteration": 8, "symptoms": []},)))
        write(Event(0, "stepped", (None, 0.5)))
    lines = {
        name: [json.loads(line) for line in (tmp_path / f"run/{name}.jsonl").read_text().splitlines()]
        for name in ("history", "timing", "health")
    }
    assert lines == {
        "history": [{"iteration": 4, "train_loss": 0.5}, {"iteration": 8, "train_loss": 0.25}],
        "timing": [
            {"iteration": 4, "seconds": 0.25, "processor_seconds": 0.5},
            {"iteration": 8, "seconds": 2.0, "processor_seconds": 2.5},
        ],
        "health": [{"iteration": 8, "symptoms": []}],
    }
