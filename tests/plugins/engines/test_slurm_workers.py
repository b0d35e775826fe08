"""Jobs of a Slurm whose commands are short scripts; tests/plugins/engines/test_sweep_on_slurm.py has a real one."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from contextlib import closing
from pathlib import Path
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


def test_without_slurm_its_commands_are_named(monkeypatch, tmp_path):
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
