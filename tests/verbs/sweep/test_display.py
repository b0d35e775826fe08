"""Sweeps as lines."""

from __future__ import annotations

from pathlib import Path

from mlpkit.verbs.sweep.display import SweepLines, best_table, of_sweep
from mlpkit.verbs.sweep.folder import Trial
from mlpkit.verbs.sweep.section import Objective
from mlpkit.verbs.sweep.sweep import Sweep


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
