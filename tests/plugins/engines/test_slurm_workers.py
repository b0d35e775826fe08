"""Jobs of a Slurm whose commands are short scripts; tests/plugins/engines/test_sweep_on_slurm.py has a real one."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, wait
from contextlib import closing
from pathlib import Path
from signal import Signals
from types import SimpleNamespace

import fake_slurm
import pytest
import slurm_tasks
from requirements import require_module
from swept_folders import wait_for

from mlpkit.errors import UsageError, WorkersLostError
from mlpkit.training.events import TrainingEnd

slurm_workers = require_module("packages", "mlpkit_plugins.engines.slurm_workers")


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """A function that makes the folder of a trial; there is a Slurm."""
    commands = tmp_path / "commands"
    commands.mkdir()
    fake_slurm.install(commands, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", str(Path(slurm_tasks.__file__).parent))
    monkeypatch.setattr(slurm_workers, "SECONDS_BETWEEN_QUESTIONS", 0.2)

    def make(number):
        folder = tmp_path / "digits" / f"trial-{number}"
        folder.mkdir(parents=True)
        return folder

    return make


class Workers(closing):
    """Workers that end with a block."""

    def __init__(self, *args):
        super().__init__(slurm_workers.SlurmWorkers(*args))
        self.thing.close = self.thing.shutdown


def begun(folder):
    return (folder / "begun").exists()


def test_jobs_end_in_every_way(trial, tmp_path):
    """All at once: a trial is over, one is stopped, one dies, one fails; and what a job is asked to have."""
    folders = [trial(number) for number in range(4)]
    with Workers({"cpus-per-task": "2", "partition": "cpu", "exclusive": True}) as workers:
        assert (workers.threads, workers.count) == (2, 16)
        ways = ("end", "wait", "die", "fail")
        over, stopped, died, failed = (
            workers.submit(slurm_tasks.do, folder, what=what, timeout=600.0)
            for folder, what in zip(folders, ways, strict=True)
        )
        assert over.result(20) == TrainingEnd(7)
        assert failed.result(20).failure == "its Slurm job can't train: ValueError: no idea"
        death = died.result(20)
        assert death.death == "with its Slurm job 3 (OUT_OF_MEMORY)"
        assert death.failure == "its Slurm job 3 (OUT_OF_MEMORY) ended without a result"
        workers.stop()
        assert stopped.result(20) == TrainingEnd(7, "Slurm (SIGTERM)")
        assert workers.submit(slurm_tasks.do, trial(4), what="end").result(20).stopped == "the end of the sweep"
    assert "Slurm jobs" not in [thread.name for thread in threading.enumerate()]
    assert all(map(begun, folders))
    script = (tmp_path / "commands/job-1/script").read_text()
    for line in ("--partition=cpu", "--cpus-per-task=2", "--exclusive", "--no-requeue", "--signal=USR2@90"):
        assert f"#SBATCH {line}\n" in script
    assert "--time" not in script


def test_the_job_of_a_driver_that_was_killed_is_taken_over(trial):
    folder = trial(0)
    first = slurm_workers.SlurmWorkers()
    first.submit(slurm_tasks.do, folder, what="wait")
    wait_for(lambda: begun(folder))
    first._ended = True  # as if it was killed
    first._watch.join(20)
    with Workers() as second:
        end = second.submit(slurm_tasks.do, folder, what="end")
        assert not wait([end], 0.5).done
    assert end.result(20) == TrainingEnd(7, "Slurm (SIGTERM)")
    assert (folder / "begun").read_text() == "x"


def test_what_slurm_refuses_is_said_in_its_own_words(trial):
    folder = trial(0)
    with Workers({"partition": "nowhere", "cpus-per-task": "2", "exclusive": True}, 3) as workers:
        assert workers.count == 3
        found = workers.submit(slurm_tasks.do, folder, what="end").exception(20)
    assert isinstance(found, UsageError)
    assert str(found) == (
        f"{folder}: Slurm refuses its job: invalid partition specified: nowhere; Batch job submission failed: Invalid "
        "partition name specified; change its options, --slurm KEY=VALUE, and resume with: mlpkit sweep --resume "
        f"{folder.parent} --on slurm"
    )


def test_a_controller_that_is_down_is_waited_for_but_not_for_ever(trial, tmp_path, monkeypatch):
    down = tmp_path / "commands/is-down"
    with Workers() as workers:
        assert (workers.threads, workers.count) == (1, 16)
        down.touch()
        end = workers.submit(slurm_tasks.do, trial(0), what="end")
        assert not wait([end], 0.3).done
        down.unlink()
        assert end.result(20) == TrainingEnd(7)
        monkeypatch.setattr(slurm_workers, "SECONDS_OF_PATIENCE", 0.1)
        down.touch()
        found = workers.submit(slurm_tasks.do, trial(1), what="end").exception(20)
    assert isinstance(found, WorkersLostError)
    assert "Slurm hasn't answered for " in str(found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"nodes": "2"}, "Slurm's nodes is set by mlpkit itself; leave it out"),
        ({"job-name": "x"}, "Slurm's job-name is set by mlpkit itself; leave it out"),
        ({"cpus-per-task": "many"}, "Slurm's cpus-per-task: expected 1 or more, got 'many'"),
        ({"signal_delay_s": "0"}, "Slurm's signal-delay-s: expected 1 or more, got '0'"),
    ],
)
@pytest.mark.usefixtures("trial")
def test_wrong_settings(settings, message):
    with pytest.raises(UsageError) as caught:
        slurm_workers.SlurmWorkers(settings)
    assert str(caught.value) == message


def test_a_driver_that_fails_does_not_wait_for_the_thread_that_looks_after_the_jobs(trial):
    with Workers():
        assert [each.daemon for each in threading.enumerate() if each.name == "Slurm jobs"] == [True]


def test_what_submitit_is_given():
    assert slurm_workers._submitit_parameters({"signal_delay_s": "30", "cpus_per_task": "2", "exclusive": True}) == {
        "time": None,
        "wckey": None,
        "signal_delay_s": 30,
        "srun_args": ["--cpus-per-task=2"],
        "additional_parameters": {"no_requeue": True, "cpus_per_task": "2", "exclusive": True},
    }
    assert slurm_workers._submitit_parameters({})["srun_args"] == ["--cpus-per-task=1"]


def test_the_last_of_the_jobs_without_a_result_is_that_of_the_largest_number(tmp_path):
    for name in ("10_submitted.pkl", "9_submitted.pkl", "11_submitted.pkl", "11_0_result.pkl"):
        (tmp_path / name).touch()
    assert slurm_workers._unfinished(tmp_path) == ["9", "10"]


def test_a_job_of_which_slurm_knows_nothing_any_more_has_died(trial, tmp_path):
    (tmp_path / "commands/scontrol").unlink()
    end = slurm_workers._death(SimpleNamespace(job_id="7"))
    said = "its Slurm job 7"
    assert end == TrainingEnd(failure=f"{said} ended without a result", death=f"with {said}")


@pytest.mark.parametrize("there", ["sbatch", "srun", "squeue"])
def test_without_slurm_its_commands_are_named(there, monkeypatch, tmp_path):
    (tmp_path / there).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs the commands of Slurm, sbatch and srun; start it on a login node"):
        slurm_workers.SlurmWorkers()


def test_commands_without_a_cluster_are_an_error_at_once(monkeypatch, tmp_path):
    fake_slurm.install(tmp_path, monkeypatch)
    (tmp_path / "is-down").touch()
    with pytest.raises(UsageError, match="Slurm doesn't answer on this machine"):
        slurm_workers.SlurmWorkers()


@pytest.fixture
def sent(tmp_path):
    """Workers without a thread, and two trials with jobs, one with a result."""
    workers = object.__new__(slurm_workers.SlurmWorkers)
    workers._stopping = False
    workers._sent = [slurm_workers._Sent(tmp_path / "s" / f"trial-{n}", None, Future()) for n in (7, 9)]
    for each, number in zip(workers._sent, ("7", "9"), strict=True):
        paths = SimpleNamespace(result_pickle=tmp_path / f"{number}.pkl")
        each.job = SimpleNamespace(job_id=number, paths=paths)
    (tmp_path / "9.pkl").touch()
    return workers


@pytest.mark.parametrize("stopping", [False, True])
def test_a_job_that_is_missing_twice_in_a_row_without_a_result_has_died(stopping, sent, monkeypatch):
    sent._stopping, (first, second) = stopping, sent._sent
    answers = iter([{("7", "a"), ("8", "b")}, set(), None, {("7", "a")}, set(), set()])
    sent._jobs_of_user = lambda: next(answers)
    monkeypatch.setattr(slurm_workers, "_asked", lambda command: "JobId=7 JobState=TIMEOUT Reason=None")
    for _ in range(5):
        sent._look_for_missing()
        assert not first.end.done()
    sent._look_for_missing()
    death = TrainingEnd(
        failure="its Slurm job 7 (TIMEOUT) ended without a result", death="with its Slurm job 7 (TIMEOUT)"
    )
    assert first.end.result() == (TrainingEnd(stopped="the end of the sweep") if stopping else death)
    assert (sent._sent, second.end.done()) == ([second], False)


def test_jobs_that_wait_are_cancelled_before_others_are_asked_to_save(sent, monkeypatch):
    commands = []
    monkeypatch.setattr(slurm_workers, "_asked", commands.append)
    sent._stop_jobs()
    scancel = ["scancel", "--quiet"]
    assert commands == [
        [*scancel, "--state=PENDING", "7", "9"],
        [*scancel, "--state=RUNNING", "--signal=TERM", "7", "9"],
    ]
    for each in sent._sent:
        each.job = None
    sent._stop_jobs()
    assert len(commands) == 2


@pytest.mark.parametrize(
    ("said", "reason"),
    [("Traceback:\nValueError: no idea\n  in x", "ValueError: no idea"), ("it was\nkilled", "it was\nkilled")],
)
def test_the_error_of_a_job_is_its_last_line_that_names_one(said, reason, sent):
    job = SimpleNamespace(exception=lambda: RuntimeError(said))
    assert sent._result(job) == TrainingEnd(failure=f"its Slurm job can't train: {reason}")
    job = SimpleNamespace(exception=lambda: None, result=lambda: TrainingEnd(7))
    assert sent._result(job) == TrainingEnd(7)


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the workers see, which pass when a test says so."""
    now = [100.0]
    monkeypatch.setattr(slurm_workers, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: None))
    return now


def test_slurm_is_asked_every_five_seconds_and_twice_a_second_while_a_sweep_stops(sent, clock):
    asked, (first, second) = [], sent._sent
    sent._look_for_missing, sent._stop_jobs = lambda: asked.append("squeue"), lambda: asked.append("scancel")
    sent._hand_in = lambda each: asked.append(each.directory.name)
    second.job.exception, second.job.result = lambda: None, lambda: TrainingEnd(5)
    first.job, job, sent._asked_at = None, first.job, 95.0
    sent._look()
    assert (asked, second.end.result(), sent._sent) == (["trial-7", "squeue"], TrainingEnd(5), [first])
    first.job = job
    for seconds, stopping, expected in (
        (4.75, False, []),
        (0.25, False, ["squeue"]),
        (0.25, True, []),
        (0.25, True, ["squeue", "scancel"]),
        (0.25, True, []),
    ):
        clock[0], sent._stopping = clock[0] + seconds, stopping
        asked.clear()
        sent._look()
        assert asked == expected
    clock[0], sent._sent = clock[0] + 60, []
    sent._look()
    assert asked == []


@pytest.mark.usefixtures("clock")
def test_an_error_of_one_look_reaches_all_trials(sent):
    def look():
        sent._ended = True
        raise ValueError("no idea")

    ends, sent._look, sent._ended, sent._wake = [each.end for each in sent._sent], look, False, threading.Event()
    sent._wake.wait = lambda _: None
    sent._look_after_jobs()
    assert [str(end.exception()) for end in ends] == ["no idea"] * 2


@pytest.mark.usefixtures("clock")
def test_jobs_are_checked_as_soon_as_one_is_sent_or_the_sweep_stops(sent, monkeypatch, tmp_path):
    monkeypatch.setattr(slurm_workers, "SECONDS_BETWEEN_CHECKS", 3600)
    looked, slept = threading.Semaphore(0), []
    sent._ended, sent._wake, sent._look = False, threading.Event(), looked.release
    slurm_workers.time.sleep = slept.append
    watch = threading.Thread(target=sent._look_after_jobs, daemon=True)
    watch.start()
    sent._send(slurm_workers.TrialCall(print, str(tmp_path / "s/trial-3"), {"rows": 3, "timeout": 60.0}), Future())
    assert looked.acquire(timeout=60)
    assert (sent._sent[-1].directory, sent._sent[-1].call.arguments) == (tmp_path / "s/trial-3", {"rows": 3})
    assert not looked.acquire(timeout=0.02)
    sent.stop()
    assert looked.acquire(timeout=60)
    assert sent._stopping
    sent._ended = True
    sent._wake.set()
    watch.join(60)
    assert (watch.is_alive(), {*slept}) == (False, {360})


@pytest.fixture
def handed_in(tmp_path, monkeypatch):
    """Workers without a thread, with a trial in a folder behind a link, and what submitit is asked to submit."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    workers = object.__new__(slurm_workers.SlurmWorkers)
    workers._stopping, workers._here, workers._folder = False, "/here", tmp_path / "real"
    workers._settings = {"partition": "cpu"}
    call = slurm_workers.TrialCall(print, "trial-7", {"rows": 3})
    workers._sent = [slurm_workers._Sent(tmp_path / "link/trial-7", call, Future())]
    workers.submitted, workers.refusal = [], None

    class Executor:
        def __init__(self, folder):
            self.folder = folder

        def update_parameters(self, *, job_name, additional_parameters, **others):
            self.given = job_name, additional_parameters["partition"]

        def submit(self, *call):
            workers.submitted.append((self.folder, *self.given, *call))
            if workers.refusal:
                raise slurm_workers.FailedJobError(workers.refusal)
            return SimpleNamespace(job_id="31")

    monkeypatch.setattr(slurm_workers, "SlurmExecutor", Executor)
    return workers


NAME = "real-trial-7"


@pytest.mark.parametrize(
    ("jobs", "job", "submitted"),
    [
        (None, None, 0),
        (set(), "31", 1),
        ({("5", "other-trial-7"), ("8", NAME)}, "31", 1),
        ({("5", NAME), ("6", NAME), ("8", NAME)}, "6", 0),
        ({("5", NAME), ("6", "other-trial-7")}, "5", 0),
    ],
)
def test_a_trial_is_submitted_unless_slurm_is_silent_or_has_a_job_for_it(jobs, job, submitted, handed_in, tmp_path):
    (each,) = handed_in._sent
    folder = tmp_path / "real/slurm/trial-7"
    folder.mkdir(parents=True)
    for name in ("5_submitted.pkl", "6_submitted.pkl"):
        (folder / name).touch()
    handed_in._jobs_of_user = lambda: jobs
    handed_in._hand_in(each)
    call = each.call._replace(directory=str(tmp_path / "real/trial-7"))
    assert handed_in.submitted == [(folder, NAME, "cpu", slurm_workers._train, "/here", call)] * submitted
    assert (each.job and each.job.job_id, each.job and each.job.paths.folder) == (job, job and folder)
    assert (handed_in._sent, each.end.done()) == ([each], False)


@pytest.mark.parametrize("answers", [True, False])
def test_a_trial_is_refused_only_by_a_slurm_that_answers(answers, handed_in, tmp_path):
    (each,) = handed_in._sent
    later = iter([set(), set() if answers else None])
    handed_in._jobs_of_user, handed_in.refusal = lambda: next(later), "sbatch: error: no such partition\n"
    handed_in._hand_in(each)
    assert (handed_in._sent, each.job, each.end.done()) == ([] if answers else [each], None, answers)
    if answers:
        said = f"{tmp_path}/link/trial-7: Slurm refuses its job: no such partition; change its options, --slurm KEY"
        assert str(each.end.exception()).startswith(said)


def test_a_trial_that_has_no_job_when_the_sweep_stops_is_not_begun(handed_in):
    (each,), handed_in._stopping = handed_in._sent, True
    handed_in._hand_in(each)
    assert (each.end.result(), handed_in._sent) == (TrainingEnd(stopped="the end of the sweep"), [])
    assert handed_in.submitted == []


def test_slurm_may_be_silent_for_ten_minutes_after_each_answer(sent, clock, monkeypatch):
    commands, answers = [], iter(["31 digits-trial-0\n32 my sweep-trial-1\n", None, "", None, None])
    monkeypatch.setattr(slurm_workers, "_asked", lambda command: commands.append(command) or next(answers))
    assert sent._jobs_of_user() == {("31", "digits-trial-0"), ("32", "my sweep-trial-1")}
    assert commands == [["squeue", "--noheader", f"--user={os.getuid()}", "--format=%i %j"]]
    for expected in (None, set(), None):
        clock[0] += 599.5
        assert sent._jobs_of_user() == expected
    clock[0] += 0.5
    with pytest.raises(WorkersLostError) as caught:
        sent._jobs_of_user()
    assert str(caught.value) == (
        "Slurm hasn't answered for 10 minutes; its jobs continue; resume with mlpkit sweep --resume when it answers"
    )


def test_a_job_trains_in_the_drivers_folder_and_stops_at_each_signal_of_slurm(tmp_path, monkeypatch):
    handlers = {}
    monkeypatch.setattr(slurm_workers, "signal", SimpleNamespace(Signals=Signals, signal=handlers.__setitem__))
    monkeypatch.chdir("/")

    def trained(directory, *, steps, stop):
        said = [stop.reason]
        for number, handler in handlers.items():
            handler(number, None)
            said.append(stop.reason)
        return directory, Path.cwd(), steps, said

    found = slurm_workers._train(str(tmp_path), slurm_workers.TrialCall(trained, "swept/trial-7", {"steps": 3}))
    said = ["", "Slurm (SIGTERM)", "Slurm (SIGUSR1)", "Slurm (SIGUSR2)"]
    assert found == (Path("swept/trial-7"), tmp_path, 3, said)
