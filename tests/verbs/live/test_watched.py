"""What a live page knows of runs: events of one that is trained here, and the files of others."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.components.schedule import Progress
from mlpkit.runs.folder import RunFolder
from mlpkit.specfile.shipped_specs import shipped_specs
from mlpkit.training.events import Observer, ObserverGroup, StopRequest
from mlpkit.training.health import Symptom
from mlpkit.verbs.live.server import (
    FolderRuns,
    LiveRun,
    PausableStopRequest,
    WatchedRun,
    evaluations_of,
    frame,
    live_folder,
    live_page,
    state_of,
)

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


def test_the_page_of_a_run_has_its_title_and_what_its_folder_holds(spec, tmp_path):
    observer = StopAt(4)
    mlpkit.run(spec, "run", observer=observer, stop=observer.stop)
    interrupts = SimpleNamespace(stop=None, received=None)
    with live_page(0, "my digits", tmp_path / "run", "", interrupts) as live:
        run = mlpkit.resume("run", observer=live, stop=interrupts.stop)
        assert (live.run.name, live.run.records) == ("my digits", run.history)


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


RECORDS = [
    {"iteration": 5, "epoch": 0.5, "learning_rate": 0.1, "train_loss": 2.5, "validation_loss": 1.25},
    {"iteration": 9, "epoch": 0.9, "learning_rate": 0.1, "train_loss": 1.5, "validation_loss": 0.75},
]


@pytest.mark.parametrize(
    ("run", "state", "progress", "done", "active", "paused"),
    [
        (WatchedRun("a"), "Preparing", "step 0", None, False, False),
        (
            WatchedRun("a", "running", 1234, 4936, 0.25, 12.0),
            *("Running", "step 1,234 of 4,936, loss 0.2500, 12 s left", 0.25, True, False),
        ),
        (WatchedRun("a", "pausing", 2, 5, float("nan"), 12.0), "Pausing", "step 2 of 5", 0.4, True, True),
        (WatchedRun("a", "paused", 2, None, 1.5, 3.0), "Paused", "step 2, loss 1.5000", None, True, True),
        (WatchedRun("a", "stopping", 2, 5), "Stopping", "step 2 of 5", 0.4, False, False),
        (WatchedRun("a", "failed", 3, 5, message="a < b"), "Failed: a < b", "step 3 of 5", 0.6, False, False),
    ],
)
def test_the_state_of_a_run_in_words(run, state, progress, done, active, paused):
    run.notes = ["x < 1", "y"]
    assert state_of([run]) == {
        "state": state,
        "progress": progress,
        "done": done,
        "active": active,
        "paused": paused,
        "notes": "<p>x &lt; 1</p><p>y</p>",
    }


def test_the_state_of_several_runs_is_how_many_train():
    nothing = {"progress": "", "done": None, "paused": False, "notes": ""}
    runs = [WatchedRun(str(i), state) for i, state in enumerate(["running", "finished", "running", "stopped"])]
    assert state_of(runs) == {"state": "4 runs, 2 of them running", "active": True, **nothing}
    assert state_of(runs[1::2]) == {"state": "2 runs, 0 of them running", "active": False, **nothing}
    assert state_of([]) == {"state": "No runs yet", "active": False, **nothing}


def test_the_results_of_runs_are_tables_and_curves():
    first = WatchedRun("a<", "running", 9, records=RECORDS, best=1)
    one = evaluations_of([first])
    assert list(one["charts"]) == ["Loss"]
    rows = re.findall(r"<tr.*?>(.*?)</tr>", one["table"], re.DOTALL)
    assert [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)[0] for row in rows] == ["iteration", "5", "9"]
    second = WatchedRun("b", "finished", 1234, records=[RECORDS[0] | {"validation_accuracy": 0.5}])
    both = evaluations_of([first, WatchedRun("c", "preparing"), second])
    rows = re.findall(r"<tr.*?>(.*?)</tr>", both["table"], re.DOTALL)
    assert [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in rows] == [
        ["run", "state", "iteration", "train loss", "validation loss", "validation accuracy"],
        ["a&lt;", "running", "9", "1.5000", "0.7500", ""],
        ["c", "preparing", "0", "", "", ""],
        ["b", "finished", "1,234", "2.5000", "1.2500", "0.5000"],
    ]
    assert "Each run at its last evaluation" in both["table"]
    assert list(both["charts"]) == ["Validation loss", "Validation accuracy"]
    points = {caption: chart["data"]["values"] for caption, chart in both["charts"].items()}
    drawn = [("a<", 5, 1.25), ("a<", 9, 0.75), ("b", 5, 1.25)]
    assert [(each["series"], each["iteration"], each["loss"]) for each in points["Validation loss"]] == drawn
    drawn = [("a<", 5, None), ("a<", 9, None), ("b", 5, 0.5)]
    assert [(each["series"], each["iteration"], each["accuracy"]) for each in points["Validation accuracy"]] == drawn


def test_a_long_curve_is_thinned_and_keeps_its_ends(monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.live.server.MOST_POINTS", 10)
    records = [{"iteration": step, "train_loss": 1 / step} for step in range(1, 500)]
    runs = [WatchedRun(name, "running", 499, records=records) for name in "ab"]
    values = evaluations_of(runs)["charts"]["Train loss"]["data"]["values"]
    steps = [each["iteration"] for each in values if each["series"] == "a"]
    assert (steps[0], steps[-1], steps == sorted(set(steps))) == (1, 499, True)
    assert 5 <= len(steps) <= 20
    assert all(each["loss"] == 1 / each["iteration"] for each in values)


def test_a_folder_is_looked_at_once_a_second_and_a_run_is_read_again_if_it_went_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read, now = [], [100.0]
    history = RunFolder.read_history
    monkeypatch.setattr(RunFolder, "read_history", lambda self: read.append(self.directory.name) or history(self))
    monkeypatch.setattr("mlpkit.verbs.live.server.time", SimpleNamespace(monotonic=lambda: now[0]))
    spec = mlpkit.load_spec(
        shipped_specs()["loans"], overrides={"training.iterations": 6, "training.evaluate_every": 2}
    )
    mlpkit.run(spec, "runs/deep/a", quiet=True)
    read.clear()
    watched = FolderRuns(tmp_path / "runs")
    (first,) = watched.runs()
    assert (first.name, first.best, first.message, len(first.records)) == ("deep/a", None, "", 3)
    mlpkit.run(spec, "runs/b")
    read.clear()
    now[0] = 100.999
    assert watched.runs() == [first]
    now[0] = 101.0
    assert [run.name for run in watched.runs()] == ["b", "deep/a"]
    assert read == ["b"]
    lines = (tmp_path / "runs/deep/a/history.jsonl").read_text()
    (tmp_path / "runs/deep/a/metrics.json").unlink()
    (tmp_path / "runs/deep/a/history.jsonl").write_text(lines[: lines.rindex("{")])
    now[0] = 102.5
    again = watched.runs()[1]
    assert (again.step, again.state != "finished", len(again.records), read) == (4, True, 2, ["b", "a"])


def test_the_page_of_several_runs_can_end_them(tmp_path, capsys):
    pytest.importorskip("vl_convert")
    interrupts = SimpleNamespace(stop=StopRequest())
    with live_folder(0, "all runs", tmp_path, interrupts):
        address = capsys.readouterr().err.removeprefix("live page: ").strip()
        host, token = re.fullmatch("http://(.*?)/(.*)/", address).groups()
        connection = http.client.HTTPConnection(host, timeout=10)
        for action, status in (("pause", 404), ("stop", 204)):
            connection.request("POST", f"/{token}/{action}", headers={"Origin": f"http://{host}"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            connection.close()
    assert interrupts.stop.reason == "the live page"


def test_a_run_is_held_and_ended_only_while_it_trains(tmp_path):
    stop = PausableStopRequest()
    live = LiveRun("digits", tmp_path, stop)

    def state():
        (run,) = live.runs()
        return run.state

    live.pause()
    assert (state(), stop.paused) == ("preparing", False)
    live.resumed(3)
    live.started(9)
    assert (state(), live.run.step, live.run.total) == ("running", 3, 9)
    live.stepped(Progress(5, 0.5, 9), 1.25)
    assert (state(), live.run.step, live.run.loss, live.run.seconds_left) == (
        "running",
        5,
        1.25,
        pytest.approx(0, abs=9),
    )
    live.diagnosed(Symptom("dead_units", "Relu1", "3 of 4 are", ("a lower rate", "PRelu"), 5))
    assert live.runs()[0].notes == ["dead units in Relu1: 3 of 4 are; try a lower rate, or PRelu"]
    live.pause()
    assert state() == "pausing"
    waiting = []
    thread = threading.Thread(target=lambda: waiting.append(stop.reason))
    thread.start()
    while not stop.waiting:
        time.sleep(0.01)
    assert (state(), waiting) == ("paused", [])
    live.resume()
    thread.join()
    assert (state(), waiting, stop.waiting) == ("running", [""], False)
    live.pause()
    live.end()
    assert (state(), stop.reason) == ("stopping", "the live page")
    live.ended()
    live.pause()
    assert (stop.paused, state(), live.run.step) == (False, "stopping", 5)


@pytest.mark.parametrize(
    ("stopped", "ended", "state", "message"),
    [
        ("by Ctrl-C", "", "stopped", "resume it with: mlpkit resume 'a run'"),
        ("", "", "finished", "saved in a run"),
        ("", "no improvement", "finished", "no improvement; saved in a run"),
    ],
)
def test_a_page_says_how_a_run_ended(stopped, ended, state, message, tmp_path):
    live = LiveRun("digits", tmp_path, PausableStopRequest())
    live.started(None)
    live.stepped(Progress(5, 0.5, 9), 1.25)
    assert live.run.seconds_left is None
    live.run.seconds_left = 3.0
    live.finished(SimpleNamespace(stopped=stopped, ended=ended, folder=Path("a run")))
    (run,) = live.runs()
    assert (run.state, run.message, run.seconds_left) == (state, message, None)


def test_a_training_that_fails_says_so_on_its_page(tmp_path, monkeypatch):
    pytest.importorskip("vl_convert")
    interrupts = SimpleNamespace(stop=None)
    with pytest.raises(ValueError, match="unused"), live_page(0, "digits", tmp_path, "", interrupts) as live:
        raise ValueError("unused\nat all")
    assert isinstance(interrupts.stop, PausableStopRequest)
    assert (live.run.state, live.run.message) == ("failed", "unused")


def test_a_page_at_another_port_than_asked_for_is_the_same(tmp_path, capsys):
    pytest.importorskip("vl_convert")
    interrupts = SimpleNamespace(stop=None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with live_page(port, "a title", tmp_path, "seed: 7", interrupts) as live:
            warned, address = capsys.readouterr().err.splitlines()
            with urllib.request.urlopen(address.removeprefix("live page: "), timeout=60) as answer:
                text = answer.read().decode()
            with urllib.request.urlopen(f"{answer.url}events", timeout=60) as stream:
                live.close("finished", "well")
                lines = iter(stream.readline, b"")
                assert any(b'"state":"Finished: well"' in line for line in lines)
    assert warned.startswith(f"warning: port {port} can't be used: ")
    assert ("<h1>a title</h1>" in text, "seed: 7" in text) == (True, True)
    assert re.findall('<button type="button" id="(.*?)">', text) == ["pause", "stop"]


@pytest.mark.parametrize(
    ("actions", "buttons"), [(["stop"], ["stop"]), (["stop", "pause"], ["pause", "stop"]), ([], [])]
)
def test_the_page_has_the_buttons_that_do_something(actions, buttons):
    pytest.importorskip("vl_convert")
    page = frame("a < b", "", actions, "mlpkit: <1>\n" if actions else "")
    main = page.partition("<main>")[2].partition("</main>")[0]
    assert re.findall('<button type="button" id="(.*?)">', main) == buttons
    assert ("controls" in main, "mlpkit: &lt;1&gt;" in main) == (bool(actions), bool(actions))
    assert re.findall("<h2.*?>(.*?)</h2>", main) == ["State", "Curves", "Evaluations"] + ["Spec"] * bool(actions)
