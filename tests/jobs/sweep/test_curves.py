"""Which pruned trials are no longer weak, by the folders of all."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlpkit
from mlpkit.jobs.sweep.curves import no_longer_weak
from mlpkit.jobs.sweep.pruning import bracket_of
from mlpkit.jobs.sweep.trial import train_trial
from mlpkit.jobs.sweep.trial_spec import text_for_folder
from mlpkit.runs.sweep_folder import SweepFolder

SPEC = """\
mlpkit: 1
name: loans
data:
  csv: {file: example:loans.csv, target: paid_back, categorical: [purpose], validation: 0.2, test: 0.2}
layers:
  - Affine: {units: 1}
  - SigmoidWithLoss
training: {optimizer: sgd, iterations: 9, evaluate_every: 1, threads: 1}
sweep:
  search:
    training.optimizer.sgd.learning_rate: {low: 1.0e-6, high: 1.0}
  trials: 9
  prune: hyperband
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("loans.yaml").write_text(SPEC)
    with SweepFolder.create(Path("s"), text_for_folder(mlpkit.load_spec("loans.yaml"), Path("s"))) as kept:
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
