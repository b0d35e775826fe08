"""What a live page knows of runs: events of one that is trained here, and the files of others."""

from __future__ import annotations

import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.training.events import Observer, ObserverGroup
from mlpkit.verbs.live.server import FolderRuns, LiveRun, PausableStopRequest, WatchedRun, evaluations_of, state_of

SPEC = {
    "mlpkit": 1,
    "name": "digits",
    "data": "mnist",
    "layers": [{"Affine": {"units": 10}}, "SoftmaxWithLoss"],
    "training": {"optimizer": "sgd", "batch_size": 10, "iterations": 6, "evaluate_every": 2},
}


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return mlpkit.load_spec(SPEC)


def test_a_run_that_is_trained_here(spec, tmp_path):
    stop = PausableStopRequest()
    live = LiveRun("digits", tmp_path / "run", stop)
    seen = []

    class Looking(Observer):
        def evaluated(self, record, seconds):
            (run,) = live.runs()
            seen.append((run.state, run.step, run.total, len(run.records), run.best))

    run = mlpkit.run(spec, "run", observer=ObserverGroup((live, Looking())), stop=stop)
    assert [each[:4] for each in seen] == [("running", step, 6, step // 2) for step in (2, 4, 6)]
    assert seen[-1][4] == min(range(3), key=lambda i: run.history[i]["validation_loss"])
    assert live.run.records == run.history


def test_a_run_that_is_resumed_shows_what_was_before_and_the_best_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    worsening = mlpkit.load_spec(SPEC, overrides={"seed": 5, "training.optimizer.sgd.learning_rate": 100.0})
    observer = StopAt(4)
    mlpkit.run(worsening, "run", observer=observer, stop=observer.stop)
    live = LiveRun("digits", tmp_path / "run", PausableStopRequest())
    run = mlpkit.resume("run", observer=live)
    assert live.run.records == run.history
    assert len(run.history) == 3
    assert live.runs()[0].best == 1 == min(range(3), key=lambda i: run.history[i]["validation_loss"])


def test_the_runs_in_a_folder_are_found_with_their_states(spec, tmp_path):
    watched = FolderRuns(tmp_path / "runs")
    assert watched.runs() == []
    observer = StopAt(4)
    mlpkit.run(spec, "runs/a", observer=observer, stop=observer.stop)
    finished = mlpkit.run(spec, "runs/b")
    (tmp_path / "runs/other").mkdir()
    watched._next_look = 0.0  # it looks once a second
    found = watched.runs()
    assert [(run.name, run.state, run.step, run.total) for run in found] == [
        ("a", "stopped", 4, 6),
        ("b", "finished", 6, 6),
    ]
    assert found[1].records == finished.history
    (alone,) = FolderRuns(tmp_path / "runs/b").runs()
    assert alone.name == "b"


def test_several_runs_are_drawn_together_and_a_gap_is_a_gap():
    first = WatchedRun(
        "a", "running", 2, records=[{"iteration": 2, "epoch": 0.1, "train_loss": 1.0, "learning_rate": 1}]
    )
    second = WatchedRun("b", "diverged", 0)
    both = evaluations_of([first, second])
    assert list(both["charts"]) == ["Train loss"]
    assert [row.count("<td") for row in both["table"].split("<tr")[2:]] == [4, 4]
    assert state_of([first, second])["state"] == "2 runs, 1 of them running"
    assert evaluations_of([second]) == {"table": "", "charts": {}}
