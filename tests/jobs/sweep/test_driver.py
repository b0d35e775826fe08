"""The driver's decisions, with workers that are functions in this process."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.errors import RunFolderError
from mlpkit.jobs.sweep.driver import Driver, SweepObserver, best_of, front_of
from mlpkit.jobs.training_process import TrainingEnd
from mlpkit.runs.files import write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.sweep_folder import SweepFolder, Trial
from mlpkit.specfile.sweep_section import Objective
from mlpkit.training.events import StopRequest

LOSS = Objective("validation_loss", maximize=False)
ACCURACY = Objective("validation_accuracy", maximize=True)


class Numbers:
    """A sampler whose values are the trial's number, up to one."""

    def __init__(self, most=100):
        self.most = most
        self.seen = []

    def values(self, number, trials):
        self.seen.append([(trial.number, trial.state) for trial in trials])
        return {"x": number} if number < self.most else None


class Inline:
    """Workers that do at once what a function says.

    Args:
        train: returns the end of a trial's training, given its folder and how often it was tried before.
    """

    def __init__(self, train, count=1):
        self.train, self.count = train, count
        self.tried = []
        self.stopped = False

    def submit(self, function, directory, **arguments):
        number = int(directory.name.removeprefix("trial-"))
        future = Future()
        future.set_result(self.train(directory, self.tried.count(number)))
        self.tried.append(number)
        return future

    def stop(self):
        self.stopped = True

    def shutdown(self):
        pass


class Watch(SweepObserver):
    def __init__(self):
        self.over, self.noted = [], []

    def trial_over(self, trial, best):
        self.over.append((trial.number, trial.state, best.number if best else None))

    def noticed(self, message):
        self.noted.append(message)


def finish(directory, loss=None):
    number = int(directory.name.removeprefix("trial-"))
    with RunFolder(directory) as folder:
        folder.write_metrics({"validation": {"loss": float(number) if loss is None else loss}})
    return TrainingEnd(3)


@pytest.fixture
def folder(tmp_path):
    with SweepFolder.create(tmp_path / "s", "mlpkit: 1\n") as kept:
        yield kept


def driven(folder, train, planned=4, *, count=1, sampler=None, seconds=None, stop=None, clock=lambda: 0.0):
    watch, workers = Watch(), Inline(train, count)
    keys = {"arguments": {}, "observer": watch, "stop": stop or StopRequest(), "clock": clock}
    driver = Driver(folder, [LOSS], sampler or Numbers(), planned, seconds, workers, **keys)
    driver.run()
    return workers, watch, driver


def states(folder):
    return {trial.number: trial.state for trial in folder.trials()}


def test_each_planned_trial_is_trained_once_and_the_best_is_told(folder):
    workers, watch, _ = driven(folder, lambda directory, tries: finish(directory, abs(int(directory.name[-1]) - 2.0)))
    assert workers.tried == [0, 1, 2, 3]
    assert watch.over == [(0, "finished", 0), (1, "finished", 1), (2, "finished", 2), (3, "finished", 2)]
    assert [trial.values for trial in folder.trials()] == [{"x": number} for number in range(4)]


def test_the_sampler_knows_the_trials_before_in_their_order(folder):
    sampler = Numbers()
    driven(folder, lambda directory, tries: finish(directory), sampler=sampler)
    assert sampler.seen[3] == [(0, "finished"), (1, "finished"), (2, "finished")]


def test_a_sampler_may_have_no_more(folder):
    workers, _, _ = driven(folder, lambda directory, tries: finish(directory), None, sampler=Numbers(2))
    assert workers.tried == [0, 1]


def test_a_worker_that_dies_costs_nothing_but_time(folder):
    def train(directory, tries):
        return TrainingEnd(death="by SIGKILL") if directory.name == "trial-1" and not tries else finish(directory)

    workers, watch, _ = driven(folder, train)
    assert workers.tried == [0, 1, 1, 2, 3]
    assert watch.noted == ["trial 1: its process ended by SIGKILL; it goes on from its last checkpoint"]
    assert set(states(folder).values()) == {"finished"}


def test_a_worker_that_something_else_stops_is_replaced(folder):
    def train(directory, tries):
        return TrainingEnd(7, stopped="SIGTERM") if directory.name == "trial-1" and not tries else finish(directory)

    workers, watch, _ = driven(folder, train)
    assert workers.tried == [0, 1, 1, 2, 3]
    assert watch.noted == ["trial 1: its process ended by SIGTERM; it goes on from its last checkpoint"]


def test_a_trial_that_kills_two_workers_is_set_aside(folder):
    def train(directory, tries):
        return TrainingEnd(death="by SIGKILL") if directory.name == "trial-1" else finish(directory)

    workers, watch, driver = driven(folder, train)
    assert workers.tried == [0, 1, 1, 2, 3]
    assert (1, "failed", 0) in watch.over
    assert driver.trials[1].problem == "set aside: 2 processes died of it, the last by SIGKILL"
    again, _, _ = driven(folder, lambda directory, tries: finish(directory))
    assert again.tried == [1]
    assert set(states(folder).values()) == {"finished"}


def test_a_trial_that_fails_leaves_the_others_alone_and_is_tried_again_by_a_resume(folder):
    def fail(directory, tries):
        if directory.name == "trial-1":
            with RunFolder(directory) as kept:
                kept.write_failure("failed", 2, "the disk is full")
            return TrainingEnd(failure="the disk is full")
        if directory.name == "trial-2":
            with RunFolder(directory) as kept:
                kept.write_failure("diverged", 2, "not finite")
            return TrainingEnd(failure="not finite")
        return finish(directory)

    workers, _, _ = driven(folder, fail)
    assert workers.tried == [0, 1, 2, 3]
    assert states(folder) == {0: "finished", 1: "failed", 2: "diverged", 3: "finished"}
    again, _, _ = driven(folder, lambda directory, tries: finish(directory))
    assert again.tried == [1]
    assert states(folder)[1] == "finished"


def test_five_failures_in_a_row_for_the_same_reason_end_the_sweep(folder):
    reasons = ["a", "b", "b", "", "b", "b", "b", "b", "b", "b"]

    def fail(directory, tries):
        reason = reasons[int(directory.name[-1])]
        if not reason:
            return finish(directory)
        with RunFolder(directory) as kept:
            kept.write_failure("failed", 2, reason)
        return TrainingEnd(failure=reason)

    workers, watch, _ = driven(folder, fail, 10)
    assert workers.tried == list(range(9))
    assert watch.noted == ["5 trials in a row failed for the same reason, so no other is begun"]
    again, _, _ = driven(folder, lambda directory, tries: finish(directory), 10)
    assert sorted(again.tried) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_a_trial_whose_folder_cannot_be_written_ends_for_this_time(folder):
    workers, watch, _ = driven(folder, lambda directory, tries: TrainingEnd(failure="it is read-only"), 1)
    assert workers.tried == [0]
    assert watch.over == [(0, "failed", None)]
    assert states(folder) == {0: "stopped"}


def test_a_stop_begins_nothing_new_and_a_resume_goes_on_with_the_interrupted_first(folder):
    stop = StopRequest()

    def interrupt(directory, tries):
        if directory.name == "trial-1":
            stop.stop("SIGINT")
            return TrainingEnd(stopped="SIGINT")
        return finish(directory)

    workers, watch, _ = driven(folder, interrupt, stop=stop)
    assert workers.tried == [0, 1]
    assert watch.over == [(0, "finished", 0)]
    again, watch, _ = driven(folder, lambda directory, tries: finish(directory))
    assert again.tried == [1, 2, 3]
    assert watch.over[-1] == (3, "finished", 0)


def test_the_time_is_that_of_all_sessions_together(folder):
    now = [100.0]

    def train(directory, tries):
        now[0] += 10.0
        (directory / "timing.jsonl").write_text('{"iteration":1,"seconds":9.0}\n')
        return finish(directory)

    workers, _, _ = driven(folder, train, None, seconds=25.0, clock=lambda: now[0])
    assert workers.tried == [0, 1, 2]
    assert [trial.asked_at for trial in folder.trials()] == [0.0, 10.0, 20.0]
    now[0] = 0.0
    again, _, _ = driven(folder, train, None, seconds=45.0, clock=lambda: now[0])
    assert again.tried == [3, 4]  # 29 s were over


class Crash(BaseException):
    """The system goes down."""


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_loses_and_repeats_nothing(after, tmp_path, monkeypatch):
    """Each file is written whole or not at all; the system goes down just before, or just after, the n-th of them."""
    whole, crashes = [{"x": number} for number in range(3)], 0
    for n in range(1, 100):
        writes = [0]

        def write(path, content, writes=writes, n=n):
            writes[0] += 1
            if writes[0] == n and not after:
                raise Crash
            write_atomically(path, content)
            if writes[0] == n:
                raise Crash

        finished = []

        def train(directory, tries, finished=finished):
            finish(directory)
            finished.append(directory.name)
            return TrainingEnd(3)

        with SweepFolder.create(tmp_path / str(n), "mlpkit: 1\n") as kept, monkeypatch.context() as patch:
            for module in ("folder", "sweep_folder"):
                patch.setattr(f"mlpkit.runs.{module}.write_atomically", write)
            try:
                driven(kept, train, 3)
            except Crash:
                crashes += 1
        with SweepFolder.open(tmp_path / str(n)) as kept:
            driven(kept, train, 3)
            trials = kept.trials()
        assert [trial.values for trial in trials] == whole
        assert {trial.state for trial in trials} == {"finished"}
        assert len(finished) == len(set(finished)) <= 3
        if writes[0] < n:
            break
    assert crashes == n - 1 == 6  # the values and the results of three trials


def test_there_is_one_driver_at_a_time(folder):
    with pytest.raises(RunFolderError, match="is writing to it; wait until that is done"):
        SweepFolder.open(folder.directory)


def results(*pairs):
    keys = ("validation_loss", "validation_accuracy")
    return [
        Trial(i, Path("x"), {}, state="finished", results=dict(zip(keys, pair, strict=True)))
        for i, pair in enumerate(pairs)
    ]


def test_the_best_is_the_earliest_of_equals_and_finished():
    trials = results((0.3, 0.7), (0.2, 0.9), (0.2, 0.8))
    pruned = Trial(7, Path("x"), {}, state="pruned", results={"validation_loss": 0.0})
    assert best_of([pruned, *reversed(trials)], [LOSS]).number == 1
    assert best_of(trials, [ACCURACY]).number == 1
    assert best_of([pruned], [LOSS]) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8))
def test_the_front_is_what_nothing_dominates(pairs):
    trials = results(*pairs)
    front = {trial.number for trial in front_of(trials, [LOSS, ACCURACY])}
    for i, (loss, accuracy) in enumerate(pairs):
        beaten = any(
            other_loss <= loss and other >= accuracy and (other_loss, other) != (loss, accuracy)
            for other_loss, other in pairs
        )
        assert (i in front) == (not beaten)
