"""Names and results of runs, and a run whose output can't be written."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from drawn_screen import DrawnScreen

from mlpkit.display.display import FolderNames, MuteWhenClosed, RunNames, of_run
from mlpkit.display.screen import Screen
from mlpkit.terminal.output import OutputClosedError
from mlpkit.training.events import Event, StopRequest


@pytest.fixture(params=["full disk", "closed pipe"])
def unwritable(request):
    """Yield a descriptor that can't be written, and the exit code of a program that tries."""
    if request.param == "full disk":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, descriptor = os.pipe()
        os.close(reading)
    yield descriptor, 1 if request.param == "full disk" else 141
    os.close(descriptor)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_ends_in_order_and_is_resumed_to_the_same_bits(options, unwritable, mlpkit, cwd):
    descriptor, code = unwritable
    done = mlpkit("run", "tiny.yaml", "--out", "cut", *options, stdout=descriptor)
    assert done.code == code
    assert ("the run so far is saved in cut" in done.err) == (code == 1)
    assert not (cwd / "cut" / "metrics.json").exists()
    assert mlpkit("resume", "cut").code == 0
    assert mlpkit("run", "tiny.yaml", "--out", "whole").code == 0
    for name in ("model.safetensors", "history.jsonl", "metrics.json"):
        assert (cwd / "cut" / name).read_bytes() == (cwd / "whole" / name).read_bytes()


def test_names_are_as_wide_as_the_longest_and_long_folders_are_cut():
    seeds, alone, folders = RunNames("seed"), RunNames(), FolderNames(Path("many"))
    seeds.runs = {3: Path("seed-3"), 12: Path("seed-12")}
    assert [seeds.aligned(3), seeds.label(3), seeds.plain(3)] == ["seed  3", "seed 3: ", {"seed": 3}]
    assert [alone.aligned(0), alone.label(0), alone.plain(0)] == ["", "", {}]
    folders.runs = {0: Path("many/b/seed-3"), 1: Path("many/digits")}
    assert [folders.aligned(each) for each in (0, 1)] == ["b/seed-3", "digits  "]
    assert [folders.label(1), folders.plain(1)] == ["digits: ", {"run": Path("many/digits")}]
    folders.runs = {0: Path("many/digits"), 1: Path("many") / ("a" * 16 + "b" * 17)}
    assert [folders.aligned(each) for each in (0, 1)] == ["digits".ljust(32), "a" * 10 + "…" + "a" * 4 + "b" * 17]


def test_after_the_first_text_that_can_not_be_written_none_is_and_training_stops():
    seen, stop = [], StopRequest()

    def display(event):
        seen.append(event.kind)
        if event.kind == "evaluated":
            raise OutputClosedError

    mute = MuteWhenClosed(display, stop)
    mute(Event(0, "started", (3,)))
    mute.raise_if_unwritable()
    assert not stop.reason
    for kind in ("evaluated", "stepped"):
        mute(Event(0, kind, ()))
    assert (seen, stop.reason) == (["started", "evaluated"], "output that can't be written")
    with pytest.raises(OutputClosedError):
        mute.raise_if_unwritable()


def run(**how):
    test = {"test": {"loss": 0.25, "accuracy": 0.75}}
    given = {"stopped": "", "ended": "", "steps": 7, "metrics": test, "leaks": (), "folder": Path("my runs/x")}
    return of_run(SimpleNamespace(**given | how))


def test_a_run_that_ended_early_with_all_that_is_said_of_it(capsys):
    outcome = run(ended="the loss got no better", leaks=("3 rows are in both",))
    outcome.print_results("best loss 0.5", 65.0)
    assert capsys.readouterr() == (
        "stopped early, after step 7: the loss got no better\nbest loss 0.5\ntest loss 0.2500, accuracy 0.7500\n"
        "saved in my runs/x, after 1 min 05 s\n",
        "note: 3 rows are in both\n",
    )
    assert (outcome.stopped, outcome.print_stop) == ("", None)
    assert outcome.plain == {
        "steps": 7,
        "metrics": {"test": {"loss": 0.25, "accuracy": 0.75}},
        "folder": Path("my runs/x"),
        "reason": "the loss got no better",
    }
    plain = run(metrics={"validation": {"loss": 0.25}})
    plain.print_results("", None)
    assert capsys.readouterr() == ("saved in my runs/x\n", "")
    assert "reason" not in plain.plain


def test_a_run_that_was_stopped(capsys):
    outcome = run(stopped="SIGINT")
    outcome.print_results("best loss 0.5", 65.0)
    said = "stopped after step 7 by SIGINT; saved in my runs/x\nresume it with: mlpkit resume 'my runs/x'\n"
    assert capsys.readouterr() == ("", said)
    assert (outcome.stopped, outcome.next_command) == ("SIGINT", "")
    assert outcome.plain == {"steps": 7, "reason": "SIGINT", "folder": Path("my runs/x")}


def test_a_run_that_was_finished_before_took_no_time(monkeypatch):
    drawn = DrawnScreen(monkeypatch)
    with Screen("made up", "x") as screen:
        screen.finished(run())
    assert drawn.lines()[1:] == [
        "",
        "test loss 0.2500, accuracy 0.7500",
        "saved in my runs/x",
        "next: mlpkit predict 'my runs/x' FILE",
    ]
