"""Sweeps as lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from drawn_screen import DrawnScreen

from mlpkit.runs.writer_lock import Writer
from mlpkit.verbs.sweep.display import SweepJson, SweepLines, best_table, of_sweep, print_status
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.screen import SweepScreen
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.sweep import Margin, Sweep, SweepStatus


def test_the_table_has_the_five_best_finished_trials():
    trials = [
        Trial(
            i,
            Path("x"),
            {"a.x": i} if i % 2 else {"a.y": {"adam": {}}},
            state="finished",
            results={"train_loss": 1 / (i + 1)},
        )
        for i in range(7)
    ]
    pruned = Trial(7, Path("x"), {"a.x": 0}, state="pruned", results={"train_loss": 0.0})
    table = best_table([*trials, pruned], [Objective("train_loss", maximize=False)], None)
    assert [line.split() for line in table] == [
        ["trial", "train_loss", "y", "x"],
        ["6", "0.1429", "{adam:", "{}}"],
        ["5", "0.1667", "5"],
        ["4", "0.2000", "{adam:", "{}}"],
        ["3", "0.2500", "3"],
        ["2", "0.3333", "{adam:", "{}}"],
    ]
    assert best_table([pruned], [Objective("train_loss", maximize=False)], None) == []


LOSS, ACCURACY = Objective("validation_loss", maximize=False), Objective("validation_accuracy", maximize=True)


def test_a_result_that_was_not_finite_is_said_not_to_be_there(capsys):
    lines = SweepLines()
    lines.sweep_began(0, [LOSS, ACCURACY], [], 2, 1)
    lost = Trial(0, Path("x/trial-0"), {"a": 1}, state="finished", results={"validation_accuracy": 0.5})
    lines.trial_over(0, lost, None)
    found = Trial(1, Path("x/trial-1"), {"a": 2}, state="finished", results={"validation_loss": 0.25})
    lines.trial_over(0, found, found)
    lines.trial_over(0, lost, found)
    assert capsys.readouterr().out.splitlines() == [
        "trial 0: no validation_loss, validation_accuracy 0.5000; a=1",
        "trial 1: validation_loss 0.2500, no validation_accuracy, the best so far; a=2",
        "trial 0: no validation_loss, validation_accuracy 0.5000 (best 0.2500, trial 1); a=1",
    ]
    lines.finished(of_sweep(Sweep(Path("x"), [LOSS, ACCURACY], [lost])))
    assert capsys.readouterr().err == "no trial is finished with a validation_loss, so there is no best\n"
    sweep = Sweep(Path("x"), [LOSS, ACCURACY], [lost, found], best=found)
    assert "best: trial 1, validation_loss 0.2500, no validation_accuracy; a=2" in repr(sweep)


def ended(number, state, loss=None, accuracy=None, problem=""):
    results = {"validation_loss": loss, "validation_accuracy": accuracy} if loss else {}
    return Trial(number, Path(f"my x/trial-{number}"), {"a.b": 10 + number}, 0.0, state, problem, results)


TRIALS = [
    ended(0, "finished", 0.5, 0.75),
    ended(1, "pruned"),
    ended(2, "finished", 0.25, 0.625),
    ended(3, "diverged"),
    ended(4, "failed", problem="the disk is full"),
    ended(5, "pruned"),
    ended(6, "stopped"),
]
BEST, FRONT = TRIALS[2], [TRIALS[0], TRIALS[2]]
TABLE = """\
trial  validation_loss  validation_accuracy   b
    2           0.2500               0.6250  12
    0           0.5000               0.7500  10
"""
RESUME = "mlpkit sweep --resume 'my x' --on dask"


@pytest.mark.parametrize(("objectives", "front"), [([LOSS, ACCURACY], "Pareto front: trials 0, 2\n"), ([LOSS], "")])
def test_the_results_of_a_sweep(objectives, front, capsys):
    sweep = Sweep(Path("my x"), objectives, TRIALS, BEST, FRONT, "", Margin(2, 0, 0.25))
    outcome = of_sweep(sweep, ["--on", "dask"])
    outcome.print_results("", 65.0)
    out, err = capsys.readouterr()
    assert out == (
        TABLE if front else "trial  validation_loss   b\n    2           0.2500  12\n    0           0.5000  10\n"
    ) + (
        "trial 2 leads trial 0 by 0.2500, which may be chance; a sweep with seeds or folds can tell\n"
        f"{front}the best, ready to run: my x/best.yaml\nsaved in my x\nafter 1 min 05 s\n"
    )
    assert err == "2 trials pruned: 1, 5\n1 trial diverged: 3\n1 trial failed: 4\n"
    assert (outcome.stopped, outcome.print_stop, outcome.plain) == ("", None, sweep.to_plain())


def test_a_sweep_that_was_stopped(capsys):
    outcome = of_sweep(Sweep(Path("my x"), [LOSS], TRIALS, BEST, FRONT, "SIGINT"), ["--on", "dask"])
    outcome.print_results("", 65.0)
    said = capsys.readouterr()
    assert said == ("", f"stopped by SIGINT, with 6 trials done; saved in my x\nresume it with: {RESUME}\n")
    outcome.print_stop()
    assert (capsys.readouterr(), outcome.stopped, outcome.plain["reason"]) == (said, "SIGINT", "SIGINT")


def test_a_trial_that_was_pruned_and_one_that_failed_are_told(capsys):
    lines = SweepLines()
    lines.sweep_began(0, [LOSS], TRIALS, 9, 1)
    for number in (1, 2, 6):
        lines.trial_begun(0, TRIALS[number])
    lines.trial_over(0, TRIALS[4], BEST)
    assert capsys.readouterr() == (
        "trial 1 continues: it is no longer weaker than other trials\ntrial 4: failed; a.b=14\n",
        "error: trial 4: the disk is full\n",
    )


@pytest.mark.parametrize(
    ("trials", "planned", "driver", "progress", "said"),
    [
        (
            TRIALS,
            9,
            None,
            "6 of 9 trials done, 2 finished, 2 pruned, 1 diverged, 1 failed, 1 stopped",
            "no driver is running; resume it with: mlpkit sweep --resume 'my x'",
        ),
        (
            TRIALS[:4],
            4,
            None,
            "4 of 4 trials done, 2 finished, 1 pruned, 1 diverged",
            "no driver is running, and no trial is left",
        ),
        (
            TRIALS[:1],
            None,
            None,
            "1 trial done, 1 finished",
            "no driver is running; resume it with: mlpkit sweep --resume 'my x'",
        ),
        (TRIALS[:1], 1, Writer(12, "elsewhere"), "1 of 1 trial done, 1 finished", "driver: process 12 on elsewhere"),
    ],
)
def test_the_status_of_a_sweep(trials, planned, driver, progress, said, capsys):
    status = SweepStatus(Path("my x"), [LOSS], trials, BEST, planned=planned, seconds=65.0, driver=driver)
    print_status(status)
    *_, first, second, third = capsys.readouterr().out.splitlines()
    assert (first, second, third) == (progress, "at work for 1 min 05 s", said)


def test_a_sweep_on_a_terminal_says_how_far_it_is(monkeypatch):
    drawn, now = DrawnScreen(monkeypatch), [100.0]
    with SweepScreen("made up", "my x") as screen:
        screen._clock, screen._began_at = (lambda: now[0]), 100.0
        screen.sweep_began(0, [LOSS], TRIALS[:2], 9, 2)
        assert drawn.lines()[-1] == "2 of 9 trials, 1 pruned"
        screen.trial_begun(0, TRIALS[2])
        screen.trial_begun(0, TRIALS[4])
        assert drawn.lines()[-1] == "2 of 9 trials, 1 pruned, 2 training"
        now[0] += 20.0
        screen.trial_over(0, BEST, BEST)
        assert drawn.lines() == [
            "made up  my x",
            "trial  validation_loss   b",
            "    2           0.2500  12",
            "    0           0.5000  10",
            "3 of 9 trials, 1 pruned, 1 training, 2 min 00 s left",
        ]
        screen.trial_over(0, TRIALS[4], BEST)
        screen.trial_over(0, TRIALS[3], BEST)
        assert drawn.lines()[1] == "error: trial 4: the disk is full"
        assert drawn.lines()[-1] == "5 of 9 trials, 1 pruned, 1 diverged, 1 failed, 27 s left"
        screen.trial_begun(0, TRIALS[1])
        assert drawn.lines()[-1] == "4 of 9 trials, 1 diverged, 1 failed, 1 training, 50 s left"
        screen.finished(of_sweep(Sweep(Path("my x"), [LOSS], TRIALS[:3], BEST)))
        assert drawn.lines()[-2:] == ["saved in my x", "after 20 s"]
    endless = SweepScreen("made up", "my x")
    endless.sweep_began(0, [LOSS], TRIALS[:1], None, 2)
    endless.trial_over(0, BEST, BEST)
    assert drawn.lines()[-1] == "2 trials"


def test_a_line_that_is_too_long_for_the_terminal_is_cut(monkeypatch):
    drawn = DrawnScreen(monkeypatch, columns=30)
    with SweepScreen("made up", "my x") as screen:
        screen.sweep_began(0, [LOSS], TRIALS[:5], 9, 2)
        assert drawn.lines()[-2:] == ["    0           0.5000  10", "5 of 9 trials, 1 pruned, 1 div"]


def test_why_a_trial_failed_is_printed_beside_its_event(capsys):
    events = SweepJson()
    events.sweep_began(0, [LOSS], TRIALS[:2], 9, 1)
    events.trial_over(0, TRIALS[4], BEST)
    found = capsys.readouterr()
    began, over = map(json.loads, found.out.splitlines())
    assert (began["over"], over["trial"], over["state"], over["best"]) == ([0, 1], 4, "failed", 2)
    assert found.err == "error: trial 4: the disk is full\n"


def test_a_sweep_as_plain_data():
    margin = Margin(2, 0, 0.25, "seed", 0.125, 0.375, 0.03125)
    sweep = Sweep(Path("my x"), [LOSS, ACCURACY], [TRIALS[2], TRIALS[4]], BEST, FRONT, "", margin)
    plain = {
        "trial": 2,
        "state": "finished",
        "values": {"a.b": 12},
        "results": {"validation_loss": 0.25, "validation_accuracy": 0.625},
        "folder": "my x/trial-2",
    }
    failed = {
        "trial": 4,
        "state": "failed",
        "values": {"a.b": 14},
        "results": {},
        "problem": "the disk is full",
        "folder": "my x/trial-4",
    }
    assert sweep.to_plain() == {
        "folder": "my x",
        "objectives": [
            {"key": "validation_loss", "maximize": False},
            {"key": "validation_accuracy", "maximize": True},
        ],
        "best": 2,
        "front": [0, 2],
        "lead": {
            "trial": 2,
            "over": 0,
            "by": 0.25,
            "paired_by": "seed",
            "low": 0.125,
            "high": 0.375,
            "p_value": 0.03125,
            "beyond_chance": True,
        },
        "trials": [plain, failed],
    }
    assert repr(sweep) == (
        "<Sweep of 2 trials (1 finished, 1 failed); best: trial 2, validation_loss 0.2500, validation_accuracy 0.6250; "
        f"a.b=12; {margin}; saved in my x>"
    )
    status = SweepStatus(Path("my x"), [LOSS], TRIALS, BEST, planned=9, seconds=65.5, driver=Writer(12, "elsewhere"))
    assert status.to_plain() == {
        "folder": "my x",
        "driver": {"pid": 12, "host": "elsewhere"},
        "planned": 9,
        "counts": {"finished": 2, "pruned": 2, "diverged": 1, "failed": 1, "stopped": 1},
        "best": plain,
        "seconds": 65.5,
    }
