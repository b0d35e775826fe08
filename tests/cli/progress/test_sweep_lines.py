"""Sweeps as lines."""

from __future__ import annotations

from pathlib import Path

from mlpkit.cli.progress.sweep_lines import best_table, short_keys
from mlpkit.runs.sweep_folder import Trial
from mlpkit.specfile.sweep_section import Objective


def test_keys_are_as_short_as_tells_them_apart():
    keys = ["training.optimizer", "training.optimizer.learning_rate", "layers.Affine1.units", "layers.Affine2.units"]
    assert short_keys([*keys, "vars.hidden", "seed"]) == [
        "optimizer",
        "learning_rate",
        "Affine1.units",
        "Affine2.units",
        "hidden",
        "seed",
    ]
    assert short_keys(["rate", "vars.rate"]) == ["rate", "vars.rate"]


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
