"""What the workers of all engines do: the base's side of the driver, and training in a worker."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from mlpkit.errors import UsageError
from mlpkit.training.events import TrainingEnd
from mlpkit_plugins.engines import remote_workers


class Workers(remote_workers.RemoteWorkers):
    """Workers that note what is sent, with problems that a test decides."""

    def __init__(self, *problems):
        super().__init__()
        self.problems, self.asked, self.sent = problems, [], []

    def _send(self, call, end):
        self.sent.append((call, end))

    def _problems(self):
        self.asked.append(self._sweep)
        return self.problems


def test_the_folder_of_a_sweep_is_checked_once_and_without_links(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    workers = Workers()
    monkeypatch.chdir("/")
    ends = [workers.submit(print, tmp_path / f"link/trial-{number}", rows=number) for number in (3, 5)]
    assert workers.asked == [(str(tmp_path / "real"), str(tmp_path))]
    assert workers.sent == [
        ((print, f"{tmp_path}/link/trial-{number}", {"rows": number}), end)
        for number, end in zip((3, 5), ends, strict=True)
    ]


def test_the_first_problem_comes_with_the_command_that_resumes(tmp_path):
    workers = Workers("the worker b is lost", "the worker a is old")
    with pytest.raises(UsageError) as caught:
        workers.submit(print, tmp_path / "my sweep" / "trial-0")
    resume = f"mlpkit sweep --resume '{tmp_path}/my sweep'"
    assert str(caught.value) == f"the worker b is lost; then resume with: {resume}"
    assert workers.sent == []


class Trainer:
    """The training process of a sweep; it ends a trial when it is asked to stop a second time."""

    def __init__(self, count, here):
        self.made, self.calls, self.stops, self.ended = (count, here), [], 0, 0

    def submit(self, *args, **arguments):
        self.calls.append((args, arguments))
        self.end = Future()
        return self.end

    def stop(self):
        self.stops += 1
        if self.stops == 2:
            self.end.set_result(TrainingEnd(7, "asked"))

    def shutdown(self):
        self.ended += 1


@pytest.fixture
def made(monkeypatch):
    """The training processes by the folder of their sweep."""
    made = {}
    monkeypatch.setattr(remote_workers, "_trainers", made)
    monkeypatch.setattr(remote_workers, "LocalWorkers", Trainer)
    monkeypatch.setattr(remote_workers, "SECONDS_BETWEEN_CHECKS", 0.001)
    return made


def test_a_worker_trains_until_it_must_stop(made):
    answers = iter([False, True, False, True])
    call = remote_workers.TrialCall(print, "swept/trial-3", {"rows": 5})
    assert remote_workers.train(("swept", "here"), call, lambda: next(answers)) == TrainingEnd(7, "asked")
    trainer = made["swept"]
    assert (trainer.made, trainer.calls) == ((1, "here"), [((print, Path("swept/trial-3")), {"rows": 5})])
    assert [*answers] == []


def test_a_worker_has_one_training_process_a_sweep_and_ends_it_once(made):
    trainer, other = (remote_workers.trainer_of((name, "here")) for name in ("swept", "other"))
    assert remote_workers.trainer_of(("swept", "elsewhere")) is trainer
    for _ in range(2):
        remote_workers.end_training("swept")
    assert (trainer.ended, other.ended, made) == (1, 0, {"other": other})
