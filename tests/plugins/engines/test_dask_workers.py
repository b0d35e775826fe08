"""What workers of Dask do, with a made-up scheduler; tests/plugins/engines/test_sweep_on_dask.py has the rest."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from requirements import require_module

from mlpkit.errors import UsageError, WorkersLostError
from mlpkit.training.events import TrainingEnd
from mlpkit.version import VERSION
from mlpkit_plugins.engines import remote_workers

dask_workers = require_module("packages", "mlpkit_plugins.engines.dask_workers")


def test_a_worker_says_what_is_in_the_way(tmp_path):
    def problem(folder, here, version):
        return asyncio.run(dask_workers._begin((str(folder), str(here)), version))

    missing = tmp_path / "missing"
    advice = f"can't find the folder {missing}; put it on a disk that all machines share, under the same path"
    assert problem(tmp_path, tmp_path, VERSION) == ""
    assert problem(missing, tmp_path, VERSION) == problem(tmp_path, missing, VERSION) == advice
    other = f"has mlpkit {VERSION}, and the driver 0.0.7; install the same version"
    assert problem(tmp_path, tmp_path, "0.0.7") == other


def test_ctrl_c_stops_the_trials_of_its_sweep_in_a_worker(monkeypatch):
    stopped = []
    for sweep in ("swept", "other"):
        trainer = SimpleNamespace(stop=partial(stopped.append, sweep))
        monkeypatch.setitem(remote_workers._trainers, sweep, trainer)
    monkeypatch.setattr(dask_workers, "_training", {("swept", "trial-0"), ("other", "trial-1")})
    assert dask_workers._stop(("swept", "here")) == ["trial-0"]
    assert stopped == ["swept"]


def test_a_worker_that_ends_stops_its_trial(monkeypatch):
    end, trained = Future(), []
    stopped = TrainingEnd(stopped="a signal")

    def stop():
        trained.extend(dask_workers._training)
        end.set_result(stopped)

    trainer = SimpleNamespace(submit=lambda *_, **__: end, stop=stop)
    monkeypatch.setattr(remote_workers, "SECONDS_BETWEEN_CHECKS", 0.01)
    monkeypatch.setattr(dask_workers, "get_worker", lambda: SimpleNamespace(status=dask_workers.Status.closing))
    monkeypatch.setitem(remote_workers._trainers, "swept", trainer)
    call = remote_workers.TrialCall(TrainingEnd, "swept/trial-0", {})
    assert dask_workers._train(("swept", "."), call) == stopped
    assert (trained, dask_workers._training) == ([("swept", "trial-0")], set())


class Task:
    """A task of Dask, which ends when the test says how."""

    def __init__(self, call, places):
        self.call, self.places, self.status, self.outcome = call, places, "pending", None

    def add_done_callback(self, function):
        self.tell = partial(function, self)

    def end(self, status, outcome=None):
        self.status, self.outcome = status, outcome
        self.tell()

    def cancel(self):
        self.end("cancelled")

    def result(self):
        return self.outcome

    exception = result


class Scheduler:
    """The client of a cluster with a worker of two cores and one of three."""

    def __init__(self):
        self.status, self.cores, self.tasks, self.asked, self.closed = "running", {"a": 3, "b": 2}, [], [], []
        self.answers = {"a": "", "b": ""}

    def nthreads(self):
        return self.cores

    def submit(self, function, sweep, call, *, pure, retries, **places):
        assert (pure, retries, function) == (False, 0, dask_workers._train)
        self.tasks.append(Task(call, places))
        return self.tasks[-1]

    def run(self, function, *args, on_error):
        self.asked.append((function.__name__, args[0]))
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers

    def close(self, timeout):
        self.closed.append(timeout)


@pytest.fixture
def scheduler(monkeypatch):
    scheduler = Scheduler()
    monkeypatch.setattr(dask_workers, "_connected", lambda cluster: scheduler)
    return scheduler


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(dask_workers.time, "monotonic", lambda: now[0])
    return now


def test_as_many_trials_are_trained_as_there_are_workers_now(scheduler, clock):
    workers, two = dask_workers.DaskWorkers("tcp://x:1"), dask_workers.DaskWorkers("tcp://x:1", 2)
    assert (workers.threads, workers.count, two.count) == (2, 2, 2)
    scheduler.cores = {"a": 3, "b": 2, "c": 1}
    clock[0] += 0.9
    assert (workers.count, two.count) == (2, 2)
    clock[0] += 0.2
    assert (workers.count, two.count) == (3, 2)
    scheduler.cores = {}
    clock[0] += 1.0
    assert workers.count == 1
    with pytest.raises(UsageError, match=r"^the Dask scheduler tcp://x:1 has no workers; start one: dask worker tcp:"):
        dask_workers.DaskWorkers("tcp://x:1")
    assert scheduler.closed == [1]


@pytest.mark.usefixtures("clock")
def test_a_trial_goes_to_a_worker_without_one_and_its_end_to_the_driver(scheduler, tmp_path):
    workers = dask_workers.DaskWorkers("tcp://x:1")
    ends = [workers.submit(TrainingEnd, tmp_path / f"trial-{i}", threads=2) for i in range(4)]
    assert scheduler.asked == [("_begin", (str(tmp_path), workers._here))]
    assert [task.places.get("workers") for task in scheduler.tasks] == [["a"], ["b"], None, None]
    assert scheduler.tasks[0].places["allow_other_workers"] is True
    first, second, third, last = scheduler.tasks
    assert first.call == (TrainingEnd, str(tmp_path / "trial-0"), {"threads": 2})
    first.end("finished", TrainingEnd(7))
    second.end("error", ValueError("no idea"))
    third.end("error", dask_workers.KilledWorker("trial-2", None, 3))
    scheduler.status = "closed"
    last.end("cancelled")
    assert [end.result() for end in ends[:3]] == [
        TrainingEnd(7),
        TrainingEnd(failure="its Dask worker can't train: ValueError: no idea"),
        TrainingEnd(failure="the Dask workers that trained it were lost", death="with its Dask worker"),
    ]
    lost = f"the Dask scheduler has ended, or can't be reached any more; resume with: mlpkit sweep --resume {tmp_path}"
    with pytest.raises(WorkersLostError, match=f"^{re.escape(lost)}$"):
        ends[3].result()
    with pytest.raises(WorkersLostError, match=f"^{re.escape(lost)}$"):
        workers.submit(TrainingEnd, tmp_path / "trial-4")
    workers.shutdown()
    assert scheduler.closed == [1]


def test_a_stop_reaches_all_workers_and_takes_back_what_none_has_begun(scheduler, clock, tmp_path):
    workers = dask_workers.DaskWorkers("tcp://x:1")
    workers.stop()
    assert scheduler.asked == []
    ends = [workers.submit(TrainingEnd, tmp_path / f"trial-{i}") for i in range(3)]
    scheduler.answers = {"a": ["trial-1"], "b": OSError("gone"), "c": []}
    for seconds in (0.0, 0.9, 0.2):
        clock[0] += seconds
        workers.stop()
    assert scheduler.asked[1:] == [("_stop", workers._sweep)] * 2
    assert [end.done() for end in ends] == [True, False, True]
    assert ends[2].result() == TrainingEnd(stopped="the end of the sweep")
    scheduler.tasks[1].end("finished", TrainingEnd(3, "a signal"))
    workers.shutdown()
    assert scheduler.asked[-1] == ("_end", str(tmp_path))
    assert (ends[1].result(), scheduler.closed) == (TrainingEnd(3, "a signal"), [1])


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"a": "", "b": "can't find it"}, "the Dask worker b can't find it; then resume with: mlpkit sweep --resume "),
        (
            {"a": ValueError("no idea"), "b": ""},
            "the Dask worker a can't train: ValueError: no idea; then resume with:",
        ),
        (OSError(), "the Dask scheduler has ended, or can't be reached any more; resume with: mlpkit sweep --resume "),
    ],
)
def test_what_keeps_a_worker_from_training_is_an_error(answers, said, scheduler, tmp_path):
    workers, scheduler.answers = dask_workers.DaskWorkers("tcp://x:1"), answers
    with pytest.raises((UsageError, WorkersLostError), match=f"^{re.escape(said)}"):
        workers.submit(TrainingEnd, tmp_path / "trial-0")
    assert scheduler.tasks == []


@pytest.mark.parametrize(("workers", "threads"), [(3, 2), (8, 1), (9, 1), (1, 8)])
def test_workers_on_this_machine_share_its_cores(workers, threads, monkeypatch):
    monkeypatch.setattr(dask_workers, "available_cores", lambda: 8)
    monkeypatch.setattr(dask_workers, "LocalCluster", lambda **how: how)
    found = dask_workers._local_cluster(workers)
    assert (found["n_workers"], found["threads_per_worker"], found["processes"]) == (workers, threads, True)
    assert (found["dashboard_address"], found["memory_limit"]) == (None, None)


def test_the_default_client_of_the_process_stays_the_users(monkeypatch):
    monkeypatch.setattr(dask_workers, "Client", lambda address, **how: (address, how))
    assert dask_workers._connected("tcp://x:1") == ("tcp://x:1", {"timeout": 10, "set_as_default": False})


@pytest.mark.parametrize(("most", "started"), [(None, 5), (3, 3)])
def test_without_a_scheduler_a_cluster_is_started_and_ends_with_the_workers(most, started, scheduler, monkeypatch):
    events = []

    @contextmanager
    def cluster(count):
        events.append(count)
        yield
        events.append("end")

    monkeypatch.setattr(dask_workers, "available_cores", lambda: 5)
    monkeypatch.setattr(dask_workers, "_local_cluster", cluster)
    workers = dask_workers.DaskWorkers("", most)
    assert events == [started]
    workers.shutdown()
    assert (events, scheduler.asked, scheduler.closed) == ([started, "end"], [], [1])


def test_a_scheduler_that_is_lost_before_the_first_trial_leaves_nothing_to_resume(scheduler):
    workers = dask_workers.DaskWorkers("tcp://x:1")
    scheduler.status = "closed"
    with pytest.raises(WorkersLostError, match=r"^the Dask scheduler has ended, or can't be reached any more$"):
        _ = workers.count


@pytest.mark.usefixtures("clock")
def test_a_result_that_cannot_be_fetched_is_a_failure(scheduler, tmp_path):
    workers = dask_workers.DaskWorkers("tcp://x:1")
    ends = [workers.submit(TrainingEnd, tmp_path / f"trial-{number}") for number in range(2)]
    for task, error in zip(scheduler.tasks, (OSError("gone"), dask_workers.KilledWorker("x", None, 3)), strict=True):
        task.result = Mock(side_effect=error)
        task.end("finished")
    assert [end.result() for end in ends] == [
        TrainingEnd(failure="its Dask worker can't train: OSError: gone"),
        TrainingEnd(failure="the Dask workers that trained it were lost", death="with its Dask worker"),
    ]


@pytest.mark.usefixtures("clock")
def test_a_trial_that_was_taken_back_is_stopped_and_its_worker_idle(scheduler, tmp_path):
    workers = dask_workers.DaskWorkers("tcp://x:1")
    first, _ = (workers.submit(TrainingEnd, tmp_path / f"trial-{number}") for number in range(2))
    scheduler.tasks[0].cancel()
    assert first.result() == TrainingEnd(stopped="the end of the sweep")
    workers.submit(TrainingEnd, tmp_path / "trial-2")
    assert scheduler.tasks[2].places == {"workers": ["a"], "allow_other_workers": True}


def test_a_worker_ends_the_trials_of_a_killed_driver_before_it_begins_and_its_own_at_the_end(tmp_path, monkeypatch):
    sweep, ended = (str(tmp_path), str(tmp_path)), []
    monkeypatch.setattr(dask_workers, "end_training", ended.append)
    assert asyncio.run(dask_workers._begin(sweep, VERSION)) == ""
    assert ended == [sweep[0]]
    asyncio.run(dask_workers._end("swept"))
    assert ended == [sweep[0], "swept"]
