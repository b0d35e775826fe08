"""Which pruned trials are no longer weak, by the folders of all."""

from __future__ import annotations

import loans_sweep
import pytest

import mlpkit
from mlpkit.verbs.sweep.curves import no_longer_weak
from mlpkit.verbs.sweep.pruning import bracket_of
from mlpkit.verbs.sweep.trial import train_trial

HYPERBAND = {
    "iterations: 40": "iterations: 9",
    "evaluate_every: 10": "evaluate_every: 1",
    "trials: 3": "trials: 9",
    "prune: median": "prune: hyperband",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with loans_sweep.begun(HYPERBAND) as kept:
        yield kept


def train(folder, number, rate):
    train_trial(folder.begin(number, {"training.optimizer.sgd.learning_rate": rate}, 0.0).directory)


def states(folder):
    return {trial.number: trial.state for trial in folder.trials()}


def test_a_trial_that_a_rung_ended_goes_on_once_it_is_in_the_best_third_of_more(folder):
    """Of two trials at a rung, the best goes on; of six, the best two."""
    sweep = mlpkit.load_spec("loans.yaml").sweep
    best, second, *others = [number for number in range(30) if bracket_of(number, 3) == 0][:6]
    train(folder, best, 0.3)
    train(folder, second, 0.2)
    assert states(folder) == {best: "finished", second: "pruned"}
    assert no_longer_weak(folder.trials(), sweep) is None
    for number in others:
        train(folder, number, 1e-5)
    found = no_longer_weak(folder.trials(), sweep)
    assert found.number == second
    again = folder.let_go_on(found)
    assert again.state == "stopped"
    assert no_longer_weak(folder.trials(), sweep) is None
    train_trial(again.directory)
    assert len((again.directory / "history.jsonl").read_text().splitlines()) > 1
