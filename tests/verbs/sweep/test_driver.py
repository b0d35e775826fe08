"""The driver's decisions, with workers that are functions in this process."""

from __future__ import annotations

import shutil
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.errors import ComponentFailure, RunFolderError
from mlpkit.runs.files import write_atomically
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import Observer, StopRequest, TrainingEnd
from mlpkit.verbs.sweep.driver import Driver, best_of, pareto_front, planned_in_all
from mlpkit.verbs.sweep.folder import SweepFolder, SweepProgress, Trial
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.trial import OTHER_WRITER

LOSS = Objective("validation_loss", maximize=False)
ACCURACY = Objective("validation_accuracy", maximize=True)


class Numbers:
    """A sampler whose values are the trial's number, up to one."""

    def __init__(self, most=100):
        self.most = most
        self.seen = []

    def __call__(self, number, trials):
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


class Watch(Observer):
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


def fail(directory, problem="why", *, state="failed", cause=""):
    with RunFolder(directory) as folder:
        folder.write_failure(state, 2, problem)
    return TrainingEnd(failure=problem, cause=cause)


def each_is_weak(trials):
    return None


def pruned_in(trials):
    return next((trial for trial in trials if trial.state == "pruned"), None)


def driven(
    folder,
    train,
    planned=4,
    *,
    count=1,
    sampler=None,
    seconds=None,
    stop=None,
    clock=lambda: 0.0,
    strong_again=each_is_weak,
):
    watch, workers = Watch(), Inline(train, count)
    keys = {
        "arguments": {},
        "strong_again": strong_again,
        "observer": watch,
        "stop": stop or StopRequest(),
        "clock": clock,
    }
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


def test_a_pruned_trial_goes_on_before_another_begins_once_it_is_no_longer_weak(folder):
    def train(directory, tries):
        return fail(directory, state="pruned") if directory.name == "trial-1" and not tries else finish(directory)

    def strong_again(trials):
        return next((trial for trial in trials if trial.state == "pruned" and len(trials) == 3), None)

    workers, watch, _ = driven(folder, train, strong_again=strong_again)
    assert workers.tried == [0, 1, 2, 1, 3]
    assert watch.over == [
        (0, "finished", 0),
        (1, "pruned", 0),
        (2, "finished", 0),
        (1, "finished", 0),
        (3, "finished", 0),
    ]
    assert set(states(folder).values()) == {"finished"}


def test_a_pruned_trial_that_another_process_resumes_is_left_alone(folder):
    kept = []

    def train(directory, tries):
        if directory.name != "trial-1":
            return finish(directory)
        end = fail(directory, state="pruned")
        kept.append(RunFolder(directory))
        kept[0].claim()
        return end

    workers, watch, _ = driven(folder, train, strong_again=pruned_in)
    kept[0].close()
    assert workers.tried == [0, 1, 2, 3]
    assert [message.partition(":")[0] for message in watch.noted] == ["trial 1 is skipped"]


def test_no_pruned_trial_goes_on_once_the_time_is_over(folder):
    times = iter([0.0, *[1.0] * 20])
    ends = {"clock": lambda: next(times, 9.0), "seconds": 5.0, "strong_again": pruned_in}
    workers, _, _ = driven(folder, lambda directory, tries: fail(directory, state="pruned"), **ends)
    assert set(workers.tried) == {0}
    assert states(folder) == {0: "pruned"}


def test_a_worker_that_dies_costs_nothing_but_time(folder):
    def train(directory, tries):
        return TrainingEnd(death="by SIGKILL") if directory.name == "trial-1" and not tries else finish(directory)

    workers, watch, _ = driven(folder, train)
    assert workers.tried == [0, 1, 1, 2, 3]
    assert watch.noted == ["trial 1: its process ended by SIGKILL; it starts over"]
    assert set(states(folder).values()) == {"finished"}


def test_a_worker_that_something_else_stops_is_replaced(folder):
    def train(directory, tries):
        return TrainingEnd(7, stopped="SIGTERM") if directory.name == "trial-1" and not tries else finish(directory)

    workers, watch, _ = driven(folder, train)
    assert workers.tried == [0, 1, 1, 2, 3]
    assert watch.noted == ["trial 1: its process ended by SIGTERM; it starts over"]


def test_a_trial_that_is_stopped_in_order_is_set_aside_only_if_it_does_not_get_on(folder):
    def stopped_at(*steps):
        def train(directory, tries):
            return TrainingEnd(steps[tries], stopped="its time limit") if tries < len(steps) else finish(directory)

        return train

    workers, _, _ = driven(folder, stopped_at(5, 10, 15, 20), 1)
    assert workers.tried == [0] * 5
    assert states(folder) == {0: "finished"}
    shutil.rmtree(folder.directory / "trial-0")
    workers, _, driver = driven(folder, stopped_at(5, 5, 10, 10, 15), 1)
    assert workers.tried == [0] * 4
    assert driver.trials[0].problem == "set aside: 2 processes died training it, the last by its time limit"


def test_a_trial_that_kills_two_workers_is_set_aside(folder):
    def train(directory, tries):
        return TrainingEnd(death="by SIGKILL") if directory.name == "trial-1" else finish(directory)

    workers, watch, driver = driven(folder, train)
    assert workers.tried == [0, 1, 1, 2, 3]
    assert (1, "failed", 0) in watch.over
    assert driver.trials[1].problem == "set aside: 2 processes died training it, the last by SIGKILL"
    again, _, _ = driven(folder, lambda directory, tries: finish(directory))
    assert again.tried == [1]
    assert set(states(folder).values()) == {"finished"}


def test_a_trial_with_a_checkpoint_goes_on_after_its_worker_died(folder):
    def train(directory, tries):
        if tries:
            return finish(directory)
        (directory / "checkpoints").mkdir()
        (directory / "checkpoints/step-000000020.safetensors").touch()
        return TrainingEnd(death="by SIGKILL")

    _, watch, _ = driven(folder, train, 1)
    assert watch.noted == ["trial 0: its process ended by SIGKILL; it continues from its last checkpoint"]


def test_a_trial_that_fails_leaves_the_others_alone_and_is_tried_again_by_a_resume(folder):
    def train(directory, tries):
        if directory.name == "trial-1":
            return fail(directory, "the disk is full")
        return fail(directory, state="diverged") if directory.name == "trial-2" else finish(directory)

    workers, _, _ = driven(folder, train)
    assert workers.tried == [0, 1, 2, 3]
    assert states(folder) == {0: "finished", 1: "failed", 2: "diverged", 3: "finished"}
    again, _, _ = driven(folder, lambda directory, tries: finish(directory))
    assert again.tried == [1]
    assert states(folder)[1] == "finished"


def test_a_trial_that_failed_and_whose_worker_dies_is_tried_again(folder):
    driven(folder, lambda directory, tries: fail(directory), 1)
    again, watch, _ = driven(
        folder, lambda directory, tries: finish(directory) if tries else TrainingEnd(death="by SIGKILL"), 1
    )
    assert again.tried == [0, 0]
    assert watch.over == [(0, "finished", 0)]


def test_a_trial_that_another_process_trains_is_left_for_the_end(folder):
    def train(directory, tries):
        held = directory.name == "trial-1" and not tries
        return TrainingEnd(failure="process 12 is writing to it", cause=OTHER_WRITER) if held else finish(directory)

    workers, watch, _ = driven(folder, train)
    assert workers.tried == [0, 1, 2, 3, 1]
    assert watch.noted == ["trial 1 waits: process 12 is writing to it"]
    assert set(states(folder).values()) == {"finished"}


def test_a_trial_whose_folder_cannot_be_written_ends_for_this_time(folder):
    workers, watch, _ = driven(folder, lambda directory, tries: TrainingEnd(failure="it is read-only"), 1)
    assert workers.tried == [0]
    assert watch.over == [(0, "failed", None)]
    assert states(folder) == {0: "stopped"}


def test_a_worker_must_return_the_end_of_a_training(folder):
    with pytest.raises(
        ComponentFailure, match="the worker of trial 0 returned something of type int from the function"
    ):
        driven(folder, lambda directory, tries: 3, 1)


def test_another_process_asks_for_a_stop_in_the_folder_and_the_next_driver_forgets_it(folder):
    def train(directory, tries):
        folder.ask_to_stop()
        return finish(directory)

    stop = StopRequest()
    workers, _, _ = driven(folder, train, stop=stop)
    assert (workers.tried, stop.reason) == ([0], "mlpkit sweep --stop")
    folder.close()
    folder.ask_to_stop()
    with SweepFolder.open(folder.directory) as again:
        workers, _, _ = driven(again, lambda directory, tries: finish(directory))
    assert workers.tried == [1, 2, 3]


def test_a_stop_begins_nothing_new_and_a_resume_goes_on_with_the_interrupted_first(folder):
    stop = StopRequest()

    def interrupt(directory, tries):
        if directory.name == "trial-1":
            stop.stop("SIGINT")
            return TrainingEnd(stopped="SIGINT")
        return finish(directory)

    workers, watch, _ = driven(folder, interrupt, stop=stop)
    assert (workers.tried, workers.stopped) == ([0, 1], True)
    assert watch.over == [(0, "finished", 0)]
    again, watch, _ = driven(folder, lambda directory, tries: finish(directory))
    assert (again.tried, again.stopped) == ([1, 2, 3], False)
    assert watch.over[-1] == (3, "finished", 0)


def test_as_many_trials_as_workers_are_trained_at_once_and_taken_in_their_order(folder):
    sampler = Numbers()
    workers, watch, _ = driven(folder, lambda directory, tries: finish(directory), 5, count=2, sampler=sampler)
    assert workers.tried == [number for number, _, _ in watch.over] == [0, 1, 2, 3, 4]
    of_pairs = [[(n, "finished") for n in range(number - number % 2)] for number in range(5)]
    assert sampler.seen == [[*over, *[(len(over), "stopped")] * (n % 2)] for n, over in enumerate(of_pairs)]


@pytest.mark.parametrize(("spent", "written"), [(4.999, 0.0), (5.0, 5.0)])
def test_a_crash_costs_less_than_five_seconds_of_the_time(spent, written, folder):
    now = [100.0]

    def train(directory, tries):
        if directory.name == "trial-1":
            raise Crash
        now[0] += spent
        return finish(directory)

    with pytest.raises(Crash):
        driven(folder, train, clock=lambda: now[0])
    assert folder.read_progress().seconds == written


def test_once_the_time_is_over_to_the_second_no_trial_begins(folder):
    now = [100.0]

    def train(directory, tries):
        now[0] += 10.0
        return finish(directory)

    workers, _, _ = driven(folder, train, None, seconds=20.0, clock=lambda: now[0])
    assert workers.tried == [0, 1]


@pytest.mark.parametrize(
    ("planned", "progress", "begun", "expected"),
    [
        (5, SweepProgress(added=2), 3, 7),
        (5, SweepProgress(), 9, 9),
        (5, SweepProgress(trials=8), 3, 8),
        (None, SweepProgress(), 3, None),
        (None, SweepProgress(added=2), 3, None),
        (None, SweepProgress(trials=8), 3, 8),
        (None, SweepProgress(trials=8), 9, 9),
    ],
)
def test_how_many_trials_are_planned(planned, progress, begun, expected):
    assert planned_in_all(planned, progress, begun) == expected


def test_the_time_is_that_of_all_sessions_together(folder):
    now = [100.0]

    def train(directory, tries):
        now[0] += 10.0
        return finish(directory)

    workers, _, _ = driven(folder, train, None, seconds=25.0, clock=lambda: now[0])
    assert workers.tried == [0, 1, 2]
    assert [trial.asked_at for trial in folder.trials()] == [0.0, 10.0, 20.0]
    now[0] = 0.0
    again, _, _ = driven(folder, train, None, seconds=45.0, clock=lambda: now[0])
    assert again.tried == [3, 4]  # 30 s were over


def test_times_are_kept_in_milliseconds(folder):
    now = [0.0]

    def train(directory, tries):
        now[0] += 1 / 3
        return finish(directory)

    driven(folder, train, 3, clock=lambda: now[0])
    assert [trial.asked_at for trial in folder.trials()] == [0.0, 0.333, 0.667]
    assert folder.read_progress().seconds == 1.0


def test_the_time_of_a_trial_that_is_interrupted_again_and_again_counts(folder):
    now = [0.0]

    def train(directory, tries):
        now[0] += 10.0
        return TrainingEnd(stopped="SIGINT")

    for _ in range(3):
        stop = StopRequest()
        stop_at_once = lambda directory, tries, stop=stop: (stop.stop("SIGINT"), train(directory, tries))[1]  # noqa: E731
        driven(folder, stop_at_once, None, seconds=25.0, stop=stop, clock=lambda: now[0])
    again, _, _ = driven(folder, lambda directory, tries: finish(directory), None, seconds=25.0, clock=lambda: now[0])
    assert again.tried == [0]  # 30 s were over


def test_a_number_that_is_missing_is_done_again(folder):
    driven(folder, lambda directory, tries: finish(directory))
    shutil.rmtree(folder.directory / "trial-2")
    again, _, _ = driven(folder, lambda directory, tries: finish(directory))
    assert again.tried == [2]
    assert [trial.values for trial in folder.trials()] == [{"x": number} for number in range(4)]


class Crash(BaseException):
    """The system goes down."""


def test_added_trials_come_after_those_of_the_spec_and_survive_a_crash(folder):
    def train(directory, tries):
        if directory.name == "trial-4":
            raise Crash
        return finish(directory)

    folder.write_progress(SweepProgress(added=3))
    with pytest.raises(Crash):
        driven(folder, train, 3)
    again, _, _ = driven(folder, lambda directory, tries: finish(directory), 3)
    assert again.tried == [4, 5]
    assert folder.read_progress().trials == 6


def test_added_trials_are_trained_when_the_time_is_over(folder):
    now = [0.0]

    def train(directory, tries):
        now[0] += 10.0
        return finish(directory)

    folder.write_progress(SweepProgress(added=2))
    workers, _, _ = driven(folder, train, None, seconds=25.0, clock=lambda: now[0])
    assert workers.tried == [0, 1, 2, 3, 4]
    again, _, _ = driven(folder, train, None, seconds=25.0, clock=lambda: now[0])
    assert again.tried == []


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
            for module in ("runs.folder", "verbs.sweep.folder"):
                patch.setattr(f"mlpkit.{module}.write_atomically", write)
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
    front = {trial.number for trial in pareto_front(trials, [LOSS, ACCURACY])}
    for i, (loss, accuracy) in enumerate(pairs):
        beaten = any(
            other_loss <= loss and other >= accuracy and (other_loss, other) != (loss, accuracy)
            for other_loss, other in pairs
        )
        assert (i in front) == (not beaten)


def test_only_finished_trials_with_all_results_are_on_the_front():
    trials = results((0.3, 0.7), (0.2, 0.6))
    pruned = Trial(7, Path("x"), {}, state="pruned", results={"validation_loss": 0.0, "validation_accuracy": 0.9})
    half = Trial(8, Path("x"), {}, state="finished", results={"validation_loss": 0.1})
    assert pareto_front([pruned, half, *trials], [LOSS, ACCURACY]) == trials
    assert pareto_front([pruned, half, *trials], [LOSS]) == [half]
